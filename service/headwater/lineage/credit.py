"""Credit: how much of each downstream paper, deployment and model rests on a thing, as a share that sums to one over all sources.

Formula: a unit of credit starts at the result and walks upstream. At each object it divides over the links that lead there in
proportion to the links' `hw:creditWeight` (`ontology/roles.ttl`); where nothing leads there it stays. The share of a thing is the
credit that passes through it. Shares of all ends of the walk sum to 1, and a chain of single steps passes everything on, so that
splitting a step in two changes nothing.
"""

from __future__ import annotations

import numpy as np

from headwater.lineage.graph import LineageGraph

_MOST_STEPS = 500
_NEGLIGIBLE = 1e-6


def share(graph: LineageGraph, thing: frozenset[int], result: int) -> float:
    """The share (0 to 1) of the credit for `result` that passes through any of `thing`; cycles are cut where little is left.

    Costs as many steps as the lineage is deep, at most 500.
    """
    weight = np.array([role.weight for role in graph.words.roles])
    carried = {result: 1.0}
    passed = 0.0
    for _ in range(_MOST_STEPS):
        following: dict[int, float] = {}
        for node, credit in carried.items():
            if node in thing:
                passed += credit
                continue
            edges = graph.up.edges_of(np.array([node], np.int32))
            weights = weight[graph.role[edges]]
            whole = float(weights.sum())
            if whole <= 0:
                continue
            for edge, part in zip(edges.tolist(), weights.tolist(), strict=True):
                moved = credit * part / whole
                if moved > _NEGLIGIBLE:
                    source = int(graph.earlier[edge])
                    following[source] = following.get(source, 0.0) + moved
        if not following:
            break
        carried = following
    return min(passed, 1.0)
