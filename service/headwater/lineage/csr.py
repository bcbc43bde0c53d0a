"""Compressed sparse rows: which links leave (or reach) each thing; made at once, and grown by few without copying all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headwater.lineage.columns import Column

Int32Array = NDArray[np.int32]
BoolArray = NDArray[np.bool_]
_NONE = np.zeros(0, np.int32)
_FEW = 2_048
"""So few links are put in order faster by sorting than SciPy's matrix is made, and so few numbers are repeated as they stand."""


class Adjacency:
    """The edge ids that leave each node: those of node n stand in `order` from `start[n]` to `start[n + 1]`.

    >>> Adjacency(np.array([1, 0, 1], np.int32), 2).edges_of(np.array([1], np.int32)).tolist()
    [0, 2]
    """

    def __init__(self, ends: Int32Array, size: int) -> None:
        if len(ends) < _FEW:
            self._order: Int32Array | None = np.argsort(ends, kind="stable").astype(np.int32)
            self.start: Int32Array = np.zeros(size + 1, np.int32)
            np.cumsum(np.bincount(ends, minlength=size), out=self.start[1:])
            return
        from scipy.sparse import csr_array  # takes a sixth of a second to load, and small graphs do without

        # SciPy's conversion is a counting sort, linear in the edges: a sixth of the time of a stable argsort at a million.
        every = np.arange(len(ends), dtype=np.int32)
        rows = csr_array((every, (ends, every)), shape=(size, max(len(ends), 1)))
        self._order = rows.indices.astype(np.int32, copy=False)
        self.start = rows.indptr.astype(np.int32, copy=False)

    @classmethod
    def of(cls, order: Int32Array | None, start: Int32Array) -> Adjacency:
        """From arrays made before. Without `order` the edges stand in the order of their nodes."""
        found = cls.__new__(cls)
        found._order, found.start = order, start
        return found

    @property
    def order(self) -> Int32Array:
        if self._order is None:
            self._order = np.arange(int(self.start[-1]), dtype=np.int32)
        return self._order

    @property
    def size(self) -> int:
        """How many nodes there are."""
        return len(self.start) - 1

    def counts(self, nodes: Int32Array) -> Int32Array:
        """How many edges leave each of `nodes`."""
        found: Int32Array = self.start[nodes + 1] - self.start[nodes]
        return found

    def edges_of(self, nodes: Int32Array) -> Int32Array:
        """The ids of all edges that leave any of `nodes`, node by node."""
        first = self.start.take(nodes)
        places = spans(first, self.start.take(nodes + 1) - first)
        return places if self._order is None else self._order.take(places)


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


def among(values: NDArray[np.integer], known: NDArray[np.integer]) -> BoolArray:
    """Which of `values` are known, by sorting: np.isin hashes since NumPy 2.3, at four times the cost for a million."""
    if not len(known) or not len(values):
        return np.zeros(len(values), bool)
    return within(values, np.sort(known))


def within(values: NDArray[np.integer], ordered: NDArray[np.integer]) -> BoolArray:
    """Which of `values` are among those `ordered`, of which there is at least one."""
    found: BoolArray = ordered[np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)] == values
    return found


class Gone:
    """Edges that no longer hold, as ordered ids. `marks` has a bit for each edge that ever went, for a quick look."""

    __slots__ = ("ids", "marks")

    def __init__(self, ids: Int32Array, marks: Column) -> None:
        self.ids, self.marks = ids, marks

    def more(self, ids: Int32Array, count: int) -> Gone:
        """These and others, of `count` edges in all."""
        if not len(ids):
            return self
        self.marks.widen(count, False)
        # A mark too many does no harm to those who read an earlier state: they look it up in their own ids.
        self.marks.array[ids] = True
        return Gone(np.union1d(self.ids, ids).astype(np.int32), self.marks)

    def apart(self, ids: Int32Array, count: int) -> Gone:
        """These and others, with marks of their own."""
        both = np.union1d(self.ids, ids).astype(np.int32)
        marks = np.zeros(count, bool)
        marks[both] = True
        return Gone(both, Column(np.bool_, marks))

    def left_of(self, edges: Int32Array) -> Int32Array:
        """Those of `edges` that still hold."""
        if not len(self.ids):
            return edges
        suspects = self.marks.array[edges]
        if not suspects.any():
            return edges
        places = np.flatnonzero(suspects)
        return np.delete(edges, places[within(edges[places], self.ids)])

    def alive(self, count: int) -> BoolArray:
        """Which of the first `count` edges still hold."""
        found = np.ones(count, bool)
        found[self.ids[self.ids < count]] = False
        return found


class Grown(Adjacency):
    """An adjacency with edges that came later, and without those that went.

    `ends` are the nodes by edge id; `nodes` and `edges` the later edges ordered by node; `touched` has a bit for each node that
    any later edge leaves.
    """

    def __init__(
        self, below: Adjacency, ends: Int32Array, gone: Gone, size: int, touched: Column, nodes: Int32Array, edges: Int32Array
    ) -> None:
        self.below, self.ends, self.gone, self._size = below, ends, gone, size
        self._touched, self._nodes, self._edges = touched, nodes, edges
        self._plain: Adjacency | None = None
        self._numbers: Int32Array | None = None

    @classmethod
    def over(cls, below: Adjacency, ends: Int32Array, gone: Gone | None = None) -> Grown:
        """`below` as it is, ready to grow."""
        gone = gone or Gone(_NONE, Column(np.bool_))
        return cls(below, ends, gone, below.size, Column(np.bool_), _NONE, _NONE)

    @property
    def size(self) -> int:
        return self._size

    @property
    def later_edges(self) -> int:
        """How many edges came later."""
        return len(self._edges)

    @property
    def plain(self) -> bool:
        """Whether nothing came or went."""
        return not len(self._edges) and not len(self.gone.ids) and self._size == self.below.size

    def grown(self, ends: Int32Array, first: int, size: int, gone: Gone) -> Grown:
        """With the edges from id `first` on, `ends` being that of all edges, of `size` nodes."""
        if len(gone.ids):
            gone.marks.widen(len(ends), False)
        new = ends[first:]
        order = np.argsort(new, kind="stable")
        places = np.searchsorted(self._nodes, new[order], side="right")
        self._touched.widen(size, False)
        self._touched.array[new] = True
        nodes = np.insert(self._nodes, places, new[order])
        edges = np.insert(self._edges, places, (first + order).astype(np.int32))
        return Grown(self.below, ends, gone, size, self._touched, nodes, edges)

    def without(self, gone: Gone) -> Grown:
        """Without further edges."""
        return Grown(self.below, self.ends, gone, self._size, self._touched, self._nodes, self._edges)

    def counts(self, nodes: Int32Array) -> Int32Array:
        """At most so many edges leave each of `nodes`; those that went are counted."""
        inside = nodes < self.below.size
        found = np.zeros(len(nodes), np.int32)
        found[inside] = self.below.counts(nodes[inside])
        first, last = (np.searchsorted(self._nodes, nodes, side=side) for side in ("left", "right"))
        return (found + (last - first)).astype(np.int32)

    def edges_of(self, nodes: Int32Array) -> Int32Array:
        """The ids of all edges that leave any of `nodes`, in no order."""
        if self.plain:
            return self.below.edges_of(nodes)
        inside = nodes if self._size == self.below.size else nodes[nodes < self.below.size]
        found = self.below.edges_of(inside)
        if len(self._edges):
            touched = nodes[self._touched.array[nodes]]
            if len(touched):
                first = np.searchsorted(self._nodes, touched, side="left")
                last = np.searchsorted(self._nodes, touched, side="right")
                found = np.concatenate((found, self._edges[spans(first, last - first)]))
        return self.gone.left_of(found)

    def first_of(self, nodes: Int32Array, most: int) -> Int32Array:
        """Up to `most` edges of each of `nodes`, or a few more."""
        inside = nodes[nodes < self.below.size]
        begin = self.below.start[inside]
        places = spans(begin, np.minimum(self.below.start[inside + 1] - begin, most))
        found = places if self.below._order is None else self.below._order[places]
        first, last = (np.searchsorted(self._nodes, nodes, side=side) for side in ("left", "right"))
        later = self._edges[spans(first, np.minimum(last - first, most))]
        return self.gone.left_of(np.concatenate((found, later)).astype(np.int32, copy=False))

    @property
    def order(self) -> Int32Array:
        settled = self._settled()
        return settled.order if self._numbers is None else self._numbers

    @property
    def start(self) -> Int32Array:  # type: ignore[override]
        return self._settled().start

    def _settled(self) -> Adjacency:
        """All in one piece, for who works on the arrays themselves; made at the first call."""
        if self._plain is None:
            if self.plain:
                self._plain = self.below
            else:
                numbers = np.flatnonzero(self.gone.alive(len(self.ends))).astype(np.int32)
                self._plain = Adjacency(self.ends[numbers], self._size)
                self._numbers = numbers[self._plain.order]
        return self._plain
