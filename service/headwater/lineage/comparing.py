"""Which uses of what changed does the change concern: the part that was used, the time at which, and the version."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headwater.lineage.carrying import ImpactEdges
from headwater.lineage.families import versions_of
from headwater.lineage.graph import BoolArray, Int32Array, LineageGraph
from headwater.lineage.rulebook import BLOCKS, Int8Array
from headwater.lineage.slices import meeting, moment
from headwater.lineage.timing import Times, Uses, inside, outside, there_since, uses_by

_TOOLS = ("instrument", "software", "environment", "workflow")
_DATA = ("train", "finetune", "validate", "test", "pretrain", "preprocess", "label", "calibrate")
_USING = (*_DATA, "configure", "execute", "predict", "deploy", "use")
"""Roles in which something is used, and so used at some time."""


@dataclass(slots=True)
class Compared:
    """What stands for the role of each link in one question, for certain and possibly.

    `surely` are links over which the fault surely came, although they leave a thing of which it is not certain: uses of a thing
    without its version, at a time when there was none but faulty ones. `faulty` has the faulty versions of each such thing.
    """

    certain: Int8Array
    possible: Int8Array
    surely: Int32Array
    faulty: dict[int, tuple[int, ...]]


def compare(graph: LineageGraph, edges: ImpactEdges, objects: Sequence[int], part: str) -> Compared:
    """Compare the uses of the changed `objects` with the `part` that changed (a slice as JSON; empty for the whole)."""
    comparing = _Comparing(graph, edges, objects)
    concepts = {one: versions_of(one, graph) for one in comparing.concepts()}
    if part:
        comparing.slices(part, concepts)
    for concept, versions in concepts.items():
        comparing.versions(concept, versions)
    surely = np.concatenate([np.zeros(0, np.int32), *comparing.surely])
    return Compared(comparing.certain, comparing.possible, surely, comparing.faulty)


class _Comparing:
    def __init__(self, graph: LineageGraph, edges: ImpactEdges, objects: Sequence[int]) -> None:
        self.graph, self.edges = graph, edges
        self.objects = np.unique(np.array(objects, np.int32))
        self.certain, self.possible = edges.certain, edges.possible
        self.surely: list[Int32Array] = []
        self.faulty: dict[int, tuple[int, ...]] = {}
        self._using = np.zeros(len(graph.words.roles), bool)
        self._using[[graph.role_of[name] for name in _USING]] = True

    def concepts(self) -> list[int]:
        """The things as such of which the changed objects are versions, and those among the objects themselves."""
        links = self.graph.down.edges_of(self.objects)
        found = set(self.graph.later[links[self.graph.role[links] == self.graph.role_of["specialise"]]].tolist())
        links = self.graph.up.edges_of(self.objects)
        found |= set(self.graph.later[links[self.graph.role[links] == self.graph.role_of["specialise"]]].tolist())
        return sorted(found)

    def _links(self, things: Int32Array, *, used: bool = False) -> Int32Array:
        """The stated links that leave `things`; only those by which they are `used`."""
        links = self.edges.adjacency.edges_of(things)
        links = links[self.edges.real[links] >= 0]
        return links[self._using[self.graph.role[self.edges.real[links]]]] if used else links

    def _block(self, links: Int32Array, reason: str, *, surely: bool) -> None:
        """From here on nothing passes these links for certain; or surely nothing at all."""
        if not len(links):
            return
        if self.certain is self.edges.certain:
            self.certain, self.possible = self.certain.copy(), self.possible.copy()
        row = len(self.graph.words.roles) + BLOCKS.index(reason)
        self.certain[links] = row
        if surely:
            self.possible[links] = row

    def slices(self, part: str, concepts: dict[int, list[int]]) -> None:
        """Compare the part that changed with the parts that were used."""
        graph = self.graph
        stated: dict[str, Any] = json.loads(part)
        links = self._links(np.union1d(self.objects, np.array(list(concepts), np.int32)).astype(np.int32))
        real = self.edges.real[links]
        # What changes in place (a tool, data without a version) has a fault for a time; what is pinned has it for good.
        kind = graph.kind[graph.earlier[real]]
        tool = np.isin(kind, [graph.kind_of[name] for name in _TOOLS])
        timed = tool & self._using[graph.role[real]] if stated.keys() <= {"after", "before"} else np.zeros(len(real), bool)
        met = {number: meeting(part, graph.slices[number]) for number in np.unique(graph.slice[real]).tolist()}
        words = np.array([met[number] for number in graph.slice[real].tolist()], object)
        self._block(links[(words == "disjoint") & ~timed], "slice-disjoint", surely=True)
        self._block(links[(words == "unknown") & ~timed], "slice-unknown", surely=False)
        since, until = _bound(stated, "after", -np.inf), _bound(stated, "before", np.inf)
        if timed.any():
            uses = uses_by(graph, graph.later[real[timed]])
            self._place(links[timed], outside(uses, since, until), inside(uses, since, until), "time-unknown")
        growing = ~tool & ~graph.pinned[graph.earlier[real]] & self._using[graph.role[real]]
        if growing.any() and "after" in stated:
            # Data that are still growing: who was done before did not use what was recorded later.
            early = outside(uses_by(graph, graph.later[real[growing]]), since, np.inf)
            self._block(links[growing][early], "fault-not-there", surely=True)

    def versions(self, concept: int, versions: list[int]) -> None:
        """Uses of a thing without its version: whether it can have been, or must have been, a faulty one goes by their times."""
        faulty = [version for version in versions if version in self.objects]
        others = [version for version in versions if version not in self.objects]
        itself = concept in self.objects
        if itself and not others:
            return
        links = self._links(np.array([concept], np.int32), used=True)
        uses = uses_by(self.graph, self.graph.later[self.edges.real[links]])
        not_yet = _before_all(uses, self._there(faulty))
        none_else = _before_all(uses, self._there(others)) & ~not_yet
        self._block(links[not_yet], "fault-not-there", surely=True)
        if itself:
            self._block(links[~not_yet & ~none_else], "unversioned-use", surely=False)
        else:
            # What may not have been the part that changed is no sure use of it, whatever the version.
            meant = links[none_else]
            self.surely.append(meant[self.certain[meant] == self.edges.certain[meant]])
            # The one whose name comes first stands for all where one has to be shown.
            self.faulty[concept] = tuple(sorted(faulty, key=lambda version: self.graph.iris[version]))

    def _there(self, things: list[int]) -> Times:
        return np.array([there_since(self.graph, thing) for thing in things], np.float64)

    def _place(self, links: Int32Array, out: BoolArray, within: BoolArray, doubt: str) -> None:
        self._block(links[out], "fault-not-there", surely=True)
        self._block(links[~out & ~within], doubt, surely=False)


def _bound(stated: dict[str, Any], word: str, open_end: float) -> float:
    """A bound in seconds since 1970; infinite where none is stated, NaN where nobody can read it."""
    if word not in stated:
        return open_end
    found = moment(stated[word])
    return float("nan") if found is None else found


def _before_all(uses: Uses, there: Times) -> BoolArray:
    """Which uses surely ended before any of some things were there; none where there are no such things or a time is missing."""
    if not len(there) or np.isnan(there).any():
        return np.zeros(len(uses.ended), bool)
    found: BoolArray = uses.ended < there.min()
    return found
