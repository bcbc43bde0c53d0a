"""The queries that shapes bring along: `sh:sparql`, and constraint components that a shapes graph defines in SPARQL itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

from pyoxigraph import BlankNode, Literal, NamedNode

from headwater.checking.paths import ShapesGraph, Term, UnsupportedShape
from headwater.checking.plan import BadShapes
from headwater.checking.prebinding import body, mentions, one_by_one, refuse_forbidden, values, with_clause, with_path
from headwater.checking.shapes import Shape, Shapes
from headwater.store.syntax import refusal
from headwater.terms.names import OWL, SH, XSD

_TRUE = Literal("true", datatype=XSD.boolean)
_AT_ONCE = 500
"""Things that one query is asked about: Oxigraph plans each query anew, which takes longer than to answer it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One query of a shape. `component` is the constraint component's IRI; `bound` are parameters with their values.

    An ASK (`holds`) says of each value whether it is right, a SELECT names what is wrong.
    """

    text: str
    component: str
    holds: bool
    one_by_one: bool
    bound: dict[str, Term] = field(default_factory=dict)

    def queries(self, about: Sequence[tuple[Term, ...]]) -> Iterator[tuple[str, Sequence[tuple[Term, ...]]]]:
        """The queries, each with the things that it asks about: `(this,)`, or `(this, value)` where the query holds.

        Solutions are `(this, value)` where it holds, and otherwise `(this, path, value, failure)`.
        """
        head, query = body(self.text)
        names = ["this", "value"] if self.holds else ["this"]
        names += self.bound
        size = 1 if self.one_by_one else _AT_ONCE
        for start in range(0, len(about), size):
            some = about[start : start + size]
            rows = [[*map(_spelled, one), *map(_spelled, self.bound.values())] for one in some]
            written = with_clause(query, values(names, rows))
            if self.holds:
                group = written[written.index("{") :]
                yield f"{head} SELECT DISTINCT ?this ?value WHERE {group}", some
            else:
                yield f"{head} SELECT ?this ?path ?value ?failure WHERE {{ {{ {written}\n }} }}", some


def asked_of(shape: Shape, shapes: Shapes) -> list[Asked]:
    """The queries of a shape. Raises `UnsupportedShape` for what cannot be compiled, `BadShapes` for what SHACL forbids."""
    graph, found = shapes.graph, []
    for node in shape.values("sparql"):
        about = graph.get(node, {})
        if _TRUE not in about.get(SH.deactivated.value, ()):
            text = _only_text(about.get(SH.select.value, ()), node)
            found.append(_made(shape, graph, node, text, SH.SPARQLConstraintComponent.value, False, {}))
    for component in shapes.components:
        for bound in _arguments(shape, graph, component):
            found.append(_validator(shape, graph, component, bound))
    return found


def _arguments(shape: Shape, graph: ShapesGraph, component: Term) -> Iterator[dict[str, Term]]:
    """The values that a shape gives to a component's parameters: once for each value of a single parameter."""
    about = graph.get(shape.node, {})
    given: dict[str, Sequence[Term]] = {}
    for parameter in graph[component].get(SH.parameter.value, ()):
        said = graph.get(parameter, {})
        path = said.get(SH.path.value, (None,))[0]
        if not isinstance(path, NamedNode):
            raise UnsupportedShape(f"{component} has a parameter without an IRI for its path.")
        if path.value in about:
            given[_local_name(path.value)] = about[path.value]
        elif _TRUE not in said.get(SH.optional.value, ()):
            return
    if len(given) > 1 and any(len(terms) > 1 for terms in given.values()):
        raise BadShapes(f"{shape.node} gives a parameter of {component} more than one value.", remedy="Write a shape for each.")
    yield from (dict(zip(given, terms, strict=True)) for terms in product(*given.values()))


def _validator(shape: Shape, graph: ShapesGraph, component: Term, bound: dict[str, Term]) -> Asked:
    said = graph[component]
    special = said.get((SH.nodeValidator if shape.path is None else SH.propertyValidator).value, ())
    for node in (*special, *said.get(SH.validator.value, ())):
        about = graph.get(node, {})
        for name, holds in ((SH.select, False), (SH.ask, True)):
            if name.value in about and holds is (node not in special):
                text = _only_text(about[name.value], node)
                assert isinstance(component, NamedNode | BlankNode)
                return _made(shape, graph, node, text, component.value, holds, bound)
    raise UnsupportedShape(f"{component} has no SPARQL validator for {shape.node}.")


def _made(shape: Shape, graph: ShapesGraph, node: Term, text: str, component: str, holds: bool, bound: dict[str, Term]) -> Asked:
    refuse_forbidden(text, {"this", "shapesGraph", "currentShape", *bound, *(["value"] if holds else [])}, str(shape.node))
    if mentions(text, "shapesGraph"):
        raise _no_shapes_graph(shape)
    if mentions(text, "currentShape"):
        bound = {**bound, "currentShape": shape.node}
    if shape.path is not None:
        text = with_path(text, shape.path.sparql())
    elif mentions(text, "PATH"):
        raise BadShapes(f"The query of {shape.node} asks $PATH, but the shape has no sh:path.")
    prefixes = "".join(f"PREFIX {name}: <{iri}>\n" for name, iri in _prefixes(node, graph).items())
    asked = Asked(prefixes + text, component, holds, one_by_one(text), bound)
    some = (_SOMETHING, _SOMETHING) if holds else (_SOMETHING,)
    wrong = next((reason for query, _ in asked.queries([some]) if (reason := refusal(query))), "")
    if wrong:
        raise BadShapes(f"The query of {shape.node} is no SPARQL: {wrong[:200]}", remedy="Look at sh:prefixes and the query.")
    return asked


def _no_shapes_graph(shape: Shape) -> BadShapes:
    # What does not support it "MUST report a failure" (SHACL 5.3.1).
    return BadShapes(
        f"The query of {shape.node} asks $shapesGraph, and the store does not hold the shapes.",
        remedy="Name what the query needs of the shapes by a parameter.",
    )


_SOMETHING = NamedNode("urn:headwater:something")


def declarations(place: Term, graph: ShapesGraph) -> list[Term]:
    """The prefix declarations of what `sh:prefixes` points to, and of all that it imports."""
    waiting, seen = [place], {place}
    found: list[Term] = []
    while waiting:
        about = graph.get(waiting.pop(), {})
        found += about.get(SH.declare.value, ())
        more = [other for other in about.get(OWL.imports.value, ()) if other not in seen]
        seen.update(more)
        waiting += more
    return found


def _prefixes(node: Term, graph: ShapesGraph) -> dict[str, str]:
    found = {}
    for place in graph.get(node, {}).get(SH.prefixes.value, ()):
        for declared in declarations(place, graph):
            said = graph.get(declared, {})
            prefix, namespace = (said.get(name.value, (None,))[0] for name in (SH.prefix, SH.namespace))
            if isinstance(prefix, Literal) and isinstance(namespace, Literal | NamedNode):
                found[prefix.value] = namespace.value
    return found


def _only_text(texts: Sequence[Term], node: Term) -> str:
    if len(texts) != 1 or not isinstance(texts[0], Literal):
        raise BadShapes(f"{node} does not have one query.", remedy="Give it one sh:select or sh:ask.")
    return texts[0].value


def _spelled(term: Term) -> str:
    if not isinstance(term, NamedNode | Literal):
        raise UnsupportedShape(f"{term} is a blank node, which cannot be written in a query.")
    return str(term)


def _local_name(iri: str) -> str:
    """What a parameter is called in queries: the longest end of its IRI that can name a variable."""
    name = re.search(r"[^\W\d]\w*$", iri)
    return name.group() if name else ""
