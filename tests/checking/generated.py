"""Shapes and graphs made at random: every constraint that is compiled, nested in every other, over paths of every form."""

from __future__ import annotations

from hypothesis import strategies as st
from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, parse

from headwater.terms.names import RDF, RDFS, XSD

HEAD = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix : <urn:> .
"""


def triples(turtle: str) -> list[Triple]:
    """What a few lines of Turtle say."""
    return [quad.triple for quad in parse((HEAD + turtle).encode(), format=RdfFormat.TURTLE)]


# --- shapes

_PATHS = [
    "[ sh:zeroOrMorePath {} ]",
    "[ sh:oneOrMorePath {} ]",
    "[ sh:zeroOrOnePath {} ]",
    "[ sh:inversePath {} ]",
    "( {} {} )",
    "[ sh:alternativePath ( {} {} ) ]",
]
_ON_VALUES = [
    "sh:class :C",
    "sh:class :C, :D",
    *(f"sh:datatype xsd:{name}" for name in ("integer", "decimal", "double", "string", "boolean", "date", "dateTime")),
    *(f"sh:datatype xsd:{name}" for name in ("byte", "float", "gYear", "duration")),
    "sh:datatype rdf:langString",
    *(
        f"sh:nodeKind sh:{name}"
        for name in ("IRI", "BlankNode", "Literal", "BlankNodeOrIRI", "BlankNodeOrLiteral", "IRIOrLiteral")
    ),
    "sh:in ( :n0 :n1 7 'text' 'text'@en true )",
    "sh:in ()",
    "sh:hasValue :n1",
    "sh:hasValue 7",
    "sh:hasValue 'text', :n0",
    "sh:hasValue '1'^^xsd:boolean",
    "sh:pattern '^(?!urn:n0)'",
    "sh:pattern 'TEXT' ; sh:flags 'i'",
    "sh:pattern 'e', 'x'",
    "sh:languageIn ( 'en' 'fr' )",
    "sh:minLength 5",
    "sh:maxLength 4",
    *(f"sh:{side} {limit}" for side in ("minInclusive", "maxExclusive") for limit in ("5", "7.0", "7e0", "'text'", "true")),
    *(f"sh:{side} {limit}" for side in ("minExclusive", "maxInclusive") for limit in ("7", "'2026-01-01'^^xsd:date")),
    "sh:minInclusive '2026-01-01T12:00:00Z'^^xsd:dateTime",
    "sh:maxInclusive '2026-01-01T12:00:00'^^xsd:dateTime",
    "sh:equals :r",
    "sh:disjoint :q",
    "sh:disjoint :q, :r",
]
_ON_PATHS = [
    "sh:minCount 1",
    "sh:minCount 2",
    "sh:maxCount 1",
    "sh:maxCount 0",
    "sh:uniqueLang true",
    "sh:uniqueLang '1'^^xsd:boolean",
]
_CLOSED = [f"sh:closed true ; sh:ignoredProperties ( {ignored} )" for ignored in ("", "rdf:type", ":p :q", "rdf:type :r")]
_TARGETS = [
    "sh:targetClass :C",
    "sh:targetSubjectsOf :p",
    "sh:targetObjectsOf :q",
    "sh:targetNode :n0, :absent, 7, 'text'@en",
    "sh:targetClass :D ; sh:targetSubjectsOf :r ; sh:targetObjectsOf :p ; sh:targetNode :n1",
]


@st.composite
def paths(draw: st.DrawFn, depth: int = 2) -> str:
    """A property path of any form."""
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from([":p", ":q", ":r"]))
    form = draw(st.sampled_from(_PATHS))
    return form.format(*(draw(paths(depth - 1)) for _ in range(form.count("{}"))))


@st.composite
def _constraint(draw: st.DrawFn, simple: list[str], depth: int) -> str:
    """A constraint: one of `simple`, or one that rests on other shapes."""
    forms = ["not", "node", "and", "or", "xone", "property"] if depth else []
    form = draw(st.sampled_from([*["simple"] * 4, *forms]))
    if form == "simple":
        return draw(st.sampled_from(simple))
    if form in ("and", "or", "xone"):
        return f"sh:{form} ( {' '.join(draw(_shape(depth - 1)) for _ in range(draw(st.integers(1, 3))))} )"
    if form == "not":
        return f"sh:not {draw(_shape(depth - 1))}"
    return f"sh:{form} {draw(_node_shape(depth - 1) if form == 'node' else _property_shape(depth - 1))}"


@st.composite
def _asked(draw: st.DrawFn, simple: list[str], depth: int) -> str:
    # One of each parameter: a second sh:datatype or sh:in makes a shape ill formed.
    asked = [draw(_constraint(simple, depth)) for _ in range(draw(st.integers(1, 2)))]
    return " ; ".join({text.split()[0]: text for text in asked}.values())


@st.composite
def _node_shape(draw: st.DrawFn, depth: int) -> str:
    return f"[ {draw(_asked([*_ON_VALUES, *_CLOSED], depth))} ]"


@st.composite
def _property_shape(draw: st.DrawFn, depth: int) -> str:
    asked = draw(_asked([*_ON_VALUES, *_ON_PATHS, *_ON_PATHS, _CLOSED[0]], depth))
    if depth and draw(st.booleans()):
        side, limit = draw(st.sampled_from(["qualifiedMinCount", "qualifiedMaxCount"])), draw(st.integers(0, 2))
        alone = draw(st.sampled_from(["true", "true", "false"]))
        wanted = draw(_shape(depth - 1))
        asked += f" ; sh:qualifiedValueShape {wanted} ; sh:{side} {limit} ; sh:qualifiedValueShapesDisjoint {alone}"
    return f"[ sh:path {draw(paths())} ; {asked} ]"


def _shape(depth: int) -> st.SearchStrategy[str]:
    return _node_shape(depth) | _property_shape(depth)


@st.composite
def shapes(draw: st.DrawFn) -> str:
    """One shape with targets, in Turtle."""
    target = draw(st.sampled_from(_TARGETS))
    form = draw(st.sampled_from(["node", "property", "properties", "closed"]))
    if form == "node":
        return f":S a sh:NodeShape ; {target} ; {draw(_node_shape(2))[1:-1]} ."
    if form == "property":
        return f":S a sh:PropertyShape ; {target} ; {draw(_property_shape(2))[1:-1]} ."
    held = ", ".join(draw(_property_shape(2)) for _ in range(draw(st.integers(1, 3))))
    closed = f"{draw(st.sampled_from(_CLOSED))} ; " if form == "closed" else ""
    return f":S a sh:NodeShape ; {target} ; {closed}sh:property {held} ."


COMPARISONS = [
    f":S a sh:NodeShape ; {target} ; {form.format(f'[ sh:path {path} ; sh:{sign} {other} ]')} ."
    for target in ("sh:targetClass :C", "sh:targetSubjectsOf :p", "sh:targetNode :n0, :n1")
    for form in ("sh:property {}", "sh:not {}", "sh:or ( {} [ sh:class :D ] )")
    for path, other in ((":p", ":r"), ("[ sh:alternativePath ( :p :q ) ]", ":r"), (":q", ":p, :r"))
    for sign in ("lessThan", "lessThanOrEquals")
]
"""Shapes that compare values; pyshacl orders IRIs, too, and raises for a blank node, so that data for them has neither."""

# --- data

NODES = [NamedNode(f"urn:n{number}") for number in range(3)]
BLANK = BlankNode("b0")
_TYPED = [
    ("7", "integer"),
    ("5", "integer"),
    ("123456789012345678901234567890", "integer"),
    ("7.0", "decimal"),
    ("6.5", "decimal"),
    ("7E0", "double"),
    ("NaN", "double"),
    ("0.1", "float"),
    ("0.1", "decimal"),
    ("seven", "integer"),
    ("c", "byte"),
    ("true", "boolean"),
    ("0", "boolean"),
    ("yes", "boolean"),
    ("2026-01-01", "date"),
    ("2026-01-01Z", "date"),
    ("2026-02-30", "date"),
    ("2026-01-01", "dateTime"),
    ("2026-01-01T12:00:00Z", "dateTime"),
    ("2026-01-01T13:00:00", "dateTime"),
    ("2026-01-03T13:00:00", "dateTime"),
    ("P1D", "duration"),
    ("a", "duration"),
]
TEXTS = [Literal(text, datatype=XSD[kind]) for text, kind in _TYPED]
TEXTS += [Literal("text"), Literal(""), Literal("A longer text"), Literal("x", datatype=NamedNode("urn:mine"))]
TEXTS += [Literal(text, language=tag) for text, tag in (("text", "en"), ("word", "en"), ("mot", "fr"), ("text", "en-gb"))]
_UNCOMPARED = [text for text in TEXTS if text.language or text.value == "P1D"]
"""Texts that Oxigraph puts in an order of its own, as SPARQL lets it."""

_SUBJECTS = st.sampled_from([*NODES, BLANK])
_LINKS = st.sampled_from([NamedNode(f"urn:{name}") for name in "pqr"])
_KINDS = st.builds(Triple, _SUBJECTS, st.just(RDF.type), st.sampled_from([NamedNode("urn:C"), NamedNode("urn:D")]))
_BELOW = st.just(Triple(NamedNode("urn:D"), RDFS.subClassOf, NamedNode("urn:C")))
STATEMENTS = st.one_of(
    _KINDS,
    _BELOW,
    st.builds(Triple, _SUBJECTS, _LINKS, st.sampled_from(TEXTS)),
    st.builds(Triple, _SUBJECTS, _LINKS, _SUBJECTS),
)
COMPARED = st.one_of(
    _KINDS, st.builds(Triple, _SUBJECTS, _LINKS, st.sampled_from([text for text in TEXTS if text not in _UNCOMPARED]))
)
