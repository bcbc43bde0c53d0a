"""Running guarded rules over one record while its closure grows: each new triple is tried in every place where it may fit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from pyoxigraph import NamedNode, Triple

from headwater.records.facts import part
from headwater.terms.minting import short_hash
from headwater.terms.names import RDF
from headwater.terms.rules import Made, Minted, Pattern, Place, Rule, Variable, background

_TYPE = RDF.type.value
_Slots = list[object]
"""What the variables of a rule stand for at the moment, by their numbers."""


@dataclass(frozen=True, slots=True)
class _Spot:
    """A place in a pattern: the number of its variable, or -1 and the term that stands there."""

    slot: int
    term: object = None

    def of(self, slots: _Slots) -> object:
        return self.term if self.slot < 0 else slots[self.slot]


@dataclass(frozen=True, slots=True)
class _Step:
    """A pattern to be joined. Which of its places are filled by then is known beforehand: `left` and `right`."""

    pattern: Pattern
    predicate: str
    subject: _Spot
    object: _Spot
    left: bool
    right: bool


@dataclass(frozen=True, slots=True)
class _Start:
    """A rule, begun at one of its patterns; `steps` are the others, each joined to what is filled before it.

    `needs` are the predicates, and for types the classes, without which it cannot come to an end.
    """

    needs: frozenset[str]
    first: Pattern
    subject: _Spot
    object: _Spot
    steps: tuple[_Step, ...]
    head: tuple[tuple[Made, NamedNode | Variable, Made], ...]
    numbers: dict[Variable, int]


class RuleSet:
    """Rules, indexed by what sets them off: a predicate, or for types the class.

    A rule that looks at asserted statements is begun at its first pattern only, when all else has been concluded.

    >>> from headwater.terms.rules import guarded_rules
    >>> rules = RuleSet(guarded_rules())
    >>> rules.watches("http://www.w3.org/ns/prov#used", None), rules.watches("http://purl.org/dc/terms/license", None)
    (True, False)
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.starts: dict[str, list[_Start]] = defaultdict(list)
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
                    self.deferred[pattern.predicate.value].append(_start(rule, pattern, rest))
                elif not late:
                    self.starts[key(pattern.predicate.value, pattern.object)].append(_start(rule, pattern, rest))
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


class Inference:
    """One record's run of the rules. `said` are its asserted triples."""

    def __init__(self, rules: RuleSet, said: Iterable[Triple]) -> None:
        self._rules = rules
        self._said = said
        self._objects: dict[str, dict[object, list[object]]] = defaultdict(lambda: defaultdict(list))
        self._subjects: dict[str, dict[object, list[object]]] = defaultdict(lambda: defaultdict(list))
        self._asserted: set[Triple] | None = None
        self._met: set[str] = {_TYPE}

    def follow(self, subject: object, predicate: str, value: object) -> list[Triple]:
        """What follows from this triple together with those given before; each triple is to be given once."""
        if not self._rules.watches(predicate, value):
            return []
        self._objects[predicate][subject].append(value)
        if predicate in self._rules.by_object:
            self._subjects[predicate][value].append(subject)
        at = key(predicate, value)
        self._met.add(at)
        found: list[Triple] = []
        for start in self._rules.starts.get(at, ()):
            # Most rules lack something: one look instead of a join that comes to nothing.
            if start.needs <= self._met:
                self._conclude(start, subject, value, found)
        return found

    def settle(self) -> list[Triple]:
        """What follows by the rules that begin at asserted statements, once all that was found so far has been given."""
        found: list[Triple] = []
        for predicate, starts in self._rules.deferred.items():
            if predicate not in self._objects:
                continue
            for subject, values in self._objects[predicate].items():
                for value in values:
                    for start in starts:
                        if self._is_said(subject, start.first, value):
                            self._conclude(start, subject, value, found)
        return found

    def _conclude(self, start: _Start, subject: object, value: object, found: list[Triple]) -> None:
        slots: _Slots = [None] * len(start.numbers)
        if start.subject.slot >= 0:
            slots[start.subject.slot] = subject
        elif start.subject.term != subject:
            return
        if start.object.slot < 0:
            if start.object.term != value:
                return
        elif start.object.slot != start.subject.slot:
            slots[start.object.slot] = value
        elif subject != value:
            return
        self._join(start, 0, slots, found)

    def _join(self, start: _Start, number: int, slots: _Slots, found: list[Triple]) -> None:
        if number == len(start.steps):
            _say(start, slots, found)
            return
        step = start.steps[number]
        left = step.subject.of(slots) if step.left else None
        right = step.object.of(slots) if step.right else None
        if step.pattern.among == "ontology":
            pairs = _stated(step, left, right)
        elif step.left:
            values: list[object] = self._objects[step.predicate].get(left, [])
            if step.right:
                values = [right] if right in values else []
            pairs = [(left, value) for value in values]
        else:
            pairs = [(subject, right) for subject in self._subjects[step.predicate].get(right, ())]
        for subject, value in pairs:
            if step.pattern.among == "said" and not self._is_said(subject, step.pattern, value):
                continue
            if not step.left:
                slots[step.subject.slot] = subject
            if not step.right:
                if step.object.slot == step.subject.slot:
                    if subject != value:
                        continue
                else:
                    slots[step.object.slot] = value
            self._join(start, number + 1, slots, found)

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


def _start(rule: Rule, first: Pattern, rest: tuple[Pattern, ...]) -> _Start:
    numbers: dict[Variable, int] = {}

    def spot(place: Place) -> _Spot:
        return _Spot(numbers.setdefault(place, len(numbers))) if isinstance(place, Variable) else _Spot(-1, place)

    subject, value = spot(first.subject), spot(first.object)
    steps = []
    for pattern in rest:
        left, right = (not isinstance(place, Variable) or place in numbers for place in (pattern.subject, pattern.object))
        steps.append(_Step(pattern, pattern.predicate.value, spot(pattern.subject), spot(pattern.object), left, right))
    head = tuple((made.subject, made.predicate, made.object) for made in rule.head)
    needs = frozenset(key(pattern.predicate.value, pattern.object) for pattern in rest if pattern.among != "ontology")
    return _Start(needs, first, subject, value, tuple(steps), head, numbers)


def _stated(step: _Step, left: object, right: object) -> list[tuple[object, object]]:
    """The statements of the ontology that fit a pattern."""
    known = background(step.pattern.predicate)
    return [
        (subject, value)
        for value in ([right] if step.right else known)
        for subject in known.get(value, ())  # type: ignore[call-overload]
        if not step.left or subject == left
    ]


def _say(start: _Start, slots: _Slots, found: list[Triple]) -> None:
    for subject, predicate, value in start.head:
        left = _make(subject, start.numbers, slots)
        if isinstance(left, NamedNode):
            middle, right = _make(predicate, start.numbers, slots), _make(value, start.numbers, slots)
            found.append(Triple(left, middle, right))  # type: ignore[arg-type]


def _make(made: Made, numbers: dict[Variable, int], slots: _Slots) -> object:
    if isinstance(made, Variable):
        return slots[numbers[made]]
    if isinstance(made, Minted):
        of = slots[numbers[made.of]]
        word = made.word if made.by is None else f"{made.word}-{short_hash(str(slots[numbers[made.by]]))}"
        return part(of, word) if isinstance(of, NamedNode) else None
    return made
