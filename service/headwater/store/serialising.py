"""Running a query on an Oxigraph store and writing its answer in a media type, in the thread that asks."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Protocol, cast

from pyoxigraph import (
    NamedNode,
    QueryBoolean,
    QueryResultsFormat,
    QuerySolutions,
    QueryTriples,
    RdfFormat,
    Store,
    Triple,
    Variable,
    serialize,
)

from headwater.errors import BadQuery, NotAcceptable, StorageFailed, TooLarge
from headwater.store.no_steps import with_no_steps
from headwater.store.protocol import StoreBroken
from headwater.terms.names import PREFIXES

Results = QuerySolutions | QueryBoolean | QueryTriples

_RESULT_FORMATS = {
    "application/sparql-results+json": QueryResultsFormat.JSON,
    "application/sparql-results+xml": QueryResultsFormat.XML,
    "text/csv": QueryResultsFormat.CSV,
    "text/tab-separated-values": QueryResultsFormat.TSV,
    "application/json": QueryResultsFormat.JSON,
    "application/xml": QueryResultsFormat.XML,
}
_GRAPH_FORMATS = {
    "text/turtle": RdfFormat.TURTLE,
    "application/n-triples": RdfFormat.N_TRIPLES,
    "application/rdf+xml": RdfFormat.RDF_XML,
    "application/ld+json": RdfFormat.JSON_LD,
    "application/trig": RdfFormat.TRIG,
    "application/n-quads": RdfFormat.N_QUADS,
}


class Output(Protocol):
    """Where an answer is written to; what `write` raises stops the query."""

    def write(self, data: bytes, /) -> int: ...


def run(
    store: Store,
    text: str,
    graphs: Sequence[NamedNode],
    named: Sequence[NamedNode] = (),
    bindings: Mapping[str, object] | None = None,
    base: str = "",
) -> Results:
    """Ask `store` with `graphs` merged as the default graph and only `named` as named graphs.

    `base` is what relative IRIs in the text start from. Raises `BadQuery` for a text that does not parse, `StorageFailed` and
    `StoreBroken` for what the disk says.
    """

    def names(node: NamedNode) -> bool:
        return any(
            next(iter(quads), None) is not None
            for graph in graphs
            for quads in (
                store.quads_for_pattern(node, None, None, graph),
                store.quads_for_pattern(None, None, node, graph),
            )
        )

    given = {Variable(name): value for name, value in (bindings or {}).items()}
    try:
        return store.query(
            with_no_steps(text, base, names),
            base_iri=base or None,
            default_graph=list(graphs),
            named_graphs=list(named),
            substitutions=given or None,  # type: ignore[arg-type]
        )
    except SyntaxError as error:
        raise BadQuery(f"The query does not parse: {in_short(error)}") from error
    except OSError as error:
        raise StorageFailed(f"The triplestore could not be read: {error}") from error
    except (ValueError, RuntimeError) as error:
        if "Corruption" in str(error):
            raise StoreBroken(f"The triplestore is damaged: {error}") from error
        raise BadQuery(f"The query cannot be evaluated: {error}") from error


def write(results: Results, accept: str | None, output: Output, begin: Callable[[str], None] = lambda _: None) -> str:
    """Write an answer as `accept` (None: the usual form) and return its media type, which `begin` is told before the first byte.

    Raises `NotAcceptable` where the answer cannot be had so.
    """
    if isinstance(results, QueryTriples):
        return write_graph(results, accept, output, begin)
    media_type = accept or "application/sparql-results+json"
    refuse_other_than(media_type, graph=False)
    result_format = _RESULT_FORMATS[media_type]
    begin(media_type)
    if isinstance(results, QueryBoolean) and result_format in (QueryResultsFormat.CSV, QueryResultsFormat.TSV):
        # SPARQL 1.1 defines CSV and TSV for SELECT only; a bare word is what clients expect for ASK.
        output.write(b"true\n" if results else b"false\n")
        return media_type
    with _reading():
        results.serialize(cast(IO[bytes], output), format=result_format)
    return media_type


@contextmanager
def _reading() -> Iterator[None]:
    """What the engine reads while it writes an answer may fail as well."""
    try:
        yield
    except OSError as error:
        raise StorageFailed(f"The triplestore could not be read: {error}") from error


def refuse_other_than(accept: str | None, *, graph: bool) -> None:
    """Raises `NotAcceptable` where a graph, or a table, cannot be had as `accept`; None always can."""
    formats: Mapping[str, object] = _GRAPH_FORMATS if graph else _RESULT_FORMATS
    if accept is not None and accept not in formats:
        what = "graph" if graph else "table"
        raise NotAcceptable(f"A {what} cannot be had as {accept}; it can be as: {', '.join(formats)}.")


def write_graph(
    triples: Iterable[Triple], accept: str | None, output: Output, begin: Callable[[str], None] = lambda _: None
) -> str:
    """Write triples as `write` does the answer to a CONSTRUCT."""
    media_type = accept or "text/turtle"
    refuse_other_than(media_type, graph=True)
    graph_format = _GRAPH_FORMATS[media_type]
    prefixes = dict(PREFIXES) if graph_format in (RdfFormat.TURTLE, RdfFormat.TRIG, RdfFormat.RDF_XML) else None
    begin(media_type)
    with _reading():
        serialize(triples, cast(IO[bytes], output), format=graph_format, prefixes=prefixes)
    return media_type


class Bounded(io.BytesIO):
    """Collects bytes up to a limit; going over it stops the serialiser at once, and with it the query."""

    def __init__(self, limit: int | None) -> None:
        super().__init__()
        self._limit = limit

    def write(self, data: object) -> int:
        written = super().write(data)  # type: ignore[arg-type]
        if self._limit is not None and self.tell() > self._limit:
            raise TooLarge(
                f"The answer is larger than {self._limit // 2**20} MiB.",
                remedy="Ask for less (LIMIT, fewer columns), or raise max_answer_mb.",
            )
        return written


def in_short(error: SyntaxError) -> str:
    """The parser's message without the classes of characters that it would also have taken."""
    where, colon, expected = " ".join(str(error).split()).partition("expected one of ")
    wanted = [word for word in re.findall(r'"[^"]*"|[A-Z]{2,}|Prefix not found', expected) if word != "Prefix not found"]
    if "Prefix not found" in expected:
        return f"{where}the prefix is not declared"
    if not colon or not wanted:
        return f"{where}{expected}"[:300]
    return f"{where}expected one of {', '.join(dict.fromkeys(wanted))}"[:300]
