"""What a plain store says to the same query, for comparing: the statements that a reader may see, and nothing around them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

from pyoxigraph import DefaultGraph, NamedNode, Quad, QueryResultsFormat, QueryTriples, RdfFormat, Store, parse, serialize

from headwater.errors import HeadwaterError
from headwater.store.guard import guard
from headwater.store.no_steps import with_no_steps
from headwater.store.patterns import mentions_lineage

Bag = Counter[str] | bool | None
_UNSURE = ("LIMIT", "OFFSET", "SAMPLE", "GROUP_CONCAT")
"""Where a query has one of these, several answers are right, and they have the same number of rows."""


class Judge:
    """An Oxigraph in memory with the graphs that a reader may see, each also part of the default graph."""

    def __init__(self, graphs: Mapping[str, str], base: str) -> None:
        """`graphs` are their names with their statements in Turtle; `base` is where relative IRIs start from."""
        self._base = base
        self._store = Store()
        for name, text in graphs.items():
            for quad in parse(text, RdfFormat.TURTLE):
                self._store.add(Quad(quad.subject, quad.predicate, quad.object, NamedNode(name)))
                self._store.add(Quad(quad.subject, quad.predicate, quad.object))

    def answers(self, text: str) -> tuple[bool, Bag]:
        """Whether the text is a query that may be asked, and the bag of rows (for ASK, the boolean)."""
        try:
            guard(text, 100_000)
            # What Oxigraph leaves out of paths of no steps is held against SPARQL's definition in tests/store/test_no_steps.py.
            found = self._store.query(with_no_steps(text, self._base, self._names), base_iri=self._base)
        except (SyntaxError, ValueError, OSError, RuntimeError, HeadwaterError):
            return False, None
        if isinstance(found, QueryTriples):
            return True, bag(serialize(found, format=RdfFormat.N_TRIPLES) or b"", text)
        return True, bag(found.serialize(format=QueryResultsFormat.JSON) or b"", text)

    def _names(self, node: NamedNode) -> bool:
        """Whether a statement of the default graph has a thing as subject or object."""
        places = ((node, None, None), (None, None, node))
        return any(True for place in places for _ in self._store.quads_for_pattern(*place, DefaultGraph()))


def bag(body: bytes, text: str) -> Bag:
    """An answer as a bag of rows; blank nodes count as one, and where the query leaves a choice, so do all rows."""
    if body[:1] == b"{":
        found = json.loads(body)
        if "boolean" in found:
            return bool(found["boolean"])
        rows = [json.dumps(_plain(row), sort_keys=True) for row in found["results"]["bindings"]]
    else:
        rows = [
            " ".join("_:b" if part.startswith("_:") else part for part in line.split(" "))
            for line in set(body.decode().splitlines())
        ]
    if any(word in text.upper() for word in _UNSURE):
        return Counter({"row": len(rows)})
    return Counter(rows)


def _plain(row: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    return {name: {**value, "value": "b"} if value["type"] == "bnode" else value for name, value in row.items()}


def comparable(text: str) -> bool:
    """Whether the answer is the same each time, and asks only for what a plain store knows."""
    words = text.upper()
    # A graph that does not exist for the reader is none of his named graphs, while the plain store takes it for an empty one.
    changing = ("NOW", "RAND", "UUID", "BNODE", "FROM NAMED T:HIDDEN", "FROM NAMED <URN:T:HIDDEN>")
    return not any(word in words for word in changing) and not mentions_lineage(text)
