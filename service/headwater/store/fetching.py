"""What a SPARQL text fetches from elsewhere: `SERVICE` and `LOAD`, found in its tokens, to be looked at and replaced.

Only for texts that `headwater.store.guard.guard` let pass: there these words stand by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headwater.errors import BadQuery
from headwater.store.reading import Token, named


@dataclass(frozen=True, slots=True)
class Fetch:
    """One `SERVICE` or `LOAD`: where its address stands, where all of it does, and the graph that is loaded into, as written.

    `within`: it stands in the braces of another one, and is that other server's to ask.
    """

    iri: str
    address: tuple[int, int]
    place: tuple[int, int]
    silent: bool
    into: str = ""
    within: bool = False


def fetches(text: str, word: str, base: str = "") -> list[Fetch]:
    """Each `SERVICE` (or `LOAD`) of a text. Raises `BadQuery` for one whose address is a variable or cannot be read.

    >>> [one.iri for one in fetches("PREFIX e: <http://e.x/> ASK { SERVICE SILENT e:sparql { ?s ?p 'SERVICE' } }", "SERVICE")]
    ['http://e.x/sparql']
    >>> [(one.iri, one.into) for one in fetches("LOAD <http://e.x/a.ttl> INTO GRAPH <urn:g>", "LOAD")]
    [('http://e.x/a.ttl', '<urn:g>')]
    >>> text = "{ { SERVICE <a:> { { ?s ?p ?o } SERVICE <b:> { ?s ?p ?o } } SERVICE <c:> { ?s ?p ?o } }"
    >>> [(one.iri, one.within) for one in fetches(text, "SERVICE")]
    [('a:', False), ('b:', True), ('c:', False)]
    """
    told = list(named(text, base))
    found: list[Fetch] = []
    outer: int | None = None
    for number, (token, _) in enumerate(told):
        if outer is not None and token.text == "}" and token.depth == outer:
            outer = None
        if not _is(token, word):
            continue
        place = number + 1
        silent = place < len(told) and _is(told[place][0], "SILENT")
        place += silent
        address, iri = told[place] if place < len(told) else (token, None)
        if iri is None:
            raise BadQuery(
                f"{word} {address.text[:80]} names no address.",
                remedy=f"Write the address itself after {word}: one in a variable cannot be looked at beforehand.",
            )
        end, into = address.end, ""
        if word == "LOAD" and [one.text.upper() for one, _ in told[place + 1 : place + 3]] == ["INTO", "GRAPH"]:
            graph, name = told[place + 3] if place + 3 < len(told) else (address, None)
            if name is None:
                raise BadQuery("LOAD … INTO GRAPH names no graph.")
            end, into = graph.end, f"<{name}>"
        found.append(Fetch(iri, (address.start, address.end), (token.start, end), silent, into, outer is not None))
        outer = token.depth if outer is None and word == "SERVICE" else outer
    return found


def _is(token: Token, word: str) -> bool:
    return token.kind == "word" and token.text.upper() == word


def allowed(address: str, addresses: Sequence[str]) -> bool:
    """Whether an address is one of `addresses`, or begins with one of them that ends in a slash.

    >>> [allowed(f"https://e.x/{path}", ["https://e.x/sparql", "https://e.x/d/"]) for path in ("sparql", "sparql2", "d/1")]
    [True, False, True]
    >>> allowed("https://o.x/d/../secret", ["https://o.x/d/"])
    False
    """
    path = address.lower().replace("%2e", ".").replace("%2f", "/").partition("?")[0]
    if any(part in (".", "..") for part in path.split("/")) or any(sign in address for sign in "\\#"):
        return False
    return any(address == one or (one.endswith("/") and address.startswith(one)) for one in addresses)
