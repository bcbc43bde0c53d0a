"""Batches, who a finding is laid to, what neighbours add, hostile input, and that the sieve changes nothing but the time."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Collection
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Triple

from headwater.checking.gate import Gate
from headwater.checking.plan import BadShapes
from headwater.checking.surroundings import Alone
from headwater.records.draft import Draft
from headwater.records.facts import Facts, when
from headwater.records.record import Record, RecordMaker
from headwater.terms.minting import Mint
from headwater.terms.names import HW, MLS, PROV, RDF, RDFS, XSD

_MINT = Mint("https://data.example/")
_MAKER = RecordMaker(_MINT)


def _run(number: int, *, luck: random.Random | None = None) -> Record:
    """A run as the MLflow importer writes it; with `luck`, some things in it are missing or wrong."""

    def sound() -> bool:
        return luck is None or luck.random() < 0.8

    facts = Facts(_MINT)
    run = facts.thing("run", f"r{number}", label=f"run {number}" if sound() else None)
    if sound():
        facts.status(run, "finished")
    else:
        facts.text(run, HW.status, "done")
    begin, end = when(1759334522787), when(1759334592787)
    facts.span(run, *((begin, end) if sound() else (end, begin)))
    facts.agent(run, "anna", "anna")
    for role in ("train", "test"):
        data = facts.thing("dataset", f"digits-{role}-{number % 3}", label="digits")
        facts.digest(data, "mlflow", "abcd1234")
        facts.used(run, data, role=role if sound() else "trane", evidence="observed")
    code = facts.thing("software", f"train-{number}", label="train.py")
    if sound():
        facts.version(code, "0a1b")
    facts.used(run, code, role="execute" if sound() else None)
    model = facts.thing("model", f"m{number}", label="model")
    facts.generated(run, model)
    if not sound():
        facts.say(model, PROV.wasRevisionOf, model)
    if not sound():
        facts.text(model, HW.digest, "sha256:short")
    if not sound():
        facts.text(run, PROV.used, "data.csv")
    facts.setting(run, "C", "0.1")
    facts.measure(run, "accuracy", 0.9, step=3, about=[model])
    if not sound():
        facts.say(NamedNode(f"{run.value}#other"), RDF.type, MLS.ModelEvaluation)
    return _MAKER.make(Draft(_MINT.record(f"r{number}"), "mlruns", "run", facts.triples), "public", "mlflow", "1", "observed")


class Others(Alone):
    """What others say, as a list; remembers what it was asked for."""

    def __init__(self, *said: Triple) -> None:
        self.said = said
        self.asked: set[str] = set()

    def about(self, iri: str, _predicates: Collection[str] | None, _also: Collection[Triple]) -> list[Triple]:
        self.asked.add(iri)
        return [triple for triple in self.said if triple.subject == NamedNode(iri)]

    def to(self, iri: str, predicates: Collection[str]) -> list[Triple]:
        return [triple for triple in self.said if triple.object == NamedNode(iri) and triple.predicate.value in predicates]


def _all_others(records: list[Record], one: Record) -> Others:
    return Others(*(triple for record in records if record is not one for triple in (*record.asserted, *record.entailed)))


def test_a_run_as_the_tracker_writes_it_passes_without_a_hint(gate: Gate) -> None:
    report = gate.check([_run(1)])[_MINT.record("r1")]
    assert report.conforms
    assert report.sentences() == []


def test_a_partial_run_passes(gate: Gate, record) -> None:  # type: ignore[no-untyped-def]
    report = gate.check([record(":r a mls:Run .")])["urn:record"]
    assert report.conforms
    assert {hint.severity for hint in report.hints} == {"info"}


@pytest.mark.parametrize("seed", range(5))
def test_a_batch_gets_the_violations_that_its_records_get_one_by_one(seed: int, gate: Gate) -> None:
    luck = random.Random(seed)
    records = [_run(number, luck=luck) for number in range(12)]
    together = gate.check(records)
    for one in records:
        alone = gate.check([one], _all_others(records, one))[one.iri]
        assert together[one.iri].violations == alone.violations
    assert not all(report.conforms for report in together.values())


@pytest.mark.parametrize("seed", range(5))
def test_the_sieve_changes_no_report(seed: int, gate: Gate, slow_gate: Gate) -> None:
    luck = random.Random(100 + seed)
    records = [_run(number, luck=luck) for number in range(6)]
    assert gate.check(records) == slow_gate.check(records)


@pytest.mark.parametrize("seed", range(20))
def test_the_sieve_changes_no_report_of_random_statements(seed: int, gate: Gate, slow_gate: Gate) -> None:
    luck = random.Random(seed)
    classes = sorted({cls for plan in gate.plans for cls in plan.classes} | {MLS.Algorithm.value, HW.Slice.value})
    predicates = sorted({p for plan in gate.plans for p in (*(plan.path or ()), *plan.subjects_of, *plan.objects_of)})
    nodes = [NamedNode(f"urn:n{number}") for number in range(12)]
    texts = ["", "failed", "doi:10.1000/a", "doi:x", "orcid:1", "sha256:0", "7", "x:y", "2026-01-01"]
    words = [HW.train, HW.trane, HW.observed, HW.retracted, *nodes]
    times = [f"2026-01-0{day}T00:00:00{zone}" for day in (1, 2) for zone in ("", "Z", "+01:00", ".5Z", ".1234567Z", "+00:00")]
    literals = [
        *(Literal(text) for text in texts),
        *(Literal(text, language="en") for text in texts),
        *(Literal(text, datatype=XSD.dateTime) for text in [*times, "2026-02-30T00:00:00Z", "x", "2026-01-01T24:00:00Z"]),
        *(Literal(text, datatype=kind) for text in ("007", "1.50", "-3", "x") for kind in (XSD.int, XSD.decimal, XSD.integer)),
    ]
    triples = [Triple(luck.choice(nodes), RDF.type, NamedNode(luck.choice(classes))) for _ in range(8)]
    for _ in range(60):
        value = luck.choice(words) if luck.random() < 0.5 else luck.choice(literals)
        triples.append(Triple(luck.choice(nodes), NamedNode(luck.choice(predicates)), value))
    if seed % 4 == 0:
        triples.append(Triple(HW.Run, RDFS.subClassOf, PROV.Entity))
    one = _MAKER.make(Draft("urn:record", "a", "a", triples), "public", "rdf", "1", "declared")
    report = gate.check([one])
    assert report == slow_gate.check([one])
    assert report["urn:record"].violations


def test_a_violation_is_laid_to_the_record_that_causes_it(gate: Gate, record) -> None:  # type: ignore[no-untyped-def]
    bad = record(":d a mls:Dataset ; rdfs:label 'd' ; hw:digest 'nothing' .", "urn:bad")
    good = record(":d a mls:Dataset ; rdfs:label 'd' ; hw:version '1' . :r prov:used :d .", "urn:good")
    reports = gate.check([good, bad])
    assert reports["urn:good"].conforms
    assert not reports["urn:bad"].conforms


def test_a_contradiction_of_two_records_is_laid_to_both(gate: Gate, record) -> None:  # type: ignore[no-untyped-def]
    one, two = record(":x prov:used :d .", "urn:one"), record(":x prov:wasDerivedFrom :e .", "urn:two")
    assert not any(report.conforms for report in gate.check([one, two]).values())
    assert all(gate.check([alone])[alone.iri].conforms for alone in (one, two))


def test_what_is_known_of_a_thing_that_is_only_referred_to_counts(gate: Gate, record) -> None:  # type: ignore[no-untyped-def]
    thing = NamedNode("urn:example:x")
    others = Others(Triple(thing, RDF.type, PROV.Entity), Triple(NamedNode("urn:unasked"), HW.digest, Literal("bad")))
    link = record(":m a mls:Model ; prov:wasGeneratedBy :x .")
    assert gate.check([link])["urn:record"].conforms
    report = gate.check([link], others)["urn:record"]
    assert [result.focus for result in report.violations] == ["urn:example:x"]
    assert "urn:unasked" not in others.asked


def test_what_others_say_of_a_described_thing_counts(gate: Gate, record) -> None:  # type: ignore[no-untyped-def]
    others = Others(Triple(NamedNode("urn:example:x"), RDF.type, PROV.Activity))
    described = record(":x a prov:Entity .")
    assert gate.check([described])["urn:record"].conforms
    assert [result.focus for result in gate.check([described], others)["urn:record"].violations] == ["urn:example:x"]


def test_a_fault_that_others_brought_to_a_described_thing_is_not_held_against_a_record(gate: Gate, record) -> None:  # type: ignore[no-untyped-def]
    others = Others(Triple(NamedNode("urn:example:x"), HW.digest, Literal("no algorithm")))
    assert gate.check([record(":x a mls:Dataset .")], others)["urn:record"].conforms
    both = gate.check([record(":x hw:digest 'nor this' .")], others)["urn:record"]
    assert [result.value for result in both.violations] == [Literal("nor this")]


def test_a_faulty_neighbour_is_not_held_against_a_record(gate: Gate, record) -> None:  # type: ignore[no-untyped-def]
    cited = NamedNode("urn:example:v")
    others = Others(Triple(cited, HW.digest, Literal("no algorithm")), Triple(cited, RDF.type, HW.Change))
    report = gate.check([record(":c hw:cites :v .")], others)["urn:record"]
    assert report.conforms


def test_a_thing_that_was_at_fault_before_is_not_held_against_a_record(gate: Gate, record) -> None:  # type: ignore[no-untyped-def]
    others = Others(Triple(NamedNode("urn:example:r"), HW.status, Literal("done")))
    assert gate.check([record(":d prov:wasGeneratedBy :r .")], others)["urn:record"].conforms


def test_a_report_never_shows_what_only_the_neighbours_say(gate: Gate, record) -> None:  # type: ignore[no-untyped-def]
    hidden = NamedNode("urn:example:x")
    said = {RDF.type: PROV.Entity, RDFS.label: Literal("a secret"), HW.status: Literal("secret"), HW.evidence: HW.secret}
    others = Others(*(Triple(hidden, predicate, value) for predicate, value in said.items()))
    for turtle in (":m prov:wasGeneratedBy :x .", ":x a prov:Activity ; hw:status 'failed' ; hw:evidence hw:observed ."):
        report = gate.check([record(turtle)], others)["urn:record"]
        assert not report.conforms
        assert "secret" not in str(report.as_dict()) + "".join(report.sentences()) + report.turtle().decode()


def test_an_iri_that_cannot_be_is_not_asked_for(gate: Gate, record) -> None:  # type: ignore[no-untyped-def]
    others = Others()
    gate.check([record(":m prov:wasDerivedFrom <urn:a b>, <urn:c> .", lenient=True)], others)
    assert others.asked == {"urn:c", "urn:example:m"}


def test_a_triple_term_is_no_value(gate: Gate, record) -> None:  # type: ignore[no-untyped-def]
    assert gate.check([record(":r prov:used <<( :a :b :c )>> .")])["urn:record"].conforms


@pytest.mark.parametrize(
    "turtle",
    [
        r""":c a hw:Change ; rdfs:label "a \"quoted\"\nname\u0000\u202e <b>&amp;" ; hw:digest "x\r\n\tFake: sentence." .""",
        r""":c a hw:Change ; hw:digest "<!DOCTYPE l [<!ENTITY a \"b\">]><l>&a;</l>"^^rdf:XMLLiteral, "<p>"^^rdf:HTML .""",
        r""":c a hw:Change ; hw:step "9"^^xsd:dateTime, "1e400"^^xsd:decimal, "x"^^<urn:a{b}> ; hw:firstRun true .""",
        ":c a hw:Change ; hw:step " + "9" * 6000 + " .",
        ":c a hw:Change . <urn:a b{c}> hw:digest <urn:d|e>, 'x'@abcdefghijk ; prov:used 'x' .",
    ],
)
def test_hostile_terms_neither_break_the_gate_nor_forge_a_sentence(
    turtle: str,
    gate: Gate,
    slow_gate: Gate,
    record,  # type: ignore[no-untyped-def]
) -> None:
    one = record(turtle, lenient=True)
    report = gate.check([one])["urn:record"]
    assert report == slow_gate.check([one])["urn:record"]
    assert not report.conforms
    assert report.turtle()
    for sentence in report.sentences():
        assert sentence.isprintable()
        assert len(sentence) < 700


def test_a_record_of_ten_thousand_wrong_triples_is_judged_in_bounded_time(gate: Gate) -> None:
    run = NamedNode("urn:run")
    triples = [Triple(NamedNode(f"urn:d{n}"), HW.digest, Literal(f"wrong {n}")) for n in range(5000)]
    triples += [Triple(run, PROV.used, Literal(f"d{n}")) for n in range(5000)]
    one = _MAKER.make(Draft("urn:record", "a", "a", triples), "public", "rdf", "1", "declared")
    began = time.perf_counter()
    report = gate.check([one])["urn:record"]
    assert time.perf_counter() - began < 60
    assert len(report.violations) == 10_000


def test_threads_may_share_a_gate() -> None:
    shared = Gate()
    records = [_run(number, luck=random.Random(number)) for number in range(8)]
    expected = {one.iri: Gate().check([one])[one.iri] for one in records}
    found = {}

    def check(one: Record) -> None:
        found.update(shared.check([one]))

    threads = [threading.Thread(target=check, args=(one,)) for one in records]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == expected


def test_pyshacl_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, headwater.checking.gate as g; g.Gate(); print('pyshacl' in sys.modules or 'rdflib' in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": _source()}
    )
    assert answer.stdout.strip() == "False"


def _source() -> str:
    import headwater

    return str(Path(headwater.__file__).parents[1])


@pytest.mark.parametrize(
    "constraint",
    [
        "sh:sparql [ sh:select '' ]",
        "sh:path rdfs:label ; sh:closed true",
        "sh:node [ sh:path rdfs:label ; sh:node [ sh:closed true ] ]",
        "sh:property [ sh:path rdfs:label ; sh:minCount 1 ]",
        "sh:targetNode <urn:x>",
    ],
)
def test_shapes_that_cannot_be_judged_soundly_are_refused(constraint: str, tmp_path: Path) -> None:
    target = "" if "targetNode" in constraint else "sh:targetClass rdfs:Class ;"
    (tmp_path / "a.ttl").write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
        f"<urn:shape> a sh:NodeShape ; {target} {constraint} ."
    )
    with pytest.raises(BadShapes):
        Gate(tmp_path)


@pytest.mark.parametrize("text", ["", "<urn:a> <urn:b> <urn:c> .", "this is no Turtle"])
def test_a_folder_without_usable_shapes_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.ttl").write_text(text)
    with pytest.raises(BadShapes):
        Gate(tmp_path)


def test_a_sentence_names_the_thing_by_its_label_and_shows_the_value(gate: Gate, record) -> None:  # type: ignore[no-untyped-def]
    one = record(':r rdfs:label "first try" ; hw:status "done" .')
    assert gate.check([one])["urn:record"].sentences() == [
        "first try <urn:example:r>: This hw:status is none that Headwater knows. "
        'Write one of finished, failed, killed, running or scheduled. (found: "done")'
    ]


def test_what_a_thing_merely_lacks_is_told_without_asking_the_engine(monkeypatch, slow_gate: Gate, record) -> None:  # type: ignore[no-untyped-def]
    bare = record(":r a mls:Run . :m a mls:Model .", "urn:bare")
    told = slow_gate.check([bare])
    gate = Gate()
    monkeypatch.setattr(gate, "_engine", lambda: pytest.fail("the engine was asked"))
    assert gate.check([bare]) == told
    shapes = {result.shape.partition("#")[2] for result in told["urn:bare"].hints}
    assert {"run-code", "run-label", "run-start", "model-made-by-a-run", "model-label"} <= shapes
