"""Which single fix clears the most: each change, and each run with all before it, by the stale things it clears an hour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from headwater.lineage.budget import bits
from headwater.lineage.costing import Cost
from headwater.lineage.damage import AFFECTED
from headwater.lineage.planned import Fix
from headwater.lineage.remaking import Goal, Mending

_MOST_FIXES = 20


def rank_fixes(
    mending: Mending,
    base: Sequence[int],
    costs: Mapping[int, Cost],
    closures: Mapping[int, int] | None,
    mended: Sequence[Goal],
    weight: Callable[[Goal], int],
) -> list[Fix]:
    """The fixes that clear the most stale things an hour, the best first; those of unknown cost last.

    A change clears what no other change makes stale. `closures` gives for each unit the set (bits by position in `base`) of
    itself and all before it; without it single runs are not ranked.
    """
    damage = mending.damage
    stale = [goal for goal in mended if int(damage.state[goal.node]) == AFFECTED]
    hours = {run: costs[run].hours.safe for run in base}
    found: list[_Rated] = []
    blamed = {goal.node: damage.blamed(goal.node) for goal in stale}
    for number in range(len(damage.verdicts)):
        own = [goal for goal in stale if blamed[goal.node] == [number]]
        if own:
            units = mending.needed(own)
            found.append(_Rated(number, None, own, sum(map(weight, own)), _sum(hours, units), len(units)))
    if closures is not None:
        found += _runs(stale, base, hours, closures, weight)

    def rank(one: _Rated) -> tuple[bool, float, int, int, str]:
        name = "" if one.run is None else damage.graph.iris[one.run]
        each = float("inf") if one.hours is None else one.hours / len(one.clears)
        return one.hours is None, each, -one.weight, -1 if one.change is None else one.change, name

    best = sorted(found, key=rank)[:_MOST_FIXES]
    return [Fix(one.change, one.run, [goal.node for goal in one.clears], one.weight, one.hours, one.steps) for one in best]


@dataclass(frozen=True, slots=True)
class _Rated:
    change: int | None
    run: int | None
    clears: Sequence[Goal]
    weight: int
    hours: float | None
    steps: int


def _runs(
    stale: Iterable[Goal],
    base: Sequence[int],
    hours: Mapping[int, float | None],
    closures: Mapping[int, int],
    weight: Callable[[Goal], int],
) -> list[_Rated]:
    """What each run clears together with all before it: everything that needs nothing else."""
    by_mask: dict[int, list[Goal]] = defaultdict(list)
    for goal in stale:
        mask = 0
        for unit in goal.units:
            mask |= closures[unit]
        if mask:
            by_mask[mask].append(goal)
    weights = {mask: sum(map(weight, goals)) for mask, goals in by_mask.items()}
    found = []
    for run, closure in closures.items():
        masks = [mask for mask in by_mask if mask & ~closure == 0]
        if masks:
            units = [base[number] for number in bits(closure)]
            cleared = [goal for mask in masks for goal in by_mask[mask]]
            found.append(_Rated(None, run, cleared, sum(weights[mask] for mask in masks), _sum(hours, units), len(units)))
    return found


def _sum(hours: Mapping[int, float | None], units: Iterable[int]) -> float | None:
    """The hours of all units together; None where one is unknown."""
    total = 0.0
    for unit in units:
        spent = hours[unit]
        if spent is None:
            return None
        total += spent
    return total
