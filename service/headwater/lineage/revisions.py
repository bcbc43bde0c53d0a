"""Which things are later revisions of which, ready to be asked for any thing, and kept up to date as a graph grows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from headwater.lineage.csr import Int32Array


class Revisions(Mapping[int, list[int]]):
    """For each thing that has any, the later revisions of it, by id.

    >>> found = Revisions.of(np.array([5, 1, 5], np.int32), np.array([7, 2, 6], np.int32))
    >>> found[5], found.get(2, []), list(found)
    ([6, 7], [], [1, 5])
    """

    __slots__ = ("_changed", "_first", "_later", "_nodes")

    def __init__(self, nodes: Int32Array, first: Int32Array, later: Int32Array, changed: Mapping[int, list[int]]) -> None:
        self._nodes, self._first, self._later, self._changed = nodes, first, later, changed

    @classmethod
    def of(cls, earlier: Int32Array, later: Int32Array) -> Revisions:
        """From the ends of all links of revision, in any order and as often as they are stated."""
        pairs = np.unique(earlier.astype(np.int64) << 32 | later)
        nodes, first = np.unique(pairs >> 32, return_index=True)
        ends = np.append(first, len(pairs)).astype(np.int32)
        return cls(nodes.astype(np.int32), ends, (pairs & 0xFFFFFFFF).astype(np.int32), {})

    def __getitem__(self, node: int) -> list[int]:
        found = self._changed.get(node)
        if found is None:
            place = int(np.searchsorted(self._nodes, node))
            if place == len(self._nodes) or self._nodes[place] != node:
                raise KeyError(node)
            found = self._later[self._first[place] : self._first[place + 1]].tolist()
        if not found:
            raise KeyError(node)
        return found

    def __iter__(self) -> Iterator[int]:
        return iter(self.nodes.tolist())

    def __len__(self) -> int:
        return len(self.nodes)

    @property
    def nodes(self) -> Int32Array:
        """The things that have later revisions, in order."""
        if not self._changed:
            return self._nodes
        gone = [node for node, later in self._changed.items() if not later]
        there = [node for node, later in self._changed.items() if later]
        return np.setdiff1d(np.union1d(self._nodes, np.array(there, np.int32)), gone).astype(np.int32)

    def amended(self, changed: Mapping[int, list[int]]) -> Revisions:
        """These, with other revisions of some things; a thing without any has an empty list."""
        return Revisions(self._nodes, self._first, self._later, {**self._changed, **changed}) if changed else self
