"""How things are timed here: repeatedly, with the spread shown, and always beside the facts of the machine."""

from __future__ import annotations

import importlib.metadata
import math
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Timing:
    """The times of some runs of the same thing, in seconds, and what it returned the last time."""

    seconds: tuple[float, ...]
    result: Any

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def timed(action: Callable[[], Any], repeat: int = 5, budget_s: float = 60.0) -> Timing:
    """Run `action` up to `repeat` times, at least once, and stop when `budget_s` is spent.

    >>> timing = timed(lambda: 42, repeat=3)
    >>> timing.result, len(timing.seconds)
    (42, 3)
    """
    seconds: list[float] = []
    result: Any = None
    while len(seconds) < repeat and sum(seconds) < budget_s:
        began = time.perf_counter()
        result = action()
        seconds.append(time.perf_counter() - began)
    return Timing(tuple(seconds), result)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed (nearest rank).

    >>> percentile([3.0, 1.0, 2.0, 4.0], 0.5), percentile([3.0, 1.0, 2.0, 4.0], 0.95)
    (2.0, 4.0)
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def duration(seconds: float) -> str:
    """A time for people.

    >>> duration(0.00042), duration(0.042), duration(4.2), duration(420)
    ('0.42 ms', '42.0 ms', '4.20 s', '420 s')
    """
    if seconds < 0.01:
        return f"{seconds * 1000:.2f} ms"
    if seconds < 1:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds:.2f} s" if seconds < 100 else f"{seconds:.0f} s"


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    facts = {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
    }
    processor = Path("/proc/cpuinfo")
    if processor.is_file():
        names = [line.partition(":")[2].strip() for line in processor.read_text().splitlines() if line.startswith("model name")]
        facts["processor"] = names[0] if names else "not said"
    memory = Path("/proc/meminfo")
    if memory.is_file():
        facts["memory"] = f"{int(memory.read_text().split()[1]) / 2**20:.0f} GiB"
    for package in ("headwater", "pyoxigraph", "numpy", "scipy", "sqlalchemy", "pyshacl"):
        facts[package] = importlib.metadata.version(package)
    return facts
