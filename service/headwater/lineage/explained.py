"""An explanation in the envelope of DESIGN section 5, with its paths, its cut, and what else it says, in IRIs and words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headwater.lineage import times
from headwater.lineage.answer import Setting
from headwater.lineage.coverage import coverage
from headwater.lineage.explaining import Explanation
from headwater.lineage.graph import Int32Array, LineageGraph
from headwater.lineage.hops import Hop, Path
from headwater.lineage.verdict import SEVERITIES, STATES, Verdicts

Words = dict[str, Any]
MOST_OTHERS = 10
"""Records that say the same of a hop which are named; the rest are counted."""
_CANNOT_TELL, _SOUND = STATES.index("cannot_tell"), STATES.index("not_affected")


@dataclass(frozen=True, slots=True)
class Hidden:
    """What stands on ways that this reader may not see: how many things, and whether there is such a way at all."""

    things: int = 0
    ways: bool = False


def hidden_from(graph: LineageGraph, own: Explanation | None, whole: Explanation | None) -> Hidden:
    """Compare what a reader's graph explains with what the whole does."""
    if whole is None:
        return Hidden()
    things = int((~graph.present[whole.things]).sum())
    further = bool(whole.arrows - (own.arrows if own is not None else frozenset()))
    return Hidden(things, further)


def explained(
    graph: LineageGraph,
    found: Explanation | None,
    verdicts: Verdicts | None,
    setting: Setting,
    *,
    root: str,
    end: int,
    query: Words,
    hidden: Hidden,
    whole: Verdicts | None = None,
    reasons: Iterable[str] = (),
) -> Words:
    """The answer; `found` is None where nothing leads to `end`. `whole` are the verdicts on the graph of which the reader sees a
    part: nothing more reassuring is said than those."""
    about = _About(graph, verdicts, whole)
    paths = found.paths if found is not None else []
    told = [about.path(path, rank) for rank, path in enumerate(paths, 1)]
    shown = dict.fromkeys([end])
    for path in paths:
        shown |= dict.fromkeys([path.start, *(hop.after for hop in path.hops)])
    on_ways = set(found.things.tolist()) if found is not None and paths else set()
    left = len(on_ways - shown.keys())
    for hop in _all_hops(found):
        shown |= dict.fromkeys([hop.before, hop.after])
    distance = _distances(paths)
    seeds = verdicts.seeds if verdicts is not None else {path.start for path in paths}
    counted = [node for node in on_ways if node not in seeds]
    why = [*reasons]
    if hidden.things or hidden.ways:
        why.append("hidden")
    if found is not None and found.more:
        why.append("k")
    if found is not None and found.narrowed:
        why.append("too_many_links")
    undescribed = sum(not graph.described[node] for node in on_ways)
    if undescribed:
        why.append("undescribed")
    if any(graph.undated[node] for node in on_ways):
        why.append("undated")
    words = {node: about.words(node) for node in shown}
    labels = setting.labels([graph.iris[node] for node in shown])
    states, severities = about.standing(np.array(counted, np.int32)) if verdicts is not None else ([], [])
    nodes = {
        graph.iris[node]: {
            "kind": graph.kind_name(node),
            "label": labels.get(graph.iris[node], graph.iris[node]),
            "distance": about.distance(node, distance),
            **words[node],
            "visibility": graph.visibility(node),
            "_links": setting.links(graph.iris[node]),
        }
        for node in shown
    }
    cut = found.overturning if found is not None else None
    body: Words = {
        "root": root,
        "to": graph.iris[end],
        "query": query,
        "as_of": None if graph.as_of is None else times.told(graph.as_of),
        "computed_at": setting.now,
        "sequence": setting.sequence if graph.known_at is None else graph.known_at,
        "summary": {
            "total": len(counted),
            "by_kind": _count(graph.kind_name(node) for node in counted),
            "by_state": _count(states),
            "by_severity": _count(severities),
            "max_distance": max((len(path.hops) for path in paths), default=0),
            "verdict": words[end]["state"],
        },
        "completeness": {
            "complete": not why,
            "reasons": why,
            "hidden_count": hidden.things,
            "frontier_count": left,
            # As for impact: anything that the reader sees may have used what changed in a way that no record tells.
            "coverage": coverage(graph, None if verdicts is not None or found is None else found.things),
        },
        "paths": told,
        "weakest": about.hop(found.bottleneck) if found is not None and found.bottleneck is not None else None,
        "cut": None,
        "blocks": {"total": found.blocked, "links": [about.hop(hop) for hop in found.blocks]} if found is not None else None,
        "doubts": _doubts(told),
        "mended": None,
        "nodes": nodes,
        "edges": about.edges(_all_hops(found)),
    }
    if found is not None and cut is not None:
        body["cut"] = {
            "size": len(cut.links.labels),
            "links": [about.link(edge) for edge in cut.links.labels],
            "each": [about.link(edge) for edge in cut.links.each],
            "exact": cut.links.exact and not hidden.ways and not found.narrowed,
            "at_least": cut.links.at_least,
            "then": cut.then,
            "records": {
                "size": len(cut.records.labels),
                "records": [graph.records[record] for record in cut.records.labels],
                "exact": cut.records.exact and not hidden.ways and not found.narrowed,
                "at_least": cut.records.at_least,
            },
        }
    if found is not None and found.mended is not None and verdicts is not None:
        body["mended"] = {"by": graph.iris[verdicts.resolved_by[end]], **about.path(found.mended, 1)}
    return body


def _all_hops(found: Explanation | None) -> list[Hop]:
    if found is None:
        return []
    hops = [hop for path in found.paths for hop in path.hops] + found.blocks
    return hops + (list(found.mended.hops) if found.mended is not None else [])


def _distances(paths: Sequence[Path]) -> dict[int, int]:
    """Hops from the start on the paths that are shown."""
    found: dict[int, int] = {}
    for path in paths:
        for number, hop in enumerate(path.hops):
            found[hop.before] = min(number, found.get(hop.before, number))
            found[hop.after] = min(number + 1, found.get(hop.after, number + 1))
    return found


def _count(words: Iterable[str | None]) -> dict[str, int]:
    found: dict[str, int] = {}
    for word in words:
        if word is not None:
            found[word] = found.get(word, 0) + 1
    return dict(sorted(found.items()))


def _doubts(paths: Sequence[Words]) -> list[Words]:
    """The hops that are not certain, each once, in the order of the paths."""
    found: dict[tuple[str, ...], Words] = {}
    for path in paths:
        for hop in path["hops"]:
            if hop["doubt"]:
                found.setdefault((hop["from"], hop["to"], hop["role"], hop["doubt"]), {**hop})
    return list(found.values())


@dataclass(frozen=True, slots=True)
class _About:
    """Ids as an answer's words."""

    graph: LineageGraph
    verdicts: Verdicts | None
    whole: Verdicts | None

    def path(self, path: Path, rank: int) -> Words:
        return {
            "rank": rank,
            "cost": path.cost,
            "weakest": None if path.weakest is None else path.weakest + 1,
            "hops": [self.hop(hop) for hop in path.hops],
        }

    def hop(self, hop: Hop) -> Words:
        stated = hop.link if hop.link >= 0 else hop.rests_on[0] if hop.rests_on else None
        graph = self.graph
        return {
            "from": graph.iris[hop.before],
            "to": graph.iris[hop.after],
            "relation": graph.relations[graph.relation[hop.link]] if hop.link >= 0 else None,
            "role": hop.role,
            "evidence": self._evidence(hop.strength),
            "record": None if stated is None else graph.records[graph.record[stated]],
            "at": _time(hop.at),
            "pinned": hop.pinned,
            "cost": hop.cost,
            "effect_before": hop.effect_before,
            "effect_after": hop.effect_after,
            "because": hop.because,
            "rule": hop.rule,
            "doubt": hop.doubt,
            "others": [self.link(edge) for edge in hop.others[:MOST_OTHERS]],
            "others_count": len(hop.others),
            "rests_on": [self.link(edge) for edge in hop.rests_on],
        }

    def link(self, edge: int) -> Words:
        graph = self.graph
        return {
            "from": graph.iris[graph.earlier[edge]],
            "to": graph.iris[graph.later[edge]],
            "relation": graph.relations[graph.relation[edge]],
            "role": graph.words.roles[int(graph.role[edge])].name,
            "evidence": graph.evidence_name(edge),
            "record": graph.records[graph.record[edge]],
        }

    def edges(self, hops: Sequence[Hop]) -> list[Words]:
        """The stated links of hops as edges of the envelope, each once."""
        links = dict.fromkeys(link for hop in hops for link in ([hop.link] if hop.link >= 0 else hop.rests_on))
        words = [self.link(edge) for edge in links]
        stated = {role.name for role in self.graph.words.roles if role.stated}
        return [
            {"source": one["from"], "target": one["to"], "relation": one["relation"]}
            | {"role": one["role"] if one["role"] in stated else None, "evidence": one["evidence"], "record": one["record"]}
            for one in words
        ]

    def _evidence(self, strength: int) -> str | None:
        return next((name for name, number in self.graph.words.evidence.items() if number == strength), None)

    def distance(self, node: int, on_paths: dict[int, int]) -> int | None:
        if self.verdicts is not None:
            here = int(self.verdicts.places[node])
            return int(self.verdicts.distance[here]) if here >= 0 else None
        return on_paths.get(node)

    def words(self, node: int) -> Words:
        """State, severity and reason of a thing."""
        words: Words = {"state": None, "severity": None, "effect": None, "justification": None, "resolved_by": None, "via": []}
        verdicts, graph = self.verdicts, self.graph
        if verdicts is None:
            return words
        (state,), (severity,) = self.standing(np.array([node], np.int32))
        here = int(verdicts.places[node])
        words |= {"state": state, "severity": severity}
        if state is not None and (here < 0 or STATES[int(verdicts.state[here])] != state):
            # What decides lies where the reader may not look: nothing of it is named.
            return words | {"justification": "hidden-path"}
        if here < 0:
            return words
        resolved_by = verdicts.resolved_by.get(node)
        if node in verdicts.seeds and verdicts.change.mended:
            resolved_by = next((one for one in verdicts.change.mended if graph.find(graph.iris[one]) is not None), None)
        return words | {
            "effect": verdicts.book.effects[int(verdicts.effect[here])].name,
            "justification": verdicts.justification(node),
            "resolved_by": None if resolved_by is None else graph.iris[resolved_by],
            "via": [graph.iris[before] for before, _ in verdicts.path(node)],
        }

    def standing(self, nodes: Int32Array) -> tuple[list[str | None], list[str | None]]:
        """State and severity of things; None for what is not reached."""
        assert self.verdicts is not None
        state, severity = _column(self.verdicts, nodes)
        if self.whole is not None:
            known, floor = _column(self.whole, nodes)
            own = np.where(state < 0, _SOUND, state)
            less = (known >= 0) & (known < own) & (own > _CANNOT_TELL) & (known <= _CANNOT_TELL)
            less &= ~np.isin(nodes, list(self.verdicts.seeds))
            floor = np.where(floor < 0, len(SEVERITIES) - 1, floor)
            severity = np.where(severity < 0, severity, np.minimum(severity, floor))
            severity = np.where(less, np.minimum(SEVERITIES.index("major"), floor), severity)
            state = np.where(less, _CANNOT_TELL, state)
        return (
            [STATES[one] if one >= 0 else None for one in state.tolist()],
            [SEVERITIES[one] if one >= 0 else None for one in severity.tolist()],
        )


def _column(verdicts: Verdicts, nodes: Int32Array) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """State and severity by node, -1 for what is not reached."""
    here = verdicts.places[nodes]
    reached = here >= 0
    return np.where(reached, verdicts.state[here], -1), np.where(reached, verdicts.severity[here], -1)


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")
