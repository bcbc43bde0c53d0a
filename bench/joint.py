"""What conclusions over several records cost an import, as a share of the processor's time: `python -m bench.joint`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.measure import machine
from bench.run import count_statements, open_app, show
from bench.world import make_world
from bench.write_mlflow import write_mlflow
from bench.write_rdf import write_ntriples, write_turtle


def measure(title: str, format: str, parts: list[Path], data: Path) -> dict[str, Any]:
    """Import the parts one after the other and clock what `headwater.store.joint` takes of it."""
    from headwater.store.views import Views

    spent = 0.0
    change = Views._joint_change

    def clocked(*given: Any) -> Any:
        nonlocal spent
        began = time.process_time()
        try:
            return change(*given)
        finally:
            spent += time.process_time() - began

    Views._joint_change = clocked  # type: ignore[assignment, method-assign]
    try:
        with open_app(data) as app:
            began = time.process_time()
            records = sum(len(app.import_source(part, format=format, by="bench").records) for part in parts)
            cpu = time.process_time() - began
            joint = sum(1 for _ in app._store.graph(app.views.joint("public")))
            statements = count_statements(app)
    finally:
        Views._joint_change = change  # type: ignore[method-assign]
    return {
        "what": title,
        "records": records,
        "statements": statements,
        "of several records": joint,
        "cpu": cpu,
        "share": f"{spent / cpu:.1%}",
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.joint", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="size of the synthetic world (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    world, console = make_world(chosen.runs, 1), Console(width=110)
    console.print(machine())
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as place:
        folder = Path(place)
        write_mlflow(world, folder / "mlruns")
        write_ntriples(world, folder / "all.nt")
        write_turtle(world, folder / "turtle")
        rows = [
            measure("MLflow folder", "mlflow", [folder / "mlruns"], folder / "data-mlflow"),
            measure("one N-Triples file", "rdf", [folder / "all.nt"], folder / "data-nt"),
            measure("Turtle, one by one", "rdf", sorted((folder / "turtle").rglob("*.ttl")), folder / "data-turtle"),
        ]
    show(console, "Conclusions over several records", rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
