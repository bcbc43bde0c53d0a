"""What follows from statements of several records together, kept right write by write.

A joint conclusion stands in the graph `view/joint/LEVEL` of the widest level whose readers see all its premises, as if one more
record of that level said it, and in the views of that level. It stands there only while no record says it at that level or a
wider one, so that what the graphs hold depends on the present records alone and not on how they came.

A write looks at the nodes that its records share with others. What goes is followed forwards from what is lost, then whatever
still follows in another way is put back (delete and rederive: Gupta, Mumick and Subrahmanian, SIGMOD 1993); what comes is
followed forwards from where its records meet others (semi-naive evaluation). The cost is that of the write, of its neighbours,
and of what changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from pyoxigraph import Triple

from headwater.records.consequences import Consequences
from headwater.records.joins import JointRules, Start
from headwater.records.levels import Levels, beyond, reaches, widest
from headwater.records.record import Record
from headwater.store.coming import Coming
from headwater.store.graphs import graphs_of
from headwater.store.meetings import Meetings
from headwater.store.spelling import triple_as_stored
from headwater.store.standing import After, Before


@dataclass(frozen=True, slots=True)
class Old:
    """What a record said before the write, as the store holds it; at several levels where an earlier write was cut short."""

    levels: Levels
    asserted: Sequence[Triple]
    entailed: Sequence[Triple]


@dataclass(frozen=True, slots=True)
class Written:
    """One record of a write: as it was, and as it will be; None where it is new, or withdrawn."""

    iri: str
    old: Old | None
    new: Record | None


@dataclass(slots=True)
class JointChange:
    """How joint conclusions change with a write: statements with the levels at which they come and go.

    `by` are the records with which something comes; `gone` is what stands nowhere afterwards.
    """

    added: dict[Triple, Levels] = field(default_factory=dict)
    dropped: dict[Triple, Levels] = field(default_factory=dict)
    by: set[str] = field(default_factory=set)
    gone: list[Triple] = field(default_factory=list)


def joint_change(written: Sequence[Written], before: Before) -> JointChange:
    """What has to change with these records."""
    return _Working(written, before).change()


class _Working:
    def __init__(self, written: Sequence[Written], before: Before) -> None:
        self._rules = JointRules.of_ontology()
        self._alone = Consequences.of_ontology()
        self._written = written
        self._before = before
        self._own = {graph: one for one in written for graph in graphs_of(one.iri)}
        self._records = [one.new for one in written if one.new is not None]
        self._coming = Coming(self._records)
        self._after = After(before, self._own, self._coming)
        self._now: dict[Triple, Levels] = {}
        self._todo: list[Triple] = []
        self._by: set[str] = set()
        self._said: dict[str, set[Triple]] = {}

    def change(self) -> JointChange:
        lost = self._lost()
        records = self._records
        meetings = Meetings(self._rules, self._before, self._coming)
        anchors, arrivals = list(meetings.anchors()), list(self._arriving(meetings, records))
        if lost or anchors or arrivals:
            for triple in lost:
                self._after.lose(triple)
            over = self._follows_no_longer(lost)
            self._restore([*lost, *over])
            for number, start, triple in chain(anchors, arrivals):
                self._conclude(start.conclusions(triple_as_stored(triple), self._after), records[number].iri)
            self._go_on()
        if not self._before.none_joint:
            self._give_way(records)
        return self._result()

    # --- what goes

    def _lost(self) -> dict[Triple, bool]:
        """What a record said and no longer says as widely; True where it is only no longer asserted."""
        lost: dict[Triple, bool] = {}
        for one in self._written:
            if one.old is None:
                continue
            kept = one.new
            if kept is not None and not all(reaches(kept.visibility, level) for level in one.old.levels):
                kept = None
            asserted = {triple_as_stored(triple) for triple in kept.asserted} if kept is not None else set()
            said = asserted | {triple_as_stored(triple) for triple in kept.entailed} if kept is not None else set()
            for triple in one.old.asserted:
                if triple not in asserted:
                    lost[triple] = triple in said and lost.get(triple, True)
            for triple in one.old.entailed:
                if triple not in said:
                    lost[triple] = False
        return lost

    def _follows_no_longer(self, lost: Mapping[Triple, bool]) -> list[Triple]:
        """The joint conclusions that rest on what is lost; they may still follow in another way."""
        if self._before.none_joint:
            return []
        over: dict[Triple, None] = {}
        todo = list(lost)
        while todo:
            triple = todo.pop()
            stands = triple not in over and not beyond(self._before.levels(triple), self._after.levels(triple))
            for start in self._rules.starts(triple):
                if not stands or start.first.among == "said":
                    todo += self._resting((found for found, _ in start.conclusions(triple, self._before)), over)
            if triple in over:
                todo += self._resting(self._alone.of(triple), over)
        for triple in over:
            self._now[triple] = ()
            self._after.fix(triple, self._after.by_records(triple))
        return list(over)

    def _resting(self, found: Iterable[Triple], over: dict[Triple, None]) -> list[Triple]:
        new = [t for t in dict.fromkeys(found) if t not in over and self._before.joint_levels(t)]
        over.update(dict.fromkeys(new))
        return new

    def _restore(self, triples: Iterable[Triple]) -> None:
        """Put back what still follows in another way."""
        for triple in triples:
            once = self._before.levels(triple)
            if not beyond(once, self._after.levels(triple)):
                continue
            found: Levels = ()
            for levels in self._other_ways(triple):
                found = widest((*found, *levels))
                if not beyond(once, found):
                    break
            self._stand(triple, found)

    def _other_ways(self, triple: Triple) -> Iterator[Levels]:
        yield from self._rules.derivations(triple, self._after)
        if self._before.none_joint:
            return  # what follows from a record's statement alone, that record says
        for source in self._alone.sources(triple):
            if isinstance(source, Triple):
                yield self._after.levels(source)
            else:
                node, predicate, as_object = source
                for one in self._before.joint_with(node, predicate, as_object=as_object):
                    yield self._after.levels(one)

    # --- what comes

    def _arriving(self, meetings: Meetings, records: Sequence[Record]) -> Iterator[tuple[int, Start, Triple]]:
        known: dict[tuple[Triple, str, bool], bool] = {}
        for number, start, triple in dict.fromkeys(meetings.arrivals()):
            asserted = start.first.among == "said"
            asked = (triple, records[number].visibility, asserted)
            if asked not in known:
                known[asked] = self._stood(*asked)
            if not known[asked]:
                yield number, start, triple

    def _stood(self, triple: Triple, level: str, asserted: bool) -> bool:
        """Whether a statement was there before as widely, and stays."""
        for stated, is_asserted, graph in self._before.statements(triple):
            if reaches(stated, level) and (is_asserted or not asserted):
                one = self._own.get(graph)
                if one is None or (one.new is not None and reaches(one.new.visibility, level) and self._repeats(one.new, triple)):
                    return True
        return False

    def _repeats(self, record: Record, triple: Triple) -> bool:
        if record.iri not in self._said:
            self._said[record.iri] = {triple_as_stored(t) for t in chain(record.asserted, record.entailed)}
        return triple_as_stored(triple) in self._said[record.iri]

    def _conclude(self, found: Iterable[tuple[Triple, Levels]], by: str | None = None) -> None:
        # A list, because a conclusion changes what is being searched.
        for triple, levels in list(found):
            if self._stand(triple, levels) and by is not None:
                self._by.add(by)

    def _stand(self, triple: Triple, levels: Levels) -> bool:
        stands = self._after.levels(triple)
        new = beyond(levels, stands)
        if not new:
            return False
        joint = self._now.get(triple)
        self._now[triple] = widest((*(self._before.joint_levels(triple) if joint is None else joint), *new))
        self._after.fix(triple, widest((*stands, *new)))
        self._todo.append(triple)
        return True

    def _go_on(self) -> None:
        while self._todo:
            triple = self._todo.pop()
            for start in self._rules.starts(triple):
                if start.first.among != "said":
                    self._conclude(start.conclusions(triple, self._after))
            levels = self._after.levels(triple)
            self._conclude((found, levels) for found in self._alone.of(triple))

    def _give_way(self, records: Iterable[Record]) -> None:
        """What a record now says itself is no joint conclusion any more, at this level and narrower ones."""
        touching: dict[object, bool] = {}
        for record in records:
            for triple in chain(record.asserted, record.entailed):
                if triple.subject not in touching:
                    touching[triple.subject] = self._before.has_joint(triple.subject)
                if touching[triple.subject]:
                    given = triple_as_stored(triple)
                    joint = self._now.get(given, self._before.joint_levels(given))
                    if joint:
                        self._now[given] = beyond(joint, (record.visibility,))

    def _result(self) -> JointChange:
        change = JointChange(by=self._by)
        for triple, now in self._now.items():
            was = self._before.joint_levels(triple)
            if added := tuple(level for level in now if level not in was):
                change.added[triple] = added
            if dropped := tuple(level for level in was if level not in now):
                change.dropped[triple] = dropped
                if not self._after.levels(triple):
                    change.gone.append(triple)
        return change
