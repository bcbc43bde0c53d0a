"""Writes synthetic provenance of any size to disk: `python -m bench.generate --runs 2000 --mlflow OUT/mlruns`."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from bench.world import make_world
from bench.write_mlflow import write_mlflow
from bench.write_rdf import write_ntriples, write_turtle


def main(arguments: list[str] | None = None) -> int:
    """Generate one world and write it in each form that was asked for; refuses to write into what is already there."""
    parser = argparse.ArgumentParser(prog="python -m bench.generate", description=__doc__)
    parser.add_argument("--runs", type=int, default=2000, help="how many runs (default: %(default)s)")
    parser.add_argument("--projects", type=int, help="how many projects (default: a third of the root of the runs)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same world (default: %(default)s)")
    parser.add_argument("--mlflow", type=Path, metavar="FOLDER", help="write a tracking folder as MLflow 3 does")
    parser.add_argument("--ntriples", type=Path, metavar="FILE", help="write one N-Triples file")
    parser.add_argument("--turtle", type=Path, metavar="FOLDER", help="write one Turtle document for each record")
    chosen = parser.parse_args(arguments)
    if chosen.runs < 1:
        parser.error("--runs must be at least 1")
    for path in (chosen.mlflow, chosen.ntriples, chosen.turtle):
        if path is not None and path.exists():
            parser.error(f"{path} is already there; name another place or remove it first")
    world = make_world(chosen.runs, chosen.seed, chosen.projects)
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(thing.kind for thing in world.things).items()))
    print(f"seed {chosen.seed}: {kinds}, {len(world.changes)} changes, {sum(1 for _ in world.links())} links")
    if chosen.mlflow is not None:
        print(f"{chosen.mlflow}: {write_mlflow(world, chosen.mlflow)} runs")
    if chosen.ntriples is not None:
        chosen.ntriples.parent.mkdir(parents=True, exist_ok=True)
        print(f"{chosen.ntriples}: {write_ntriples(world, chosen.ntriples)} statements")
    if chosen.turtle is not None:
        print(f"{chosen.turtle}: {write_turtle(world, chosen.turtle)} statements")
    return 0


if __name__ == "__main__":
    sys.exit(main())
