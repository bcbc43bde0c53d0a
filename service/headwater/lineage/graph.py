"""Lineage as arrays to ask: compressed rows in both directions over integer ids, made from the index for one reader's levels."""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from headwater.terms.vocabulary import Vocabulary

Int32Array = NDArray[np.int32]
BoolArray = NDArray[np.bool_]
EVERY_LEVEL: frozenset[str] | None = None
_WITHOUT_ROLE = ("generate", "inform", "part")
"""Links that nobody states a role for; a question about roles goes through them, or it would end at every run."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What the index hands over: link and node columns of the records that a reader may see, and the names behind the numbers.

    Columns number records by their revisions: `records` and `levels` have an entry for each, in the order of arrival, and `since`
    the ledger's sequence number at which it was written. `undated` marks what is only there because nobody knows its time.
    """

    iris: list[str]
    ids: dict[str, int]
    relations: list[str]
    slices: list[str]
    records: list[str]
    levels: list[str]
    links: dict[str, NDArray[np.generic]]
    nodes: dict[str, NDArray[np.generic]]
    since: NDArray[np.int64] | None = None
    undated: BoolArray | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """What a traversal met: node ids in order of distance, the distances, and the edge ids between them."""

    nodes: Int32Array
    distance: Int32Array
    edges: Int32Array


class Adjacency:
    """Compressed sparse rows: the edge ids that leave each node."""

    def __init__(self, ends: Int32Array, size: int) -> None:
        # SciPy's conversion is a counting sort, linear in the edges: a sixth of the time of a stable argsort at a million.
        every = np.arange(len(ends), dtype=np.int32)
        rows = csr_array((every, (ends, every)), shape=(size, max(len(ends), 1)))
        self.order: Int32Array = rows.indices.astype(np.int32)
        self.start = rows.indptr.astype(np.int64)

    def edges_of(self, nodes: Int32Array) -> Int32Array:
        """The ids of all edges that leave any of `nodes`."""
        first = self.start.take(nodes)
        places = spans(first, self.start.take(nodes + 1) - first)
        return self.order.take(places)


_FEW = 2_000


def spans(first: NDArray[np.integer], counts: NDArray[np.integer]) -> Int32Array:
    """`counts` numbers from each of `first` on, one span after the other.

    >>> spans(np.array([5, 1]), np.array([2, 1])).tolist()
    [5, 6, 1]
    """
    ends = counts.cumsum()
    total = int(ends[-1]) if len(ends) else 0
    offset = (first - ends + counts).astype(np.int32)
    if total <= _FEW:
        found = np.repeat(offset, counts)
    else:
        # The steps between spans summed up: a third of the time of np.repeat, which copies each of many short spans by itself.
        some = (counts > 0).nonzero()[0]
        if len(some) < len(counts):
            offset, ends = offset.take(some), ends.take(some)
        found = np.zeros(total, np.int32)
        found[0] = offset[0]
        found[ends[:-1]] = offset[1:] - offset[:-1]
        found.cumsum(out=found)
    found += np.arange(total, dtype=np.int32)
    return found


class LineageGraph:
    """All steps of lineage that one reader may see.

    Per edge (int32 arrays of equal length): `earlier`, `later`, `relation`, `role`, `evidence` (its strength), `slice`,
    `record`. Per node: `kind` (position in the vocabulary's kinds; one more for parts, two more for "not described"),
    `pinned`, `start` (seconds since 1970 or NaN), `end` (of a run, or of a thing that ceased to be; NaN where it stands or nobody
    knows) and `undated` (in a graph of the past: there only because nobody knows since when).

    `as_of` and `known_at` say which past it shows; None where it shows the present.
    """

    def __init__(self, rows: Rows, words: Vocabulary, *, known_at: int | None = None, as_of: float | None = None) -> None:
        self.words = words
        self.known_at, self.as_of = known_at, as_of
        self.iris, self.ids = rows.iris, rows.ids
        self.relations, self.slices, self.records = rows.relations, rows.slices, rows.records
        self.size = len(rows.iris)
        self.part = len(words.kinds)
        self.unsaid = self.part + 1
        self.role_of = {role.name: position for position, role in enumerate(words.roles)}
        self.kind_of = {kind.name: position for position, kind in enumerate(words.kinds)}
        self.kind_names = (*(kind.name for kind in words.kinds), "part", "entity")
        self._describe(rows)
        self._connect(rows)
        self.down = Adjacency(self.earlier, self.size)
        self.impact_edges: object | None = None
        self._later_revisions: dict[int, list[int]] | None = None
        self.up = Adjacency(self.later, self.size)

    def _describe(self, rows: Rows) -> None:
        node = rows.nodes["node"].astype(np.int32)
        self.kind = np.full(self.size, self.unsaid, np.int8)
        np.minimum.at(self.kind, node, rows.nodes["kind"].astype(np.int8))
        self.pinned = np.zeros(self.size, bool)
        np.logical_or.at(self.pinned, node, rows.nodes["pinned"].astype(bool))
        self.start = np.full(self.size, np.nan)
        known = rows.nodes["start"].astype(np.float64)
        np.fmin.at(self.start, node, known)
        self.end = np.full(self.size, np.nan)
        if "end" in rows.nodes:
            np.fmax.at(self.end, node, rows.nodes["end"].astype(np.float64))
        present = np.zeros(self.size, bool)
        present[node] = True
        for end in ("earlier", "later"):
            present[rows.links[end].astype(np.int32)] = True
        self.present = present
        self.undated = np.zeros(self.size, bool) if rows.undated is None else rows.undated & present
        self._since = rows.since
        self._said_by = (node, rows.nodes["node_record"].astype(np.int32))
        self._said: Adjacency | None = None
        self._place(rows)
        self.described = self.kind != self.unsaid
        activities = [self.kind_of[name] for name in ("run", "agent") if name in self.kind_of]
        self.pinned |= np.isin(self.kind, activities)

    def _place(self, rows: Rows) -> None:
        """The widest visibility at which a node is spoken of: public before internal before a project's own."""
        self.level_names = sorted(set(rows.levels), key=lambda name: ({"public": 0, "internal": 1}.get(name, 2), name))
        rank = {name: position for position, name in enumerate(self.level_names)}
        level = np.array([rank[name] for name in rows.levels], np.int32)
        self.node_level = np.full(self.size, len(self.level_names), np.int32)
        if len(level):
            np.minimum.at(self.node_level, rows.nodes["node"].astype(np.int32), level[rows.nodes["node_record"].astype(np.int32)])
            for end in ("earlier", "later"):
                np.minimum.at(
                    self.node_level, rows.links[end].astype(np.int32), level[rows.links["link_record"].astype(np.int32)]
                )

    def visibility(self, node: int) -> str:
        """The widest visibility among the records that speak of a node."""
        return self.level_names[int(self.node_level[node])]

    def _connect(self, rows: Rows) -> None:
        columns = {name: values.astype(np.int32) for name, values in rows.links.items()}
        parts = (self.kind[columns["earlier"]] == self.part) | (self.kind[columns["later"]] == self.part)
        selves = columns["earlier"] == columns["later"]
        columns = {name: values[~(parts | selves)] for name, values in columns.items()}
        role = columns["role"]
        # An instrument or software that a run is associated with did the work; a person or group was responsible for it.
        tools = [self.kind_of[name] for name in ("instrument", "software") if name in self.kind_of]
        working = (role == self.role_of["responsible"]) & np.isin(self.kind[columns["earlier"]], tools)
        role = np.where(working, self.role_of["execute"], role).astype(np.int32)
        columns["role"] = role
        keep = self._most_specific(columns)
        columns = {name: values[keep] for name, values in columns.items()}
        self.earlier, self.later = columns["earlier"], columns["later"]
        self.relation, self.role, self.evidence = columns["relation"], columns["role"], columns["evidence"]
        self.slice, self.record = columns["slice"], columns["link_record"]

    def _most_specific(self, columns: dict[str, Int32Array]) -> BoolArray:
        """Leave out general links where a special one stands between the same two things, and repetitions."""
        general_roles = [position for position, role in enumerate(self.words.roles) if role.general]
        pair = columns["earlier"].astype(np.int64) * max(self.size, 1) + columns["later"]
        general = np.isin(columns["role"], general_roles)
        facing = np.zeros(self.size, bool)
        facing[columns["later"][general]] = True
        special = pair[~general & facing[columns["later"]]]
        keep = ~general
        keep[general] = ~_among(pair[general], special)
        derive = general & (columns["role"] == self.role_of["derive"]) & keep
        if derive.any():
            keep[np.flatnonzero(derive)[self._through_runs(columns, pair, derive)]] = False
        return keep

    def _through_runs(self, columns: dict[str, Int32Array], pair: NDArray[np.int64], derive: BoolArray) -> NDArray[np.int64]:
        """Those of the derivations (by position among them) for which a run tells, with a role, how the one went into the other.

        Goes from each derivation to the runs that made its product, never through all inputs times all outputs of a run.
        """
        role = columns["role"]
        stated = np.array([r.stated for r in self.words.roles], bool)
        uses = pair[stated[role] & (self.kind[columns["later"]] == self.kind_of["run"])]
        makes = np.flatnonzero(role == self.role_of["generate"])
        makers = Adjacency(columns["later"][makes], self.size)
        product = columns["later"][derive]
        counts = makers.start[product + 1] - makers.start[product]
        position = np.repeat(np.arange(len(product)), counts)
        run = columns["earlier"][makes[makers.edges_of(product)]].astype(np.int64)
        source = columns["earlier"][derive][position].astype(np.int64)
        return np.unique(position[_among(source * max(self.size, 1) + run, uses)])

    # --- asking

    def find(self, iri: str) -> int | None:
        """The id of a thing that this reader may see, or None."""
        found = self.ids.get(iri)
        return found if found is not None and found < self.size and self.present[found] else None

    def kind_name(self, node: int) -> str:
        """The word for a node's kind; `entity` where no record says what it is."""
        kind = int(self.kind[node])
        return self.kind_names[kind]

    def evidence_name(self, edge: int) -> str:
        """The word for how it is known that a link holds."""
        strength = int(self.evidence[edge])
        return next(name for name, number in self.words.evidence.items() if number == strength)

    def records_about(self, node: int) -> list[str]:
        """The records that say what a thing is or how it links, in the order they were written."""
        nodes, records = self._said_by
        if self._said is None:
            self._said = Adjacency(nodes, self.size)
        one = np.array([node], np.int32)
        numbers = set(records[self._said.edges_of(one)].tolist())
        for side in (self.down, self.up):
            numbers |= set(self.record[side.edges_of(one)].tolist())
        order = sorted(numbers, key=lambda number: (0 if self._since is None else int(self._since[number]), number))
        return [self.records[number] for number in order]

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

    def without(self, edges: Sequence[int]) -> LineageGraph:
        """The same graph as it would be if these links were wrong. Edge ids are its own; ids of things stay the same."""
        keep = np.ones(len(self.earlier), bool)
        keep[list(edges)] = False
        less = copy.copy(self)
        for name in ("earlier", "later", "relation", "role", "evidence", "slice", "record"):
            setattr(less, name, getattr(self, name)[keep])
        less.down, less.up = Adjacency(less.earlier, self.size), Adjacency(less.later, self.size)
        less.impact_edges = less._later_revisions = None
        return less

    def later_revisions(self) -> dict[int, list[int]]:
        """For each thing the revisions that say they revise it."""
        if self._later_revisions is None:
            self._later_revisions = {}
            edges = np.flatnonzero(self.role == self.role_of["revise"])
            for earlier, later in sorted(set(zip(self.earlier[edges].tolist(), self.later[edges].tolist(), strict=True))):
                self._later_revisions.setdefault(earlier, []).append(later)
        return self._later_revisions

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
        current = np.unique(np.asarray(seeds, np.int32))
        seen = np.zeros(self.size, bool)
        seen[current] = True
        slot = np.empty(self.size, np.int32)
        found, distances, edges = [current], [np.zeros(len(current), np.int32)], []
        level, at_seeds = 0, True
        while len(current):
            pending, following = current, []
            while len(pending):
                # Beyond a thing to stop at nothing is met, except from the seeds themselves.
                if stop is not None and not at_seeds:
                    pending = pending[~stop[pending]]
                at_seeds = False
                out = side.edges_of(pending)
                if usable is not None:
                    out = out[usable[out]]
                # Nothing is gone out from twice, so no edge comes twice either; np.unique here took most of the time.
                edges.append(out)
                fresh = far[out]
                fresh = fresh[~seen[fresh]]
                slot[fresh] = np.arange(len(fresh), dtype=np.int32)
                fresh = fresh[slot[fresh] == np.arange(len(fresh), dtype=np.int32)]
                seen[fresh] = True
                # What does not count as a hop stands at the distance of what led to it and is walked through at once.
                here = free[fresh] if free is not None else np.zeros(len(fresh), bool)
                found += [fresh[here], fresh[~here]]
                distances += [_full(fresh[here], level), _full(fresh[~here], level + 1)]
                following.append(fresh[~here])
                pending = fresh[here]
            current = np.concatenate(following)
            level += 1
        nodes = np.concatenate(found).astype(np.int32)
        distance = np.concatenate(distances)
        order = np.argsort(distance, kind="stable")
        used = np.concatenate(edges) if edges else np.zeros(0, np.int32)
        return Reach(nodes[order], distance[order], used.astype(np.int32))


def _among(values: NDArray[np.int64], known: NDArray[np.int64]) -> BoolArray:
    """Which of `values` are known, by sorting: np.isin hashes since NumPy 2.3, at four times the cost for a million."""
    if not len(known):
        return np.zeros(len(values), bool)
    ordered = np.sort(known)
    found: BoolArray = ordered[np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)] == values
    return found


def _full(nodes: Int32Array, level: int) -> Int32Array:
    return np.full(len(nodes), level, np.int32)


@dataclass(frozen=True, slots=True)
class Limits:
    """What narrows a traversal as part of the question: roles, evidence, where to stop, what is no hop.

    `roles` chooses among links that have a role; what a run made, followed or contains is always gone through.
    """

    roles: Collection[str] = ()
    min_evidence: int = 0
    stop_at: Collection[str] = ()
    ignore_as_hops: Collection[str] = ()

    def edge_mask(self, graph: LineageGraph) -> BoolArray | None:
        usable: BoolArray = graph.role != graph.role_of["deny"]
        if not self.roles and not self.min_evidence:
            return None if usable.all() else usable
        if self.roles:
            usable &= np.isin(graph.role, [graph.role_of[name] for name in (*self.roles, *_WITHOUT_ROLE)])
        if self.min_evidence:
            usable &= graph.evidence >= self.min_evidence
        return usable

    def stop_mask(self, graph: LineageGraph) -> BoolArray | None:
        return self._named(graph, self.stop_at)

    def free_mask(self, graph: LineageGraph) -> BoolArray | None:
        return self._named(graph, self.ignore_as_hops)

    @staticmethod
    def _named(graph: LineageGraph, names: Collection[str]) -> BoolArray | None:
        if not names:
            return None
        kinds = [graph.kind_of[name] for name in names if name in graph.kind_of]
        mask = np.isin(graph.kind, kinds)
        for name in names:
            node = graph.find(name)
            if node is not None:
                mask[node] = True
        return mask
