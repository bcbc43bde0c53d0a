"""A year of a data set, program, instrument or project, as a funder asks for it: who used it, what came of it, what it bought."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from headwater.app.belonging import together
from headwater.app.benefiting import Benefiting, kinds, revision_steps
from headwater.app.naming import Names
from headwater.app.notices import known
from headwater.app.sight import Sight
from headwater.lineage.answer import Setting, lineage_answer
from headwater.lineage.asking import Traversal
from headwater.lineage.benefits import Step
from headwater.lineage.families import versions_of
from headwater.lineage.graph import LineageGraph
from headwater.store.protocol import TripleStore

RESULTS = ("publication", "model", "deployment", "dataset", "software")
"""The kinds of things made in the year that a report lists by name."""


@dataclass(frozen=True, slots=True)
class Year:
    """A year as two moments: `opening` is the last moment before it, `closing` its own last (seconds since 1970, UTC)."""

    number: int
    opening: float
    closing: float


@dataclass(slots=True)
class _Downstream:
    """What builds on a family at the end of the year, by when it came: in the year, before it, or nobody knows."""

    family: frozenset[int]
    whole: list[int]
    before: frozenset[int]
    new: list[int] = field(default_factory=list)
    earlier: list[int] = field(default_factory=list)
    undated: list[int] = field(default_factory=list)


class YearlyReport:
    """Makes reports for one reader from what he sees of the end of the year (`now`) and of the year before (`then`)."""

    def __init__(self, store: TripleStore, names: Names, benefiting: Benefiting) -> None:
        self._store = store
        self._names = names
        self._benefiting = benefiting

    def report(self, iri: str, year: Year, now: Sight, then: Sight, asked: Traversal, setting: Setting) -> dict[str, Any]:
        """The report as plain values; everything is counted in full, and lists name the first 50."""
        lineage = now.lineage
        root = known(iri, lineage)
        down = self._downstream(root, now, then, asked)
        body = lineage_answer(lineage, now.full, root, asked, setting, family=sorted(down.family))
        by_kind, credited = self._benefiting.credit(down.family, down.new, now)
        thing = self._names.things([root], lineage, now.graphs)[0]
        reasons = sorted({*body["completeness"]["reasons"], *(["undated"] if down.undated else [])} - {"max_nodes", "depth"})
        return {
            "root": iri,
            "label": thing.label,
            "kind": thing.kind,
            "year": year.number,
            "query": {"ask": "benefits/report", "id": iri, "year": year.number, "known_at": body["query"]["known_at"]},
            "as_of": body["as_of"],
            "computed_at": body["computed_at"],
            "sequence": body["sequence"],
            "summary": {
                "total": len(down.whole),
                "new": len(down.new),
                "before": len(down.earlier),
                "undated": len(down.undated),
                "by_kind": self._by_kind(down, lineage),
                "by_role": self._benefiting.by_role(down.family, lineage, asked),
                "by_distance": body["summary"]["by_distance"],
            },
            "users": self._users(down, now),
            "results": {kind: self._made(kind, down, now) for kind in RESULTS},
            "compute": self._compute(down, year, now),
            "improvements": self._improvements(down, now),
            "uptake": self._benefiting.uptake(down.family, root, now),
            "credit": {"by_kind": by_kind, "results": credited},
            "completeness": body["completeness"] | {"complete": not reasons, "reasons": reasons, "frontier_count": 0},
        }

    def _downstream(self, root: int, now: Sight, then: Sight, asked: Traversal) -> _Downstream:
        family = together(root, now, self._store)
        whole = self._benefiting.outside(family, now.lineage, asked)
        earlier = together(root, then, self._store) if then.lineage.find(now.lineage.iris[root]) is not None else frozenset()
        # What was in the family's hands then may have been all of it, or a part that was there already.
        before = frozenset(self._benefiting.outside(earlier, then.lineage, asked)) - family if earlier else frozenset()
        down = _Downstream(family, whole, before)
        for node in whole:
            # New in the one year at whose end it is first known to be there: the model of a run that goes on over New Year
            # is new in the year in which that ends.
            if now.lineage.undated[node]:
                down.undated.append(node)
            elif node in before and not then.lineage.undated[node]:
                down.earlier.append(node)
            else:
                down.new.append(node)
        return down

    @staticmethod
    def _by_kind(down: _Downstream, lineage: LineageGraph) -> dict[str, dict[str, int]]:
        parts = {"new": kinds(down.new, lineage), "before": kinds(down.earlier, lineage), "undated": kinds(down.undated, lineage)}
        return {
            kind: {part: counts.get(kind, 0) for part, counts in parts.items()}
            for kind in sorted({k for c in parts.values() for k in c})
        }

    def _made(self, kind: str, down: _Downstream, now: Sight) -> dict[str, Any]:
        """The things of a kind that came in the year; a name that only gathers versions is none."""
        lineage = now.lineage
        new = [node for node in down.new if lineage.kind_name(node) == kind and not versions_of(node, lineage)]
        told = self._benefiting.listed(new, now)
        return {"new": told["count"], "things": told["things"]}

    def _users(self, down: _Downstream, now: Sight) -> dict[str, Any]:
        """Who was responsible for what came in the year: for the first time, or before as well; and where nobody is named."""
        lineage = now.lineage
        in_year = _responsible(down.new, lineage)
        # What nobody knows the time of is no proof that somebody was there before.
        ever = _responsible(down.earlier, lineage)
        people = {agent for agents in in_year.values() for agent in agents}
        old = {agent for agents in ever.values() for agent in agents}
        runs = [node for node in down.new if lineage.kind_name(node) == "run"]
        return {
            "new": self._benefiting.listed(sorted(people - old), now),
            "returning": self._benefiting.listed(sorted(people & old), now),
            "only_before": len(old - people),
            "runs": len(runs),
            "runs_without_user": sum(1 for run in runs if run not in in_year),
        }

    def _compute(self, down: _Downstream, year: Year, now: Sight) -> dict[str, Any]:
        """Time and energy of the runs that ended in the year, and of all until its end.

        A run counts in the year in which it ended; one that began in the year and is not known to have ended counts as a run of
        the year whose time is not known.
        """
        lineage = now.lineage

        def of_year(run: int) -> bool:
            start, end = float(lineage.start[run]), float(lineage.end[run])
            if year.opening < end <= year.closing:
                return True
            return not end <= year.opening and year.opening < start <= year.closing

        runs = [node for node in down.whole if lineage.kind_name(node) == "run"]
        silent = [run for run in runs if np.isnan(lineage.start[run]) and np.isnan(lineage.end[run])]
        return {
            "year": self._benefiting.compute([run for run in runs if of_year(run)], now).as_dict(),
            "until": self._benefiting.compute(runs, now).as_dict(),
            "undated_runs": len(silent),
        }

    def _improvements(self, down: _Downstream, now: Sight) -> list[dict[str, Any]]:
        """For each revision step: who took it up in the year, and what it bought as far as is known at the end of the year."""
        lineage = now.lineage
        new = frozenset(down.new)
        steps = revision_steps(down.family, lineage)
        bought, confounded = self._benefiting.bought(steps, now)
        found = []
        for step in steps:
            users = _users_of(lineage.ids[step.later], down.family, lineage)
            metrics = [row for row in bought if (row["from"], row["to"]) == (step.earlier, step.later)]
            labels = self._names.labels([step.earlier, step.later], now.graphs)
            found.append(
                {
                    "from": step.earlier,
                    "to": step.later,
                    "from_label": labels[step.earlier],
                    "to_label": labels[step.later],
                    "adopted": len(users & new),
                    "adopted_by_kind": kinds(users & new, lineage),
                    "adopted_before": len(users - new),
                    "metrics": [self._metric(row, new, lineage) for row in metrics],
                    "confounded": sum(1 for row in confounded if Step(row["from"], row["to"]) == step),
                }
            )
        return found

    @staticmethod
    def _metric(row: dict[str, Any], new: frozenset[int], lineage: LineageGraph) -> dict[str, Any]:
        ends = ([pair["from_run"], pair["to_run"]] for pair in row["pairs"])
        kept = {name: value for name, value in row.items() if name not in ("from", "to", "pairs")}
        return kept | {"n_new": sum(1 for pair in ends if any(lineage.ids[run] in new for run in pair))}


def _responsible(nodes: Sequence[int], lineage: LineageGraph) -> dict[int, set[int]]:
    """The people and groups that were responsible for each of `nodes`, where any are named."""
    edges = lineage.up.edges_of(np.array(sorted(nodes), np.int32))
    edges = edges[lineage.role[edges] == lineage.role_of["responsible"]]
    found: dict[int, set[int]] = {}
    for edge in edges.tolist():
        if lineage.kind_name(int(lineage.earlier[edge])) == "agent":
            found.setdefault(int(lineage.later[edge]), set()).add(int(lineage.earlier[edge]))
    return found


def _users_of(revision: int, family: Collection[int], lineage: LineageGraph) -> frozenset[int]:
    """What leads on from a revision directly, beside its own revisions and versions."""
    edges = lineage.down.edges_of(np.array([revision], np.int32))
    ties = [lineage.role_of[name] for name in ("revise", "specialise", "responsible")]
    return frozenset(lineage.later[edges[~np.isin(lineage.role[edges], ties)]].tolist()) - frozenset(family)
