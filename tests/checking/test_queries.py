"""Shapes that bring SPARQL along: the compiled form answers as pyshacl does, however many things one query is asked about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store, Triple, parse

from headwater.checking.compiler import Compiled, Outcome
from headwater.checking.judge import Judge, whole
from headwater.checking.paths import UnsupportedShape
from headwater.checking.plan import BadShapes, plans
from headwater.checking.prebinding import tokens, with_clause
from headwater.checking.shapes import Shapes
from headwater.terms.names import RDF

_HEAD = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix : <urn:> .
@prefix c: <urn:c#> .
: sh:declare [ sh:prefix "" ; sh:namespace "urn:"^^xsd:anyURI ] .
:Unlike a sh:ConstraintComponent ; sh:parameter [ sh:path c:unlike ], [ sh:path c:spare ; sh:optional true ] ;
    sh:validator [ sh:prefixes : ; sh:ask "ASK { FILTER($value != $unlike && $value != COALESCE($spare, :absent)) }" ] .
:Shares a sh:ConstraintComponent ; sh:parameter [ sh:path c:shares ] ;
    sh:propertyValidator [ sh:prefixes : ; sh:select "SELECT $this ?value { $this $PATH ?value . ?value $shares ?any }" ] ;
    sh:nodeValidator [ sh:prefixes : ; sh:select "SELECT $this { $this $shares ?any . FILTER(isIRI($this)) }" ] .
"""
_TARGETS = "sh:targetClass :C ; sh:targetSubjectsOf :p ; sh:targetNode :n0, :absent"
_QUERIES = [
    "SELECT $this { $this :p ?any }",
    "SELECT $this ?value { $this :p ?value . FILTER NOT EXISTS { ?value :q $this } }",
    "SELECT $this ?value (:q AS ?path) { $this :q ?value OPTIONAL { ?value :p ?more FILTER(?more = $this) } }",
    "SELECT $this { { FILTER($this = :n0) } UNION { BIND($this AS ?that) ?that :q ?any } }",
    "SELECT $this { { SELECT $this (COUNT(?any) AS ?number) { $this :p ?any } GROUP BY $this } FILTER(?number > 1) }",
    "SELECT $this (COUNT(?any) AS ?value) { $this :p ?any } GROUP BY $this HAVING(COUNT(?any) > 1)",
    "SELECT $this ?value { $this :p ?value } ORDER BY ?value LIMIT 1",
    "SELECT DISTINCT $this ?value { $this :p* ?value . { ?value :q ?any } FILTER(bound($this) && ?any != $this) # $this }\n }",
]
_SHAPES = [
    f':S a sh:NodeShape ; {_TARGETS} ; sh:sparql [ sh:prefixes : ; sh:select """{query} # the end""" ] .' for query in _QUERIES
]
_SHAPES += [
    f":S a sh:NodeShape ; {_TARGETS} ; c:unlike :n1 .",
    f":S a sh:NodeShape ; {_TARGETS} ; c:unlike :n1 ; c:spare :n0 .",
    f":S a sh:NodeShape ; {_TARGETS} ; c:shares :q .",
    f":S a sh:PropertyShape ; {_TARGETS} ; sh:path ( :p [ sh:inversePath :q ] ) ; c:shares :p .",
    f":S a sh:NodeShape ; {_TARGETS} ; sh:not [ a sh:NodeShape ; c:shares :q ] .",
    f":S a sh:PropertyShape ; {_TARGETS} ; sh:path :p ; sh:node [ a sh:NodeShape ; c:unlike :n1 ] .",
]
_NODES = [NamedNode(f"urn:n{number}") for number in range(4)]
_STATEMENTS = st.one_of(
    st.builds(Triple, st.sampled_from(_NODES), st.just(RDF.type), st.just(NamedNode("urn:C"))),
    st.builds(
        Triple,
        st.sampled_from(_NODES),
        st.sampled_from([NamedNode("urn:p"), NamedNode("urn:q")]),
        st.sampled_from([*_NODES, Literal(7), Literal('"{ $this')]),
    ),
)


def _triples(text: str) -> list[Triple]:
    return [quad.triple for quad in parse((_HEAD + text).encode(), format=RdfFormat.TURTLE)]


def _store(statements: list[Triple]) -> Store:
    store = Store()
    store.extend(Quad(triple.subject, triple.predicate, triple.object) for triple in statements)
    return store


def _compiled(triples: list[Triple], store: Store) -> set[Outcome]:
    def rows(text: str) -> Iterator[tuple[Any, ...]]:
        return (tuple(row) for row in store.query(text))  # type: ignore[union-attr, arg-type]

    shapes = Shapes(triples)
    compiled = Compiled(shapes, rows)
    return {outcome for node in shapes.targeted_nodes() for outcome in compiled.outcomes(node)}


def _pyshacl(triples: list[Triple], store: Store) -> set[Outcome]:
    shapes, judge = Shapes(triples), Judge(triples)
    return {outcome for node in shapes.targeted_nodes() for outcome in judge.outcomes(whole(store), node, shapes)}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(_SHAPES), st.lists(_STATEMENTS, max_size=10))
def test_queries_of_shapes_find_what_pyshacl_finds(shape: str, statements: list[Triple]) -> None:
    triples, store = _triples(shape), _store(statements)
    assert _compiled(triples, store) == _pyshacl(triples, store)


def test_more_things_than_one_query_takes_are_all_asked_about() -> None:
    data = [Triple(NamedNode(f"urn:many{number}"), NamedNode("urn:p"), Literal(number)) for number in range(1203)]
    found = _compiled(_triples(_SHAPES[0]), _store(data))
    assert len({outcome.focus for outcome in found}) == 1203


def test_the_rights_of_values_and_the_wrong_of_all_things_are_told_apart() -> None:
    store = _store([Triple(_NODES[0], NamedNode("urn:p"), _NODES[1]), Triple(_NODES[0], NamedNode("urn:p"), _NODES[2])])
    shape = ":S a sh:PropertyShape ; sh:targetNode :n0 ; sh:path :p ; c:unlike :n1 ; c:unlike :n3 ."
    found = {(outcome.value, outcome.component) for outcome in _compiled(_triples(shape), store)}
    assert found == {(_NODES[1], "urn:Unlike")}


def test_a_query_taken_apart_and_put_together_is_the_query() -> None:
    for query in (*_QUERIES, 'ASK { ?s ?p """{ "$this" }""" , \'#{\' ; <urn:{> 4 # {\n }', "ASK { FILTER(?a<?b && ?c>?d) }"):
        assert "".join(token.text for token in tokens(query)) == query


def test_nothing_is_written_into_texts_comments_and_before_a_nested_select() -> None:
    query = "SELECT $this { ?s ?p '{' . # {\n { SELECT $this { } } }"
    assert with_clause(query, "X") == "SELECT $this { X ?s ?p '{' . # {\n { SELECT $this { X } } }"


def test_a_query_about_a_blank_node_is_left_to_pyshacl() -> None:
    store = _store([])
    store.extend(quad for quad in parse("@prefix : <urn:> . [] :p 1 .", format=RdfFormat.TURTLE))
    with pytest.raises(UnsupportedShape):
        _compiled(_triples(_SHAPES[0]), store)
    assert len(_pyshacl(_triples(_SHAPES[0]), store)) == 1


def test_the_gate_takes_no_shape_that_brings_queries() -> None:
    for shape in (_SHAPES[0], ":S sh:targetClass :C ; sh:path :p ; c:unlike :n1 ."):
        with pytest.raises(BadShapes, match=r"component|sparql"):
            plans(_triples(shape))
