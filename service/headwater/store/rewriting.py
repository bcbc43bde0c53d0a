"""SPARQL update texts, read without parsing them: what they may touch, and the dataset that a request names for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from headwater.errors import BadQuery
from headwater.store.reading import Clauses, Token, named, tokens


@dataclass(frozen=True, slots=True)
class Footprint:
    """What an update text names: all IRIs in it; whether it speaks of graphs by a variable; whether it clears all of them."""

    iris: frozenset[str]
    any_graph: bool
    everything: bool


def footprint(text: str, base: str = "") -> Footprint:
    """What an update may read and write, by its text; rather too much than too little.

    >>> found = footprint("DELETE { ?s ?p ?o } WHERE { GRAPH ?g { ?s ?p <urn:o> } }")
    >>> found.any_graph, sorted(found.iris)
    (True, ['urn:o'])
    >>> footprint("DROP SILENT ALL").everything
    True
    """
    iris = set()
    any_graph = everything = clearing = False
    before = ""
    for token, iri in named(text, base):
        word = token.text.upper() if token.kind == "word" else ""
        if iri is not None:
            iris.add(iri)
        if before == "GRAPH" and token.kind == "variable":
            any_graph = True
        if clearing and word in ("ALL", "NAMED"):
            everything = True
        clearing = word in ("CLEAR", "DROP") or (clearing and word == "SILENT")
        before = word
    return Footprint(frozenset(iris), any_graph or everything, everything)


def using(text: str, dataset: Clauses) -> str:
    """`text` with `USING` clauses for the dataset that the request named (SPARQL 1.1 Protocol, section 2.2.3).

    Raises `BadQuery` where the text names a dataset itself: the protocol forbids both.

    >>> using("INSERT { ?s a ?c } WHERE { ?s a ?c }", Clauses(("urn:g",), ()))
    'INSERT { ?s a ?c } USING <urn:g> WHERE { ?s a ?c }'
    >>> using("DELETE WHERE { ?s a ?c }", Clauses((), ("urn:g",)))
    'DELETE { ?s a ?c } USING NAMED <urn:g> WHERE { ?s a ?c }'
    """
    if not dataset:
        return text
    clauses = "".join([*(f"USING <{_iri(g)}> " for g in dataset.default), *(f"USING NAMED <{_iri(g)}> " for g in dataset.named)])
    top = [token for token in tokens(text) if token.depth == 0]
    if any(token.kind == "word" and token.text.upper() in ("USING", "WITH") for token in top):
        raise BadQuery(
            "The update names its dataset by USING or WITH, and the request by using-graph-uri or using-named-graph-uri.",
            remedy="Name it in one of the two places.",
        )
    pieces, place = [], 0
    earlier: list[Token | None] = [None, *top]
    for before, token in zip(earlier, top, strict=False):
        if token.kind != "word" or token.text.upper() != "WHERE":
            continue
        if before is not None and before.kind == "word" and before.text.upper() == "DELETE":
            pattern = _block(text, top, token)
            pieces.append(f"{text[place : token.start]}{pattern} {clauses}WHERE")
        else:
            pieces.append(f"{text[place : token.start]}{clauses}WHERE")
        place = token.end
    return "".join(pieces) + text[place:]


def _block(text: str, top: Iterable[Token], after: Token) -> str:
    """The group in braces that follows a token."""
    braces = [token for token in top if token.start >= after.end and token.kind in ("open", "close")]
    if len(braces) < 2:
        raise BadQuery("The update does not parse: WHERE without a group in braces.")
    return text[braces[0].start : braces[1].end]


def _iri(text: str) -> str:
    if any(character in text for character in '<>"{}|^`\\') or any(ord(character) <= 0x20 for character in text):
        raise BadQuery(f"'{text[:80]}' is no IRI.")
    return text
