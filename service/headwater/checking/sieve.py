"""Telling which things surely conform, and which surely lack something, so that the SHACL engine is asked about the rest only.

The sieve knows sufficient conditions, never necessary ones: what it passes conforms by the definition of the constraint in the
SHACL recommendation, and what it fails does not; everything else goes to the engine, which decides. A sound MLflow run of 250
triples takes less than 1 ms, where the engine alone takes 7. The tests compare both ways on random records.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from headwater.terms.names import RDF, RDFS, SH, XSD

Term = NamedNode | BlankNode | Literal | Triple
Statement = tuple[str, str, Term, Triple]
"""Subject, predicate and object of a triple, taken apart once: asking a triple for its parts makes new objects each time."""
ShapesGraph = Mapping[Term, Mapping[str, Sequence[Term]]]
_Question = Callable[[Term, list[Term], "Facts"], bool]

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


# By the recommendation these judge each value node by itself: no values, no result.
BY_LOOKS = _shacl("""datatype nodeKind pattern flags in languageIn minLength maxLength minInclusive maxInclusive minExclusive
    maxExclusive""")
# These, too, given the rest of the graph.
BY_VALUE = BY_LOOKS | _shacl("class not and or xone node")
# These need at least one value to fail, but look at more than the value.
_NEEDS_VALUES = _shacl("maxCount uniqueLang lessThan lessThanOrEquals")
SAYS_NOTHING = _shacl("""path severity message flags targetClass targetSubjectsOf targetObjectsOf name description order group
    qualifiedValueShape ignoredProperties""") | {TYPE, RDFS.label.value, RDFS.comment.value}
_MIN_COUNT, _OR, _HAS_VALUE = SH.minCount.value, SH["or"].value, SH.hasValue.value
COMPONENTS = {_MIN_COUNT: SH.MinCountConstraintComponent.value, _OR: SH.OrConstraintComponent.value}
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
        tables, things = facts.values, facts.things
        for subject, predicate, value, triple in statements:
            tables[predicate][subject].append(value)
            things[subject] = triple
        for subject, classes in tables.get(TYPE, {}).items():
            for value in classes:
                if isinstance(value, NamedNode):
                    facts.instances[value.value].add(subject)
        return facts

    def term(self, node: str) -> Term | None:
        """The IRI as a term, taken from a statement about it: a lenient parser lets through IRIs that cannot be built anew."""
        triple = self.things.get(node)
        return None if triple is None else triple.subject

    def at(self, node: str, path: Iterable[str]) -> list[Term]:
        """The values of `node` by any of the predicates."""
        found: list[Term] = []
        for predicate in path:
            table = self.values.get(predicate)
            if table is not None and node in table:
                found += table[node]
        return found


@dataclass(slots=True)
class _Form:
    """A shape read once.

    `path` holds the alternatives of a plain path (None: the node itself; empty: another path), `steps` the predicates of a
    sequence. `of_values` are questions that nothing can fail where there are no values, `always` the others, both by parameter.
    """

    path: tuple[str, ...] | None
    steps: tuple[str, ...]
    asked: dict[str, Sequence[Term]]
    of_values: dict[str, _Question] = field(default_factory=dict)
    always: dict[str, _Question] = field(default_factory=dict)


class Sieve:
    """Answers for one shapes graph: does this node surely conform to this shape, given the facts, or surely not?"""

    def __init__(self, shapes: ShapesGraph) -> None:
        self._shapes = shapes
        self._forms: dict[Term, _Form] = {}
        self._lists: dict[Term, tuple[Term, ...]] = {}

    def path(self, shape: Term) -> tuple[str, ...] | None:
        """The alternatives of a plain path; None for a node shape; empty for a path of any other form."""
        return self._form(shape).path

    def doubtful(self, shape: Term, nodes: Iterable[str], facts: Facts) -> list[str]:
        """Those of the IRIs that are not known to conform to `shape`."""
        form = self._form(shape)
        found = []
        for node in nodes:
            term = facts.term(node)
            if term is None:
                found.append(node)
                continue
            values = facts.at(node, form.path) if form.path else _values(form, term, facts)
            if values is None or not _conforms(form, term, values, facts):
                found.append(node)
        return found

    def surely(self, shape: Term, node: Term, facts: Facts) -> bool:
        """True only if `node` conforms to `shape` without doubt."""
        form = self._form(shape)
        values = _values(form, node, facts)
        return values is not None and _conforms(form, node, values, facts)

    def surely_not(self, shape: Term, node: Term, facts: Facts) -> bool:
        """True only if `node` without doubt does not conform to `shape`."""
        form = self._form(shape)
        values = _values(form, node, facts)
        return values is not None and any(self._fails(name, form, values, facts) for name in form.asked)

    def lacks(self, shape: Term, node: Term, facts: Facts) -> list[str] | None:
        """The components of the constraints that `node` fails, by nothing but a value or a form that it lacks.

        None where there is doubt about any of the shape's constraints.
        """
        form = self._form(shape)
        values = _values(form, node, facts)
        if values is None:
            return None
        failed = []
        for name in form.asked:
            # A property shape's sh:or gives a result for each value: that is left to the engine.
            plain = name == _MIN_COUNT or (name == _OR and form.path is None)
            if plain and self._fails(name, form, values, facts):
                failed.append(COMPONENTS[name])
                continue
            conforms = form.always.get(name)
            if conforms is None:
                if not values:
                    continue
                conforms = form.of_values[name]
            if not conforms(node, values, facts):
                return None
        return failed

    def _fails(self, name: str, form: _Form, values: list[Term], facts: Facts) -> bool:
        """True only if this constraint is failed without doubt."""
        asked = form.asked[name]
        if name == _MIN_COUNT:
            return not values and any(_number(limit) >= 1 for limit in asked)
        if name == _HAS_VALUE:
            # A value that only a lenient parser lets through is percent-encoded for the engine.
            return any(isinstance(term, NamedNode) and "%" not in term.value and term not in values for term in asked)
        if name == _OR:
            lists = [self._members(head) for head in asked]
            return any(all(self.surely_not(member, value, facts) for member in some) for some in lists for value in values)
        if name == _CLASS:
            # Where nothing is a subclass, nothing could lend it the class.
            return _SUBCLASS not in facts.values and any(not _is_a(value, cls, facts) for cls in asked for value in values)
        return False

    def _form(self, shape: Term) -> _Form:
        form = self._forms.get(shape)
        if form is None:
            about = self._shapes[shape]
            asked = {name: terms for name, terms in about.items() if name not in SAYS_NOTHING}
            form = _Form(_path(about.get(SH.path.value), self._shapes), self._steps(about), asked)
            self._forms[shape] = form
            for name in asked:
                by_value = name in BY_VALUE or name in _NEEDS_VALUES
                (form.of_values if by_value else form.always)[name] = self._question(name, about)
        return form

    def _steps(self, about: Mapping[str, Sequence[Term]]) -> tuple[str, ...]:
        """The predicates of a sequence path; empty for any other."""
        path = about.get(SH.path.value, ())
        if not path or _FIRST not in self._shapes.get(path[0], {}):
            return ()
        steps = self._members(path[0])
        return tuple(step.value for step in steps if isinstance(step, NamedNode)) if _all_plain(steps) else ()

    def _members(self, head: Term) -> tuple[Term, ...]:
        if head not in self._lists:
            self._lists[head] = tuple(_items(head, self._shapes))
        return self._lists[head]

    def _question(self, parameter: str, about: Mapping[str, Sequence[Term]]) -> _Question:
        """What a constraint asks, as a function that is true only where it is met without doubt."""
        name, asked = parameter.removeprefix(_SHACL), about[parameter]
        if name == "minCount":
            few = all(_number(limit) <= 1 for limit in asked)
            return lambda _node, values, _facts: few and bool(values)
        if name == "maxCount":
            most = min(_number(limit) for limit in asked)
            # Oxigraph may merge two spellings of a number, never split one: the count here is not too low.
            return lambda _node, values, _facts: len(values) <= most or len(set(values)) <= most
        if name == "nodeKind":
            return _of_kinds([_KINDS[kind.value] for kind in asked if isinstance(kind, NamedNode)])
        if name == "class":
            return lambda _node, values, facts: all(_is_a(value, cls, facts) for cls in asked for value in values)
        if name == "in":
            allowed = frozenset(self._members(asked[0]))
            return lambda _node, values, _facts: all(value in allowed and _exact(value) for value in values)
        if name == "hasValue":
            return lambda _node, values, _facts: all(isinstance(value, NamedNode) and value in values for value in asked)
        if name == "pattern":
            return _pattern(asked, about.get(_FLAGS, ()))
        if name == "datatype":
            moments = all(kind == _TIME for kind in asked)
            return lambda _node, values, _facts: moments and all(_moment(value) is not None for value in values)
        if name == "disjoint":
            others = [(_iri(other),) for other in asked]
            return lambda node, values, facts: all(not set(values) & set(facts.at(_iri(node), other)) for other in others)
        if name == "lessThanOrEquals":
            others = [(_iri(other),) for other in asked]
            return lambda node, values, facts: all(_in_order(values, facts.at(_iri(node), other)) for other in others)
        if name == "closed":
            return self._closed(about) if asked[0] == _TRUE else lambda _node, _values, _facts: True
        if name == "property":
            return lambda _node, values, facts: all(self.surely(shape, value, facts) for shape in asked for value in values)
        if name == "or" and len(asked) == 1:
            members = self._members(asked[0])
            return lambda _node, values, facts: all(any(self.surely(m, value, facts) for m in members) for value in values)
        if name == "not":
            return lambda _node, values, facts: all(self.surely_not(shape, value, facts) for shape in asked for value in values)
        if name == "qualifiedMinCount" and asked[0] == Literal(1):
            shape = about[SH.qualifiedValueShape.value][0]
            return lambda _node, values, facts: any(self.surely(shape, value, facts) for value in values)
        return lambda _node, _values, _facts: False

    def _closed(self, about: Mapping[str, Sequence[Term]]) -> _Question:
        """Whether no predicate is stated of a thing but those that a closed shape lets pass."""
        terms = {item for head in about.get(_IGNORED, ()) for item in self._members(head)}
        terms |= {path for held in about.get(_PROPERTY, ()) for path in self._shapes[held].get(_PATH, ())}
        allowed = frozenset(term.value for term in terms if isinstance(term, NamedNode))

        def says_no_more(value: Term, facts: Facts) -> bool:
            tables = facts.values.items()
            return isinstance(value, NamedNode) and not any(value.value in said for name, said in tables if name not in allowed)

        return lambda _node, values, facts: all(says_no_more(value, facts) for value in values)


def _conforms(form: _Form, node: Term, values: list[Term], facts: Facts) -> bool:
    for question in form.always.values():
        if not question(node, values, facts):
            return False
    if values:
        for question in form.of_values.values():
            if not question(node, values, facts):
                return False
    return True


def _values(form: _Form, node: Term, facts: Facts) -> list[Term] | None:
    """The value nodes; None where the path is none that the sieve can walk."""
    if form.path is None:
        return [node]
    if form.path and isinstance(node, NamedNode):
        return facts.at(node.value, form.path)
    if not form.steps:
        return None
    values = [node]
    for step in form.steps:
        values = [end for value in values if isinstance(value, NamedNode) for end in facts.at(value.value, (step,))]
    return values


# Loops where others have generators: these two are asked most often, and a generator costs more than what it asks.
def _of_kinds(kinds: Sequence[tuple[type, ...]]) -> _Question:
    def conforms(_node: Term, values: list[Term], _facts: Facts) -> bool:
        for kind in kinds:
            for value in values:
                if not isinstance(value, kind):
                    return False
        return True

    return conforms


def _pattern(patterns: Sequence[Term], flags: Sequence[Term]) -> _Question:
    flag = "".join(term.value for term in flags if isinstance(term, Literal))
    if not all(isinstance(pattern, Literal) for pattern in patterns):
        return lambda _node, _values, _facts: False
    found = [_regex(pattern.value, flag).search for pattern in patterns if isinstance(pattern, Literal)]

    def conforms(_node: Term, values: list[Term], _facts: Facts) -> bool:
        for value in values:
            if not isinstance(value, NamedNode | Literal) or not _exact(value):
                return False
            for search in found:
                if search(value.value) is None:
                    return False
        return True

    return conforms


def _is_a(node: Term, cls: Term, facts: Facts) -> bool:
    return isinstance(node, NamedNode) and isinstance(cls, NamedNode) and node.value in facts.instances.get(cls.value, ())


def _exact(value: Term) -> bool:
    """Whether Oxigraph keeps the value as it is written."""
    if isinstance(value, Literal):
        plain = value.datatype == _STRING or bool(value.language)
        return plain or (value.datatype == _INT and _INTEGER.fullmatch(value.value) is not None)
    return isinstance(value, NamedNode)


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
