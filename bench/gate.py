"""Measures checking, as ratios in one run: a write against growing stores, whole stores, entailment: `python -m bench.gate`."""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyoxigraph import NamedNode, RdfFormat, Store, Triple, serialize
from rich.console import Console
from rich.table import Table

from bench.measure import machine
from bench.run import OUT
from bench.world import make_world
from bench.write_rdf import write_ntriples
from headwater import assets
from headwater.app.around import Around
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
_STATEMENTS_A_RUN = 72
"""Of the synthetic world, those that follow included."""


def made(runs: int, folder: Path) -> Record:
    """A world of so many runs as one record."""
    from pyoxigraph import parse

    path = folder / f"{runs}.nt"
    write_ntriples(make_world(runs, 1), path)
    triples = [quad.triple for quad in parse(path=str(path), format=RdfFormat.N_TRIPLES)]
    return RecordMaker(Mint(BASE)).make(Draft(f"{BASE}all", path.name, "all", triples), "public", "rdf", "1", "declared")


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


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure_store(size: int, folder: Path, by_pyshacl: bool) -> dict[str, Any]:
    """One store: the gate on a new run, the audit, and pyshacl over everything."""
    record = made(max(1, size // _STATEMENTS_A_RUN), folder)
    store = EmbeddedStore(folder / f"store{size}")
    views = Views(store, BASE)
    views.load(iter([record]), 1, internal=False)
    graphs = views.graphs(internal=True, projects=None)
    statements = len({*record.asserted, *record.entailed})
    rows = store.rows("SELECT ?d { ?d a <https://w3id.org/headwater/terms#Dataset> } ORDER BY ?d LIMIT 6", graphs)
    datasets = [str(row[0]).strip("<>") for row in rows]
    gate, times, cpu, sizes = Gate(), [], [], []
    for number in range(60):
        fresh = one_run(number, datasets)
        sizes.append(len(fresh.asserted) + len(fresh.entailed))
        worked = time.thread_time()
        times.append(seconds(lambda fresh=fresh: gate.check([fresh], Around(store, views, []))))  # type: ignore[misc]
        cpu.append(time.thread_time() - worked)
    auditor = Auditor()

    def ask(text: str) -> Iterator[tuple[object, ...]]:
        return store.rows(text, graphs)

    audit = seconds(lambda: auditor.audit(ask, lambda: ()))
    row: dict[str, Any] = {
        "statements": statements,
        "run_statements": statistics.median(sizes),
        "gate_ms": 1000 * statistics.median(times[10:]),
        "gate_processor_ms": 1000 * statistics.median(cpu[10:]),
        "gate_p95_ms": 1000 * sorted(times[10:])[int(0.95 * len(times[10:]))],
        "audit_s": audit,
        "audit_per_s": statements / audit,
    }
    if by_pyshacl:
        memory = Store()
        memory.bulk_extend(quad for quad in _quads([*record.asserted, *record.entailed]))
        triples = list(read_shapes(assets.folder("shapes")))
        shapes, judge, data = Shapes(triples), Judge(triples), whole(memory)
        row["pyshacl_s"] = seconds(lambda: [judge.outcomes(data, node, shapes) for node in shapes.targeted_nodes()])
        row["gate_ratio"] = row["pyshacl_s"] / (row["gate_ms"] / 1000)
        row["audit_ratio"] = row["pyshacl_s"] / audit
    store.close()
    return row


def _quads(triples: list[Triple]) -> Iterator[Any]:
    from pyoxigraph import Quad

    return (Quad(triple.subject, triple.predicate, triple.object) for triple in triples)


def measure_entailment(runs: int, folder: Path) -> dict[str, Any]:
    """Ours on a world of so many runs, and owlrl's and reasonable's closure of it with our ontology, where they are installed."""
    record = made(runs, folder)
    asserted = record.asserted
    entailer = Entailer()
    entailer.entail(asserted[:100])
    ours = seconds(lambda: entailer.entail(asserted))
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
    return seconds(lambda: owlrl.DeductiveClosure(owlrl.OWLRL_Semantics).expand(graph))


def _reasonable(body: bytes, ontology: bytes, folder: Path) -> float:
    reasonable = importlib.import_module("reasonable")
    for name, content in (("all.ttl", body), ("ontology.ttl", ontology)):
        (folder / name).write_bytes(content)
    reasoner = reasonable.PyReasoner()
    reasoner.load_file(str(folder / "ontology.ttl"))
    reasoner.load_file(str(folder / "all.ttl"))
    return seconds(reasoner.reason)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and keep the figures with the facts of the machine."""
    parser = argparse.ArgumentParser(prog="python -m bench.gate", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000], help="statements of each store")
    parser.add_argument("--pyshacl-up-to", type=int, default=100_000, help="the largest store that pyshacl is asked about")
    parser.add_argument("--entail", type=int, default=300, help="runs of the world for entailment; 0 leaves it out")
    chosen = parser.parse_args(arguments)
    results: dict[str, Any] = {"machine": machine(), "stores": []}
    with tempfile.TemporaryDirectory() as place:
        for size in chosen.sizes:
            results["stores"].append(measure_store(size, Path(place), size <= chosen.pyshacl_up_to))
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
