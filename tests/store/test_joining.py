"""Joining in turn gives what the engine gives without it, each solution as often; and what cannot be shown to is left alone."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, QuerySolutions, Store

from headwater.store.joining import paths_first
from headwater.store.patterns import lineage_patterns, replaced, types_after_paths, values

X = "https://e.x/"
PREFIXES = f"PREFIX : <{X}> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX hw: <https://w3id.org/headwater/terms#> "
GRAPHS = [NamedNode(f"{X}g1"), NamedNode(f"{X}g2")]
_NODES = [NamedNode(X + letter) for letter in "abcd"]
_LINKS = [NamedNode(X + letter) for letter in "pq"]
_TYPE = NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_LABEL = NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
_TEXTS = [Literal("1"), Literal("2")]

_quads = st.lists(
    st.one_of(
        st.builds(Quad, st.sampled_from(_NODES), st.sampled_from(_LINKS), st.sampled_from(_NODES), st.sampled_from(GRAPHS)),
        st.builds(Quad, st.sampled_from(_NODES), st.just(_TYPE), st.sampled_from(_NODES[:2]), st.sampled_from(GRAPHS)),
        st.builds(Quad, st.sampled_from(_NODES), st.just(_LABEL), st.sampled_from(_TEXTS), st.sampled_from(GRAPHS)),
    ),
    max_size=14,
)  # fmt: skip
_paths = st.sampled_from([":p*", ":p+", "(:p|:q)*", "^:p*", "(:p/:q)+", "(^:p|:q)*", ":p/:q*", ":p?", "!(:p)*", "(:p*)"])
_driving = st.one_of(
    _paths.map(lambda path: f":a {path} ?x"),
    _paths.map(lambda path: f"?x {path} :b"),
    _paths.map(lambda path: f":a rdfs:label ?m ; {path} ?x"),
    _paths.map(lambda path: f"?x {path} ?y"),
    st.just("?x hw:upstreamOf :a"),
    st.just("?x a :b ; hw:upstreamOf :a"),
)
_PLAIN = """?x a :a | ?x a :a , :b | ?x a :b ; rdfs:label ?l | ?x rdfs:label ?l | ?x rdfs:label '1' | ?x :p ?y | ?y :q ?x
    | ?x ?k ?v | ?x :p [ :q ?z ] | ?x :p _:n . _:n :q ?z | ?y rdfs:label ?n | ?x :q [ :p* ?z ] | :b :p ?x"""
_plain = st.sampled_from([text.strip() for text in _PLAIN.split(" | ")])
_OTHER = """OPTIONAL { ?x rdfs:label ?l }; OPTIONAL { ?x a :a . ?x :p ?o }; FILTER EXISTS { ?x a :b }; FILTER(?x != :c);
    MINUS { ?x a :b }; { ?x a :a } UNION { ?x :p ?u }; { SELECT ?x { ?x rdfs:label ?k } }; VALUES ?x { :a :b :c };
    BIND(:a AS ?w); GRAPH :g1 { ?x :p ?h }; FILTER NOT EXISTS { :a :p* ?x . ?x a :a }"""
_other = st.sampled_from([text.strip() for text in _OTHER.split(";")])
_AROUND = """{}; {}; {}; {{ {} }} UNION {{ ?x a :b }}; {{ SELECT DISTINCT ?x {{ {} }} }} ?x :p ?e; ?x a :a OPTIONAL {{ {} }};
    ?x a :a FILTER EXISTS {{ {} }}; GRAPH ?g {{ {} }}"""
_around = st.sampled_from([text.strip() for text in _AROUND.split(";")])


@st.composite
def _groups(draw: st.DrawFn) -> str:
    inner = draw(st.permutations([draw(_driving), *draw(st.lists(_plain, max_size=3)), *draw(st.lists(_other, max_size=2))]))
    text = " . ".join(inner).replace("} . ", "} ").replace(") . ", ") ")
    return draw(_around).format(text)


def _answer(store: Store, text: str, graphs: int) -> Counter[str] | str:
    try:
        found = store.query(PREFIXES + text, default_graph=GRAPHS[:graphs], named_graphs=GRAPHS)
    except SyntaxError:
        return "no query"
    assert isinstance(found, QuerySolutions)
    names = sorted(variable.value for variable in found.variables)
    return Counter(str([str(row[name]) for name in names]) for row in found)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_quads, _groups(), st.integers(1, 2), st.lists(st.sampled_from(_NODES), max_size=4))
def test_what_is_rewritten_gives_the_same_solutions_each_as_often(
    quads: list[Quad], group: str, graphs: int, upstream: list[NamedNode]
) -> None:
    store = Store()
    store.extend(quads)
    text = f"{PREFIXES} SELECT * {{ {group} }}"
    if "upstreamOf" in text and "GRAPH ?g" in text:
        return  # refused
    rows = values(["?x"], [[str(node)] for node in upstream])
    plain = replaced(text, [(pattern, rows) for pattern in lineage_patterns(text)])
    turned = paths_first(text)
    if graphs == 1:
        turned = types_after_paths(turned)
    turned = replaced(turned, [(pattern, rows) for pattern in lineage_patterns(turned)], lateral=True)
    assert _answer(store, turned, graphs) == _answer(store, plain, graphs), turned


@pytest.mark.parametrize(
    "group",
    [
        ":m :p* ?x . ?x a :T ; rdfs:label ?l",
        "?x rdfs:label ?l ; a :T . :m (:p|^:q)+ ?x",
        "?x (^:p/:q)* :m ; a :T , :U .",
        ":m :p* ?x . FILTER(?l != 'x') ?x rdfs:label ?l OPTIONAL { ?x :q ?y }",
        ":m :p* ?x . ?x a :T . ?run :used ?x . ?run rdfs:label ?l",
        ":m rdfs:label ?n ; :p+ ?x . ?x :q [ :r ?y ]",
        "{ :m :p* ?x . ?x a :T } UNION { ?x a :U }",
        "{ SELECT ?x { :m :p* ?x . ?x a :T } LIMIT 3 } ?x rdfs:label ?l",
    ],
)
def test_what_is_said_of_a_paths_end_is_looked_up_in_turn(group: str) -> None:
    assert "LATERAL {" in paths_first(f"{PREFIXES} SELECT * {{ {group} }}")


@pytest.mark.parametrize(
    "group",
    [
        ":m :p* ?x",
        ":m :p ?x . ?x a :T",
        ":m :p* :n . ?x a :T",
        "?m :p* ?x . ?x a :T",
        ":m :p* ?x . ?x rdfs:label 'one'",
        ":m :p* ?x . ?x :q :c",
        ":m :p* ?x . ?x :q+ ?y",
        ":m :p* ?x . ?x :q _:n . _:n a :T",
        ":m :p* ?x . ?y a :T",
        "?x a :T OPTIONAL { ?x :q ?y } :m :p* ?x",
        "VALUES ?x { :a } :m :p* ?x . ?x a :T",
        "GRAPH ?g { :m :p* ?x . ?x a :T }",
        "?x :q ?y FILTER EXISTS { :m :p* ?x . ?x a :T }",
        ":m :p* ?x OPTIONAL { ?x a :T }",
    ],
)
def test_what_gains_nothing_or_cannot_be_shown_to_be_the_same_is_left_alone(group: str) -> None:
    text = f"{PREFIXES} SELECT * {{ {group} }}"
    assert paths_first(text) == text
