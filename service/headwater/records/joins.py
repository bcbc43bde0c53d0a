"""The rules that join several statements, made ready to be run over statements of several records: what sets them off, what they
need besides, and what concludes a given statement.

Entailment within a record (`records/entailment.py`) has drawn all conclusions whose premises one record states. What is left are
those whose premises no record states all of: two of them then meet in a node of which more than one record speaks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Protocol
from typing import Literal as OneOf

from pyoxigraph import Literal, NamedNode, Triple

from headwater.records.facts import part
from headwater.records.inference import joined, key, variables
from headwater.records.levels import Levels, shared
from headwater.terms.minting import short_hash
from headwater.terms.names import RDF
from headwater.terms.rules import BrokenRule, Conclusion, Made, Minted, Pattern, Rule, Variable, background, guarded_rules
from headwater.terms.vocabulary import Axioms, axioms

End = OneOf["subject", "object"]
ENDS: Final[tuple[End, End]] = ("subject", "object")
Subject = NamedNode
Value = NamedNode | Literal
Bound = dict[Variable, object]
"""What variables stand for."""


class Facts(Protocol):
    """Statements to run rules on, each with the widest levels at which it stands."""

    def levels(self, triple: Triple) -> Levels:
        """Where this statement stands; empty if nowhere."""
        ...

    def said(self, triple: Triple) -> Levels:
        """Where records state it themselves."""
        ...

    def values(self, subject: Subject, predicate: NamedNode) -> Mapping[object, Levels]:
        """What a thing has by a predicate."""
        ...

    def subjects(self, predicate: NamedNode, value: Value) -> Mapping[object, Levels]:
        """What has this value by a predicate."""
        ...

    def extent(self, predicate: NamedNode) -> Iterator[tuple[object, object, Levels]]:
        """All statements with a predicate."""
        ...


@dataclass(frozen=True, slots=True)
class Start:
    """A rule, begun at one of its patterns; the rest are joined to what is bound before them."""

    number: int
    rule: Rule = field(compare=False)
    first: Pattern
    rest: tuple[Pattern, ...] = field(compare=False)
    key: str = field(compare=False)
    classes: tuple[NamedNode, ...] = field(compare=False)
    """The classes that the rule asks for."""

    def conclusions(self, triple: Triple, facts: Facts) -> Iterator[tuple[Triple, Levels]]:
        """What follows from this statement and others by the rule, and at which levels."""
        bound = bind(self.first, triple.subject, triple.object)
        if bound is None:
            return
        levels = (facts.said if self.first.among == "said" else facts.levels)(triple)
        for solution, where in solutions(self.rest, bound, levels, facts):
            for made in self.rule.head:
                left, predicate, right = (make(place, solution) for place in (made.subject, made.predicate, made.object))
                if isinstance(left, NamedNode):
                    yield Triple(left, predicate, right), where  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Glance:
    """What to look for at a node where two premises meet: a statement with this predicate that has the node at this end.

    `other` is what has to stand at the other end, or None where anything may.
    """

    predicate: NamedNode
    end: End
    other: Value | None


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where a statement that fits `first` may meet a premise of the same rule that its record does not state.

    `starts` are where to begin then, each with the end at which that has the node of the meeting, None where it has it at none.
    """

    first: Pattern
    end: End
    glance: Glance
    starts: tuple[tuple[Start, End | None], ...]


_Found = dict[tuple[Pattern, End, Glance], list[tuple[Start, End | None]]]


class JointRules:
    """Guarded rules and property chains with more than one premise.

    Each rule has an anchor: the premise that ties most to most, such as `?run prov:used ?data`. Where the record that states the
    anchor lacks a premise, the rule is begun at that record's anchors (`lacking`); where the anchor stands in the store already
    and a statement is new there, at that statement (`arriving`). So nothing is begun at the thousand uses of a data set because
    one more record says that it is a data set.

    >>> rules = JointRules.of_ontology()
    >>> rules.watches("http://www.w3.org/ns/prov#used", None), rules.watches("http://purl.org/dc/terms/license", None)
    (True, False)
    """

    def __init__(self, rules: Iterable[Rule], tables: Axioms) -> None:
        self._starts: dict[str, list[Start]] = defaultdict(list)
        self._heads: dict[str, list[tuple[Conclusion, Rule, Bound]]] = defaultdict(list)
        lacking: dict[str, _Found] = defaultdict(lambda: defaultdict(list))
        arriving: dict[str, _Found] = defaultdict(lambda: defaultdict(list))
        for place, rule in enumerate((*rules, *chains(tables))):
            premises = [number for number, pattern in enumerate(rule.body) if pattern.among != "ontology"]
            starts = {n: _start(place, rule, n) for n in premises}
            anchor = _anchor(rule, premises)
            for number, start in starts.items():
                at = start.key
                self._starts[at].append(start)
                for end, glance, other in _glances(rule, number, premises):
                    if other != anchor:
                        met = getattr(start.first, end)
                        lacking[at][start.first, end, glance].append((starts[anchor], _end_of(rule.body[anchor], met)))
                    if number != anchor:
                        arriving[at][start.first, end, glance].append((start, end))
            for known in _known(rule):
                for made in rule.head:
                    self._heads[_head_key(made, known)].append((made, rule, known))
        both = {at: _meetings(lacking[at]) + _meetings(arriving[at]) for at in {*lacking, *arriving}}
        self.lacking = {at: _meetings(found) for at, found in lacking.items()}
        self.arriving = {at: _meetings(found) for at, found in arriving.items()}
        self.ends = {at: _ends(found) for at, found in both.items()}
        """For each predicate or class the ends at which its statements may meet those of other records."""

    @staticmethod
    @cache
    def of_ontology() -> JointRules:
        """The rules of `ontology/`, once per process."""
        return JointRules(guarded_rules(), axioms())

    def watches(self, predicate: str, value: object) -> bool:
        """Whether a statement with this predicate and, for types, this class can be a premise."""
        return key(predicate, value) in self._starts

    def starts(self, triple: Triple) -> list[Start]:
        """The premises that a statement may be."""
        return self._starts.get(key(triple.predicate.value, triple.object), [])

    def concludes(self, triple: Triple) -> bool:
        """Whether any rule may conclude such a statement."""
        return key(triple.predicate.value, triple.object) in self._heads

    def derivations(self, triple: Triple, facts: Facts) -> Iterator[Levels]:
        """The levels at which some rule concludes this statement from others, one derivation after the other."""
        for made, rule, known in self._heads.get(key(triple.predicate.value, triple.object), ()):
            for bound in _unified(made, triple, known):
                for solution, where in solutions(_ordered(rule, frozenset(bound)), bound, None, facts):
                    if (make(made.subject, solution), make(made.object, solution)) == (triple.subject, triple.object):
                        yield where


def chains(tables: Axioms) -> Iterator[Rule]:
    """The property chains of the axioms as rules."""
    x, y, z = Variable("?x"), Variable("?y"), Variable("?z")
    for first, pairs in tables.chains.items():
        for second, whole in pairs:
            body = Pattern(x, NamedNode(first), y), Pattern(y, NamedNode(second), z)
            yield Rule("A chain of two properties.", body, (Conclusion(x, NamedNode(whole), z),))


def solutions(rest: tuple[Pattern, ...], bound: Bound, levels: Levels | None, facts: Facts) -> Iterator[tuple[Bound, Levels]]:
    """All ways to fit the patterns, with the widest levels at which all premises stand; `levels` are None before the first."""
    if levels is not None and not levels:
        return
    if not rest:
        if levels is not None:
            yield bound, levels
        return
    pattern, later = rest[0], rest[1:]
    for subject, value, where in _pairs(pattern, bound, facts):
        further = bind(pattern, subject, value)
        if further is None:
            continue
        both = where if levels is None else levels if where is None else shared(levels, where)
        yield from solutions(later, {**bound, **further}, both, facts)


def bind(pattern: Pattern, subject: object, value: object) -> Bound | None:
    """What the variables of a pattern stand for where it fits this subject and value; None where it does not."""
    bound: Bound = {}
    for place, term in ((pattern.subject, subject), (pattern.object, value)):
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


def _pairs(pattern: Pattern, bound: Bound, facts: Facts) -> Iterator[tuple[object, object, Levels | None]]:
    left = bound.get(pattern.subject) if isinstance(pattern.subject, Variable) else pattern.subject
    right = bound.get(pattern.object) if isinstance(pattern.object, Variable) else pattern.object
    predicate = pattern.predicate
    if pattern.among == "ontology":
        known = background(predicate)
        for value in [right] if right is not None else list(known):
            for subject in known.get(value, ()):  # type: ignore[call-overload]
                if left is None or subject == left:
                    yield subject, value, None
        return
    if left is not None and not isinstance(left, NamedNode):
        return
    found: Iterable[tuple[object, object, Levels]]
    if left is not None and right is not None:
        found = [(left, right, facts.levels(Triple(left, predicate, right)))]  # type: ignore[arg-type]
    elif left is not None:
        found = [(left, value, where) for value, where in facts.values(left, predicate).items()]
    elif isinstance(right, NamedNode | Literal):
        found = [(subject, right, where) for subject, where in facts.subjects(predicate, right).items()]
    elif right is None:
        found = facts.extent(predicate)
    else:
        found = ()
    for subject, value, where in found:
        if pattern.among == "said":
            where = facts.said(Triple(subject, predicate, value))  # type: ignore[arg-type]
        if where:
            yield subject, value, where


def _start(place: int, rule: Rule, number: int) -> Start:
    first = rule.body[number]
    rest = joined(variables(first), [p for n, p in enumerate(rule.body) if n != number])
    types = (p.object for p in rule.body if p.predicate == RDF.type and isinstance(p.object, NamedNode))
    return Start(place, rule, first, rest, key(first.predicate.value, first.object), tuple(dict.fromkeys(types)))


@cache
def _ordered(rule: Rule, bound: frozenset[object]) -> tuple[Pattern, ...]:
    """The body in an order that begins where most is known."""
    return joined(bound, list(rule.body))


def _anchor(rule: Rule, premises: list[int]) -> int:
    """The premise with most ends that other premises share: of things in general there are more links than types."""
    return max(premises, key=lambda number: (sum(1 for _ in _shared_ends(rule, number, premises)), -number))


def _shared_ends(rule: Rule, number: int, premises: list[int]) -> Iterator[tuple[End, Variable]]:
    pattern = rule.body[number]
    others = {v for n in premises if n != number for v in (rule.body[n].subject, rule.body[n].object)}
    ends: tuple[tuple[End, object], ...] = (("subject", pattern.subject), ("object", pattern.object))
    for end, place in ends:
        if isinstance(place, Variable) and place in others:
            yield end, place


def _glances(rule: Rule, number: int, premises: list[int]) -> Iterator[tuple[End, Glance, int]]:
    for end, variable in _shared_ends(rule, number, premises):
        for other in premises:
            pattern = rule.body[other]
            if other == number:
                continue
            if pattern.subject == variable:
                yield end, Glance(pattern.predicate, "subject", _fixed(pattern.object)), other
            if pattern.object == variable:
                yield end, Glance(pattern.predicate, "object", _fixed(pattern.subject)), other


def _fixed(place: object) -> Value | None:
    return place if isinstance(place, NamedNode | Literal) else None


def _end_of(pattern: Pattern, variable: object) -> End | None:
    return "subject" if pattern.subject == variable else "object" if pattern.object == variable else None


def _meetings(found: _Found) -> tuple[Meeting, ...]:
    return tuple(Meeting(*where, tuple(dict.fromkeys(starts))) for where, starts in found.items())


def _known(rule: Rule) -> list[Bound]:
    """The ways in which the ontology fits a rule, so that what it concludes has a fixed predicate or class."""
    found: list[Bound] = [{}]
    for pattern in rule.body:
        if pattern.among == "ontology":
            pairs = [(subject, value) for value, subjects in background(pattern.predicate).items() for subject in subjects]
            fits = [(known, bind(pattern, *pair)) for known in found for pair in pairs]
            found = [
                {**known, **fit}
                for known, fit in fits
                if fit is not None and all(known.get(place, term) == term for place, term in fit.items())
            ]
    return found


def _ends(meetings: Iterable[Meeting]) -> str:
    ends = {meeting.end for meeting in meetings}
    return "both" if len(ends) == 2 else ends.pop()


def _head_key(made: Conclusion, known: Bound) -> str:
    predicate = known.get(made.predicate, made.predicate) if isinstance(made.predicate, Variable) else made.predicate
    value = known.get(made.object, made.object) if isinstance(made.object, Variable) else made.object
    if not isinstance(predicate, NamedNode) or (predicate == RDF.type and not isinstance(value, NamedNode)):
        raise BrokenRule("A rule concludes a predicate or a class that the ontology does not fix.")
    return key(predicate.value, value)


def _unified(made: Conclusion, triple: Triple, known: Bound) -> Iterator[Bound]:
    """What the variables of a conclusion stand for where it makes this statement; a minted name is read backwards."""
    candidates: list[Bound] = [known]
    for place, term in ((made.subject, triple.subject), (made.object, triple.object)):
        if isinstance(place, Variable):
            candidates = [{**bound, place: term} for bound in candidates if bound.get(place, term) == term]
        elif isinstance(place, Minted):
            owners = list(_owners(place, term))
            candidates = [
                {**bound, place.of: owner} for bound in candidates for owner in owners if bound.get(place.of, owner) == owner
            ]
        elif place != term:
            return
    yield from candidates


def _owners(minted: Minted, term: object) -> Iterator[NamedNode]:
    """The things after which a node may have been named: `part` writes `#word`, or `-word` where the name has a fragment."""
    if not isinstance(term, NamedNode):
        return
    for mark in "#-":
        owner, found, rest = term.value.rpartition(f"{mark}{minted.word}")
        if found and (rest == "" if minted.by is None else rest.startswith("-")):
            yield NamedNode(owner)
