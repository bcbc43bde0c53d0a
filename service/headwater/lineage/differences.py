"""What became different for the things downstream of a change between two times: newly affected, newly resolved, and so on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from headwater.lineage.answer import Setting, withheld_from
from headwater.lineage.asking import Traversal
from headwater.lineage.graph import LineageGraph
from headwater.lineage.verdict import SEVERITIES, STATES, Change, judge

_ABSENT: Final = len(STATES)
_AFFECTED, _CANNOT_TELL, _RESOLVED = (STATES.index(name) for name in ("affected", "cannot_tell", "resolved"))
KINDS: Final = (
    "newly_affected",
    "worse",
    "newly_cannot_tell",
    "newly_resolved",
    "no_longer_affected",
    "milder",
    "newly_there",
    "no_longer_there",
)
"""What may have become of a thing, the most pressing first."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A change as it stood at one time: the reader's graph, the whole one, and the change (None where it had not happened)."""

    graph: LineageGraph
    full: LineageGraph
    change: Change | None


@dataclass(slots=True)
class _Outcome:
    """State and severity of each node of the index at one time; `_ABSENT` for what was not there or not downstream."""

    state: NDArray[np.int8]
    severity: NDArray[np.int8]
    hidden: int


def impact_difference(root: str, before: Moment, after: Moment, asked: Traversal, setting: Setting) -> dict[str, Any]:
    """The things whose verdict differs between two times, with both verdicts; counted before the list is cut at `max_nodes`."""
    size = max(before.graph.size, after.graph.size)
    one, other = _outcome(before, asked, size), _outcome(after, asked, size)
    what = _compared(one, other)
    differing = np.flatnonzero(what >= 0)
    graph = after.graph
    counts = Counter(KINDS[number] for number in what[differing].tolist())
    names = {int(node): _name(int(node), after.graph, before.graph) for node in differing}
    shown = sorted(names, key=lambda node: (int(what[node]), int(other.severity[node]), names[node]))[: asked.max_nodes]
    labels = setting.labels([names[node] for node in shown])
    reasons = [word for word, holds in (("hidden", one.hidden or other.hidden), ("max_nodes", len(shown) < len(names))) if holds]
    return {
        "root": root,
        "query": asked.echo(),
        "as_of": None,
        "computed_at": setting.now,
        "sequence": setting.sequence,
        "summary": {
            "total": len(names),
            "by_difference": {kind: counts[kind] for kind in KINDS if counts[kind]},
            "unchanged": int(((one.state != _ABSENT) | (other.state != _ABSENT)).sum()) - len(names),
            "before": _counted(one.state),
            "after": _counted(other.state),
        },
        "completeness": {
            "complete": not reasons,
            "reasons": reasons,
            "hidden_count": max(one.hidden, other.hidden),
            "frontier_count": len(names) - len(shown),
        },
        "nodes": {
            names[node]: {
                "kind": (graph if graph.find(names[node]) is not None else before.graph).kind_name(node),
                "label": labels.get(names[node], names[node]),
                "difference": KINDS[int(what[node])],
                "before": _words(one, node),
                "after": _words(other, node),
                "_links": setting.links(names[node]),
            }
            for node in shown
        },
        "_links": {},
    }


def _outcome(moment: Moment, asked: Traversal, size: int) -> _Outcome:
    state = np.full(size, _ABSENT, np.int8)
    severity = np.full(size, len(SEVERITIES) - 1, np.int8)
    graph, change = moment.graph, moment.change
    if change is None or not change.objects:
        return _Outcome(state, severity, 0)
    verdicts = judge(graph, change, asked.limits(graph.words))
    withheld, floors, hidden = withheld_from(graph, moment.full, change, verdicts, asked)
    state[verdicts.nodes] = verdicts.state
    severity[verdicts.nodes] = np.minimum(verdicts.severity, floors[verdicts.nodes])
    for node in withheld:
        state[node], severity[node] = _CANNOT_TELL, min(SEVERITIES.index("major"), int(floors[node]))
    # The changed objects themselves are not downstream of themselves.
    state[list(change.objects)] = _ABSENT
    return _Outcome(state, severity, hidden)


def _compared(one: _Outcome, other: _Outcome) -> NDArray[np.int8]:
    """For each node the position in `KINDS` of what became of it, or -1."""
    was, now = one.state, other.state
    found = np.full(len(was), -1, np.int8)

    def mark(kind: str, where: NDArray[np.bool_]) -> None:
        found[where & (found < 0)] = KINDS.index(kind)

    mark("newly_affected", (now == _AFFECTED) & (was != _AFFECTED))
    mark("worse", (now == _AFFECTED) & (was == _AFFECTED) & (other.severity < one.severity))
    mark("milder", (now == _AFFECTED) & (was == _AFFECTED) & (other.severity > one.severity))
    mark("newly_cannot_tell", (now == _CANNOT_TELL) & (was != _CANNOT_TELL))
    mark("newly_resolved", (now == _RESOLVED) & (was != _RESOLVED))
    mark("no_longer_there", (now == _ABSENT) & (was != _ABSENT))
    mark("newly_there", (was == _ABSENT) & (now != _ABSENT))
    mark("no_longer_affected", (was != now) & (was < now))
    return found


def _name(node: int, *graphs: LineageGraph) -> str:
    return next(graph.iris[node] for graph in graphs if node < graph.size)


def _counted(state: NDArray[np.int8]) -> dict[str, int]:
    counts = np.bincount(state, minlength=len(STATES) + 1).tolist()
    return {name: counts[number] for number, name in enumerate(STATES) if counts[number]}


def _words(outcome: _Outcome, node: int) -> dict[str, str] | None:
    state = int(outcome.state[node])
    return None if state == _ABSENT else {"state": STATES[state], "severity": SEVERITIES[int(outcome.severity[node])]}
