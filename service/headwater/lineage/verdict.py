"""Verdicts: what a change upstream does to everything downstream, found as a fixed point of the rules of impact.

The changed object begins with an effect; an effect that crosses a link becomes another by the link's role and the far end's kind;
the worst that arrives at an object is its own. This is computed twice: with what is certain, and with what is possible (a use
without a version, a slice that cannot be compared, a link that a tool multiplied out). Where only the possible is bad, nobody can
tell.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from headwater.errors import BadParameter
from headwater.lineage.carrying import impact_edges
from headwater.lineage.comparing import compare
from headwater.lineage.graph import BoolArray, Int32Array, Limits, LineageGraph
from headwater.lineage.mending import resolved_by, where_it_ends
from headwater.lineage.rulebook import Int8Array, Rulebook, rulebook
from headwater.lineage.spreading import NONE, Arrival, Flow, Spread, spread, spread_on

STATES = ("affected", "in_triage", "cannot_tell", "resolved", "not_affected")
_AFFECTED, _CANNOT_TELL, _RESOLVED, _NOT_AFFECTED = 0, 2, 3, 4
SEVERITIES = ("critical", "major", "moderate", "minor", "info")
_PLAIN_STEPS = ("generate", "inform", "part")
"""Roles that say nothing about why: the justification is looked for behind them."""


@dataclass(frozen=True, slots=True)
class Change:
    """What happened, in node ids: `objects` are where the fault stands, `mended` the revisions in which it no longer does."""

    kind: str
    objects: tuple[int, ...]
    mended: tuple[int, ...] = ()
    slice: str = ""


@dataclass(frozen=True, slots=True)
class Steps:
    """Every link that the judgement went over, in graph ids, with what stands for its role; for explanations.

    `link` is the edge id or -1 for an implied link; `certain` and `possible` are rows of the rulebook; at `ends_certain` and
    `ends_possible` (by node of the graph) nothing arrives, because the fault is mended there.
    """

    earlier: Int32Array
    later: Int32Array
    link: Int32Array
    certain: Int8Array
    possible: Int8Array
    ends_certain: BoolArray
    ends_possible: BoolArray


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
    resolved_by: dict[int, int]
    _certain: Spread
    _possible: Spread
    _uses: list[tuple[int, int]]
    _places: Int32Array | None = None
    _links: Int32Array | None = None
    _causes: dict[tuple[int, int], str] = field(default_factory=dict)

    @property
    def seeds(self) -> set[int]:
        return set(self.change.objects)

    @property
    def places(self) -> Int32Array:
        """For every node of the graph its position in the arrays, or -1."""
        if self._places is None:
            self._places = np.full(self.graph.size, -1, np.int32)
            self._places[self.nodes] = np.arange(len(self.nodes), dtype=np.int32)
        return self._places

    @property
    def edges(self) -> Int32Array:
        """The ids of the links that the judgement went over; -1 for implied ones."""
        return self._certain.flow.edges.real[self._inside()]

    def edges_from(self, nodes: Int32Array) -> Int32Array:
        """The ids of the stated links among them that leave any of `nodes`."""
        real = self._certain.flow.edges.real[self._certain.flow.links_of(nodes[self._certain.effect[nodes] >= 0])]
        return real[real >= 0]

    def _inside(self) -> Int32Array:
        if self._links is None:
            self._links = self._certain.flow.links_of(self.nodes)
        return self._links

    def steps(self) -> Steps:
        """The links that the judgement went over, each once; and a use of a thing without its version, where it can only have
        been a faulty one, also as a use of each of these."""
        sure, perhaps = self._certain.flow, self._possible.flow
        edges = sure.edges
        links = np.append(self._inside(), np.array([link for link, _ in self._uses], np.int32))
        none = np.zeros(self.graph.size, bool)
        return Steps(
            earlier=np.append(edges.earlier[self._inside()], np.array([one for _, one in self._uses], np.int32)),
            later=edges.later[links],
            link=edges.real[links],
            certain=sure.role[links],
            possible=perhaps.role[links],
            ends_certain=none if sure.ends is None else sure.ends,
            ends_possible=none if perhaps.ends is None else perhaps.ends,
        )

    def justification(self, node: int) -> str:
        """The code that says why the verdict on a node is what it is."""
        here = int(self.places[node])
        state = int(self.state[here])
        if state == _RESOLVED:
            return "mended-since"
        effect = int(self.effect[here])
        if state == _CANNOT_TELL:
            return self._doubt(node, effect)
        if self._ends(node):
            return "mended"
        told = self.book.effects[effect]
        if self.graph.kind_name(node) in told.leaves_standing and told.because:
            return told.because
        return self._cause(node, effect)

    def path(self, node: int) -> list[tuple[int, int]]:
        """The links that prove a verdict, from a changed object to the node: (node before, edge id or -1 for an implied link)."""
        effect = int(self.effect[self.places[node]])
        deciding = self._certain if self.surely(node) else self._possible
        steps = []
        while (arrival := deciding.came(node, effect)) is not None:
            node, effect = self._source(arrival, deciding), arrival.before
            steps.append((node, int(deciding.flow.edges.real[arrival.link])))
        return steps[::-1]

    def _source(self, arrival: Arrival, spread: Spread) -> int:
        """Where an effect came from: of a use without a version that can only have been a faulty one, that version."""
        versions = [one for link, one in self._uses if link == arrival.link]
        if not versions or spread.came(arrival.source, arrival.before) is not None:
            return arrival.source
        start = self.book.effect(self.graph.words.changes[self.change.kind].begins_with)
        told = (one for one in versions if arrival.before == start or spread.came(one, arrival.before) is not None)
        return next(told, arrival.source)

    def surely(self, node: int) -> bool:
        """Whether the effect that decides at a node comes over links that are certain (else only over possible ones)."""
        # By the effect and not by the state: what is resolved may have been in doubt before.
        return bool(self._certain.effect[node] == self.effect[self.places[node]])

    def _ends(self, node: int) -> bool:
        ends = self._certain.flow.ends
        return ends is not None and bool(ends[node])

    def _cause(self, node: int, effect: int) -> str:
        trail = []
        fault = self.graph.words.changes[self.change.kind]
        code = fault.because or "changed-itself"
        plain = {self.graph.role_of[name] for name in _PLAIN_STEPS}
        while (node, effect) not in self._causes:
            trail.append((node, effect))
            arrival = self._certain.came(node, effect)
            if arrival is None:
                break
            if self._ends(node):
                code = "mended"
                break
            role, reason = self._reason(arrival, node, effect)
            perhaps = int(self._possible.effect[arrival.source])
            if effect == NONE == self._possible.effect[node] and perhaps != NONE:
                # Not even what is only possible upstream gets over this link.
                stated = self._possible.flow.role[arrival.link]
                code = fault.because or self.book.codes[self.book.because[perhaps, stated, self.graph.kind[node]]]
                break
            passes_on = (effect == NONE and arrival.before == NONE) or (effect != NONE and role in plain)
            if not passes_on or (arrival.source in self.change.objects and effect != NONE):
                # Where the change is harmless by its kind, that is the reason; otherwise it is the link.
                code = fault.because or reason
                break
            node, effect = self._source(arrival, self._certain), arrival.before
        else:
            code = self._causes[node, effect]
        for key in trail:
            self._causes[key] = code
        return code

    def _reason(self, arrival: Arrival, node: int, effect: int) -> tuple[int, str]:
        """The role by which an effect came, and the code of the rule that says so."""
        kind, before = int(self.graph.kind[node]), arrival.before
        role, stated = int(self._certain.flow.role[arrival.link]), int(self._possible.flow.role[arrival.link])
        # A doubt about the link is no reason where the link would have passed nothing anyway.
        if role != stated and self.book.certain[before, stated, kind] == effect == NONE:
            role = stated
        return role, self.book.codes[self.book.because[before, role, kind]]

    def _doubt(self, node: int, effect: int) -> str:
        """The first link on the possible path that is not certain."""
        code = "not-certain"
        while (arrival := self._possible.came(node, effect)) is not None:
            kind = self.graph.kind[node]
            role = int(self._certain.flow.role[arrival.link])
            if self.book.certain[arrival.before, role, kind] != effect:
                code = self.book.codes[self.book.doubt[arrival.before, role, kind]]
            elif self._ends(node):
                code = "later-revision"
            node, effect = arrival.source, arrival.before
        return code


def judge(graph: LineageGraph, change: Change, limits: Limits | None = None) -> Verdicts:
    """Verdicts on everything downstream of `change` (with its objects first, at distance 0).

    `limits` narrows which links count, as part of the question; it never cuts the answer. Raises `BadParameter` for a kind of
    change that does not exist, and where nothing is named that changed.
    """
    if change.kind not in graph.words.changes:
        raise BadParameter(f"change: '{change.kind}' is none of {', '.join(sorted(graph.words.changes))}", parameter="change")
    if not change.objects:
        raise BadParameter("change: nothing is named that changed", parameter="id")
    book = rulebook()
    edges = impact_edges(graph)
    limits = limits or Limits()
    compared = compare(graph, edges, change.objects, change.slice)
    mended, since = where_it_ends(graph, change.objects, change.mended)
    # That a revision after the mended one is sound as well is presumed: what is possible may still reach it.
    frozen, presumed = _marked(graph, mended), _marked(graph, [*mended, *since])
    usable = limits.edge_mask(graph)
    if usable is not None:
        usable = np.where(edges.real >= 0, usable[edges.real], True)
    stop = limits.stop_mask(graph)
    if stop is not None:
        stop[list(change.objects)] = False

    sure = Flow(graph, edges, compared.certain, book.certain, book.vague, presumed, usable, stop)
    perhaps = Flow(graph, edges, compared.possible, book.possible, None, frozen, usable, stop)
    start = book.effect(graph.words.changes[change.kind].begins_with)
    certain = spread(sure, np.array(change.objects, np.int32), start)
    vague = certain.vague
    surely = sure.usable_of(compared.surely)
    surely = surely[certain.effect[edges.earlier[surely]] >= 0]
    uses = [(link, one) for link in surely.tolist() for one in compared.faulty[int(edges.earlier[link])]]
    while uses:
        links, versions = (np.array(column, np.int32) for column in zip(*uses, strict=True))
        more = spread_on(sure, certain, links, certain.effect.take(versions))
        vague = [*vague, *more.vague]
        if not len(more):
            break
        certain = more
    possible = spread_on(perhaps, certain, np.concatenate([np.zeros(0, np.int32), *vague]))
    nodes, distance = certain.nodes, certain.distance
    free = limits.free_mask(graph)
    if free is not None:
        reach = graph.walk(edges.adjacency, edges.later, change.objects, usable, stop, free)
        nodes, distance = reach.nodes, reach.distance
    code = certain.effect.take(nodes).astype(np.int16) * len(book.effects)
    code += possible.effect.take(nodes)
    code *= len(book.kinds)
    code += graph.kind.take(nodes)
    outcomes = _outcomes(book)
    verdicts = Verdicts(
        graph=graph,
        change=change,
        book=book,
        nodes=nodes,
        distance=distance,
        state=outcomes[0].take(code),
        effect=outcomes[1].take(code),
        severity=outcomes[2].take(code),
        resolved_by={},
        _certain=certain,
        _possible=possible,
        _uses=uses,
    )
    _resolve(verdicts, [*mended, *since])
    return verdicts


def _resolve(verdicts: Verdicts, mended: list[int]) -> None:
    """Mark what has a later revision that was made from the mended input and is itself sound."""
    bad = verdicts.nodes[(verdicts.state == _AFFECTED) | (verdicts.state == _CANNOT_TELL)]
    found = resolved_by(verdicts.graph, mended, bad)
    verdicts.resolved_by = {node: later for node, later in found.items() if node not in verdicts.seeds}
    here = verdicts.places[list(verdicts.resolved_by)] if verdicts.resolved_by else np.zeros(0, np.int32)
    verdicts.state[here] = _RESOLVED
    verdicts.severity[here] = SEVERITIES.index("info")


@cache
def _outcomes(book: Rulebook) -> tuple[Int8Array, Int8Array, Int8Array]:
    """State, effect and severity for each (certain effect, possible effect, kind), one after the other."""
    bad = np.array(
        [[told.state == "affected" and kind not in told.leaves_standing for kind in book.kinds] for told in book.effects]
    )
    standing = np.array([[kind in told.leaves_standing for kind in book.kinds] for told in book.effects])
    severity_of = np.array([SEVERITIES.index(told.severity) for told in book.effects], np.int8)
    some, kinds = np.arange(len(book.effects)), np.arange(len(book.kinds))
    certain, possible, kind = np.meshgrid(some, some, kinds, indexing="ij")
    surely, perhaps = bad[certain, kind], bad[possible, kind]
    state = np.where(surely, _AFFECTED, np.where(perhaps, _CANNOT_TELL, _NOT_AFFECTED)).astype(np.int8)
    effect = np.where(surely | ~perhaps, certain, possible).astype(np.int8)
    severity = np.where(standing[effect, kind], SEVERITIES.index("info"), severity_of[effect]).astype(np.int8)
    return state.ravel(), effect.ravel(), severity.ravel()


def _marked(graph: LineageGraph, nodes: list[int]) -> BoolArray | None:
    if not nodes:
        return None
    mask = np.zeros(graph.size, bool)
    mask[nodes] = True
    return mask
