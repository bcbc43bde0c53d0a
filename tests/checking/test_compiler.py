"""Shapes compiled to SPARQL find what pyshacl finds, on random graphs and for each constraint; the queries stay flat."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store, Triple, parse

from headwater import assets
from headwater.checking.audit import read_shapes
from headwater.checking.compiler import Compiled, Outcome
from headwater.checking.judge import Judge, whole
from headwater.checking.literals import well_formed
from headwater.checking.paths import UnsupportedShape, read_path
from headwater.checking.shapes import Shapes
from headwater.terms.names import RDF, RDFS, SH, XSD
from tests.checking import generated

_HEAD = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix : <urn:> .
"""
_PATHS = [
    ":p",
    "[ sh:inversePath :p ]",
    "( :p :q )",
    "[ sh:alternativePath ( :p :q [ sh:inversePath :r ] ) ]",
    "[ sh:zeroOrMorePath :p ]",
    "[ sh:oneOrMorePath [ sh:alternativePath ( :p :q ) ] ]",
    "[ sh:zeroOrOnePath ( :p [ sh:inversePath :q ] ) ]",
    "( [ sh:zeroOrMorePath :p ] [ sh:inversePath [ sh:zeroOrOnePath :q ] ] )",
]
_CONSTRAINTS = [
    "sh:minCount 1",
    "sh:minCount 2",
    "sh:maxCount 1",
    "sh:class :C",
    "sh:datatype xsd:integer",
    "sh:datatype xsd:string",
    "sh:nodeKind sh:IRI",
    "sh:nodeKind sh:BlankNodeOrLiteral",
    "sh:in ( :n0 :n1 7 'text' )",
    "sh:hasValue :n1",
    "sh:hasValue 7",
    "sh:pattern '^(?!urn:n0)' ; sh:flags 'i'",
    "sh:languageIn ( 'en' )",
    "sh:uniqueLang true",
    "sh:minInclusive 5 ; sh:maxExclusive 7",
    "sh:minLength 5 ; sh:maxLength 5",
    "sh:equals :r",
    "sh:disjoint :q",
    "sh:lessThan :r",
    "sh:lessThanOrEquals :r",
    "sh:not [ sh:class :C ]",
    "sh:and ( [ sh:nodeKind sh:IRI ] [ sh:path :q ; sh:minCount 1 ] )",
    "sh:or ( [ sh:class :C ] [ sh:datatype xsd:integer ] )",
    "sh:xone ( [ sh:class :C ] [ sh:path :p ; sh:minCount 1 ] :Nested )",
    "sh:node :Nested",
    "sh:property [ sh:path :q ; sh:maxCount 1 ]",
    "sh:qualifiedValueShape [ sh:class :C ] ; sh:qualifiedMinCount 1",
    "sh:qualifiedValueShape :Nested ; sh:qualifiedMaxCount 1",
]
_TARGETS = "sh:targetClass :C ; sh:targetSubjectsOf :p ; sh:targetObjectsOf :q ; sh:targetNode :n0, :absent"
_NESTED = ":Nested a sh:NodeShape ; sh:property [ sh:path [ sh:inversePath :p ] ; sh:minCount 1 ] ; sh:closed false ."
_NO_PATH = re.compile("Count|uniqueLang|lessThan")


def _shape_texts() -> Iterator[str]:
    for constraint in _CONSTRAINTS:
        for path in _PATHS:
            yield f":S a sh:PropertyShape ; {_TARGETS} ; sh:path {path} ; {constraint} . {_NESTED}"
        if not _NO_PATH.search(constraint):
            yield f":S a sh:NodeShape ; {_TARGETS} ; {constraint} . {_NESTED}"
    held = "sh:property [ sh:path :p ; sh:minCount 1 ], [ sh:path ( :p :q ) ; sh:property [ sh:path :r ; sh:maxCount 0 ] ]"
    yield f":S a sh:NodeShape ; {_TARGETS} ; sh:closed true ; sh:ignoredProperties ( :q ) ; {held} ."
    qualified = "sh:path :p ; sh:qualifiedValueShapesDisjoint true ; sh:qualifiedMaxCount 0 ; sh:qualifiedValueShape"
    yield f":S a sh:NodeShape ; {_TARGETS} ; sh:property [ {qualified} [ sh:class :C ] ], [ {qualified} :Nested ] . {_NESTED}"
    held = "sh:property [ sh:path :p ; sh:maxCount 0 ; sh:severity sh:Info ], [ sh:path :q ; sh:minCount 2 ]"
    yield f":D a rdfs:Class, sh:NodeShape ; {held} ."


_SHAPES = [[quad.triple for quad in parse(_HEAD + text, format=RdfFormat.TURTLE)] for text in _shape_texts()]
_NODES = [NamedNode(f"urn:n{number}") for number in range(4)]
_NUMBERS = [Literal(7), Literal(5)]
_TEXTS = [Literal("text"), Literal("seven", datatype=XSD.integer)]
_TEXTS += [Literal(text, language=tag) for text, tag in (("text", "en"), ("word", "en"), ("mot", "fr"))]
_VALUES = [*_NODES, *_NODES, *_NUMBERS, *_TEXTS]
_STATEMENTS = st.one_of(
    st.builds(Triple, st.sampled_from(_NODES), st.just(RDF.type), st.sampled_from([NamedNode("urn:C"), NamedNode("urn:D")])),
    st.builds(Triple, st.sampled_from(_NODES), st.sampled_from([NamedNode(f"urn:{p}") for p in "pqr"]), st.sampled_from(_VALUES)),
    st.just(Triple(NamedNode("urn:D"), RDFS.subClassOf, NamedNode("urn:C"))),
)


def _store(statements: list[Triple]) -> Store:
    store = Store()
    store.extend(Quad(triple.subject, triple.predicate, triple.object) for triple in statements)
    return store


def _rows(store: Store) -> Callable[[str], Iterator[tuple[object, ...]]]:
    return lambda text: (tuple(row) for row in store.query(text))  # type: ignore[union-attr, arg-type]


def _compiled(triples: list[Triple], store: Store) -> set[Outcome]:
    shapes = Shapes(triples)
    compiled = Compiled(shapes, _rows(store))
    return {outcome for node in shapes.targeted_nodes() for outcome in compiled.outcomes(node)}


def _pyshacl(triples: list[Triple], store: Store) -> set[Outcome]:
    shapes, judge = Shapes(triples), Judge(triples)
    return {outcome for node in shapes.targeted_nodes() for outcome in judge.outcomes(whole(store), node, shapes)}


def _same(shape: str, statements: list[Triple]) -> None:
    shapes, store = generated.triples(shape), _store(statements)
    assert _compiled(shapes, store) == _pyshacl(shapes, store)


_LIMITS = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@_LIMITS
@given(generated.shapes(), st.lists(generated.STATEMENTS, max_size=12))
def test_shapes_made_at_random_find_what_pyshacl_finds(shape: str, statements: list[Triple]) -> None:
    _same(shape, statements)


@_LIMITS
@given(st.sampled_from(generated.COMPARISONS), st.lists(generated.COMPARED, max_size=9))
def test_comparisons_of_values_of_any_kind_find_what_pyshacl_finds(shape: str, statements: list[Triple]) -> None:
    _same(shape, statements)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(_SHAPES), st.lists(_STATEMENTS, max_size=14))
def test_the_compiled_form_finds_what_pyshacl_finds(shapes: list[Triple], statements: list[Triple]) -> None:
    if any(triple.predicate in (SH.lessThan, SH.lessThanOrEquals) for triple in shapes):
        # SPARQL has no order of IRIs, nor of texts of different kinds; rdflib has.
        statements = [triple for triple in statements if triple.predicate == RDF.type or triple.object in _NUMBERS]
    store = _store(statements)
    assert _compiled(shapes, store) == _pyshacl(shapes, store)


def test_no_query_asks_for_the_absence_of_two_triples_at_once() -> None:
    asked: list[str] = []
    for triples in (*_SHAPES, list(read_shapes(assets.folder("shapes")))):
        store = _store([Triple(_NODES[0], NamedNode("urn:p"), _NODES[1])])

        def rows(text: str, store: Store = store) -> Iterator[tuple[object, ...]]:
            asked.append(text)
            return _rows(store)(text)

        shapes = Shapes(triples)
        for node in shapes.targeted_nodes():
            list(Compiled(shapes, rows).outcomes(node))
    bodies = [body for text in asked for body in re.findall(r"NOT EXISTS \{([^{}]*)\}", text)]
    assert bodies
    assert all(re.fullmatch(r" \S+ \S+ \S+( \.)? ", body) for body in bodies)
    assert not any(re.search(r"NOT EXISTS \{[^{}]*\{", text) for text in asked)


@pytest.mark.parametrize(
    "shape",
    [
        ":S sh:targetClass :C ; sh:node :S .",
        ":S sh:targetClass :C ; sh:not [ sh:property [ sh:path :p ; sh:node :S ] ] .",
        ":S sh:targetClass :C ; sh:path [ sh:minCount 1 ] ; sh:minCount 1 .",
        ":S sh:target [ sh:select 'SELECT ?this { ?this ?p ?o }' ] ; sh:path :p ; sh:minCount 1 .",
        ":S sh:targetClass :C ; sh:path :p ; sh:pattern '(' .",
        ":S sh:targetClass :C ; sh:path :p ; sh:in [ ] .",
        ":S sh:targetNode [] ; sh:path :p ; sh:minCount 1 .",
    ],
)
def test_what_is_not_compiled_is_refused(shape: str) -> None:
    triples = [quad.triple for quad in parse(_HEAD + shape, format=RdfFormat.TURTLE)]
    with pytest.raises(UnsupportedShape):
        _compiled(
            triples, _store([Triple(_NODES[0], RDF.type, NamedNode("urn:C")), Triple(_NODES[0], NamedNode("urn:p"), _NODES[1])])
        )


@pytest.mark.parametrize("path", _PATHS[:-1])
def test_a_path_turned_twice_is_the_path(path: str) -> None:
    shapes = Shapes(quad.triple for quad in parse(f"{_HEAD} :S sh:path {path} .", format=RdfFormat.TURTLE))
    read = read_path(shapes.graph[NamedNode("urn:S")][SH.path.value][0], shapes.graph)
    assert read.inverted().inverted() == read


@pytest.mark.parametrize(
    ("datatype", "good", "bad"),
    [
        ("integer", ["0", "-007", "+5"], ["", "1.0", "x", "٣"]),
        ("byte", ["127", "-128"], ["128", "c"]),
        ("positiveInteger", ["1"], ["0"]),
        ("decimal", ["1.", ".5", "-1.50"], ["1e3", "."]),
        ("double", ["1e3", "INF", "NaN"], ["inf", "1e"]),
        ("boolean", ["true", "0"], ["none", "TRUE"]),
        ("date", ["2024-02-29", "2024-01-01Z", "-0044-03-15"], ["2024", "2023-02-29", "2024-13-01", "02024-01-01"]),
        ("dateTime", ["2024-01-01T00:00:00", "2024-01-01T24:00:00Z", "2024-01-01T00:00:00.1+14:00"], ["2024-01-01T25:00:00"]),
        ("duration", ["P1Y", "-PT1.5S", "P1DT2H"], ["P", "PT", "1Y", "P1DT"]),
        ("hexBinary", ["", "0aFF"], ["0", "0g"]),
    ],
)  # fmt: skip
def test_ill_formed_texts_are_told_from_well_formed_ones(datatype: str, good: list[str], bad: list[str]) -> None:
    assert all(well_formed(text, XSD[datatype].value) for text in good)
    assert not any(well_formed(text, XSD[datatype].value) for text in bad)
