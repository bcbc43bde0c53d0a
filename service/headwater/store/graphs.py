"""The names of the graphs that a record has in the store."""

from __future__ import annotations

from pyoxigraph import NamedNode

from headwater.terms.minting import entailed


def entailed_graph(record: str) -> NamedNode:
    """The graph of what follows from a record's statements."""
    return NamedNode(entailed(record))


def graphs_of(record: str) -> tuple[NamedNode, NamedNode]:
    """The graph of what a record asserts, and that of what follows.

    >>> [graph.value for graph in graphs_of("urn:r")]
    ['urn:r', 'urn:r#entailed']
    """
    return NamedNode(record), entailed_graph(record)
