"""Counting what happens, and telling it in the text format that Prometheus reads."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Final

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper ends of the classes of durations, in seconds."""

Labels = Mapping[str, str]


class Counter:
    """Something that only grows, for each set of labels.

    >>> asked = Counter("asked_total", "Questions.", ("outcome",))
    >>> asked.add("answered"); asked.add("answered")
    >>> print("\\n".join(asked.lines()))
    # HELP asked_total Questions.
    # TYPE asked_total counter
    asked_total{outcome="answered"} 2
    """

    def __init__(self, name: str, about: str, labels: tuple[str, ...]) -> None:
        self.name, self.about, self._labels = name, about, labels
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, ...], int] = {}

    def add(self, *values: str) -> None:
        with self._lock:
            self._counts[values] = self._counts.get(values, 0) + 1

    def lines(self) -> list[str]:
        with self._lock:
            counts = sorted(self._counts.items())
        rows = [(dict(zip(self._labels, values, strict=True)), count) for values, count in counts]
        return told(self.name, "counter", self.about, rows)


class Durations:
    """How long something took, in seconds, for each value of one label: a histogram."""

    def __init__(self, name: str, about: str, label: str) -> None:
        self.name, self.about, self._label = name, about, label
        self._lock = threading.Lock()
        self._held: dict[str, tuple[list[int], float]] = {}

    def add(self, value: str, seconds: float) -> None:
        with self._lock:
            counts, total = self._held.get(value) or ([0] * (len(BUCKETS) + 1), 0.0)
            counts[bisect_left(BUCKETS, seconds)] += 1
            self._held[value] = (counts, total + seconds)

    def lines(self) -> list[str]:
        with self._lock:
            held = sorted((value, list(counts), total) for value, (counts, total) in self._held.items())
        lines = told(self.name, "histogram", self.about, ())
        for value, counts, total in held:
            so_far = 0
            for end, count in zip((*map(_number, BUCKETS), "+Inf"), counts, strict=True):
                so_far += count
                lines.append(_row(f"{self.name}_bucket", {self._label: value, "le": end}, so_far))
            lines.append(_row(f"{self.name}_sum", {self._label: value}, round(total, 6)))
            lines.append(_row(f"{self.name}_count", {self._label: value}, so_far))
        return lines


def told(name: str, kind: str, about: str, rows: Iterable[tuple[Labels, float]]) -> list[str]:
    """A measure in Prometheus's text format: `kind` is `gauge` or `counter`, `rows` its labels and numbers."""
    return [f"# HELP {name} {about}", f"# TYPE {name} {kind}", *(_row(name, labels, value) for labels, value in rows)]


def _row(name: str, labels: Labels, value: float) -> str:
    inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"{name}{{{inside}}} {_number(value)}" if inside else f"{name} {_number(value)}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
