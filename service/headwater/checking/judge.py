"""Asking pyshacl whether things conform to their shapes, in the one way that is sound and quick enough.

pyshacl's own options for checking a few things only (`focus_nodes=`, `use_shapes=`) let nested shapes pass unseen, so each shape
is asked directly about the nodes that are its targets. Two repairs are needed over an Oxigraph store (pyshacl 0.40.1): a data graph
that counts as true without counting its triples, and plain strings in the shapes written as `xsd:string`, as Oxigraph gives them
back. Importing this module costs a third of a second: `headwater.checking.gate` does so at the first check.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import rdflib
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Store, Triple
from pyshacl.graph_abstraction import OxigraphDataGraph
from pyshacl.validator import Validator
from rdflib.term import Node

from headwater.terms.names import SH, XSD


class DataGraph(OxigraphDataGraph):
    """pyshacl's view of an Oxigraph store, repaired.

    pyshacl writes `datagraph or sg` for every result, and Python answers that by `__len__`, which counts all triples of the
    store: 10,000 triples took 111 s instead of 0.9 s.
    """

    def __bool__(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Verdict:
    """One result of pyshacl, in pyoxigraph's terms. `shape` is the IRI of the shape that was asked."""

    shape: str
    focus: str
    value: NamedNode | BlankNode | Literal | None
    component: str


class Judge:
    """Holds the parsed shapes and answers about a store. Not thread-safe: pyshacl's shapes keep state during evaluation."""

    def __init__(self, shapes: Iterable[Triple]) -> None:
        """`shapes` is the whole shapes graph; every shape that is asked about needs an IRI."""
        graph = rdflib.Graph(bind_namespaces="none")
        for triple in shapes:
            graph.add((_to_rdflib(triple.subject), _to_rdflib(triple.predicate), _to_rdflib(triple.object)))
        self._validator = Validator(DataGraph.from_oxigraph_store(Store()), shacl_graph=graph, options={"inplace": True})
        self._executor = self._validator.make_executor()
        self._shapes = {str(shape.node): shape for shape in self._validator.shacl_graph.shapes}

    def overlay(self, statements: Iterable[Triple]) -> DataGraph:
        """A store in memory with `statements`, to ask about."""
        store = Store()
        store.bulk_extend(Quad(triple.subject, triple.predicate, triple.object) for triple in statements)
        data = DataGraph.from_oxigraph_store(store)
        assert isinstance(data, DataGraph)
        return data

    def failures(self, overlay: DataGraph, shape: str, nodes: Sequence[str]) -> list[Verdict]:
        """The failures of `nodes`, which must be targets of `shape`."""
        _, results = self._shapes[shape].validate(self._executor, overlay, focus=[rdflib.URIRef(node) for node in nodes])
        return [_verdict(shape, parts) for _, _, parts in results]


def _verdict(shape: str, parts: list[tuple[Node, Node, object]]) -> Verdict:
    said = {str(predicate): value[1] if isinstance(value, tuple) else value for _, predicate, value in parts}
    value = said.get(SH.value.value)
    return Verdict(
        shape=shape,
        focus=str(said[SH.focusNode.value]),
        value=_from_rdflib(value) if isinstance(value, Node) else None,
        component=str(said[SH.sourceConstraintComponent.value]),
    )


def _to_rdflib(term: NamedNode | BlankNode | Literal | Triple) -> Node:
    if isinstance(term, NamedNode):
        return rdflib.URIRef(term.value)
    if isinstance(term, BlankNode):
        return rdflib.BNode(term.value)
    assert isinstance(term, Literal)
    if term.language:
        return rdflib.Literal(term.value, lang=term.language)
    # The second repair: rdflib holds "x" and "x"^^xsd:string apart, and Oxigraph only ever gives the second.
    return rdflib.Literal(term.value, datatype=rdflib.URIRef(term.datatype.value))


def _from_rdflib(term: Node) -> NamedNode | BlankNode | Literal:
    if isinstance(term, rdflib.URIRef):
        return NamedNode(str(term))
    if isinstance(term, rdflib.Literal):
        if term.language:
            return Literal(str(term), language=term.language)
        return Literal(str(term), datatype=NamedNode(str(term.datatype or XSD.string.value)))
    return BlankNode(str(term))
