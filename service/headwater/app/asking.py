"""The two questions, as a reader puts them: where from and what came of it, what a change does, who benefits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from headwater.access import Reader
from headwater.app.opened import Opened
from headwater.app.results import Answer
from headwater.app.sight import Sight
from headwater.app.values import Banner
from headwater.errors import BadParameter, NotFound
from headwater.lineage import times
from headwater.lineage.asking import Traversal, read_traversal
from headwater.lineage.verdict import SEVERITIES, STATES

_NARROWING = ("roles", "stop_at", "min_evidence", "as_of", "known_at")


class Asking(Opened):
    """Lineage, impact and benefit for one reader."""

    def _asked(self, given: Mapping[str, Any], direction: str, reader: Reader) -> Traversal:
        asked = read_traversal(given, direction)
        for name in ("stop_at", "ignore_as_hops"):
            for word in getattr(asked, name):
                if ":" in word:
                    self.resolve(word, reader)
        return asked

    def _seen(self, id: str, asked: Traversal, reader: Reader) -> tuple[str, Sight]:
        """The IRI of what is asked about, and what the reader sees of the time that is asked about.

        What was withdrawn since is still found by its IRI in a question about what was known before.
        """
        sight = self._sight(reader, as_of=asked.as_of, known_at=asked.known_at)
        try:
            iri = self.resolve(id, reader)
        except NotFound:
            if sight.known_at is None or sight.lineage.find(id.strip()) is None:
                raise
            iri = id.strip()
        present = self._sight(reader, known_at=asked.known_at).lineage
        if asked.as_of is not None and sight.lineage.find(iri) is None and present.find(iri) is not None:
            raise BadParameter(
                f"<{iri}> was not there yet on {times.told(asked.as_of)}.", parameter="as_of", remedy="Ask about a later time."
            )
        return iri, sight

    def lineage(self, id: str, reader: Reader, **given: Any) -> Answer:
        """Where something comes from, or what came of it: the envelope of DESIGN section 5."""
        asked = self._asked(given, "upstream", reader)
        iri, sight = self._seen(id, asked, reader)
        body = self._answerer.lineage(iri, sight, asked, self.sequence)
        return linked(body, "lineage", id, given)

    def impact(
        self, id: str, reader: Reader, *, change: str | None = None, slice: str | dict[str, Any] | None = None, **given: Any
    ) -> Answer:
        """What a change does to everything downstream. `id` is a change, or an object to which `change` is supposed to happen."""
        asked = self._asked(given, "downstream", reader)
        iri, sight = self._seen(id, asked, reader)
        if asked.direction != "downstream":
            raise BadParameter("direction: impact goes downstream", parameter="direction")
        body = self._answerer.impact(iri, sight, asked, self.sequence, change, slice)
        linked(body, "impact", id, {"change": change, "slice": slice, **given})
        told = {"id": id, "change": change, "slice": slice, **{name: given.get(name) for name in _NARROWING}}
        why = f"/api/v1/explain?{_told(told)}&to="
        for node, words in body["nodes"].items():
            if "_links" in words:
                words["_links"]["explain"] = why + quote(node, safe="")
        return Answer(body)

    def impact_diff(
        self,
        id: str,
        reader: Reader,
        *,
        since: str,
        until: str | None = None,
        basis: str = "as_of",
        change: str | None = None,
        slice: str | dict[str, Any] | None = None,
        **given: Any,
    ) -> Answer:
        """Whom a change affects at `until` (None: now) and did not at `since`, who is mended since then, and so on.

        `basis` is `as_of` (two states of the world) or `known_at` (two states of knowledge; sequence numbers are times, too).
        """
        if basis not in ("as_of", "known_at"):
            raise BadParameter(f"basis: '{basis}' is neither as_of nor known_at", parameter="basis")
        for name in ("as_of", "known_at"):
            if given.get(name):
                raise BadParameter(f"{name}: a difference is between since and until", parameter=name)
        if not since:
            raise BadParameter("since: a difference needs a time to begin from", parameter="since")
        asked = self._asked(given, "downstream", reader)
        iri = self.resolve(id, reader)
        ends = [read_traversal({basis: when}) for when in (since, until)]
        if until and _place(ends[0], basis) > _place(ends[1], basis):
            raise BadParameter(f"since: '{since}' is later than '{until}'", parameter="since", remedy="Exchange since and until.")
        sights = [self._sight(reader, as_of=end.as_of, known_at=end.known_at) for end in ends]
        body = self._answerer.difference(iri, (sights[0], sights[1]), asked, self.sequence, change, slice)
        body["query"] |= {"ask": "impact/diff", "since": since, "until": until, "basis": basis, "change": change}
        asked_again = {"since": since, "until": until, "basis": basis, "change": change, "slice": slice, **given}
        return linked(body, "impact/diff", id, asked_again)

    def benefits(self, id: str, reader: Reader, **given: Any) -> Answer:
        """Who builds on a thing, and what each of its revisions bought them."""
        asked = self._asked(given, "downstream", reader)
        iri, sight = self._seen(id, asked, reader)
        return linked(self._benefiting.benefits(iri, sight, asked, self.sequence), "benefits", id, given)

    def changes_touching(self, iri: str, reader: Reader) -> list[Banner]:
        """What announced changes do to an object, the worst first."""
        sight = self._sight(reader)
        said: dict[str, list[dict[str, Any]]] = {}
        for statement in self._answerer.statements.of(sight, about=iri):
            said.setdefault(statement.change, []).append(statement.as_dict())
        banners = []
        for standing in self._answerer.standing(iri, sight, self.sequence):
            successor = standing.resolved_by
            banners.append(
                Banner(
                    change=self._names.thing(standing.notice.iri, sight.lineage, sight.graphs),
                    kind=standing.notice.change.kind,
                    at=standing.notice.at,
                    state=standing.state,
                    severity=standing.severity,
                    effect=standing.effect,
                    justification=standing.justification,
                    resolved_by=None if successor is None else self._names.things([successor], sight.lineage, sight.graphs)[0],
                    itself=standing.itself,
                    statements=tuple(said.get(standing.notice.iri, ())),
                    objects=tuple(self._names.things(standing.notice.change.objects, sight.lineage, sight.graphs)),
                )
            )
        return sorted(
            banners, key=lambda banner: (STATES.index(banner.state), SEVERITIES.index(banner.severity), banner.change.iri)
        )


def _place(asked: Traversal, basis: str) -> float:
    told = asked.as_of if basis == "as_of" else asked.known_at
    return float("-inf") if told is None else float(told)


def linked(body: dict[str, Any], ask: str, id: str, given: Mapping[str, Any]) -> Answer:
    """An answer with the identifier as it was given, and where to ask again."""
    body["query"]["id"] = id
    told = _told({"id": id, **given})
    body["_links"] = {"self": f"/api/v1/{ask}?{told}", "html": f"/lineage?question={ask}&{told}"}
    return Answer(body)


def _told(given: Mapping[str, Any]) -> str:
    """Parameters as an address has them."""
    words = {name: ",".join(value) if isinstance(value, list | tuple) else value for name, value in given.items() if value}
    return urlencode({name: json.dumps(value) if isinstance(value, dict) else value for name, value in words.items()})
