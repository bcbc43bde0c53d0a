"""Measures Headwater on synthetic provenance and prints ratios: `python -m bench.run`; figures also go to `bench/out/`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from rich.console import Console
from rich.table import Table

from bench.closure import bare_search, by_impact, by_path, downstream, furthest_data, name_of
from bench.index_only import measure_index
from bench.index_only import show as show_index
from bench.measure import duration, machine
from bench.over_http import request_times, serving
from bench.world import World, make_world
from bench.write_mlflow import write_mlflow
from bench.write_rdf import write_ntriples, write_turtle

if TYPE_CHECKING:
    from headwater.app import Headwater

OUT = Path(__file__).resolve().parent / "out"
Rows = list[dict[str, Any]]


def open_app(data: Path) -> Headwater:
    """A Headwater on a data folder of its own."""
    from headwater.app import Headwater
    from headwater.settings import load

    return Headwater.open(load(data=data))


def measure_import(world: World, folder: Path) -> tuple[Rows, Path]:
    """The whole way, from files to all three stores, for each form; gives the last one's data folder, too."""
    sources = [
        ("MLflow folder", "mlflow", folder / "mlruns"),
        ("one N-Triples file", "rdf", folder / "all.nt"),
        ("Turtle, one by one", "rdf", folder / "turtle"),
    ]
    write_mlflow(world, sources[0][2])
    write_ntriples(world, sources[1][2])
    write_turtle(world, sources[2][2])
    rows: Rows = []
    for title, name, path in sources:
        data = folder / f"data-{path.name}"
        with open_app(data) as app:
            began, worked = time.perf_counter(), time.process_time()
            parts = sorted(path.rglob("*.ttl")) if path.name == "turtle" else [path]
            records = sum(len(app.import_source(part, format=name, by="bench").records) for part in parts)
            seconds, cpu = time.perf_counter() - began, time.process_time() - worked
            statements = count_statements(app)
        rows.append(
            {
                "what": title,
                "records": records,
                "statements": statements,
                "seconds": seconds,
                "cpu": cpu,
                "records_per_s": records / seconds,
                "statements_per_s": statements / seconds,
            }
        )
    return rows, data


def count_statements(app: Headwater) -> int:
    """Asserted and entailed statements that can be asked for."""
    reader = app.reader(None, loopback=True)
    body, _ = app.query("SELECT (COUNT(*) AS ?count) WHERE { ?s ?p ?o }", reader, "text/csv")
    return int(body.decode().split()[-1])


def measure_closure(world: World, data: Path, repeat: int) -> Rows:
    """Full closure with verdicts against the path query on the same store and against the bare search."""
    matrix = downstream(world)
    root, reached = furthest_data(world, matrix)
    bare = bare_search(matrix, root, repeat * 4)
    with open_app(data) as app:
        reader = app.reader(None, loopback=True)
        name = name_of(world, root)
        impact = by_impact(app, reader, name, repeat)
        path = by_path(app, reader, name, repeat)
        total = impact.result["summary"]["total"]
    # In the store settings and measures are inputs and outputs of their runs, so the path meets them, too.
    if path.result < reached:
        raise RuntimeError(f"the path query reached {path.result} things and the bare search {reached}: links are missing")
    figures = [
        ("impact with verdicts", total, impact),
        ("SPARQL path, count only", path.result, path),
        ("bare SciPy search", bare.result, bare),
    ]
    return [
        {"what": what, "reached": count, "seconds": timing.median, "ratio": timing.median / impact.median}
        for what, count, timing in figures
    ]


def measure_http(world: World, data: Path, requests: int) -> Rows:
    """Landing pages, and impact to five hops, of different things each time."""
    kinds = ("dataset", "model", "publication", "software")
    things = [thing for thing in world.things if thing.kind in kinds]
    chosen = things[:: max(1, len(things) // requests)][:requests]
    names = [name_of(world, thing.number) for thing in chosen]
    with open_app(data) as app:
        reader = app.reader(None, loopback=True)
        pages = ["/object/" + quote(app.describe(name, reader).thing.path) for name in names]
    impacts = [f"/api/v1/impact?id={quote(name, safe='')}&change=labels-corrected&depth=5" for name in names]
    with serving(data) as port:
        request_times(port, pages[:3] + impacts[:3], "*/*")
        return [
            {"what": "landing page"} | request_times(port, pages, "text/html"),
            {"what": "impact, 5 hops"} | request_times(port, impacts, "application/json"),
        ]


def show(console: Console, title: str, rows: Rows) -> None:
    """One table; times in seconds, rates and ratios are spelled for people."""
    table = Table(title=title, title_justify="left")
    for name in rows[0]:
        table.add_column(name.replace("_per_s", "/s"), justify="left" if name == "what" else "right")
    for row in rows:
        table.add_row(*(spelled(name, value) for name, value in row.items()))
    console.print(table)


def spelled(name: str, value: Any) -> str:
    if name in ("seconds", "cpu", "p50", "p95", "max"):
        return duration(value)
    if name == "ratio":
        return f"{value:.1f} x" if value >= 0.1 else f"{value:.4f} x"
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and keep the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument("--runs", type=int, default=2000, help="size of the synthetic world (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=5, help="times that each closure is asked for (default: %(default)s)")
    parser.add_argument("--links", type=int, nargs="*", default=[100_000], help="sizes for the index by itself (default: 100000)")
    parser.add_argument("--requests", type=int, default=100, help="requests of each kind over HTTP; 0 leaves it out")
    chosen = parser.parse_args(arguments)
    console = Console(width=110)
    world = make_world(chosen.runs, chosen.seed)
    figures: dict[str, Any] = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine()}
    figures["world"] = {"runs": chosen.runs, "seed": chosen.seed, "links": sum(1 for _ in world.links())}
    console.print(figures["machine"], figures["world"])
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as place:
        figures["import"], data = measure_import(world, Path(place))
        show(console, "Import through the whole way", figures["import"])
        figures["closure"] = measure_closure(world, data, chosen.repeat)
        show(console, "Everything downstream of the most used data set", figures["closure"])
        if chosen.requests:
            figures["http"] = measure_http(world, data, chosen.requests)
            show(console, "Over HTTP on loopback, one request at a time", figures["http"])
    for links in chosen.links:
        measured = measure_index(links, chosen.seed, chosen.repeat)
        show_index(console, measured)
        figures[f"index-{links}"] = {"closures": measured.closures, "costs": measured.costs}
    OUT.mkdir(exist_ok=True)
    target = OUT / f"run-{chosen.runs}-{datetime.now(UTC):%Y%m%dT%H%M%S}.json"
    target.write_text(json.dumps(figures, indent=2) + "\n")
    console.print(f"Kept in {target.relative_to(OUT.parents[1])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
