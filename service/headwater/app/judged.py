"""Verdicts on announced changes, kept as long as the graph stays the same and memory allows."""

from __future__ import annotations

import threading
from collections import OrderedDict

from headwater.lineage.graph import LineageGraph
from headwater.lineage.verdict import Change, Verdicts, judge

_MOST_BYTES = 96 * 2**20
_PER_THING = 16
"""Bytes that a verdict keeps for each thing met, its log included; for each thing of the graph it is two."""


class Judged:
    """The verdicts of one state of the ledger, up to so many bytes; the one used longest ago goes first.

    A verdict holds its graph, and each write makes another graph, so what is kept must be let go of when the ledger goes on.
    (Kept under the graphs as weak keys, nothing ever went: the verdicts under a key held it.)
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[tuple[int, Change], tuple[Verdicts, int]] = OrderedDict()
        self._size = 0
        self._sequence = -1
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def on(self, change: Change, graph: LineageGraph, sequence: int) -> Verdicts:
        """The verdicts on a change in a graph, when the ledger has come to `sequence`."""
        # The number stands for the graph: the verdict kept under it holds the graph, so that no other gets the same number.
        key = id(graph), change
        with self._lock:
            if sequence > self._sequence:
                self._kept.clear()
                self._size, self._sequence = 0, sequence
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        found = judge(graph, change)
        size = _PER_THING * len(found.nodes) + 2 * graph.size
        with self._lock:
            if sequence == self._sequence and key not in self._kept:
                self._kept[key] = found, size
                self._size += size
                while self._size > self._most and len(self._kept) > 1:
                    self._size -= self._kept.popitem(last=False)[1][1]
        return found
