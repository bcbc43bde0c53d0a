"""Where a fault ends: the mended revisions, those after them, and what has a later version that was made from one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from headwater.lineage.graph import BoolArray, Int32Array, LineageGraph

_CARRYING_NOT = ("revise", "specialise", "responsible", "cite", "deny")


def revisions_after(graph: LineageGraph, things: Iterable[int]) -> set[int]:
    """All that revise one of `things`, or a revision of it, without these themselves."""
    seen = set(things)
    first, todo = frozenset(seen), list(seen)
    while todo:
        for later in graph.later_revisions().get(todo.pop(), ()):
            if later not in seen:
                seen.add(later)
                todo.append(later)
    return seen - first


def where_it_ends(graph: LineageGraph, objects: Iterable[int], mended: Iterable[int]) -> tuple[list[int], list[int]]:
    """The mended revisions with the runs that made them, where the fault ends; and all revisions after them with theirs."""
    faulty = set(objects)
    sound = set(mended) - faulty
    since = revisions_after(graph, sound) - faulty
    ends = _with_makers(graph, sound, faulty)
    return sorted(ends), sorted(_with_makers(graph, since, faulty) - ends)


def _with_makers(graph: LineageGraph, things: set[int], objects: set[int]) -> set[int]:
    edges = graph.up.edges_of(np.array(sorted(things), np.int32))
    return things | (set(graph.earlier[edges[graph.role[edges] == graph.role_of["generate"]]].tolist()) - objects)


def making(graph: LineageGraph) -> BoolArray:
    """The links over which what is mended goes on: all by which one thing went into another."""
    roles = [position for position, role in enumerate(graph.words.roles) if role.name not in _CARRYING_NOT]
    found: BoolArray = np.isin(graph.role, roles)
    return found


def resolved_by(graph: LineageGraph, mended: list[int], bad: Int32Array) -> dict[int, int]:
    """For each of the `bad` things that has one: the nearest later revision that was made from a mended input and is sound."""
    if not mended or not graph.later_revisions():
        return {}
    sound = np.zeros(graph.size, bool)
    sound[graph.walk(graph.down, graph.later, tuple(mended), making(graph), None, None).nodes] = True
    sound[bad] = False
    later_revisions = graph.later_revisions()
    revised = np.zeros(graph.size, bool)
    revised[later_revisions.nodes] = True
    found = {node: _successor(graph, node, later_revisions, sound) for node in bad[revised[bad]].tolist()}
    return {node: successor for node, successor in found.items() if successor is not None}


def _successor(graph: LineageGraph, node: int, later_revisions: Mapping[int, list[int]], sound: BoolArray) -> int | None:
    seen, todo = {node}, [node]
    while todo:
        following = sorted({later for current in todo for later in later_revisions.get(current, ())} - seen)
        mended = [later for later in following if sound[later]]
        if mended:
            # Of several at the same distance the name decides, not the order in which they were written down.
            return min(mended, key=lambda later: graph.iris[later])
        seen.update(following)
        todo = following
    return None
