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
from headwater.lineage.csr import Adjacency, BoolArray, Grown, Int32Array, among, spans
from headwater.lineage.edges import spare_for
from headwater.lineage.graph import LineageGraph
from headwater.lineage.rulebook import BLOCKS
from headwater.terms.vocabulary import Vocabulary

_MEASURING = ("use", "test", "validate", "predict")
_TELLING_NOT = ("revise", "specialise", "responsible", "cite", "derive", "influence")
KINDS: dict[str, type[np.generic]] = {
    "earlier": np.int32,
    "later": np.int32,
    "certain": np.int8,
    "possible": np.int8,
    "real": np.int32,
}


@dataclass(slots=True)
class ImpactEdges:
    """All links over which effects travel: the stated ones, and those that the graph implies.

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
    stated: int
    """So many edges at the beginning stand for links of the graph, in the order of their ids."""
    controls: Int32Array
    """The links of the graph by which models control instruments."""
    later_places: dict[int, int] = field(default_factory=dict)
    """For links of the graph that came, or changed what they carry, since: where they stand. Only for who makes these grow."""

    @classmethod
    def over(cls, columns: dict[str, Column], adjacency: Adjacency, stated: int, controls: Int32Array) -> ImpactEdges:
        earlier, later, certain, possible, real = (columns[name].array for name in KINDS)
        return cls(earlier, later, certain, possible, real, adjacency, columns, stated, controls)

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
    stated = {name: getattr(graph, name) for name in ("earlier", "later", "role", "evidence")}
    if ids is not None:
        stated = {name: values[ids] for name, values in stated.items()}
    kept, certain, possible, implied = carried(stated, graph.kind, graph.start, graph.words)
    keep = None if kept.all() else np.flatnonzero(kept).astype(np.int32)
    count = len(certain) if keep is None else len(keep)
    total = count + len(implied["earlier"])
    columns = {}
    for name, kind in KINDS.items():
        buffer = np.empty(total + spare_for(total), kind)
        if name == "real":
            positions = np.arange(count, dtype=np.int32) if keep is None else keep
            buffer[:count] = positions if ids is None else ids[positions]
            buffer[count:total] = -1
        else:
            given = {"certain": certain, "possible": possible}.get(name)
            given = stated[name] if given is None else given
            buffer[:count] = given if keep is None else given[keep]
            buffer[count:total] = implied[name]
        columns[name] = Column.over(buffer, total)
    earlier = columns["earlier"].array
    adjacency = Grown.over(Adjacency(earlier, graph.size), earlier)
    return ImpactEdges.over(columns, adjacency, count, graph.edges(("control",)))


def carried(
    links: Mapping[str, Array], kind: Array, start: Array, words: Vocabulary
) -> tuple[BoolArray, NDArray[np.int8], NDArray[np.int8], dict[str, Array]]:
    """What the links `earlier later role evidence` carry, between things of these kinds that began then.

    Gives which of them carry anything, for each what stands for its role for certain and possibly, and the implied links
    (`earlier later certain possible`).
    """
    role_of = {role.name: position for position, role in enumerate(words.roles)}
    block = {name: len(words.roles) + number for number, name in enumerate(BLOCKS)}
    earlier, later, role, evidence = (links[name] for name in ("earlier", "later", "role", "evidence"))
    certain, possible = role.astype(np.int8), role.astype(np.int8)
    certain[evidence == words.evidence["expanded"]] = block["expanded-only"]
    # Where it is told what a revision rests on, that decides, and not what the earlier revision rested on.
    revising = np.flatnonzero(role == role_of["revise"])
    if len(revising):
        told = _marked(len(kind), later[~_in(role, _TELLING_NOT, role_of)])
        own = revising[told[later[revising]]]
        certain[own] = possible[own] = block["own-origin"]
    # A concept that nobody uses by itself is only a folder for its versions.
    keep = np.ones(len(role), bool)
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
    uses = uses[kind[later[uses]] == kind_of["run"]]
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


def places_of(edges: ImpactEdges, links: Int32Array) -> Int32Array:
    """Where links of the graph stand among the impact edges; those that carry nothing are left out."""
    stated = edges.columns["real"].array[: edges.stated]
    found = [edges.later_places[link] for link in links.tolist() if link in edges.later_places]
    if len(stated) and len(links):
        places = np.minimum(np.searchsorted(stated, links), len(stated) - 1)
        found += places[stated[places] == links].tolist()
    assert isinstance(edges.adjacency, Grown)
    return edges.adjacency.gone.left_of(np.unique(np.array(found, np.int32)))


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
