"""The cheapest ways through a network of ways, each without a circle: the paths that an explanation shows.

Yen's algorithm in Lawler's form: the next best path leaves one of the paths found so far at some thing, by a link that none of
them took there. Where it could leave is put off until its cheapest possible cost is due (the exact cost to the end is known for
each state), so that a path of a thousand steps costs a few searches and not a thousand. Yen 1971, doi:10.1287/mnsc.17.11.712;
Lawler 1972, doi:10.1287/mnsc.18.7.401.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

import numpy as np

from headwater.lineage.ways import Ways

MOST_LOOKS = 200_000
"""States that are looked at in all searches together; ways that would take more are not listed, and the answer says so."""


@dataclass(slots=True)
class Found:
    """The best ways, cheapest first, each as positions of arcs; `more` where there are further ones, `stopped` where that could
    not be looked into to the end."""

    ways: list[list[int]]
    more: bool
    stopped: bool


@dataclass(slots=True)
class _Way:
    """A way as states and arcs, the state at which it left its parent, and what its parent and siblings took there."""

    states: list[int]
    arcs: list[int]
    costs: list[int]
    left_at: int
    taken: frozenset[int]


@dataclass(slots=True)
class _Search:
    ways: Ways
    looks: int
    out: dict[int, list[tuple[int, int, int, int]]] = field(default_factory=dict)
    firsts: np.ndarray[tuple[int], np.dtype[np.int64]] = field(init=False)

    def __post_init__(self) -> None:
        ways = self.ways
        self.firsts = np.searchsorted(ways.source[ways.first], np.arange(len(ways.thing) + 1))

    def leaving(self, state: int) -> list[tuple[int, int, int, int]]:
        """What leaves a state, the cheapest to the end first: (cost to the end this way, far state, arc, cost of the arc)."""
        found = self.out.get(state)
        if found is None:
            ways = self.ways
            arcs = ways.first[self.firsts[state] : self.firsts[state + 1]]
            far = ways.target[arcs]
            costs = ways.cost[arcs]
            found = sorted(zip((costs + ways.togo[far]).tolist(), far.tolist(), arcs.tolist(), costs.tolist(), strict=True))
            self.out[state] = found
        return found

    def onwards(self, way: _Way, at: int, taken: frozenset[int]) -> _Way | None:
        """The cheapest way that goes with `way` up to its state number `at` and leaves it there by an arc that is not `taken`."""
        end = self.ways.ends[0]
        states, passed = way.states[: at + 1], set(way.states[: at + 1])
        start = states[-1]
        best: dict[int, int] = {start: 0}
        came: dict[int, tuple[int, int, int]] = {}
        # Of equals the one nearer to the end goes first, or a hub with thousands of equal ways would be looked through.
        waiting: list[tuple[int, int, int, int]] = [(0, 0, start, 0)]
        done: set[int] = set()
        while waiting:
            _, _, here, cost = heapq.heappop(waiting)
            if here in done:
                continue
            done.add(here)
            self.looks -= 1
            if here == end:
                break
            if self.looks < 0:
                return None
            for ahead, there, arc, step in self.leaving(here):
                if there in passed or there in done or (here == start and arc in taken):
                    continue
                if cost + step < best.get(there, cost + step + 1):
                    best[there] = cost + step
                    came[there] = (here, arc, step)
                    heapq.heappush(waiting, (cost + ahead, ahead - step, there, cost + step))
        if end not in done or end == start:
            return None
        tail: list[tuple[int, int, int]] = []
        here = end
        while here != start:
            before, arc, step = came[here]
            tail.append((here, arc, step))
            here = before
        tail.reverse()
        return _Way(
            states + [state for state, _, _ in tail],
            way.arcs[:at] + [arc for _, arc, _ in tail],
            way.costs[:at] + [step for _, _, step in tail],
            at,
            taken,
        )


def best_ways(ways: Ways, k: int, looks: int = MOST_LOOKS) -> Found:
    """The `k` cheapest ways from any start to the (single) end. No state comes twice in a way; ties go by the names of things."""
    end = ways.ends[0]
    search = _Search(ways, looks)
    # Due next: what it costs at least; then what is only estimated before what is known, so that equals are compared whole.
    due: list[tuple[int, int, tuple[int, ...], int, int, frozenset[int], _Way | None]] = []
    found: list[_Way] = []
    for start in ways.starts:
        seed = _Way([start], [], [], 0, frozenset())
        if start == end:
            heapq.heappush(due, (0, 1, (start,), 0, 0, frozenset(), seed))
        else:
            heapq.heappush(due, (int(ways.togo[start]), 0, (start,), -1, 0, frozenset(), seed))
    listed: list[list[int]] = []
    while due and len(listed) <= k and search.looks >= 0:
        _, known, _, number, at, taken, way = heapq.heappop(due)
        if not known:
            parent = way if number < 0 else found[number]
            assert parent is not None
            onwards = search.onwards(parent, at, taken)
            if onwards is not None:
                heapq.heappush(due, (sum(onwards.costs), 1, tuple(onwards.states), -1, 0, frozenset(), onwards))
            continue
        assert way is not None
        found.append(way)
        listed.append(way.arcs)
        _branch(search, way, len(found) - 1, due)
    stopped = search.looks < 0
    return Found(listed[:k], len(listed) > k or (stopped and bool(due)), stopped)


def _branch(
    search: _Search,
    way: _Way,
    number: int,
    due: list[tuple[int, int, tuple[int, ...], int, int, frozenset[int], _Way | None]],
) -> None:
    """Put down where the next way could leave this one, each at the least that it would cost."""
    passed = set(way.states[: way.left_at])
    spent = sum(way.costs[: way.left_at])
    for at in range(way.left_at, len(way.arcs)):
        passed.add(way.states[at])
        taken = frozenset({way.arcs[at]}) | (way.taken if at == way.left_at else frozenset())
        least = next(
            (ahead for ahead, there, arc, _ in search.leaving(way.states[at]) if arc not in taken and there not in passed),
            None,
        )
        if least is not None:
            heapq.heappush(due, (spent + least, 0, (), number, at, taken, None))
        spent += way.costs[at]
