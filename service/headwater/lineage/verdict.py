"""Verdicts: what a change upstream does to everything downstream, found as a fixed point of the rules of impact.

The changed object begins with an effect; an effect that crosses a link becomes another by the link's role and the far end's kind;
the worst that arrives at an object is its own. This is computed twice: with what is certain, and with what is possible (a use
without a version, a slice that cannot be compared, a link that a tool multiplied out). Where only the possible is bad, nobody can
tell.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from headwater.lineage.carrying import ImpactEdges, impact_edges
from headwater.lineage.graph import Adjacency, Int32Array, Limits, LineageGraph
from headwater.lineage.rulebook import BLOCKS, Rulebook, rulebook
from headwater.lineage.slices import in_force, meeting

STATES = ("affected", "in_triage", "cannot_tell", "resolved", "not_affected")
_AFFECTED, _CANNOT_TELL, _RESOLVED, _NOT_AFFECTED = 0, 2, 3, 4
SEVERITIES = ("critical", "major", "moderate", "minor", "info")
_PLAIN_STEPS = ("generate", "inform", "part")
"""Roles that say nothing about why: the justification is looked for behind them."""
_TOOLS = ("instrument", "software", "environment", "workflow")
_CARRYING_NOT = ("revise", "specialise", "responsible", "cite")


@dataclass(frozen=True, slots=True)
class Change:
    """What happened, in node ids: `objects` are where the fault stands, `mended` the revisions in which it no longer does."""

    kind: str
    objects: tuple[int, ...]
    mended: tuple[int, ...] = ()
    slice: str = ""


@dataclass(slots=True)
class Spread:
    """One fixed point over the local nodes: the effect at each, and for each (effect, node) by which local edge it first came."""

    effect: NDArray[np.int8]
    came_by: Int32Array
    came_with: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Steps:
    """Every link that the judgement went over, in graph ids, with what stands for its role; for explanations.

    `link` is the edge id or -1 for an implied link; `certain` and `possible` are rows of the rulebook; at `ends_certain` and
    `ends_possible` (by node of the graph) nothing arrives, because the fault is mended there.
    """

    earlier: Int32Array
    later: Int32Array
    link: Int32Array
    certain: NDArray[np.int8]
    possible: NDArray[np.int8]
    ends_certain: NDArray[np.bool_]
    ends_possible: NDArray[np.bool_]


@dataclass(slots=True)
class Verdicts:
    """The verdict on everything downstream of a change. Arrays run over `nodes` (graph ids), the changed objects first."""

    graph: LineageGraph
    change: Change
    book: Rulebook
    nodes: Int32Array
    distance: Int32Array
    state: NDArray[np.int8]
    effect: NDArray[np.int8]
    severity: NDArray[np.int8]
    edges: Int32Array
    resolved_by: dict[int, int]
    _local: Int32Array
    _earlier: Int32Array
    _certain_role: NDArray[np.int8]
    _possible_role: NDArray[np.int8]
    _certain: Spread
    _possible: Spread
    _frozen: NDArray[np.bool_]
    _later: Int32Array
    _frozen_surely: NDArray[np.bool_]
    _causes: dict[tuple[bool, int, int], str] = field(default_factory=dict)

    @property
    def seeds(self) -> set[int]:
        return set(self.change.objects)

    @property
    def places(self) -> Int32Array:
        """For every node of the graph its position in the arrays, or -1."""
        return self._local

    def justification(self, node: int) -> str:
        """The code that says why the verdict on a node is what it is."""
        here = int(self._local[node])
        state = int(self.state[here])
        if state == _RESOLVED:
            return "mended-since"
        effect = int(self.effect[here])
        if state == _CANNOT_TELL:
            return self._doubt(here, effect)
        if self._frozen[here]:
            return "mended"
        told = self.book.effects[effect]
        kind = self.graph.kind_name(node)
        if kind in told.leaves_standing and told.because:
            return told.because
        return self._cause(here, effect, certain=True)

    def path(self, node: int) -> list[tuple[int, int]]:
        """The links that prove a verdict, from a changed object to the node: (node before, edge id or -1 for an implied link)."""
        here = int(self._local[node])
        spread, effect = self._deciding(here)
        steps = []
        while spread.came_by[effect, here] >= 0:
            edge = int(spread.came_by[effect, here])
            effect = int(spread.came_with[effect, here])
            here = int(self._earlier[edge])
            steps.append((int(self.nodes[here]), int(self.edges[edge])))
        return steps[::-1]

    def surely(self, node: int) -> bool:
        """Whether the effect that decides at a node comes over links that are certain (else only over possible ones)."""
        return self._deciding(int(self._local[node]))[0] is self._certain

    def steps(self) -> Steps:
        """The links that the judgement went over, each once."""
        ends = []
        for local in (self._frozen, self._frozen_surely):
            mask = np.zeros(self.graph.size, bool)
            mask[self.nodes[local]] = True
            ends.append(mask)
        earlier, later = self.nodes[self._earlier], self.nodes[self._later]
        return Steps(earlier, later, self.edges, self._certain_role, self._possible_role, ends[0], ends[1])

    def mending(self) -> tuple[list[int], Int32Array]:
        """Where what is mended begins, and the links (edge ids) over which it goes on."""
        mended, since = _all_mended(self.graph, self.change)
        roles = [position for position, role in enumerate(self.graph.words.roles) if role.name not in _CARRYING_NOT]
        return sorted({*mended, *since}), np.flatnonzero(np.isin(self.graph.role, roles)).astype(np.int32)

    def _deciding(self, here: int) -> tuple[Spread, int]:
        # By the effect and not by the state: what is resolved may have been in doubt before.
        effect = int(self.effect[here])
        return (self._certain if self._certain.effect[here] == effect else self._possible), effect

    def _cause(self, here: int, effect: int, *, certain: bool) -> str:
        trail = []
        spread = self._certain if certain else self._possible
        roles = self._certain_role if certain else self._possible_role
        plain = {self.graph.role_of[name] for name in _PLAIN_STEPS}
        none = self.book.effect("none")
        fault = self.graph.words.changes[self.change.kind]
        code = fault.because or "changed-itself"
        while (certain, here, effect) not in self._causes:
            trail.append((certain, here, effect))
            edge = int(spread.came_by[effect, here])
            if edge < 0:
                break
            if self._frozen[here]:
                code = "mended"
                break
            before = int(spread.came_with[effect, here])
            role, kind = int(roles[edge]), self.graph.kind[self.nodes[here]]
            # A doubt about the link is no reason where the link would have passed nothing anyway.
            stated = int(self._possible_role[edge])
            if role != stated and self.book.certain[before, stated, kind] == effect == none:
                role = stated
            reason = self.book.codes[self.book.because[before, role, kind]]
            source = int(self._earlier[edge])
            passes_on = (effect == none and before == none) or (effect != none and role in plain)
            if not passes_on or (source in self._seed_places() and effect != none):
                # Where the change is harmless by its kind, that is the reason; otherwise it is the link.
                code = fault.because or reason
                break
            here, effect = source, before
        else:
            code = self._causes[certain, here, effect]
        for key in trail:
            self._causes[key] = code
        return code

    def _seed_places(self) -> set[int]:
        return {int(self._local[node]) for node in self.change.objects}

    def _doubt(self, here: int, effect: int) -> str:
        """The first link on the possible path that is not certain."""
        spread = self._possible
        code = "not-certain"
        while spread.came_by[effect, here] >= 0:
            edge = int(spread.came_by[effect, here])
            before = int(spread.came_with[effect, here])
            kind = self.graph.kind[self.nodes[here]]
            role = int(self._certain_role[edge])
            if self.book.certain[before, role, kind] != effect:
                code = self.book.codes[self.book.because[before, role, kind]]
            elif self._frozen[here]:
                code = "later-revision"
            effect, here = before, int(self._earlier[edge])
        return code


def judge(graph: LineageGraph, change: Change, limits: Limits | None = None) -> Verdicts:
    """Verdicts on everything downstream of `change` (with its objects first, at distance 0).

    `limits` narrows which links count, as part of the question; it never cuts the answer.
    """
    book = rulebook()
    edges = impact_edges(graph)
    limits = limits or Limits()
    usable = limits.edge_mask(graph)
    if usable is not None:
        usable = np.where(edges.real >= 0, usable[edges.real], True)
    nodes, distance, inside = _reach(graph, edges, change.objects, usable, limits)
    place = np.full(graph.size, -1, np.int32)
    place[nodes] = np.arange(len(nodes), dtype=np.int32)
    earlier, later = place[edges.earlier[inside]], place[edges.later[inside]]
    certain_role, possible_role = edges.certain[inside].copy(), edges.possible[inside].copy()
    _compare_slices(graph, change, edges, inside, earlier, set(place[list(change.objects)].tolist()), certain_role, possible_role)
    kind = graph.kind[nodes]
    frozen = np.zeros(len(nodes), bool)
    mended, since = _all_mended(graph, change)
    frozen[place[[node for node in mended if place[node] >= 0]]] = True
    # That a revision after the mended one is sound as well is presumed: what is possible may still reach it.
    presumed = frozen.copy()
    presumed[place[[node for node in since if place[node] >= 0]]] = True
    seeds = place[list(change.objects)]
    start = book.effect(graph.words.changes[change.kind].begins_with)
    adjacency = Adjacency(earlier, len(nodes))
    spreads = [
        _spread(book, table, adjacency, later, role, kind, seeds, start, ends)
        for table, role, ends in ((book.certain, certain_role, presumed), (book.possible, possible_role, frozen))
    ]
    state, effect = _states(book, graph, kind, spreads[0].effect, spreads[1].effect)
    severity = np.array([SEVERITIES.index(told.severity) for told in book.effects], np.int8)[effect]
    standing = np.array(
        [[kind.name in told.leaves_standing for kind in graph.words.kinds] + [False, False] for told in book.effects], bool
    )[effect, kind]
    severity[standing] = SEVERITIES.index("info")
    verdicts = Verdicts(
        graph=graph,
        change=change,
        book=book,
        nodes=nodes,
        distance=distance,
        state=state,
        effect=effect,
        severity=severity,
        edges=edges.real[inside],
        resolved_by={},
        _local=place,
        _earlier=earlier,
        _certain_role=certain_role,
        _possible_role=possible_role,
        _certain=spreads[0],
        _possible=spreads[1],
        _frozen=presumed,
        _later=later,
        _frozen_surely=frozen,
    )
    _resolve(verdicts, [*mended, *since])
    return verdicts


def _reach(
    graph: LineageGraph, edges: ImpactEdges, seeds: tuple[int, ...], usable: NDArray[np.bool_] | None, limits: Limits
) -> tuple[Int32Array, Int32Array, Int32Array]:
    reach = graph.walk(edges.adjacency, edges.later, seeds, usable, limits.stop_mask(graph), limits.free_mask(graph))
    return reach.nodes, reach.distance, reach.edges


def _compare_slices(
    graph: LineageGraph,
    change: Change,
    edges: ImpactEdges,
    inside: Int32Array,
    earlier: Int32Array,
    seeds: set[int],
    certain_role: NDArray[np.int8],
    possible_role: NDArray[np.int8],
) -> None:
    if not change.slice:
        return
    roles = len(graph.words.roles)
    disjoint, unknown = roles + BLOCKS.index("slice-disjoint"), roles + BLOCKS.index("slice-unknown")
    real = edges.real[inside]
    at_seed = np.isin(earlier, list(seeds)) & (real >= 0)
    known: dict[int, str] = {}
    tools = [graph.kind_of[name] for name in _TOOLS]
    timed = json.loads(change.slice).keys() <= {"after", "before"}
    for position in np.flatnonzero(at_seed):
        edge = int(real[position])
        used = int(graph.slice[edge])
        if used not in known:
            known[used] = meeting(change.slice, graph.slices[used])
        met = known[used]
        run = int(graph.later[edge])
        if timed and graph.kind[graph.earlier[edge]] in tools and graph.kind[run] == graph.kind_of["run"]:
            met = in_force(change.slice, None if np.isnan(graph.start[run]) else float(graph.start[run]))
        if met == "disjoint":
            certain_role[position] = possible_role[position] = disjoint
        elif met == "unknown":
            certain_role[position] = unknown


def _all_mended(graph: LineageGraph, change: Change) -> tuple[list[int], list[int]]:
    """The mended revisions with the runs that made them, where the fault ends; and all revisions after them with theirs."""
    objects = set(change.objects)
    mended = set(change.mended) - objects
    since = revisions_after(graph, mended) - objects
    ends = _with_makers(graph, mended, objects)
    return sorted(ends), sorted(_with_makers(graph, since, objects) - ends)


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


def _with_makers(graph: LineageGraph, things: set[int], objects: set[int]) -> set[int]:
    edges = graph.up.edges_of(np.array(sorted(things), np.int32))
    return things | (set(graph.earlier[edges[graph.role[edges] == graph.role_of["generate"]]].tolist()) - objects)


def _spread(
    book: Rulebook,
    table: NDArray[np.int8],
    adjacency: Adjacency,
    later: Int32Array,
    role: NDArray[np.int8],
    kind: NDArray[np.int8],
    seeds: Int32Array,
    start: int,
    frozen: NDArray[np.bool_],
) -> Spread:
    size = len(kind)
    effect = np.full(size, -1, np.int8)
    came_by = np.full((len(book.effects), size), -1, np.int32)
    came_with = np.full((len(book.effects), size), -1, np.int8)
    effect[seeds] = start
    sources = np.repeat(np.arange(size, dtype=np.int32), np.diff(adjacency.start))
    source_of = np.empty(len(later), np.int32)
    source_of[adjacency.order] = sources
    none = book.effect("none")
    slot = np.empty(size, np.int32)
    # One look-up instead of three: the cell of the table for each link, by the effect that comes over it.
    flat, cells = table.ravel(), table[0].size
    cell = role.astype(np.int32) * table.shape[2] + kind[later]
    ends = bool(frozen.any())
    frontier = np.unique(seeds)
    while len(frontier):
        out = adjacency.edges_of(frontier)
        target = later[out]
        before = effect[source_of[out]].astype(np.int32)
        arriving = flat[before * cells + cell[out]]
        if ends:
            arriving[frozen[target]] = none
        better = arriving > effect[target]
        out, target, arriving, before = out[better], target[better], arriving[better], before[better]
        if not len(out):
            break
        np.maximum.at(effect, target, arriving)
        worst = np.flatnonzero(arriving == effect[target])
        # Of several links that bring the worst, the role first in the alphabet tells why: not the order of arrival.
        worst = worst[np.argsort(-role[out[worst]], kind="stable")]
        slot[target[worst]] = worst
        frontier = target[worst][slot[target[worst]] == worst]
        chosen = slot[frontier]
        came_by[arriving[chosen], frontier] = out[chosen]
        came_with[arriving[chosen], frontier] = before[chosen]
    return Spread(effect, came_by, came_with)


def _states(
    book: Rulebook, graph: LineageGraph, kind: NDArray[np.int8], certain: NDArray[np.int8], possible: NDArray[np.int8]
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    kinds = [kind.name for kind in graph.words.kinds] + ["part", "entity"]
    bad = np.array(
        [[told.state == "affected" and name not in told.leaves_standing for name in kinds] for told in book.effects], bool
    )
    surely, perhaps = bad[certain, kind], bad[possible, kind]
    state = np.where(surely, _AFFECTED, np.where(perhaps, _CANNOT_TELL, _NOT_AFFECTED)).astype(np.int8)
    return state, np.where(surely | ~perhaps, certain, possible).astype(np.int8)


def _resolve(verdicts: Verdicts, mended: list[int]) -> None:
    """Mark what has a later revision that was made from the mended input and is itself sound."""
    if not mended:
        return
    graph = verdicts.graph
    roles = [position for position, role in enumerate(graph.words.roles) if role.name not in _CARRYING_NOT]
    usable = np.isin(graph.role, roles)
    sound = np.zeros(graph.size, bool)
    sound[graph.walk(graph.down, graph.later, tuple(mended), usable, None, None).nodes] = True
    bad = verdicts.nodes[np.isin(verdicts.state, (_AFFECTED, _CANNOT_TELL))]
    sound[bad] = False
    later_revisions = graph.later_revisions()
    for node in bad.tolist():
        if node not in verdicts.seeds:
            successor = _successor(node, later_revisions, sound)
            if successor is not None:
                verdicts.resolved_by[node] = successor
    for node in verdicts.resolved_by:
        here = verdicts._local[node]
        verdicts.state[here] = _RESOLVED
        verdicts.severity[here] = SEVERITIES.index("info")


def _successor(node: int, later_revisions: dict[int, list[int]], sound: NDArray[np.bool_]) -> int | None:
    seen, todo = {node}, [node]
    while todo:
        following = []
        for current in todo:
            for later in later_revisions.get(current, ()):
                if later not in seen:
                    if sound[later]:
                        return later
                    seen.add(later)
                    following.append(later)
        todo = following
    return None
