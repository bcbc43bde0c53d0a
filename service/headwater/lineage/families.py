"""A thing with its revisions and versions, and who uses or makes them."""

from __future__ import annotations

import numpy as np

from headwater.lineage.graph import LineageGraph

_COMPARED = (
    "train",
    "finetune",
    "pretrain",
    "validate",
    "test",
    "label",
    "preprocess",
    "calibrate",
    "execute",
    "configure",
    "use",
)


def versions_of(node: int, lineage: LineageGraph) -> list[int]:
    """The versions gathered under a concept."""
    edges = lineage.up.edges_of(np.array([node], np.int32))
    return sorted(set(lineage.earlier[edges[lineage.role[edges] == lineage.role_of["specialise"]]].tolist()))


def family_of(node: int, lineage: LineageGraph) -> frozenset[int]:
    """A thing with all its revisions and versions: by revision links both ways and through a shared concept."""
    related = [lineage.role_of["revise"], lineage.role_of["specialise"]]
    seen, todo = {node}, [node]
    while todo:
        here = np.array([todo.pop()], np.int32)
        for side, far in ((lineage.up, lineage.earlier), (lineage.down, lineage.later)):
            edges = side.edges_of(here)
            for other in far[edges[np.isin(lineage.role[edges], related)]].tolist():
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
    return frozenset(seen)


def users_of(thing: int, lineage: LineageGraph) -> list[tuple[int, str]]:
    """The runs that used a thing, each with the role it played there, as far as roles can be compared between runs."""
    edges = lineage.down.edges_of(np.array([thing], np.int32)).tolist()
    found = {
        (int(lineage.later[edge]), lineage.words.roles[int(lineage.role[edge])].name)
        for edge in edges
        if lineage.kind_name(int(lineage.later[edge])) == "run"
    }
    return sorted(pair for pair in found if pair[1] in _COMPARED)


def made_by(run: int, lineage: LineageGraph, kind: str) -> list[int]:
    """What of a kind a run made."""
    edges = lineage.down.edges_of(np.array([run], np.int32))
    made = lineage.later[edges[lineage.role[edges] == lineage.role_of["generate"]]].tolist()
    return sorted({thing for thing in made if lineage.kind_name(thing) == kind})
