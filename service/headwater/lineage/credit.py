"""Credit: how much of each downstream paper, deployment and model rests on a thing, as a share that sums to one over all sources.

Formula: a unit of credit starts at the result and walks upstream. At each object it divides over the things that lead there in
proportion to the `hw:creditWeight` of the links' roles (`ontology/roles.ttl`), each pair of thing and role counted once however
many records state it; where nothing leads there it stays. The share of a thing is the credit that passes through it. Shares of
all ends of the walk sum to 1, and a chain of single steps passes everything on, so that splitting a step in two changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from headwater.lineage.graph import LineageGraph

_MOST_STEPS = 50_000
_NEGLIGIBLE = 1e-13


def shares(graph: LineageGraph, thing: Collection[int]) -> NDArray[np.float64]:
    """For every node the share (0 to 1) of its credit that passes through any of `thing`; 1 for these themselves.

    A fixed point from below, so that in a cycle nothing is counted twice. Takes as many rounds as what is downstream is deep,
    each over its links once.
    """
    found = np.zeros(graph.size)
    from scipy.sparse import csr_array

    weight = np.array([role.weight for role in graph.words.roles])
    nodes = graph.downstream(sorted(thing)).nodes
    found[sorted(thing)] = 1.0
    following = nodes[~np.isin(nodes, list(thing))]
    edges = graph.up.edges_of(following)
    roles = len(graph.words.roles)
    pair = (graph.later[edges].astype(np.int64) * graph.size + graph.earlier[edges]) * roles + graph.role[edges]
    order = np.argsort(pair, kind="stable")
    edges = edges[order[np.diff(pair[order], prepend=-1) > 0]]
    later, earlier, weights = graph.later[edges], graph.earlier[edges], weight[graph.role[edges]]
    whole = np.bincount(later, weights, minlength=graph.size)
    passing = weights > 0
    place = np.full(graph.size, -1, np.int64)
    place[nodes] = np.arange(len(nodes))
    inside = passing & (place[earlier] >= 0)
    rows, columns = place[later[inside]], place[earlier[inside]]
    matrix = csr_array((weights[inside] / whole[later[inside]], (rows, columns)), shape=(len(nodes), len(nodes)))
    fixed = np.isin(nodes, list(thing))
    share = fixed.astype(np.float64)
    for _ in range(_MOST_STEPS):
        moved: NDArray[np.float64] = np.asarray(matrix @ share)
        moved[fixed] = 1.0
        change = float(np.abs(moved - share).max(initial=0.0))
        share = moved
        if change < _NEGLIGIBLE:
            break
    found[nodes] = np.minimum(share, 1.0)
    return found
