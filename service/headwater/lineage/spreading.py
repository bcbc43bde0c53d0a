"""How effects spread: from what changed, level by level over the links, until nothing gets worse anywhere.

The worst effect that arrives at a thing is its own. Whatever arrives goes on, "no effect" too, so that the level at which a thing
is first met is its distance. What happened is kept as a log of improvements; by which link an effect came to a thing is looked up
in it afterwards, for the few things that somebody wants to see.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headwater.lineage.carrying import ImpactEdges
from headwater.lineage.graph import Adjacency, BoolArray, Int32Array, LineageGraph
from headwater.lineage.rulebook import Int8Array

NONE = 0
"""The position of "no effect": the only one of rank 0, and so the first."""


@dataclass(frozen=True, slots=True)
class Flow:
    """The links over which effects go, and the table that says what becomes of an effect.

    `role` holds for each link its row in `table` (effect, role, kind); `vague` marks the cells of the flattened table over which
    more may come than does; `ends` marks things where nothing arrives; only `usable` links count; from a thing marked in `stop`
    nothing goes on.
    """

    graph: LineageGraph
    edges: ImpactEdges
    role: Int8Array
    table: Int8Array
    vague: BoolArray | None = None
    ends: BoolArray | None = None
    usable: BoolArray | None = None
    stop: BoolArray | None = None

    def links_of(self, nodes: Int32Array) -> Int32Array:
        """Positions of all links that leave any of `nodes` and count."""
        if self.stop is not None:
            nodes = nodes[~self.stop[nodes]]
        return self.usable_of(self.edges.adjacency.edges_of(nodes))

    def usable_of(self, links: Int32Array) -> Int32Array:
        """Those of `links` that count."""
        return links if self.usable is None else links[self.usable[links]]


class Arrival(NamedTuple):
    """By which link an effect came to a thing: its position, the thing it came from, and the effect there."""

    link: int
    source: int
    before: int


@dataclass(slots=True)
class Spread:
    """A fixed point: the effect at each node of the graph (-1 where nothing arrives) and the log of how it came about.

    `nodes` are those that were met, by distance. A spread may go on from a milder one, its `base`, and then logs what it adds.
    `vague` are the links over which more may have come.
    """

    flow: Flow
    effect: Int8Array
    nodes: Int32Array
    distance: Int32Array
    base: Spread | None
    vague: list[Int32Array]
    _log: list[tuple[Int32Array, NDArray[np.int16]]]
    _events: _Events | None = None
    _known: dict[tuple[int, int], Arrival | None] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many things got worse, each as often as it did."""
        return sum(len(links) for links, _ in self._log)

    def came(self, node: int, effect: int) -> Arrival | None:
        """How an effect first came to a thing; None where the log does not say, as for what began with it.

        Of several links that brought it at once, the role first in the vocabulary tells, then the names of thing and record: not
        the order in which records arrived.
        """
        key = (node, effect)
        if key not in self._known:
            found = self._look_up(node, effect) if self._log else None
            self._known[key] = self.base.came(node, effect) if found is None and self.base is not None else found
        return self._known[key]

    def _look_up(self, node: int, effect: int) -> Arrival | None:
        if self._events is None:
            self._events = _Events.of(self.flow, self._log)
        events = self._events
        ends = self.flow.ends is not None and bool(self.flow.ends[node])
        first: list[int] = []
        for event in events.order[events.start[node] : events.start[node + 1]].tolist():
            if (NONE if ends else events.table[events.code[event]]) == effect:
                if first and events.round[event] > events.round[first[0]]:
                    break
                first.append(event)
        if not first:
            return None
        event = first[0] if len(first) == 1 else min(first, key=self._rank)
        link = events.link[event]
        return Arrival(link, int(self.flow.edges.earlier[link]), events.code[event] // self.flow.table[0].size)

    def _rank(self, event: int) -> tuple[object, ...]:
        assert self._events is not None
        graph, flow, link = self.flow.graph, self.flow, self._events.link[event]
        source, real, role = int(flow.edges.earlier[link]), int(flow.edges.real[link]), int(flow.role[link])
        if real < 0:
            return role, graph.iris[source], 0, "", ""
        evidence, record, part = int(graph.evidence[real]), int(graph.record[real]), int(graph.slice[real])
        return role, graph.iris[source], -evidence, graph.records[record], graph.slices[part]


@dataclass(frozen=True, slots=True)
class _Events:
    """The log by the thing that got worse: `order[start[node]:start[node + 1]]` are its events, the earliest first."""

    order: Int32Array
    start: Int32Array
    link: memoryview
    code: memoryview
    round: memoryview
    table: list[int]

    @classmethod
    def of(cls, flow: Flow, log: list[tuple[Int32Array, NDArray[np.int16]]]) -> _Events:
        link = np.concatenate([links for links, _ in log])
        code = np.concatenate([codes for _, codes in log])
        rounds = np.repeat(np.arange(len(log), dtype=np.int32), [len(links) for links, _ in log])
        at = Adjacency(flow.edges.later[link], flow.graph.size)
        # Single elements are read from memory views in a third of the time that an array takes.
        return cls(at.order, at.start, link.data, code.data, rounds.data, flow.table.ravel().tolist())


def spread(flow: Flow, seeds: Int32Array, start: int) -> Spread:
    """Let the effect `start` spread from `seeds` until nothing gets worse.

    >>> from headwater.lineage.carrying import impact_edges
    >>> from headwater.lineage.index import LineageIndex
    >>> from headwater.records.links import LineageRows, LinkRow
    >>> index = LineageIndex()
    >>> index.put("urn:rec", "public", LineageRows([LinkRow("urn:a", "urn:b", "prov:used", "train", "observed")], []))
    >>> graph = index.graph()
    >>> same = np.tile(np.arange(3, dtype=np.int8)[:, None, None], (1, 1, len(graph.kind_names)))
    >>> flow = Flow(graph, impact_edges(graph), np.zeros(1, np.int8), same)
    >>> spread(flow, np.array([graph.ids["urn:a"]], np.int32), 2).effect.tolist()
    [2, 2]
    """
    effect = np.full(flow.graph.size, -1, np.int8)
    effect[seeds] = start
    frontier = np.unique(seeds).astype(np.int32)
    run = _Run(flow, effect)
    found, sizes = [frontier], [len(frontier)]
    while len(frontier):
        frontier, fresh = run.arrive(flow.links_of(frontier))
        found.append(fresh)
        sizes.append(len(fresh))
    distance = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    return Spread(flow, effect, np.concatenate(found), distance, None, run.vague, run.log)


def spread_on(flow: Flow, base: Spread, links: Int32Array, before: Int8Array | None = None) -> Spread:
    """Go on from a fixed point of a milder flow: more can only come over `links`, and what follows from that.

    The result is the same as that of spreading anew, since `base` is nowhere worse than it. With `before` these effects come
    over the links, whatever is at their earlier ends.
    """
    run = _Run(flow, base.effect.copy())
    frontier, _ = run.arrive(links, before)
    while len(frontier):
        frontier, _ = run.arrive(flow.links_of(frontier))
    return Spread(flow, run.effect, base.nodes, base.distance, base, run.vague, run.log)


class _Run:
    """One spreading while it goes on: the effects so far and the log."""

    def __init__(self, flow: Flow, effect: Int8Array) -> None:
        self.flow, self.effect = flow, effect
        self.table = flow.table.ravel()
        self.slot = np.empty(flow.graph.size, np.int32)
        self.log: list[tuple[Int32Array, NDArray[np.int16]]] = []
        self.vague: list[Int32Array] = []

    def _doubt(self, links: Int32Array, doubtful: BoolArray) -> None:
        some = doubtful.nonzero()[0]
        if len(some):
            self.vague.append(links.take(some))

    def arrive(self, links: Int32Array, before: Int8Array | None = None) -> tuple[Int32Array, Int32Array]:
        """Take what comes over the links: the things at which that is worse than before, and those of them that are new."""
        flow, effect = self.flow, self.effect
        target = flow.edges.later.take(links)
        # `take` reads a third faster than brackets here; the code of a link is its cell in the table, read as one row.
        code = (effect.take(flow.edges.earlier.take(links)) if before is None else before).astype(np.int16)
        code *= flow.table.shape[1]
        code += flow.role.take(links)
        code *= flow.table.shape[2]
        code += flow.graph.kind.take(target)
        arriving = self.table.take(code)
        if flow.ends is not None:
            ended = flow.ends.take(target)
            arriving[ended] = NONE
            self._doubt(links, ended)
        if flow.vague is not None:
            self._doubt(links, flow.vague.take(code))
        better = (arriving > effect.take(target)).nonzero()[0]
        target = target.take(better)
        if not len(target):
            return target, target
        self.log.append((links.take(better), code.take(better)))
        # Each target once, without sorting: whoever wrote last into the target's slot stands for it.
        turn = np.arange(len(target), dtype=np.int32)
        self.slot[target] = turn
        frontier = target.take((self.slot.take(target) == turn).nonzero()[0])
        fresh = (effect.take(frontier) < 0).nonzero()[0]
        new = frontier if len(fresh) == len(frontier) else frontier.take(fresh)
        np.maximum.at(effect, target, arriving.take(better))
        return frontier, new
