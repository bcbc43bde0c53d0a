"""Asking pyshacl whether things conform to their shapes, in the one way that is sound and quick enough.

pyshacl's own options for checking a few things only (`focus_nodes=`, `use_shapes=`) let nested shapes pass unseen, so each shape
is asked directly about the nodes that are its targets. Over an Oxigraph store four repairs are needed (pyshacl 0.40.1): a data
graph that counts as true without counting its triples; plain strings in the shapes written as `xsd:string`, as Oxigraph gives
them back; times that cannot be compared found out of order instead of raising; and no step of a path onwards from a text.

Importing this module costs a third of a second: `headwater.checking.gate` does so when it first needs the engine.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable, Sequence
from typing import Any

import rdflib
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Store, Triple
from pyshacl.graph_abstraction import OxigraphDataGraph
from pyshacl.validator import Validator
from rdflib.term import Node

from headwater.checking.compiler import Outcome
from headwater.checking.paths import Term, read_path
from headwater.checking.report import lenient_iri
from headwater.checking.shapes import Shapes
from headwater.checking.verdict import Verdict
from headwater.store.spelling import as_stored
from headwater.terms.names import RDF, SH, XSD

_READ = {XSD[name] for name in ("string", "boolean", "integer", "decimal", "double", "float", "date", "dateTime")} | {
    RDF.langString
}
_LONGEST = 100
_NUMBERS = frozenset(rdflib.XSD[name] for name in ("integer", "decimal", "double", "float"))
_UNORDERED = (None, rdflib.XSD.string)
_OPAQUE = "urn:headwater:opaque:"


class DataGraph(OxigraphDataGraph):
    """pyshacl's view of an Oxigraph store, repaired.

    pyshacl writes `datagraph or sg` for every result, and Python answers that by `__len__`, which counts all triples of the
    store: 10,000 triples took 111 s instead of 0.9 s.
    """

    def __bool__(self) -> bool:
        return True

    def objects(self, subject: Any, predicate: Any, unique: bool = False) -> Generator[Any, None, None]:  # type: ignore[override]
        """The values, of which those that have an order can be compared with anything. A text has none: pyshacl raises there."""
        if isinstance(subject, rdflib.Literal):
            return
        for term in super().objects(subject, predicate, unique):
            if isinstance(term, rdflib.Literal) and term.datatype not in _UNORDERED:
                yield _Comparable(term, datatype=term.datatype)
            else:
                yield term


class _Comparable(rdflib.Literal):
    """A literal for which `sh:lessThanOrEquals` fails where two values have no order, as the recommendation says.

    pyshacl lets Python's TypeError through (a time with a zone against one without would end the whole check), and rdflib puts
    values of different kinds in an order of their names.
    """

    def _has_order_with(self, other: Any) -> bool:
        if not isinstance(other, rdflib.Literal) or self.value is None or other.value is None:
            return False
        return self.datatype == other.datatype or (self.datatype in _NUMBERS and other.datatype in _NUMBERS)

    def __lt__(self, other: Any) -> bool:
        try:
            return self._has_order_with(other) and super().__lt__(other) is True
        except TypeError:
            return False

    def __le__(self, other: Any) -> bool:
        try:
            return self._has_order_with(other) and super().__le__(other) is True
        except TypeError:
            return False


class Judge:
    """Holds the parsed shapes and answers about a store. Not thread-safe: pyshacl's shapes keep state during evaluation."""

    def __init__(self, shapes: Iterable[Triple]) -> None:
        """`shapes` is the whole shapes graph; every shape that is asked about needs an IRI."""
        graph = rdflib.Graph(bind_namespaces="none")
        for triple in shapes:
            graph.add((_to_rdflib(triple.subject), _to_rdflib(triple.predicate), _to_rdflib(triple.object)))
        self._validator = Validator(DataGraph.from_oxigraph_store(Store()), shacl_graph=graph, options={"inplace": True})
        # rdflib logs a traceback for every ill-formed literal; the report says what matters of them.
        logging.getLogger("rdflib.term").addFilter(lambda record: record.levelno > logging.WARNING)
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
        _, results = self._shapes[str(_to_rdflib(node))].validate(self._executor, data)
        return [_outcome(result, parts, shapes) for _, result, parts in results]


def whole(store: Store) -> DataGraph:
    """A whole store for the judge to look at, as it is. Its terms must be such as rdflib may read."""
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
    shape = _from_rdflib(said[SH.sourceShape.value])
    if isinstance(path, rdflib.URIRef):
        walked = f"<{path}>"
    else:
        about = shapes.graph[shape].get(SH.path.value, ()) if path is not None else ()
        walked = read_path(about[0], shapes.graph).sparql() if about else ""
    return Outcome(
        focus=_from_rdflib(said[SH.focusNode.value]),
        path=walked,
        value=_from_rdflib(value) if isinstance(value, Node) else None,
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
    return Verdict(
        shape=shape,
        focus=focus,
        value=_from_rdflib(value) if isinstance(value, Node) else None,
        component=str(said[SH.sourceConstraintComponent.value]),
    )


def _harmless(term: NamedNode | BlankNode | Literal | Triple, safe: dict[object, NamedNode]) -> object:
    """The term, or a stand-in for one that pyshacl or rdflib must not read.

    rdflib expands the entities of XML literals and loads HTML parsers; pyshacl raises on an IRI that only a lenient parser lets
    through. `safe` remembers the IRIs that were looked at.
    """
    if isinstance(term, NamedNode):
        known = safe.get(term)
        if known is None:
            known = safe[term] = lenient_iri(term.value)
        return known
    if isinstance(term, Literal):
        kind = term.datatype
        if kind != XSD.string and (kind not in _READ or (not term.language and len(term.value) > _LONGEST)):
            return Literal(term.value, datatype=NamedNode(_OPAQUE + lenient_iri(kind.value).value))
    return term


def _to_rdflib(term: NamedNode | BlankNode | Literal | Triple) -> Node:
    if isinstance(term, NamedNode):
        return rdflib.URIRef(term.value)
    if isinstance(term, BlankNode):
        return rdflib.BNode(term.value)
    assert isinstance(term, Literal)
    if term.language:
        return rdflib.Literal(term.value, lang=term.language)
    if term.datatype != XSD.boolean:  # of which SHACL reads only `true` as true, not `1`
        # The shapes say what they ask in the spelling that the store gives back (`1.50` as `1.5`).
        term = as_stored(term)
    # The second repair: rdflib holds "x" and "x"^^xsd:string apart, and Oxigraph only ever gives the second.
    return rdflib.Literal(term.value, datatype=rdflib.URIRef(term.datatype.value))


def _from_rdflib(term: Node) -> NamedNode | BlankNode | Literal:
    if isinstance(term, rdflib.URIRef):
        return lenient_iri(str(term))
    if isinstance(term, rdflib.Literal):
        if term.language:
            try:
                return Literal(str(term), language=term.language)
            except ValueError:  # a language tag that only a lenient parser lets through
                return Literal(str(term))
        return Literal(str(term), datatype=lenient_iri(str(term.datatype or XSD.string.value).removeprefix(_OPAQUE)))
    return BlankNode(str(term))
