"""How soon readers know what was written, how fast they catch up, and how long nobody can write after a kill.

`python -m bench.replicas postgresql+psycopg://USER:PASSWORD@HOST/DATABASE`; the database has to be empty and is left filled.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
from pyoxigraph import Literal, NamedNode, Triple
from rich.console import Console

from bench.measure import machine, percentile
from bench.run import show
from bench.world import make_world
from bench.write_rdf import write_turtle

_TURTLE = {"Content-Type": "text/turtle"}


class Served:
    """`headwater serve` in one role."""

    def __init__(self, folder: Path, name: str, ledger: str, role: str) -> None:
        self.data = folder / name
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        more = {"LEDGER": ledger, "ROLE": role, "AUDITS": "manual"}
        self.environment = {**os.environ, **{f"HEADWATER_{key}": value for key, value in more.items()}}
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=120, trust_env=False)
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str) -> None:
        """Another command of the program."""
        command = [sys.executable, "-m", "headwater", *arguments, "--data", str(self.data)]
        subprocess.run(command, env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def start(self) -> float:
        """Start it; the seconds until it was ready."""
        command = [sys.executable, "-m", "headwater", "serve", "--port", str(self.port), "--data", str(self.data)]
        began = time.monotonic()
        self.process = subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.until(lambda: self.client.get("/health/ready").status_code == 200)
        return time.monotonic() - began

    def until(self, true: Callable[[], bool], pause: float = 0.01) -> None:
        while True:
            assert self.process is not None
            assert self.process.poll() is None, "the process has ended"
            with suppress(httpx.HTTPError):
                if true():
                    return
            time.sleep(pause)

    def put(self, name: str) -> int:
        """Write a small graph; the status of the answer."""
        body = f"<urn:run:{name}> a <http://www.w3.org/ns/prov#Activity> ; <urn:p> '{name}' ."
        return self.client.put("/sparql/store", params={"graph": f"urn:graph:{name}"}, content=body, headers=_TURTLE).status_code

    def sequence(self) -> int:
        return int(self.client.get("/robots.txt").headers["Headwater-Sequence"])

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def append(address: str, folder: Path) -> list[dict[str, Any]]:
    """Records a second that a ledger takes, one to a commit and 256 to a commit; nothing but the ledger."""
    from headwater.ledger.lease import Lease
    from headwater.ledger.ledger import Ledger
    from headwater.ledger.schema import open_engine
    from headwater.records.draft import Draft
    from headwater.records.record import RecordMaker
    from headwater.terms.minting import Mint

    maker = RecordMaker(Mint("https://bench.example/"))
    triples = [Triple(NamedNode(f"urn:s:{n}"), NamedNode("urn:p"), Literal(f"value {n}")) for n in range(50)]
    rows = []
    for title, where in (("SQLite", f"sqlite:///{folder / 'append.sqlite'}"), ("PostgreSQL", address)):
        engine = open_engine(where)
        lease = Lease(engine)
        assert lease.take(), "the database has a writer"
        ledger = Ledger(engine, fence=lease.advance())
        made = [
            maker.make(Draft(f"urn:append:{n}", "bench", "bench", triples), "public", "bench", "1", "declared")
            for n in range(100 + 10 * 256)
        ]
        alone = []
        for record in made[:100]:
            began = time.perf_counter()
            ledger.append([record], "bench")
            alone.append(time.perf_counter() - began)
        began = time.perf_counter()
        for start in range(100, len(made), 256):
            ledger.append(made[start : start + 256], "bench")
        together = (len(made) - 100) / (time.perf_counter() - began)
        lease.release()
        engine.dispose()
        rows.append(
            {
                "ledger": title,
                "one record, median ms": round(1000 * percentile(alone, 0.5), 1),
                "p95 ms": round(1000 * percentile(alone, 0.95), 1),
                "records/s by 256": round(together),
            }
        )
    return rows


def lag(writer: Served, reader: Served, writes: int) -> dict[str, Any]:
    """Milliseconds from the answer to a write until a reader has it, looked at every two milliseconds."""
    found = []
    for number in range(writes):
        assert writer.put(f"lag{number}") == 201
        began = time.perf_counter()
        wanted = writer.sequence()
        reader.until(lambda wanted=wanted: reader.sequence() >= wanted, 0.002)  # type: ignore[misc]
        found.append(1000 * (time.perf_counter() - began))
        time.sleep(0.05 + number % 7 / 70)
    return {"writes": writes, "median ms": round(percentile(found, 0.5)), "p95 ms": round(percentile(found, 0.95))}


def statements(served: Served) -> int:
    answer = served.client.post("/sparql", data={"query": "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"})
    return int(answer.json()["results"]["bindings"][0]["n"]["value"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ledger", help="address of an empty PostgreSQL database")
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--writes", type=int, default=100)
    chosen = parser.parse_args()
    console = Console()
    console.print(machine())
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as place:
        folder = Path(place)
        served = [Served(folder, name, chosen.ledger, name) for name in ("writer", "reader", "standby")]
        writer, reader, standby = served
        try:
            writer.start()
            reader.start()
            show(console, "A reader's lag after single writes", [lag(writer, reader, chosen.writes)])
            reader.end()
            writer.end()
            documents = folder / "documents"
            write_turtle(make_world(chosen.runs, 1), documents)
            writer.run("import", str(documents))
            writer.start()
            total, last = statements(writer), writer.sequence()
            behind = reader.start()
            fresh = Served(folder, "fresh", chosen.ledger, "reader")
            served.append(fresh)
            anew, again = fresh.start(), 0.0
            fresh.end()
            again = fresh.start()
            caught = []
            for title, seconds in (("behind by all but the first", behind), ("with an empty folder", anew)):
                rate = round(total / max(0.1, seconds - again))
                caught.append({"reader": title, "seconds until ready": round(seconds, 1), "statements/s": rate})
            caught.append({"reader": "nothing to catch up with", "seconds until ready": round(again, 1), "statements/s": 0})
            show(console, f"Catching up, {total:,} statements, {last:,} entries", caught)
            standby.start()
            gaps = []
            writer.end()
            began = time.monotonic()
            standby.until(lambda: standby.put("over") == 201)
            gaps.append({"who writes next": "a standby", "seconds": round(time.monotonic() - began, 1)})
            standby.end()
            began = time.monotonic()
            writer.start()
            writer.until(lambda: writer.put("back") == 201)
            gaps.append({"who writes next": "the writer, started anew", "seconds": round(time.monotonic() - began, 1)})
            show(console, "From kill -9 to the first write accepted", gaps)
        finally:
            for one in served:
                one.end()
        show(console, "Appending to the ledger alone", append(chosen.ledger, folder))


if __name__ == "__main__":
    main()
