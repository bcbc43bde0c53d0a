"""Columns that only ever grow at the end, so that who reads the first part goes on undisturbed while more is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


class Column:
    """Numbers of one type. `array` is what there is now; it stays as it is when more is appended.

    >>> column = Column(np.int32, np.array([1, 2]))
    >>> before = column.array
    >>> column.append([3])
    >>> before.tolist(), column.array.tolist()
    ([1, 2], [1, 2, 3])
    """

    __slots__ = ("_buffer", "_size")

    def __init__(self, kind: type[np.generic], values: ArrayLike = (), *, spare: int = 0) -> None:
        given = np.asarray(values, kind)
        self._size = len(given)
        if spare:
            self._buffer: Array = np.empty(len(given) + spare, kind)
            self._buffer[: len(given)] = given
        else:
            self._buffer = given

    @classmethod
    def over(cls, buffer: Array, size: int) -> Column:
        """A column whose first `size` values stand in `buffer`, and that grows into the rest of it."""
        found = cls.__new__(cls)
        found._buffer, found._size = buffer, size
        return found

    def __len__(self) -> int:
        return self._size

    @property
    def array(self) -> Array:
        return self._buffer[: self._size]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._buffer.dtype

    def append(self, values: ArrayLike | Sequence[float]) -> None:
        """Add values at the end, in amortised constant time each."""
        given = np.asarray(values, self._buffer.dtype)
        needed = self._size + len(given)
        if needed > len(self._buffer):
            grown = np.empty(max(needed, len(self._buffer) + len(self._buffer) // 2, 64), self._buffer.dtype)
            grown[: self._size] = self.array
            self._buffer = grown
        self._buffer[self._size : needed] = given
        self._size = needed

    def widen(self, size: int, value: float | bool) -> None:
        """Grow to `size` with the same value."""
        if size > self._size:
            self.append(np.full(size - self._size, value, self._buffer.dtype))


Columns = dict[str, Column]


def columns_of(kinds: Mapping[str, type[np.generic]]) -> Columns:
    """Empty columns of these types."""
    return {name: Column(kind) for name, kind in kinds.items()}


def picked(columns: Mapping[str, Array], which: Array) -> dict[str, Array]:
    """The same rows of each column."""
    return {name: values[which] for name, values in columns.items()}


def joined(tables: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    """The rows of several tables with the same columns, one after the other."""
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}


def difference(new: Mapping[str, Array], old: Mapping[str, Array]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which rows of `new` are more than `old` has, and the other way round; equal rows stand for each other one by one.

    >>> difference({"a": np.array([1, 2, 2])}, {"a": np.array([2, 3])})
    (array([0, 2]), array([1]))
    """
    count = len(next(iter(new.values())))
    keys = [_comparable(np.concatenate((values, old[name]))) for name, values in new.items()]
    total = len(keys[0])
    if not total:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    order = np.lexsort(keys)
    fresh = np.zeros(total, bool)
    fresh[0] = True
    for key in keys:
        ordered = key[order]
        fresh[1:] |= ordered[1:] != ordered[:-1]
    group = np.cumsum(fresh) - 1
    is_new = order < count
    starts = np.flatnonzero(fresh)
    # lexsort is stable, so that within a group the new rows come first; each old one cancels one of them.
    news = np.bincount(group, is_new, len(starts)).astype(np.int64)
    olds = np.bincount(group, ~is_new, len(starts)).astype(np.int64)
    rank = np.arange(total) - starts[group]
    common = np.minimum(news, olds)[group]
    more = is_new & (rank >= common)
    less = ~is_new & (rank - news[group] >= common)
    return np.sort(order[more]).astype(np.int64), np.sort(order[less] - count).astype(np.int64)


def _comparable(values: Array) -> Array:
    # An unknown time equals an unknown time.
    return values.view(np.int64) if values.dtype == np.float64 else values
