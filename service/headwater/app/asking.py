"""The two questions, as a reader puts them: where from and what came of it, what a change does, who benefits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from headwater.access import Reader
from headwater.app.opened import Opened
from headwater.app.values import Banner
from headwater.errors import BadParameter
from headwater.lineage.asking import Traversal, read_traversal
from headwater.lineage.verdict import SEVERITIES, STATES

_NARROWING = ("roles", "stop_at", "min_evidence")


class Asking(Opened):
    """Lineage, impact and benefit for one reader."""

    def _asked(self, given: Mapping[str, Any], direction: str, reader: Reader) -> Traversal:
        asked = read_traversal(given, direction)
        for name in ("stop_at", "ignore_as_hops"):
            for word in getattr(asked, name):
                if ":" in word:
                    self.resolve(word, reader)
        return asked

    def lineage(self, id: str, reader: Reader, **given: Any) -> dict[str, Any]:
        """Where something comes from, or what came of it: the envelope of DESIGN section 5."""
        iri = self.resolve(id, reader)
        body = self._answerer.lineage(iri, self._sight(reader), self._asked(given, "upstream", reader), self.sequence)
        return linked(body, "lineage", id, given)

    def impact(
        self, id: str, reader: Reader, *, change: str | None = None, slice: str | dict[str, Any] | None = None, **given: Any
    ) -> dict[str, Any]:
        """What a change does to everything downstream. `id` is a change, or an object to which `change` is supposed to happen."""
        iri = self.resolve(id, reader)
        asked = self._asked(given, "downstream", reader)
        if asked.direction != "downstream":
            raise BadParameter("direction: impact goes downstream", parameter="direction")
        body = self._answerer.impact(iri, self._sight(reader), asked, self.sequence, change, slice)
        linked(body, "impact", id, {"change": change, "slice": slice, **given})
        told = {"id": id, "change": change, "slice": slice, **{name: given.get(name) for name in _NARROWING}}
        why = f"/api/v1/explain?{_told(told)}&to="
        for node, words in body["nodes"].items():
            if "_links" in words:
                words["_links"]["explain"] = why + quote(node, safe="")
        return body

    def benefits(self, id: str, reader: Reader, **given: Any) -> dict[str, Any]:
        """Who builds on a thing, and what each of its revisions bought them."""
        iri = self.resolve(id, reader)
        asked = self._asked(given, "downstream", reader)
        return linked(self._benefiting.benefits(iri, self._sight(reader), asked, self.sequence), "benefits", id, given)

    def changes_touching(self, iri: str, reader: Reader) -> list[Banner]:
        """What announced changes do to an object, the worst first."""
        sight = self._sight(reader)
        banners = []
        for standing in self._answerer.standing(iri, sight):
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
                    objects=tuple(self._names.things(standing.notice.change.objects, sight.lineage, sight.graphs)),
                )
            )
        return sorted(
            banners, key=lambda banner: (STATES.index(banner.state), SEVERITIES.index(banner.severity), banner.change.iri)
        )


def linked(body: dict[str, Any], ask: str, id: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """An answer with the identifier as it was given, and where to ask again."""
    body["query"]["id"] = id
    told = _told({"id": id, **given})
    body["_links"] = {"self": f"/api/v1/{ask}?{told}", "html": f"/lineage?question={ask}&{told}"}
    return body


def _told(given: Mapping[str, Any]) -> str:
    """Parameters as an address has them."""
    words = {name: ",".join(value) if isinstance(value, list | tuple) else value for name, value in given.items() if value}
    return urlencode({name: json.dumps(value) if isinstance(value, dict) else value for name, value in words.items()})
