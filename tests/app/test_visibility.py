"""What a reader may not see is neither shown nor named; it is counted, and never makes an answer more reassuring."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headwater.access import LOCAL, Reader
from headwater.app import Headwater
from headwater.errors import BadParameter, NotFound, Withdrawn
from headwater.settings import Settings

from .conftest import BASE, PREFIXES

Opened = Callable[..., Headwater]
Write = Callable[..., object]
_PUBLIC = Reader("anonymous", "none", frozenset())
_STAFF = Reader("staff", "read", frozenset())
_MEMBER = Reader("member", "read", frozenset({"beam"}))
_ORDER = ["not_affected", "resolved", "in_triage", "cannot_tell", "affected"]

_CHAIN = """
x:data a mls:Dataset ; rdfs:label 'labels' ; hw:version '1' .
x:training a mls:Run ; rdfs:label 'training' ; prov:qualifiedUsage [ a prov:Usage ; prov:entity x:data ; prov:hadRole hw:train ] .
x:model a mls:Model ; rdfs:label 'model' ; prov:wasGeneratedBy x:training .
"""
_SECRET = """
x:tuning a mls:Run ; rdfs:label 'secret tuning' ; prov:qualifiedUsage [ prov:entity x:model ; prov:hadRole hw:finetune ] .
x:secret a mls:Model ; rdfs:label 'secret model' ; prov:wasGeneratedBy x:tuning ; dcterms:identifier 'mlflow:secret' .
"""
_PAPER = "x:paper a hw:Publication ; rdfs:label 'paper' ; hw:documents x:secret ."


@pytest.fixture
def lab(opened: Opened, write: Write) -> Headwater:
    headwater = opened(store="memory")
    write(headwater, "chain", _CHAIN)
    write(headwater, "secret", _SECRET, visibility="internal")
    write(headwater, "beam", "x:beamed a mls:Run ; rdfs:label 'beam time' ; prov:used x:data .", visibility="project:beam")
    write(headwater, "paper", _PAPER)
    return headwater


def test_each_reader_counts_what_is_his(lab: Headwater) -> None:
    assert lab.counts(_PUBLIC)["run"] == 1
    assert lab.counts(_STAFF)["run"] == 2
    assert lab.counts(_MEMBER)["run"] == 3
    assert lab.counts(LOCAL)["run"] == 3


@pytest.mark.parametrize("identifier", ["https://lab.example/tuning", "mlflow:secret", "run/tuning", "x:tuning"])
def test_what_is_internal_cannot_be_resolved_by_the_public(identifier: str, lab: Headwater) -> None:
    with pytest.raises(NotFound) as caught:
        lab.resolve(identifier, _PUBLIC)
    assert type(caught.value) is NotFound
    assert "secret model" not in str(caught.value.problem())


def test_a_hash_does_not_uncover_what_is_internal_either(lab: Headwater) -> None:
    path = lab.describe("https://lab.example/tuning", LOCAL).thing.path
    assert lab.resolve(path, _STAFF) == "https://lab.example/tuning"
    with pytest.raises(NotFound):
        lab.resolve(path, _PUBLIC)


def test_sparql_shows_the_public_nothing_internal_whatever_it_names(lab: Headwater) -> None:
    for text in (
        "SELECT * { ?s ?p ?o }",
        "SELECT * { GRAPH ?g { ?s ?p ?o } }",
        "SELECT * FROM <https://data.example/view/internal> { ?s ?p ?o }",
        "SELECT * FROM NAMED <https://data.example/view/internal> { GRAPH ?g { ?s ?p ?o } }",
        "SELECT * { GRAPH <https://data.example/view/internal> { ?s ?p ?o } }",
        "CONSTRUCT WHERE { ?s ?p ?o }",
    ):
        body, _ = lab.query(text, _PUBLIC)
        assert b"tuning" not in body
        assert b"beam time" not in body
    body, _ = lab.query("SELECT ?l { GRAPH ?g { ?s <http://www.w3.org/2000/01/rdf-schema#label> ?l } }", _STAFF)
    labels = {row["l"]["value"] for row in json.loads(body)["results"]["bindings"]}
    assert "secret tuning" in labels
    assert "beam time" not in labels


def test_what_is_hidden_is_counted_and_not_named(lab: Headwater) -> None:
    answer = lab.lineage("https://lab.example/data", _PUBLIC, direction="downstream")
    assert "tuning" not in json.dumps(answer)
    assert answer["completeness"]["hidden_count"] > 0
    assert not answer["completeness"]["complete"]
    whole = lab.lineage("https://lab.example/data", LOCAL, direction="downstream")
    assert whole["completeness"]["hidden_count"] == 0
    assert len(whole["nodes"]) > len(answer["nodes"])


@pytest.mark.parametrize("kind", ["labels-corrected", "retracted", "metadata-only", "reserialised", "superseded"])
def test_a_public_verdict_is_never_more_reassuring(kind: str, lab: Headwater) -> None:
    mine = lab.impact("https://lab.example/data", _PUBLIC, change=kind)
    full = lab.impact("https://lab.example/data", LOCAL, change=kind)
    for iri, node in mine["nodes"].items():
        if full["nodes"].get(iri, node)["state"] == "affected":
            assert node["state"] != "not_affected", iri
    if full["summary"]["verdict"] != "not_affected":
        assert mine["summary"]["verdict"] != "not_affected"


def test_the_history_shows_a_reader_the_revisions_that_were_his(lab: Headwater, write: Write) -> None:
    write(lab, "secret", _SECRET, visibility="public")
    record = next(revision.iri for revision in lab.ledger.recent(1))
    assert [told["revision"] for told in lab.history(record, _PUBLIC)] == [2]
    assert [told["revision"] for told in lab.history(record, LOCAL)] == [1, 2]
    assert lab.resolve("mlflow:secret", _PUBLIC) == "https://lab.example/secret"


def test_what_was_withdrawn_leaves_a_tombstone_for_those_who_knew_it(lab: Headwater) -> None:
    record = next(revision.iri for revision in lab.ledger.recent(9) if revision.title == "secret.ttl")
    with pytest.raises(NotFound):
        lab.withdraw(record, _PUBLIC, by="x", reason="x")
    lab.withdraw(record, LOCAL, by="ada", reason="consent")
    for identifier in ("https://lab.example/tuning", "mlflow:secret"):
        with pytest.raises(Withdrawn) as caught:
            lab.resolve(identifier, _STAFF)
        assert caught.value.status == 410
        assert caught.value.extra["reason"] == "consent"
    links = caught.value.extra["links"]
    assert ("https://lab.example/tuning", "https://lab.example/secret") in {(link["source"], link["target"]) for link in links}
    with pytest.raises(NotFound) as hidden:
        lab.resolve("https://lab.example/tuning", _PUBLIC)
    assert not isinstance(hidden.value, Withdrawn)
    with pytest.raises(Withdrawn):
        lab.record(record, LOCAL)


def test_a_dry_run_writes_nothing(lab: Headwater, write: Write) -> None:
    before = lab.status(), {str(quad) for quad in lab._store.quads()}
    report = write(lab, "new", "x:new a mls:Run ; rdfs:label 'n' .", dry_run=True)
    assert report.statuses["created"] == 1  # type: ignore[attr-defined]
    assert (lab.status(), {str(quad) for quad in lab._store.quads()}) == before


def test_importing_the_same_again_makes_no_revision(opened: Opened) -> None:
    tests = Path(__file__).resolve().parents[1]
    headwater = opened()
    for source in (tests / "fixtures" / "mlflow" / "mlflow.db", tests.parent / "examples" / "demo" / "paper.ttl"):
        first = headwater.import_source(source)
        sequence = headwater.sequence
        again = headwater.import_source(source)
        assert first.statuses["created"] > 0
        assert again.statuses["unchanged"] == first.statuses["created"]
        assert headwater.sequence == sequence
    assert headwater.verify() == []


def test_readers_beside_a_writer_see_whole_records_and_never_break(lab: Headwater, write: Write) -> None:
    stop = threading.Event()
    trouble: list[str] = []

    def ask() -> None:
        while not stop.is_set():
            try:
                answer = lab.lineage("https://lab.example/data", LOCAL, direction="downstream")
                runs = [iri for iri in answer["nodes"] if "/pair-" in iri]
                if len(runs) % 2:
                    trouble.append(f"half a record: {runs}")
                lab.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", LOCAL)
                lab.objects(LOCAL, q="pair")
            except Exception as error:
                trouble.append(repr(error))
                return

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(12):
        pair = "".join(f"x:pair-{number}-{half} a mls:Run ; rdfs:label 'pair' ; prov:used x:data ." for half in "ab")
        write(lab, f"pair{number}", pair, visibility="internal" if number % 2 else "public")
    stop.set()
    for thread in threads:
        thread.join(30)
    assert trouble == []
    assert lab.verify() == []


# --- what people call a thing

_NAMED = """
x:data a mls:Dataset ; rdfs:label 'd' ; hw:digest 'sha256:%s' ; dcterms:identifier 'doi:10.5281/zenodo.1234' .
<https://doi.org/10.1000/Paper> a hw:Publication ; rdfs:label 'p' .
<https://data.example/id/run/mlflow-ab%%20c> a mls:Run ; rdfs:label 'r' ; dcterms:identifier 'mlflow:0a1b', 'shared-1' .
x:other a mls:Run ; rdfs:label 'o' ; dcterms:identifier 'shared-1' .
<http://dx.doi.org/10.1000/old> a hw:Publication ; rdfs:label 'old' .
<http://www.w3.org/ns/prov#Thing> a mls:Dataset ; rdfs:label 'c' .
""" % ("ab" * 32)


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Headwater]:
    folder = tmp_path_factory.mktemp("named")
    (folder / "named.ttl").write_text(PREFIXES + _NAMED, encoding="utf-8")
    with Headwater.open(Settings(data=folder / "data", base_iri=BASE, store="memory")) as headwater:
        assert headwater.import_source(folder / "named.ttl").ok
        yield headwater


@pytest.mark.parametrize(
    ("identifier", "iri"),
    [
        ("https://lab.example/data", "https://lab.example/data"),
        ("<https://lab.example/data>", "https://lab.example/data"),
        ("  https://lab.example/data\n", "https://lab.example/data"),
        ("sha256:" + "ab" * 32, "https://lab.example/data"),
        ("sha256:" + "AB" * 32, "https://lab.example/data"),
        ("10.5281/zenodo.1234", "https://lab.example/data"),
        ("doi:10.5281/zenodo.1234", "https://lab.example/data"),
        ("https://doi.org/10.5281/zenodo.1234", "https://lab.example/data"),
        ("http://dx.doi.org/10.5281/zenodo.1234", "https://lab.example/data"),
        ("10.1000/Paper", "https://doi.org/10.1000/Paper"),
        ("DOI:10.1000/Paper", "https://doi.org/10.1000/Paper"),
        ("http://dx.doi.org/10.1000/Paper", "https://doi.org/10.1000/Paper"),
        ("doi:10.1000/old", "http://dx.doi.org/10.1000/old"),
        ("https://doi.org/10.1000/old", "http://dx.doi.org/10.1000/old"),
        ("mlflow:0a1b", "https://data.example/id/run/mlflow-ab%20c"),
        ("run/mlflow-ab%20c", "https://data.example/id/run/mlflow-ab%20c"),
        ("run/mlflow-ab c", "https://data.example/id/run/mlflow-ab%20c"),
        ("prov:Thing", "http://www.w3.org/ns/prov#Thing"),
    ],
)
def test_a_thing_is_found_by_whatever_people_call_it(identifier: str, iri: str, named: Headwater) -> None:
    assert named.resolve(identifier, _PUBLIC) == iri


def test_an_identifier_of_two_things_is_said_to_be_so(named: Headwater) -> None:
    with pytest.raises(BadParameter, match="identifier of 2 things") as caught:
        named.resolve("shared-1", LOCAL)
    assert caught.value.extra["candidates"] == ["https://data.example/id/run/mlflow-ab%20c", "https://lab.example/other"]


@pytest.mark.parametrize(
    "identifier", ["", " ", "nothing", "a" * 5000, "x\x00y", "run/none", "run/~0123456789abcdef", "prov:", "10.1/x"]
)
def test_what_names_nothing_is_not_found(identifier: str, named: Headwater) -> None:
    with pytest.raises(NotFound):
        named.resolve(identifier, LOCAL)


def test_a_hashed_path_holds_also_after_a_rebuild_in_another_order(opened: Opened, write: Write) -> None:
    headwater = opened(store="memory")
    for name in "abc":
        write(headwater, name, f"x:{name} a mls:Run ; rdfs:label '{name}' .")
    paths = {name: headwater.describe(f"https://lab.example/{name}", LOCAL).thing.path for name in "abc"}
    headwater.resolve(paths["c"], LOCAL)
    write(headwater, "a", "x:new a mls:Run ; rdfs:label 'new' .")
    headwater.rebuild()
    # The name that now stands where another one stood when the paths were last looked up.
    new = headwater.describe("https://lab.example/new", LOCAL).thing.path
    assert headwater.resolve(new, LOCAL) == "https://lab.example/new"
    write(headwater, "d", "x:a a mls:Run ; rdfs:label 'a again' . x:z a mls:Run .")
    for name in "abc":
        assert headwater.resolve(paths[name], LOCAL) == f"https://lab.example/{name}"
