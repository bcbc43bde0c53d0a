"""What others say about the things that some records touch: as much of it as the shapes look at, and no more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from pyoxigraph import NamedNode, Triple

from headwater.checking.footprint import Glance, walk
from headwater.checking.paths import Path
from headwater.checking.report import lenient_iri
from headwater.checking.sieve import Statement

Relevant = Callable[[Iterable[Triple], list[Triple]], list[Statement]]
"""The statements that the shapes look at; the rest, which matters to closed shapes only, goes to the list."""


class Surroundings(Protocol):
    """What stands in the store apart from the records that are being checked, which may have earlier revisions there."""

    def about(self, iri: str, predicates: Collection[str] | None, also: Collection[Triple]) -> Iterable[Triple]:
        """What others say of a thing by any of these predicates, and those of the statements `also` about it that they make, too.

        More than that may come along; where others say very much of a thing, it should not. Without predicates, all is asked for.
        """
        ...

    def to(self, iri: str, predicates: Collection[str]) -> Iterable[Triple]:
        """What others say by any of these predicates that has the thing as its value."""
        ...

    def going(self) -> Iterable[Triple]:
        """What only the earlier revisions of the records say, so that it goes unless the new ones repeat it."""
        ...


class Alone:
    """The surroundings of records that stand alone.

    >>> list(Alone().about("urn:a", ["urn:p"], []))
    []
    """

    def about(self, _iri: str, _predicates: Collection[str] | None, _also: Collection[Triple]) -> Iterable[Triple]:
        return ()

    def to(self, _iri: str, _predicates: Collection[str]) -> Iterable[Triple]:
        return ()

    def going(self) -> Iterable[Triple]:
        return ()


class Told(Alone):
    """Surroundings in memory: what was accepted so far.

    >>> told = Told()
    >>> told.add([Triple(NamedNode("urn:a"), NamedNode("urn:p"), NamedNode("urn:b"))])
    >>> len(list(told.about("urn:a", ["urn:p"], [])))
    1
    >>> len(list(told.to("urn:b", ["urn:p"]))), len(list(told.to("urn:b", ["urn:q"])))
    (1, 0)
    """

    def __init__(self) -> None:
        self._about: dict[str, list[Triple]] = defaultdict(list)
        self._to: dict[tuple[str, str], list[Triple]] = defaultdict(list)

    def add(self, statements: Iterable[Triple]) -> None:
        """Take in what a record says."""
        for triple in statements:
            if isinstance(triple.subject, NamedNode):
                self._about[triple.subject.value].append(triple)
                if isinstance(triple.object, NamedNode):
                    self._to[triple.object.value, triple.predicate.value].append(triple)

    def about(self, iri: str, _predicates: Collection[str] | None, _also: Collection[Triple]) -> Iterable[Triple]:
        return self._about.get(iri, ())

    def to(self, iri: str, predicates: Collection[str]) -> Iterable[Triple]:
        return [triple for predicate in predicates for triple in self._to.get((iri, predicate), ())]


@dataclass(frozen=True, slots=True)
class Sight:
    """How far the shapes see: `relevant` picks the statements that matter to them, `predicates` are what they look at on a thing.

    Of what is said by the predicates `alone`, only statements that the records make as well matter.
    """

    relevant: Relevant
    predicates: tuple[str, ...]
    alone: frozenset[str]


class Neighbourhood:
    """What is known around a batch, loaded place by place: `known` others say, `gone` goes with earlier revisions."""

    def __init__(self, around: Surroundings, sight: Sight, own: Iterable[Statement]) -> None:
        self._around = around
        self._sight = sight
        self._relevant = sight.relevant
        self.known: list[Statement] = []
        self._rest_gone: list[Triple] = []
        self.gone: list[Statement] = sight.relevant(around.going(), self._rest_gone)
        self.said: set[str] = set()
        """The things of which others say anything that matters."""
        self._asked: dict[str, bool] = {}
        self._asked_to: set[tuple[str, str]] = set()
        self._seen: set[Triple] = set()
        self._onwards: dict[str, dict[str, list[str]]] = {}
        self._back: dict[str, dict[str, list[str]]] = {}
        """The links of each predicate that was walked along, in both directions."""
        self._own = own
        self._alone: dict[str, list[Triple]] = defaultdict(list)
        for subject, predicate, _, triple in own:
            if predicate in sight.alone:
                self._alone[subject].append(triple)

    def ask(self, iris: Iterable[str]) -> None:
        """Load what others say of these things."""
        for iri in iris:
            if iri not in self._asked:
                # An IRI that only a lenient parser lets through cannot be in the store, nor asked for.
                self._asked[iri] = lenient_iri(iri).value == iri
                if self._asked[iri]:
                    said = self._around.about(iri, self._sight.predicates, self._alone.get(iri, ()))
                    self._take([statement for statement in self._relevant(said, []) if statement[0] == iri])

    def ask_to(self, iri: str, predicates: Iterable[str]) -> None:
        """Load who has this thing as the value of any of these predicates."""
        new = [predicate for predicate in predicates if (iri, predicate) not in self._asked_to]
        if new and self._asked.get(iri, True) and lenient_iri(iri).value == iri:
            self._asked_to.update((iri, predicate) for predicate in new)
            self._take(self._relevant(self._around.to(iri, new), []))

    @property
    def barely_gone(self) -> set[str]:
        """The things of which something goes that matters to closed shapes only."""
        return subjects(self._rest_gone)

    def open(self, things: Collection[str]) -> None:
        """Count what matters to closed shapes only, too, about these things."""
        for thing in things:
            if self._asked.get(thing):
                rest: list[Triple] = []
                self._take(self._relevant(self._around.about(thing, None, ()), rest))
                self._take(stated(rest, things))
        self.gone += stated(self._rest_gone, things)

    def _take(self, statements: Iterable[Statement]) -> None:
        for statement in statements:
            if statement[3] not in self._seen:
                self._seen.add(statement[3])
                self.known.append(statement)
                self.said.add(statement[0])
                if statement[1] in self._onwards:
                    self._link(statement)

    def _link(self, statement: Statement) -> None:
        subject, predicate, value, _ = statement
        if isinstance(value, NamedNode):
            self._onwards[predicate][subject].append(value.value)
            self._back[predicate][value.value].append(subject)

    def _step(self, node: str, predicate: str, backwards: bool) -> Iterable[str]:
        if predicate not in self._onwards:
            self._onwards[predicate], self._back[predicate] = defaultdict(list), defaultdict(list)
            for statement in (*self._own, *self.known, *self.gone):
                if statement[1] == predicate:
                    self._link(statement)
        if backwards:
            self.ask_to(node, (predicate,))
            return tuple(self._back[predicate].get(node, ()))
        self.ask((node,))
        return tuple(self._onwards[predicate].get(node, ()))

    def beginnings(self, way: Path | None, end: str) -> set[str]:
        """The things from which a way leads to `end`, before the write or after it."""
        return {end} if way is None else walk(way, [end], self._step, backwards=True)

    def complete(self, foci: Collection[str], glances: Iterable[Glance]) -> None:
        """Load all that these glances from these things look at."""
        by_way: dict[Path | None, set[str | None]] = defaultdict(set)
        for glance in glances:
            by_way[glance.way].add(glance.predicate if glance.as_object else None)
        for way, predicates in by_way.items():
            places = foci if way is None else walk(way, foci, self._step)
            if None in predicates:
                self.ask(places)
            looked_back = [predicate for predicate in predicates if predicate is not None]
            if looked_back:
                for place in places:
                    self.ask_to(place, looked_back)


def subjects(triples: Iterable[Triple]) -> set[str]:
    """The IRIs that statements are about."""
    return {triple.subject.value for triple in triples if isinstance(triple.subject, NamedNode)}


def stated(triples: Iterable[Triple], things: Collection[str]) -> list[Statement]:
    """Those of the statements that are about some things, taken apart."""
    return [
        (triple.subject.value, triple.predicate.value, triple.object, triple)
        for triple in triples
        if isinstance(triple.subject, NamedNode) and triple.subject.value in things and not isinstance(triple.object, Triple)
    ]
