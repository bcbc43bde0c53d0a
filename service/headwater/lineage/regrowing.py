"""Impact edges brought up to date with their graph: what the links around a few things carry is worked out again."""

from __future__ import annotations

import numpy as np

from headwater.lineage.carrying import KINDS, STATED, ImpactEdges, carried, places_of, used_alone
from headwater.lineage.columns import Array, difference, picked
from headwater.lineage.csr import Grown, Int32Array, among
from headwater.lineage.graph import LineageGraph
from headwater.lineage.things import Kinds

_MOST_LINKS = 200_000


def regrown(
    edges: ImpactEdges, old: LineageGraph, new: LineageGraph, gone: Int32Array, touched: Int32Array
) -> ImpactEdges | None:
    """The impact edges of `new`, which grew out of `old` by the links `gone` and those after its last, things `touched` having
    other attributes; None where they are better made anew."""
    came = np.arange(old.links.count, new.links.count, dtype=np.int32)
    changed = {name: new.links.arrays[name][np.concatenate((gone, came))] for name in ("earlier", "later", "role")}
    control = new.role_of["control"]
    kept = edges.controls[~among(edges.controls, gone)]
    controls = np.concatenate((kept, came[new.role[came] == control]))
    owners = _owners(old, new, changed, controls, touched)
    if owners is None:
        return None
    context = _context(new, owners, controls)
    if context is None:
        return None
    fresh = _carried_by(new, owners, context)
    present = _present(edges, old, owners)
    more, less = difference(fresh, {name: column.array[present] for name, column in edges.columns.items()})
    return _grown(edges, present[less], picked(fresh, more), controls, new.size)


def _owners(
    old: LineageGraph, new: LineageGraph, changed: dict[str, Array], controls: Int32Array, touched: Int32Array
) -> Int32Array | None:
    """The things whose links may carry something else than before."""
    role_of = new.role_of
    earlier, later, role = changed["earlier"], changed["later"], changed["role"]
    found = [later, earlier[role == role_of["generate"]]]
    folders = np.unique(earlier[role != role_of["specialise"]])
    found.append(folders[used_alone(old, folders) != used_alone(new, folders)])
    classes = Kinds.of(new.words).classes
    known = touched[touched < old.size]
    reclassed = known[classes[old.kind[known]] != classes[new.kind[known]]]
    begun, before = new.start[known], old.start[known]
    moved = known[~((begun == before) | (np.isnan(begun) & np.isnan(before)))]
    if _many(new, np.concatenate((reclassed, moved))):
        return None
    found += [reclassed, new.later[new.down.edges_of(reclassed)], moved]
    into = new.up.edges_of(reclassed)
    found.append(new.earlier[into[new.role[into] == role_of["generate"]]])
    instruments = [later[role == role_of["control"]]]
    making = np.array([role_of["generate"], role_of["deploy"]])
    out = new.down.edges_of(moved)
    dated = np.concatenate((moved, later[np.isin(role, making)], new.later[out[np.isin(new.role[out], making)]]))
    instruments.append(new.later[controls[among(new.earlier[controls], dated)]])
    steered = np.unique(np.concatenate(instruments)).astype(np.int32)
    if _many(new, steered):
        return None
    found.append(new.later[new.down.edges_of(steered)])
    return np.unique(np.concatenate(found)).astype(np.int32)


def _many(graph: LineageGraph, things: Int32Array) -> bool:
    return sum(int(side.counts(things).sum()) for side in (graph.down, graph.up)) > max(_MOST_LINKS, len(graph.role) // 4)


def _context(graph: LineageGraph, owners: Int32Array, controls: Int32Array) -> Int32Array | None:
    """All links that decide what the links of `owners` carry."""
    role_of = graph.role_of
    if int(graph.up.counts(owners).sum()) > max(_MOST_LINKS, len(graph.role) // 4):
        return None
    into = graph.up.edges_of(owners)
    found = [into]
    role, earlier, later = graph.role[into], graph.earlier[into], graph.later[into]
    # Whether a run that measured a model made one itself.
    measured = np.unique(later[graph.kind[earlier] == graph.kind_of["model"]]).astype(np.int32)
    out = graph.down.edges_of(measured)
    found.append(out[graph.role[out] == role_of["generate"]])
    # Whether a concept is used by itself: one link tells.
    folders = np.unique(later[role == role_of["specialise"]]).astype(np.int32)
    folders = folders[used_alone(graph, folders)]
    out = graph.down.edges_of(folders)
    out = out[graph.role[out] != role_of["specialise"]]
    found.append(out[np.unique(graph.earlier[out], return_index=True)[1]])
    # What steered the instruments that took part, and since when it was there.
    steering = controls[among(graph.later[controls], earlier)]
    models = np.unique(graph.earlier[steering]).astype(np.int32)
    made = graph.up.edges_of(models)
    found += [steering, made[np.isin(graph.role[made], (role_of["generate"], role_of["deploy"]))]]
    return np.unique(np.concatenate(found)).astype(np.int32)


def _carried_by(graph: LineageGraph, owners: Int32Array, context: Int32Array) -> dict[str, Array]:
    """The impact edges that belong to `owners`: those into them, back from them to what they measured, and steered to them."""
    stated = {name: getattr(graph, name)[context] for name in STATED}
    things, local = np.unique(np.concatenate((stated["earlier"], stated["later"])), return_inverse=True)
    stated["earlier"], stated["later"] = (part.astype(np.int32) for part in np.split(local, 2))
    keep, certain, possible, implied = carried(stated, graph.kind[things], graph.start[things], graph.words)
    own = among(things, owners)
    real = np.flatnonzero(keep & own[stated["later"]])
    back = implied["possible"] == graph.role_of["evaluate"]
    laid = np.flatnonzero(np.where(back, own[implied["earlier"]], own[implied["later"]]))
    given = stated | {"certain": certain, "possible": possible, "real": context}
    implied["real"] = np.full(len(back), -1, np.int32)
    found = {name: np.concatenate((given[name][real], implied[name][laid])).astype(kind) for name, kind in KINDS.items()}
    return found | {end: things[found[end]].astype(np.int32) for end in ("earlier", "later")}


def _present(edges: ImpactEdges, old: LineageGraph, owners: Int32Array) -> Int32Array:
    """The impact edges that belonged to `owners`."""
    known = owners[owners < old.size]
    into = old.up.edges_of(known)
    found = [places_of(edges, old, into)]
    steering = edges.controls[among(old.later[edges.controls], old.earlier[into])]
    evaluate, steer = old.role_of["evaluate"], old.role_of["steer"]
    columns = edges.columns
    for things, role, end in (
        (known, evaluate, "earlier"),
        (np.unique(old.earlier[steering]).astype(np.int32), steer, "later"),
    ):
        out = edges.adjacency.edges_of(things)
        out = out[(columns["real"].array[out] < 0) & (columns["possible"].array[out] == role)]
        found.append(out[among(columns[end].array[out], known)])
    return np.unique(np.concatenate(found)).astype(np.int32)


def _grown(edges: ImpactEdges, went: Int32Array, came: dict[str, Array], controls: Int32Array, size: int) -> ImpactEdges:
    adjacency = edges.adjacency
    assert isinstance(adjacency, Grown)
    before = len(edges.columns["earlier"])
    for name, column in edges.columns.items():
        column.append(came[name])
    for place, link in enumerate(came["real"].tolist(), before):
        if link >= 0:
            edges.later_places[link] = place
    earlier = edges.columns["earlier"].array
    grown = adjacency.grown(earlier, before, size, adjacency.gone.more(went, before))
    found = ImpactEdges.over(edges.columns, grown, controls)
    found.later_places = edges.later_places
    return found
