"""Updates that every SPARQL 1.1 server understands: lists of statements to add and to remove, in pieces that it can take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pyoxigraph import NamedNode, RdfFormat, Triple, serialize

Placed = tuple[Triple, NamedNode]
"""A triple and the graph that it stands in."""


def data(verb: str, quads: Sequence[Placed], at_most: int) -> Iterator[str]:
    """`INSERT DATA` or `DELETE DATA` operations of at most so many statements each.

    >>> s = NamedNode("urn:s")
    >>> list(data("INSERT", [(Triple(s, s, s), NamedNode("urn:g"))], 10))
    ['INSERT DATA {\\nGRAPH <urn:g> {\\n<urn:s> <urn:s> <urn:s> .\\n}\\n}']
    """
    for start in range(0, len(quads), at_most):
        by_graph: dict[NamedNode, list[Triple]] = {}
        for triple, graph in quads[start : start + at_most]:
            by_graph.setdefault(graph, []).append(triple)
        blocks = []
        for graph, triples in by_graph.items():
            body = serialize(triples, format=RdfFormat.N_TRIPLES)
            assert body is not None
            blocks.append(f"GRAPH {graph} {{\n{body.decode()}}}")
        yield f"{verb} DATA {{\n" + "\n".join(blocks) + "\n}"


def requests(operations: Iterable[str], most_characters: int) -> Iterator[str]:
    """Operations joined into requests of about so many characters; each operation stays whole.

    >>> list(requests(["a", "b", "c"], 5))
    ['a ;\\nb', 'c']
    """
    held: list[str] = []
    size = 0
    for operation in operations:
        if held and size + len(operation) > most_characters:
            yield " ;\n".join(held)
            held, size = [], 0
        held.append(operation)
        size += len(operation) + 3
    if held:
        yield " ;\n".join(held)
