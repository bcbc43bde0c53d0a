"""Which single fix clears the most: each change, and each run with all before it, by the stale things it clears an hour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

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
    fixes = []

    def fix(change: int | None, run: int | None, cleared: Sequence[Goal], units: Collection[int]) -> None:
        hours = [costs[unit].hours.safe for unit in units]
        known = [value for value in hours if value is not None]
        fixes.append(
            Fix(
                change=change,
                run=run,
                clears=[goal.node for goal in cleared],
                weight=sum(weight(goal) for goal in cleared),
                hours=sum(known) if len(known) == len(hours) else None,
                steps=len(units),
            )
        )

    blamed = {goal.node: damage.blamed(goal.node) for goal in stale}
    for number in range(len(damage.verdicts)):
        own = [goal for goal in stale if blamed[goal.node] == [number]]
        if own:
            fix(number, None, own, mending.needed(own))
    if closures is not None:
        by_mask: dict[int, list[Goal]] = defaultdict(list)
        for goal in stale:
            mask = 0
            for unit in goal.units:
                mask |= closures[unit]
            if mask:
                by_mask[mask].append(goal)
        for run, closure in closures.items():
            cleared = [goal for mask, goals in by_mask.items() if mask & ~closure == 0 for goal in goals]
            if cleared:
                fix(None, run, cleared, {base[number] for number in bits(closure)})

    def rank(one: Fix) -> tuple[bool, float, int, int, str]:
        name = "" if one.run is None else damage.graph.iris[one.run]
        each = float("inf") if one.hours is None else one.hours / len(one.clears)
        return one.hours is None, each, -one.weight, -1 if one.change is None else one.change, name

    return sorted(fixes, key=rank)[:_MOST_FIXES]
