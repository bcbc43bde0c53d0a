"""What to do after a correction: which runs to repeat, in which order, at what cost, and which fix clears the most."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from headwater.access import Reader
from headwater.app.opened import Opened
from headwater.app.plan_answer import Asked, PlanWriter
from headwater.app.results import Answer
from headwater.app.run_records import RunRecords
from headwater.app.sight import Sight
from headwater.errors import BadParameter
from headwater.lineage.asking import read_traversal
from headwater.lineage.benefits import Step
from headwater.lineage.damage import damage, unseen
from headwater.lineage.planned import Budget, Weights
from headwater.lineage.plans import make_plan
from headwater.lineage.verdict import Change, judge
from headwater.terms.weights import kind_weights, severity_weights

MOST_CHANGES = 100
"""Changes that one plan looks at together."""
_TRAVERSAL = ("types", "roles", "stop_at", "min_evidence", "max_nodes")

Named = str | Mapping[str, Any]
"""A change as it is asked about: an identifier, or `{"id": …, "change": KIND, "slice": {…}}`."""


class Planning(Opened):
    """Plans for one reader."""

    def plan(
        self,
        changes: Named | Sequence[Named],
        reader: Reader,
        *,
        hours: float | None = None,
        kwh: float | None = None,
        change: str | None = None,
        slice: str | dict[str, Any] | None = None,
        metrics: bool = True,
        **given: Any,
    ) -> Answer:
        """What to repeat after one or several changes, together: each run once, in order, with its recipe, cost and gain.

        Each of `changes` is a change notice, or an object to which `change` (with `slice`) is supposed to happen; none at all
        stands for all announced changes. `hours` and `kwh` limit what may be spent. `types` narrows what is to be mended, and
        without `metrics` nothing is repeated only to measure again. Raises `BadParameter`, `NotFound`.
        """
        for name in given:
            if name not in _TRAVERSAL:
                raise BadParameter(f"There is no parameter '{name}' here.", parameter=name)
        budget = Budget(_limit("hours", hours), _limit("kwh", kwh))
        asked = read_traversal(given, "downstream")
        rows: Sequence[Named] = [changes] if isinstance(changes, str | Mapping) else changes
        sight = self._sight(reader)
        found, cut = self._meant(rows, reader, sight, change, slice)
        limits = asked.limits(sight.lineage.words)
        own = [judge(sight.lineage, one, limits) for _, one in found]
        hidden = None
        if sight.full is not sight.lineage:
            full_limits = asked.limits(sight.full.words)
            hidden = unseen(sight.lineage, own, [judge(sight.full, one, full_limits) for _, one in found])
        done = damage(sight.lineage, own, hidden)
        records = RunRecords(self._names, sight)
        planned = make_plan(
            done,
            records,
            lambda old, new, role: self._bought(old, new, role, sight),
            Weights(kind_weights(), severity_weights()),
            budget,
            kinds=asked.types,
            metrics=metrics,
        )
        setting = self._answerer.setting(sight, self.sequence)
        writer = PlanWriter(planned, records, setting.labels, setting.links)
        told = Asked([(iri, one.kind) for iri, one in found], asked, budget, metrics, cut)
        body = writer.write(told, hidden, setting.sequence, setting.now)
        return _linked(body, rows, {"hours": hours, "kwh": kwh, "change": change, "slice": slice, "metrics": metrics, **given})

    def _meant(
        self, rows: Sequence[Named], reader: Reader, sight: Sight, change: str | None, slice: str | dict[str, Any] | None
    ) -> tuple[list[tuple[str, Change]], bool]:
        """The changes that are asked about, each once, and whether there were more than one plan takes."""
        found: dict[tuple[Any, ...], tuple[str, Change]] = {}
        if not rows:
            if change is not None or slice is not None:
                raise BadParameter("change= needs an id: the object to which it is supposed to happen.", parameter="change")
            notices = self._answerer.notices.all(sight)
            if not notices:
                raise BadParameter(
                    "No change is announced that a plan could be made for.",
                    parameter="id",
                    remedy="Name an object, and suppose a change of it with change=.",
                )
            return [(notice.iri, notice.change) for notice in notices[:MOST_CHANGES]], len(notices) > MOST_CHANGES
        if len(rows) > MOST_CHANGES:
            raise BadParameter(f"changes: a plan takes at most {MOST_CHANGES} changes, not {len(rows)}", parameter="changes")
        for row in rows:
            identifier, kind, part = _read(row, change, slice)
            iri = self.resolve(identifier, reader)
            meant = self._answerer.notices.meant(iri, sight, kind, part)
            found.setdefault((meant.kind, meant.objects, meant.mended, meant.slice), (iri, meant))
        return list(found.values()), False

    def _bought(self, old: int, new: int, role: str, sight: Sight) -> list[dict[str, Any]]:
        """What past pairs say of a revision step in a role; remembered as long as nothing is written."""
        key = (self.sequence, sight.graphs, old, new, role)
        if key not in self._bought_before:
            if len(self._bought_before) > 500:
                self._bought_before.clear()
            iris = sight.lineage.iris
            self._bought_before[key] = self._benefiting.bought([Step(iris[old], iris[new])], sight, role=role)[0]
        return self._bought_before[key]

    @cached_property
    def _bought_before(self) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
        return {}


def _read(row: Named, change: str | None, slice: str | dict[str, Any] | None) -> tuple[str, str | None, Any]:
    if isinstance(row, str):
        return row, change, slice
    unknown = set(row) - {"id", "change", "slice"}
    if unknown or not isinstance(row.get("id"), str):
        raise BadParameter(
            "changes: each is an identifier, or an object with 'id' and perhaps 'change' and 'slice'.", parameter="changes"
        )
    return row["id"], row.get("change", change), row.get("slice", slice)


def _limit(name: str, value: float | None) -> float | None:
    """A limit as it was given. Zero is one: nothing may be spent."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise BadParameter(
            f"{name} must be a number from 0 upwards, not '{value}'", parameter=name, remedy="Leave it out for no limit."
        )
    return float(value)


def _linked(body: dict[str, Any], rows: Sequence[Named], given: Mapping[str, Any]) -> Answer:
    """The answer with where to ask again, as far as that can be said in an address."""
    body["_links"] = {}
    if all(isinstance(row, str) for row in rows) and not isinstance(given.get("slice"), dict):
        words = [("id", row) for row in rows]
        for name, value in given.items():
            if value is not None and value is not True and value not in ("", ()):
                words.append(
                    (
                        name,
                        ",".join(value) if isinstance(value, list | tuple) else str(value).lower() if value is False else value,
                    )
                )
        said = urlencode(words)
        body["_links"] = {
            "self": f"/api/v1/plans?{said}".rstrip("?"),
            "html": f"/lineage?question=plan&{said}".rstrip("&"),
        }
    return Answer(body)
