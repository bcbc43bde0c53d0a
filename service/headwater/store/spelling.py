"""How the triplestore spells what it is given: `1.50` comes back as `1.5`, `7^^xsd:int` as `7^^xsd:integer`."""

from __future__ import annotations

from functools import lru_cache

from pyoxigraph import Literal, NamedNode, Quad, Store, Triple

from headwater.terms.names import XSD


@lru_cache(maxsize=4096)
def as_stored(term: Literal) -> Literal:
    """A term as Oxigraph keeps it: a literal may be spelled anew.

    >>> as_stored(Literal("1.50", datatype=XSD.decimal)).value
    '1.5'
    """
    if term.language or term.datatype == XSD.string:
        return term
    store, any_node = Store(), NamedNode("urn:any")
    store.add(Quad(any_node, any_node, term))
    (kept,) = store
    assert isinstance(kept.object, Literal)
    return kept.object


def triple_as_stored(triple: Triple) -> Triple:
    """A triple as Oxigraph keeps it.

    >>> name = NamedNode("urn:x")
    >>> triple_as_stored(Triple(name, name, Literal("07", datatype=XSD.int))).object.value
    '7'
    """
    value = triple.object
    if not isinstance(value, Literal) or (kept := as_stored(value)) == value:
        return triple
    return Triple(triple.subject, triple.predicate, kept)
