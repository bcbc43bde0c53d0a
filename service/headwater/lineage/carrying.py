"""The links that carry effects: those that documents state, and those that follow from them without being stated.

What a link carries depends on the links of its later end and, for an instrument, on what steers it; so the same lines serve for
all links and for those around a few things (see `regrowing`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from headwater.lineage.columns import Array, Column
from headwater.lineage.contradictions import contradicted
from headwater.lineage.csr import Adjacency, BoolArray, Grown, Int32Array, among, spans
from headwater.lineage.edges import spare_for
from headwater.lineage.graph import LineageGraph
from headwater.lineage.rulebook import BLOCKS
from headwater.terms.vocabulary import Vocabulary

_MEASURING = ("use", "test", "validate", "predict")
_TELLING_NOT = ("revise", "specialise", "responsible", "cite", "derive", "influence", "deny")
STATED = ("earlier", "later", "role", "evidence", "slice", "record")
KINDS: dict[str, type[np.generic]] = {
    "earlier": np.int32,
    "later": np.int32,
    "certain": np.int8,
    "possible": np.int8,
    "real": np.int32,
}


@dataclass(slots=True)
class ImpactEdges:
    """All links over which effects travel, sorted by where they come from: the stated ones, and those that the graph implies.

    Implied are the way back from an evaluating run to the model it measured, and the way from a steering model to what its
    instrument recorded afterwards. `real` is the edge id in the graph, or -1. Only what `adjacency` leads to holds: columns that
    grew out of earlier ones also have what went.
    """

    earlier: Int32Array
    later: Int32Array
    certain: NDArray[np.int8]
    possible: NDArray[np.int8]
    real: Int32Array
    adjacency: Adjacency
    columns: dict[str, Column]
    controls: Int32Array
    """The links of the graph by which models control instruments."""
    later_places: dict[int, int] = field(default_factory=dict)
    """For links of the graph that came, or changed what they carry, since: where they stand. Only for who makes these grow."""

    @classmethod
    def over(cls, columns: dict[str, Column], adjacency: Adjacency, controls: Int32Array) -> ImpactEdges:
        earlier, later, certain, possible, real = (columns[name].array for name in KINDS)
        return cls(earlier, later, certain, possible, real, adjacency, columns, controls)

    @property
    def changes(self) -> int:
        """How many edges came or went since all were put in order."""
        assert isinstance(self.adjacency, Grown)
        return self.adjacency.later_edges + len(self.adjacency.gone.ids)


def impact_edges(graph: LineageGraph) -> ImpactEdges:
    """Made once per graph and kept with it."""
    if graph.impact_edges is None:
        graph.impact_edges = _impact_edges(graph)
    found = graph.impact_edges
    assert isinstance(found, ImpactEdges)
    return found


def _impact_edges(graph: LineageGraph) -> ImpactEdges:
    ids = graph.edges() if len(graph.links.gone.ids) else None
    stated = {name: getattr(graph, name) for name in STATED}
    if ids is not None:
        stated = {name: values[ids] for name, values in stated.items()}
    undated = None if graph.as_of is None else graph.undated
    kept, certain, possible, implied = carried(stated, graph.kind, graph.start, graph.words, undated)
    keep = None if kept.all() else np.flatnonzero(kept).astype(np.int32)
    count = len(certain) if keep is None else len(keep)
    total = count + len(implied["earlier"])
    given: dict[str, Array] = stated | {"certain": certain, "possible": possible}
    given["real"] = np.arange(len(certain), dtype=np.int32) if ids is None else ids
    implied["real"] = np.full(total - count, -1, np.int32)
    joined = {}
    for name, kind in KINDS.items():
        joined[name] = np.empty(total, kind)
        joined[name][:count] = given[name] if keep is None else given[name][keep]
        joined[name][count:] = implied[name]
    rows = Adjacency(joined["earlier"], graph.size)
    columns = {}
    for name, values in joined.items():
        buffer = np.empty(total + spare_for(total), values.dtype)
        np.take(values, rows.order, out=buffer[:total], mode="clip")
        columns[name] = Column.over(buffer, total)
    return ImpactEdges.over(columns, ordered(columns, rows.start), graph.edges(("control",)))


def ordered(columns: Mapping[str, Column], start: Int32Array) -> Grown:
    """The rows of impact edges that stand in the order of their earlier ends."""
    return Grown.over(Adjacency.of(None, start), columns["earlier"].array)


def carried(
    links: Mapping[str, Array], kind: Array, start: Array, words: Vocabulary, undated: BoolArray | None = None
) -> tuple[BoolArray, NDArray[np.int8], NDArray[np.int8], dict[str, Array]]:
    """What links (the columns `STATED`) carry, between things of these kinds that began then, and of which some are `undated`.

    Gives which of them carry anything, for each what stands for its role for certain and possibly, and the implied links
    (`earlier later certain possible`).
    """
    role_of = {role.name: position for position, role in enumerate(words.roles)}
    block = {name: len(words.roles) + number for number, name in enumerate(BLOCKS)}
    earlier, later, role, evidence = (links[name] for name in ("earlier", "later", "role", "evidence"))
    certain, possible = role.astype(np.int8), role.astype(np.int8)
    certain[evidence == words.evidence["expanded"]] = block["expanded-only"]
    certain[contradicted(links, words)] = block["contradicted"]
    if undated is not None:
        certain[undated[earlier] | undated[later]] = block["undated"]
    # Where it is told what a revision rests on, that decides, and not what the earlier revision rested on.
    revising = np.flatnonzero(role == role_of["revise"])
    if len(revising):
        told = _marked(len(kind), later[~_in(role, _TELLING_NOT, role_of)])
        own = revising[told[later[revising]]]
        certain[own] = possible[own] = block["own-origin"]
    # A concept that nobody uses by itself is only a folder for its versions.
    keep = role != role_of["deny"]
    versions = np.flatnonzero(role == role_of["specialise"])
    if len(versions):
        used = _marked(len(kind), earlier[role != role_of["specialise"]])
        keep[versions[~used[later[versions]]]] = False
    kind_of = {known.name: position for position, known in enumerate(words.kinds)}
    laid = [
        _evaluations(earlier, later, role, kind, role_of, kind_of),
        _steered(earlier, later, role, kind, start, role_of, kind_of, block),
    ]
    return keep, certain, possible, {name: np.concatenate([part[name] for part in laid]) for name in laid[0]}


def _in(role: Array, names: tuple[str, ...], role_of: Mapping[str, int]) -> BoolArray:
    chosen = np.zeros(len(role_of), bool)
    chosen[[role_of[name] for name in names]] = True
    return chosen[role]


def _marked(size: int, nodes: Array) -> BoolArray:
    found = np.zeros(size, bool)
    found[nodes] = True
    return found


def _evaluations(
    earlier: Array, later: Array, role: Array, kind: Array, role_of: Mapping[str, int], kind_of: Mapping[str, int]
) -> dict[str, Array]:
    """From each run that tested or validated something back to the models that it measured and did not make."""
    model = kind_of["model"]
    testing = np.flatnonzero(_in(role, ("test", "validate"), role_of))
    tests = _marked(len(kind), later[testing[kind[earlier[testing]] != model]])
    making = np.flatnonzero(role == role_of["generate"])
    makes_models = _marked(len(kind), earlier[making[kind[later[making]] == model]])
    measuring = np.flatnonzero(_in(role, _MEASURING, role_of) & tests[later])
    measuring = measuring[(kind[earlier[measuring]] == model) & ~makes_models[later[measuring]]]
    back = np.full(len(measuring), role_of["evaluate"], np.int8)
    return {"earlier": later[measuring], "later": earlier[measuring], "certain": back, "possible": back}


def _steered(
    earlier: Array,
    later: Array,
    role: Array,
    kind: Array,
    start: Array,
    role_of: Mapping[str, int],
    kind_of: Mapping[str, int],
    block: Mapping[str, int],
) -> dict[str, Array]:
    """From each steering model to the runs that its instrument took part in after the model was there."""
    controls = np.flatnonzero(role == role_of["control"])
    onset = _onsets(earlier, later, role, start, np.unique(earlier[controls]), role_of)
    instruments, number = np.unique(later[controls], return_inverse=True)
    place = np.full(len(kind), -1, np.int32)
    place[instruments] = np.arange(len(instruments), dtype=np.int32)
    uses = np.flatnonzero(place[earlier] >= 0) if len(instruments) else np.zeros(0, np.int64)
    uses = uses[(kind[later[uses]] == kind_of["run"]) & (role[uses] != role_of["deny"])]
    by_instrument = Adjacency(place[earlier[uses]], max(len(instruments), 1))
    first, counts = by_instrument.start[number], by_instrument.counts(number.astype(np.int32))
    model = np.repeat(earlier[controls], counts)
    run = later[uses[by_instrument.order[spans(first, counts)]]]
    begun, there = start[run], onset[model]
    unknown = np.isnan(begun) | np.isnan(there)
    after = unknown | (begun >= there)
    steer = np.full(len(run), role_of["steer"], np.int8)
    certain = np.where(unknown, np.int8(block["steered-when-unknown"]), steer)
    return {"earlier": model[after], "later": run[after], "certain": certain[after], "possible": steer[after]}


def _onsets(
    earlier: Array, later: Array, role: Array, start: Array, models: Array, role_of: Mapping[str, int]
) -> NDArray[np.float64]:
    """When each of `models` came to be: its own time, or the start of the run that made it, or that of what it deploys."""
    onset = start.copy() if len(models) else start
    silent = models[np.isnan(start[models])]
    if len(silent):
        makings = np.flatnonzero(_in(role, ("generate", "deploy"), role_of) & _marked(len(start), silent)[later])
        makers: NDArray[np.float64] = np.full(len(start), np.nan)
        np.fmin.at(makers, later[makings], start[earlier[makings]])
        onset[silent] = makers[silent]
    return onset


def places_of(edges: ImpactEdges, graph: LineageGraph, links: Int32Array) -> Int32Array:
    """Where links of the graph stand among the impact edges; those that carry nothing are left out."""
    adjacency = edges.adjacency
    assert isinstance(adjacency, Grown)
    found = np.array([edges.later_places[link] for link in links.tolist() if link in edges.later_places], np.int32)
    real = edges.columns["real"].array
    earlier = graph.earlier[links]
    known = earlier < adjacency.below.size
    links, earlier = links[known], earlier[known]
    # At first the edges of each thing stand together, those of its links in the order of their ids before the implied ones.
    low, high = adjacency.below.start[earlier], adjacency.below.start[earlier + 1]
    ends = high.copy()
    while (low < high).any():
        middle = np.minimum((low + high) // 2, len(real) - 1)
        there = real[middle]
        before = (there >= 0) & (there < links) & (low < high)
        low, high = np.where(before, middle + 1, low), np.where(before | (low >= high), high, middle)
    hit = low < ends
    hit[hit] = real[low[hit]] == links[hit]
    return adjacency.gone.left_of(np.union1d(found, low[hit]).astype(np.int32))


def used_alone(graph: LineageGraph, things: Int32Array) -> BoolArray:
    """Which of `things` are used by themselves, and not only the folder of their versions."""
    specialise = graph.role_of["specialise"]
    found = np.zeros(len(things), bool)
    inside = np.flatnonzero(things < graph.size)
    assert isinstance(graph.down, Grown)
    for most in (32, graph.links.count):
        asked = things[inside]
        out = graph.down.first_of(asked, most)
        out = out[graph.role[out] != specialise]
        hit = among(asked, graph.earlier[out])
        found[inside[hit]] = True
        inside = inside[~hit]
        if not len(inside):
            break
    return found


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
