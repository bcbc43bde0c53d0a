"""Asking pyshacl whether things conform to their shapes, in the one way that is sound and quick enough.

pyshacl's own options for checking a few things only (`focus_nodes=`, `use_shapes=`) let nested shapes pass unseen, so each shape
is asked directly about the nodes that are its targets. Over an Oxigraph store pyshacl 0.40.1 also needs to be shown the data
(`referee_graph`) and the shapes (`restated`) in a form that it does not misread.

Importing this module costs a third of a second: `headwater.checking.gate` does so when it first needs the engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import rdflib
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Store, Triple
from pyshacl.validator import Validator
from rdflib.term import Node

from headwater.checking.compiler import Outcome
from headwater.checking.paths import Term, read_path
from headwater.checking.referee_graph import DataGraph, to_pyoxigraph, to_rdflib
from headwater.checking.report import lenient_iri
from headwater.checking.restated import restated
from headwater.checking.shapes import Shapes
from headwater.checking.verdict import Verdict
from headwater.terms.names import SH


class Judge:
    """Holds the parsed shapes and answers about a store. Not thread-safe: pyshacl's shapes keep state during evaluation."""

    def __init__(self, shapes: Iterable[Triple]) -> None:
        """`shapes` is the whole shapes graph; every shape that is asked about needs an IRI."""
        graph = rdflib.Graph(bind_namespaces="none")
        for triple in restated(shapes):
            graph.add((to_rdflib(triple.subject), to_rdflib(triple.predicate), to_rdflib(triple.object)))
        self._validator = Validator(DataGraph.from_oxigraph_store(Store()), shacl_graph=graph, options={"inplace": True})
        self._executor = self._validator.make_executor()
        self._shapes = {str(shape.node): shape for shape in self._validator.shacl_graph.shapes}

    def overlay(self, statements: Iterable[Triple]) -> DataGraph:
        """A store in memory with `statements`, to ask about."""
        store = Store()
        safe: dict[object, NamedNode] = {}
        store.bulk_extend(
            Quad(_harmless(triple.subject, safe), triple.predicate, _harmless(triple.object, safe))  # type: ignore[arg-type]
            for triple in statements
        )
        return whole(store)

    def failures(self, overlay: DataGraph, shape: str, nodes: Sequence[str]) -> list[Verdict]:
        """The failures of `nodes`, which must be targets of `shape`."""
        asked = {lenient_iri(node).value: node for node in nodes}
        _, results = self._shapes[shape].validate(self._executor, overlay, focus=[rdflib.URIRef(node) for node in asked])
        # What a nested shape finds about another node is part of why, not a result of its own.
        return [verdict for _, node, parts in results if (verdict := _verdict(shape, node, parts, asked)) is not None]

    def outcomes(self, data: DataGraph, node: Term, shapes: Shapes) -> list[Outcome]:
        """All that the targets of a shape fail, as pyshacl sees it: the referee of the compiled form."""
        _, results = self._shapes[str(to_rdflib(node))].validate(self._executor, data)
        return [_outcome(result, parts, shapes) for _, result, parts in results]


def whole(store: Store) -> DataGraph:
    """A whole store for the judge to look at, as it is."""
    data = DataGraph.from_oxigraph_store(store)
    assert isinstance(data, DataGraph)
    return data


def _outcome(result: Node, parts: list[tuple[Node, Node, object]], shapes: Shapes) -> Outcome:
    said: dict[str, Any] = {
        str(predicate): value[1] if isinstance(value, tuple) else value
        for subject, predicate, value in parts
        if subject == result
    }
    value, path = said.get(SH.value.value), said.get(SH.resultPath.value)
    shape = to_pyoxigraph(said[SH.sourceShape.value])
    if isinstance(path, rdflib.URIRef):
        walked = f"<{path}>"
    else:
        about = shapes.graph[shape].get(SH.path.value, ()) if path is not None else ()
        walked = read_path(about[0], shapes.graph).sparql() if about else ""
    return Outcome(
        focus=to_pyoxigraph(said[SH.focusNode.value]),
        path=walked,
        value=to_pyoxigraph(value) if isinstance(value, Node) else None,
        severity=str(said[SH.resultSeverity.value]),
        component=str(said[SH.sourceConstraintComponent.value]),
        shape=shape,
    )


def _verdict(shape: str, node: Node, parts: list[tuple[Node, Node, object]], asked: dict[str, str]) -> Verdict | None:
    said = {
        str(predicate): value[1] if isinstance(value, tuple) else value for subject, predicate, value in parts if subject == node
    }
    value = said.get(SH.value.value)
    focus = asked.get(str(said[SH.focusNode.value]))
    if focus is None:
        return None
    component = str(said[SH.sourceConstraintComponent.value])
    return Verdict(
        shape=shape,
        focus=focus,
        value=to_pyoxigraph(value) if isinstance(value, Node) else None,
        component=component,
        path=str(said[SH.resultPath.value]) if component == SH.ClosedConstraintComponent.value else "",
    )


def _harmless(term: NamedNode | BlankNode | Literal | Triple, safe: dict[object, NamedNode]) -> object:
    """The term, or a stand-in for an IRI that only a lenient parser lets through: pyshacl raises there.

    `safe` remembers the IRIs that were looked at.
    """
    if isinstance(term, NamedNode):
        known = safe.get(term)
        if known is None:
            known = safe[term] = lenient_iri(term.value)
        return known
    return term
