"""The links that carry effects: those that documents state, and those that follow from them without being stated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headwater.lineage.contradictions import contradicted
from headwater.lineage.graph import Adjacency, Int32Array, LineageGraph
from headwater.lineage.rulebook import BLOCKS

_MEASURING = ("use", "test", "validate", "predict")
_TELLING_NOT = ("revise", "specialise", "responsible", "cite", "derive", "influence", "deny")


@dataclass(slots=True)
class ImpactEdges:
    """All links over which effects travel, sorted by where they come from: the stated ones, and those that the graph implies.

    Implied are the way back from an evaluating run to the model it measured, and the way from a steering model to what its
    instrument recorded afterwards. `real` is the edge id in the graph, or -1.
    """

    earlier: Int32Array
    later: Int32Array
    certain: NDArray[np.int8]
    possible: NDArray[np.int8]
    real: Int32Array
    adjacency: Adjacency


def impact_edges(graph: LineageGraph) -> ImpactEdges:
    """Made once per graph and kept with it."""
    if graph.impact_edges is None:
        graph.impact_edges = _impact_edges(graph)
    found = graph.impact_edges
    assert isinstance(found, ImpactEdges)
    return found


def _impact_edges(graph: LineageGraph) -> ImpactEdges:
    roles = len(graph.words.roles)
    block = {name: roles + number for number, name in enumerate(BLOCKS)}
    role = graph.role.astype(np.int8)
    certain, possible = role.copy(), role.copy()
    certain[graph.evidence == graph.words.evidence["expanded"]] = block["expanded-only"]
    columns = {name: getattr(graph, name) for name in ("earlier", "later", "role", "evidence", "slice", "record")}
    certain[contradicted(columns, graph.words)] = block["contradicted"]
    if graph.as_of is not None:
        certain[graph.undated[graph.earlier] | graph.undated[graph.later]] = block["undated"]
    # Where it is told what a revision rests on, that decides, and not what the earlier revision rested on.
    told = np.zeros(graph.size, bool)
    told[graph.later[~np.isin(graph.role, [graph.role_of[name] for name in _TELLING_NOT])]] = True
    own = (graph.role == graph.role_of["revise"]) & told[graph.later]
    certain[own] = possible[own] = block["own-origin"]
    # A concept that nobody uses by itself is only a folder for its versions.
    used = np.zeros(graph.size, bool)
    used[graph.earlier[~np.isin(graph.role, [graph.role_of["specialise"], graph.role_of["deny"]])]] = True
    folder = (graph.role == graph.role_of["specialise"]) & ~used[graph.later]
    keep = np.flatnonzero(~folder & (graph.role != graph.role_of["deny"])).astype(np.int32)
    implied = [*_evaluations(graph), *_steered(graph, block)]
    earlier = np.concatenate((graph.earlier[keep], _column(implied, 0)))
    rows = Adjacency(earlier, graph.size)
    order = rows.order
    certain = np.concatenate((certain[keep], _column(implied, 2).astype(np.int8)))[order]
    possible = np.concatenate((possible[keep], _column(implied, 3).astype(np.int8)))[order]
    return ImpactEdges(
        earlier=earlier[order],
        later=np.concatenate((graph.later[keep], _column(implied, 1)))[order],
        certain=certain,
        possible=possible,
        real=np.concatenate((keep, np.full(len(implied), -1, np.int32)))[order],
        adjacency=Adjacency(earlier[order], graph.size),
    )


def _column(rows: list[tuple[int, int, int, int]], number: int) -> Int32Array:
    return np.array([row[number] for row in rows], np.int32)


def _evaluations(graph: LineageGraph) -> list[tuple[int, int, int, int]]:
    """From each run that tested or validated something back to the models that it measured and did not make."""
    testing = np.isin(graph.role, [graph.role_of["test"], graph.role_of["validate"]])
    tests = np.zeros(graph.size, bool)
    tests[graph.later[testing & (graph.kind[graph.earlier] != graph.kind_of["model"])]] = True
    makes_models = np.zeros(graph.size, bool)
    makes_models[
        graph.earlier[(graph.role == graph.role_of["generate"]) & (graph.kind[graph.later] == graph.kind_of["model"])]
    ] = True
    measured = (
        (graph.kind[graph.earlier] == graph.kind_of["model"])
        & np.isin(graph.role, [graph.role_of[name] for name in _MEASURING])
        & tests[graph.later]
        & ~makes_models[graph.later]
    )
    back = graph.role_of["evaluate"]
    return [(int(graph.later[e]), int(graph.earlier[e]), back, back) for e in np.flatnonzero(measured)]


def _steered(graph: LineageGraph, block: dict[str, int]) -> list[tuple[int, int, int, int]]:
    """From each steering model to the runs that its instrument took part in after the model was there."""
    found = []
    steer = graph.role_of["steer"]
    for edge in np.flatnonzero(graph.role == graph.role_of["control"]):
        model, instrument = int(graph.earlier[edge]), int(graph.later[edge])
        onset = _beginning(graph, model)
        for use in graph.down.edges_of(np.array([instrument], np.int32)):
            run = int(graph.later[use])
            if graph.kind[run] != graph.kind_of["run"] or graph.role[use] == graph.role_of["deny"]:
                continue
            begun = float(graph.start[run])
            if np.isnan(begun) or np.isnan(onset):
                found.append((model, run, block["steered-when-unknown"], steer))
            elif begun >= onset:
                found.append((model, run, steer, steer))
    return found


def _beginning(graph: LineageGraph, thing: int) -> float:
    """When a thing came to be: its own time, or the start of the run that made it, or that of what it deploys; NaN if unknown."""
    if not np.isnan(graph.start[thing]):
        return float(graph.start[thing])
    edges = graph.up.edges_of(np.array([thing], np.int32))
    wanted = edges[np.isin(graph.role[edges], [graph.role_of["generate"], graph.role_of["deploy"]])]
    times = graph.start[graph.earlier[wanted]]
    return float(np.nanmin(times)) if np.isfinite(times).any() else float("nan")


Bundles = list[tuple[tuple[int, ...], ...]]
"""What a link rests on: any one of several bundles; of a bundle every group; of a group any one stated link (edge ids)."""


def resting_on(graph: LineageGraph, earlier: int, later: int) -> Bundles:
    """The stated links that an implied link between two things rests on, in the two ways that one can be laid.

    From a run back to a model: a link by which the model took part, and a link that makes the run an evaluation. From a model to
    a run: that it steers an instrument, and that the instrument took part.
    """
    if graph.kind[later] != graph.kind_of["run"]:
        into = graph.up.edges_of(np.array([earlier], np.int32))
        role = graph.role[into]
        measuring = into[(graph.earlier[into] == later) & np.isin(role, [graph.role_of[name] for name in _MEASURING])]
        models = graph.kind[graph.earlier[into]] == graph.kind_of["model"]
        tests = into[np.isin(role, [graph.role_of["test"], graph.role_of["validate"]]) & ~models]
        return [(tuple(measuring.tolist()), tuple(tests.tolist()))]
    out = graph.down.edges_of(np.array([earlier], np.int32))
    controls = out[graph.role[out] == graph.role_of["control"]]
    found: Bundles = []
    for instrument in np.unique(graph.later[controls]).tolist():
        uses = graph.down.edges_of(np.array([instrument], np.int32))
        uses = uses[graph.later[uses] == later]
        if len(uses):
            found.append((tuple(controls[graph.later[controls] == instrument].tolist()), tuple(uses.tolist())))
    return found
