"""pyshacl asked soundly: the repairs hold, and nested shapes are not passed over."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, parse

from headwater.checking.gate import Gate
from headwater.checking.judge import DataGraph, Judge
from headwater.terms.names import RDFS, XSD

_PREFIXES = """
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix : <urn:> .
"""


def _triples(text: str) -> list[Triple]:
    return [quad.triple for quad in parse((_PREFIXES + text).encode(), format=RdfFormat.TURTLE)]


def _components(judge: Judge, data: Iterable[Triple], shape: str, node: str) -> set[str]:
    return {verdict.component.rpartition("#")[2] for verdict in judge.failures(judge.overlay(data), shape, [node])}


def test_the_triples_of_the_store_are_never_counted(monkeypatch: pytest.MonkeyPatch, record) -> None:  # type: ignore[no-untyped-def]
    counted: list[object] = []

    def count(self: DataGraph, *_: object) -> int:
        counted.append(self)
        return 0

    monkeypatch.setattr(DataGraph, "__len__", count)
    report = Gate(sieve=False).check([record(':c a hw:Change ; hw:fromRevision "x" . :d hw:digest "y" . :r hw:status "z" .')])
    assert len(report["urn:record"].violations) >= 4
    assert counted == []


def test_plain_strings_are_found_in_a_list_and_as_a_required_value() -> None:
    judge = Judge(
        _triples(':S a sh:PropertyShape ; sh:path :p ; sh:in ( "a" ) . :T a sh:PropertyShape ; sh:path :p ; sh:hasValue "a" .')
    )
    for word in (Literal("a"), Literal("a", datatype=XSD.string)):
        data = [Triple(NamedNode("urn:x"), NamedNode("urn:p"), word)]
        assert _components(judge, data, "urn:S", "urn:x") == set()
        assert _components(judge, data, "urn:T", "urn:x") == set()
    other = [Triple(NamedNode("urn:x"), NamedNode("urn:p"), Literal("b"))]
    assert _components(judge, other, "urn:S", "urn:x") == {"InConstraintComponent"}


def test_times_without_an_order_fail_instead_of_raising() -> None:
    judge = Judge(_triples(":S a sh:PropertyShape ; sh:path :a ; sh:lessThanOrEquals :b ."))
    node = NamedNode("urn:x")
    later = Literal("2026-01-01T14:00:00", datatype=XSD.dateTime)
    for text in ("2026-01-01T00:00:00Z", "2026-13-01T00:00:00", "2026-01-01T00:00:00"):
        for other in (later, Literal(5), Literal("x"), NamedNode("urn:y")):
            mine = Literal(text, datatype=XSD.dateTime)
            data = [Triple(node, NamedNode("urn:a"), mine), Triple(node, NamedNode("urn:b"), other)]
            in_order = text == "2026-01-01T00:00:00" and other == later
            assert bool(_components(judge, data, "urn:S", "urn:x")) is not in_order, (text, other)


def test_nested_shapes_are_judged_on_the_values_too() -> None:
    # pyshacl's focus_nodes= reports `Not` here and nothing else: the wrong way round for all four.
    judge = Judge(
        _triples("""
            :P a sh:NodeShape ; sh:property :P1, :P2, :P3, :P4 .
            :P1 sh:path :part ; sh:node :Titled .
            :P2 sh:path :part ; sh:or ( :Titled [ sh:class :Untitled ] ) .
            :P3 sh:path :part ; sh:qualifiedMinCount 1 ; sh:qualifiedValueShape :Titled .
            :P4 sh:path :part ; sh:not :Titled .
            :Titled a sh:NodeShape ; sh:property [ sh:path rdfs:label ; sh:minCount 1 ] .
        """)
    )
    part = Triple(NamedNode("urn:p1"), NamedNode("urn:part"), NamedNode("urn:v"))
    titled = Triple(NamedNode("urn:v"), RDFS.label, Literal("v"))
    wrong = {"NodeConstraintComponent", "OrConstraintComponent", "QualifiedMinCountConstraintComponent"}
    assert _components(judge, [part], "urn:P", "urn:p1") == wrong
    assert _components(judge, [part, titled], "urn:P", "urn:p1") == {"NotConstraintComponent"}


def test_a_path_ends_at_a_text_instead_of_raising() -> None:
    judge = Judge(_triples(":S a sh:PropertyShape ; sh:path ( :p :q ) ; sh:minCount 1 . :T a sh:NodeShape ; sh:property :S ."))
    data = [Triple(NamedNode("urn:x"), NamedNode("urn:p"), Literal("text"))]
    assert _components(judge, data, "urn:S", "urn:x") == {"MinCountConstraintComponent"}
    assert _components(judge, data, "urn:T", "urn:x") == {"MinCountConstraintComponent"}
