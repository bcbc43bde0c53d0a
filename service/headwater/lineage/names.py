"""Names as small integers, both ways, without a Python string for each: tens of millions of IRIs fit beside the arrays.

Most names stand in one run of UTF-8 bytes with the place where each ends, and are found by a sorted column of 64-bit hashes; this
part may be a file that is only paged in where it is read. The latest names stand in a dictionary until there are enough of them
to be worked in. A name keeps its number for good.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import overload

import numpy as np
from numpy.typing import NDArray

_MOST_RECENT = 65_536
"""So many names, or a quarter of the others, stand in the dictionary before they are worked in."""
_AT_ONCE = 4_096

ARRAYS = {"text": np.uint8, "ends": np.int64, "hashes": np.uint64, "numbers": np.int32}
"""What a store of names consists of on disk: bytes, where each name ends, sorted hashes, and the number for each hash."""


class _Part:
    """The names worked in so far (immutable), and those that came since (only ever added to)."""

    __slots__ = ("count", "ends", "hashes", "numbers", "recent", "recent_names", "text")

    def __init__(self, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        self.text, self.ends, self.hashes, self.numbers = (np.asarray(arrays[name], kind) for name, kind in ARRAYS.items())
        self.count = len(self.ends)
        self.recent: dict[str, int] = {}
        self.recent_names: list[str] = []

    def name(self, number: int) -> str:
        if number >= self.count:
            return self.recent_names[number - self.count]
        begin = int(self.ends[number - 1]) if number else 0
        return self.text[begin : int(self.ends[number])].tobytes().decode("utf-8", "surrogatepass")

    def names(self, first: int, last: int) -> list[str]:
        """The names from `first` up to `last`, read at once."""
        within = min(last, self.count)
        found = []
        if first < within:
            begin = int(self.ends[first - 1]) if first else 0
            ends = self.ends[first:within] - begin
            data = self.text[begin : begin + int(ends[-1])].tobytes()
            edges = [0, *ends.tolist()]
            found = [data[a:b].decode("utf-8", "surrogatepass") for a, b in pairwise(edges)]
        return found + self.recent_names[max(first - self.count, 0) : max(last - self.count, 0)]

    def find(self, names: Sequence[str]) -> list[int]:
        """The number of each name, -1 where it is not known."""
        found = [self.recent.get(name, -1) for name in names]
        if not self.count:
            return found
        asked = [place for place, number in enumerate(found) if number < 0]
        if asked:
            texts = [_bytes(names[place]) for place in asked]
            hashes = _hashed(texts)
            places = np.searchsorted(self.hashes, hashes).tolist()
            for place, text, hashed, at in zip(asked, texts, hashes.tolist(), places, strict=True):
                while at < self.count and int(self.hashes[at]) == hashed:
                    number = int(self.numbers[at])
                    begin = int(self.ends[number - 1]) if number else 0
                    if self.text[begin : int(self.ends[number])].tobytes() == text:
                        found[place] = number
                        break
                    at += 1
        return found

    def whole(self) -> _Part:
        """All names worked in."""
        if not self.recent_names:
            return self
        texts = [_bytes(name) for name in self.recent_names]
        hashes = _hashed(texts)
        order = np.argsort(hashes, kind="stable")
        places = np.searchsorted(self.hashes, hashes[order], side="right")
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        return _Part(
            {
                "text": np.concatenate((self.text, np.frombuffer(b"".join(texts), np.uint8))),
                "ends": np.concatenate((self.ends, len(self.text) + np.cumsum(lengths))),
                "hashes": np.insert(self.hashes, places, hashes[order]),
                "numbers": np.insert(self.numbers, places, (self.count + order).astype(np.int32)),
            }
        )


def _bytes(name: str) -> bytes:
    # What people ask for may hold half a surrogate pair: it is a name that nobody has, and no error.
    return name.encode("utf-8", "surrogatepass")


def _hashed(texts: Iterable[bytes]) -> NDArray[np.uint64]:
    return np.frombuffer(b"".join([blake2b(text, digest_size=8).digest() for text in texts]), np.uint64)


class Names:
    """Names by number and numbers by name.

    >>> names = Names(["urn:a"])
    >>> names.add(["urn:b", "urn:a", "urn:b"]), len(names), names.name(1)
    ([1, 0, 1], 2, 'urn:b')
    >>> names.find("urn:c") is None
    True
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._part = _Part({name: np.zeros(0, kind) for name, kind in ARRAYS.items()})
        self.add(names)

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[np.generic]], recent: Sequence[str] = ()) -> Names:
        """Names as `arrays` gives them, and those that came after them."""
        names = cls()
        names._part = _Part(arrays)
        names.add(recent)
        return names

    def __len__(self) -> int:
        part = self._part
        return part.count + len(part.recent_names)

    def add(self, names: Sequence[str]) -> list[int]:
        """The number of each name; one that is not known gets the next."""
        part = self._part
        found = part.find(names)
        if -1 in found:
            recent, recent_names = part.recent, part.recent_names
            for place, number in enumerate(found):
                if number < 0:
                    name = names[place]
                    known = recent.get(name)
                    if known is None:
                        known = part.count + len(recent_names)
                        recent_names.append(name)
                        recent[name] = known
                    found[place] = known
            if len(recent_names) > max(_MOST_RECENT, part.count // 4):
                self._part = part.whole()
        return found

    def fill(self, names: Sequence[str]) -> None:
        """Add many names that differ from each other and from all known ones; their numbers go on in order."""
        for start in range(0, len(names), _MOST_RECENT * 8):
            part = self._part.whole()
            part.recent_names = list(names[start : start + _MOST_RECENT * 8])
            self._part = part.whole()

    def find(self, name: str) -> int | None:
        """The number of a name, or None."""
        number = self._part.find([name])[0]
        return None if number < 0 else number

    def name(self, number: int) -> str:
        """The name of a number; raises `IndexError` where there is none."""
        return self._part.name(number)

    def between(self, first: int, last: int) -> list[str]:
        """The names from one number up to another."""
        return self._part.names(first, last)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """All names as the four columns of `ARRAYS`; what came lately is worked in for it."""
        self._part = part = self._part.whole()
        return {"text": part.text, "ends": part.ends, "hashes": part.hashes, "numbers": part.numbers}

    def ids(self, size: int) -> NameIds:
        """Numbers by name, of the first `size` names."""
        return NameIds(self, size)

    def listed(self, size: int) -> NameList:
        """The first `size` names by number."""
        return NameList(self, size)


class NameList(Sequence[str]):
    """The first names of a store, as a list that decodes what is asked for. Names that come later do not show in it."""

    __slots__ = ("_names", "_size")

    def __init__(self, names: Names, size: int) -> None:
        self._names, self._size = names, size

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            first, last, step = place.indices(self._size)
            if step == 1:
                return self._names.between(first, max(first, last))
            return [self._names.name(number) for number in range(first, last, step)]
        number = int(place)
        if number < 0:
            number += self._size
        if not 0 <= number < self._size:
            raise IndexError(f"There are {self._size} names, and none has the number {place}.")
        return self._names.name(number)

    def __iter__(self) -> Iterator[str]:
        for first in range(0, self._size, _AT_ONCE):
            yield from self._names.between(first, min(first + _AT_ONCE, self._size))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, NameList) and other._names is self._names:
            return other._size == self._size
        if not isinstance(other, Sequence) or isinstance(other, str) or len(other) != self._size:
            return False
        return all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]


def of_one_store(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether two lists number the same names: one of them then begins with all of the other."""
    return isinstance(first, NameList) and isinstance(second, NameList) and first._names is second._names


class NameIds(Mapping[str, int]):
    """Numbers by name, of the first names of a store."""

    __slots__ = ("_names", "_size")

    def __init__(self, names: Names, size: int) -> None:
        self._names, self._size = names, size

    def __getitem__(self, name: str) -> int:
        number = self._names.find(name)
        if number is None or number >= self._size:
            raise KeyError(name)
        return number

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[str]:
        return iter(NameList(self._names, self._size))
