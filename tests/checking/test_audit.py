"""The audit of a whole store: what it finds, what it leaves to pyshacl, how it ends early, and when one is due."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import Quad, RdfFormat, Store, Triple, parse

from headwater import assets
from headwater.app import Headwater
from headwater.checking.audit import Audit, AuditCancelled, Auditor
from headwater.checking.plan import BadShapes
from headwater.settings import Settings

_HEAD = "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix : <urn:> .\n"


def _triples(turtle: str) -> list[Triple]:
    return [quad.triple for quad in parse((_HEAD + turtle).encode(), format=RdfFormat.TURTLE)]


def _audit(folder: Path, data: str, **given: Any) -> Audit:
    store = Store()
    store.extend(Quad(triple.subject, triple.predicate, triple.object) for triple in _triples(data))

    def rows(text: str) -> Iterator[tuple[object, ...]]:
        return (tuple(row) for row in store.query(text))  # type: ignore[union-attr, arg-type]

    return Auditor(folder).audit(rows, lambda: (quad.triple for quad in store), **given)


@pytest.fixture
def shapes(tmp_path: Path) -> Callable[[str], Path]:
    def write(turtle: str) -> Path:
        (tmp_path / "a.ttl").write_text(_HEAD + turtle)
        return tmp_path

    return write


def test_a_result_names_thing_label_value_shape_and_message(shapes: Callable[[str], Path]) -> None:
    folder = shapes(
        ':S sh:targetSubjectsOf :p ; sh:path :p ; sh:maxLength 2 ; sh:severity sh:Warning ; sh:message "Too long."@en .'
    )
    audit = _audit(folder, ':x :p "abc", "de" ; rdfs:label "the x" .')
    assert audit.conforms
    assert audit.counts == {"violation": 0, "warning": 1, "info": 0}
    assert [result.sentence() for result in audit.results] == ['the x <urn:x>: Too long. (found: "abc")']
    assert audit.results[0].path == "urn:p"
    assert json.loads(json.dumps(audit.as_dict()))["by_shape"] == {"urn:S": 1}
    assert b"ValidationReport" in audit.report().turtle()


_QUERY = """
    :S a sh:NodeShape ; sh:targetSubjectsOf :p ; sh:sparql [ sh:message "No q." ; sh:select
        "SELECT $this WHERE { $this <urn:p> ?any . FILTER NOT EXISTS { $this <urn:q> ?other } }" ] .
    :T sh:targetSubjectsOf :p ; sh:path :q ; sh:maxCount 0 .
"""


def test_a_shape_that_brings_a_query_is_compiled_too(shapes: Callable[[str], Path]) -> None:
    audit = _audit(shapes(_QUERY), ":x :p 1 . :y :p 1 ; :q 2 .")
    assert audit.uncompiled == {}
    assert sorted((result.shape, result.focus) for result in audit.results) == [("urn:S", "urn:x"), ("urn:T", "urn:y")]


def test_a_shape_that_cannot_be_compiled_is_judged_by_pyshacl_and_named(shapes: Callable[[str], Path]) -> None:
    audit = _audit(shapes(_QUERY), "[] :p 1 . :x :p 1 . :y :p 1 ; :q 2 .")
    assert list(audit.uncompiled) == ["urn:S"]
    assert "blank node" in audit.uncompiled["urn:S"]
    assert audit.by_shape == {"urn:S": 2, "urn:T": 1}


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT $this { $this ?p ?o MINUS { $this ?p 1 } }", "MINUS"),
        ("SELECT $this { { SELECT ?o { $this ?p ?o } } }", "nested SELECT"),
        ("SELECT $this { BIND(1 AS ?this) }", "has already"),
        ("SELECT $this { GRAPH $shapesGraph { $this ?p ?o } }", "shapesGraph"),
        ("SELECT $this { $this $PATH ?o }", "no sh:path"),
        ("SELECT $this { $this ?p }", "no SPARQL"),
        ("SELECT $this { $this ex:p ?o }", "no SPARQL"),
        ("SELECT $this ?failure { $this ?p ?o BIND(true AS ?failure) }", "failure"),
    ],
)
def test_a_query_that_shacl_forbids_is_refused_with_its_reason(query: str, reason: str, shapes: Callable[[str], Path]) -> None:
    folder = shapes(f':S a sh:NodeShape ; sh:targetSubjectsOf :p ; sh:sparql [ sh:select "{query}" ] .')
    with pytest.raises(BadShapes, match=reason):
        _audit(folder, ":x :p 1 .")


def test_an_audit_tells_how_far_it_is_and_can_be_stopped(shapes: Callable[[str], Path]) -> None:
    folder = shapes(
        ":S sh:targetSubjectsOf :p ; sh:path :p ; sh:maxCount 0 . :T sh:targetSubjectsOf :p ; sh:path :p ; sh:minCount 2 ."
    )
    told: list[tuple[int, int | None]] = []
    _audit(folder, ":x :p 1 .", progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 2), (1, 2), (2, 2)]
    with pytest.raises(AuditCancelled):
        _audit(folder, ":x :p 1 .", cancelled=lambda: True)


def test_all_shapes_of_the_gate_are_compiled() -> None:
    audit = Auditor().audit(lambda _: iter(()), lambda: ())
    assert audit.uncompiled == {}


def _write(headwater: Headwater, folder: Path, turtle: str) -> None:
    path = folder / "a.ttl"
    path.write_text("@prefix hw: <https://w3id.org/headwater/terms#> . @prefix mls: <http://www.w3.org/ns/mls#> .\n" + turtle)
    assert headwater.import_source(path, format="rdf").records[0].status != "rejected"


@pytest.mark.parametrize("store", ["memory", "embedded"])
def test_what_passed_the_gate_passes_the_audit(store: str, tmp_path: Path) -> None:
    with Headwater.open(Settings(data=tmp_path / "d", store=store)) as headwater:
        _write(headwater, tmp_path, "<urn:r> a mls:Run . <urn:d> a mls:Dataset .")
        audit = headwater.audit()
        assert audit.conforms
        assert audit.counts["info"] >= 3
        assert headwater.status()["audit"]["due"] is False
        assert headwater.status()["audit"]["sequence"] == 1


def test_a_change_of_shapes_is_noticed_and_an_audit_answers_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data=tmp_path / "d")
    with Headwater.open(settings) as headwater:
        _write(headwater, tmp_path, "<urn:r> a mls:Run .")
        assert headwater.status()["audit"]["due"] is False
    other = tmp_path / "shapes"
    other.mkdir()
    (other / "a.ttl").write_text(
        _HEAD + ":S sh:targetClass <http://www.w3.org/ns/mls#Run> ; sh:path rdfs:label ; sh:minCount 1 ."
    )
    real = assets.folder
    monkeypatch.setattr(assets, "folder", lambda name: other if name == "shapes" else real(name))
    with Headwater.open(settings) as headwater:
        assert headwater.status()["audit"]["reasons"] == ["The shapes changed since everything was judged."]
        audit = headwater.audit()
        assert [result.focus for result in audit.report().violations] == ["urn:r"]
        assert headwater.status()["audit"]["due"] is False


def test_a_folder_without_a_note_of_its_last_audit_is_due(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "d")
    with Headwater.open(settings) as headwater:
        _write(headwater, tmp_path, "<urn:r> a mls:Run .")
    (tmp_path / "d" / "audit.json").write_text('{"cut sho')
    with Headwater.open(settings) as headwater:
        assert headwater.status()["audit"]["due"] is True
