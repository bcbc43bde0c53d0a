"""Writing by SPARQL: through the gate and into the ledger like any other write, all of it or nothing, and only one's own."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from pyoxigraph import Literal, NamedNode, Triple

from headwater.access import LOCAL, Reader
from headwater.app import Headwater
from headwater.app.writing import Overtaken
from headwater.errors import BadParameter, BadQuery, Conflict, Forbidden, HeadwaterError, NotFound, RejectedByGate
from headwater.store.reading import Clauses
from tests.app.conftest import BASE

PREFIXES = """PREFIX hw: <https://w3id.org/headwater/terms#> PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX x: <https://lab.example/>
"""
STAFF = Reader("ada", "write", frozenset())
GUEST = Reader("anonymous", "none", frozenset())
Opening = Callable[..., Headwater]


@pytest.fixture
def lab(opened: Opening) -> Headwater:
    headwater = opened(store="memory")
    headwater.update(
        PREFIXES + 'INSERT DATA { GRAPH x:g { x:d a hw:Dataset ; rdfs:label "digits" . x:r a hw:Run ; prov:used x:d } }', LOCAL
    )
    return headwater


def _ask(headwater: Headwater, pattern: str, reader: Reader = LOCAL) -> bool:
    body, _ = headwater.query(f"{PREFIXES} ASK {{ {pattern} }}", reader)
    return b"true" in body


def test_a_named_graph_that_is_written_is_a_record_with_what_follows_from_it(lab: Headwater) -> None:
    record = lab.record("https://lab.example/g", LOCAL)
    assert (record["importer"], record["revision"], record["statements"], record["evidence"]) == ("sparql", 1, 4, "asserted")
    assert _ask(lab, "x:d a prov:Entity . x:r a prov:Activity")
    assert lab.lineage("https://lab.example/d", LOCAL, direction="downstream")["summary"]["total"] == 1


def test_an_update_may_speak_of_what_is_in_the_graphs_and_makes_a_revision(lab: Headwater) -> None:
    written = lab.update(
        PREFIXES + 'WITH x:g DELETE { ?d rdfs:label ?l } INSERT { ?d rdfs:label "digits, mended" } WHERE { ?d rdfs:label ?l }',
        STAFF,
    )
    assert [(outcome.status, outcome.revision) for outcome in written.outcomes] == [("changed", 2)]
    assert _ask(lab, 'x:d rdfs:label "digits, mended"')
    assert not _ask(lab, 'x:d rdfs:label "digits"')
    assert written.sequence == lab.sequence == 2


def test_the_unnamed_graph_is_a_record_of_its_own(lab: Headwater) -> None:
    lab.update(PREFIXES + "INSERT DATA { x:m a hw:Model }", STAFF)
    assert lab.record(lab.unnamed_graph, LOCAL)["statements"] == 1
    lab.update(PREFIXES + "INSERT { x:r2 a hw:Run ; prov:used ?m } WHERE { ?m a hw:Model }", STAFF)
    assert _ask(lab, "x:r2 prov:used x:m")


def test_patterns_see_what_records_assert_unless_a_view_is_named(lab: Headwater) -> None:
    lab.update(PREFIXES + "INSERT { ?e rdfs:comment 'seen' } WHERE { ?e a prov:Entity }", STAFF)
    assert not _ask(lab, "?e rdfs:comment 'seen'")
    lab.update(PREFIXES + f"INSERT {{ ?e rdfs:comment 'seen' }} USING <{BASE}view/public> WHERE {{ ?e a prov:Entity }}", STAFF)
    assert _ask(lab, "x:d rdfs:comment 'seen'")


def test_a_request_may_name_the_dataset_of_the_patterns(lab: Headwater) -> None:
    text = PREFIXES + "INSERT { GRAPH x:h { ?d rdfs:comment 'used' } } WHERE { ?d a hw:Dataset }"
    lab.update(text, STAFF)
    assert not _ask(lab, "?d rdfs:comment 'used'")
    lab.update(text, STAFF, dataset=Clauses(("https://lab.example/g",), ()))
    assert _ask(lab, "x:d rdfs:comment 'used'")


def test_a_graph_that_comes_out_empty_is_withdrawn(lab: Headwater) -> None:
    written = lab.update(PREFIXES + "DELETE WHERE { GRAPH x:g { ?s ?p ?o } }", STAFF)
    assert [outcome.status for outcome in written.outcomes] == ["withdrawn"]
    with pytest.raises(HeadwaterError) as gone:
        lab.record("https://lab.example/g", LOCAL)
    assert gone.value.status == 410
    assert not _ask(lab, "?s ?p ?o")


@pytest.mark.parametrize("text", ["DROP ALL", "CLEAR SILENT NAMED", "drop all", "INSERT DATA { <urn:a> <urn:b> 1 } ; CLEAR ALL"])
def test_clearing_everything_needs_an_administrator(lab: Headwater, text: str) -> None:
    with pytest.raises(Forbidden):
        lab.update(text, STAFF)
    assert _ask(lab, "x:d a hw:Dataset")
    lab.update(text, LOCAL)
    assert not _ask(lab, "x:d a hw:Dataset")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("INSERT DATA { nonsense", BadQuery),
        ("INSERT DATA { <urn:a> <urn:b> 1 } ; DELETE nonsense", BadQuery),
        ("LOAD <http://127.0.0.1/secret>", BadQuery),
        ("INSERT { ?s ?p ?o } WHERE { SERVICE <http://127.0.0.1/> { ?s ?p ?o } }", BadQuery),
        (f"INSERT DATA {{ GRAPH <{BASE}view/public> {{ <urn:a> <urn:b> 1 }} }}", BadParameter),
        ("CREATE GRAPH <https://lab.example/g>", BadQuery),
    ],
)
def test_what_may_not_be_done_changes_nothing(lab: Headwater, text: str, error: type[HeadwaterError]) -> None:
    before = lab.sequence
    with pytest.raises(error):
        lab.update(PREFIXES + 'INSERT DATA { GRAPH x:g { x:d rdfs:comment "first" } } ; ' + text, STAFF)
    assert lab.sequence == before
    assert not _ask(lab, "?d rdfs:comment ?c")


def test_what_the_gate_refuses_refuses_the_whole_update(lab: Headwater) -> None:
    before = lab.sequence
    with pytest.raises(RejectedByGate) as refused:
        lab.update(
            PREFIXES
            + "INSERT DATA { GRAPH x:fine { x:n a hw:Model } GRAPH x:wrong { x:c a hw:Change ; hw:changeKind hw:nonsense } }",
            STAFF,
        )
    assert refused.value.extra["sentences"]
    assert lab.sequence == before
    assert not _ask(lab, "x:n a hw:Model")


def test_hidden_graphs_are_neither_read_nor_overwritten(lab: Headwater) -> None:
    lab.update(PREFIXES + "INSERT DATA { GRAPH x:hidden { x:secret a hw:Dataset } }", LOCAL, visibility="project:beamline")
    outsider = Reader("bob", "write", frozenset())
    for text in (
        "INSERT { GRAPH x:copy { ?s ?p ?o } } WHERE { GRAPH ?g { ?s ?p ?o } }",
        "INSERT { GRAPH x:copy { ?s ?p ?o } } WHERE { GRAPH x:hidden { ?s ?p ?o } }",
        "INSERT { GRAPH x:copy { ?s ?p ?o } } USING x:hidden WHERE { ?s ?p ?o }",
        f"INSERT {{ GRAPH x:copy {{ ?s ?p ?o }} }} USING <{BASE}view/project/beamline> WHERE {{ ?s ?p ?o }}",
        "COPY SILENT x:hidden TO x:copy",
        "ADD SILENT x:hidden TO x:copy",
    ):
        lab.update(PREFIXES + text, outsider)
        assert not _ask(lab, "GRAPH x:copy { x:secret ?p ?o }")
    lab.update(PREFIXES + "DROP SILENT GRAPH x:hidden", outsider)
    assert _ask(lab, "x:secret a hw:Dataset")
    with pytest.raises(Conflict):
        lab.update(PREFIXES + "INSERT DATA { GRAPH x:hidden { x:mine a hw:Dataset } }", outsider)
    with pytest.raises(NotFound):
        lab.drop_graph("https://lab.example/hidden", outsider)


def test_a_graph_keeps_its_visibility_and_a_new_one_has_the_one_named(lab: Headwater) -> None:
    lab.update(PREFIXES + "INSERT DATA { GRAPH x:i { x:inner a hw:Dataset } }", STAFF, visibility="internal")
    lab.update(PREFIXES + "INSERT DATA { GRAPH x:i { x:inner rdfs:label 'inner' } }", STAFF)
    assert _ask(lab, "x:inner rdfs:label 'inner'", STAFF)
    assert not _ask(lab, "x:inner ?p ?o", GUEST)
    with pytest.raises(Forbidden):
        lab.update(PREFIXES + "INSERT DATA { GRAPH x:j { x:j a hw:Dataset } }", STAFF, visibility="project:other")


def test_increments_by_several_at_once_lose_nothing(lab: Headwater) -> None:
    lab.update(PREFIXES + "INSERT DATA { GRAPH x:count { x:c rdfs:comment 0 } }", LOCAL)
    text = PREFIXES + (
        "WITH x:count DELETE { x:c rdfs:comment ?n } INSERT { x:c rdfs:comment ?m } "
        "WHERE { x:c rdfs:comment ?n BIND(?n + 1 AS ?m) }"
    )

    def count() -> None:
        for _ in range(6):
            lab.update(text, STAFF)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _ask(lab, "x:c rdfs:comment 24 FILTER NOT EXISTS { x:c rdfs:comment ?o FILTER(?o != 24) }")


def test_a_graph_is_put_only_in_the_state_that_is_expected(lab: Headwater) -> None:
    triple = Triple(NamedNode("https://lab.example/d"), NamedNode("https://lab.example/note"), Literal("a"))
    first = lab.graph_head("https://lab.example/g", STAFF)
    assert first is not None
    lab.put_graph("https://lab.example/g", [triple], STAFF, merge=True, expected=first.digest)
    with pytest.raises(Overtaken):
        lab.put_graph("https://lab.example/g", [], STAFF, expected=first.digest)
    head = lab.graph_head("https://lab.example/g", STAFF)
    assert head is not None
    assert len(lab.graph_statements(head)) == 5


def test_what_was_written_by_sparql_survives_a_rebuild(lab: Headwater) -> None:
    lab.update(PREFIXES + "INSERT DATA { x:m a hw:Model . GRAPH x:h { x:n a hw:Model } } ; DROP GRAPH x:g", STAFF)
    assert lab.verify() == []
    lab.rebuild()
    assert _ask(lab, "x:m a hw:Model . x:n a hw:Model")
    assert not _ask(lab, "x:d ?p ?o")
    assert lab.verify() == []


def test_a_graph_whose_name_has_a_fragment_is_a_record_like_any_other(lab: Headwater) -> None:
    text = PREFIXES + "INSERT DATA { GRAPH <https://lab.example/graphs#one> { x:m a hw:Model } }"
    assert lab.update(text, STAFF).outcomes[0].status == "created"
    assert _ask(lab, "x:m a prov:Entity")
    with pytest.raises(HeadwaterError):
        lab.update(text.replace("#one", "#one%23entailed"), STAFF)
    lab.update(PREFIXES + "DROP GRAPH <https://lab.example/graphs#one>", STAFF)
    assert not _ask(lab, "x:m ?p ?o")
    assert lab.verify() == []
