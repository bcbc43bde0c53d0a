"""Times: whether a fault stood, or a version was there, when something was used.

A fault stands from when it began until it was mended; when a change was announced says nothing of either. Times that contradict
each other (an end before its beginning) count as not known.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headwater.lineage.graph import BoolArray, Int32Array, LineageGraph

Times = NDArray[np.float64]
_GOING_ON = ("run", "deployment", "instrument", "project")
"""Kinds whose time is a beginning. The time of all others is when they came to be: what they were made from was used before."""


class Uses(NamedTuple):
    """When things were in use: seconds since 1970, NaN where not known."""

    begun: Times
    ended: Times


def uses_by(graph: LineageGraph, users: Int32Array) -> Uses:
    """When `users` used what they used, as far as their own times tell."""
    start, end = graph.start[users], graph.end[users]
    lasting = np.isin(graph.kind[users], [graph.kind_of[name] for name in _GOING_ON])
    begun, ended = np.where(lasting, start, np.nan), np.where(lasting, end, start)
    nonsense = ended < begun
    return Uses(np.where(nonsense, np.nan, begun), np.where(nonsense, np.nan, ended))


def outside(uses: Uses, since: float | Times, until: float | Times) -> BoolArray:
    """Which uses surely fall wholly outside the time from `since` until before `until` (-inf, inf: open; NaN: not known).

    >>> outside(Uses(np.array([1.0, 5.0, np.nan]), np.array([2.0, 6.0, np.nan])), 3.0, np.inf).tolist()
    [True, False, False]
    """
    found: BoolArray = (uses.ended < since) | (uses.begun >= until)
    return found


def inside(uses: Uses, since: float | Times, until: float | Times) -> BoolArray:
    """Which uses surely fall at least partly into that time: they began or ended in it, or went on over its beginning.

    >>> inside(Uses(np.array([1.0, 1.0, 4.0]), np.array([2.0, np.nan, np.nan])), 2.0, np.inf).tolist()
    [True, False, True]
    """
    began = (uses.begun >= since) & (uses.begun < until)
    ended = (uses.ended >= since) & (uses.ended < until)
    over = (uses.begun < since) & (uses.ended >= since)
    found: BoolArray = began | ended | over | (np.isneginf(since) & np.isposinf(until))
    return found


def there_since(graph: LineageGraph, thing: int) -> float:
    """The earliest moment at which a thing can have been there: its own time, or the beginning of the first run that made it.

    NaN where nobody knows.
    """
    if not np.isnan(graph.start[thing]):
        return float(graph.start[thing])
    edges = graph.up.edges_of(np.array([thing], np.int32))
    makers = graph.start[graph.earlier[edges[graph.role[edges] == graph.role_of["generate"]]]]
    # Where one of several makers states no time, it may have been the first.
    return float(makers.min()) if len(makers) else float("nan")
