"""The gate and the audit agree: as long as no audit is due, an audit would find nothing but what the last one found."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import NamedNode, RdfFormat, Triple, serialize

from headwater.access import LOCAL
from headwater.app import Headwater, Inspector
from headwater.app.audit_worker import audit_store
from headwater.checking.hierarchy import AXIOMS
from headwater.settings import Settings
from headwater.terms.names import HW, OWL, PROV, RDF, RDFS, curie
from tests.app.conftest import PREFIXES

Opening = Callable[..., Headwater]
Op = tuple[int, list[Triple] | None]

_THINGS = [NamedNode(f"https://lab.example/n{number}") for number in range(3)]
_OWN = [NamedNode(f"https://lab.example/{name}") for name in ("C", "D")]
_KNOWN = [HW.Change, HW.Dataset, PROV.Activity, PROV.Entity, PROV.Usage]
_STATEMENTS = st.one_of(
    st.builds(Triple, st.sampled_from(_THINGS), st.just(RDF.type), st.sampled_from([*_OWN, *_OWN, *_KNOWN])),
    st.builds(Triple, st.sampled_from(_OWN), st.just(RDFS.subClassOf), st.sampled_from([*_OWN, *_KNOWN])),
    st.builds(
        Triple,
        st.sampled_from(_THINGS),
        st.sampled_from([HW.changedObject, HW.changeKind, PROV.used, PROV.qualifiedUsage, PROV.entity, PROV.wasDerivedFrom]),
        st.sampled_from([*_THINGS, HW["bug-found"]]),
    ),
)
_OPERATIONS = st.lists(
    st.tuples(st.integers(0, 2), st.none() | st.lists(_STATEMENTS, min_size=1, max_size=4, unique=True)), min_size=2, max_size=8
)


def violations(headwater: Headwater) -> set[str]:
    """What an audit finds; it is not entered in the book."""
    audit = audit_store(headwater._store, headwater.mint.base, None, lambda: False)
    return {result.sentence() for result in audit.report().violations}


def write(headwater: Headwater, path: Path, turtle: str) -> str:
    path.write_text(PREFIXES + turtle)
    return headwater.import_source(path, format="rdf").records[0].status


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_OPERATIONS)
def test_while_no_audit_is_due_an_audit_would_find_nothing_new(
    tmp_path_factory: pytest.TempPathFactory, operations: list[Op]
) -> None:
    folder = tmp_path_factory.mktemp("world")
    with Headwater.open(Settings(data=folder / "data", store="memory")) as headwater:
        there: dict[int, str] = {}
        known: set[str] = set()
        for number, statements in operations:
            if statements is None:
                if number in there:
                    headwater.withdraw(there.pop(number), LOCAL, by="ada", reason="a mistake")
            else:
                path = folder / f"{number}.nt"
                path.write_bytes(serialize(statements, format=RdfFormat.N_TRIPLES) or b"")
                outcome = headwater.import_source(path).records[0]
                if outcome.status != "rejected":
                    there[number] = outcome.iri
            if headwater.audits.status()["due"]:
                known = {result.sentence() for result in headwater.audit().report().violations}
            else:
                assert violations(headwater) <= known


def test_an_instance_of_a_class_below_ours_is_judged_as_one_of_ours(opened: Opening, tmp_path: Path) -> None:
    headwater = opened(store="memory")
    assert (
        write(headwater, tmp_path / "classes.ttl", "x:Recall rdfs:subClassOf x:Notice . x:Notice rdfs:subClassOf hw:Change .")
        == "created"
    )
    headwater.audit()
    assert write(headwater, tmp_path / "wrong.ttl", "x:c a x:Recall .") == "rejected"
    assert write(headwater, tmp_path / "kind.ttl", "x:c hw:changeKind hw:bug-found ; hw:changedObject x:s .") == "created"
    assert write(headwater, tmp_path / "wrong.ttl", "x:c a x:Recall .") == "created", "what others say of it counts"
    assert headwater.audits.status()["due"] is False
    assert headwater.audit().conforms


def test_a_document_is_looked_over_by_the_same_rule(tmp_path: Path) -> None:
    inspector = Inspector(Settings())
    for name, turtle in (("a", "x:Recall rdfs:subClassOf hw:Change ."), ("b", "x:c a x:Recall .")):
        path = tmp_path / f"{name}.ttl"
        path.write_text(PREFIXES + turtle)
        report = inspector.import_source(path, format="rdf")
    assert report.records[0].status == "rejected"


def test_a_class_of_ours_over_things_that_are_there_makes_an_audit_due_that_finds_them(opened: Opening, tmp_path: Path) -> None:
    headwater = opened(store="memory")
    assert write(headwater, tmp_path / "a.ttl", "x:c a x:Recall .") == "created"
    assert write(headwater, tmp_path / "b.ttl", "x:Recall rdfs:subClassOf hw:Change .") == "created"
    status = headwater.audits.status()
    assert status["reasons"] == ["By entry 2 of the ledger classes or properties mean something else (rdfs:subClassOf)."]
    assert {result.focus for result in headwater.audit().report().violations} == {"https://lab.example/c"}
    assert write(headwater, tmp_path / "b.ttl", "x:Recall rdfs:subClassOf hw:Change ; rdfs:label 'Recall' .") == "changed"
    assert headwater.audits.status()["due"] is False, "the axiom was there before"
    assert write(headwater, tmp_path / "b.ttl", "x:Recall rdfs:label 'Recall' .") == "changed"
    assert headwater.audits.status()["due"] is True
    assert headwater.audit().conforms


@pytest.mark.parametrize("axiom", sorted(map(curie, (node.value for node in AXIOMS))))
def test_each_sort_of_axiom_makes_an_audit_due_when_it_comes_and_when_it_goes(
    axiom: str, opened: Opening, tmp_path: Path
) -> None:
    headwater = opened(store="memory")
    path = tmp_path / "a.ttl"
    path.write_text(f"{PREFIXES}x:a {axiom} x:b .")
    record = headwater.import_source(path, format="rdf").records[0].iri
    assert axiom in str(headwater.audits.status()["reasons"])
    headwater.audit()
    headwater.withdraw(record, LOCAL, by="ada", reason="a mistake")
    assert axiom in str(headwater.audits.status()["reasons"])


def test_nothing_is_concluded_from_a_strangers_axioms(opened: Opening, tmp_path: Path) -> None:
    headwater = opened(store="memory")
    write(
        headwater,
        tmp_path / "a.ttl",
        "x:Net rdfs:subClassOf hw:Model . x:reads rdfs:subPropertyOf prov:used . x:n a x:Net . x:r x:reads x:d .",
    )
    said = {(triple.subject, triple.predicate, triple.object) for triple in headwater._store.graph(headwater.views.public)}
    net, run = NamedNode("https://lab.example/n"), NamedNode("https://lab.example/r")
    assert (net, RDF.type, HW.Model) not in said
    assert not [row for row in said if row[0] == run and row[1] == PROV.used]
    assert headwater.counts(LOCAL).get("model", 0) == 0
    assert OWL.Thing not in {row[2] for row in said}


def test_a_crash_between_the_ledger_and_the_note_loses_no_reason(
    opened: Opening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    headwater = opened()
    write(headwater, tmp_path / "a.ttl", "x:c a x:Recall .")

    class Killed(BaseException):
        """What ends a process."""

    def die(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(headwater._writer, "audit_due", die)
    with pytest.raises(Killed):
        write(headwater, tmp_path / "b.ttl", "x:Recall rdfs:subClassOf hw:Change .")
    headwater.close()
    again = opened()
    assert again.sequence == 2
    assert "rdfs:subClassOf" in str(again.audits.status()["reasons"])


def test_importing_axioms_while_an_audit_runs_does_not_wait_for_it(opened: Opening, tmp_path: Path) -> None:
    headwater = opened(audit_pause_s=0)
    headwater.audits.watch()
    for number in range(4):
        write(headwater, tmp_path / f"{number}.ttl", f"x:C{number} rdfs:subClassOf x:D .")
    held = threading.Event()
    while headwater.audits.status()["state"] != "idle":
        held.wait(0.05)
    assert headwater.audits.status()["due"] is False
    last = headwater.audits.last()
    assert last is not None
    assert last.sequence == 4
