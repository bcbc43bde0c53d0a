"""The smallest set of links that, if they are wrong, leave no way through a network: how much a verdict hangs on few statements.

Where each link stands in the network once, that is a minimum cut, by maximum flow. A link may stand there several times (an
effect can cross it mild and severe), an implied link rests on two stated ones, and a record states many links; then the problem
is the minimum label cut, which is NP-hard. It is solved here as a hitting set over ways found one by one: each way must lose one
of its links; the smallest set that takes one from each way known so far is a lower bound, and when no way is left it is the
answer. Where that takes too long, a set is given that does cut, with the bound, and `exact` is false.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from headwater.lineage.carrying import Bundles
from headwater.lineage.ways import Ways

MOST_ARCS = 20_000
"""Up to so many arcs ways are searched one by one; beyond, there is only the cut by flow."""
MOST_STEPS = 3_000_000
"""Arcs that are looked at to find every single link that would do; where it takes more, only one is named."""
MOST_ROUNDS = 200
MOST_BRANCHES = 20_000


@dataclass(frozen=True, slots=True)
class Cut:
    """A set of labels (links or records) without which no way is left. `at_least` bounds the smallest from below; `each` holds
    every label that would do alone."""

    labels: tuple[int, ...]
    exact: bool
    at_least: int
    each: tuple[int, ...] = ()


def smallest_cut(ways: Ways, label: Callable[[int], int], weakness: Callable[[int], tuple[object, ...]]) -> Cut | None:
    """The smallest set of labels that cuts every way from the starts to the ends; None where none does, because they meet.

    `label` names what a stated link counts as (itself, or its record). Of several single labels that would do, the one with the
    greatest `weakness` is named, because it is the likeliest to be wrong.
    """
    if set(ways.starts) & set(ways.ends):
        return None
    if not len(ways.first):
        return Cut((), exact=True, at_least=0)
    if len(ways.source) > MOST_ARCS:
        return _at_large(ways, label)
    net = _Net(ways, label)
    by_flow = net.by_flow()
    whole = Cut(tuple(sorted(by_flow)), exact=True, at_least=len(by_flow))
    cut = whole if net.simple else _one_by_one(net, by_flow)
    if len(cut.labels) == 1 and (each := net.each_alone()):
        return Cut((max(each, key=weakness),), cut.exact, cut.at_least, tuple(each))
    return cut


def _at_large(ways: Ways, label: Callable[[int], int]) -> Cut:
    """The cut by flow alone, for a network in which ways cannot be searched one by one."""
    pairs = np.repeat(np.arange(len(ways.first)), np.diff(np.append(ways.first, len(ways.source))))
    labels = np.array([label(link) if link >= 0 else -1 for link in ways.link.tolist()], np.int64)
    cheapest = {}
    for arc in np.flatnonzero(labels < 0).tolist():
        groups = [min(bundle, key=len) for bundle in ways.rests_on(arc)]
        cheapest[arc] = sorted({label(link) for group in groups for link in group})
        labels[arc] = cheapest[arc][0]
    stated = np.unique(np.stack((pairs, labels)), axis=1)
    room = np.bincount(stated[0], minlength=len(ways.first))
    for arc, named in cheapest.items():
        room[pairs[arc]] += len(named) - 1
    crossing = np.isin(pairs, _crossing(ways, room.tolist()))
    found = set(labels[crossing].tolist()) | {one for arc, named in cheapest.items() if crossing[arc] for one in named}
    once = not cheapest and len(np.unique(stated[1])) == stated.shape[1]
    exact = once or len(found) == 1
    return Cut(tuple(sorted(found)), exact=exact, at_least=len(found) if exact else 1)


def _crossing(ways: Ways, costs: list[int]) -> list[int]:
    """The arcs (by position in `first`) of the minimum cut that lies nearest to the starts."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    first, size = ways.first, len(ways.thing)
    boundless = sum(costs) + 1
    source, sink = size, size + 1
    heads = np.concatenate((ways.source[first], np.full(len(ways.starts), source), ways.ends))
    tails = np.concatenate((ways.target[first], ways.starts, np.full(len(ways.ends), sink)))
    room = np.concatenate((costs, np.full(len(ways.starts) + len(ways.ends), boundless))).astype(np.int32)
    capacity = csr_array((room, (heads, tails)), shape=(size + 2, size + 2))
    left = csr_array(capacity - maximum_flow(capacity, source, sink).flow)
    left.data[left.data < 0] = 0
    left.eliminate_zeros()
    inside = np.zeros(size + 2, bool)
    inside[breadth_first_order(left, source, return_predecessors=False)] = True
    found: list[int] = np.flatnonzero(inside[ways.source[first]] & ~inside[ways.target[first]]).tolist()
    return found


class _Net:
    """The network by what each arc between two states rests on."""

    def __init__(self, ways: Ways, label: Callable[[int], int]) -> None:
        self.ways = ways
        self.size = len(ways.thing)
        self.rests: list[Bundles] = []
        self.simple = True
        met: set[int] = set()
        self.out: dict[int, list[tuple[int, int]]] = {}
        pairs = np.append(ways.first, len(ways.source))
        for number in range(len(ways.first)):
            bundles: Bundles = []
            for arc in range(int(pairs[number]), int(pairs[number + 1])):
                for bundle in ways.rests_on(arc):
                    named = tuple(tuple(dict.fromkeys(label(link) for link in group)) for group in bundle)
                    if named not in bundles:
                        bundles.append(named)
            self.rests.append(bundles)
            here = {one for bundle in bundles for group in bundle for one in group}
            self.simple &= not (here & met) and all(len(bundle) == 1 and len(bundle[0]) == 1 for bundle in bundles)
            met |= here
            arc = int(ways.first[number])
            self.out.setdefault(int(ways.source[arc]), []).append((int(ways.target[arc]), number))

    def by_flow(self) -> set[int]:
        """The labels of a minimum cut where each arc is cut by itself: never too few, perhaps too many."""
        cheapest = [[min(bundle, key=lambda group: (len(group), group)) for bundle in bundles] for bundles in self.rests]
        costs = [len({one for group in groups for one in group}) for groups in cheapest]
        return {one for number in _crossing(self.ways, costs) for group in cheapest[number] for one in group}

    def way_without(self, gone: Collection[int]) -> set[int] | None:
        """The labels of a shortest way that is left without `gone`; None where none is left."""
        waiting = deque(self.ways.starts)
        came: dict[int, tuple[int, frozenset[int]] | None] = dict.fromkeys(self.ways.starts)
        ends = set(self.ways.ends)
        while waiting:
            here = waiting.popleft()
            if here in ends:
                found: set[int] = set()
                step = came[here]
                while step is not None:
                    found |= step[1]
                    step = came[step[0]]
                return found
            for there, number in self.out.get(here, ()):
                if there not in came:
                    standing = self._standing(number, gone)
                    if standing is not None:
                        came[there] = (here, standing)
                        waiting.append(there)
        return None

    def _standing(self, number: int, gone: Collection[int]) -> frozenset[int] | None:
        """The labels by which an arc still stands; None where it does not."""
        for bundle in self.rests[number]:
            chosen = [next((one for one in group if one not in gone), None) for group in bundle]
            if None not in chosen:
                return frozenset(one for one in chosen if one is not None)
        return None

    def each_alone(self) -> list[int]:
        """Every label without which no way is left."""
        way = self.way_without(()) or set()
        if len(way) * len(self.rests) > MOST_STEPS:
            return []
        return sorted(one for one in way if self.way_without((one,)) is None)


def _one_by_one(net: _Net, known: set[int]) -> Cut:
    clauses: list[frozenset[int]] = []
    best, bound = known, 1
    for _ in range(MOST_ROUNDS):
        chosen, proven = smallest_hitting_set(clauses, len(best))
        if proven:
            bound = max(bound, len(chosen))
        if bound >= len(best):
            return Cut(tuple(sorted(best)), exact=True, at_least=len(best))
        way = net.way_without(chosen)
        if way is None:
            if proven or len(chosen) < len(best):
                best = chosen
            return Cut(tuple(sorted(best)), exact=proven, at_least=len(best) if proven else bound)
        clauses.append(frozenset(way))
    return Cut(tuple(sorted(best)), exact=False, at_least=bound)


def smallest_hitting_set(clauses: list[frozenset[int]], most: int, branches: int = MOST_BRANCHES) -> tuple[set[int], bool]:
    """A smallest set with a member of each clause, and whether it is proven to be one; sets of `most` or more are not looked for.

    >>> smallest_hitting_set([frozenset({1, 2}), frozenset({2, 3}), frozenset({4})], 9)
    ({2, 4}, True)
    """
    best = _greedy(clauses)
    limit = min(len(best), most)
    left = branches
    stack: list[tuple[frozenset[int], list[frozenset[int]]]] = [(frozenset(), clauses)]
    while stack:
        if left <= 0:
            return best, False
        left -= 1
        chosen, open_ = stack.pop()
        if not open_:
            if len(chosen) < limit:
                best, limit = set(chosen), len(chosen)
            continue
        if len(chosen) + _apart(open_) >= limit:
            continue
        clause = min(open_, key=lambda one: (len(one), sorted(one)))
        for one in sorted(clause, reverse=True):
            stack.append((chosen | {one}, [other for other in open_ if one not in other]))
    return best, True


def _greedy(clauses: list[frozenset[int]]) -> set[int]:
    open_, chosen = list(clauses), set()
    while open_:
        counts: dict[int, int] = {}
        for clause in open_:
            for one in clause:
                counts[one] = counts.get(one, 0) + 1
        most = min(counts, key=lambda one: (-counts[one], one))
        chosen.add(most)
        open_ = [clause for clause in open_ if most not in clause]
    return chosen


def _apart(clauses: list[frozenset[int]]) -> int:
    """How many clauses share nothing with each other: at least so many members a hitting set needs."""
    taken: set[int] = set()
    count = 0
    for clause in sorted(clauses, key=len):
        if not clause & taken:
            taken |= clause
            count += 1
    return count
