"""The two questions put to the graph, and the answer for one reader."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from headwater.app.judged import Judged
from headwater.app.naming import Names
from headwater.app.notices import Notice, Notices, known
from headwater.app.said import Statements
from headwater.app.sight import Sight
from headwater.lineage.answer import Setting, impact_answer, lineage_answer
from headwater.lineage.asking import Traversal
from headwater.lineage.differences import Moment, impact_difference
from headwater.lineage.graph import LineageGraph
from headwater.lineage.origins import origins
from headwater.lineage.verdict import SEVERITIES, STATES, Verdicts
from headwater.store.protocol import TripleStore

HARMLESS = "metadata-only"
_READERS = 8
"""Readers (by what they see) for whom announced changes are kept."""


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
    """Answers for readers. Keeps verdicts on announced changes as long as the ledger stays the same."""

    def __init__(
        self, store: TripleStore, names: Names, clock: Callable[[], str], links: Callable[[str, LineageGraph], dict[str, str]]
    ) -> None:
        self.notices, self.statements = Notices(store), Statements(store)
        self._names = names
        self._clock = clock
        self._links = links
        self._judged = Judged()
        self._announced: OrderedDict[tuple[object, ...], list[Notice]] = OrderedDict()
        self._announcing = threading.Lock()

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

    def standing(self, iri: str, sight: Sight, sequence: int) -> list[Standing]:
        """What every announced change that reaches `iri` does to it, when the ledger has come to `sequence`."""
        node = sight.lineage.find(iri)
        if node is None:
            return []
        found = []
        seen = origins(sight.lineage, node)
        whole = seen if sight.full is sight.lineage else origins(sight.full, node)
        for notice in self._notices(sight, sequence):
            objects = list(notice.change.objects)
            own = None
            if seen[objects].any():
                own = _of(self._judged.on(notice.change, sight.lineage, sequence), node, notice)
            if sight.full is not sight.lineage and (own is None or own.state == "not_affected") and whole[objects].any():
                hidden = _of(self._judged.on(notice.change, sight.full, sequence), node, notice)
                if hidden is not None and hidden.state in ("affected", "cannot_tell"):
                    # The fault comes by a way that this reader may not see: no comfort, and nothing named.
                    own = Standing(notice, "cannot_tell", "major", "", "hidden-path", None, itself=False)
            if own is not None:
                found.append(own)
        return found

    def _notices(self, sight: Sight, sequence: int) -> list[Notice]:
        """All announced changes that the reader may see, kept for the readers who came last: each is several look-ups."""
        key = sequence, sight.graphs, sight.known_at, sight.as_of
        with self._announcing:
            if key in self._announced:
                self._announced.move_to_end(key)
                return self._announced[key]
        found = self.notices.all(sight)
        with self._announcing:
            self._announced[key] = found
            while len(self._announced) > _READERS:
                self._announced.popitem(last=False)
        return found


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
