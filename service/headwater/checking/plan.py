"""What each shape looks at: its targets, its path, and which targets surely conform, so that the engine is asked about the rest.

The sieve knows sufficient conditions, never necessary ones: a node that it passes conforms by the definition of the constraint in
the SHACL recommendation; every other node goes to the engine, which decides. The tests compare both ways on random records.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from headwater.checking.report import Severity
from headwater.errors import HeadwaterError
from headwater.terms.names import RDF, RDFS, SH

Term = NamedNode | BlankNode | Literal | Triple
Statement = tuple[str, str, Term, Triple]
"""Subject, predicate and object of a triple, taken apart once: asking a triple for its parts makes new objects each time."""

_SEVERITIES: dict[NamedNode, Severity] = {SH.Violation: "violation", SH.Warning: "warning", SH.Info: "info"}
_TYPE = RDF.type.value


# By the recommendation these judge each value node by itself, given the rest of the graph: no values, no result.
def _shacl(names: str) -> frozenset[str]:
    return frozenset(SH[name].value for name in names.split())


_BY_VALUE = _shacl("""class datatype nodeKind pattern flags in languageIn minLength maxLength minInclusive maxInclusive
    minExclusive maxExclusive not and or xone node""")
# These need at least one value to fail, but look at more than the value.
_NEEDS_VALUES = _shacl("maxCount uniqueLang lessThan lessThanOrEquals disjoint")
_UNSOUND = _shacl("sparql closed target js expression rule")
_SAYS_NOTHING = _shacl("""path severity message targetClass targetSubjectsOf targetObjectsOf name description order group
    deactivated""") | {_TYPE, RDFS.label.value, RDFS.comment.value}


class BadShapes(HeadwaterError):
    """A file of `shapes/` asks for something that the gate does not do soundly."""

    title = "The shapes cannot be used"
    default_remedy = "Write the constraint with SHACL's core vocabulary; see shapes/."


@dataclass(slots=True)
class Facts:
    """The statements that the gate looks at, by predicate and subject."""

    values: dict[str, dict[str, list[Term]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    instances: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def of(cls, statements: Iterable[Statement]) -> Facts:
        facts = cls()
        for subject, predicate, value, _ in statements:
            facts.values[predicate][subject].append(value)
            if predicate == _TYPE and isinstance(value, NamedNode):
                facts.instances[value.value].add(subject)
        return facts


@dataclass(frozen=True, slots=True)
class ShapePlan:
    """A shape with targets.

    `path` holds alternatives of plain predicates; it is None for a node shape and empty for a path of another form.
    """

    iri: str
    severity: Severity
    message: str
    path: tuple[str, ...] | None
    classes: tuple[str, ...]
    subjects_of: tuple[str, ...]
    objects_of: tuple[str, ...]
    parameters: Mapping[str, tuple[Term, ...]]

    def targets(self, facts: Facts, own: Collection[str]) -> list[str]:
        """The target nodes among `own`, the subjects of the records being checked; objects of `own` for `sh:targetObjectsOf`."""
        found: dict[str, None] = {}
        for cls in self.classes:
            found.update(dict.fromkeys(node for node in facts.instances.get(cls, ()) if node in own))
        for predicate in self.subjects_of:
            found.update(dict.fromkeys(node for node in facts.values.get(predicate, ()) if node in own))
        for predicate in self.objects_of:
            for subject, values in facts.values.get(predicate, {}).items():
                if subject in own:
                    found.update((value.value, None) for value in values if isinstance(value, NamedNode))
        return sorted(found)

    def unsure(self, nodes: list[str], facts: Facts) -> list[str]:
        """The nodes that are not known to conform."""
        if self.path is None:
            return [node for node in nodes if not self._node_conforms(node, facts)]
        if not self.path:
            return nodes
        tables = [facts.values[predicate] for predicate in self.path if predicate in facts.values]
        checks = [(parameter, values) for parameter, values in self.parameters.items() if parameter != SH.flags.value]
        left = []
        for node in nodes:
            values = [value for table in tables for value in table.get(node, ())]
            if not all(_surely(parameter, asked, node, values, facts) for parameter, asked in checks):
                left.append(node)
        return left

    def covers(self, nodes: list[str], facts: Facts) -> list[str]:
        """A few of `nodes` that between them have all values of the others; all of them where the shape looks at more than values."""
        if not self.path or not set(self.parameters) <= _BY_VALUE or len(nodes) < 3:
            return nodes
        tables = [facts.values[predicate] for predicate in self.path if predicate in facts.values]
        seen: set[Term] = set()
        chosen = []
        for node in nodes:
            new = {value for table in tables for value in table.get(node, ())} - seen
            if new:
                chosen.append(node)
                seen |= new
        return chosen

    def _node_conforms(self, node: str, facts: Facts) -> bool:
        for parameter, asked in self.parameters.items():
            if parameter != SH.disjoint.value:
                return False
            for predicate in asked:
                mine = facts.values.get(predicate.value, {}).get(node, ())  # type: ignore[union-attr]
                if any(isinstance(value, NamedNode) and value.value == node for value in mine):
                    return False
        return True


_KINDS: dict[str, tuple[type, ...]] = {
    SH.IRI.value: (NamedNode,),
    SH.BlankNode.value: (BlankNode,),
    SH.Literal.value: (Literal,),
    SH.BlankNodeOrIRI.value: (NamedNode, BlankNode),
    SH.BlankNodeOrLiteral.value: (BlankNode, Literal),
    SH.IRIOrLiteral.value: (NamedNode, Literal),
}


def _surely(parameter: str, asked: tuple[Term, ...], node: str, values: list[Term], facts: Facts) -> bool:
    """Whether `values` fulfil the constraint without doubt. Oxigraph may merge two spellings of a number, never split one."""
    if not values and (parameter in _BY_VALUE or parameter in _NEEDS_VALUES):
        return True
    if parameter == SH.minCount.value:
        return bool(values) and all(_number(limit) <= 1 for limit in asked)
    if parameter == SH.maxCount.value:
        return all(len(set(values)) <= _number(limit) for limit in asked)
    if parameter == SH.nodeKind.value:
        return all(isinstance(value, _KINDS[kind.value]) for kind in asked for value in values)  # type: ignore[union-attr]
    if parameter in (SH["class"].value,):
        return all(
            isinstance(value, NamedNode) and value.value in facts.instances.get(cls.value, ())  # type: ignore[union-attr]
            for cls in asked
            for value in values
        )
    if parameter in (SH.disjoint.value, SH.lessThan.value, SH.lessThanOrEquals.value):
        return not any(facts.values.get(other.value, {}).get(node) for other in asked)  # type: ignore[union-attr]
    return False


def _number(term: Term) -> int:
    assert isinstance(term, Literal)
    return int(term.value)


def plans(shapes: Iterable[Triple]) -> list[ShapePlan]:
    """The shapes that have targets, in the order of their IRIs.

    Raises `BadShapes` for what the gate cannot do soundly (SPARQL constraints, closed shapes), and for targeted shapes that have
    no IRI or gather property shapes: one shape with targets is one question with one message.
    """
    said: dict[Term, dict[str, list[Term]]] = defaultdict(lambda: defaultdict(list))
    for triple in shapes:
        said[triple.subject][triple.predicate.value].append(triple.object)
    found = []
    for node, about in said.items():
        for predicate in _UNSOUND & about.keys():
            raise BadShapes(f"{node} uses <{predicate}>, which the gate does not judge.")
        classes, subjects, objects = (
            tuple(sorted(_iri(value, node) for value in about.get(SH[name].value, ())))
            for name in ("targetClass", "targetSubjectsOf", "targetObjectsOf")
        )
        if not (classes or subjects or objects):
            continue
        if SH.property.value in about:
            raise BadShapes(f"{node} gathers property shapes; give each of them targets, an IRI and a message of its own.")
        messages = [value.value for value in about.get(SH.message.value, ()) if isinstance(value, Literal)]
        found.append(
            ShapePlan(
                iri=_iri(node, node),
                severity=_SEVERITIES[next(iter(about.get(SH.severity.value, ())), SH.Violation)],  # type: ignore[index]
                message=messages[0] if messages else "",
                path=_path(about.get(SH.path.value), said),
                classes=classes,
                subjects_of=subjects,
                objects_of=objects,
                parameters={predicate: tuple(values) for predicate, values in about.items() if predicate not in _SAYS_NOTHING},
            )
        )
    return sorted(found, key=lambda plan: plan.iri)


def mentioned(shapes: Iterable[Triple]) -> frozenset[str]:
    """Every IRI that the shapes name: no other predicate can matter to them, as none of them is closed."""
    named = {triple.object.value for triple in shapes if isinstance(triple.object, NamedNode)}
    return frozenset(named | {_TYPE, RDFS.subClassOf.value})


def _iri(term: Term, shape: Term) -> str:
    if not isinstance(term, NamedNode):
        raise BadShapes(f"{shape} has targets, but it or its target has no IRI.")
    return term.value


def _path(path: list[Term] | None, said: Mapping[Term, Mapping[str, list[Term]]]) -> tuple[str, ...] | None:
    if not path:
        return None
    if isinstance(path[0], NamedNode):
        return (path[0].value,)
    items: list[str] = []
    rest = next(iter(said[path[0]].get(SH.alternativePath.value, ())), None)
    while rest is not None and rest != RDF.nil:
        first = said[rest][RDF.first.value][0]
        if not isinstance(first, NamedNode):
            return ()
        items.append(first.value)
        rest = said[rest][RDF.rest.value][0]
    return tuple(items)
