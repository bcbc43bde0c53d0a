"""Shapes said again so that pyshacl 0.40.1 understands them as the recommendation does; their meaning and their names stay.

Four things are restated: an inverted path is inverted step by step (pyshacl walks ^(p/q) as ^p/^q, where it is ^q/^p); a
literal is spelled as the store gives it back (`1.50` as `1.5`); a switch such as `sh:uniqueLang` is on only where it says `true`,
not `1`; and what `sh:prefixes` reaches by `owl:imports` is declared where it points to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from headwater.checking.asked import declarations
from headwater.checking.paths import Path, ShapesGraph, Term, read_path
from headwater.checking.shapes import Shapes
from headwater.store.spelling import as_stored
from headwater.terms.names import RDF, SH, XSD

_SWITCHES = frozenset(
    SH[name].value for name in ("closed", "deactivated", "optional", "qualifiedValueShapesDisjoint", "uniqueLang")
)
_TRUE, _FALSE = (Literal(word, datatype=XSD.boolean) for word in ("true", "false"))
_REPEATED = {"*": SH.zeroOrMorePath, "+": SH.oneOrMorePath, "?": SH.zeroOrOnePath}


def restated(shapes: Iterable[Triple]) -> Iterator[Triple]:
    """The shapes graph for pyshacl.

    >>> shape = NamedNode("urn:s")
    >>> [triple.object.value for triple in restated([Triple(shape, SH.uniqueLang, Literal("1", datatype=XSD.boolean))])]
    ['false']
    """
    triples = list(shapes)
    graph = Shapes(triples).graph
    turning = _turning(graph)
    for triple in triples:
        value = triple.object
        if triple.predicate == SH.inversePath and triple.subject in turning:
            continue
        if isinstance(value, Literal):
            value = _spelled(triple.predicate, value)
        yield Triple(triple.subject, triple.predicate, value)
    for node in turning:
        yield from _written(read_path(graph[node][SH.inversePath.value][0], graph).inverted(), node)
    for about in graph.values():
        for place in about.get(SH.prefixes.value, ()):
            for declared in declarations(place, graph):
                yield Triple(place, SH.declare, declared)  # type: ignore[arg-type]


def _turning(graph: ShapesGraph) -> set[BlankNode]:
    """The paths of shapes, and the parts of these, that invert more than a predicate."""
    waiting = [path for about in graph.values() for path in about.get(SH.path.value, ())]
    seen: set[Term] = set()
    found: set[BlankNode] = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, BlankNode) and node not in seen:
            seen.add(node)
            about = graph.get(node, {})
            waiting += [part for parts in about.values() for part in parts]
            # A node that is a list besides is that list, whatever else it says.
            turned = () if RDF.first.value in about else about.get(SH.inversePath.value, ())
            if any(not isinstance(path, NamedNode) for path in turned):
                found.add(node)
    return found


def _spelled(predicate: NamedNode, value: Literal) -> Literal:
    if predicate.value in _SWITCHES:
        return _TRUE if value == _TRUE else _FALSE
    # A namespace is read as text, which an xsd:anyURI is not.
    return Literal(value.value) if predicate == SH.namespace else as_stored(value)


def _written(path: Path, node: BlankNode) -> Iterator[Triple]:
    """A path in RDF, beginning at `node`."""
    if path.kind == "predicate":
        # `node` is blank, and only an IRI is a predicate path.
        again = BlankNode()
        yield Triple(node, SH.inversePath, again)
        yield Triple(again, SH.inversePath, NamedNode(path.iri))
    elif path.kind == "inverse":
        yield Triple(node, SH.inversePath, NamedNode(path.parts[0].iri))
    elif path.kind == "sequence":
        yield from _listed(path.parts, node)
    elif path.kind == "alternative":
        head = BlankNode()
        yield Triple(node, SH.alternativePath, head)
        yield from _listed(path.parts, head)
    else:
        inner, said = _part(path.parts[0])
        yield Triple(node, _REPEATED[path.kind], inner)
        yield from said


def _listed(parts: tuple[Path, ...], head: BlankNode) -> Iterator[Triple]:
    cells = [head, *(BlankNode() for _ in parts[1:])]
    rests: list[BlankNode | NamedNode] = [*cells[1:], RDF.nil]
    for cell, part, rest in zip(cells, parts, rests, strict=True):
        inner, said = _part(part)
        yield Triple(cell, RDF.first, inner)
        yield Triple(cell, RDF.rest, rest)
        yield from said


def _part(path: Path) -> tuple[BlankNode | NamedNode, list[Triple]]:
    if path.kind == "predicate":
        return NamedNode(path.iri), []
    node = BlankNode()
    return node, list(_written(path, node))
