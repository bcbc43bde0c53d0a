"""How long a page takes while everything is audited, in a thread of the service or beside it: `python -m bench.during_audit`."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from bench.gate import show
from bench.measure import percentile
from bench.over_http import request_times
from bench.servers import free_port
from bench.world import make_world
from bench.write_rdf import write_ntriples
from headwater.access import LOCAL
from headwater.app import Headwater
from headwater.app.audit_worker import audit_apart, audit_store
from headwater.settings import load
from headwater.web.server import configured, listening

_STATEMENTS_A_RUN = 80
_PART = 1000
"""Runs in one record: as a batch of several, so that filling stays within memory."""


def fill(folder: Path, size: int) -> None:
    """A data folder with about so many statements, those that follow included."""
    with Headwater.open(load(data=folder)) as headwater:
        for part in range(max(1, size // (_STATEMENTS_A_RUN * _PART))):
            path = folder / f"{part}.nt"
            write_ntriples(make_world(min(_PART, size // _STATEMENTS_A_RUN), part + 1), path)
            text = path.read_text(encoding="utf-8").replace("https://bench.example/id/", f"https://bench.example/id/p{part}/")
            path.write_text(text, encoding="utf-8")
            headwater.import_source(path)


@contextmanager
def served(headwater: Headwater) -> Iterator[int]:
    """A server in a thread of this process; gives its port."""
    port = free_port()
    with listening("127.0.0.1", port) as listener:
        server = uvicorn.Server(configured(headwater))
        thread = threading.Thread(target=lambda: server.run(sockets=[listener]), daemon=True)
        thread.start()
        try:
            yield port
        finally:
            server.should_exit = True
            thread.join()


def asked_apart(port: int, paths: list[str]) -> list[float]:
    """The seconds that each page took, asked from a process of its own, which shares no lock with the server."""
    code = (
        "import sys; from bench.during_audit import times_of; "
        "print(*times_of(int(sys.argv[1]), sys.stdin.read().split()), sep='\\n')"
    )
    command = [sys.executable, "-c", code, str(port)]
    ended = subprocess.run(command, input="\n".join(paths), capture_output=True, text=True, check=True)
    return [float(line) for line in ended.stdout.split()]


def times_of(port: int, paths: list[str]) -> list[float]:
    """The seconds that each page took."""
    return [request_times(port, [path], "text/html")["max"] for path in paths]


def while_auditing(audit: Callable[[threading.Event], object], measure: Callable[[], list[float]]) -> list[float]:
    """Measure while one audit follows the other."""
    stop = threading.Event()

    def again() -> None:
        while not stop.is_set():
            audit(stop)

    thread = threading.Thread(target=again)
    thread.start()
    time.sleep(1)
    try:
        return measure()
    finally:
        stop.set()
        thread.join()


def measured(folder: Path, pages: int) -> dict[str, Any]:
    """The pages of models, quiet, with an audit in this process, and with one beside it."""
    row: dict[str, Any] = {}
    with Headwater.open(load(data=folder)) as headwater, served(headwater) as port, tempfile.TemporaryDirectory() as place:
        models = headwater.objects(LOCAL, kind="dataset", per_page=pages).items
        paths = [f"/object/{thing.path}" for thing in models]
        row["statements"] = sum(1 for _ in headwater._store.graph(headwater.views.public))
        snapshot = headwater._store.snapshot(Path(place) / "store")
        asked_apart(port, paths)

        def thread(stop: threading.Event) -> object:
            return None if stop.is_set() else audit_store(snapshot, headwater.mint.base, None, lambda: False)

        def process(stop: threading.Event) -> object:
            never = threading.Event()
            return None if stop.is_set() else audit_apart(Path(place) / "store", headwater.mint.base, lambda *_: None, never)

        began = time.perf_counter()
        process(threading.Event())
        row["audit_s"] = time.perf_counter() - began
        for name, times in (
            ("quiet", asked_apart(port, paths)),
            ("thread", while_auditing(thread, lambda: asked_apart(port, paths))),
            ("process", while_auditing(process, lambda: asked_apart(port, paths))),
        ):
            row[f"{name}_p50_ms"] = 1000 * percentile(times, 0.5)
            row[f"{name}_p95_ms"] = 1000 * percentile(times, 0.95)
        snapshot.close()
    return row


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.during_audit", description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000, help="statements")
    parser.add_argument("--data", type=Path, help="a data folder to use instead of making one")
    parser.add_argument("--pages", type=int, default=200, help="pages asked for in each state")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as place:
        folder = chosen.data or Path(place) / "data"
        if chosen.data is None:
            folder.mkdir()
            fill(folder, chosen.size)
        show("Landing pages during an audit", measured(folder, chosen.pages))
    return 0


if __name__ == "__main__":
    sys.exit(main())
