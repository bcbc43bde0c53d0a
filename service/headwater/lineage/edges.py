"""The links of a graph as columns, found from both ends; changed by adding at the end and by naming what went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from headwater.lineage.columns import Array, Column
from headwater.lineage.csr import Adjacency, Gone, Grown, Int32Array

KINDS: dict[str, type[np.generic]] = {
    "earlier": np.int32,
    "later": np.int32,
    "relation": np.int16,
    "role": np.int8,
    "evidence": np.int8,
    "slice": np.int32,
    "record": np.int32,
}
"""The columns of links, in the smallest types that hold what ten million links have."""
_SPARE = 4_096


def spare_for(count: int) -> int:
    """Room for what comes later, beside `count` things: more than may come before all is put in order again."""
    return _SPARE + count // 16


@dataclass(frozen=True, slots=True)
class Links:
    """Links by edge id: `arrays` holds the columns, `down` and `up` which links leave and reach a thing.

    At first they stand in the order of their earlier ends, so that going downstream reads memory in one direction.
    """

    arrays: Mapping[str, Array]
    down: Grown
    up: Grown
    _columns: Mapping[str, Column]

    @classmethod
    def of(cls, arrays: Mapping[str, Array], which: Array | None, size: int) -> Links:
        """Those of the links in `arrays` that stand at the positions `which` (None: all), between `size` things."""
        ends = np.asarray(arrays["earlier"] if which is None else arrays["earlier"][which], np.int32)
        found = Adjacency(ends, size)
        order = found.order if which is None else which[found.order]
        count = len(order)
        columns = {}
        for name, kind in KINDS.items():
            buffer = np.empty(count + spare_for(count), kind)
            np.take(arrays[name].astype(kind, copy=False), order, out=buffer[:count], mode="clip")
            columns[name] = Column.over(buffer, count)
        return cls.over(columns, found.start, Adjacency(columns["later"].array, size))

    @classmethod
    def over(cls, columns: Mapping[str, Column], down: Int32Array, up: Adjacency) -> Links:
        """Links in the order of their earlier ends, of which those of node n stand from `down[n]` to `down[n + 1]`."""
        arrays = {name: column.array for name, column in columns.items()}
        down_rows = Grown.over(Adjacency.of(None, down), arrays["earlier"])
        return cls(arrays, down_rows, Grown.over(up, arrays["later"], down_rows.gone), columns)

    @property
    def count(self) -> int:
        """How many edge ids there are, those that went with them."""
        return len(self.arrays["earlier"])

    @property
    def gone(self) -> Gone:
        return self.down.gone

    @property
    def changes(self) -> int:
        """How many links came or went since all were put in order."""
        return self.down.later_edges + len(self.gone.ids)

    def changed(self, went: Int32Array, came: Mapping[str, Array], size: int) -> Links:
        """Without the links `went` and with `came`, between `size` things. Edge ids stay as they are."""
        before = self.count
        for name, column in self._columns.items():
            column.append(came[name])
        arrays = {name: column.array for name, column in self._columns.items()}
        gone = self.gone.more(went, before)
        down = self.down.grown(arrays["earlier"], before, size, gone)
        return Links(arrays, down, self.up.grown(arrays["later"], before, size, gone), self._columns)

    def without(self, edges: Int32Array) -> Links:
        """The same without some links, in a view of its own that nothing is added to."""
        gone = self.gone.apart(edges, self.count)
        return Links(self.arrays, self.down.without(gone), self.up.without(gone), self._columns)

    def settled(self, size: int) -> Links:
        """All that holds, put in order anew: with other edge ids."""
        alive = np.flatnonzero(self.gone.alive(self.count)).astype(np.int32) if len(self.gone.ids) else None
        return Links.of(self.arrays, alive, size)
