"""Plans: what to repeat after changes upstream, in which order, at what cost, where one may stop, and what to leave alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from headwater.lineage.budget import Choice, Purse, bits, choose, upper_bound
from headwater.lineage.costing import Cost, cost
from headwater.lineage.cutting_off import cut_off
from headwater.lineage.damage import CANNOT_TELL, RESOLVED, SOUND, Damage
from headwater.lineage.fixes import rank_fixes
from headwater.lineage.gains import Gains, expected, improves
from headwater.lineage.planned import ACTIONS, LEFT, Action, Budget, Plan, Step, Weights
from headwater.lineage.remaking import BY_HAND, Goal, Mending, mend
from headwater.lineage.repeating import Past, Records
from headwater.lineage.verdict import SEVERITIES

MOST_WEIGHED = 2_000
"""Steps up to which a plan is ordered by what mends most for its cost, and limited by a budget with a bound worth the name."""


def make_plan(
    damage: Damage,
    records: Records,
    gains: Gains,
    weights: Weights,
    budget: Budget | None = None,
    *,
    kinds: Collection[str] = (),
    metrics: bool = True,
) -> Plan:
    """The smallest set of runs that mends what is wanted; within a budget the part of it that mends the most.

    `kinds` narrows what is wanted; without `metrics` nothing is repeated only to measure again.
    """
    return _Planner(
        damage, records, gains, weights, budget or Budget(), mend(damage, records, kinds=kinds, metrics=metrics)
    ).plan()


class _Planner:
    def __init__(
        self, damage: Damage, records: Records, gains: Gains, weights: Weights, budget: Budget, mending: Mending
    ) -> None:
        self.damage, self.graph = damage, damage.graph
        self.gains, self.weights, self.budget, self.mending = gains, weights, budget, mending
        self.past = Past(self.graph, records, damage.sound, damage.counted)
        self.records = records
        self.gained: dict[int, tuple[list[dict[str, Any]], bool | None]] = {}
        self.left: dict[int, tuple[str, int | None]] = dict(mending.left)

    def plan(self) -> Plan:
        wanted = self._worthwhile([goal for goal in self.mending.goals if goal.wanted])
        needed = self.mending.needed(wanted)
        base = [run for run in self.mending.order if run in needed]
        costs = {run: cost(self.mending.units[run], self.past, self.records) for run in base}
        closures = self._closures(base) if len(base) <= MOST_WEIGHED else None
        within = [goal for goal in self.mending.goals if goal.units <= needed]
        choice = None
        if self.budget.limited:
            chosen, choice = self._choose(base, costs, closures, within)
            for run in needed - chosen:
                self.left[run] = (self._why_not(costs[run]), None)
            base = [run for run in base if run in chosen]
            closures = self._closures(base) if closures is not None else None
        order = self._order(base, costs, closures, within)
        steps = self._steps(order, costs, within)
        chosen = set(order)
        mended = [goal for goal in within if goal.units <= chosen]
        there = {goal.node for goal in mended}
        unmended = [goal for goal in self.mending.goals if goal.node not in there and not self.damage.gain[goal.node]]
        for run in self.mending.units:
            if run not in chosen:
                self.left.setdefault(run, ("unused", None))
        return Plan(
            mending=self.mending,
            steps=steps,
            actions=self._actions(mended, {step.unit.run: step.number for step in steps}),
            left=self._left(chosen),
            mended=mended,
            unmended=unmended,
            fixes=rank_fixes(self.mending, base, costs, closures, mended, self._weight),
            choice=choice,
            weight_of=self._weight,
        )

    def _weight(self, goal: Goal) -> int:
        kind = self.weights.kinds.get(self.graph.kind_name(goal.node), 1)
        return kind * self.weights.severities.get(SEVERITIES[int(self.damage.severity[goal.node])], 1)

    # --- what is worth it

    def _worthwhile(self, goals: list[Goal]) -> list[Goal]:
        """Leave out what past pairs rule out an improvement for; what is at work or in print is mended anyway."""
        kept = []
        for goal in goals:
            critical = SEVERITIES[int(self.damage.severity[goal.node])] == "critical"
            hopeless = (
                goal.units
                and not goal.numbers
                and not critical
                and self.graph.kind_name(goal.node) not in BY_HAND
                and all(self._gain(unit)[1] is False for unit in goal.units)
            )
            if hopeless:
                for unit in goal.units:
                    self.left[unit] = ("no-gain", None)
            else:
                kept.append(goal)
        return kept

    def _gain(self, run: int) -> tuple[list[dict[str, Any]], bool | None]:
        """What past pairs say of a repetition, and whether it improves anything (None: nobody knows)."""
        if run not in self.gained:
            unit = self.mending.units[run]
            rows = expected(unit, self.graph, self.gains)
            self.gained[run] = (rows, None if unit.need == "measure" else improves(rows))
        return self.gained[run]

    # --- what fits the budget

    def _closures(self, base: Sequence[int]) -> dict[int, int]:
        """For each unit the set (bits by position in `base`) of itself and all that comes before."""
        found: dict[int, int] = {}
        for number, run in enumerate(base):
            mask = 1 << number
            for before in self.mending.units[run].after:
                mask |= found.get(before, 0)
            found[run] = mask
        return found

    def _choose(
        self, base: list[int], costs: Mapping[int, Cost], closures: Mapping[int, int] | None, goals: Sequence[Goal]
    ) -> tuple[set[int], Choice]:
        rows = (
            (self.budget.hours, [costs[run].hours.safe for run in base]),
            (self.budget.kwh, [costs[run].kwh.safe for run in base]),
        )
        known = [(limit, tuple(row)) for limit, row in rows if limit is not None]
        purse = Purse(costs=tuple(row for _, row in known), limits=tuple(limit for limit, _ in known))
        if closures is None:
            return self._prefix(base, purse, goals)
        choice = choose(self._needs(closures, goals), purse)
        return {base[number] for number in bits(choice.steps)}, choice

    def _prefix(self, base: list[int], purse: Purse, goals: Sequence[Goal]) -> tuple[set[int], Choice]:
        """For very large plans: step after step in order, each that fits and whose prerequisites were taken."""
        taken: set[int] = set()
        spent = [0.0] * len(purse.limits)
        for number, run in enumerate(base):
            added = [costs[number] for costs in purse.costs]
            if None in added or not self.mending.units[run].after <= taken:
                continue
            total = [one + (other or 0.0) for one, other in zip(spent, added, strict=True)]
            if purse.allows(total):
                taken.add(run)
                spent = total
        place = {run: number for number, run in enumerate(base)}
        needs = [([place[unit] for unit in goal.units], self._weight(goal)) for goal in goals]
        mended = sum(self._weight(goal) for goal in goals if goal.units <= taken)
        bound = upper_bound(needs, purse, purse.limits)
        return taken, Choice(0, mended, mended >= bound, max(bound, float(mended)))

    def _needs(self, closures: Mapping[int, int], goals: Iterable[Goal]) -> dict[int, int]:
        found: dict[int, int] = defaultdict(int)
        for goal in goals:
            mask = 0
            for unit in goal.units:
                mask |= closures[unit]
            found[mask] += self._weight(goal)
        return dict(found)

    def _why_not(self, price: Cost) -> str:
        unknown = (self.budget.hours is not None and price.hours.safe is None) or (
            self.budget.kwh is not None and price.kwh.safe is None
        )
        return "cost-unknown" if unknown else "over-budget"

    # --- in which order

    def _order(
        self, base: list[int], costs: Mapping[int, Cost], closures: Mapping[int, int] | None, goals: Iterable[Goal]
    ) -> list[int]:
        """Topological; among what may come first, what mends the most an hour; what only measures comes last."""
        order = base
        if closures is not None:
            chosen = set(base)
            needs = self._needs(closures, [goal for goal in goals if goal.units and goal.units <= chosen])
            hours = [costs[run].hours.safe for run in base]

            def rank(item: tuple[int, int]) -> tuple[bool, float, int]:
                spent = [hours[number] for number in bits(item[0])]
                known = [value for value in spent if value is not None]
                return len(known) < len(spent), (sum(known) / item[1]) if item[1] else float("inf"), item[0]

            done, order = 0, []
            for mask, _ in sorted(needs.items(), key=rank):
                order += [base[number] for number in bits(mask & ~done)]
                done |= mask
            order += [run for run in base if run not in set(order)]
        before = {unit for run in base for unit in self.mending.units[run].after}
        measuring = [run for run in order if self._only_measures(run) and run not in before]
        return [run for run in order if run not in set(measuring)] + measuring

    def _only_measures(self, run: int) -> bool:
        return self.mending.units[run].need == "measure"

    def _steps(self, order: list[int], costs: Mapping[int, Cost], goals: Iterable[Goal]) -> list[Step]:
        place = {run: number for number, run in enumerate(order, 1)}
        mends: dict[int, list[int]] = defaultdict(list)
        for goal in goals:
            if goal.units and goal.units <= place.keys():
                mends[max(place[unit] for unit in goal.units)].append(goal.node)
        away = cut_off(self.mending, order)
        steps = []
        for run in order:
            unit = self.mending.units[run]
            rows, better = self._gain(run)
            after = sorted(place[before] for before in unit.after)
            steps.append(Step(place[run], unit, costs[run], rows, better, after, mends[place[run]], *away[run]))
        return steps

    def _left(self, chosen: Collection[int]) -> list[tuple[int, str, int | None]]:
        """Everything that is not repeated, with the reason and what stands for it: stale runs, later versions, sound runs."""
        damage, graph = self.damage, self.graph
        found = {run: why for run, why in self.left.items() if run not in chosen}
        for node, later in damage.replaced.items():
            if int(damage.state[node]) in (RESOLVED, SOUND) and node not in damage.seeds:
                found.setdefault(node, ("resolved", later))
        runs = graph.kind == graph.kind_of["run"]
        for state, reason in ((CANNOT_TELL, "in-doubt"), (SOUND, "not-affected")):
            for run in np.flatnonzero(runs & (damage.state == state)).tolist():
                if run not in chosen and run not in damage.seeds:
                    advice = reason == "not-affected" and damage.effect(run) == "advice"
                    found.setdefault(run, ("advice-only" if advice else reason, None))
        order = list(LEFT)
        return sorted(
            ((node, reason, by) for node, (reason, by) in found.items()),
            key=lambda row: (order.index(row[1]), graph.iris[row[0]]),
        )

    # --- what people do

    def _actions(self, mended: Sequence[Goal], number_of: Mapping[int, int]) -> list[Action]:
        awaited = {node for goal in mended for node in goal.waits}
        awaited |= {node for run in number_of for node in self.mending.units[run].waits}
        actions = [Action("mend-input", node, [], []) for node in sorted(self.damage.unmended & awaited)]
        for goal in mended:
            after = sorted(number_of[unit] for unit in goal.units)
            waits = sorted(goal.waits - {goal.node})
            effect = self.damage.effect(goal.node)
            if effect == "withdraw" and not goal.numbers:
                actions.append(Action("withdraw", goal.node, [], []))
            what = self._what(goal, effect)
            if what is not None:
                actions.append(Action(what, goal.node, after, waits))
        for node in np.flatnonzero(self.damage.state == CANNOT_TELL).tolist():
            if self.graph.kind_name(node) != "run" and node not in self.damage.replaced and node not in self.damage.seeds:
                actions.append(Action("find-out", node, [], []))
        return sorted(actions, key=lambda action: (list(ACTIONS).index(action.what), self._urgency(action.node), action.node))

    def _what(self, goal: Goal, effect: str) -> str | None:
        kind = self.graph.kind_name(goal.node)
        if effect == "terms-apply":
            return "check-terms"
        if kind == "deployment":
            return "redeploy"
        if kind == "publication":
            return "correct"
        if effect == "steered":
            return "hand-over"
        if goal.node in goal.waits:
            roles = {swap.role for swap in self.mending.swaps.get(goal.node, ())}
            return "put-together" if roles == {"part"} else "make-by-hand"
        return "look-after" if kind in BY_HAND else None

    def _urgency(self, node: int) -> tuple[int, str]:
        return int(self.damage.severity[node]), self.graph.iris[node]
