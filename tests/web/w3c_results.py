"""Comparing answers of SPARQL queries as bags of solutions, whatever names blank nodes have."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path

from pyoxigraph import (
    BlankNode,
    Literal,
    NamedNode,
    Quad,
    QueryBoolean,
    QueryResultsFormat,
    QuerySolutions,
    RdfFormat,
    Store,
    Triple,
    parse,
    parse_query_results,
)

from headwater.store.spelling import as_stored
from headwater.terms.names import RDF, Namespace
from tests.web.w3c_sparql import same_graph

Term = NamedNode | BlankNode | Literal | Triple
Row = Mapping[str, Term]
FORMATS = {".srx": QueryResultsFormat.XML, ".srj": QueryResultsFormat.JSON, ".tsv": QueryResultsFormat.TSV}
_RS = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/result-set#")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?$")
_SKOLEM = ".well-known/genid/"


@cache
def _respelled(literal: Literal) -> Literal:
    return as_stored(literal)


def unskolemised(term: Term, base: str) -> Term:
    """A term of ours as the suite means it: a blank node for the IRI that stands for one, a literal in the store's spelling."""
    if isinstance(term, NamedNode) and term.value.startswith(base + _SKOLEM):
        return BlankNode("g" + term.value.removeprefix(base + _SKOLEM))
    return _respelled(term) if isinstance(term, Literal) else term


def answer(body: bytes, format: QueryResultsFormat, base: str) -> bool | list[Row]:
    """A SELECT's rows or an ASK's truth value, read from a serialisation."""
    results = parse_query_results(body, format=format)
    if isinstance(results, QueryBoolean):
        return bool(results)
    assert isinstance(results, QuerySolutions)
    names = [variable.value for variable in results.variables]
    rows = []
    for solution in results:
        bound = {name: solution[name] for name in names}
        rows.append({name: unskolemised(term, base) for name, term in bound.items() if term is not None})  # type: ignore[arg-type]
    return rows


def same_rows(one: Iterable[Row], other: Iterable[Row]) -> bool:
    """Whether two answers are the same as bags, but for the names of blank nodes."""
    sides = []
    for rows in (one, other):
        ground: Counter[frozenset[tuple[str, Term]]] = Counter()
        quads = []
        for number, row in enumerate(rows):
            if any(isinstance(term, BlankNode) for term in row.values()):
                line = BlankNode(f"row{number}")
                quads += [Quad(line, NamedNode(f"urn:variable:{name}"), term) for name, term in row.items()]
            else:
                ground[frozenset(row.items())] += 1
        sides.append((ground, quads))
    return sides[0][0] == sides[1][0] and same_graph(sides[0][1], sides[1][1])


def same_csv(one: bytes, other: bytes, base: str) -> bool:
    """Whether two CSV answers have the same columns, in whatever order `SELECT *` gives them, and the same lines.

    Blank nodes are only told from other things, and numbers are the same however they are spelled.
    """

    def read(body: bytes) -> Counter[frozenset[tuple[str, str]]]:
        lines = csv.DictReader(io.StringIO(body.decode(), newline=""))
        return Counter(frozenset((name, _cell(text, base)) for name, text in line.items()) for line in lines)

    return read(one) == read(other)


def _cell(text: str, base: str) -> str:
    if text.startswith(("_:", base + _SKOLEM)):
        return "_:"
    return str(Decimal(text).normalize()) if _NUMBER.match(text) else text


def graph(body: bytes, format: RdfFormat, base_iri: str, base: str) -> list[Quad]:
    """A graph's statements, with blank nodes for the IRIs that stand for them here."""
    found = []
    for quad in parse(body, format=format, base_iri=base_iri):
        subject, value = unskolemised(quad.subject, base), unskolemised(quad.object, base)
        assert isinstance(subject, NamedNode | BlankNode)
        found.append(Quad(subject, quad.predicate, value))
    return found


def graph_of(path: Path, base_iri: str, base: str) -> list[Quad]:
    """The statements of a file of the suite."""
    format = RdfFormat.from_extension(path.suffix.removeprefix("."))
    assert format is not None, path
    return graph(path.read_bytes(), format, base_iri, base)


def table_in(quads: Iterable[Quad]) -> list[Row] | None:
    """The rows of an answer that is written as RDF; None for a graph that is none."""
    store = Store()
    store.extend(quads)
    if not any(store.quads_for_pattern(None, RDF.type, _RS.ResultSet)):
        return None
    rows: list[Row] = []
    for solution in store.quads_for_pattern(None, _RS.solution, None):
        row: dict[str, Term] = {}
        for binding in store.quads_for_pattern(solution.object, _RS.binding, None):  # type: ignore[arg-type]
            variable, value = (
                next(store.quads_for_pattern(binding.object, name, None)).object  # type: ignore[arg-type]
                for name in (_RS.variable, _RS.value)
            )
            assert isinstance(variable, Literal)
            row[variable.value] = value
        rows.append(row)
    return rows
