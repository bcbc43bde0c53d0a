"""Damage: what several changes together do to everything downstream, and which part of it calls for work.

One thing may be reached by several changes; it is put right once. What only has wrong numbers is measured again, what was made
from something wrong is made again, and what could only gain is neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from headwater.lineage.graph import Int32Array, LineageGraph
from headwater.lineage.mending import making, revisions_after
from headwater.lineage.verdict import SEVERITIES, STATES, Verdicts

AFFECTED, CANNOT_TELL, RESOLVED, SOUND = (STATES.index(name) for name in ("affected", "cannot_tell", "resolved", "not_affected"))
FAR = int(np.iinfo(np.int32).max)
_UNREACHED = len(STATES)
_MEASURED = ("metrics-invalid",)
_NO_WORK = ("terms-apply", "steered")
_GAINING = ("run", "model", "dataset")


@dataclass(slots=True)
class Damage:
    """The verdicts of several changes, laid over one another. Arrays run over all nodes of the graph.

    `state` and `severity` are the worst that any change does; `by` is the number of the change that does it (-1: none reaches the
    node). `repeat` marks what was made from something wrong, `measure` what has wrong numbers, `gain` what could only gain,
    `numbers` what stands itself, while numbers that were measured of it do not.
    `replaced` leads from what changed, or is outdated, to what takes its place; `unmended` are the changed objects for which
    nobody announced a mended revision.
    """

    graph: LineageGraph
    verdicts: Sequence[Verdicts]
    state: NDArray[np.int8]
    severity: NDArray[np.int8]
    by: Int32Array
    distance: Int32Array
    repeat: NDArray[np.bool_]
    measure: NDArray[np.bool_]
    gain: NDArray[np.bool_]
    replaced: dict[int, int]
    unmended: set[int]
    seeds: set[int]
    numbers: NDArray[np.bool_]
    withheld: set[int] = field(default_factory=set)

    def damaged(self) -> Int32Array:
        """What calls for work, by id: everything affected or able to gain that did not change itself and is not outdated."""
        wanted = self.repeat | self.measure | self.gain | (self.state == AFFECTED)
        wanted[[*self.seeds, *self.replaced]] = False
        return np.flatnonzero(wanted).astype(np.int32)

    def sound(self, node: int) -> bool:
        """Whether nothing is wrong or in doubt with a thing, or with what a run made."""
        if self.repeat[node] or node in self.replaced or node in self.seeds:
            return False
        return int(self.state[node]) > CANNOT_TELL or bool(self.measure[node])

    def counted(self, run: int) -> bool:
        """Whether the numbers of a run hold."""
        return not self.measure[run]

    def blamed(self, node: int) -> list[int]:
        """The numbers of the changes that affect a node."""
        found = []
        for number, one in enumerate(self.verdicts):
            here = int(one.places[node])
            if here >= 0 and int(one.state[here]) == AFFECTED:
                found.append(number)
        return found

    def effect(self, node: int) -> str:
        """The word for what the worst change does to a node."""
        number = int(self.by[node])
        if number < 0 or node in self.withheld:
            return "none"
        verdicts = self.verdicts[number]
        return verdicts.book.effects[int(verdicts.effect[verdicts.places[node]])].name

    def justification(self, node: int) -> str:
        """The code that says why the worst verdict on a node is what it is."""
        if node in self.withheld:
            return "hidden-path"
        number = int(self.by[node])
        return "" if number < 0 else self.verdicts[number].justification(node)

    def in_place_of(self, node: int) -> int:
        """What to take instead of a node: the end of the chain of its replacements, or the node itself."""
        seen = {node}
        while node in self.replaced and self.replaced[node] not in seen:
            node = self.replaced[node]
            seen.add(node)
        return node


def damage(graph: LineageGraph, verdicts: Sequence[Verdicts], hidden: Unseen | None = None) -> Damage:
    """Lay the verdicts of several changes over one another.

    Of a thing whose fault comes by a `hidden` way nothing reassuring is said: it is in doubt.
    """
    state = np.full(graph.size, _UNREACHED, np.int8)
    severity = np.full(graph.size, len(SEVERITIES) - 1, np.int8)
    by = np.full(graph.size, -1, np.int32)
    distance = np.full(graph.size, FAR, np.int32)
    repeat, measure, gain, numbers = (np.zeros(graph.size, bool) for _ in range(4))
    found = Damage(
        graph=graph,
        verdicts=verdicts,
        state=state,
        severity=severity,
        by=by,
        distance=distance,
        repeat=repeat,
        measure=measure,
        gain=gain,
        replaced={},
        unmended=set(),
        seeds=set(),
        numbers=numbers,
    )
    for number, one in enumerate(verdicts):
        _lay(found, number, one)
    for one in verdicts:
        _replace(found, one)
    if hidden is not None:
        _withhold(found, hidden)
    found.unmended -= found.replaced.keys()
    outdated = np.array(sorted(found.replaced), np.int32)
    for mask in (repeat, measure, gain):
        mask[outdated] = False
    gaining = np.isin(graph.kind, [graph.kind_of[name] for name in _GAINING])
    found.gain &= ~(found.repeat | found.measure) & (state > CANNOT_TELL) & gaining
    return found


@dataclass(frozen=True, slots=True)
class Unseen:
    """What one reader does not see of the damage: `things` that are hidden, how many of them are `stale`, the visible nodes whose
    fault comes by a `way` that he may not see, and below which severity each visible node is never shown."""

    things: int
    stale: int
    way: frozenset[int]
    floors: NDArray[np.int8]


def unseen(graph: LineageGraph, own: Sequence[Verdicts], whole: Sequence[Verdicts]) -> Unseen:
    """Compare the verdicts on a reader's own graph with those on the whole graph; nothing is named, only counted."""
    floors = np.full(graph.size, len(SEVERITIES) - 1, np.int8)
    hidden = np.zeros(graph.size, bool)
    stale = np.zeros(graph.size, bool)
    way: set[int] = set()
    for mine, full in zip(own, whole, strict=True):
        seen = graph.present[full.nodes]
        hidden[full.nodes[~seen]] = True
        stale[full.nodes[~seen & (full.state == AFFECTED)]] = True
        known = np.full(graph.size, SOUND, np.int8)
        known[mine.nodes] = mine.state
        floors[full.nodes[seen]] = np.minimum(floors[full.nodes[seen]], full.severity[seen])
        milder = known[full.nodes]
        way |= set(full.nodes[seen & (full.state < milder) & (milder > CANNOT_TELL)].tolist())
    return Unseen(int(hidden.sum()), int(stale.sum()), frozenset(way), floors)


def _withhold(found: Damage, hidden: Unseen) -> None:
    doubtful = sorted(hidden.way - found.seeds)
    for node in doubtful:
        found.replaced.pop(node, None)
    found.state[doubtful] = np.minimum(found.state[doubtful], CANNOT_TELL)
    found.by[doubtful] = np.maximum(found.by[doubtful], 0)
    found.severity[doubtful] = np.minimum(found.severity[doubtful], SEVERITIES.index("major"))
    np.minimum(found.severity, hidden.floors, out=found.severity)
    found.withheld.update(doubtful)


def _lay(found: Damage, number: int, one: Verdicts) -> None:
    nodes = one.nodes
    worse = (one.state < found.state[nodes]) | ((one.state == found.state[nodes]) & (one.severity < found.severity[nodes]))
    found.state[nodes[worse]] = one.state[worse]
    found.severity[nodes[worse]] = one.severity[worse]
    found.by[nodes[worse]] = number
    np.minimum.at(found.distance, nodes, one.distance)
    names = [told.name for told in one.book.effects]
    numbers = [names.index(name) for name in (*_MEASURED, *_NO_WORK) if name in names]
    affected = one.state == AFFECTED
    found.repeat[nodes[affected & ~np.isin(one.effect, numbers)]] = True
    found.measure[nodes[affected & np.isin(one.effect, [names.index(name) for name in _MEASURED])]] = True
    found.numbers[nodes[(one.state == SOUND) & np.isin(one.effect, [names.index(name) for name in _MEASURED])]] = True
    # Whether something is mended since is said of the state; what could gain is in no bad state to begin with.
    found.gain[nodes[(one.state == SOUND) & (one.effect == names.index("opportunity"))]] = True
    found.seeds |= set(one.change.objects)
    if not one.change.mended:
        found.unmended |= set(one.change.objects)


def _replace(found: Damage, one: Verdicts) -> None:
    """Note what takes the place of what changed, and of what is outdated because of it."""
    graph, change = found.graph, one.change
    if change.mended:
        for node in change.objects:
            revisions = revisions_after(graph, [node])
            own = [mended for mended in change.mended if mended in revisions]
            found.replaced.setdefault(node, (own or list(change.mended))[-1])
    found.replaced |= {node: later for node, later in one.resolved_by.items() if node not in found.seeds}
    if graph.words.changes[change.kind].begins_with == "opportunity" and change.mended:
        _taken_up(found, one)


def _taken_up(found: Damage, one: Verdicts) -> None:
    """What could gain has a later revision that rests on the addition: the gain was taken already."""
    graph = found.graph
    reached = np.zeros(graph.size, bool)
    reached[graph.walk(graph.down, graph.later, sorted(one.change.mended), making(graph), None, None).nodes] = True
    for node in one.nodes[one.effect == one.book.effect("opportunity")].tolist():
        if node not in found.seeds and node in graph.later_revisions():
            later = sorted(other for other in revisions_after(graph, [node]) if reached[other])
            if later:
                found.replaced.setdefault(node, later[0])
