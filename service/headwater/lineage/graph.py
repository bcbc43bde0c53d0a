"""Lineage as arrays to ask: compressed rows in both directions over integer ids, made from the index for one reader's levels."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from headwater.lineage.columns import Array
from headwater.lineage.connecting import RoleWords, counting
from headwater.lineage.csr import Adjacency, BoolArray, Int32Array
from headwater.lineage.edges import Links, spare_for
from headwater.lineage.revisions import Revisions
from headwater.lineage.things import Kinds, Things, described, rank_of_levels
from headwater.lineage.traversal import Limits, Reach, walk
from headwater.terms.vocabulary import Vocabulary

__all__ = ["EVERY_LEVEL", "Adjacency", "BoolArray", "Int32Array", "Limits", "LineageGraph", "Reach", "Rows"]
EVERY_LEVEL: frozenset[str] | None = None


class Sayings(Protocol):
    """Who says what of things, asked for one thing at a time."""

    def describing(self, node: int) -> Int32Array:
        """The records that say what a thing is, by number."""

    def written(self, records: Int32Array) -> NDArray[np.int64]:
        """The sequence numbers at which what records say was written."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What the index hands over: link and node columns of the records that a reader may see, and the names behind the numbers.

    `levels` has the level of each record; or else `level_names` the levels, and rows the numbers of theirs in a column `level`.
    `undated` marks what is only there because nobody knows its time.
    """

    iris: Sequence[str]
    ids: Mapping[str, int]
    relations: Sequence[str]
    slices: Sequence[str]
    records: Sequence[str]
    levels: Sequence[str]
    links: Mapping[str, Array]
    nodes: Mapping[str, Array]
    level_names: Sequence[str] = ()
    said: Sayings | None = None
    undated: BoolArray | None = None

    def ranked(self) -> tuple[list[str], Array, Array]:
        """The levels, the widest first, and for each row of nodes and of links the rank of its level."""
        names = self.level_names or sorted(set(self.levels))
        rank = rank_of_levels(names)
        ordered = sorted(names, key=lambda name: rank[names.index(name)])
        if self.level_names:
            return ordered, rank[self.nodes["level"]], rank[self.links["level"]]
        by_record = rank[[names.index(name) for name in self.levels]] if self.levels else np.zeros(0, np.int16)
        return ordered, by_record[self.nodes["node_record"]], by_record[self.links["link_record"]]


class _Listed:
    """Who says what, from the rows themselves."""

    def __init__(self, rows: Rows, size: int) -> None:
        self._records = rows.nodes["node_record"]
        self._about = Adjacency(rows.nodes["node"].astype(np.int32), size)

    def describing(self, node: int) -> Int32Array:
        return np.unique(self._records[self._about.edges_of(np.array([node], np.int32))]).astype(np.int32)

    def written(self, records: Int32Array) -> NDArray[np.int64]:
        return records.astype(np.int64)


class LineageGraph:
    """All steps of lineage that one reader may see.

    Per edge (arrays of equal length): `earlier`, `later`, `relation`, `role`, `evidence` (its strength), `slice`, `record`. Per
    node: `kind` (position in the vocabulary's kinds; one more for parts, two more for "not described"), `pinned`, `start`
    (seconds since 1970 or NaN), `end` (of a run, or of a thing that ceased to be; NaN where it stands or nobody knows) and
    `undated` (in a graph of the past: there only because nobody knows since when).

    A graph never changes. One that grew out of an earlier one has edge ids of links that went: `down`, `up` and all that is
    built on them leave these out; who looks through whole columns asks `alive` or `edges`.

    `as_of` and `known_at` say which past it shows; None where it shows the present.
    """

    def __init__(self, rows: Rows, words: Vocabulary, *, known_at: int | None = None, as_of: float | None = None) -> None:
        self.words = words
        self.known_at, self.as_of = known_at, as_of
        size = len(rows.iris)
        kinds, roles = Kinds.of(words), RoleWords.of_words(words)
        self.level_names, node_ranks, link_ranks = rows.ranked()
        things = Things.of(described(size, kinds, rows.nodes, rows.links, node_ranks, link_ranks), spare_for(size))
        stated = {name: values for name, values in rows.links.items() if name != "link_record"}
        stated["record"] = rows.links["link_record"]
        kind = things.columns["kind"].array
        earlier, later = (np.asarray(stated[end], np.int32) for end in ("earlier", "later"))
        keep, stated["role"] = counting(earlier, later, np.asarray(stated["role"], np.int8), kind, kinds, roles)
        links = Links.of(stated, None if keep.all() else np.flatnonzero(keep).astype(np.int32), size)
        self._undated = None if rows.undated is None else rows.undated & things.columns["present"].array
        self._name(rows.iris, rows.ids, rows.relations, rows.slices, rows.records)
        self._said = rows.said or _Listed(rows, size)
        self._show(things, links)

    @classmethod
    def of_parts(
        cls,
        words: Vocabulary,
        names: tuple[Sequence[str], Mapping[str, int], Sequence[str], Sequence[str], Sequence[str]],
        level_names: list[str],
        said: Sayings,
        things: Things,
        links: Links,
    ) -> LineageGraph:
        """A graph of the present from what was worked out before; `names` as in `Rows`."""
        found = cls.__new__(cls)
        found.words, found.known_at, found.as_of = words, None, None
        found.level_names, found._said, found._undated = level_names, said, None
        found._name(*names)
        found._show(things, links)
        return found

    def _name(
        self,
        iris: Sequence[str],
        ids: Mapping[str, int],
        relations: Sequence[str],
        slices: Sequence[str],
        records: Sequence[str],
    ) -> None:
        self.iris, self.ids, self.relations, self.slices, self.records = iris, ids, relations, slices, records
        self.size = len(iris)
        kinds, self.role_of = Kinds.of(self.words), RoleWords.of_words(self.words).of
        self.part, self.unsaid, self.kind_names = kinds.part, kinds.unsaid, kinds.names
        self.kind_of = {kind.name: position for position, kind in enumerate(self.words.kinds)}

    def _show(self, things: Things, links: Links) -> None:
        self.things, self.links = things, links
        self.kind, self.pinned, self.present, self.node_level = (
            things.columns[name].array for name in ("kind", "pinned", "present", "node_level")
        )
        self.start, self.end = things.columns["start"].array, things.columns["end"].array
        self.earlier: Int32Array = links.arrays["earlier"]
        self.later: Int32Array = links.arrays["later"]
        self.relation, self.role, self.evidence, self.slice, self.record = (
            links.arrays[name] for name in ("relation", "role", "evidence", "slice", "record")
        )
        self.down: Adjacency = links.down
        self.up: Adjacency = links.up
        self.impact_edges: object | None = None
        self.revisions: Revisions | None = None
        """See `later_revisions`: worked out at the first question, and carried on as the graph grows."""
        self._described: BoolArray | None = None
        self.doubts: tuple[float, float] | None = None
        """See `coverage`: worked out at the first question, and carried on as the graph grows."""

    # --- asking

    @property
    def described(self) -> BoolArray:
        """Per node: whether any record says what it is."""
        if self._described is None:
            self._described = self.kind != self.unsaid
        return self._described

    @property
    def undated(self) -> BoolArray:
        """Per node: whether it is there only because nobody knows since when."""
        if self._undated is None:
            self._undated = np.zeros(self.size, bool)
        return self._undated

    @property
    def alive(self) -> BoolArray:
        """Per edge id: whether the link holds."""
        return self.links.gone.alive(len(self.earlier))

    def edges(self, roles: Collection[str] | None = None) -> Int32Array:
        """The ids of all links that hold (None: in any role)."""
        if roles is None:
            chosen = self.alive
        else:
            wanted = np.zeros(len(self.words.roles), bool)
            wanted[[self.role_of[name] for name in roles]] = True
            chosen = wanted[self.role]
            chosen[self.links.gone.ids] = False
        return np.flatnonzero(chosen).astype(np.int32)

    def without(self, edges: Sequence[int] | Int32Array) -> LineageGraph:
        """The same graph as it would be if these links were wrong. Ids of edges and things stay the same."""
        less = copy.copy(self)
        less._show(self.things, self.links.without(np.asarray(edges, np.int32)))
        return less

    def settled(self) -> LineageGraph:
        """The same graph with its links put in order anew: with other edge ids."""
        found = copy.copy(self)
        found._show(self.things, self.links.settled(self.size))
        return found

    def find(self, iri: str) -> int | None:
        """The id of a thing that this reader may see, or None."""
        found = self.ids.get(iri)
        return found if found is not None and found < self.size and self.present[found] else None

    def kind_name(self, node: int) -> str:
        """The word for a node's kind; `entity` where no record says what it is."""
        return self.kind_names[int(self.kind[node])]

    def visibility(self, node: int) -> str:
        """The widest visibility among the records that speak of a node."""
        return self.level_names[int(self.node_level[node])]

    def evidence_name(self, edge: int) -> str:
        """The word for how it is known that a link holds."""
        strength = int(self.evidence[edge])
        return next(name for name, number in self.words.evidence.items() if number == strength)

    def records_about(self, node: int) -> list[str]:
        """The records that say what a thing is or how it links, in the order they were written."""
        one = np.array([node], np.int32)
        spoken = [self._said.describing(node)]
        spoken += [self.record[side.edges_of(one)] for side in (self.down, self.up)]
        numbers = np.unique(np.concatenate(spoken)).astype(np.int32)
        order = np.lexsort((numbers, self._said.written(numbers)))
        return [self.records[number] for number in numbers[order].tolist()]

    def of_kind(self, kind: str | None) -> Int32Array:
        """The described things of a kind (None: of any kind but parts), by id."""
        wanted = self.present & (self.kind < self.part if kind is None else self.kind == self.kind_of.get(kind, self.unsaid + 1))
        return np.flatnonzero(wanted).astype(np.int32)

    def downstream(self, seeds: Sequence[int] | Int32Array, limits: Limits | None = None) -> Reach:
        """What came of `seeds`, with distances; `seeds` themselves stand first at distance 0."""
        return self._limited(self.down, self.later, seeds, limits or Limits())

    def upstream(self, seeds: Sequence[int] | Int32Array, limits: Limits | None = None) -> Reach:
        """What `seeds` came from."""
        return self._limited(self.up, self.earlier, seeds, limits or Limits())

    def _limited(self, side: Adjacency, far: Int32Array, seeds: Sequence[int] | Int32Array, limits: Limits) -> Reach:
        return self.walk(side, far, seeds, limits.edge_mask(self), limits.stop_mask(self), limits.free_mask(self))

    def later_revisions(self) -> Revisions:
        """For each thing the revisions that say they revise it."""
        if self.revisions is None:
            edges = self.edges(("revise",))
            self.revisions = Revisions.of(self.earlier[edges], self.later[edges])
        return self.revisions

    def walk(
        self,
        side: Adjacency,
        far: Int32Array,
        seeds: Sequence[int] | Int32Array,
        usable: BoolArray | None,
        stop: BoolArray | None,
        free: BoolArray | None,
    ) -> Reach:
        """Breadth first from `seeds` over the edges of `side`, whose other ends are `far`.

        Only `usable` edges count; beyond `stop` nodes nothing is met; `free` nodes do not count as hops.
        """
        return walk(side, far, self.size, seeds, usable, stop, free)
