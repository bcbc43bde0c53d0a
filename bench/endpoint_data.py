"""Fills a Headwater with the synthetic world and hands its public view to the other servers: the same statements in each.

    python -m bench.endpoint_data 1000000 FOLDER

Headwater keeps every statement twice, in its record's graph and in the view that is asked; the others get the public view,
entailed statements with it, as their unnamed graph (Virtuoso, which has none, as a graph of its own).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from pyoxigraph import NamedNode, RdfFormat, Store, serialize

from bench.over_http import alive
from bench.servers import Server, free_port
from bench.world import make_world
from bench.write_rdf import BASE, documents, full
from headwater import __version__
from headwater.app import Headwater
from headwater.settings import Settings, load

_STATEMENTS_A_RUN = 77
"""Of the synthetic world, those that follow included."""
_DOCUMENTS = 1000
"""Documents in one record: as in a batch of an importer, so that filling stays within memory and time."""


def settings(folder: Path) -> Settings:
    """Of a Headwater whose things are named like those of the synthetic world, so that their pages are its own."""
    return load(data=folder / "headwater", base_iri=BASE, audits="manual")


def parts(size: int, folder: Path) -> Iterator[Path]:
    """One world of about `size` statements, as files of a thousand documents each; each is removed when the next is asked for."""
    held: list[str] = []

    def written(number: int) -> Path:
        path = folder / f"part-{number}.nt"
        path.write_text("".join(held), encoding="utf-8")
        held.clear()
        return path

    count = 0
    for _, statements in documents(make_world(max(1, size // _STATEMENTS_A_RUN), 1)):
        held += [" ".join(map(full, statement)) + " .\n" for statement in statements]
        count += 1
        if count % _DOCUMENTS == 0:
            path = written(count)
            yield path
            path.unlink()
    if held:
        path = written(count)
        yield path
        path.unlink()


def prepare(size: int, folder: Path) -> Path:
    """A Headwater in `folder` with about `size` statements to ask for, and the file of its public view beside it, made once."""
    view = folder / "view.nt"
    if view.exists():
        return view
    folder.mkdir(parents=True)
    with Headwater.open(settings(folder)) as headwater:
        for path in parts(size, folder):
            headwater.import_source(path, format="rdf", by="bench")
        name = NamedNode(headwater.views.public.value)
        with (folder / "view.tmp").open("wb") as file:
            serialize(headwater._store.graph(name), file, format=RdfFormat.N_TRIPLES)
    # As `headwater rebuild` leaves it, and as the other servers' stores are left by their loaders.
    Store(str(folder / "headwater" / "store")).optimize()
    (folder / "view.tmp").rename(view)
    return view


@contextlib.contextmanager
def served(folder: Path, **more: str) -> Iterator[Server]:
    """Our own server on the Headwater of `folder`, up and ready; `more` are further settings."""
    port = free_port()
    command = [sys.executable, "-m", "headwater", "serve", "--port", str(port), "--data", str(folder / "headwater")]
    chosen = {"BASE_IRI": BASE, "AUDITS": "manual", "REQUESTS_PER_MINUTE": "0", **more}
    environment = os.environ | {f"HEADWATER_{name}": value for name, value in chosen.items()}
    with (folder / "headwater.log").open("ab") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment, start_new_session=True
        )
    address = f"http://127.0.0.1:{port}/sparql"
    try:
        until = time.monotonic() + 60
        while not alive(port):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((folder / "headwater.log").read_text(errors="replace")[-3000:])
            time.sleep(0.02)
        yield Server("headwater", address, f"{address}/update", f"{address}/store", process.pid, folder, None, __version__)
    finally:
        process.terminate()
        process.wait(timeout=60)


def main(arguments: list[str] | None = None) -> int:
    """Prepare one folder and say how long it took."""
    parser = argparse.ArgumentParser(prog="python -m bench.endpoint_data", description=__doc__)
    parser.add_argument("size", type=int, help="statements to ask for, about")
    parser.add_argument("folder", type=Path)
    chosen = parser.parse_args(arguments)
    began = time.perf_counter()
    view = prepare(chosen.size, chosen.folder)
    with view.open("rb") as file:
        count = sum(1 for _ in file)
    print(f"{count:,} statements in {time.perf_counter() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
