"""What a SPARQL server answers, read into terms: tables in JSON, graphs in N-Triples, yes or no in whatever form it comes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, Final, cast

from pyoxigraph import (
    BlankNode,
    QueryBoolean,
    QueryResultsFormat,
    QuerySolutions,
    RdfFormat,
    Store,
    Triple,
    parse,
    parse_query_results,
)

from headwater.errors import HeadwaterError
from headwater.store.remote import spelling
from headwater.store.remote.connection import Reply, StoreRefused

TABLE: Final = "application/sparql-results+json"
GRAPH: Final = "application/n-triples"
_BLOCK: Final = 1 << 18
_RESPELLED: Final = 4 << 20
"""Answers up to so many bytes are spelled as the embedded store spells them; a longer one is passed on while it comes."""

_LONGEST_NAME: Final = 200
"""More bytes than a datatype of ours takes, with what stands before it."""

Row = tuple[object, ...]


class _Source:
    """A reply as a file to read from. What breaks it is kept, because the parser would tell of it in words of its own."""

    def __init__(self, reply: Reply, begun: bytes = b"", *, exact: bool = False) -> None:
        self._reply = reply
        self._raw = begun
        self._ready = b""
        self._exact = exact
        self._ended = False
        self.error: HeadwaterError | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            if not (self._exact or self._raw or self._ready):
                return self._reply.read(size)
            while not self._ready and not (self._ended and not self._raw):
                self._fill()
        except HeadwaterError as error:
            self.error = error
            raise
        size = len(self._ready) if size < 0 else size
        given, self._ready = self._ready[:size], self._ready[size:]
        return given

    def _fill(self) -> None:
        """Take our own datatypes back, piece by piece: what may be the beginning of one waits for the next."""
        piece = b"" if self._ended else self._reply.read(_BLOCK)
        self._ended = not piece
        held = self._raw + piece
        cut = len(held)
        if self._exact and piece:
            near = held.rfind(b'"', max(0, cut - _LONGEST_NAME))
            begin = held.rfind(b'"datatype"', max(0, cut - 2 * _LONGEST_NAME))
            cut = begin if begin >= 0 else near if near >= 0 else cut
        self._ready, self._raw = held[:cut], held[cut:]
        if self._exact:
            self._ready = spelling.respelled(self._ready)


def solutions(reply: Reply, address: str, *, exact: bool, respell: bool) -> QuerySolutions:
    """The table that a reply holds. `exact`: take our own datatypes back; `respell`: spell values anew, unless it is very long.

    Raises `StoreRefused` where it is no table.
    """
    begun = bytearray()
    if respell:
        while len(begun) <= _RESPELLED:
            piece = reply.read(_BLOCK)
            if not piece:
                body = spelling.respelled(bytes(begun)) if exact else bytes(begun)
                return _anew(_parsed(body, address), body)
            begun += piece
    source = _Source(reply, bytes(begun), exact=exact)
    try:
        found = parse_query_results(cast(IO[bytes], source), format=QueryResultsFormat.JSON)
    except (SyntaxError, ValueError, OSError) as error:
        raise source.error or _no_answer(address, reply) from error
    if not isinstance(found, QuerySolutions):
        raise _no_answer(address, reply)
    return found


def _parsed(body: bytes, address: str) -> QuerySolutions:
    try:
        found = parse_query_results(body, format=QueryResultsFormat.JSON)
    except (SyntaxError, ValueError) as error:
        raise StoreRefused(f"{address} answered with what is no table of results.") from error
    if not isinstance(found, QuerySolutions):
        raise StoreRefused(f"{address} answered with yes or no instead of a table.")
    return found


def _anew(found: QuerySolutions, body: bytes) -> QuerySolutions:
    """The same table out of the embedded engine, which spells values as it always does."""
    variables = found.variables
    rows = []
    for row in found:
        terms = tuple(row)
        if any(isinstance(term, BlankNode | Triple) for term in terms):
            # No name for these can stand in a list of values.
            return _parsed(body, "the server")
        rows.append(f"({' '.join('UNDEF' if term is None else str(term) for term in terms)})")
    if not variables:
        return _parsed(body, "the server")
    names = " ".join(map(str, variables))
    again = Store().query(f"SELECT {names} {{ VALUES ({names}) {{ {' '.join(rows)} }} }}")
    assert isinstance(again, QuerySolutions)
    return again


def rows(reply: Reply, address: str) -> list[Row]:
    """All rows of a table, spelled as the embedded store spells them."""
    found = _parsed(reply.read(), address)
    try:
        return [tuple(spelling.read(term) for term in row) for row in found]
    except (SyntaxError, ValueError) as error:
        raise _no_answer(address, reply) from error


def streamed(reply: Reply, address: str) -> Iterator[Row]:
    """The rows of a table while it comes; to be read in one thread."""
    source = _Source(reply)
    try:
        found = parse_query_results(cast(IO[bytes], source), format=QueryResultsFormat.JSON)
        assert isinstance(found, QuerySolutions)
        for row in found:
            yield tuple(spelling.read(term) for term in row)
    except (SyntaxError, ValueError, OSError) as error:
        raise source.error or _no_answer(address, reply) from error
    finally:
        reply.close()


def triples(reply: Reply, address: str) -> Iterator[Triple]:
    """The triples of a graph in N-Triples while it comes, spelled as the embedded store spells them."""
    if reply.media_type not in (GRAPH, "text/plain"):
        reply.close()
        raise StoreRefused(f"{address} gives a graph as {reply.media_type or 'nothing known'} and not as {GRAPH}.")
    rest = b""
    try:
        while piece := reply.read(_BLOCK):
            block, newline, rest = (rest + piece).rpartition(b"\n")
            yield from _lines(block + newline, address)
        yield from _lines(rest, address)
    finally:
        reply.close()


def _lines(block: bytes, address: str) -> Iterator[Triple]:
    try:
        for quad in parse(block, format=RdfFormat.N_TRIPLES):
            value = spelling.read(quad.object)
            yield quad.triple if value is quad.object else Triple(quad.subject, quad.predicate, value)  # type: ignore[arg-type]
    except SyntaxError as error:
        raise StoreRefused(f"{address} answered with what is no N-Triples: {error}") from error


def truth(reply: Reply, address: str) -> bool:
    """Yes or no. Virtuoso gives a table of one number instead, `__ASK_RETVAL`."""
    body = reply.read()
    try:
        found = parse_query_results(body, format=QueryResultsFormat.JSON)
        if isinstance(found, QueryBoolean):
            return bool(found)
        table = json.loads(body)
    except (SyntaxError, ValueError) as error:
        raise StoreRefused(f"{address} answered with neither yes nor no.") from error
    if table.get("head", {}).get("vars") == ["__ASK_RETVAL"]:
        return any(row["__ASK_RETVAL"]["value"] == "1" for row in table["results"]["bindings"])
    raise StoreRefused(f"{address} answered with a table instead of yes or no.")


def yes_or_no(answer: bool) -> QueryBoolean:
    """The answer as the embedded engine gives it, to be written in any format."""
    found = Store().query("ASK {}" if answer else "ASK { FILTER(false) }")
    assert isinstance(found, QueryBoolean)
    return found


def _no_answer(address: str, reply: Reply) -> StoreRefused:
    return StoreRefused(
        f"{address} answered with {reply.media_type or 'something'} that is no table of results, or broke off.",
        remedy="Name the address of a SPARQL endpoint in the setting 'store', not that of a page.",
    )
