"""What can bear on a thing at all: everything from which an effect may come to it, found by going back once.

A thing has few origins and a graph has many changes, so this tells which of them are worth a judgement before any is made.
"""

from __future__ import annotations

import numpy as np

from headwater.lineage.csr import BoolArray
from headwater.lineage.graph import LineageGraph

_MEASURING = ("use", "test", "validate", "predict")


def origins(graph: LineageGraph, node: int) -> BoolArray:
    """For each thing of the graph whether an effect that begins there may come to `node`; it itself counts.

    May also mark things from which nothing comes, and never leaves one out: every stated link is gone back, whatever it carries,
    and from a model to the runs that measured it, since they judge it.

    >>> from headwater.lineage.index import LineageIndex
    >>> from headwater.records.links import LineageRows, LinkRow
    >>> index = LineageIndex()
    >>> links = [LinkRow(a, b, "prov:used", "train", "observed") for a, b in (("urn:a", "urn:b"), ("urn:b", "urn:c"))]
    >>> index.put("urn:rec", "public", LineageRows(links, []))
    >>> graph = index.graph()
    >>> origins(graph, graph.ids["urn:b"]).tolist()
    [True, True, False]
    """
    found = np.zeros(graph.size, bool)
    found[node] = True
    measuring = np.zeros(len(graph.words.roles), bool)
    measuring[[graph.role_of[name] for name in _MEASURING]] = True
    frontier = np.array([node], np.int32)
    while len(frontier):
        back = graph.earlier[graph.up.edges_of(frontier)]
        models = frontier[graph.kind[frontier] == graph.kind_of["model"]]
        if len(models):
            uses = graph.down.edges_of(models)
            back = np.concatenate((back, graph.later[uses[measuring[graph.role[uses]]]]))
        fresh = np.unique(back[~found[back]]).astype(np.int32)
        found[fresh] = True
        frontier = fresh
    return found
