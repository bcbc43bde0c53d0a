"""Telling which things surely conform, so that the SHACL engine is asked about the rest only.

The sieve knows sufficient conditions, never necessary ones: what it passes conforms by the definition of the constraint in the
SHACL recommendation; everything else goes to the engine, which decides. A sound MLflow run of 250 triples takes about 1 ms, where
the engine alone takes 7. The tests compare both ways on random records.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from headwater.terms.names import RDF, RDFS, SH, XSD

Term = NamedNode | BlankNode | Literal | Triple
Statement = tuple[str, str, Term, Triple]
"""Subject, predicate and object of a triple, taken apart once: asking a triple for its parts makes new objects each time."""
ShapesGraph = Mapping[Term, Mapping[str, Sequence[Term]]]

TYPE = RDF.type.value
_NIL, _FIRST, _REST = RDF.nil, RDF.first.value, RDF.rest.value
_SHACL, _FLAGS, _CLASS, _SUBCLASS = str(SH), SH.flags.value, SH["class"].value, RDFS.subClassOf.value
_STRING, _INT, _TIME = XSD.string, XSD.integer, XSD.dateTime
_PATH, _PROPERTY, _IGNORED = SH.path.value, SH.property.value, SH.ignoredProperties.value
_TRUE = Literal("true", datatype=XSD.boolean)
_DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?")

_INTEGER = re.compile(r"0|-?[1-9]\d{0,17}")


def _shacl(names: str) -> frozenset[str]:
    return frozenset(SH[name].value for name in names.split())


# By the recommendation these judge each value node by itself, given the rest of the graph: no values, no result.
BY_VALUE = _shacl("""class datatype nodeKind pattern flags in languageIn minLength maxLength minInclusive maxInclusive
    minExclusive maxExclusive not and or xone node""")
# These need at least one value to fail, but look at more than the value.
_NEEDS_VALUES = _shacl("maxCount uniqueLang lessThan lessThanOrEquals")
SAYS_NOTHING = _shacl("""path severity message flags targetClass targetSubjectsOf targetObjectsOf name description order group
    qualifiedValueShape ignoredProperties""") | {TYPE, RDFS.label.value, RDFS.comment.value}
_KINDS: dict[str, tuple[type, ...]] = {
    SH.IRI.value: (NamedNode,),
    SH.BlankNode.value: (BlankNode,),
    SH.Literal.value: (Literal,),
    SH.BlankNodeOrIRI.value: (NamedNode, BlankNode),
    SH.BlankNodeOrLiteral.value: (BlankNode, Literal),
    SH.IRIOrLiteral.value: (NamedNode, Literal),
}


@dataclass(slots=True)
class Facts:
    """The statements that the gate looks at.

    `values` holds them by predicate and subject, `instances` who is stated to be one of a class, `things` a statement about each
    subject.
    """

    values: dict[str, dict[str, list[Term]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    instances: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    things: dict[str, Triple] = field(default_factory=dict)

    @classmethod
    def of(cls, statements: Iterable[Statement]) -> Facts:
        facts = cls()
        for subject, predicate, value, triple in statements:
            facts.values[predicate][subject].append(value)
            facts.things[subject] = triple
            if predicate == TYPE and isinstance(value, NamedNode):
                facts.instances[value.value].add(subject)
        return facts

    def term(self, node: str) -> Term | None:
        """The IRI as a term, taken from a statement about it: a lenient parser lets through IRIs that cannot be built anew."""
        return self.things[node].subject if node in self.things else None

    def at(self, node: str, path: Iterable[str]) -> list[Term]:
        """The values of `node` by any of the predicates."""
        tables = [self.values[predicate] for predicate in path if predicate in self.values]
        return [value for table in tables for value in table.get(node, ())]


class Sieve:
    """Answers for one shapes graph: does this node surely conform to this shape, given the facts?"""

    def __init__(self, shapes: ShapesGraph) -> None:
        self._shapes = shapes
        self._paths: dict[Term, tuple[str, ...] | None] = {}
        self._lists: dict[Term, tuple[Term, ...]] = {}

    def path(self, shape: Term) -> tuple[str, ...] | None:
        """The alternatives of a plain path; None for a node shape; empty for a path of any other form."""
        if shape not in self._paths:
            self._paths[shape] = _path(self._shapes[shape].get(SH.path.value), self._shapes)
        return self._paths[shape]

    def _steps(self, shape: Term) -> tuple[str, ...]:
        """The predicates of a sequence path; empty for any other."""
        head = self._shapes[shape][SH.path.value][0]
        if _FIRST not in self._shapes[head]:
            return ()
        steps = self._members(head)
        return tuple(step.value for step in steps if isinstance(step, NamedNode)) if _all_plain(steps) else ()

    def _members(self, head: Term) -> tuple[Term, ...]:
        if head not in self._lists:
            self._lists[head] = tuple(_items(head, self._shapes))
        return self._lists[head]

    def surely(self, shape: Term, node: Term, facts: Facts) -> bool:
        """True only if `node` conforms to `shape` without doubt."""
        path = self.path(shape)
        if path is None:
            values = [node]
        elif path and isinstance(node, NamedNode):
            values = facts.at(node.value, path)
        else:
            steps = self._steps(shape)
            if not steps:
                return False
            values = [node]
            for step in steps:
                values = [end for value in values if isinstance(value, NamedNode) for end in facts.at(value.value, [step])]
        about = self._shapes[shape]
        return all(
            self._fulfils(parameter, asked, about, node, values, facts)
            for parameter, asked in about.items()
            if parameter not in SAYS_NOTHING
        )

    def _fulfils(
        self,
        parameter: str,
        asked: Sequence[Term],
        about: Mapping[str, Sequence[Term]],
        node: Term,
        values: list[Term],
        facts: Facts,
    ) -> bool:
        if not values and (parameter in BY_VALUE or parameter in _NEEDS_VALUES):
            return True
        name = parameter.removeprefix(_SHACL)
        if name == "minCount":
            return bool(values) and all(_number(limit) <= 1 for limit in asked)
        if name == "maxCount":
            # Oxigraph may merge two spellings of a number, never split one: the count here is not too low.
            return all(len(set(values)) <= _number(limit) for limit in asked)
        if name == "nodeKind":
            return all(isinstance(value, _KINDS[kind.value]) for kind in asked for value in values if isinstance(kind, NamedNode))
        if name == "class":
            return all(_is_a(value, cls, facts) for cls in asked for value in values)
        if name == "in":
            allowed = self._members(asked[0])
            return all(_exact(value) and value in allowed for value in values)
        if name == "hasValue":
            return all(isinstance(value, NamedNode) and value in values for value in asked)
        if name == "pattern":
            return all(_matches(value, asked, about.get(_FLAGS, ())) for value in values)
        if name == "datatype":
            return all(kind == _TIME and _moment(value) is not None for kind in asked for value in values)
        if name == "disjoint":
            return all(not set(values) & set(facts.at(_iri(node), [_iri(other)])) for other in asked)
        if name == "lessThanOrEquals":
            return all(_in_order(values, facts.at(_iri(node), [_iri(other)])) for other in asked)
        if name == "closed":
            return asked[0] != _TRUE or all(self._says_no_more(value, about, facts) for value in values)
        if name == "property":
            return all(self.surely(shape, value, facts) for shape in asked for value in values)
        if name == "or":
            members = self._members(asked[0])
            return len(asked) == 1 and all(any(self.surely(m, value, facts) for m in members) for value in values)
        if name == "not":
            return all(self._surely_not(shape, value, facts) for shape in asked for value in values)
        if name == "qualifiedMinCount":
            shape = about[SH.qualifiedValueShape.value][0]
            return asked[0] == Literal(1) and any(self.surely(shape, value, facts) for value in values)
        return False

    def _says_no_more(self, node: Term, about: Mapping[str, Sequence[Term]], facts: Facts) -> bool:
        """Whether no predicate is stated of a thing but those that a closed shape lets pass."""
        if not isinstance(node, NamedNode):
            return False
        allowed = {item for head in about.get(_IGNORED, ()) for item in self._members(head)}
        allowed |= {path for held in about.get(_PROPERTY, ()) for path in self._shapes[held].get(_PATH, ())}
        names = {term.value for term in allowed if isinstance(term, NamedNode)}
        return not any(node.value in said for predicate, said in facts.values.items() if predicate not in names)

    def _surely_not(self, shape: Term, node: Term, facts: Facts) -> bool:
        """True only if `node` without doubt does not conform: here, where it lacks a class that nothing could lend it."""
        about = self._shapes[shape]
        classes = about.get(_CLASS, ())
        if self.path(shape) is not None or not classes or _SUBCLASS in facts.values:
            return False
        return any(not _is_a(node, cls, facts) for cls in classes)


def _is_a(node: Term, cls: Term, facts: Facts) -> bool:
    return isinstance(node, NamedNode) and isinstance(cls, NamedNode) and node.value in facts.instances.get(cls.value, ())


def _exact(value: Term) -> bool:
    """Whether Oxigraph keeps the value as it is written."""
    if isinstance(value, Literal):
        plain = value.datatype == _STRING or bool(value.language)
        return plain or (value.datatype == _INT and _INTEGER.fullmatch(value.value) is not None)
    return isinstance(value, NamedNode)


def _matches(value: Term, patterns: Sequence[Term], flags: Sequence[Term]) -> bool:
    if not _exact(value) or not isinstance(value, NamedNode | Literal):
        return False
    flag = "".join(term.value for term in flags if isinstance(term, Literal))
    text = value.value
    return all(isinstance(pattern, Literal) and _regex(pattern.value, flag).search(text) is not None for pattern in patterns)


@cache
def _regex(pattern: str, flags: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE if "i" in flags else 0)


def _in_order(earlier: list[Term], later: list[Term]) -> bool:
    if not later:
        return True
    first = [_moment(value) for value in earlier]
    second = [_moment(value) for value in later]
    zoned = {None if moment is None else moment.tzinfo is not None for moment in (*first, *second)}
    return len(zoned) == 1 and None not in zoned and all(a <= b for a in first for b in second if a and b)


def _moment(value: Term) -> datetime | None:
    if not isinstance(value, Literal) or value.datatype != _TIME or not _DATETIME.fullmatch(value.value):
        return None
    try:
        return datetime.fromisoformat(value.value)
    except ValueError:
        return None


def _number(term: Term) -> int:
    assert isinstance(term, Literal)
    return int(term.value)


def _iri(term: Term) -> str:
    assert isinstance(term, NamedNode)
    return term.value


def _path(path: Sequence[Term] | None, shapes: ShapesGraph) -> tuple[str, ...] | None:
    if not path:
        return None
    if isinstance(path[0], NamedNode):
        return (path[0].value,)
    alternatives = shapes[path[0]].get(SH.alternativePath.value, ())
    items = _items(alternatives[0], shapes) if alternatives else []
    return tuple(item.value for item in items if isinstance(item, NamedNode)) if _all_plain(items) else ()


def _all_plain(items: Iterable[Term]) -> bool:
    return all(isinstance(item, NamedNode) for item in items)


def _items(head: Term, shapes: ShapesGraph) -> list[Term]:
    found = []
    while head != _NIL:
        found.append(shapes[head][_FIRST][0])
        head = shapes[head][_REST][0]
    return found
