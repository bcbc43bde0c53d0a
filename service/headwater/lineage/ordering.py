"""Putting work in order: first what other work rests on; where it goes round in a circle, the circle is cut, and the cut told."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

Pair = tuple[int, int]
_MOST_ROUNDS = 50


def in_order(items: Sequence[int], before: Iterable[Pair], key: Callable[[int], Any]) -> tuple[list[int], list[Pair]]:
    """The items so that of each pair `(a, b)` of `before` a stands first, as far as that can be; and the pairs that were cut.

    Among what may come next, the smallest `key` comes first. In a circle the item with the smallest key begins: the pairs of the
    circle that lead to it are cut, and only these. The keys must be different from one another.

    >>> in_order([1, 2, 3], [(3, 2), (2, 1)], key=lambda item: item)
    ([3, 2, 1], [])
    >>> in_order([1, 2, 3], [(1, 2), (2, 3), (3, 1)], key=lambda item: item)
    ([1, 2, 3], [(3, 1)])
    """
    place = {item: number for number, item in enumerate(items)}
    keys = [key(item) for item in items]
    pairs = sorted({(place[a], place[b]) for a, b in before if a != b and a in place and b in place})
    kept, cut = _without_circles(len(items), pairs, keys)
    following: list[list[int]] = [[] for _ in items]
    waiting = [0] * len(items)
    for a, b in kept:
        following[a].append(b)
        waiting[b] += 1
    ready = [(keys[number], number) for number in range(len(items)) if not waiting[number]]
    heapq.heapify(ready)
    order = []
    while ready:
        _, number = heapq.heappop(ready)
        order.append(items[number])
        for later in following[number]:
            waiting[later] -= 1
            if not waiting[later]:
                heapq.heappush(ready, (keys[later], later))
    return order, sorted((items[a], items[b]) for a, b in cut)


def _without_circles(count: int, pairs: list[Pair], keys: list[Any]) -> tuple[list[Pair], list[Pair]]:
    """The pairs that can all hold, and those that were cut from circles."""
    kept = pairs
    cut: list[Pair] = []
    for attempt in range(_MOST_ROUNDS + 1):
        circles = _circles(count, kept)
        within = [pair for pair in kept if circles[pair[0]] == circles[pair[1]]]
        if not within:
            break
        first: dict[int, int] = {}
        for number in sorted({number for pair in within for number in pair}, key=lambda number: keys[number], reverse=True):
            first[circles[number]] = number
        if attempt == _MOST_ROUNDS:
            # Circles within circles without end: the keys alone decide.
            gone = {pair for pair in within if keys[pair[0]] > keys[pair[1]]}
        else:
            gone = {pair for pair in within if first[circles[pair[1]]] == pair[1]}
        cut += gone
        kept = [pair for pair in kept if pair not in gone]
    return kept, cut


def _circles(count: int, pairs: list[Pair]) -> list[int]:
    """For each item the number of the circle (strongly connected component) that it is in; one of its own where in none."""
    if not pairs:
        return list(range(count))
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    ends = np.array(pairs, np.int32)
    matrix = csr_array((np.ones(len(pairs), np.int8), (ends[:, 0], ends[:, 1])), shape=(count, count))
    _, labels = connected_components(matrix, directed=True, connection="strong")
    found: list[int] = labels.tolist()
    return found
