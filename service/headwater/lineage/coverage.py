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

import numpy as np
from numpy.typing import NDArray

from headwater.lineage.csr import Int32Array
from headwater.lineage.graph import LineageGraph

_MUST_COME_FROM_SOMETHING = ("run", "model", "deployment", "publication")
MAY_BEGIN, PINNED, LOOSE = 0.25, 0.5, 0.75
_NOTHING = 1e-9


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
    if nodes is not None:
        known, left = _doubts(graph, nodes)
    elif graph.doubts is None:
        known, left = graph.doubts = _doubts(graph, np.flatnonzero(graph.present).astype(np.int32), every=True)
    else:
        known, left = graph.doubts
    return known / (known + left) if known + left > 0 else 1.0


def regrown(old: LineageGraph, new: LineageGraph, ends: Int32Array, touched: Int32Array) -> tuple[float, float] | None:
    """The doubt taken away, and what is left of it, in all of `new`, which grew out of `old`: links into `ends` came or went, and
    things `touched` have other attributes."""
    if old.doubts is None:
        return None
    known = touched[touched < old.size]
    turned = known[old.pinned[known] != new.pinned[known]]
    changed = np.unique(np.concatenate((ends, touched, new.later[new.down.edges_of(turned)]))).astype(np.int32)
    before, after = (
        _doubts(graph, some[graph.present[some]]) for graph, some in ((old, changed[changed < old.size]), (new, changed))
    )
    # What is left of sums of halves and quarters when all goes may be a trace of rounding.
    found = [total - was + now for total, was, now in zip(old.doubts, before, after, strict=True)]
    return tuple(0.0 if value < _NOTHING else value for value in found)  # type: ignore[return-value]


def _doubts(graph: LineageGraph, nodes: Int32Array, *, every: bool = False) -> tuple[float, float]:
    """The doubt taken away of `nodes` (`every`: these are all), and what is left of it of the described ones."""
    # A part is a detail of something else, and no thing that anything comes from.
    begins = np.array([1.0 if name in _MUST_COME_FROM_SOMETHING else MAY_BEGIN for name in graph.kind_names])
    begins[graph.part] = 0.0
    beginning = begins[graph.kind[nodes]]
    edges = slice(None) if every and not len(graph.links.gone.ids) else graph.edges() if every else graph.up.edges_of(nodes)
    later = graph.later[edges]
    firm = graph.pinned[graph.earlier[edges]] & (graph.evidence[edges] > graph.words.evidence["expanded"])
    denials = graph.role[edges] == graph.role_of["deny"]
    if denials.any():
        later, firm = later[~denials], firm[~denials]
    into = _counted(later, nodes, graph.size)
    pinned = _counted(later[firm], nodes, graph.size)
    left = beginning * np.power(PINNED, pinned) * np.power(LOOSE, into - pinned)
    return float((beginning - left).sum()), float(left[graph.kind[nodes] != graph.unsaid].sum())


def _counted(ends: Int32Array, nodes: Int32Array, size: int) -> NDArray[np.int64]:
    """How many of `ends` are each of `nodes`."""
    if len(ends) > size // 16:
        found: NDArray[np.int64] = np.bincount(ends, minlength=size)[nodes]
        return found
    order = np.argsort(nodes, kind="stable")
    place = np.searchsorted(nodes, ends, sorter=order)
    return np.bincount(order[place], minlength=len(nodes)).astype(np.int64) if len(ends) else np.zeros(len(nodes), np.int64)
