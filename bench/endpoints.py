"""Compares SPARQL endpoints on the same data in one run: `python -m bench.endpoints --size 1000000 --keep FOLDER`.

Ours, `oxigraph serve`, Fuseki, Virtuoso and rdflib-endpoint get the same statements (see `bench.endpoint_data`) and the same
texts (`bench.endpoint_queries`), asked by 1 and by 16 clients in closed loops. Each answer is first compared with that of
`oxigraph serve` as a bag of rows; a wrong answer, an error, a time-out and a cut body are failures. *cold* is each text once,
after a start; *uncached* is a text that nobody asked before, each time; *cached* is the same few texts again and again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from bench.answers import Answer, bag
from bench.closed_loop import Ask, closed_loop, target_of
from bench.endpoint_data import prepare, served
from bench.endpoint_queries import FAMILIES, Query, queries, things_of
from bench.measure import machine
from bench.servers import NAMES, Server, Unavailable, start

OUT = Path(__file__).resolve().parent / "out"
OURS = "headwater"
TABLE, GRAPH = "application/sparql-results+json", "application/n-triples"
POOL = 40
"""Texts of each template from which uncached ones are made."""


@contextlib.contextmanager
def running(name: str, folder: Path, view: Path) -> Iterator[Server]:
    """A server of that name with the data; those that keep a database load it once."""
    if name == OURS:
        with served(folder) as server:
            yield server
        return
    place = folder / name
    loaded = place / "loaded"
    data = [] if loaded.exists() else [view]
    with start(name, place, data=data, patience_s=1800) as server:
        loaded.touch()
        yield server


def memory_and_cpu(pid: int) -> tuple[float, float]:
    """MiB in memory (shared pages counted once for each process) and seconds of processor of a process and all below it."""
    below: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            below.setdefault(int(fields[1]), []).append(int(path.parent.name))
    family, queue = [], [pid]
    while queue:
        one = queue.pop()
        family.append(one)
        queue += below.get(one, [])
    memory = cpu = 0.0
    for one in family:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            # With what ended children have spent.
            cpu += sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")
            memory += int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    return memory, cpu


def asked(client: httpx.Client, server: Server, query: Query, text: str) -> tuple[Answer | str, float, int]:
    """One answer, or why there is none; its seconds; its length in bytes."""
    began = time.perf_counter()
    try:
        answer = client.get(server.query_url, params={"query": text}, headers={"Accept": GRAPH if query.graph else TABLE})
    except httpx.HTTPError as error:
        return type(error).__name__, time.perf_counter() - began, 0
    seconds = time.perf_counter() - began
    if answer.status_code != 200:
        return f"status {answer.status_code}", seconds, 0
    try:
        return bag(answer.content, graph=query.graph), seconds, len(answer.content)
    except ValueError:
        return "unreadable", seconds, 0


class Measured:
    """One server on one size of data: its figures as they come."""

    def __init__(self, name: str, folder: Path, view: Path, patience: float, seconds: float) -> None:
        self.name, self.folder, self.view = name, folder, view
        self.patience, self.seconds = patience, seconds
        self.figures: dict[str, Any] = {"server": name}

    def cold(self, family: str, pool: Sequence[Query], truth: dict[str, Answer]) -> dict[str, dict[str, Any]]:
        """Each template once after a start; gives what came of each."""
        rows: dict[str, dict[str, Any]] = {}
        first = {query.template: query for query in reversed(pool)}
        began = time.perf_counter()
        with running(self.name, self.folder, self.view) as server, httpx.Client(timeout=self.patience) as client:
            self.figures.setdefault("start_s", time.perf_counter() - began)
            self.figures["version"] = server.version
            for name, query in first.items():
                answer, seconds, _ = asked(client, server, query, query.text)
                right = truth.setdefault(query.text, answer) == answer if isinstance(answer, Answer) else False
                failed = (
                    None if right else answer if isinstance(answer, str) else f"other answer: {answer} not {truth[query.text]}"
                )
                rows[name] = {"cold_s": seconds, "failed": failed}
        self.figures[f"cold {family}"] = rows
        return rows

    def verified(
        self, server: Server, pool: Sequence[Query], truth: dict[str, Answer]
    ) -> tuple[list[Ask], list[Ask], dict[str, str]]:
        """What to ask uncached and cached, each with the length that a right answer has here; and what failed, by template."""
        uncached, cached, failed = [], [], {}
        seen: set[str] = set()
        with httpx.Client(timeout=self.patience) as client:
            for number, query in enumerate(pool):
                accept = GRAPH if query.graph else TABLE
                target = target_of(server.query_url, query.text)
                if query.template in failed:
                    continue
                answer, _, length = asked(client, server, query, query.fresh(number))
                right = isinstance(answer, Answer) and truth.setdefault(query.text, answer) == answer
                if not right:
                    failed[query.template] = (
                        answer if isinstance(answer, str) else f"other answer: {answer} not {truth[query.text]}"
                    )
                # What is wrong is asked all the same, and fails: no length is -1.
                uncached.append(Ask(target, accept, length if right else -1, numbered=True))
                if query.template not in seen:
                    seen.add(query.template)
                    cached.append(Ask(target, accept, length if right else -1))
        return uncached, cached, failed

    def loops(self, server: Server, family: str, pool: Sequence[Query], truth: dict[str, Answer], clients: Sequence[int]) -> None:
        """Uncached and cached, for each number of clients."""
        uncached, cached, failed = self.verified(server, pool, truth)
        rows: dict[str, Any] = {"failed templates": failed}
        for how, asks in (("uncached", uncached), ("cached", cached)):
            closed_loop(server.query_url, asks, clients=1, seconds=0.5, patience=self.patience)
            for number in clients:
                _, before = memory_and_cpu(server.pid)
                loop = closed_loop(server.query_url, asks, clients=number, seconds=self.seconds, patience=self.patience)
                memory, after = memory_and_cpu(server.pid)
                figures = loop.figures() | {"memory_mib": memory}
                figures["cpu_ms"] = 1000 * (after - before) / max(1, len(loop.times))
                rows[f"{how} {number}"] = figures
                print(f"{self.name:16} {family:10} {how:9}{number:3}", told(figures), flush=True)
        self.figures[family] = rows


def told(figures: dict[str, Any]) -> str:
    """One line of figures."""
    if not figures["answers"]:
        return f"none answered, {figures['failed']} failed {figures['why']}"
    failed = f" {figures['failed']} failed {figures['why']}" if figures["failed"] else ""
    spread = f"p50 {1000 * figures['p50']:8.2f} p95 {1000 * figures['p95']:8.2f} ms"
    return f"{figures['per_s']:8.1f}/s {spread} cpu {figures['cpu_ms']:7.2f} ms{failed}"


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and keep the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.endpoints", description=__doc__)
    parser.add_argument("--size", type=int, default=100_000, help="statements to ask for, about (default: %(default)s)")
    parser.add_argument("--keep", type=Path, required=True, help="where the databases are, or are made and stay")
    parser.add_argument("--servers", nargs="*", default=[OURS, "oxigraph", *(name for name in NAMES if name != "oxigraph")])
    parser.add_argument("--families", nargs="*", default=list(FAMILIES))
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 16])
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each closed loop goes on")
    parser.add_argument("--patience", type=float, default=10.0, help="seconds after which an answer counts as a failure")
    parser.add_argument("--pool", type=int, default=POOL)
    parser.add_argument("--no-cold", action="store_true")
    chosen = parser.parse_args(arguments)
    view = prepare(chosen.size, chosen.keep)
    things = things_of(view)
    pools = {name: list(queries(FAMILIES[name], things, chosen.pool if name != "features" else 3)) for name in chosen.families}
    truth: dict[str, Answer] = {}
    every: list[dict[str, Any]] = []
    # Oxigraph's own server goes first: its answers are those that the others are compared with.
    for name in sorted(chosen.servers, key=lambda name: name != "oxigraph"):
        measured = Measured(name, chosen.keep, view, chosen.patience, chosen.seconds)
        try:
            if not chosen.no_cold:
                for family, pool in pools.items():
                    measured.cold(family, pool, truth)
            for family, pool in pools.items():
                with running(name, chosen.keep, view) as server:
                    measured.loops(server, family, pool, truth, chosen.clients)
        except (Unavailable, RuntimeError) as reason:
            measured.figures["missing"] = str(reason)
            print(f"{name}: {reason}", file=sys.stderr)
        every.append(measured.figures)
    OUT.mkdir(exist_ok=True)
    target = OUT / f"endpoints-{chosen.size}-{datetime.now(UTC):%Y%m%dT%H%M%S}.json"
    target.write_text(json.dumps({"machine": machine(), "size": chosen.size, "servers": every}, indent=2) + "\n")
    print(target)
    for figures in every:
        cold = [row["cold_s"] for name, rows in figures.items() if name.startswith("cold") for row in rows.values()]
        median = statistics.median(cold or [0]) * 1000
        print(f"{figures['server']:16} start {figures.get('start_s', 0):6.2f} s, cold median {median:8.1f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
