"""Coverage: how fully the records say what came from what, and how exactly.

Nobody can see a link that nobody recorded. What can be said is how much room the records leave for one. The doubt about a thing
is the doubt that something else went into it than what is stated. It begins at 1 for what must have come from something (a run, a
model, a deployment, a publication) and at 1/4 for what may be a beginning (recorded data, an instrument, a program). Each stated
link into the thing from something that is pinned to a version or digest takes half of the doubt away; each other one, and each
that a tool multiplied out, a quarter. Coverage is the share of the doubt at the beginning that is taken away,

    coverage = sum of (beginning - doubt) / sum of beginnings

over all things that the reader sees where the question goes downstream, since any of them may have used the thing in a way that
no record tells; over the things met where it goes upstream. Things that no record describes add only what is stated of them.

So a run without stated inputs counts as wholly unknown, and taking a link away always lowers the coverage: what is not affected
only because a link is missing is never told with the same confidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from headwater.lineage.graph import Int32Array, LineageGraph

_MUST_COME_FROM_SOMETHING = ("run", "model", "deployment", "publication")
MAY_BEGIN, PINNED, LOOSE = 0.25, 0.5, 0.75


@dataclass(frozen=True, slots=True)
class Doubts:
    """By node of a graph: the doubt at the beginning, and what is left of it; both in all (the latter of described things)."""

    beginning: NDArray[np.float64]
    left: NDArray[np.float64]
    known_in_all: float
    left_in_all: float


_DOUBTS: WeakKeyDictionary[LineageGraph, Doubts] = WeakKeyDictionary()


def coverage(graph: LineageGraph, nodes: Int32Array | None = None) -> float:
    """The coverage of some things (None: of all that the graph shows), from 0 to 1; 1 where there are none.

    >>> from headwater.lineage.index import LineageIndex
    >>> from headwater.records.links import LineageRows, LinkRow, NodeRow
    >>> index = LineageIndex()
    >>> index.put("urn:rec", "public", LineageRows([LinkRow("urn:d", "urn:r", "prov:used", "train", "observed")],
    ...           [NodeRow("urn:d", "dataset", True), NodeRow("urn:r", "run", True)]))
    >>> graph = index.graph()
    >>> coverage(graph), coverage(graph, np.array([graph.ids["urn:r"]], np.int32))
    (0.4, 0.5)
    """
    doubts = _doubts(graph)
    if nodes is None:
        known, left = doubts.known_in_all, doubts.left_in_all
    else:
        known = float((doubts.beginning[nodes] - doubts.left[nodes]).sum())
        left = float(doubts.left[nodes[graph.described[nodes]]].sum())
    return known / (known + left) if known + left > 0 else 1.0


def _doubts(graph: LineageGraph) -> Doubts:
    found = _DOUBTS.get(graph)
    if found is None:
        # A part is a detail of something else, and no thing that anything comes from.
        begins = np.array([1.0 if name in _MUST_COME_FROM_SOMETHING else MAY_BEGIN for name in graph.kind_names])
        begins[graph.part] = 0.0
        beginning = begins[graph.kind]
        firm = graph.pinned[graph.earlier] & (graph.evidence > graph.words.evidence["expanded"])
        into = np.bincount(graph.later, minlength=graph.size)
        pinned = np.bincount(graph.later[firm], minlength=graph.size)
        left = beginning * np.power(PINNED, pinned) * np.power(LOOSE, into - pinned)
        here = graph.present
        known = float((beginning[here] - left[here]).sum())
        found = _DOUBTS[graph] = Doubts(beginning, left, known, float(left[here & graph.described].sum()))
    return found
