"""Checking a write by what it touches finds exactly what an audit of everything would find new, whatever was written before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store, Triple, parse

from headwater import assets
from headwater.checking.audit import read_shapes
from headwater.checking.compiler import Compiled, Outcome
from headwater.checking.gate import Gate
from headwater.checking.plan import forgettable, mentioned
from headwater.checking.shapes import Shapes
from headwater.checking.surroundings import Alone
from headwater.records.draft import Draft
from headwater.records.record import Record, RecordMaker
from headwater.store.spelling import as_stored
from headwater.terms.minting import Mint
from headwater.terms.names import HW, MLS, PROV, RDF, RDFS, SH, XSD

_MAKER = RecordMaker(Mint("https://data.example/"))
_SHAPES = """
@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> . @prefix : <urn:> .
:has-q a sh:NodeShape ; sh:property [ sh:path [ sh:inversePath :q ] ; sh:minCount 1 ] .
:S1 sh:targetClass :C ; sh:path [ sh:inversePath :p ] ; sh:minCount 1 .
:S2 sh:targetSubjectsOf :q ; sh:path [ sh:inversePath :q ] ; sh:maxCount 1 .
:S3 sh:targetClass :C ; sh:path :p ; sh:qualifiedValueShape [ sh:class :D ] ; sh:qualifiedMinCount 1 .
:S4 sh:targetObjectsOf :r ; sh:path :p ; sh:qualifiedValueShape :has-q ; sh:qualifiedMaxCount 1 .
:S5 sh:targetClass :D ; sh:path ( :p :q ) ; sh:class :C .
:S6 sh:targetSubjectsOf :r ; sh:path [ sh:zeroOrMorePath :p ] ; sh:not [ sh:class :D ] .
:S7 sh:targetClass :C ; sh:path [ sh:oneOrMorePath [ sh:inversePath :p ] ] ; sh:maxCount 1 .
:S8 sh:targetSubjectsOf :p ; sh:path ( [ sh:inversePath :p ] [ sh:alternativePath ( :q :r ) ] ) ; sh:disjoint :p .
:S9 sh:targetClass :D ; sh:path [ sh:zeroOrOnePath :q ] ; sh:nodeKind sh:IRI .
:S10 sh:targetClass :D ; sh:path :q ; sh:equals :r .
:S11 sh:targetObjectsOf :p ; sh:node :has-q .
:S12 sh:targetClass :C ; sh:path [ sh:inversePath ( :p :q ) ] ; sh:minCount 1 .
:S13 sh:targetClass :D ; sh:path :p ; sh:minCount 1 ; sh:severity sh:Info .
:C1 a sh:NodeShape ; sh:targetObjectsOf :r ; sh:closed true ; sh:ignoredProperties ( :p :r ) .
:C2 a sh:NodeShape ; sh:targetClass :D ; sh:closed true ; sh:ignoredProperties ( rdf:type :x ) .
:C3 a sh:NodeShape ; sh:targetSubjectsOf :q ; sh:severity sh:Warning ; sh:closed true ; sh:ignoredProperties ( :q :p :y ) .
:C4 a sh:NodeShape ; sh:targetClass :C ; sh:or ( [ sh:not [ sh:closed true ; sh:ignoredProperties ( :p rdf:type ) ] ] :has-q ) .
:S14 a sh:NodeShape ; sh:targetClass :C ; sh:xone ( :has-q [ sh:path :r ; sh:minCount 1 ] ) .
:S15 a sh:NodeShape ; sh:targetClass :C ; sh:or ( [ sh:path :p ; sh:minCount 1 ] [ sh:path ( :q rdf:type ) ; sh:hasValue :D ] ) .
:S16 sh:targetSubjectsOf :r ; sh:path [ sh:alternativePath ( :p :q ) ] ; sh:minCount 1 ; sh:nodeKind sh:IRI .
:S17 sh:targetClass :D ; sh:path :r ; sh:minCount 1 ; sh:or ( [ sh:class :C ] [ sh:nodeKind sh:Literal ] ) ; sh:severity sh:Info .
:S18 sh:targetSubjectsOf :s ; sh:path :s ; sh:nodeKind sh:IRI ; sh:pattern "[0-2]$" .
"""

Op = tuple[int, list[Triple] | None]
"""Which record, and what it says from now on; None withdraws it."""


def _iri(name: str) -> NamedNode:
    return NamedNode(f"urn:{name}")


_NODES = [_iri(f"n{number}") for number in range(4)]


def _operations(statements: st.SearchStrategy[Triple]) -> st.SearchStrategy[list[Op]]:
    said = st.none() | st.lists(statements, min_size=1, max_size=5, unique=True)
    return st.lists(st.tuples(st.integers(0, 2), said), min_size=1, max_size=7)


_ABSTRACT = st.one_of(
    st.builds(Triple, st.sampled_from(_NODES), st.just(RDF.type), st.sampled_from([_iri("C"), _iri("D")])),
    st.builds(
        Triple,
        st.sampled_from(_NODES),
        st.sampled_from([_iri(name) for name in "pqrpqrsxyz"]),
        st.sampled_from([*_NODES, *_NODES, Literal("text"), Literal(7)]),
    ),
)
_OURS = st.one_of(
    st.builds(
        Triple,
        st.sampled_from(_NODES),
        st.just(RDF.type),
        st.sampled_from([MLS.Run, MLS.Dataset, MLS.Model, MLS.Software, PROV.Entity, PROV.Activity, PROV.Usage, HW.Change]),
    ),
    st.builds(
        Triple,
        st.sampled_from(_NODES),
        st.sampled_from(
            [HW.slice, HW.slice]
            + [PROV[name] for name in ("used", "wasGeneratedBy", "wasDerivedFrom", "qualifiedUsage", "entity", "wasRevisionOf")]
            + [HW[name] for name in ("changedObject", "toRevision", "fromRevision", "deploys", "changeKind", "evidence")]
        ),
        st.sampled_from([*_NODES, HW["bug-found"], HW.observed]),
    ),
    st.builds(
        Triple,
        st.sampled_from(_NODES),
        st.sampled_from([HW.digest, HW.version, RDFS.label, HW.status, HW.evidence, HW.firstRun, HW.lastRun, _iri("own")]),
        st.sampled_from([Literal("failed"), Literal("md5:0"), Literal(3), Literal(5), Literal("1.50", datatype=XSD.decimal)]),
    ),
    st.builds(
        Triple,
        st.sampled_from(_NODES),
        st.sampled_from([PROV.startedAtTime, PROV.endedAtTime]),
        st.sampled_from([Literal(f"2026-01-0{day}T00:00:00Z", datatype=XSD.dateTime) for day in (1, 2)] + [Literal("soon")]),
    ),
)  # fmt: skip


class Held(Alone):
    """All records but one, which may be revised or withdrawn. Hands out no more than it is asked for."""

    def __init__(self, records: dict[str, Record], revised: str) -> None:
        self._others = _said(record for iri, record in records.items() if iri != revised)
        self._going = [triple for triple in _said([records[revised]] if revised in records else []) if triple not in self._others]

    def about(self, iri: str, predicates: Collection[str] | None, also: Collection[Triple]) -> list[Triple]:
        mine = [triple for triple in self._others if triple.subject == NamedNode(iri)]
        if predicates is None:
            return mine
        stored = [as_stored(t.object) if isinstance(t.object, Literal) else t.object for t in also]
        same = {(t.predicate, value) for t, value in zip(also, stored, strict=True)}
        return [t for t in mine if t.predicate.value in predicates or (t.predicate, t.object) in same]

    def to(self, iri: str, predicates: Collection[str]) -> list[Triple]:
        return [t for t in self._others if t.object == NamedNode(iri) and t.predicate.value in predicates]

    def going(self) -> list[Triple]:
        return self._going


def _said(records: Iterable[Record]) -> list[Triple]:
    """The statements as a store gives them back."""
    return [quad.triple for quad in _store(records)]


def _store(records: Iterable[Record]) -> Store:
    store = Store()
    store.extend(Quad(t.subject, t.predicate, t.object) for record in records for t in (*record.asserted, *record.entailed))
    return store


def _record(iri: str, statements: Sequence[Triple]) -> Record:
    return _MAKER.make(Draft(iri, "a", "a", list(statements)), "public", "rdf", "1", "declared")


class World:
    """Records that are written whatever the gate says of them, so that every state is met."""

    def __init__(self, folder: Path) -> None:
        self.gate = Gate(folder)
        self.shapes = Shapes(read_shapes(folder))
        self.mentioned = mentioned(read_shapes(folder))
        self.closed = {plan.iri for plan in self.gate.plans if plan.closed}

    def everything(self, records: dict[str, Record]) -> set[Outcome]:
        store = _store(records.values())
        compiled = Compiled(self.shapes, lambda text: (tuple(row) for row in store.query(text)))  # type: ignore[union-attr, arg-type]
        found = {found for node in self.shapes.targeted_nodes() for found in compiled.outcomes(node)}
        # The gate judges things. A text at the end of a link is judged by the audit only; of ours, another shape forbids it.
        return {outcome for outcome in found if isinstance(outcome.focus, NamedNode)}

    def go(self, operations: list[Op]) -> None:
        records: dict[str, Record] = {}
        for number, statements in operations:
            iri = f"urn:record{number}"
            if statements is None and iri not in records:
                continue
            around, before = Held(records, iri), self.everything(records)
            without = self.everything({name: record for name, record in records.items() if name != iri})
            said: list[Triple] = []
            if statements is None:
                report = self.gate.losses(around)
                records.pop(iri)
            else:
                record = _record(iri, statements)
                report = self.gate.check([record], around)[iri]
                records[iri] = record
                said = list(record.asserted)
            after = self.everything(records)
            wrong = {found for found in after if found.severity == SH.Violation.value}
            assert {(r.shape, r.focus, r.component) for r in report.violations} == _names(wrong - (before & without))
            hints = {(r.shape, r.focus, r.component) for r in report.hints if self.describes(said, r.shape, r.focus)}
            assert hints == _names(
                found for found in after - wrong if self.describes(said, str(found.shape).strip("<>"), _value(found))
            )

    def describes(self, said: list[Triple], shape: str, thing: str) -> bool:
        """Whether anything is said of a thing that the shape may look at; a closed one looks at all."""
        closed = shape in self.closed
        return any(t.subject == NamedNode(thing) and (closed or t.predicate.value in self.mentioned) for t in said)


def _names(outcomes: Iterable[Outcome]) -> set[tuple[str, str, str]]:
    return {(str(found.shape).strip("<>"), _value(found), found.component) for found in outcomes}


def _value(found: Outcome) -> str:
    assert isinstance(found.focus, NamedNode)
    return found.focus.value


@pytest.fixture(scope="module")
def abstract(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("shapes")
    (folder / "a.ttl").write_text(_SHAPES)
    return World(folder)


@pytest.fixture(scope="module")
def ours() -> World:
    return World(assets.folder("shapes"))


_LIMITS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@_LIMITS
@given(_operations(_ABSTRACT))
def test_what_a_write_or_withdrawal_makes_wrong_is_traced_along_any_path(abstract: World, operations: list[Op]) -> None:
    abstract.go(operations)


@_LIMITS
@given(_operations(_OURS))
def test_the_gate_finds_what_an_audit_would_find_new_by_our_shapes(ours: World, operations: list[Op]) -> None:
    ours.go(operations)


def test_what_stands_by_a_predicate_that_is_judged_by_its_looks_alone_is_not_asked_for(abstract: World, ours: World) -> None:
    assert forgettable(abstract.gate.plans) == {"urn:s"}
    assert PROV.generated.value in forgettable(ours.gate.plans)
    assert not {PROV.used.value, RDF.type.value, HW.digest.value} & forgettable(ours.gate.plans)


def test_no_shape_of_ours_looks_back_from_what_very_many_refer_to(ours: World) -> None:
    # A data set or program has a backward link for each run that used it; what is qualified or cut out has one or two.
    backwards = {glance.predicate for plan in ours.gate.plans for glance in plan.glances if glance.as_object}
    qualified = {PROV[f"qualified{word}"].value for word in ("Usage", "Association", "Derivation", "Attribution", "Generation")}
    assert backwards == qualified | {HW.slice.value}
    assert not any("^" in glance.way.sparql() for plan in ours.gate.plans for glance in plan.glances if glance.way)


def test_a_link_that_goes_with_a_revision_makes_another_thing_wrong(abstract: World) -> None:
    held = _record("urn:one", _turtle(":n0 :p :n1 ; :q :n1 . :n2 :q :n0 ."))
    other = _record("urn:two", _turtle(":n1 a :C . :n3 :p :n2 ."))
    around = Held({"urn:one": held, "urn:two": other}, "urn:one")
    lost = abstract.gate.check([_record("urn:one", _turtle(":n2 :q :n0 ."))], around)["urn:one"]
    assert ("urn:S1", "urn:n1") in {(result.shape, result.focus) for result in lost.violations}
    assert ("urn:S1", "urn:n1") in {(result.shape, result.focus) for result in abstract.gate.losses(around).violations}


def _turtle(turtle: str) -> list[Triple]:
    return [quad.triple for quad in parse(f"@prefix : <urn:> . {turtle}", format=RdfFormat.TURTLE)]


def test_a_statement_that_no_shape_names_closes_or_opens_a_thing_that_another_record_describes(abstract: World) -> None:
    other = _record("urn:two", _turtle(":n3 :r :n1 . :n1 :p :n0 . :n0 a :C ."))
    wrong = abstract.gate.check([_record("urn:one", _turtle(":n1 :z 7 ."))], Held({"urn:two": other}, "urn:one"))["urn:one"]
    assert [(r.shape, r.focus, r.path, r.value) for r in wrong.violations] == [("urn:C1", "urn:n1", "urn:z", Literal(7))]
    # C4 wants more said of a C than it lets pass: what goes with a revision was all there was.
    before = _record("urn:one", _turtle(":n0 :z 7 ."))
    around = Held({"urn:one": before, "urn:two": other}, "urn:one")
    for report in (
        abstract.gate.check([_record("urn:one", _turtle(":n9 :z 7 ."))], around)["urn:one"],
        abstract.gate.losses(around),
    ):
        assert ("urn:C4", "urn:n0") in {(result.shape, result.focus) for result in report.violations}


def test_what_others_say_of_a_closed_thing_is_not_told(abstract: World) -> None:
    other = _record("urn:two", _turtle(":n1 :z 7 ."))
    wrong = abstract.gate.check([_record("urn:one", _turtle(":n3 :r :n1 ."))], Held({"urn:two": other}, "urn:one"))["urn:one"]
    assert [(r.focus, r.path, r.value) for r in wrong.violations if r.shape == "urn:C1"] == [("urn:n1", "", None)]
