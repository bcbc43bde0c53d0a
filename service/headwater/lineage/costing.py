"""What a repetition costs: what the run itself took, otherwise the median of runs of the same kind, otherwise unknown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from headwater.lineage.remaking import Unit
from headwater.lineage.repeating import Past, Records

_ENDED_BADLY = ("failed", "killed", "running", "scheduled")
_MOST_READ = 200


@dataclass(frozen=True, slots=True)
class Estimate:
    """One cost with what it rests on: `own`, `same-settings` or `same-code` (the median of `runs` runs), or `unknown`.

    `at_most` is an upper limit where only that is known: the run that made a model took longer than measuring it again will.
    """

    value: float | None
    basis: str
    runs: int = 0
    at_most: float | None = None

    @property
    def safe(self) -> float | None:
        """What to reckon with where a limit must be kept."""
        return self.at_most if self.value is None else self.value


@dataclass(frozen=True, slots=True)
class Cost:
    """Expected hours and kilowatt hours of one step."""

    hours: Estimate
    kwh: Estimate


UNKNOWN = Estimate(None, "unknown")


def cost(unit: Unit, past: Past, records: Records) -> Cost:
    """What repeating a unit is expected to cost; nothing is made up where nothing is recorded."""
    return Cost(_estimate(unit, past, records, records.hours), _estimate(unit, past, records, records.kwh))


def _estimate(unit: Unit, past: Past, records: Records, recorded: Callable[[int], float | None]) -> Estimate:
    own = _own(unit, records, recorded)
    only_part = unit.need == "measure" and bool(unit.models)
    if own is not None and not only_part:
        return Estimate(own, "own", 1)
    at_most = own if only_part else None
    like = past.like(unit.run, measuring=only_part)[:_MOST_READ]
    if not only_part:
        alike = _median(past.with_same_settings(unit.run, like), recorded)
        if alike is not None:
            return Estimate(alike[0], "same-settings", alike[1])
    similar = _median(like, recorded)
    return Estimate(None, "unknown", 0, at_most) if similar is None else Estimate(similar[0], "same-code", similar[1])


def _own(unit: Unit, records: Records, recorded: Callable[[int], float | None]) -> float | None:
    if records.status(unit.run) in _ENDED_BADLY:
        return None
    own = recorded(unit.run)
    if own is not None or not unit.parts:
        return own
    parts = [recorded(part) for part in unit.parts]
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _median(runs: Sequence[int], recorded: Callable[[int], float | None]) -> tuple[float, int] | None:
    known = [value for value in (recorded(run) for run in runs) if value is not None]
    return (median(known), len(known)) if known else None


def duration(hours: float) -> str:
    """A running time as people say it.

    >>> [duration(seconds / 3600) for seconds in (0, 0.047, 12, 200, 9000, 400_000)]
    ['no time', '47 ms', '12 s', '3.3 min', '2.5 h', '4.6 days']
    """
    seconds = hours * 3600
    if seconds <= 0:
        return "no time"
    for unit, size, limit in (("ms", 0.001, 1), ("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172_800)):
        if seconds < limit:
            return f"{seconds / size:.3g} {unit}" if unit in ("ms", "s") else f"{seconds / size:.2g} {unit}"
    return f"{hours / 24:,.1f} days"
