"""Answers in the envelope of DESIGN section 5: the summary of everything, then the part that was asked to be shown.

Summaries and verdicts are computed before any limit, so `depth`, `max_nodes` and `fields` never change them. What a reader may
not see is only counted: the answer is computed on the reader's own graph; the full graph serves to count and to withhold comfort.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headwater.lineage import times
from headwater.lineage.asking import Traversal
from headwater.lineage.coverage import coverage
from headwater.lineage.graph import Int32Array, LineageGraph
from headwater.lineage.verdict import SEVERITIES, STATES, Change, Verdicts, judge

_FAR = np.iinfo(np.int32).max
_CANNOT_TELL = STATES.index("cannot_tell")
_SOUND = STATES.index("not_affected")


@dataclass(frozen=True, slots=True)
class Setting:
    """What an answer needs from outside: names for things, their links, the ledger's sequence number and the present time."""

    labels: Callable[[Sequence[str]], dict[str, str]]
    links: Callable[[str], dict[str, str]]
    sequence: int
    now: str
    statements: Callable[[Sequence[str]], dict[str, list[dict[str, Any]]]] = lambda _: {}
    """What persons say of things, beside the verdict."""


@dataclass(slots=True)
class _Found:
    """What a traversal met besides its roots, in columns of equal length; `hidden` things are counted only.

    `edges` gives the links walked between some of the nodes.
    """

    nodes: Int32Array
    distance: Int32Array
    edges: Callable[[Int32Array], Int32Array]
    roots: list[int]
    hidden: int
    dropped: bool

    def only(self, keep: NDArray[np.bool_]) -> _Found:
        return _Found(self.nodes[keep], self.distance[keep], self.edges, self.roots, self.hidden, self.dropped)


def lineage_answer(
    graph: LineageGraph, full: LineageGraph, root: int, asked: Traversal, setting: Setting, *, family: Sequence[int] = ()
) -> dict[str, Any]:
    """Where a thing comes from (`upstream`), what came of it (`downstream`), or both; `family` are further starts."""
    roots = list(dict.fromkeys([root, *family]))
    limits = asked.limits(graph.words)
    sides = ["upstream", "downstream"] if asked.direction == "both" else [asked.direction]
    nearest = np.full(graph.size, _FAR, np.int32)
    walked = np.zeros(len(graph.role), bool)
    hidden, dropped = 0, False
    for side in sides:
        reach = getattr(graph, side)(roots, limits)
        nearest[reach.nodes] = np.minimum(nearest[reach.nodes], reach.distance)
        walked[reach.edges] = True
        if full is not graph:
            hidden += len(np.setdiff1d(getattr(full, side)(roots, limits).nodes, reach.nodes))
        dropped |= bool(limits.min_evidence) and len(getattr(graph, side)(roots).edges) > len(reach.edges)
    nearest[roots] = _FAR
    ids = np.flatnonzero(nearest < _FAR).astype(np.int32)

    def edges(nodes: Int32Array) -> Int32Array:
        out = np.sort(graph.down.edges_of(nodes))
        return out[walked[out]]

    found = _Found(nodes=ids, distance=nearest[ids], edges=edges, roots=roots, hidden=hidden, dropped=dropped)
    found = _of_types(graph, found, asked)
    body = _envelope(graph, found, asked, setting, root)
    body["summary"]["by_distance"] = {
        str(steps): count for steps, count in enumerate(np.bincount(found.distance).tolist()) if count
    }
    body["query"]["ask"] = "lineage"
    _fill(body, graph, found, _shown(graph, found, asked, found.distance), asked, setting, lambda _: {})
    return body


def impact_answer(
    graph: LineageGraph, full: LineageGraph, root: str, change: Change, asked: Traversal, setting: Setting
) -> dict[str, Any]:
    """What a change does to everything downstream: a state, a severity, a reason and a proof for each."""
    limits = asked.limits(graph.words)
    verdicts = judge(graph, change, limits)
    seeds = verdicts.seeds
    withheld, floors, hidden = withheld_from(graph, full, change, verdicts, asked)

    def edges(nodes: Int32Array) -> Int32Array:
        return np.sort(verdicts.edges_from(nodes))

    # The changed objects stand first.
    nodes, distance = verdicts.nodes[len(seeds) :], verdicts.distance[len(seeds) :]
    state, severity = verdicts.state[len(seeds) :], verdicts.severity[len(seeds) :]
    if full is not graph:
        severity = np.minimum(severity, floors[nodes])
        # Of what is withheld only the full graph knows a fault: nothing reassuring is said of it, and nothing is named.
        hiding = np.array(list(withheld), np.int32)
        keep = ~np.isin(nodes, hiding)
        nodes = np.concatenate((nodes[keep], hiding))
        distance = np.concatenate((distance[keep], np.array(list(withheld.values()), np.int32)))
        state = np.concatenate((state[keep], np.full(len(hiding), _CANNOT_TELL, np.int8)))
        severity = np.concatenate((severity[keep], np.minimum(SEVERITIES.index("major"), floors[hiding])))
    dropped = bool(limits.min_evidence) and len(judge(graph, change).nodes) > len(verdicts.nodes)
    found = _Found(nodes, distance, edges, list(change.objects), hidden, dropped)
    if asked.types:
        chosen = _typed(graph, found, asked)
        found, state, severity = found.only(chosen), state[chosen], severity[chosen]
    body = _envelope(graph, found, asked, setting, root)
    body["query"] |= {"ask": "impact", "change": change.kind, "slice": change.slice or None}
    body["summary"]["by_state"] = _counted(state, STATES)
    body["summary"]["by_severity"] = _counted(severity, SEVERITIES)
    body["summary"]["verdict"] = _overall(body["summary"]["by_state"])
    rank = (state.astype(np.int64) * len(SEVERITIES) + severity) * (body["summary"]["max_distance"] + 1) + found.distance
    wanted = {*asked.fields, "path"} if "paths" in asked.include else set(asked.fields)

    def verdict_of(node: int) -> dict[str, Any]:
        if node in withheld:
            told = min(SEVERITIES.index("major"), int(floors[node]))
            return _verdict_words("cannot_tell", SEVERITIES[told], None, "hidden-path", None, [])
        here = int(verdicts.places[node])
        resolved_by = verdicts.resolved_by.get(node)
        if node in seeds and change.mended:
            resolved_by = next((m for m in change.mended if graph.find(graph.iris[m]) is not None), None)
        words = _verdict_words(
            STATES[int(verdicts.state[here])],
            SEVERITIES[min(int(verdicts.severity[here]), int(floors[node]))],
            verdicts.book.effects[int(verdicts.effect[here])].name,
            verdicts.justification(node) if "justification" in wanted else "",
            None if resolved_by is None else graph.iris[resolved_by],
            [graph.iris[before] for before, _ in verdicts.path(node)] if "via" in wanted else [],
        )
        if "path" in wanted:
            words["path"] = _path(verdicts, node)
        return words

    _fill(body, graph, found, _shown(graph, found, asked, rank), asked, setting, verdict_of)
    return body


def withheld_from(
    graph: LineageGraph, full: LineageGraph, change: Change, verdicts: Verdicts, asked: Traversal
) -> tuple[dict[int, int], NDArray[np.int8], int]:
    """Things that this reader may see but whose fault comes by a way that he may not: id to distance; the severity that each
    thing has when all is seen, below which it is never shown; and how many things are hidden."""
    floors = np.full(graph.size, len(SEVERITIES) - 1, np.int8)
    if full is graph:
        return {}, floors, 0
    complete = judge(full, change, asked.limits(full.words))
    known = np.full(graph.size, _SOUND, np.int8)
    known[verdicts.nodes] = verdicts.state
    seen = graph.present[complete.nodes]
    floors[complete.nodes[seen]] = complete.severity[seen]
    own = known[complete.nodes]
    less = seen & (complete.state < own) & (own > _CANNOT_TELL) & ~np.isin(complete.nodes, change.objects)
    withheld = dict(zip(complete.nodes[less].tolist(), complete.distance[less].tolist(), strict=True))
    return withheld, floors, int((~seen).sum())


def _verdict_words(
    state: str, severity: str, effect: str | None, justification: str, resolved_by: str | None, via: list[str]
) -> dict[str, Any]:
    return {
        "state": state,
        "severity": severity,
        "effect": effect,
        "justification": justification,
        "resolved_by": resolved_by,
        "via": via,
    }


def _path(verdicts: Verdicts, node: int) -> list[dict[str, Any]]:
    graph = verdicts.graph
    steps = []
    for before, edge in verdicts.path(node):
        role = graph.words.roles[int(graph.role[edge])].name if edge >= 0 else None
        steps.append(
            {"from": graph.iris[before], "role": role, "record": graph.records[int(graph.record[edge])] if edge >= 0 else None}
        )
    return steps


def _typed(graph: LineageGraph, found: _Found, asked: Traversal) -> NDArray[np.bool_]:
    kinds = {graph.kind_of[name] for name in asked.types if name in graph.kind_of}
    kinds |= {graph.unsaid} if "entity" in asked.types else set()
    return np.isin(graph.kind[found.nodes], list(kinds))


def _of_types(graph: LineageGraph, found: _Found, asked: Traversal) -> _Found:
    return found.only(_typed(graph, found, asked)) if asked.types else found


def _shown(graph: LineageGraph, found: _Found, asked: Traversal, rank: NDArray[Any]) -> list[int]:
    """The positions of what is listed, by rank and then by name, so that the order in which records arrived shows nowhere."""
    within = np.arange(len(rank)) if asked.depth is None else np.flatnonzero(found.distance <= asked.depth)

    def name(position: int) -> str:
        return graph.iris[int(found.nodes[position])]

    chosen = within.tolist()
    if len(within) > asked.max_nodes:
        ranks = rank[within]
        # Where it is cut, only the things of that one rank are compared by name.
        cut = np.partition(ranks, asked.max_nodes - 1)[asked.max_nodes - 1]
        chosen = within[ranks < cut].tolist()
        chosen += heapq.nsmallest(asked.max_nodes - len(chosen), within[ranks == cut].tolist(), key=name)
    return sorted(chosen, key=lambda position: (int(rank[position]), name(position)))


def _counted(numbers: NDArray[np.int8], words: Sequence[str]) -> dict[str, int]:
    counts = np.bincount(numbers, minlength=len(words)).tolist()
    return {word: count for word, count in sorted(zip(words, counts, strict=True)) if count}


def _overall(by_state: dict[str, int]) -> str:
    return next((state for state in STATES if by_state.get(state)), "not_affected")


def _envelope(graph: LineageGraph, found: _Found, asked: Traversal, setting: Setting, root: int | str) -> dict[str, Any]:
    undescribed = int((~graph.described[found.nodes]).sum())
    cut_by_depth = 0 if asked.depth is None else int((found.distance > asked.depth).sum())
    frontier = max(len(found.nodes) - min(len(found.nodes) - cut_by_depth, asked.max_nodes), 0)
    # Downstream, anything may have used the thing in a way that no record tells; upstream, the things met are what it rests on.
    concerned = np.append(found.nodes, found.roots) if asked.direction == "upstream" else None
    reasons = []
    if found.hidden:
        reasons.append("hidden")
    if cut_by_depth:
        reasons.append("depth")
    if len(found.nodes) - cut_by_depth > asked.max_nodes:
        reasons.append("max_nodes")
    if found.dropped:
        reasons.append("min_evidence")
    if undescribed:
        reasons.append("undescribed")
    if graph.undated[found.nodes].any():
        reasons.append("undated")
    return {
        "root": graph.iris[root] if isinstance(root, int) else root,
        "query": asked.echo(),
        "as_of": None if graph.as_of is None else times.told(graph.as_of),
        "computed_at": setting.now,
        "sequence": setting.sequence if graph.known_at is None else graph.known_at,
        "summary": {
            "total": len(found.nodes),
            "by_kind": _counted(graph.kind[found.nodes], graph.kind_names),
            "by_state": {},
            "by_severity": {},
            "max_distance": int(found.distance.max()) if len(found.distance) else 0,
            "verdict": None,
        },
        "completeness": {
            "complete": not reasons,
            "reasons": reasons,
            "hidden_count": found.hidden,
            "frontier_count": frontier,
            "coverage": coverage(graph, concerned),
        },
        "nodes": {},
        "edges": [],
        "_links": {},
    }


def _fill(
    body: dict[str, Any],
    graph: LineageGraph,
    found: _Found,
    shown: list[int],
    asked: Traversal,
    setting: Setting,
    verdict_of: Callable[[int], dict[str, Any]],
) -> None:
    listed = [(root, 0) for root in found.roots] + [(int(found.nodes[p]), int(found.distance[p])) for p in shown]
    labels = setting.labels([graph.iris[node] for node, _ in listed])
    keep: Collection[str] = {*asked.fields, "path"} if "paths" in asked.include else set(asked.fields)
    for node, distance in listed:
        iri = graph.iris[node]
        whole = {
            "kind": graph.kind_name(node),
            "label": labels.get(iri, iri),
            "distance": distance,
            "state": None,
            "severity": None,
            "effect": None,
            "justification": None,
            "resolved_by": None,
            "via": [],
            "visibility": graph.visibility(node),
            "_links": setting.links(iri) if "_links" in keep else {},
        } | verdict_of(node)
        body["nodes"][iri] = {name: value for name, value in whole.items() if name in keep}
    if "statements" in asked.include:
        said = setting.statements(list(body["nodes"]))
        for iri, node in body["nodes"].items():
            node["statements"] = said.get(iri, [])
    if "edges" in asked.include:
        body["edges"] = _edges(graph, found, np.array([node for node, _ in listed], np.int32))


def _edges(graph: LineageGraph, found: _Found, listed: Int32Array) -> list[dict[str, Any]]:
    inside = np.zeros(graph.size, bool)
    inside[listed] = True
    edges = found.edges(np.unique(listed))
    strength = {number: name for name, number in graph.words.evidence.items()}
    return [
        {
            "source": graph.iris[graph.earlier[edge]],
            "target": graph.iris[graph.later[edge]],
            "relation": graph.relations[graph.relation[edge]],
            "role": graph.words.roles[graph.role[edge]].name if graph.words.roles[graph.role[edge]].stated else None,
            "evidence": strength[int(graph.evidence[edge])],
            "record": graph.records[graph.record[edge]],
        }
        for edge in edges[inside[graph.later[edges]]].tolist()
    ]
