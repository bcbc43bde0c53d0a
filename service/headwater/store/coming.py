"""What the records of a write say, as far as rules look at it, found by either end of a statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain

from pyoxigraph import NamedNode, Triple

from headwater.records.joins import End, JointRules
from headwater.records.levels import Levels, widest
from headwater.records.record import Record
from headwater.store.spelling import triple_as_stored
from headwater.terms.names import RDF

_TYPE = RDF.type


Watched = tuple[int, Triple, str, bool]
"""A statement that rules look at: its record's number, the statement, its predicate or class, and whether it is asserted."""


class Sayers:
    """Who makes a statement: the numbers of records, and the widest levels at which they make it, or assert it."""

    __slots__ = ("levels", "numbers", "said")

    def __init__(self) -> None:
        self.numbers: set[int] = set()
        self.levels: Levels = ()
        self.said: Levels = ()

    def add(self, number: int, level: str, *, asserted: bool) -> None:
        self.numbers.add(number)
        if level not in self.levels:
            self.levels = widest((*self.levels, level))
        if asserted and level not in self.said:
            self.said = widest((*self.said, level))


_By = Mapping[NamedNode, Mapping[object, Sayers]]
_NOBODY: Mapping[object, Sayers] = {}


class Coming:
    """The records of a write, read once. Reading is cheap; what is said of a node is put in order when first asked for."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._rules = JointRules.of_ontology()
        self.records = records
        self.watched: list[Watched] = []
        self.keys: list[set[str]] = [set() for _ in records]
        """The predicates and classes of each record that rules look at."""
        self._about: dict[object, list[Watched]] = defaultdict(list)
        self._to: dict[object, list[Watched]] = defaultdict(list)
        self._ordered: dict[tuple[object, End], _By] = {}
        self._read()

    def _read(self) -> None:
        ends, watched = self._rules.ends, self.watched
        for number, record in enumerate(self.records):
            keys, last = self.keys[number], len(record.asserted)
            for place, triple in enumerate(chain(record.asserted, record.entailed)):
                predicate, value = triple.predicate, triple.object
                is_type = predicate == _TYPE
                at = value.value if is_type and isinstance(value, NamedNode) else predicate.value
                if at not in ends:
                    continue
                one = (number, triple, at, place < last)
                watched.append(one)
                keys.add(at)
                self._about[triple.subject].append(one)
                if not is_type and isinstance(value, NamedNode):
                    self._to[value].append(one)

    def nodes(self) -> Iterator[tuple[NamedNode, bool]]:
        """The things at which statements may meet those of others, and whether several records of this write speak of them."""
        for node in dict.fromkeys(chain(self._about, self._to)):
            if isinstance(node, NamedNode):
                said = [found for found in (self._about.get(node), self._to.get(node)) if found]
                yield node, min(found[0][0] for found in said) != max(found[-1][0] for found in said)

    def statements(self, node: object, end: End) -> Sequence[Watched]:
        """The statements that have a node at an end, in the order of the records."""
        return (self._about if end == "subject" else self._to).get(node, ())

    def said(self, node: object, end: End) -> _By:
        """What is said of a node, or has it as its value: by predicate, what stands at the other end, and who says it."""
        found = self._ordered.get((node, end))
        if found is None:
            ordered: dict[NamedNode, dict[object, Sayers]] = defaultdict(lambda: defaultdict(Sayers))
            for number, given, _, asserted in self.statements(node, end):
                triple = triple_as_stored(given)
                other = triple.object if end == "subject" else triple.subject
                ordered[triple.predicate][other].add(number, self.records[number].visibility, asserted=asserted)
            found = self._ordered[node, end] = ordered
        return found

    def others(self, node: object, end: End, predicate: NamedNode) -> Mapping[object, Sayers]:
        """What stands at the other end of the statements with a predicate."""
        return self.said(node, end).get(predicate, _NOBODY)

    def sayers(self, triple: Triple) -> Sayers | None:
        """Who makes a statement that rules look at."""
        return self.others(triple.subject, "subject", triple.predicate).get(triple.object)

    def levels(self, triple: Triple) -> Levels:
        """The widest levels at which any statement is made, also one that no rule looks at."""
        if self._rules.watches(triple.predicate.value, triple.object):
            sayers = self.sayers(triple)
            return () if sayers is None else sayers.levels
        return self._unwatched.get(triple, ())

    @cached_property
    def _unwatched(self) -> dict[Triple, Levels]:
        """All that rules may conclude and none looks at. Read when first a conclusion asks."""
        found: dict[Triple, Levels] = {}
        for record in self.records:
            for given in chain(record.asserted, record.entailed):
                if not self._rules.watches(given.predicate.value, given.object):
                    triple = triple_as_stored(given)
                    found[triple] = widest((*found.get(triple, ()), record.visibility))
        return found
