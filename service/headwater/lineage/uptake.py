"""Uptake: how much of what is downstream took up each revision of a thing, and what still stands on an older one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headwater.lineage.graph import LineageGraph
from headwater.lineage.mending import revisions_after

_NOT_CARRYING = ("revise", "specialise", "responsible")


@dataclass(frozen=True, slots=True)
class Uptake:
    """One revision: who used it (`users`, directly), all that rests on it (`reached`), what is `still` on it and on no later one,
    and what besides has `moved` on, because a later revision of the thing itself rests on a later one. All by node id."""

    revision: int
    latest: bool
    users: tuple[int, ...]
    reached: tuple[int, ...]
    still: tuple[int, ...]
    moved: tuple[int, ...]


def uptakes(graph: LineageGraph, family: Collection[int], revisions: Iterable[int]) -> tuple[list[Uptake], int]:
    """The uptake of each of `revisions`, in their order, and how many things rest on any of them (the whole of the shares).

    Links between revisions and versions, and those to people, carry nothing: a model is not on a revision because its author is.
    """
    carrying = ~np.isin(graph.role, [graph.role_of[name] for name in _NOT_CARRYING])
    inside = np.zeros(graph.size, bool)
    inside[sorted(family)] = True
    reached: dict[int, NDArray[np.bool_]] = {}

    def rests_on(revision: int) -> NDArray[np.bool_]:
        if revision not in reached:
            found = np.zeros(graph.size, bool)
            found[graph.walk(graph.down, graph.later, [revision], carrying, None, None).nodes] = True
            reached[revision] = found & ~inside
        return reached[revision]

    told, anything = [], np.zeros(graph.size, bool)
    for revision in revisions:
        own = rests_on(revision)
        anything |= own
        later = [one for one in revisions_after(graph, [revision]) if one != revision and inside[one]]
        newer = np.zeros(graph.size, bool)
        for one in later:
            newer |= rests_on(one)
        left = np.flatnonzero(own & ~newer).tolist() if later else []
        moved = [node for node in left if any(newer[one] for one in revisions_after(graph, [node]))]
        edges = graph.down.edges_of(np.array([revision], np.int32))
        users = np.unique(graph.later[edges[carrying[edges]]])
        told.append(
            Uptake(
                revision,
                not later,
                tuple(users[~inside[users]].tolist()),
                tuple(np.flatnonzero(own).tolist()),
                tuple(sorted(set(left) - set(moved))),
                tuple(moved),
            )
        )
    return told, int(anything.sum())
