"""A shapes graph taken apart: which shapes there are, what each targets, and what it asks of the things it meets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from pyoxigraph import Literal, NamedNode, Triple

from headwater.checking.paths import Path, ShapesGraph, Term, UnsupportedShape, members, read_path
from headwater.terms.names import RDF, RDFS, SH, XSD

TYPE, SUBCLASS = RDF.type.value, RDFS.subClassOf.value


def _shacl(names: str) -> frozenset[str]:
    return frozenset(SH[name].value for name in names.split())


CONSTRAINTS = _shacl("""class datatype nodeKind minCount maxCount minExclusive minInclusive maxExclusive maxInclusive
    minLength maxLength pattern languageIn uniqueLang equals disjoint lessThan lessThanOrEquals not and or xone node property
    qualifiedMinCount qualifiedMaxCount closed hasValue in sparql""")
"""The parameters of which each starts a constraint component of SHACL's core, and `sh:sparql`."""
TARGETS = _shacl("targetClass targetNode targetSubjectsOf targetObjectsOf")
_BESIDE = _shacl("""path severity message name description order group defaultValue deactivated flags ignoredProperties
    qualifiedValueShape qualifiedValueShapesDisjoint prefixes shapesGraph select ask""")
_SHACL = str(SH)
_TRUE = Literal("true", datatype=XSD.boolean)


@dataclass(frozen=True, slots=True)
class Targets:
    """What a shape is about: named nodes, instances of classes, subjects and objects of predicates."""

    nodes: tuple[Term, ...] = ()
    classes: tuple[str, ...] = ()
    subjects_of: tuple[str, ...] = ()
    objects_of: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.nodes or self.classes or self.subjects_of or self.objects_of)


@dataclass(frozen=True, eq=False)
class Shape:
    """One shape. `path` is None for a node shape; `asks` holds the values of each parameter; `severity` is an IRI."""

    node: Term
    path: Path | None
    asks: dict[str, tuple[Term, ...]]
    severity: str
    message: str
    deactivated: bool
    targets: Targets = field(default_factory=Targets)

    def values(self, name: str) -> tuple[Term, ...]:
        """The values of a SHACL parameter by its local name."""
        return self.asks.get(_SHACL + name, ())

    def is_true(self, name: str) -> bool:
        return _TRUE in self.values(name)


class Shapes:
    """The shapes of a graph, read when they are asked for.

    >>> shape = Triple(NamedNode("urn:s"), SH.targetClass, NamedNode("urn:C"))
    >>> [shape.node.value for shape in Shapes([shape]).targeted()]
    ['urn:s']
    """

    def __init__(self, triples: Iterable[Triple]) -> None:
        said: dict[Term, dict[str, list[Term]]] = defaultdict(lambda: defaultdict(list))
        for triple in triples:
            said[triple.subject][triple.predicate.value].append(triple.object)
        self.graph: ShapesGraph = {node: dict(about) for node, about in said.items()}
        self._read: dict[Term, Shape] = {}

    def targeted(self) -> list[Shape]:
        """The shapes that have targets, in the order of their names. Raises `UnsupportedShape` where one cannot be read."""
        return [self.shape(node) for node in self.targeted_nodes()]

    def targeted_nodes(self) -> list[Term]:
        found = [
            node
            for node, about in self.graph.items()
            if TARGETS & about.keys() or SH.target.value in about or self._implicit(node)
        ]
        return sorted(found, key=str)

    def shape(self, node: Term) -> Shape:
        """One shape. Raises `UnsupportedShape` for one that goes beyond SHACL's core."""
        if node not in self._read:
            self._read[node] = self._shape(node)
        return self._read[node]

    def members(self, head: Term) -> tuple[Term, ...]:
        return members(head, self.graph)

    def siblings(self, shape: Shape) -> list[Term]:
        """The other qualified value shapes among the property shapes that stand beside a shape."""
        held_with = [about[SH.property.value] for about in self.graph.values() if shape.node in about.get(SH.property.value, ())]
        beside = [self.graph.get(other, {}) for group in held_with for other in group]
        named = [wanted for about in beside for wanted in about.get(SH.qualifiedValueShape.value, ())]
        return [other for other in dict.fromkeys(named) if other not in shape.values("qualifiedValueShape")]

    def mentioned(self) -> frozenset[str]:
        """Every IRI that the shapes name."""
        named = {v.value for about in self.graph.values() for vs in about.values() for v in vs if isinstance(v, NamedNode)}
        return frozenset(named | {TYPE, SUBCLASS})

    @cached_property
    def _class_classes(self) -> frozenset[Term]:
        found: set[Term] = {RDFS.Class}
        while True:
            more = {node for node, about in self.graph.items() if found & set(about.get(SUBCLASS, ()))} - found
            if not more:
                return frozenset(found)
            found |= more

    @cached_property
    def components(self) -> tuple[Term, ...]:
        """The constraint components that the shapes graph defines itself."""
        validators = {SH.validator.value, SH.nodeValidator.value, SH.propertyValidator.value}
        return tuple(node for node, about in self.graph.items() if SH.parameter.value in about and validators & about.keys())

    def _implicit(self, node: Term) -> bool:
        about = self.graph[node]
        types = set(about.get(TYPE, ()))
        is_shape = bool(types & {SH.NodeShape, SH.PropertyShape}) or bool(CONSTRAINTS & about.keys())
        return is_shape and isinstance(node, NamedNode) and bool(types & self._class_classes)

    def _shape(self, node: Term) -> Shape:
        about = self.graph.get(node, {})
        for predicate in about:
            if predicate.startswith(_SHACL) and predicate not in CONSTRAINTS | TARGETS | _BESIDE:
                raise UnsupportedShape(f"{node} uses sh:{predicate.removeprefix(_SHACL)}, which is not SHACL core.")
        paths = about.get(SH.path.value, ())
        if len(paths) > 1:
            raise UnsupportedShape(f"{node} has more than one sh:path.")
        severities = [value.value for value in about.get(SH.severity.value, ()) if isinstance(value, NamedNode)]
        texts = [value for value in about.get(SH.message.value, ()) if isinstance(value, Literal)]
        english = [text for text in texts if text.language in ("en", None)] or texts
        return Shape(
            node=node,
            path=read_path(paths[0], self.graph) if paths else None,
            asks={predicate: tuple(values) for predicate, values in about.items() if predicate.startswith(_SHACL)},
            severity=severities[0] if severities else SH.Violation.value,
            message=english[0].value if english else "",
            deactivated=_TRUE in about.get(SH.deactivated.value, ()),
            targets=self._targets(node),
        )

    def _targets(self, node: Term) -> Targets:
        about = self.graph.get(node, {})
        iris = {
            name: tuple(sorted(value.value for value in about.get(SH[name].value, ()) if isinstance(value, NamedNode)))
            for name in ("targetClass", "targetSubjectsOf", "targetObjectsOf")
        }
        classes = iris["targetClass"]
        if isinstance(node, NamedNode) and node in self.graph and self._implicit(node):
            classes = (*classes, node.value)
        return Targets(tuple(about.get(SH.targetNode.value, ())), classes, iris["targetSubjectsOf"], iris["targetObjectsOf"])
