"""Early cut-off, as build systems know it: what need not be done any more if a step makes exactly what was there before.

A later step falls away with an earlier one if every way from what changed to its inputs leads through that earlier one: it is
dominated by it (Lengauer and Tarjan 1979; in an order that is topological one pass over the steps is enough).
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from headwater.lineage.remaking import Mending

MOST_LISTED = 100
"""Numbers of steps that are listed for one step; the others are counted."""


def cut_off(mending: Mending, order: Sequence[int]) -> dict[int, tuple[list[int], int]]:
    """For each run of a plan the numbers (from 1) of the later steps that fall away with it, the first of them listed, and how
    many there are."""
    place = {run: number for number, run in enumerate(order, 1)}
    above: dict[int, int] = {}
    depth = {0: 0}
    for number, run in enumerate(order, 1):
        sources = _sources(mending, run, place)
        above[number] = 0 if sources is None else _meeting(sources, above, depth)
        depth[number] = depth[above[number]] + 1
    first: dict[int, list[int]] = {number: [] for number in range(len(order) + 1)}
    count = dict.fromkeys(range(len(order) + 1), 0)
    for number in range(len(order), 0, -1):
        parent = above[number]
        first[parent] = heapq.nsmallest(MOST_LISTED, (number, *first[number], *first[parent]))
        count[parent] += 1 + count[number]
    return {run: (first[number], count[number]) for run, number in place.items()}


def _sources(mending: Mending, run: int, place: dict[int, int]) -> list[int] | None:
    """The earlier steps that make a step's swapped inputs; None where something else changed for it as well."""
    unit = mending.units[run]
    found = set()
    for one in (unit.run, *unit.parts):
        for swap in mending.swaps.get(one, ()):
            if swap.how == "kept":
                continue
            source = mending.unit_of.get(swap.run) if swap.how == "made" and swap.run is not None else None
            if source is None or source not in place or place[source] > place[run]:
                return None
            if source != run:
                found.add(place[source])
    return sorted(found) or None


def _meeting(numbers: Sequence[int], above: dict[int, int], depth: dict[int, int]) -> int:
    """The nearest step that all ways to these steps lead through; 0 where there is none."""
    met = numbers[0]
    for other in numbers[1:]:
        while met != other:
            if depth[met] >= depth[other]:
                met = above[met]
            else:
                other = above[other]
    return met
