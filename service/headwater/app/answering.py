"""The two questions put to the graph, and the answer for one reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from headwater.app.naming import Names
from headwater.app.notices import Notice, Notices, known
from headwater.app.said import Statements
from headwater.app.sight import Sight
from headwater.lineage.answer import Setting, impact_answer, lineage_answer
from headwater.lineage.asking import Traversal
from headwater.lineage.differences import Moment, impact_difference
from headwater.lineage.graph import LineageGraph
from headwater.lineage.verdict import SEVERITIES, STATES, Verdicts, judge
from headwater.store.protocol import TripleStore

HARMLESS = "metadata-only"


@dataclass(frozen=True, slots=True)
class Standing:
    """What an announced change does to one thing; `resolved_by` is a node id, `itself` whether the thing is what changed."""

    notice: Notice
    state: str
    severity: str
    effect: str
    justification: str
    resolved_by: int | None
    itself: bool


class Answerer:
    """Answers for readers. Keeps verdicts on announced changes as long as the graph stays the same."""

    def __init__(
        self, store: TripleStore, names: Names, clock: Callable[[], str], links: Callable[[str, LineageGraph], dict[str, str]]
    ) -> None:
        self.notices, self.statements = Notices(store), Statements(store)
        self._names = names
        self._clock = clock
        self._links = links
        # Graphs are made anew after each write; what was judged on one goes with it.
        self._judged: WeakKeyDictionary[LineageGraph, dict[str, Verdicts]] = WeakKeyDictionary()

    def setting(self, sight: Sight, sequence: int, change: str | None = None) -> Setting:
        """What answers need from outside; statements are those regarding one `change`, or any."""
        return Setting(
            labels=lambda iris: self._names.labels(iris, sight.graphs),
            links=lambda iri: self._links(iri, sight.lineage),
            sequence=sequence,
            now=self._clock(),
            statements=lambda things: self.statements.by_thing(sight, change, things),
        )

    # --- lineage and impact

    def lineage(self, iri: str, sight: Sight, asked: Traversal, sequence: int) -> dict[str, Any]:
        root = known(iri, sight.lineage)
        return lineage_answer(sight.lineage, sight.full, root, asked, self.setting(sight, sequence))

    def impact(
        self, iri: str, sight: Sight, asked: Traversal, sequence: int, change: str | None, slice: str | dict[str, Any] | None
    ) -> dict[str, Any]:
        meant = self.notices.meant(iri, sight, change, slice)
        own = self.notices.notice(iri, sight)
        if own is not None and own.later_than(sight.as_of):
            # The change had not happened: what is downstream is told, and that nothing ailed it.
            body = impact_answer(
                sight.lineage, sight.full, iri, replace(meant, kind=HARMLESS), asked, self.setting(sight, sequence, iri)
            )
            body["query"] |= {"id": iri, "change": meant.kind}
            for node in body["nodes"].values():
                if "justification" in node:
                    node["justification"] = "not-yet"
            return body
        setting = self.setting(sight, sequence, None if own is None else iri)
        body = impact_answer(sight.lineage, sight.full, iri, meant, asked, setting)
        body["query"]["id"] = iri
        return body

    def difference(
        self,
        iri: str,
        sights: tuple[Sight, Sight],
        asked: Traversal,
        sequence: int,
        change: str | None,
        slice: str | dict[str, Any] | None,
    ) -> dict[str, Any]:
        """What a change does to whom at the second of two times, and did not at the first."""
        moments = []
        for sight in sights:
            own = self.notices.notice(iri, sight)
            happened = own is None or not own.later_than(sight.as_of)
            there = happened and (own is not None or (change is not None and sight.lineage.find(iri) is not None))
            meant = self.notices.meant(iri, sight, change, slice) if there else None
            moments.append(Moment(sight.lineage, sight.full, meant))
        if moments[1].change is None and moments[0].change is None:
            # Says what is wrong with the question itself.
            self.notices.meant(iri, sights[1], change, slice)
        return impact_difference(iri, moments[0], moments[1], asked, self.setting(sights[1], sequence))

    def standing(self, iri: str, sight: Sight) -> list[Standing]:
        """What every announced change that reaches `iri` does to it."""
        node = sight.lineage.find(iri)
        if node is None:
            return []
        found = []
        for notice in self.notices.all(sight):
            own = _of(self._verdicts(notice, sight.lineage), node, notice)
            if sight.full is not sight.lineage and (own is None or own.state == "not_affected"):
                whole = _of(self._verdicts(notice, sight.full), node, notice)
                if whole is not None and whole.state in ("affected", "cannot_tell"):
                    # The fault comes by a way that this reader may not see: no comfort, and nothing named.
                    own = Standing(notice, "cannot_tell", "major", "", "hidden-path", None, itself=False)
            if own is not None:
                found.append(own)
        return found

    def _verdicts(self, notice: Notice, lineage: LineageGraph) -> Verdicts:
        if notice.iri not in (judged := self._judged.setdefault(lineage, {})):
            judged[notice.iri] = judge(lineage, notice.change)
        return judged[notice.iri]


def _of(verdicts: Verdicts, node: int, notice: Notice) -> Standing | None:
    places = np.flatnonzero(verdicts.nodes == node)
    if not len(places):
        return None
    here = int(places[0])
    itself = node in verdicts.seeds
    return Standing(
        notice=notice,
        state=STATES[int(verdicts.state[here])],
        severity=SEVERITIES[int(verdicts.severity[here])],
        effect=verdicts.book.effects[int(verdicts.effect[here])].name,
        justification=verdicts.justification(node),
        resolved_by=next(iter(notice.change.mended), None) if itself else verdicts.resolved_by.get(node),
        itself=itself,
    )
