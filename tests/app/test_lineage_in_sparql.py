"""Lineage inside SPARQL: answered from the index, for one reader, and joined with whatever else is asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from headwater.access import LOCAL, Reader
from headwater.app import Headwater
from headwater.app.querying import Told
from headwater.errors import BadQuery, TooLarge

X = "https://lab.example/"
GUEST = Reader("anonymous", "none", frozenset())
PREFIXES = """PREFIX hw: <https://w3id.org/headwater/terms#> PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX x: <https://lab.example/>
"""
_STORY = """
x:v1 a hw:Dataset ; hw:version "1" ; rdfs:label "labels 1" .
x:r1 a hw:Run ; rdfs:label "training" ; prov:qualifiedUsage [ a prov:Usage ; prov:entity x:v1 ; prov:hadRole hw:train ] ,
    [ a prov:Usage ; prov:entity x:t ; prov:hadRole hw:test ] .
x:t a hw:Dataset ; rdfs:label "test set" .
x:m1 a hw:Model ; rdfs:label "model" ; prov:wasGeneratedBy x:r1 .
x:paper a hw:Publication ; rdfs:label "paper" ; hw:documents x:m1 .
x:c a hw:Change ; rdfs:label "mended" ; hw:changeKind hw:labels-corrected ; hw:changedObject x:v1 .
"""
_SECRET = "x:s a hw:Run ; rdfs:label 'secret' ; prov:used x:v1 ."


@pytest.fixture
def lab(opened: Callable[..., Headwater], write: Callable[..., object]) -> Headwater:
    headwater = opened(store="memory")
    write(headwater, "story", _STORY)
    write(headwater, "secret", _SECRET, visibility="internal")
    return headwater


def _rows(lab: Headwater, text: str, reader: Reader = LOCAL) -> list[dict[str, str]]:
    told = lab.stream(PREFIXES + text, reader)
    assert isinstance(told, Told)
    body, _ = lab.query(PREFIXES + text, reader)
    found: list[dict[str, Any]] = json.loads(told.body)["results"]["bindings"]
    assert sorted(map(str, found)) == sorted(map(str, json.loads(body)["results"]["bindings"]))
    return [{name: cell["value"].removeprefix(X) for name, cell in row.items()} for row in found]


def _values(lab: Headwater, text: str, reader: Reader = LOCAL) -> set[str]:
    return {row["x"] for row in _rows(lab, text, reader)}


def test_upstream_and_downstream_agree_with_the_lineage_question(lab: Headwater) -> None:
    assert _values(lab, "SELECT ?x { ?x hw:upstreamOf x:m1 }") == {"r1", "v1", "t"}
    assert _values(lab, "SELECT ?x { ?x hw:downstreamOf x:v1 }") == {"r1", "m1", "paper", "s"}
    assert _values(lab, "SELECT ?x { x:v1 hw:upstreamOf ?x . ?x a hw:Model }") == {"m1"}


def test_they_combine_with_what_else_is_asked(lab: Headwater) -> None:
    assert _rows(lab, "SELECT ?x ?l { ?x hw:upstreamOf x:m1 ; a hw:Dataset ; rdfs:label ?l } ORDER BY ?l") == [
        {"x": "v1", "l": "labels 1"},
        {"x": "t", "l": "test set"},
    ]
    assert _values(lab, "SELECT ?x { ?x a hw:Dataset ; rdfs:label ?l ; hw:upstreamOf x:m1 . FILTER(CONTAINS(?l, 'test')) }") == {
        "t"
    }
    assert _rows(lab, "SELECT (COUNT(?x) AS ?n) { ?x hw:upstreamOf x:paper }") == [{"n": "4"}]
    assert _values(lab, "SELECT ?x { ?x a hw:Dataset FILTER NOT EXISTS { ?x hw:upstreamOf x:m1 } }") == set()
    assert _values(lab, "SELECT ?x { { ?x hw:upstreamOf x:r1 } UNION { ?x hw:downstreamOf x:m1 } }") == {"v1", "t", "paper"}


def test_distance_and_role_are_told(lab: Headwater) -> None:
    rows = _rows(lab, "SELECT ?x ?d ?r { ?x hw:upstreamOf [ hw:of x:m1 ; hw:distance ?d ; hw:role ?r ] } ORDER BY ?d ?r")
    assert [(row["x"], row["d"], row.get("r", "").rpartition("#")[2]) for row in rows] == [
        ("r1", "1", ""), ("t", "2", "test"), ("v1", "2", "train"),
    ]  # fmt: skip


def test_what_a_change_does_is_told_with_its_state(lab: Headwater) -> None:
    rows = _rows(
        lab, "SELECT ?x ?s ?v ?j { ?x hw:impactedBy [ hw:of x:c ; hw:state ?s ; hw:severity ?v ; hw:justification ?j ] }"
    )
    assert {(row["x"], row["s"], row["v"]) for row in rows} >= {("m1", "affected", "major"), ("paper", "affected", "major")}
    assert {row["j"] for row in rows if row["x"] == "m1"} == {"trained-on"}


def test_an_end_may_be_bound_by_what_else_stands_in_the_braces(lab: Headwater) -> None:
    assert _values(lab, "SELECT ?x { ?x hw:upstreamOf ?m . ?m a hw:Model ; rdfs:label 'model' }") == {"r1", "v1", "t"}
    pairs = _rows(lab, "SELECT ?x ?m { ?m a hw:Dataset . ?x hw:downstreamOf ?m . ?x a hw:Publication }")
    assert {(row["x"], row["m"]) for row in pairs} == {("paper", "v1"), ("paper", "t")}
    with pytest.raises(BadQuery, match="does not follow"):
        _rows(lab, "SELECT ?x { ?x hw:upstreamOf ?m }")


def test_two_fixed_ends_let_pass_or_do_not(lab: Headwater) -> None:
    assert _rows(lab, "SELECT ?l { x:v1 hw:upstreamOf x:m1 . x:v1 rdfs:label ?l }") == [{"l": "labels 1"}]
    assert _rows(lab, "SELECT ?l { x:m1 hw:upstreamOf x:v1 . x:v1 rdfs:label ?l }") == []


def test_what_a_reader_may_not_see_is_not_there(lab: Headwater) -> None:
    assert _values(lab, "SELECT ?x { ?x hw:downstreamOf x:v1 }", GUEST) == {"r1", "m1", "paper"}
    record = next(iri for iri in lab.visible_graphs(GUEST))
    same = "SELECT ?x FROM <{}> {{ ?x hw:downstreamOf x:v1 }}".format(record)  # noqa: S608, UP032
    assert "s" in _values(lab, same)
    assert "s" not in _values(lab, same, GUEST)
    with pytest.raises(BadQuery):
        _rows(lab, "SELECT ?x { ?x hw:upstreamOf x:s }", GUEST)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT ?x { ?x hw:upstreamOf x:nobody-knows }",
        "SELECT ?x { ?x hw:upstreamOf 'text' }",
        "SELECT ?x { ?x hw:upstreamOf x:m1 , x:r1 }",
        "SELECT ?x { GRAPH ?g { ?x hw:upstreamOf x:m1 } }",
        "SELECT ?x { ?x hw:upstreamOf [ hw:distance ?d ] }",
        "SELECT ?x { ?x hw:upstreamOf [ hw:of x:m1 ; hw:state ?d ] }",
        "SELECT ?x { ?x hw:upstreamOf [ hw:of x:m1 ; hw:distance ?x ] }",
        "SELECT ?x { ?x hw:upstreamOf x:m1 ; hw:downstreamOf x:v1 }",
    ],
)
def test_what_cannot_be_answered_is_refused_and_not_silently_empty(lab: Headwater, text: str) -> None:
    with pytest.raises((BadQuery, TooLarge)):
        lab.stream(PREFIXES + text, LOCAL)


def test_in_a_template_the_property_is_a_property(lab: Headwater) -> None:
    text = PREFIXES + "CONSTRUCT { ?x hw:upstreamOf x:m1 } WHERE { ?x hw:upstreamOf x:m1 }"
    told = lab.stream(text, LOCAL, "application/n-triples")
    assert isinstance(told, Told)
    assert told.body.count(b"upstreamOf") == 3


def test_a_type_beside_an_endless_path_means_the_same_as_a_filter(lab: Headwater) -> None:
    path = "(^prov:wasGeneratedBy|^prov:used|hw:documents|prov:wasGeneratedBy|prov:used)*"
    for text in (
        f"SELECT ?x {{ x:m1 {path} ?x . ?x a hw:Dataset }}",
        f"SELECT ?x ?l {{ ?x a hw:Dataset ; rdfs:label ?l . x:m1 {path} ?x }}",
        f"SELECT ?x {{ x:m1 {path} ?x OPTIONAL {{ ?x rdfs:label ?l }} ?x a hw:Dataset , prov:Entity }}",
    ):
        assert _values(lab, text) == {"v1", "t"}
