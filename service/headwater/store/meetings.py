"""Where the records of a write meet what others say: the places at which rules over several records have to be begun.

Of a record that says all that its own conclusions need, which is what importers write, nothing has to be begun: the cost is a
look into the store for each of its nodes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from pyoxigraph import NamedNode, Triple

from headwater.records.inference import key
from headwater.records.joins import Glance, JointRules, Meeting, Start
from headwater.records.record import Record
from headwater.store.spelling import triple_as_stored
from headwater.store.standing import Before
from headwater.terms.names import RDF

_TYPE = RDF.type
_SEVERAL = -1
_Rim = dict[tuple[object, NamedNode, str], dict[object, set[int]]]


class Meetings:
    """The records of one write among each other, and in the store as it is before."""

    def __init__(self, rules: JointRules, before: Before, records: Sequence[Record]) -> None:
        self._rules = rules
        self._before = before
        self._records = records
        self._watched: list[tuple[int, Triple, str]] = []
        self._by: dict[NamedNode, int] = {}
        self._near: dict[NamedNode, tuple[bool, bool]] = {}
        self._rim: _Rim | None = None
        self._sets: dict[int, set[Triple]] = {}
        self._met: dict[tuple[NamedNode, Glance], bool] = {}
        self._read()
        self._look()

    def _read(self) -> None:
        ends = self._rules.ends
        watched, by = self._watched, self._by
        for number, record in enumerate(self._records):
            for triple in chain(record.asserted, record.entailed):
                predicate, value = triple.predicate, triple.object
                at = value.value if predicate == _TYPE and isinstance(value, NamedNode) else predicate.value
                where = ends.get(at)
                if where is None:
                    continue
                watched.append((number, triple, at))
                for node in (triple.subject, value) if where == "both" else (triple.subject if where == "subject" else value,):
                    if isinstance(node, NamedNode) and by.setdefault(node, number) != number:
                        by[node] = _SEVERAL

    def _look(self) -> None:
        for node, number in self._by.items():
            known = (False, False) if self._before.empty else self._before.knows(node)
            if number == _SEVERAL or True in known:
                self._near[node] = known

    def anchors(self) -> Iterator[tuple[int, Start, Triple]]:
        """Anchors of rules of which a record states some premises, and others others: the record's number, and where to begin."""
        begun: dict[int, set[Start]] = defaultdict(set)
        for number, node, meeting, _ in self._meetings(self._rules.lacking):
            if not begun[number].issuperset(meeting.starts) and self._lacks(number, node, meeting.glance):
                begun[number].update(meeting.starts)
        if any(begun.values()):
            for number, triple, at in self._watched:
                for start in begun[number]:
                    if at == key(start.first.predicate.value, start.first.object):
                        yield number, start, triple

    def arrivals(self) -> Iterator[tuple[int, Start, Triple]]:
        """Statements that meet a premise in the store. Whether they are new there is for the caller to see."""
        for number, node, meeting, triple in self._meetings(self._rules.arriving):
            if self._meets(node, meeting.glance):
                for start in meeting.starts:
                    yield number, start, triple

    def _meetings(self, table: Mapping[str, tuple[Meeting, ...]]) -> Iterator[tuple[int, NamedNode, Meeting, Triple]]:
        near = self._near
        if not near:
            return
        for number, triple, at in self._watched:
            subject, value = triple.subject, triple.object
            if subject not in near and value not in near:
                continue
            for meeting in table.get(at, ()):
                node = subject if meeting.end == "subject" else value
                if node in near and isinstance(node, NamedNode):
                    yield number, node, meeting, triple

    def _lacks(self, number: int, node: NamedNode, glance: Glance) -> bool:
        """Whether others say something that a glance meets and this record does not say."""
        if self._by[node] == _SEVERAL:
            seen = self._said_together().get((node, glance.predicate, glance.end), {})
            others = [seen[glance.other]] if glance.other in seen else [] if glance.other is not None else seen.values()
            if any(number not in numbers for numbers in others):
                return True
        if not self._in_store(node, glance):
            return False
        return any(triple not in self._said(number) for triple in self._before.glimpse(node, glance))

    def _meets(self, node: NamedNode, glance: Glance) -> bool:
        found = self._met.get((node, glance))
        if found is None:
            found = self._in_store(node, glance) and next(self._before.glimpse(node, glance), None) is not None
            self._met[node, glance] = found
        return found

    def _in_store(self, node: NamedNode, glance: Glance) -> bool:
        return self._near[node][0 if glance.end == "subject" else 1]

    def _said(self, number: int) -> set[Triple]:
        found = self._sets.get(number)
        if found is None:
            record = self._records[number]
            found = self._sets[number] = {triple_as_stored(triple) for triple in chain(record.asserted, record.entailed)}
        return found

    def _said_together(self) -> _Rim:
        """For the nodes of which several records speak: what they say there, and which of them say it."""
        if self._rim is None:
            self._rim = defaultdict(lambda: defaultdict(set))
            for number, triple, _ in self._watched:
                subject, predicate, value = triple.subject, triple.predicate, triple.object
                if self._by.get(subject) == _SEVERAL:  # type: ignore[arg-type]
                    self._rim[subject, predicate, "subject"][value].add(number)
                if self._by.get(value) == _SEVERAL:  # type: ignore[arg-type]
                    self._rim[value, predicate, "object"][subject].add(number)
        return self._rim
