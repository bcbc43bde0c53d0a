"""All ways between two things, as one small network: where an effect passes, what it becomes there, and what each step costs.

A state of the network is a thing with the effect that it has there, because one thing can be met by a mild effect and by a
severe one, and only the severe one may prove a verdict. Between two things without a change there is no effect and each thing is
one state. States are numbered by the IRIs of their things, so that the order in which records arrived shows nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headwater.lineage.carrying import Bundles, resting_on
from headwater.lineage.graph import Adjacency, BoolArray, Int32Array, LineageGraph

Int64Array = NDArray[np.int64]
MOST_LINKS = 200_000
"""Links between the two ends that are looked at; where there are more, those on the shortest ways."""
HOP, WEAKER, UNPINNED = 4, 1, 2
"""The cost of a hop in quarters: one, a quarter for each step of evidence below the strongest, a half where the earlier thing is
not pinned to content."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Links over which a way may lead, in graph ids: `link` is the edge id (-1: an implied one), `row` its row of the rules."""

    earlier: Int32Array
    later: Int32Array
    link: Int32Array
    row: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Rules:
    """What an effect becomes over a row at a kind, the effect that the starts have, and where nothing (`none`) arrives."""

    table: NDArray[np.int8]
    start: int
    none: int
    ends: BoolArray


@dataclass(slots=True)
class Ways:
    """The network between the starts and the ends.

    Per state: `thing` (graph id), `effect` (-1 where there is none) and `togo`, the cheapest cost from there to an end. Per arc,
    those between the same two states beside each other, the best first: `source`, `target`, `link`, `row`, `cost`, and `step`,
    its position in the steps handed in. `first` are the positions of these best ones. `narrowed` tells that there were more
    links between the ends than could be looked at.
    """

    graph: LineageGraph
    thing: Int32Array
    effect: NDArray[np.int8]
    source: Int64Array
    target: Int64Array
    link: Int32Array
    row: NDArray[np.int8]
    cost: Int32Array
    step: Int64Array
    first: Int64Array
    starts: list[int]
    ends: list[int]
    togo: Int64Array
    narrowed: bool

    def beside(self, arc: int) -> range:
        """All arcs between the same two states, of which `arc` is the first."""
        place = int(np.searchsorted(self.first, arc))
        after = int(self.first[place + 1]) if place + 1 < len(self.first) else len(self.source)
        return range(arc, after)

    def rests_on(self, arc: int) -> Bundles:
        """The stated links that an arc rests on; for a stated link itself."""
        link = int(self.link[arc])
        if link >= 0:
            return [((link,),)]
        return resting_on(self.graph, int(self.thing[self.source[arc]]), int(self.thing[self.target[arc]]))

    @property
    def things(self) -> Int32Array:
        """Everything on any of the ways, each once."""
        return np.unique(self.thing)


def ways_between(
    graph: LineageGraph,
    steps: Steps,
    starts: Sequence[int],
    end: int,
    rules: Rules | None = None,
    goals: BoolArray | None = None,
    *,
    near: Sequence[int] = (),
    most: int | None = None,
) -> Ways:
    """The network of all ways from `starts` to `end`; with `rules` only those on which one of the effects `goals` arrives.

    Where more than `most` links lie between (`MOST_LINKS` if nothing is said), it is narrowed to the things on the shortest ways
    and to those of `near`.
    """
    starts = list(dict.fromkeys(starts))
    chosen, narrowed = _between(graph, steps, starts, end, near, MOST_LINKS if most is None else most)
    width = graph.size
    source, target, arc = _forward(graph, steps, chosen, starts, rules)
    if rules is None or goals is None:
        start_states, end_states = np.array(starts, np.int64), np.array([end], np.int64)
    else:
        start_states = rules.start * width + np.array(starts, np.int64)
        end_states = np.flatnonzero(goals).astype(np.int64) * width + end
    states = np.unique(np.concatenate((source, target, start_states, end_states)))
    source, target = np.searchsorted(states, source), np.searchsorted(states, target)
    good = _leading(source, target, len(states), np.searchsorted(states, end_states))
    keep = good[source] & good[target]
    source, target, arc = states[source[keep]], states[target[keep]], arc[keep]
    ordered = sorted(states[good].tolist(), key=lambda state: (graph.iris[state % width], state // width))
    place = {state: number for number, state in enumerate(ordered)}
    source, target = (np.array([place[state] for state in column.tolist()], np.int64) for column in (source, target))
    link, row, cost = steps.link[arc], steps.row[arc], _costs(graph, steps, arc)
    by_rank = _copies_in_order(graph, source, target, link, row, cost)
    source, target, arc = source[by_rank], target[by_rank], arc[by_rank]
    link, row, cost = link[by_rank], row[by_rank], cost[by_rank]
    fresh = np.ones(len(source), bool)
    fresh[1:] = (source[1:] != source[:-1]) | (target[1:] != target[:-1])
    first = np.flatnonzero(fresh)
    ends = sorted(place[state] for state in end_states.tolist())
    numbers = np.array(ordered, np.int64)
    return Ways(
        graph=graph,
        thing=(numbers % width).astype(np.int32),
        effect=(numbers // width if rules is not None else np.full(len(numbers), -1)).astype(np.int8),
        source=source,
        target=target,
        link=link,
        row=row,
        cost=cost,
        step=arc,
        first=first,
        starts=sorted(place[state] for state in start_states.tolist() if state in place),
        ends=ends,
        togo=_togo(source[first], target[first], cost[first], len(numbers), ends),
        narrowed=narrowed,
    )


def _between(
    graph: LineageGraph, steps: Steps, starts: Sequence[int], end: int, near: Sequence[int], most: int
) -> tuple[Int64Array, bool]:
    """The positions of the steps that lie on a way from a start to the end, whatever passes there."""
    back = graph.walk(Adjacency(steps.later, graph.size), steps.earlier, [end], None, None, None)
    forth = graph.walk(Adjacency(steps.earlier, graph.size), steps.later, starts, None, None, None)
    far = np.iinfo(np.int32).max // 2
    ahead, behind = np.full(graph.size, far, np.int64), np.full(graph.size, far, np.int64)
    ahead[back.nodes], behind[forth.nodes] = back.distance, forth.distance
    through = ahead + behind
    chosen = np.flatnonzero((through[steps.earlier] < far) & (through[steps.later] < far))
    if len(chosen) <= most:
        return chosen, False
    things = np.unique(np.concatenate((steps.earlier[chosen], steps.later[chosen])))
    things = things[np.lexsort((things, through[things]))]
    entering = np.bincount(steps.later[chosen], minlength=graph.size)
    keep = np.zeros(graph.size, bool)
    keep[things[np.cumsum(entering[things]) <= most]] = True
    keep[[*near, *starts, end]] = True
    return chosen[keep[steps.earlier[chosen]] & keep[steps.later[chosen]]], True


def _forward(
    graph: LineageGraph, steps: Steps, chosen: Int64Array, starts: Sequence[int], rules: Rules | None
) -> tuple[Int64Array, Int64Array, Int64Array]:
    """All arcs that are gone over from the starts, as states (effect times size plus thing) and positions in the steps."""
    if rules is None:
        return steps.earlier[chosen].astype(np.int64), steps.later[chosen].astype(np.int64), chosen
    width = graph.size
    earlier, later, row = steps.earlier[chosen], steps.later[chosen], steps.row[chosen]
    leaving = Adjacency(earlier, width)
    kinds = graph.kind[later]
    seen = np.zeros((len(rules.table), width), bool)
    frontier = [(rules.start, np.unique(np.array(starts, np.int32)))]
    seen[rules.start, frontier[0][1]] = True
    sources, targets, arcs = [], [], []
    while frontier:
        following: dict[int, list[Int32Array]] = {}
        for effect, things in frontier:
            out = leaving.edges_of(things)
            arriving = rules.table[effect, row[out], kinds[out]]
            arriving = np.where(rules.ends[later[out]], rules.none, arriving)
            sources.append(effect * width + earlier[out].astype(np.int64))
            targets.append(arriving.astype(np.int64) * width + later[out])
            arcs.append(chosen[out])
            for became in np.unique(arriving).tolist():
                fresh = np.unique(later[out[arriving == became]])
                fresh = fresh[~seen[became, fresh]]
                if len(fresh):
                    seen[became, fresh] = True
                    following.setdefault(became, []).append(fresh)
        frontier = [(effect, np.concatenate(parts)) for effect, parts in sorted(following.items())]
    if not arcs:
        nothing = np.zeros(0, np.int64)
        return nothing, nothing, nothing
    return np.concatenate(sources), np.concatenate(targets), np.concatenate(arcs)


def _leading(source: Int64Array, target: Int64Array, size: int, ends: Int64Array) -> BoolArray:
    """Which states lie on a way to one of the ends."""
    entering = Adjacency(target.astype(np.int32), size)
    good = np.zeros(size, bool)
    good[ends] = True
    frontier = ends.astype(np.int32)
    while len(frontier):
        before = np.unique(source[entering.edges_of(frontier)])
        frontier = before[~good[before]].astype(np.int32)
        good[frontier] = True
    return good


def _costs(graph: LineageGraph, steps: Steps, arc: Int64Array) -> Int32Array:
    link = steps.link[arc]
    strength = graph.evidence[np.maximum(link, 0)].astype(np.int64) if len(graph.evidence) else np.zeros(len(link), np.int64)
    for place in np.flatnonzero(link < 0).tolist():
        found = resting_on(graph, int(steps.earlier[arc[place]]), int(steps.later[arc[place]]))
        strength[place] = max(
            (min(max(int(graph.evidence[one]) for one in group) for group in bundle) for bundle in found if all(bundle)),
            default=min(graph.words.evidence.values()),
        )
    strongest = max(graph.words.evidence.values())
    cost = HOP + WEAKER * (strongest - strength) + UNPINNED * ~graph.pinned[steps.earlier[arc]]
    quarters: Int32Array = cost.astype(np.int32)
    return quarters


def _copies_in_order(
    graph: LineageGraph, source: Int64Array, target: Int64Array, link: Int32Array, row: NDArray[np.int8], cost: Int32Array
) -> Int64Array:
    """Arcs by source and target; between the same two the cheapest first, and then by role, relation and record by name."""
    real = np.maximum(link, 0)
    if not len(graph.record):
        return np.lexsort((row, cost, target, source)).astype(np.int64)
    relations, records = graph.relation[real], graph.record[real]
    keys = (_by_name(graph.records, records), _by_name(graph.relations, relations), row, cost, target, source)
    return np.lexsort(keys).astype(np.int64)


def _by_name(names: Sequence[str], numbers: Int32Array) -> Int32Array:
    known = np.unique(numbers)
    ordered = sorted(known.tolist(), key=lambda number: names[number])
    rank = np.zeros(int(known.max()) + 1 if len(known) else 1, np.int32)
    rank[ordered] = np.arange(len(ordered), dtype=np.int32)
    return rank[numbers] if len(known) else numbers


def _togo(source: Int64Array, target: Int64Array, cost: Int32Array, size: int, ends: Sequence[int]) -> Int64Array:
    """The cheapest cost from each state to an end; -1 where no way leads to one."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    backwards = csr_array((cost.astype(np.float64), (target, source)), shape=(size, size))
    far = dijkstra(backwards, directed=True, indices=list(ends), min_only=True)
    return np.where(np.isfinite(far), far, -1).astype(np.int64)
