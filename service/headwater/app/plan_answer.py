"""A plan as the answer says it: steps with their recipes, actions, what is left alone, totals, in the envelope of all answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pyoxigraph import Literal, NamedNode

from headwater.app.run_records import RunRecords
from headwater.lineage.asking import Traversal
from headwater.lineage.costing import Estimate
from headwater.lineage.coverage import coverage
from headwater.lineage.damage import AFFECTED, FAR, RESOLVED, Damage, Unseen
from headwater.lineage.graph import LineageGraph
from headwater.lineage.planned import ACTIONS, LEFT, Budget, Plan, Step
from headwater.lineage.remaking import Swap
from headwater.lineage.repeating import Past
from headwater.lineage.verdict import SEVERITIES, STATES
from headwater.terms.names import DCTERMS, HW

_CODE = ("software", "workflow")
_GAIN_FIELDS = ("metric", "direction", "mean_delta", "ci_low", "ci_high", "n", "from", "to")
_MEASURED_WITH = ("test", "validate", "execute", "configure")
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, for the answer to repeat: the changes as they were named, and what limits the plan."""

    changes: Sequence[tuple[str, str]]
    given: Traversal
    budget: Budget
    metrics: bool
    cut: bool = False


class PlanWriter:
    """Writes one plan down for one reader."""

    def __init__(
        self,
        plan: Plan,
        records: RunRecords,
        labels: Callable[[Sequence[str]], dict[str, str]],
        links: Callable[[str], dict[str, str]],
    ) -> None:
        self._plan, self._records, self._labels, self._links = plan, records, labels, links
        self._damage: Damage = plan.mending.damage
        self._graph: LineageGraph = self._damage.graph
        self._past = Past(self._graph, records, self._damage.sound, self._damage.counted)
        self._number = {step.unit.run: step.number for step in plan.steps}
        self._mended_nodes = {goal.node for goal in plan.mended}

    def write(self, asked: Asked, unseen: Unseen | None, sequence: int, now: str) -> dict[str, Any]:
        """The whole answer; lists are cut at `max_nodes`, totals never."""
        most = asked.given.max_nodes
        plan, graph = self._plan, self._graph
        body: dict[str, Any] = {
            "root": asked.changes[0][0] if asked.changes else None,
            "query": self._query(asked),
            "as_of": None,
            "computed_at": now,
            "sequence": sequence,
            "summary": self._summary(),
            "completeness": self._completeness(asked, unseen),
            "steps": self._steps(most),
            "actions": [self._action(action) for action in plan.actions[:most]],
            "skipped": [self._skipped(*row) for row in plan.left[:most]],
            "cycles": [{"from": graph.iris[a], "to": graph.iris[b]} for a, b in plan.cut[:most]],
            "fixes": [self._fix(fix, asked) for fix in plan.fixes],
            "totals": self._totals(asked, unseen),
        }
        body["nodes"], body["edges"] = self._nodes(most)
        for row in (*body["steps"], *body["actions"], *body["skipped"], *body["fixes"]):
            row["label"] = self._label(row.get("run") or row["id"])
        return body

    def _label(self, iri: str) -> str:
        return self._labels([iri])[iri]

    # --- what it is about

    def _query(self, asked: Asked) -> dict[str, Any]:
        graph = self._graph
        rows = []
        for (iri, _), verdicts in zip(asked.changes, self._damage.verdicts, strict=True):
            change = verdicts.change
            rows.append(
                {
                    "id": iri,
                    "label": self._label(iri),
                    "change": change.kind,
                    "objects": [graph.iris[node] for node in change.objects],
                    "mended": [graph.iris[node] for node in change.mended],
                    "slice": change.slice or None,
                }
            )
        echo = asked.given.echo()
        told = {name: echo[name] for name in ("types", "roles", "stop_at", "min_evidence", "max_nodes")}
        limits = {"hours": asked.budget.hours, "kwh": asked.budget.kwh, "metrics": asked.metrics}
        return {"ask": "plan", "changes": rows, **limits, **told}

    def _summary(self) -> dict[str, Any]:
        graph, damage = self._graph, self._damage
        reached = damage.by >= 0
        reached[sorted(damage.seeds)] = False
        nodes = np.flatnonzero(reached)
        far = damage.distance[nodes][damage.distance[nodes] < FAR]
        states = Counter(STATES[number] for number in damage.state[nodes].tolist())
        return {
            "total": len(nodes),
            "by_kind": dict(sorted(Counter(graph.kind_names[kind] for kind in graph.kind[nodes].tolist()).items())),
            "by_state": dict(sorted(states.items())),
            "by_severity": dict(sorted(Counter(SEVERITIES[number] for number in damage.severity[nodes].tolist()).items())),
            "max_distance": int(far.max()) if len(far) else 0,
            "verdict": next((state for state in STATES if states.get(state)), "not_affected"),
        }

    def _completeness(self, asked: Asked, unseen: Unseen | None) -> dict[str, Any]:
        plan, graph = self._plan, self._graph
        most = asked.given.max_nodes
        frontier = sum(max(len(rows) - most, 0) for rows in (plan.steps, plan.actions, plan.left))
        hidden = unseen.things if unseen is not None else 0
        flags = (
            ("hidden", bool(hidden)),
            ("max_nodes", bool(frontier)),
            ("max_changes", asked.cut),
            ("min_evidence", asked.given.min_evidence is not None),
            ("undescribed", bool((~graph.described[np.flatnonzero(self._damage.by >= 0)]).any())),
        )
        reasons = [name for name, holds in flags if holds]
        return {
            "complete": not reasons,
            "reasons": reasons,
            "hidden_count": hidden,
            "frontier_count": frontier,
            "coverage": coverage(graph),
        }

    # --- steps

    def _steps(self, most: int) -> list[dict[str, Any]]:
        plan = self._plan
        at_once = [goal for goal in plan.mended if not goal.units and self._stale(goal.node)]
        weight_of = {goal.node: plan.weight_of(goal) for goal in plan.mended}
        mended, weight, hours, known = len(at_once), sum(plan.weight_of(goal) for goal in at_once), 0.0, True
        whole = self._stale_count()
        rows: list[dict[str, Any]] = []
        for step in plan.steps:
            stale = [node for node in step.mends if self._stale(node)]
            mended, weight = mended + len(stale), weight + sum(weight_of[node] for node in stale)
            spent = step.cost.hours.safe
            hours, known = hours + (spent or 0.0), known and spent is not None
            if len(rows) < most:
                so_far = {"mended": mended, "of": whole, "weight": weight, "hours": _rounded(hours) if known else None}
                rows.append(self._step(step) | {"so_far": so_far})
        return rows

    def _step(self, step: Step) -> dict[str, Any]:
        graph, unit = self._graph, step.unit
        return {
            "step": step.number,
            "run": graph.iris[unit.run],
            "label": "",
            "what": unit.need,
            "because": self._damage.justification(unit.run),
            "parts": [graph.iris[part] for part in unit.parts],
            "after": step.after,
            "ready": not unit.waits,
            "waits_for": [graph.iris[node] for node in sorted(unit.waits)],
            "recipe": self._recipe(step),
            "outputs": [self._output(node) for node in unit.outputs],
            "measures": [self._named(node) for node in unit.models],
            "mends": [graph.iris[node] for node in step.mends],
            "cost": {
                "hours": _rounded(step.cost.hours.value),
                "hours_at_most": _rounded(step.cost.hours.safe),
                "hours_from": _basis(step.cost.hours),
                "kwh": _rounded(step.cost.kwh.value),
                "kwh_at_most": _rounded(step.cost.kwh.safe),
                "kwh_from": _basis(step.cost.kwh),
            },
            "gain": {
                "improves": step.improves,
                "metrics": [{name: row.get(name) for name in _GAIN_FIELDS} for row in step.gains],
            },
            "cutoff": {
                "identical_to": [digest for node in unit.outputs for digest in self._digests(node)],
                "falls_away": step.falls_away,
                "falls_away_count": step.falls_away_count,
            },
        }

    def _recipe(self, step: Step) -> dict[str, Any]:
        run = step.unit.run
        swaps = {(swap.role, swap.old): swap for one in (run, *step.unit.parts) for swap in self._plan.mending.swaps[one]}
        inside = set(step.unit.outputs)
        used: dict[str, list[dict[str, Any]]] = {"code": [], "environment": [], "instruments": [], "inputs": []}
        pairs = {(role, node) for one in (run, *step.unit.parts) for role, node in self._past.inputs(one)}
        pairs |= {key for key in swaps if key[0] == "steer"}
        for role, node in sorted(pairs, key=lambda pair: (pair[0], self._graph.iris[pair[1]])):
            kind = self._graph.kind_name(node)
            beside = step.unit.need == "measure" and step.unit.models and role not in _MEASURED_WITH
            if node in inside or role == "part" or beside:
                continue
            row = self._named(node) | {"role": role} | self._swapped(swaps.get((role, node)))
            if role == "execute" and kind in _CODE:
                used["code"].append(row | self._code(node))
            elif kind == "environment":
                used["environment"].append(row)
            elif role == "execute" and kind == "instrument":
                used["instruments"].append(row)
            else:
                used["inputs"].append(row)
        return {
            "code": used["code"],
            "command": self._records.command(run) or None,
            "parameters": dict(self._records.settings(run)),
            "inputs": used["inputs"],
            "environment": used["environment"],
            "instruments": used["instruments"],
        }

    def _swapped(self, swap: Swap | None) -> dict[str, Any]:
        """What to take instead of an input: a thing, what an earlier step makes, or what somebody has to provide."""
        found: dict[str, Any] = {"instead": None, "from_step": None, "waits_for": None, "doubtful": False}
        if swap is None or swap.how == "kept":
            return found
        iri = None if swap.new is None else self._graph.iris[swap.new]
        if swap.how == "taken":
            doubtful = swap.new is not None and int(self._damage.state[swap.new]) < RESOLVED
            return found | {"instead": iri, "doubtful": doubtful}
        if swap.how == "waits":
            return found | {"waits_for": iri}
        unit = None if swap.run is None else self._plan.mending.unit_of[swap.run]
        return found | {"from_step": None if unit is None else self._number.get(unit)}

    def _code(self, node: int) -> dict[str, Any]:
        said = self._records.told(node)
        return {
            "version": _first(said.get(HW.version, [])),
            "identifier": _first(said.get(DCTERMS.identifier, [])),
            "location": _first(said.get(HW.location, [])),
        }

    def _output(self, node: int) -> dict[str, Any]:
        return self._named(node) | {"digests": self._digests(node)}

    def _digests(self, node: int) -> list[str]:
        return sorted(value.value for value in self._records.told(node).get(HW.digest, []) if isinstance(value, Literal))

    def _named(self, node: int) -> dict[str, Any]:
        iri = self._graph.iris[node]
        return {"id": iri, "kind": self._graph.kind_name(node), "label": self._label(iri)}

    # --- actions, and what is left alone

    def _action(self, action: Any) -> dict[str, Any]:
        graph, damage = self._graph, self._damage
        swaps = self._plan.mending.swaps.get(action.node, [])
        row = {
            "what": action.what,
            "id": graph.iris[action.node],
            "kind": graph.kind_name(action.node),
            "label": "",
            "severity": SEVERITIES[int(damage.severity[action.node])],
            "why": ACTIONS[action.what],
            "because": damage.justification(action.node),
            "after": action.after,
            "waits_for": [graph.iris[node] for node in action.waits],
            "rests_on": [
                self._named(swap.old) | {"role": swap.role} | self._swapped(swap) for swap in swaps if action.what != "withdraw"
            ],
        }
        if action.what == "mend-input":
            row["candidates"] = [graph.iris[node] for node in sorted(graph.later_revisions().get(action.node, ()))]
        return row

    def _skipped(self, node: int, reason: str, by: int | None) -> dict[str, Any]:
        graph = self._graph
        told = reason in ("not-affected", "in-doubt")
        return {
            "id": graph.iris[node],
            "kind": graph.kind_name(node),
            "label": "",
            "reason": reason,
            "why": LEFT[reason],
            "because": self._damage.justification(node) if told else None,
            "by": None if by is None else graph.iris[by],
        }

    def _fix(self, fix: Any, asked: Asked) -> dict[str, Any]:
        graph = self._graph
        iri = asked.changes[fix.change][0] if fix.change is not None else graph.iris[fix.run]
        kinds = Counter(graph.kind_name(node) for node in fix.clears)
        return {
            "fix": "change" if fix.change is not None else "run",
            "id": iri,
            "label": "",
            "clears": len(fix.clears),
            "by_kind": dict(sorted(kinds.items())),
            "weight": fix.weight,
            "steps": fix.steps,
            "hours": _rounded(fix.hours),
            "per_hour": _rounded(len(fix.clears) / fix.hours) if fix.hours else None,
        }

    # --- totals

    def _stale(self, node: int) -> bool:
        return int(self._damage.state[node]) == AFFECTED

    def _stale_count(self) -> int:
        plan = self._plan
        return sum(self._stale(goal.node) for goal in (*plan.mended, *plan.unmended))

    def _totals(self, asked: Asked, unseen: Unseen | None) -> dict[str, Any]:
        plan = self._plan
        weight = sum(plan.weight_of(goal) for goal in plan.mended)
        choice = plan.choice
        return {
            "steps": len(plan.steps),
            "actions": len(plan.actions),
            "skipped": len(plan.left),
            "skipped_by_reason": dict(sorted(Counter(reason for _, reason, _ in plan.left).items())),
            "stale": self._stale_count(),
            "mended": sum(self._stale(goal.node) for goal in plan.mended),
            "mended_by_kind": dict(
                sorted(Counter(self._graph.kind_name(goal.node) for goal in plan.mended if self._stale(goal.node)).items())
            ),
            "mended_without_steps": sum(not goal.units and self._stale(goal.node) for goal in plan.mended),
            "left_stale": sum(self._stale(goal.node) for goal in plan.unmended),
            "hidden_stale": unseen.stale if unseen is not None else 0,
            "waiting": sum(1 for step in plan.steps if step.unit.waits),
            **_total("hours", [step.cost.hours for step in plan.steps]),
            **_total("kwh", [step.cost.kwh for step in plan.steps]),
            "weight": weight,
            "budget": {"hours": asked.budget.hours, "kwh": asked.budget.kwh} if asked.budget.limited else None,
            "exact": choice is None or choice.exact,
            "bound": weight if choice is None else max(weight, round(choice.bound, 6)),
        }

    # --- the nodes and links of the picture

    def _nodes(self, most: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        graph, damage = self._graph, self._damage
        chosen: dict[int, None] = dict.fromkeys(sorted(damage.seeds))
        chosen |= dict.fromkeys(node for one in damage.verdicts for node in one.change.mended)
        for step in self._plan.steps:
            chosen |= dict.fromkeys((step.unit.run, *step.unit.outputs, *step.unit.models, *step.mends))
        chosen |= dict.fromkeys(goal.node for goal in (*self._plan.mended, *self._plan.unmended))
        swaps = self._plan.mending.swaps
        chosen |= dict.fromkeys(swap.new for node in tuple(chosen) for swap in swaps.get(node, ()) if swap.new is not None)
        chosen |= dict.fromkeys(by for _, _, by in self._plan.left[:most] if by is not None)
        listed = list(chosen)[:most]
        nodes = {}
        labels = self._labels([graph.iris[node] for node in listed])
        for node in listed:
            iri = graph.iris[node]
            reached = int(damage.by[node]) >= 0
            replaced = damage.replaced.get(node)
            nodes[iri] = {
                "kind": graph.kind_name(node),
                "label": labels[iri],
                "distance": int(damage.distance[node]) if reached and damage.distance[node] < FAR else None,
                "state": STATES[int(damage.state[node])] if reached else None,
                "severity": SEVERITIES[int(damage.severity[node])] if reached else None,
                "effect": damage.effect(node) if reached else None,
                "justification": damage.justification(node) if reached else None,
                "resolved_by": None if replaced is None else graph.iris[replaced],
                "mended": node in self._mended_nodes,
                "visibility": graph.visibility(node),
                "_links": self._links(iri),
            }
        return nodes, self._edges(listed)

    def _edges(self, listed: Sequence[int]) -> list[dict[str, Any]]:
        graph = self._graph
        inside = np.zeros(graph.size, bool)
        inside[list(listed)] = True
        edges = graph.up.edges_of(np.array(sorted(listed), np.int32))
        return [
            {
                "source": graph.iris[graph.earlier[edge]],
                "target": graph.iris[graph.later[edge]],
                "relation": graph.relations[graph.relation[edge]],
                "role": graph.words.roles[graph.role[edge]].name if graph.words.roles[graph.role[edge]].stated else None,
                "evidence": graph.evidence_name(edge),
                "record": graph.records[graph.record[edge]],
            }
            for edge in edges[inside[graph.earlier[edges]]].tolist()
        ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)


def _basis(estimate: Estimate) -> dict[str, Any]:
    return {"basis": estimate.basis, "runs": estimate.runs}


def _total(name: str, estimates: Iterable[Estimate]) -> dict[str, Any]:
    """The sum of what is known, an upper limit where one is, and for how many steps nothing is."""
    rows = list(estimates)
    known = [one.value for one in rows if one.value is not None]
    safe = [one.safe for one in rows]
    return {
        name: _rounded(sum(known)) if known or not rows else None,
        f"{name}_at_most": None if None in safe else _rounded(sum(value or 0.0 for value in safe)),
        f"{name}_unknown": len(rows) - len(known),
    }


def _first(values: Iterable[NamedNode | Literal]) -> str | None:
    return min((value.value for value in values), default=None)
