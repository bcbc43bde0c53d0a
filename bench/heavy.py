"""What one stranger's heavy query does to the others, and what isolation costs: `python -m bench.heavy --keep FOLDER`.

Eight clients look things up, first alone, then while others ask for a cross product or a large sort. Each client comes from an
address of its own. Then the same look-ups go straight to the store, to the process of the service, and through the sandbox.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from pyoxigraph import NamedNode

from bench.closed_loop import Ask, Loop, closed_loop, target_of
from bench.endpoint_data import prepare, served, settings
from bench.endpoint_queries import LOOKUPS, PREFIXES, QUESTIONS, queries, things_of
from bench.endpoints import OURS, OUT, TABLE, running
from bench.measure import machine, percentile
from bench.servers import Server, Unavailable

CROSS = PREFIXES + "SELECT (COUNT(*) AS ?n) { ?a prov:used ?b . ?c prov:used ?d . ?e prov:used ?f FILTER (?b != ?d && ?d != ?f) }"
SORT = PREFIXES + "SELECT ?s ?o { ?s prov:used ?o . ?t prov:used ?o } ORDER BY DESC(STR(?o)) ?t ?s LIMIT 10"
HEAVY = {"cross product": CROSS, "large sort": SORT}


def beside(server: Server, text: str, heavy: int, asks: Sequence[Ask], clients: int, seconds: float, patience: float) -> Loop:
    """The look-ups of `clients` while `heavy` others ask for `text`, giving up after `patience` and asking again."""
    weights = [Ask(target_of(server.query_url, text), TABLE, None, numbered=True)]
    found: list[Loop] = []

    def others() -> None:
        time.sleep(2)
        found.append(closed_loop(server.query_url, asks, clients=clients, seconds=seconds, strangers=True, first=100))

    thread = threading.Thread(target=others)
    closed_loop(
        server.query_url, weights, clients=heavy, seconds=seconds + 4, patience=patience, strangers=True, meanwhile=thread.start
    )
    thread.join()
    return found[0]


def measured(
    name: str, folder: Path, view: Path, asks_of: Callable[[Server], list[Ask]], seconds: float, most: int
) -> dict[str, Any]:
    """One server: alone, and beside each heavy query."""
    figures: dict[str, Any] = {"server": name}
    for title, text in HEAVY.items():
        for heavy in range(1, most + 1):
            # Started anew each time: what a server goes on computing for nobody would be counted against the next.
            with running(name, folder, view) as server:
                asks = asks_of(server)
                closed_loop(server.query_url, asks, clients=8, seconds=2, strangers=True, first=100)
                alone = closed_loop(server.query_url, asks, clients=8, seconds=seconds, strangers=True, first=100)
                loop = beside(server, text, heavy, asks, 8, seconds, 20.0)
            row = {"alone": alone.figures(), "beside": loop.figures()}
            figures[f"{title}, {heavy}"] = row
            if alone.times and loop.times:
                ratio = percentile(loop.times, 0.95) / percentile(alone.times, 0.95)
                row["p95 ratio"] = ratio  # type: ignore[assignment]
                spread = f"{1000 * percentile(alone.times, 0.95):8.1f} ms -> {1000 * percentile(loop.times, 0.95):8.1f} ms"
                print(f"{name:16} {title:14} x{heavy} p95 {spread} = {ratio:5.1f} x  {dict(loop.failures)}", flush=True)
            else:
                print(f"{name:16} {title:14} x{heavy} {alone.figures()} {loop.figures()}", flush=True)
    return figures


def isolation(folder: Path, view: Path, seconds: float) -> list[dict[str, Any]]:
    """The same texts asked of the store itself, of the service's process, of the sandbox, and over HTTP; one at a time."""
    from headwater.access import LOCAL
    from headwater.app import Headwater

    rows: list[dict[str, Any]] = []
    things = things_of(view)
    for family, templates in (("look-ups", LOOKUPS), ("questions", QUESTIONS)):
        pool = list(queries(templates, things, 20, seed=7))
        with Headwater.open(settings(folder)) as headwater:
            views = [headwater.views.public]
            names = [graph.value for graph in views]
            graphs = [NamedNode(name) for name in names]
            ways: dict[str, Callable[[str], object]] = {
                "pyoxigraph": lambda text: headwater._store.query(text, graphs, accept=TABLE),  # noqa: B023
                "in the service": lambda text: headwater.query(text, LOCAL, TABLE),
                "through the sandbox": lambda text: headwater.sandbox.query(text, names, (), TABLE).body(),  # noqa: B023
            }
            for way, ask in ways.items():
                rows.append({"family": family, "way": way, **one_by_one(ask, [query.text for query in pool], seconds)})
        with served(folder) as server:
            asks = [Ask(target_of(server.query_url, query.text), TABLE, None, numbered=True) for query in pool]
            closed_loop(server.query_url, asks, clients=1, seconds=1)
            rows.append(
                {
                    "family": family,
                    "way": "over HTTP",
                    **closed_loop(server.query_url, asks, clients=1, seconds=seconds).figures(),
                }
            )
    for row in rows:
        print(f"{row['family']:10} {row['way']:20} p50 {1000 * row['p50']:7.2f} p95 {1000 * row['p95']:7.2f} ms", flush=True)
    return rows


def one_by_one(ask: Callable[[str], object], texts: Sequence[str], seconds: float) -> dict[str, float]:
    """Times of asking each text in turn, never the same text twice."""
    times: list[float] = []
    until = time.perf_counter() + seconds
    number = 0
    while time.perf_counter() < until:
        text = f"{texts[number % len(texts)]}\n# {number}"
        number += 1
        began = time.perf_counter()
        ask(text)
        times.append(time.perf_counter() - began)
    # The first ones open files and start workers.
    kept = times[len(texts) :] or times
    return {"p50": percentile(kept, 0.5), "p95": percentile(kept, 0.95), "answers": len(kept)}


def impacts(folder: Path, view: Path, seconds: float) -> list[dict[str, Any]]:
    """REST impact over HTTP: five hops of things drawn by seed, and everything downstream of the thing with most of it."""
    things = things_of(view)
    rows: list[dict[str, Any]] = []
    with served(folder) as server:
        base = urlsplit(server.query_url)
        address = f"{base.scheme}://{base.netloc}"

        def target(name: str, more: str) -> str:
            return f"/api/v1/impact?id={quote(name, safe='')}&change=labels-corrected{more}"

        drawn = [things["dataset"][(place * 7919) % len(things["dataset"])] for place in range(200)]
        first = things["dataset"][0]
        for title, names, more, loops in (
            ("5 hops", drawn, "&depth=5", seconds),
            ("full depth", drawn[:40], "&depth=full", seconds),
            ("full depth, summary only", drawn[:40], "&depth=full&include=none", seconds),
        ):
            asks = [Ask(target(name, more), "application/json") for name in names]
            closed_loop(address, asks, clients=1, seconds=1, patience=60)
            loop = closed_loop(address, asks, clients=1, seconds=loops, patience=60)
            rows.append({"what": title, **loop.figures(), "first": first})
            print(
                f"impact, {title:26}",
                {key: value for key, value in rows[-1].items() if key in ("p50", "p95", "answers", "why")},
                flush=True,
            )
    return rows


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and keep the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.heavy", description=__doc__)
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--servers", nargs="*", default=[OURS, "oxigraph", "fuseki", "virtuoso", "rdflib-endpoint"])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--heavy", type=int, default=2, help="how many ask for the heavy query, at most (default: %(default)s)")
    parser.add_argument("--parts", nargs="*", default=["heavy", "isolation", "impact"])
    chosen = parser.parse_args(arguments)
    view = prepare(chosen.size, chosen.keep)
    figures: dict[str, Any] = {"machine": machine(), "size": chosen.size}
    if "isolation" in chosen.parts:
        figures["isolation"] = isolation(chosen.keep, view, chosen.seconds / 2)
    if "impact" in chosen.parts:
        figures["impact"] = impacts(chosen.keep, view, chosen.seconds)
    if "heavy" in chosen.parts:
        pool = list(queries(LOOKUPS, things_of(view), 40))

        def asks_of(server: Server) -> list[Ask]:
            return [Ask(target_of(server.query_url, query.text), TABLE, None, numbered=True) for query in pool]

        figures["heavy"] = []
        for name in chosen.servers:
            try:
                figures["heavy"].append(measured(name, chosen.keep, view, asks_of, chosen.seconds, chosen.heavy))
            except (Unavailable, RuntimeError) as reason:
                print(f"{name}: {reason}", file=sys.stderr)
    OUT.mkdir(exist_ok=True)
    target = OUT / f"heavy-{chosen.size}-{datetime.now(UTC):%Y%m%dT%H%M%S}.json"
    target.write_text(json.dumps(figures, indent=2) + "\n")
    print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
