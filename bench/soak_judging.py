"""Judges a soak: whether memory, files and threads stand still while a service works, by slopes that outliers do not move."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

WARM_UP = 0.25
"""The share of a soak that is not judged, unless another is named: caches, pools and the store's buffers fill up in it."""
GROWTH = 0.10
"""By this share of its median a measure may grow in what is judged; so much is the breath of an allocator."""
PER_WRITE = 6 * 1024
"""Bytes of memory for an accepted write: the index keeps what records said before, some fifteen links and things of each."""
SLACK = {"memory_mib": 24.0, "files": 24.0, "threads": 12.0, "processes": 1.5}
"""What a measure may grow in any case: a few connections more at the end than in the beginning are no leak."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one measure went: its median, and by how much it grew and might have grown in what is judged."""

    what: str
    median: float
    growth: float
    allowed: float

    @property
    def holds(self) -> bool:
        return self.growth <= self.allowed


def slope(times: Sequence[float], values: Sequence[float], most: int = 400) -> float:
    """The median of the slopes between all pairs of points (Theil and Sen), in units of `values` a second; up to 29 % of the
    points may be anything without moving it. Of more than `most` points an even choice is taken.

    >>> slope([0, 1, 2, 3, 4], [10, 12, 14, 999, 18])
    2.0
    """
    step = max(1, -(-len(times) // most))
    points = list(zip(times, values, strict=True))[::step]
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(points, 2) if b[0] > a[0]]
    return float(statistics.median(slopes)) if slopes else 0.0


def judged(samples: Sequence[dict[str, Any]], warm_up: float = WARM_UP) -> list[Verdict]:
    """A verdict on each measure of `SLACK`. A sample has the seconds since the beginning (`at`), the measures, and `writes`,
    how many were accepted by then.

    >>> quiet = {"memory_mib": 300.0, "files": 90, "threads": 20, "processes": 3, "writes": 0}
    >>> all(one.holds for one in judged([{**quiet, "at": second} for second in range(100)]))
    True
    >>> leak = [{**quiet, "at": second, "memory_mib": 300.0 + second} for second in range(100)]
    >>> [one.what for one in judged(leak) if not one.holds]
    ['memory_mib']
    """
    warm = samples[int(len(samples) * warm_up) :]
    times = [sample["at"] for sample in warm]
    span = times[-1] - times[0]
    writes = warm[-1]["writes"] - warm[0]["writes"]
    found = []
    for what, slack in SLACK.items():
        values = [float(sample[what]) for sample in warm]
        median = statistics.median(values)
        allowed = max(slack, GROWTH * median)
        if what == "memory_mib":
            allowed += writes * PER_WRITE / 2**20
        found.append(Verdict(what, median, slope(times, values) * span, allowed))
    return found
