"""Which statements a shape looks at, seen from the thing it judges: by this a write is traced to all that it may make wrong.

A footprint is read from the shape itself. Each glance says by which path from the thing a place is reached, and which predicate
the shape looks at there. Walked forwards, glances tell what must be known to judge a thing; walked backwards from a statement
that comes or goes, they tell which things have to be judged again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from pyoxigraph import NamedNode

from headwater.checking.paths import Path, Term
from headwater.checking.shapes import TYPE, Shape, Shapes

Next = Callable[[str, str, bool], Iterable[str]]
"""The IRIs one step from an IRI by a predicate; backwards where the last argument is true."""


@dataclass(frozen=True, slots=True)
class Glance:
    """At the end of `way` from the thing (None: at the thing itself) a shape looks at what `predicate` says.

    `as_object` says that it is looked at backwards: whose value this is. An empty predicate stands for all (of closed shapes).
    """

    way: Path | None
    predicate: str
    as_object: bool = False


def footprint(shape: Shape, shapes: Shapes) -> tuple[Glance, ...]:
    """All glances of a shape with targets, those of nested shapes with it.

    >>> from pyoxigraph import NamedNode, Triple
    >>> from headwater.terms.names import SH
    >>> node, age = NamedNode("urn:s"), NamedNode("urn:age")
    >>> shapes = Shapes([Triple(node, SH.targetSubjectsOf, age), Triple(node, SH.path, age)])
    >>> footprint(shapes.shape(node), shapes)
    (Glance(way=None, predicate='urn:age', as_object=False),)
    """
    found: dict[Glance, None] = {}
    if shape.targets.classes:
        found[Glance(None, TYPE)] = None
    found.update(dict.fromkeys(Glance(None, predicate) for predicate in shape.targets.subjects_of))
    found.update(dict.fromkeys(Glance(None, predicate, True) for predicate in shape.targets.objects_of))
    found.update(dict.fromkeys(_of(shape, None, shapes)))
    return tuple(found)


def _of(shape: Shape, way: Path | None, shapes: Shapes) -> Iterator[Glance]:
    if shape.path is not None:
        yield from _along(shape.path, way)
    for name in ("equals", "disjoint", "lessThan", "lessThanOrEquals"):
        for other in shape.values(name):
            if isinstance(other, NamedNode):
                yield Glance(way, other.value)
    values = _then(way, shape.path)
    if shape.values("class"):
        yield Glance(values, TYPE)
    if shape.is_true("closed"):
        yield Glance(values, "")
    for nested in nested_shapes(shape, shapes):
        yield from _of(shapes.shape(nested), values, shapes)


def nested_shapes(shape: Shape, shapes: Shapes) -> list[Term]:
    """The shapes that a shape asks its values about."""
    nested = [term for name in ("property", "node", "not", "qualifiedValueShape") for term in shape.values(name)]
    for name in ("and", "or", "xone"):
        nested += [member for head in shape.values(name) for member in shapes.members(head)]
    if shape.is_true("qualifiedValueShapesDisjoint"):
        nested += shapes.siblings(shape)
    return nested


def _along(path: Path, way: Path | None) -> Iterator[Glance]:
    if path.kind == "predicate":
        yield Glance(way, path.iri)
    elif path.kind == "inverse":
        inner = path.parts[0]
        if inner.kind == "predicate":
            yield Glance(way, inner.iri, True)
        else:
            yield from _along(inner.inverted(), way)
    elif path.kind == "sequence":
        for part in path.parts:
            yield from _along(part, way)
            way = _then(way, part)
    elif path.kind == "alternative":
        for part in path.parts:
            yield from _along(part, way)
    else:
        again = way if path.kind == "?" else _then(way, Path("*", parts=path.parts))
        yield from _along(path.parts[0], again)


def _then(way: Path | None, more: Path | None) -> Path | None:
    if way is None or more is None:
        return way or more
    return Path("sequence", parts=(way, more))


def walk(path: Path, starts: Iterable[str], step: Next, backwards: bool = False) -> set[str]:
    """The IRIs at the end of a path from any of `starts`; with `backwards`, from its end to its beginnings.

    >>> links = {("urn:a", "urn:p"): ["urn:b"], ("urn:b", "urn:p"): ["urn:c"]}
    >>> onwards = walk(Path("*", parts=(Path("predicate", "urn:p"),)), ["urn:a"], lambda node, p, _: links.get((node, p), ()))
    >>> sorted(onwards)
    ['urn:a', 'urn:b', 'urn:c']
    """
    found = set(starts)
    if path.kind == "predicate":
        return {end for node in found for end in step(node, path.iri, backwards)}
    if path.kind == "inverse":
        return walk(path.parts[0], found, step, not backwards)
    if path.kind == "sequence":
        for part in reversed(path.parts) if backwards else path.parts:
            found = walk(part, found, step, backwards)
        return found
    if path.kind == "alternative":
        return {end for part in path.parts for end in walk(part, found, step, backwards)}
    if path.kind == "?":
        return found | walk(path.parts[0], found, step, backwards)
    reached: set[str] = set(found) if path.kind == "*" else set()
    edge = found
    while edge:
        edge = walk(path.parts[0], edge, step, backwards) - reached
        reached |= edge
    return reached
