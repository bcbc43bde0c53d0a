"""Headwater on other people's SPARQL servers, from import to rebuild: the same answers as on the embedded store."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from bench.servers import Server
from headwater import assets
from headwater.access import LOCAL, Reader
from headwater.app import Headwater
from headwater.errors import HeadwaterError, RejectedByGate
from headwater.settings import Settings
from headwater.store.remote import RemoteStore
from headwater.store.remote.connection import StoreUnreachable
from headwater.store.remote.probe import StoreUnfit
from headwater.store.remote.store import ForeignGraph, OtherOwner
from headwater.store.sandbox import QueryTimeout
from tests.store.servers import NAMES, emptied, running, setting

pytestmark = pytest.mark.servers

BASE = "https://lab.example/"
PREFIXES = """PREFIX hw: <https://w3id.org/headwater/terms#> PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> PREFIX x: <https://x.example/>
"""
SOURCES = ("people.ttl", "instrument.ttl", "labelling.ttl", "paper.ttl", "changes.ttl")
GUEST = Reader("anonymous", "none", frozenset())
MEMBER = Reader("ada", "write", frozenset({"atlas"}))
OPEN = 'INSERT DATA { GRAPH x:open { x:d a hw:Dataset ; rdfs:label "digits" . x:r a hw:Run ; rdfs:label "run" ; prov:used x:d } }'
SECRET = """INSERT DATA { GRAPH x:secret { x:m a hw:Model ; rdfs:label "hidden" ; prov:wasGeneratedBy x:r ;
 x:exact 123456789012345678901234, 0.123456789012345678, true, 1.5e-7, "2020-01-02T03:04:05.123456789Z"^^xsd:dateTime,
 "x"^^xsd:integer, "a\\n\\"b\\" é"@en } }"""
QUESTIONS = (
    "SELECT ?s ?l { ?s rdfs:label ?l } ORDER BY ?s ?l",
    "SELECT ?o { x:m x:exact ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s a prov:Entity }",
    "SELECT ?l { x:r prov:used/rdfs:label ?l }",
    "SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } } ORDER BY ?g",
    "SELECT ?l FROM x:secret { x:m rdfs:label ?l }",
    "SELECT ?l FROM NAMED x:secret { GRAPH x:secret { x:m rdfs:label ?l } }",
    "SELECT ?m { ?m hw:downstreamOf x:d } ORDER BY ?m",
    "SELECT ?s ?n { ?s a hw:Dataset OPTIONAL { ?s rdfs:label ?n FILTER(?n = 'digits') } } ORDER BY ?s",
)


@pytest.fixture(scope="module", params=NAMES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(request.param, tmp_path_factory.mktemp("server")) as server:
        yield server


def _opened(folder: Path, store: str) -> Headwater:
    return Headwater.open(Settings(data=folder, base_iri=BASE, store=store, audits="manual"))


@pytest.fixture(scope="module")
def lab(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Headwater]:
    with _opened(tmp_path_factory.mktemp("remote"), setting(server)) as headwater:
        _fill(headwater)
        yield headwater


@pytest.fixture(scope="module")
def twin(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Headwater]:  # noqa: ARG001 (one for each)
    """The same on the embedded store."""
    with _opened(tmp_path_factory.mktemp("embedded"), "memory") as headwater:
        _fill(headwater)
        yield headwater


def _fill(headwater: Headwater) -> None:
    for name in SOURCES:
        assert headwater.import_source(assets.folder("demo") / name, format="rdf", visibility="public").ok
    headwater.update(PREFIXES + OPEN, LOCAL)
    headwater.update(PREFIXES + SECRET, MEMBER, visibility="project:atlas")


def _table(headwater: Headwater, text: str, reader: Reader) -> list[list[str]]:
    told = headwater.stream(PREFIXES + text, reader, "text/csv")
    body = told.body() if callable(told.body) else told.body
    return list(csv.reader(io.StringIO(body.decode())))


@pytest.mark.parametrize("reader", [GUEST, MEMBER, LOCAL], ids=["guest", "member", "operator"])
@pytest.mark.parametrize("text", QUESTIONS)
def test_a_question_has_the_answer_that_it_has_on_the_embedded_store(
    text: str, reader: Reader, lab: Headwater, twin: Headwater
) -> None:
    ours, theirs = _table(lab, text, reader), _table(twin, text, reader)
    if "ORDER BY" not in text:
        ours, theirs = sorted(ours), sorted(theirs)
    assert ours == theirs


def test_who_may_not_see_a_project_finds_nothing_of_it(lab: Headwater) -> None:
    for text in ("SELECT ?l { x:m rdfs:label ?l }", "SELECT ?l { GRAPH ?g { x:m rdfs:label ?l } }", "DESCRIBE x:m"):
        if text.startswith("DESCRIBE"):
            told = lab.stream(PREFIXES + text, GUEST, "application/n-triples")
            assert (told.body() if callable(told.body) else told.body) == b""
        else:
            assert _table(lab, text, GUEST) == [["l"]]
    assert _table(lab, "SELECT ?l { x:m rdfs:label ?l }", MEMBER) == [["l"], ["hidden"]]


def test_pages_and_verdicts_are_those_of_the_embedded_store(lab: Headwater, twin: Headwater) -> None:
    for kind in ("dataset", "model", "publication"):
        shown = lab.objects(LOCAL, kind=kind)
        assert [item.iri for item in shown.items] == [item.iri for item in twin.objects(LOCAL, kind=kind).items]
        for item in shown.items:
            ours, theirs = lab.describe(item.iri, LOCAL), twin.describe(item.iri, LOCAL)
            assert (ours.thing, set(ours.triples)) == (theirs.thing, set(theirs.triples))
    verdicts: list[dict[str, Any]] = []
    for headwater in (lab, twin):
        answer = headwater.impact("https://x.example/d", LOCAL, change="labels-corrected")
        verdicts.append({"summary": answer["summary"], "nodes": {iri: node["state"] for iri, node in answer["nodes"].items()}})
    assert verdicts[0] == verdicts[1]


def test_the_gate_refuses_as_ever_and_nothing_is_written(lab: Headwater) -> None:
    before = lab.sequence
    with pytest.raises(RejectedByGate):
        lab.update(
            PREFIXES + "INSERT DATA { GRAPH x:open { x:d a hw:Run, hw:Dataset ; prov:used x:d } GRAPH x:w { x:w a hw:Change } }",
            LOCAL,
        )
    assert lab.sequence == before
    assert lab.verify() == []


def test_an_update_keeps_to_the_letter_of_what_it_does_not_touch(lab: Headwater, twin: Headwater) -> None:
    text = PREFIXES + 'INSERT DATA { GRAPH x:secret { x:m rdfs:comment "more" } }'
    for headwater in (lab, twin):
        headwater.update(text, MEMBER)
    assert set(lab.statements("https://x.example/secret", LOCAL)) == set(twin.statements("https://x.example/secret", LOCAL))
    assert lab.verify() == []


def test_what_is_withdrawn_is_gone_and_a_rebuild_finds_the_same(lab: Headwater) -> None:
    lab.update(PREFIXES + 'INSERT DATA { GRAPH x:passing { x:p a hw:Dataset ; rdfs:label "passing" } }', LOCAL)
    assert _table(lab, "SELECT ?l { x:p rdfs:label ?l }", GUEST) == [["l"], ["passing"]]
    lab.withdraw("https://x.example/passing", LOCAL, by="tests", reason="over")
    assert _table(lab, "SELECT ?l { x:p rdfs:label ?l }", GUEST) == [["l"]]
    assert lab.verify() == []
    assert lab.rebuild() == lab.sequence
    assert lab.verify() == []


def test_a_write_that_is_cut_short_is_done_again_at_the_next_start(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the process were killed between two requests: those before are carried out, and none after."""
    emptied(server)
    with _opened(tmp_path / "data", setting(server)) as headwater:
        store = headwater._store
        assert isinstance(store, RemoteStore)
        headwater.update(PREFIXES + OPEN, LOCAL)
        # Steps of one operation each, on every server.
        monkeypatch.setattr("headwater.store.remote.store._REQUEST", 1)
        store.capabilities.atomic = False
        send, left = store.talk.update, [3]

        def dying(text: str, **options: Any) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise StoreUnreachable("killed")
            send(text, **options)

        monkeypatch.setattr(store.talk, "update", dying)
        with pytest.raises(StoreUnreachable):
            headwater.update(
                PREFIXES
                + 'WITH x:open DELETE { x:d rdfs:label ?l } INSERT { x:d rdfs:label "mended" } WHERE { x:d rdfs:label ?l }',
                LOCAL,
            )
    with _opened(tmp_path / "data", setting(server)) as headwater:
        assert headwater.verify() == []
        assert _table(headwater, "SELECT ?l { x:d rdfs:label ?l }", GUEST) == [["l"], ["mended"]]
    emptied(server)


def test_nobody_takes_a_store_that_is_anothers_nor_touches_what_is_not_ours(server: Server, tmp_path: Path) -> None:
    emptied(server)
    with _opened(tmp_path / "one", setting(server)) as headwater:
        store = headwater._store
        assert isinstance(store, RemoteStore)
        foreign = NamedNode("urn:somebody:else")
        store.talk.update(f"INSERT DATA {{ GRAPH {foreign} {{ {foreign} {foreign} 1 }} }}")
        headwater.update(PREFIXES + OPEN, LOCAL)
        headwater.rebuild()
        assert store.talk.truth(f"ASK {{ {foreign} {foreign} 1 }}", [foreign.value])
        with pytest.raises(ForeignGraph):
            store.change([], [Quad(foreign, foreign, Literal("x"), foreign)], headwater.sequence)
        with pytest.raises(OtherOwner):
            _opened(tmp_path / "two", setting(server))
        assert headwater.verify() == []
        store.talk.update(f"DROP SILENT GRAPH {foreign}")
    emptied(server)


def test_a_query_that_takes_too_long_is_an_error_and_leaves_the_others_alone(server: Server, tmp_path: Path) -> None:
    emptied(server)
    numbers = " ".join(map(str, range(400)))
    heavy = (
        "SELECT (COUNT(*) AS ?n) { "
        + " ".join(f"VALUES ?v{i} {{ {numbers} }}" for i in range(4))
        + " FILTER(?v0 + ?v1 + ?v2 = ?v3) }"
    )
    with Headwater.open(Settings(data=tmp_path / "data", base_iri=BASE, store=setting(server), query_timeout_s=1.5)) as headwater:
        headwater.update(PREFIXES + OPEN, LOCAL)
        begun = time.monotonic()
        with pytest.raises((QueryTimeout, HeadwaterError)):
            headwater.stream(heavy, GUEST)
        assert time.monotonic() - begun < 10
        assert _table(headwater, "SELECT ?l { x:d rdfs:label ?l }", GUEST) == [["l"], ["digits"]]
    emptied(server)


def test_what_a_server_lacks_is_told(lab: Headwater, server: Server) -> None:
    standing = lab.readiness()
    assert standing["checks"]["store"] == "ok"
    lacks = " ".join(standing["store"]["lacks"])
    if server.name == "virtuoso":
        assert "keeps its first half" in lacks
        assert "endless paths" in lacks
    else:
        assert lacks == ""


def test_a_server_that_ignores_the_dataset_is_refused(tmp_path: Path) -> None:
    """rdflib-endpoint answers every query over all that it has: who asks would see what is hidden."""
    with (
        running("rdflib-endpoint", tmp_path / "server") as server,
        pytest.raises(StoreUnfit, match="does not keep to the graphs"),
    ):
        _opened(tmp_path / "data", setting(server))
