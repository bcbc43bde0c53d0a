"""Measures checking, as ratios in one run: a write against growing stores, whole stores, entailment: `python -m bench.gate`."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyoxigraph import NamedNode, Quad, RdfFormat, Store, Triple, parse, serialize
from rich.console import Console
from rich.table import Table

from bench.measure import machine, percentile
from bench.run import OUT
from bench.world import World, make_world
from bench.write_rdf import documents, full, iri, write_ntriples
from headwater import assets
from headwater.app.around import Around
from headwater.app.garbage import held_back
from headwater.checking.audit import Auditor, read_shapes
from headwater.checking.gate import Gate
from headwater.checking.judge import Judge, whole
from headwater.checking.shapes import Shapes
from headwater.records.draft import Draft
from headwater.records.entailment import Entailer
from headwater.records.facts import Facts
from headwater.records.record import Record, RecordMaker
from headwater.store.embedded import EmbeddedStore
from headwater.store.views import Views
from headwater.terms.minting import Mint

BASE = "https://bench.example/"
_STATEMENTS_A_RUN = 77
"""Of the synthetic world, those that follow included."""
_WARM, _TIMED = 20, 100
"""Runs that are checked before the clock counts, and those that are timed."""
_USED = 6
"""Data sets that a fresh run uses; one of them is the most used of the store."""


def made(runs: int, folder: Path) -> Record:
    """A world of so many runs as one record."""
    path = folder / f"{runs}.nt"
    write_ntriples(make_world(runs, 1), path)
    triples = [quad.triple for quad in parse(path=str(path), format=RdfFormat.N_TRIPLES)]
    return RecordMaker(Mint(BASE)).make(Draft(f"{BASE}all", path.name, "all", triples), "public", "rdf", "1", "declared")


def records_of(world: World) -> Iterator[Record]:
    """A world record by record, as its documents would be imported one by one."""
    maker = RecordMaker(Mint(BASE))
    for name, statements in documents(world):
        body = "".join(" ".join(map(full, statement)) + " .\n" for statement in statements).encode()
        triples = [quad.triple for quad in parse(body, format=RdfFormat.N_TRIPLES)]
        yield maker.make(Draft(f"{BASE}record/{name}", name, name, triples), "public", "rdf", "1", "declared")


@dataclass(slots=True)
class Filled:
    """A store on disk with a world in it. `hub` is its most used data set; `seconds` says how long it took to fill."""

    store: EmbeddedStore
    views: Views
    world: World
    hub: str
    statements: int
    seconds: float


def filled(size: int, folder: Path) -> Filled:
    """A store of about so many statements in `folder`; one that is there already is opened."""
    world = make_world(max(1, size // _STATEMENTS_A_RUN), 1)
    place = folder / f"store{size}"
    known = place.exists()
    store = EmbeddedStore(place)
    views = Views(store, BASE)
    seconds = 0.0 if known else timed(lambda: views.load(records_of(world), 1, internal=False))
    counted = next(store.rows("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", views.graphs(internal=True, projects=None)))
    uses = Counter(number for run in world.runs for number, _ in run.uses if world.things[number].kind == "dataset")
    hub = iri(world.things[uses.most_common(1)[0][0]]).strip("<>")
    return Filled(store, views, world, hub, int(str(counted[0]).split('"')[1]), seconds)


def one_run(number: int, datasets: list[str]) -> Record:
    """A new training run of about 300 statements that uses data sets of the store."""
    facts = Facts(Mint(BASE))
    run = facts.thing("run", f"fresh{number}", label=f"run {number}")
    facts.status(run, "finished")
    for place, data in enumerate(datasets):
        facts.used(run, NamedNode(data), role="train" if place else "test", evidence="observed")
    code = facts.thing("software", f"fresh-code{number}", label="train.py")
    facts.version(code, "0a1b")
    facts.used(run, code, role="execute", evidence="observed")
    model = facts.thing("model", f"fresh-model{number}", label="model")
    facts.generated(run, model)
    for place in range(8):
        facts.setting(run, f"parameter{place}", "0.1")
    for place in range(6):
        facts.measure(run, f"metric{place}", 0.9, step=3, about=[model])
    draft = Draft(f"{BASE}record/fresh{number}", "bench", "run", facts.triples)
    return RecordMaker(Mint(BASE)).make(draft, "public", "bench", "1", "observed")


def timed(work: Callable[[], object]) -> float:
    """The seconds that it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


class Counting:
    """A store that counts what the gate asks it, and what it answers."""

    def __init__(self, store: EmbeddedStore) -> None:
        self._store = store
        self.asked = 0
        self.answered = 0

    def about(self, *about: Any, **how: Any) -> Iterator[Triple]:
        self.asked += 1
        for triple in self._store.about(*about, **how):
            self.answered += 1
            yield triple

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def fresh_runs(there: Filled) -> list[Record]:
    """New runs that each use the hub and some data sets drawn from the whole store."""
    dice = random.Random(7)
    datasets = [iri(thing).strip("<>") for thing in there.world.things if thing.kind == "dataset"]
    return [
        one_run(number, [there.hub, *dice.sample(datasets, min(_USED - 1, len(datasets)))]) for number in range(_WARM + _TIMED)
    ]


def measure_gate(there: Filled) -> dict[str, Any]:
    """The gate on new runs, one by one: nothing of them or of what they use was looked at before."""
    gate, clock, processor = Gate(), [], []
    runs = fresh_runs(there)
    for run in runs:
        with held_back():  # as the writer does
            worked, began = time.thread_time(), time.perf_counter()
            gate.check([run], Around(there.store, there.views, []))
            clock.append(time.perf_counter() - began)
            processor.append(time.thread_time() - worked)
    counting = Counting(there.store)
    for run in runs[_WARM:]:
        gate.check([run], Around(counting, there.views, []))
    return {
        "run_statements": statistics.median(len(run.asserted) + len(run.entailed) for run in runs),
        "gate_processor_ms": 1000 * statistics.median(processor[_WARM:]),
        "gate_ms": 1000 * statistics.median(clock[_WARM:]),
        "gate_p95_ms": 1000 * percentile(clock[_WARM:], 0.95),
        "lookups_a_run": counting.asked / _TIMED,
        "rows_a_run": counting.answered / _TIMED,
    }


def measure_store(size: int, folder: Path, minutes: float) -> dict[str, Any]:
    """One store: filling it, the gate on new runs, the audit, and pyshacl over everything for so many minutes at most."""
    there = filled(size, folder)
    graphs = there.views.graphs(internal=True, projects=None)
    row: dict[str, Any] = {"statements": there.statements, "fill_s": there.seconds}
    row["disk_mb"] = sum(file.stat().st_size for file in (folder / f"store{size}").iterdir()) / 1e6
    row |= measure_gate(there)

    def ask(text: str) -> Iterator[tuple[object, ...]]:
        return there.store.rows(text, graphs)

    worked = time.thread_time()
    row["audit_s"] = timed(lambda: Auditor().audit(ask, lambda: ()))
    row["audit_processor_s"] = time.thread_time() - worked
    row["audit_per_s"] = there.statements / row["audit_processor_s"]
    if minutes:
        dump = folder / f"{size}.nq"
        with dump.open("wb") as file:
            serialize((Quad(*triple) for graph in graphs for triple in there.store.graph(graph)), file, RdfFormat.N_QUADS)
        row |= by_pyshacl(dump, minutes, row)
    there.store.close()
    return row


def by_pyshacl(dump: Path, minutes: float, row: dict[str, Any]) -> dict[str, Any]:
    """pyshacl's seconds of processor over a whole store, in a process of its own; if it is cut off, what it had used by then."""
    command = [sys.executable, "-m", "bench.gate", "--referee", str(dump)]
    before = _processor_of_children()
    try:
        said = subprocess.run(command, capture_output=True, timeout=60 * minutes, check=True, preexec_fn=_gently).stdout
    except subprocess.TimeoutExpired as cut_off:
        said = cut_off.stdout or b""
    figures = [float(word) for word in said.split()]
    read, *judged = figures or [0.0, 0.0]
    seconds = judged[0] if judged else _processor_of_children() - before - read
    found = {"pyshacl_s": seconds, "pyshacl_finished": len(figures) == 2}
    return found | {"gate_ratio": seconds / (row["gate_processor_ms"] / 1000), "audit_ratio": seconds / row["audit_processor_s"]}


def _processor_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _gently() -> None:
    os.nice(10)


def referee(dump: Path) -> None:
    """Print the processor's seconds of reading all statements of a file, and of pyshacl over them in memory."""
    memory = Store()
    memory.bulk_load(path=str(dump), format=RdfFormat.N_QUADS)
    triples = list(read_shapes(assets.folder("shapes")))
    shapes, judge, data = Shapes(triples), Judge(triples), whole(memory)
    print(time.process_time(), flush=True)
    worked = time.process_time()
    for node in shapes.targeted_nodes():
        judge.outcomes(data, node, shapes)
    print(time.process_time() - worked)


def measure_entailment(runs: int, folder: Path) -> dict[str, Any]:
    """Ours on a world of so many runs, and owlrl's and reasonable's closure of it with our ontology, where they are installed."""
    record = made(runs, folder)
    asserted = record.asserted
    entailer = Entailer()
    entailer.entail(asserted[:100])
    ours = timed(lambda: entailer.entail(asserted))
    row: dict[str, Any] = {"statements": len(asserted), "ours_per_s": len(asserted) / ours, "follow": len(record.entailed)}
    body = serialize(asserted, format=RdfFormat.N_TRIPLES) or b""
    ontology = b"".join(path.read_bytes() + b"\n" for path in sorted(assets.folder("ontology").glob("*.ttl")))
    for name, closure in (("owlrl", _owlrl), ("reasonable", _reasonable)):
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        row[f"{name}_per_s"] = len(asserted) / closure(body, ontology, folder)
        row[f"{name}_ratio"] = row["ours_per_s"] / row[f"{name}_per_s"]
    return row


def _owlrl(body: bytes, ontology: bytes, _folder: Path) -> float:
    import rdflib

    owlrl = importlib.import_module("owlrl")
    graph = rdflib.Graph()
    graph.parse(data=ontology, format="turtle")
    graph.parse(data=body, format="nt")
    return timed(lambda: owlrl.DeductiveClosure(owlrl.OWLRL_Semantics).expand(graph))


def _reasonable(body: bytes, ontology: bytes, folder: Path) -> float:
    reasonable = importlib.import_module("reasonable")
    for name, content in (("all.ttl", body), ("ontology.ttl", ontology)):
        (folder / name).write_bytes(content)
    reasoner = reasonable.PyReasoner()
    reasoner.load_file(str(folder / "ontology.ttl"))
    reasoner.load_file(str(folder / "all.ttl"))
    return timed(reasoner.reason)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and keep the figures with the facts of the machine."""
    parser = argparse.ArgumentParser(prog="python -m bench.gate", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[100_000, 1_000_000], help="statements of each store")
    parser.add_argument("--pyshacl-up-to", type=int, default=100_000, help="the largest store that pyshacl is asked about")
    parser.add_argument("--pyshacl-minutes", type=float, default=12, help="after which pyshacl is cut off")
    parser.add_argument("--entail", type=int, default=300, help="runs of the world for entailment; 0 leaves it out")
    parser.add_argument("--keep", type=Path, help="a folder in which the stores stay for the next time")
    parser.add_argument("--referee", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.referee:
        referee(chosen.referee)
        return 0
    results: dict[str, Any] = {"machine": machine(), "stores": []}
    with tempfile.TemporaryDirectory() as place:
        for size in chosen.sizes:
            minutes = chosen.pyshacl_minutes if size <= chosen.pyshacl_up_to else 0
            results["stores"].append(measure_store(size, chosen.keep or Path(place), minutes))
            show("Checking", results["stores"][-1])
        if chosen.entail:
            results["entailment"] = measure_entailment(chosen.entail, Path(place))
            show("Entailment", results["entailment"])
    OUT.mkdir(exist_ok=True)
    target = OUT / f"gate-{datetime.now(UTC):%Y%m%dT%H%M%S}.json"
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(f"kept in {target}")
    return 0


def show(title: str, row: dict[str, Any]) -> None:
    """Print one measurement, a line for each figure."""
    table = Table("figure", title=title)
    table.add_column("value", justify="right")
    for name, value in row.items():
        table.add_row(name, f"{value:,.2f}" if isinstance(value, float) else f"{value:,}")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
