"""Literals that a SPARQL server would change are kept under a datatype of our own, so that nothing gets lost in it.

Virtuoso refuses an integer of twenty digits and cuts decimals and fractions of seconds; `"x"^^xsd:integer` it does not take.
Such a literal is written as `"…"^^<…#exact-integer>` there, and read as what it was. How a server spells a value that it does
keep (`1` for `true`, `0.1e0` for `0.1`) makes no difference: what comes back is spelled as the embedded store spells it.
"""

from __future__ import annotations

import re
from typing import Final

from pyoxigraph import Literal, NamedNode, Quad, Triple

from headwater.store.spelling import as_stored
from headwater.terms.names import HW, XSD

_XSD: Final = XSD["integer"].value.removesuffix("integer")
_EXACT: Final = f"{HW}exact-"
_JSON_EXACT: Final = re.compile(rb'("datatype"\s*:\s*")' + re.escape(_EXACT.encode()).replace(b"/", rb"\\?/"))
_PLAIN: Final = {
    XSD["boolean"].value: re.compile("true|false"),
    XSD["integer"].value: re.compile(r"-?\d{1,15}"),
    XSD["decimal"].value: re.compile(r"(?=(?:\D*\d){1,13}\D*\Z)-?\d+(?:\.\d+)?"),
    XSD["dateTime"].value: re.compile(
        r"[12]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?(?:Z|[+-](?:0\d|1[0-3]):[0-5]\d)?"
    ),
    XSD["date"].value: re.compile(r"[12]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])"),
    XSD["double"].value: re.compile(r"[+-]?\d{1,9}(?:\.\d{1,6})?(?:[eE][+-]?\d{1,2})?"),
    XSD["float"].value: re.compile(r"[+-]?\d{1,4}(?:\.\d{1,2})?"),
    XSD["anyURI"].value: re.compile(r"\S*"),
}
"""The spellings of XSD values that every server tried keeps as the values that they are."""


def written(term: Literal, careful: bool) -> Literal:
    """A literal as it is written to a server; `careful` for one that changes values.

    >>> written(Literal("0.123456789012345678", datatype=XSD.decimal), True).datatype.value
    'https://w3id.org/headwater/terms#exact-decimal'
    """
    if term.language is not None or term.datatype == XSD.string:
        return term
    kept = as_stored(term)
    datatype = kept.datatype.value
    if not careful or not datatype.startswith(_XSD):
        return kept
    plain = _PLAIN.get(datatype)
    if plain is not None and plain.fullmatch(kept.value):
        return kept
    return Literal(kept.value, datatype=NamedNode(_EXACT + datatype.removeprefix(_XSD)))


def read(term: object) -> object:
    """A term as a server gives it, spelled as the embedded store spells it.

    >>> read(Literal("0.1e0", datatype=XSD.double)).value
    '0.1'
    """
    if not isinstance(term, Literal) or term.language is not None or term.datatype == XSD.string:
        return term
    datatype = term.datatype.value
    if datatype.startswith(_EXACT):
        return Literal(term.value, datatype=NamedNode(_XSD + datatype.removeprefix(_EXACT)))
    return as_stored(term)


def respelled(body: bytes) -> bytes:
    """A table of results in JSON with the datatypes that it had before `written`.

    >>> respelled(b'{"datatype": "https://w3id.org/headwater/terms#exact-decimal", "value": "1"}')
    b'{"datatype": "http://www.w3.org/2001/XMLSchema#decimal", "value": "1"}'
    """
    return _JSON_EXACT.sub(rb"\g<1>" + _XSD.encode(), body)


def triple(given: Triple, careful: bool) -> Triple:
    """A triple as it is written to a server."""
    value = given.object
    if not isinstance(value, Literal):
        return given
    kept = written(value, careful)
    return given if kept == value else Triple(given.subject, given.predicate, kept)


def quads(given: list[Quad], careful: bool) -> list[tuple[Triple, NamedNode]]:
    """Quads as they are written to a server; each has a named graph."""
    found = []
    for quad in given:
        if not isinstance(quad.graph_name, NamedNode):
            raise TypeError(f"a statement for a store stands in a named graph, not in {quad.graph_name}")
        found.append((triple(quad.triple, careful), quad.graph_name))
    return found
