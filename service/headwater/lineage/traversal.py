"""Going through a graph of lineage step by step, with distances, as far as the question allows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from headwater.lineage.csr import Adjacency, BoolArray, Int32Array

if TYPE_CHECKING:
    from headwater.lineage.graph import LineageGraph

_WITHOUT_ROLE = ("generate", "inform", "part")
"""Links that nobody states a role for; a question about roles goes through them, or it would end at every run."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What a traversal met: node ids in order of distance, the distances, and the edge ids between them."""

    nodes: Int32Array
    distance: Int32Array
    edges: Int32Array


def walk(
    side: Adjacency,
    far: Int32Array,
    size: int,
    seeds: Sequence[int] | Int32Array,
    usable: BoolArray | None,
    stop: BoolArray | None,
    free: BoolArray | None,
) -> Reach:
    """Breadth first from `seeds` over the edges of `side`, whose other ends are `far`, among `size` things.

    Only `usable` edges count; beyond `stop` nodes nothing is met; `free` nodes do not count as hops.
    """
    current = np.unique(np.asarray(seeds, np.int32))
    seen = np.zeros(size, bool)
    seen[current] = True
    slot = np.empty(size, np.int32)
    found, distances, edges = [current], [np.zeros(len(current), np.int32)], []
    level, at_seeds = 0, True
    while len(current):
        pending, following = current, []
        while len(pending):
            # Beyond a thing to stop at nothing is met, except from the seeds themselves.
            if stop is not None and not at_seeds:
                pending = pending[~stop[pending]]
            at_seeds = False
            out = side.edges_of(pending)
            if usable is not None:
                out = out[usable[out]]
            # Nothing is gone out from twice, so no edge comes twice either; np.unique here took most of the time.
            edges.append(out)
            fresh = far[out]
            fresh = fresh[~seen[fresh]]
            slot[fresh] = np.arange(len(fresh), dtype=np.int32)
            fresh = fresh[slot[fresh] == np.arange(len(fresh), dtype=np.int32)]
            seen[fresh] = True
            # What does not count as a hop stands at the distance of what led to it and is walked through at once.
            here = free[fresh] if free is not None else np.zeros(len(fresh), bool)
            found += [fresh[here], fresh[~here]]
            distances += [_full(fresh[here], level), _full(fresh[~here], level + 1)]
            following.append(fresh[~here])
            pending = fresh[here]
        current = np.concatenate(following)
        level += 1
    nodes = np.concatenate(found)
    distance = np.concatenate(distances)
    used = np.concatenate(edges) if edges else np.zeros(0, np.int32)
    if free is not None:
        order = np.argsort(distance, kind="stable")
        nodes, distance = nodes[order], distance[order]
    return Reach(nodes, distance, used)


def _full(nodes: Int32Array, level: int) -> Int32Array:
    return np.full(len(nodes), level, np.int32)


@dataclass(frozen=True, slots=True)
class Limits:
    """What narrows a traversal as part of the question: roles, evidence, where to stop, what is no hop.

    `roles` chooses among links that have a role; what a run made, followed or contains is always gone through.
    """

    roles: Collection[str] = ()
    min_evidence: int = 0
    stop_at: Collection[str] = ()
    ignore_as_hops: Collection[str] = ()

    def edge_mask(self, graph: LineageGraph) -> BoolArray | None:
        usable: BoolArray = graph.role != graph.role_of["deny"]
        if not self.roles and not self.min_evidence:
            return None if usable.all() else usable
        if self.roles:
            usable &= np.isin(graph.role, [graph.role_of[name] for name in (*self.roles, *_WITHOUT_ROLE)])
        if self.min_evidence:
            usable &= graph.evidence >= self.min_evidence
        return usable

    def stop_mask(self, graph: LineageGraph) -> BoolArray | None:
        return self._named(graph, self.stop_at)

    def free_mask(self, graph: LineageGraph) -> BoolArray | None:
        return self._named(graph, self.ignore_as_hops)

    @staticmethod
    def _named(graph: LineageGraph, names: Collection[str]) -> BoolArray | None:
        if not names:
            return None
        kinds = [graph.kind_of[name] for name in names if name in graph.kind_of]
        mask = np.isin(graph.kind, kinds)
        for name in names:
            node = graph.find(name)
            if node is not None:
                mask[node] = True
        return mask
