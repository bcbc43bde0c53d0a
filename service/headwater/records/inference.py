"""Running guarded rules over one record while its closure grows: each new triple is tried in every place where it may fit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pyoxigraph import NamedNode, Triple

from headwater.records.facts import part
from headwater.terms.minting import short_hash
from headwater.terms.names import RDF
from headwater.terms.rules import Made, Minted, Pattern, Place, Rule, Variable, background

Bound = dict[Variable, object]

_TYPE = RDF.type.value


@dataclass(frozen=True, slots=True)
class _Start:
    """A rule, begun at one of its patterns; `rest` are the others, each joined to what is bound before it."""

    rule: Rule
    first: Pattern
    rest: tuple[Pattern, ...]


class RuleSet:
    """Rules, indexed by what sets them off: a predicate, or for types the class.

    A rule that looks at asserted statements is begun at its first pattern only, when all else has been concluded.

    >>> from headwater.terms.rules import guarded_rules
    >>> rules = RuleSet(guarded_rules())
    >>> rules.watches("http://www.w3.org/ns/prov#used", None), rules.watches("http://purl.org/dc/terms/license", None)
    (True, False)
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._starts: dict[str, list[_Start]] = defaultdict(list)
        self.deferred: dict[str, list[_Start]] = defaultdict(list)
        self._predicates: set[str] = set()
        self._classes: set[str] = set()
        self.by_object: set[str] = set()
        for rule in rules:
            late = any(pattern.among == "said" for pattern in rule.body)
            for number, pattern in enumerate(rule.body):
                if pattern.among == "ontology":
                    continue
                rest = joined(variables(pattern), [p for i, p in enumerate(rule.body) if i != number])
                self._watch(pattern)
                if late and number == 0:
                    self.deferred[pattern.predicate.value].append(_Start(rule, pattern, rest))
                elif not late:
                    self._starts[key(pattern.predicate.value, pattern.object)].append(_Start(rule, pattern, rest))
                self._index(pattern, rest)

    def _watch(self, pattern: Pattern) -> None:
        if pattern.predicate.value == _TYPE and isinstance(pattern.object, NamedNode):
            self._classes.add(pattern.object.value)
        else:
            self._predicates.add(pattern.predicate.value)

    def _index(self, first: Pattern, rest: tuple[Pattern, ...]) -> None:
        bound = variables(first)
        for pattern in rest:
            if pattern.subject not in bound and pattern.among != "ontology":
                self.by_object.add(pattern.predicate.value)
            bound |= variables(pattern)

    def watches(self, predicate: str, value: object) -> bool:
        """Whether any rule looks at triples with this predicate and, for types, this class."""
        if predicate == _TYPE:
            return isinstance(value, NamedNode) and value.value in self._classes
        return predicate in self._predicates

    def starts(self, predicate: str, value: object) -> list[_Start]:
        return self._starts.get(key(predicate, value), [])


class Inference:
    """One record's run of the rules. `said` are its asserted triples."""

    def __init__(self, rules: RuleSet, said: Iterable[Triple]) -> None:
        self._rules = rules
        self._said = said
        self._objects: dict[str, dict[object, list[object]]] = defaultdict(lambda: defaultdict(list))
        self._subjects: dict[str, dict[object, list[object]]] = defaultdict(lambda: defaultdict(list))
        self._asserted: set[Triple] | None = None

    def follow(self, triple: Triple) -> list[Triple]:
        """What follows from this triple together with those given before; each triple is to be given once."""
        predicate, value = triple.predicate.value, triple.object
        if not self._rules.watches(predicate, value):
            return []
        subject = triple.subject
        self._objects[predicate][subject].append(value)
        if predicate in self._rules.by_object:
            self._subjects[predicate][value].append(subject)
        found: list[Triple] = []
        for start in self._rules.starts(predicate, value):
            found += self._conclude(start, subject, value)
        return found

    def settle(self) -> list[Triple]:
        """What follows by the rules that begin at asserted statements, once all that was found so far has been given."""
        found: list[Triple] = []
        for predicate, starts in self._rules.deferred.items():
            if predicate not in self._objects:
                continue
            for subject, values in list(self._objects[predicate].items()):
                for value in list(values):
                    for start in starts:
                        if self._is_said(subject, start.first, value):
                            found += self._conclude(start, subject, value)
        return found

    def _conclude(self, start: _Start, subject: object, value: object) -> Iterator[Triple]:
        bound = bind(start.first, subject, value)
        for solution in self._solve(start.rest, bound) if bound is not None else ():
            for made in start.rule.head:
                left, predicate, right = (
                    make(made.subject, solution),
                    make(made.predicate, solution),
                    make(made.object, solution),
                )
                if isinstance(left, NamedNode):
                    yield Triple(left, predicate, right)  # type: ignore[arg-type]

    def _solve(self, rest: tuple[Pattern, ...], bound: Bound) -> Iterator[Bound]:
        if not rest:
            yield bound
            return
        pattern, later = rest[0], rest[1:]
        for subject, value in self._pairs(pattern, bound):
            further = dict(bound)
            if isinstance(pattern.subject, Variable):
                further[pattern.subject] = subject
            if isinstance(pattern.object, Variable):
                further[pattern.object] = value
            yield from self._solve(later, further)

    def _pairs(self, pattern: Pattern, bound: Bound) -> list[tuple[object, object]]:
        left = bound.get(pattern.subject) if isinstance(pattern.subject, Variable) else pattern.subject
        right = bound.get(pattern.object) if isinstance(pattern.object, Variable) else pattern.object
        predicate = pattern.predicate.value
        if pattern.among == "ontology":
            known = background(pattern.predicate)
            return [
                (subject, value)
                for value in ([right] if right is not None else known)
                for subject in known.get(value, ())  # type: ignore[call-overload]
                if left is None or subject == left
            ]
        if left is not None:
            values = self._objects[predicate].get(left, ())
            pairs = [(left, value) for value in values if right is None or value == right]
        else:
            pairs = [(subject, right) for subject in self._subjects[predicate].get(right, ())]
        return pairs if pattern.among == "all" else [pair for pair in pairs if self._is_said(pair[0], pattern, pair[1])]

    def _is_said(self, subject: object, pattern: Pattern, value: object) -> bool:
        if self._asserted is None:
            self._asserted = set(self._said)
        return Triple(subject, pattern.predicate, value) in self._asserted  # type: ignore[arg-type]


def key(predicate: str, value: object) -> str:
    """What sets a rule off: for types the class, so that the many types no rule asks for cost nothing."""
    return value.value if predicate == _TYPE and isinstance(value, NamedNode) else predicate


def variables(pattern: Pattern) -> set[object]:
    """The variables of a pattern."""
    return {place for place in (pattern.subject, pattern.object) if isinstance(place, Variable)}


def joined(known: Iterable[object], others: list[Pattern]) -> tuple[Pattern, ...]:
    """Patterns in an order in which each shares a variable with those before, or with `known`; guards first: they cost least."""
    bound = set(known)
    ordered: list[Pattern] = []
    while others:
        best = max(range(len(others)), key=lambda number: (_firmness(others[number], bound), -number))
        ordered.append(others.pop(best))
        bound |= variables(ordered[-1])
    return tuple(ordered)


def _firmness(pattern: Pattern, bound: set[object]) -> int:
    subject = not isinstance(pattern.subject, Variable) or pattern.subject in bound
    value_bound = pattern.object in bound
    if subject and (value_bound or not isinstance(pattern.object, Variable)):
        return 4
    # A fixed object alone (every node of a class) is a wider net than a known subject.
    return 3 if subject else 2 if value_bound else 1


def bind(pattern: Pattern, subject: object, value: object) -> Bound | None:
    """What the variables of a pattern stand for where it fits this subject and value; None where it does not."""
    bound: Bound = {}
    places: tuple[tuple[Place, object], ...] = ((pattern.subject, subject), (pattern.object, value))
    for place, term in places:
        if isinstance(place, Variable):
            if bound.setdefault(place, term) != term:
                return None
        elif place != term:
            return None
    return bound


def make(made: Made, bound: Bound) -> object:
    """A place of a conclusion, filled in; None for a name that cannot be minted."""
    if isinstance(made, Variable):
        return bound[made]
    if isinstance(made, Minted):
        of = bound[made.of]
        word = made.word if made.by is None else f"{made.word}-{short_hash(str(bound[made.by]))}"
        return part(of, word) if isinstance(of, NamedNode) else None
    return made
