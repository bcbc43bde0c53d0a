"""The lineage index by itself, at sizes where importing would take too long: filling, opening, growing, and closures on it."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from pyoxigraph import NamedNode, Quad
from rich.console import Console
from rich.table import Table
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order

from bench.landscape import RELATIONS, Landscape, deep, wide
from bench.measure import Timing, duration, machine, percentile, timed
from headwater.lineage.carrying import impact_edges
from headwater.lineage.index import LineageIndex
from headwater.lineage.verdict import Change, judge
from headwater.records.links import LineageRows, LinkRow, NodeRow
from headwater.store.embedded import EmbeddedStore

VIEW = NamedNode("https://bench.example/view")
ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "bench" / "out"
_MOST_BY_RECORDS = 1_000_000
_MOST_BY_PATH = 1_000_000
_MOST_BY_MLMD = 100_000
_WRITES = 50


@dataclass(slots=True)
class Measured:
    """What was found at one size: closures with their ratio to a bare search, and what the index costs."""

    shape: str
    links: int
    things: int
    closures: list[dict[str, Any]] = field(default_factory=list)
    costs: dict[str, float] = field(default_factory=dict)


def path_query(root: str) -> str:
    """Everything downstream as SPARQL, over links that all point downstream."""
    ways = "|".join(f"<{VIEW.value}#{number}>" for number in range(len(RELATIONS)))
    return f"SELECT (COUNT(DISTINCT ?x) AS ?count) WHERE {{ <{root}> ({ways})+ ?x }}"


def path_store(world: Landscape) -> EmbeddedStore:
    """The links as triples in an Oxigraph in memory, and nothing besides: the path query's best case."""
    nodes = [NamedNode(world.name(number)) for number in range(world.size)]
    ways = [NamedNode(f"{VIEW.value}#{number}") for number in range(len(RELATIONS))]
    store = EmbeddedStore(None)
    columns = (world.links[name].tolist() for name in ("earlier", "relation", "later"))
    store.load((Quad(nodes[a], ways[r], nodes[b], VIEW) for a, r, b in zip(*columns, strict=True)), 1)
    return store


def record_by_record(world: Landscape) -> LineageIndex:
    """The index as writes fill it: a record at a time."""
    names = [world.name(number) for number in range(world.size)]
    roles = [role.name for role in LineageIndex().words.roles]
    links: list[list[LinkRow]] = [[] for _ in range(world.records)]
    nodes: list[list[NodeRow]] = [[] for _ in range(world.records)]
    columns = (world.links[name].tolist() for name in ("earlier", "later", "relation", "role", "record"))
    for earlier, later, relation, role, record in zip(*columns, strict=True):
        links[record].append(LinkRow(names[earlier], names[later], RELATIONS[relation], roles[role], "observed"))
    for number, record in enumerate(world.thing_record.tolist()):
        nodes[record].append(NodeRow(names[number], world.kind[world.kinds[number]], True, float(world.start[number])))
    index = LineageIndex()
    for record in range(world.records):
        index.put(f"https://bench.example/id/record/{record:08d}", "public", LineageRows(links[record], nodes[record]))
    return index


def a_run(world: Landscape, number: int) -> LineageRows:
    """What a training run of 300 statements brings: 31 links, 20 of them to its settings and measures, and 29 descriptions.

    It uses the data set that most rests on, and things from all over the landscape.
    """
    dice = np.random.default_rng(number)
    data, model = (np.flatnonzero(world.kinds == world.kind.index(kind)) for kind in ("dataset", "model"))
    software = np.flatnonzero(world.kinds == world.kind.index("software"))
    uses = [(world.root, "train"), (dice.choice(data), "train"), (dice.choice(data), "test"), (dice.choice(software), "execute")]
    uses += [(dice.choice(model), "finetune")] if len(model) else []
    run = f"https://bench.example/id/run/new-{number}"
    made = [f"https://bench.example/id/model/new-{number}-{one}" for one in range(3)]
    details = [f"{run}/setting-{one}" for one in range(20)]
    links = [LinkRow(world.name(int(thing)), run, "prov:used", role, "observed") for thing, role in uses]
    links += [LinkRow(run, one, "prov:wasGeneratedBy", "generate", "observed") for one in made]
    links += [LinkRow(world.name(world.root), one, "prov:wasDerivedFrom", "derive", "declared") for one in made]
    links += [LinkRow(one, run, "prov:used", "use", "observed") for one in details]
    nodes = [NodeRow(run, "run", True, 1.8e9, 1.8e9 + 60)] + [NodeRow(one, "model", True) for one in made]
    nodes += [NodeRow(world.name(int(thing)), world.kind[world.kinds[int(thing)]], True) for thing, _ in uses]
    return LineageRows(links, nodes + [NodeRow(one, "part", False) for one in details])


def measure_writes(index: LineageIndex, world: Landscape, costs: dict[str, float]) -> None:
    """What it costs until a write shows in the graph that is in use, verdicts included; and to take it back."""
    impact_edges(index.graph())

    def write(number: int, rows: LineageRows | None) -> None:
        at = index.sequence + 1
        index.follow([(f"https://bench.example/id/record/new-{number}", "public", rows, at)], at)
        index.graph()

    write(-1, a_run(world, 10_000))
    new = [a_run(world, number) for number in range(_WRITES)]
    for what, given in (("write", new), ("withdrawal", [None] * _WRITES)):
        seconds, worked = [], []
        for number, rows in enumerate(given):
            began, working = time.perf_counter(), time.process_time()
            write(number, rows)
            seconds.append(time.perf_counter() - began)
            worked.append(time.process_time() - working)
        costs |= {f"{what} p50": percentile(seconds, 0.5), f"{what} p95": percentile(seconds, 0.95)}
        costs |= {f"{what} p50, processor": percentile(worked, 0.5), f"{what} p95, processor": percentile(worked, 0.95)}


def measure_opening(index: LineageIndex, world: Landscape, place: Path, costs: dict[str, float]) -> None:
    """Saving, and a fresh process that opens what was saved and asks."""
    saved = timed(lambda: index.save(place), 1)
    costs |= {"saving": saved.median, "file MiB": sum(file.stat().st_size for file in place.iterdir()) / 2**20}
    command = [sys.executable, "-m", "bench.index_opened", str(place), world.name(world.root)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)
    costs |= {
        "opening": told["open_s"],
        "MiB before": told["before_mib"],
        "MiB opened": told["opened_mib"],
        "MiB after downstream": told["downstream_mib"],
        "MiB after verdicts": told["verdicts_mib"],
        "first downstream": told["downstream_s"],
        "first verdicts": told["verdicts_s"],
    }


def others(world: Landscape, pythons: Sequence[str], repeat: int, place: Path) -> list[dict[str, Any]]:
    """The same closure by other engines, by each of these Pythons' packages."""
    runs = np.flatnonzero(world.kinds == world.kind.index("run"))
    given = place / "links.npz"
    np.savez(given, earlier=world.links["earlier"], later=world.links["later"], root=world.root, runs=runs)
    found: dict[str, dict[str, Any]] = {}
    with_mlmd = ["--with-mlmd"] if len(world.links["role"]) <= _MOST_BY_MLMD * 1.1 else []
    for python in pythons:
        command = [python, str(Path(__file__).with_name("peers.py")), str(given), "--repeat", str(repeat), *with_mlmd]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        for line in done.stdout.splitlines():
            told = json.loads(line)
            found.setdefault(told["what"], told)
    return list(found.values())


def measure_index(
    links: int, seed: int, repeat: int, *, shape: str = "wide", with_path: bool = True, pythons: Sequence[str] = ()
) -> Measured:
    """All figures at one size. `pythons` are interpreters whose packages to compare with."""
    world = wide(links, seed) if shape == "wide" else deep(links, seed=seed)
    count = len(world.links["role"])
    ends = world.links["earlier"], world.links["later"]
    matrix = csr_array((np.ones(count, np.int8), ends), shape=(world.size, world.size))
    bare = timed(lambda: len(breadth_first_order(matrix, world.root, return_predecessors=False)) - 1, repeat * 2)
    measured = Measured(shape, count, world.size)
    costs = measured.costs
    if count <= _MOST_BY_RECORDS * 1.1:
        costs["filling, record by record"] = timed(lambda: record_by_record(world), 1).median
    filling = timed(world.fill, 1)
    index: LineageIndex = filling.result
    making = timed(index.graph, 1)
    graph = making.result
    costs |= {"filling at once": filling.median, "making the graph": making.median}
    costs["making what carries effects"] = timed(lambda: impact_edges(graph), 1).median
    walk = timed(lambda: len(graph.downstream([world.root]).nodes) - 1, repeat * 2)
    verdicts = timed(lambda: len(judge(graph, Change("labels-corrected", (world.root,))).nodes) - 1, repeat)
    measured.closures = [
        figure("bare SciPy search", bare, bare),
        figure("downstream, with distances and links", walk, bare),
        figure("a verdict for each of them", verdicts, bare),
    ]
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as folder:
        place = Path(folder)
        measure_opening(index, world, place / "index", costs)
        measure_writes(index, world, costs)
        grown = index.graph()
        after = timed(lambda: len(grown.downstream([world.root]).nodes) - 1, repeat)
        measured.closures.append(figure("downstream, after these writes", after, bare))
        for told in others(world, pythons, repeat, place) if pythons else ():
            measured.closures.append(figure(told["what"], Timing((told["seconds"],), told["things"]), bare))
    if with_path and count <= _MOST_BY_PATH * 1.1:
        store = path_store(world)
        text = path_query(world.name(world.root))
        path = timed(lambda: int(store.query(text, [VIEW], accept="text/csv").body.decode().split()[-1]), repeat)
        store.close()
        if path.result not in (bare.result, bare.result + 1):
            raise RuntimeError(f"the path query reached {path.result} things and the bare search {bare.result}")
        measured.closures.append(figure("SPARQL path in memory, count only", path, bare))
    return measured


def figure(what: str, timing: Timing, bare: Timing) -> dict[str, Any]:
    return {"what": what, "things": timing.result, "seconds": timing.median, "ratio": timing.median / bare.median}


def show(console: Console, measured: Measured) -> None:
    """Two tables: the closures, and what the index costs."""
    title = f"{measured.links:,} links, {measured.things:,} things, {measured.shape}"
    table = Table(title=title, title_justify="left")
    for name in ("what", "things", "seconds", "ratio"):
        table.add_column(name, justify="left" if name == "what" else "right")
    for row in measured.closures:
        table.add_row(row["what"], f"{row['things']:,}", duration(row["seconds"]), f"{row['ratio']:.1f} x")
    console.print(table)
    table = Table(title_justify="left")
    table.add_column("what")
    table.add_column("cost", justify="right")
    for what, cost in measured.costs.items():
        table.add_row(what, f"{cost:,.0f}" if "MiB" in what else duration(cost))
    table.add_row("bytes on disk per link", f"{measured.costs['file MiB'] * 2**20 / measured.links:,.0f}")
    console.print(table)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and keep the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.index_only", description=__doc__)
    parser.add_argument("--links", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--shapes", nargs="+", choices=("wide", "deep"), default=["wide", "deep"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument(
        "--python", nargs="*", default=[sys.executable], help="interpreters whose DuckDB or ml-metadata to compare with"
    )
    parser.add_argument("--no-path", action="store_true", help="leave the SPARQL path out")
    chosen = parser.parse_args(arguments)
    console = Console(width=110)
    figures: dict[str, Any] = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), "index": []}
    for links in chosen.links:
        for shape in chosen.shapes:
            measured = measure_index(
                links, chosen.seed, chosen.repeat, shape=shape, with_path=not chosen.no_path, pythons=chosen.python
            )
            show(console, measured)
            told = {"shape": shape, "links": measured.links, "things": measured.things}
            figures["index"].append(told | {"closures": measured.closures, "costs": measured.costs})
    OUT.mkdir(exist_ok=True)
    target = OUT / f"index-{datetime.now(UTC):%Y%m%dT%H%M%S}.json"
    target.write_text(json.dumps(figures, indent=2) + "\n")
    console.print(f"Kept in {target.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
