"""Effort: the hours of computing and the energy that went into runs, summed over what is recorded and silent about the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

Recorded = Callable[[int], float | None]


@dataclass(frozen=True, slots=True)
class Effort:
    """A sum over `runs` runs. `hours` and `kwh` are None where nothing at all is recorded; `timed` runs have a known
    duration and `metered` a known energy of their own."""

    runs: int
    hours: float | None
    timed: int
    kwh: float | None
    metered: int

    def as_dict(self) -> dict[str, Any]:
        """The sum as answers tell it, with the share of runs that it says nothing of."""
        return {
            "runs": self.runs,
            "hours": self.hours,
            "runs_with_hours": self.timed,
            "share_without_hours": (self.runs - self.timed) / self.runs if self.runs else None,
            "kwh": self.kwh,
            "runs_with_kwh": self.metered,
            "share_without_kwh": (self.runs - self.metered) / self.runs if self.runs else None,
        }


def effort(runs: Collection[int], hours: Recorded, kwh: Recorded, parents: Callable[[int], Collection[int]]) -> Effort:
    """What went into `runs` together. `hours` and `kwh` give what is recorded of one run, None where nothing is.

    A run within another (a trial of a sweep) is not counted beside it: for the outer run the larger of its own value and the sum
    over the runs within it counts, for these may have run side by side. Runs that state each other as their parents count alone.

    >>> sweep = effort([1, 2, 3], {1: 2.0, 2: 1.5, 3: 1.0}.get, {}.get, lambda run: () if run == 1 else (1,))
    >>> sweep.hours, sweep.timed, sweep.kwh
    (2.5, 3, None)
    """
    wanted = frozenset(runs)
    above = {run: next((one for one in sorted(parents(run)) if one in wanted and one != run), None) for run in sorted(wanted)}
    for run in sorted(wanted):
        seen, here = {run}, above[run]
        while here is not None and here not in seen:
            seen.add(here)
            here = above[here]
        if here is not None:
            above[here] = None
    depth: dict[int, int] = {}
    for run in sorted(wanted):
        chain = [run]
        while chain[-1] not in depth and above[chain[-1]] is not None:
            chain.append(_not_none(above[chain[-1]]))
        start = depth.get(chain[-1], 0)
        for steps, one in enumerate(reversed(chain)):
            depth[one] = start + steps
    inwards = sorted(wanted, key=lambda run: (-depth[run], run))
    time, timed = _sum(inwards, above, hours)
    energy, metered = _sum(inwards, above, kwh)
    return Effort(len(wanted), time, timed, energy, metered)


def _sum(inwards: list[int], above: dict[int, int | None], recorded: Recorded) -> tuple[float | None, int]:
    """The sum over the outermost runs, and for how many runs a value is known; `inwards` names inner runs first."""
    within: dict[int, float] = {}
    total: float | None = None
    known = 0
    for run in inwards:
        own, parts = recorded(run), within.get(run)
        known += own is not None
        if own is None and parts is None:
            continue
        value = max(own or 0.0, parts or 0.0)
        outer = above[run]
        if outer is None:
            total = (total or 0.0) + value
        else:
            within[outer] = within.get(outer, 0.0) + value
    return total, known


def _not_none(run: int | None) -> int:
    assert run is not None
    return run
