"""Where the records of a write meet what others say: the places at which rules over several records have to be begun.

Of a record that says all that its own conclusions need, which is what importers write, nothing has to be begun: the cost is a
look into the store for each of its nodes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from pyoxigraph import NamedNode, Triple

from headwater.records.joins import ENDS, End, Glance, JointRules, Meeting, Start
from headwater.store.coming import Coming
from headwater.store.standing import Before
from headwater.terms.rules import Pattern, Variable

_Where = tuple[Start, End | None]


class Meetings:
    """The records of one write among each other, and in the store as it is before."""

    def __init__(self, rules: JointRules, before: Before, coming: Coming) -> None:
        self._rules = rules
        self._before = before
        self._coming = coming
        self._near: dict[NamedNode, tuple[bool, bool, bool]] = {}
        self._classes: dict[NamedNode, bool] = {}
        self._met: dict[tuple[NamedNode, Glance], bool] = {}
        for node, several in coming.nodes():
            known = before.knows(node)
            if several or True in known:
                self._near[node] = (*known, several)

    def anchors(self) -> Iterator[tuple[int, Start, Triple]]:
        """Anchors of rules of which a record states some premises, and others others: the record's number, and where to begin."""
        begun: dict[tuple[int, str], dict[_Where, set[object]]] = defaultdict(lambda: defaultdict(set))
        for number, node, meeting, triple in self._meetings(self._rules.lacking):
            keys = self._coming.keys[number]
            starts = [where for where in meeting.starts if where[0].key in keys]
            if starts and self._fits(meeting.first, triple) and self._lacks(number, node, meeting.glance):
                for where in starts:
                    begun[number, where[0].key][where].add(node)
        if begun:
            for number, triple, at, asserted in self._coming.watched:
                for (start, end), nodes in begun.get((number, at), {}).items():
                    if (asserted or start.first.among != "said") and (end is None or getattr(triple, end) in nodes):
                        yield number, start, triple

    @staticmethod
    def _fits(first: Pattern, triple: Triple) -> bool:
        return isinstance(first.object, Variable) or first.object == triple.object

    def _possible(self, start: Start) -> bool:
        """Whether there is anything of the classes that a rule asks for: for rules of vocabularies not in use there is not."""
        for cls in start.classes:
            found = self._classes.get(cls)
            if found is None:
                found = self._classes[cls] = any(cls.value in keys for keys in self._coming.keys) or self._before.has_member(cls)
            if not found:
                return False
        return True

    def arrivals(self) -> Iterator[tuple[int, Start, Triple]]:
        """Statements that meet a premise in the store. Whether they are new there is for the caller to see."""
        for number, node, meeting, triple in self._meetings(self._rules.arriving):
            if self._meets(node, meeting.glance):
                for start, _ in meeting.starts:
                    yield number, start, triple

    def _meetings(self, table: Mapping[str, tuple[Meeting, ...]]) -> Iterator[tuple[int, NamedNode, Meeting, Triple]]:
        possible = self._possible_ones(table) if self._near else {}
        for node in self._near:
            for end in ENDS:
                for number, triple, at, _ in self._coming.statements(node, end):
                    for meeting in possible.get((at, end), ()):
                        yield number, node, meeting, triple

    def _possible_ones(self, table: Mapping[str, tuple[Meeting, ...]]) -> dict[tuple[str, End], list[Meeting]]:
        found: dict[tuple[str, End], list[Meeting]] = defaultdict(list)
        for at in set().union(*self._coming.keys):
            for meeting in table.get(at, ()):
                starts = tuple(where for where in meeting.starts if self._possible(where[0]))
                if starts:
                    found[at, meeting.end].append(replace(meeting, starts=starts))
        return found

    def _lacks(self, number: int, node: NamedNode, glance: Glance) -> bool:
        """Whether others say something that a glance meets and this record does not say."""
        if self._near[node][2]:
            seen = self._coming.others(node, glance.end, glance.predicate)
            others = seen.values() if glance.other is None else [seen[glance.other]] if glance.other in seen else ()
            if any(number not in sayers.numbers for sayers in others):
                return True
        if not self._in_store(node, glance):
            return False
        for triple in self._before.glimpse(node, glance):
            sayers = self._coming.sayers(triple)
            if sayers is None or number not in sayers.numbers:
                return True
        return False

    def _meets(self, node: NamedNode, glance: Glance) -> bool:
        found = self._met.get((node, glance))
        if found is None:
            found = self._in_store(node, glance) and next(self._before.glimpse(node, glance), None) is not None
            self._met[node, glance] = found
        return found

    def _in_store(self, node: NamedNode, glance: Glance) -> bool:
        return self._near[node][0 if glance.end == "subject" else 1]
