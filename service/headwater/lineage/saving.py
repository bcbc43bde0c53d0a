"""Arrays in one file that is complete or not there at all, and that is read only where it is looked at.

The file begins with a table of what it holds and ends with it; between stand the arrays, each at a page of its own and with room
to grow. It is mapped into memory: opening it reads the table, and pages come in as they are needed. What is changed in memory
stays in memory. Every mebibyte has a checksum: a small file is checked whole when it is opened, a large one in places (the
beginning and the end of each array, and some blocks at random), because reading it all would take longer than the opening is for.
"""

from __future__ import annotations

import json
import mmap
import os
import random
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from headwater.lineage.columns import Array, Column

_MAGIC = b"headwater lineage\n"
_PAGE = 4096
_BLOCK = 2**18
_CHECKED_WHOLE = 32 * 2**20
_SOME = 16


@dataclass(slots=True)
class Saved:
    """What a file holds: facts (JSON), and arrays by name, writable in memory only."""

    facts: dict[str, Any]
    arrays: dict[str, Column]

    def part(self, prefix: str) -> dict[str, Column]:
        """The arrays whose names begin with `prefix` and a slash, by the rest of their names."""
        return {name[len(prefix) + 1 :]: column for name, column in self.arrays.items() if name.startswith(prefix + "/")}


def write(path: Path, facts: Mapping[str, Any], arrays: Mapping[str, Array], spare: Mapping[str, int]) -> None:
    """Write a file that then holds `facts` and `arrays`, each with room for `spare` more values; raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    table = []
    try:
        with partial.open("wb") as file:
            file.seek(_PAGE)
            for name, values in arrays.items():
                begin = _page_after(file.tell())
                file.seek(begin)
                data = np.ascontiguousarray(values).view(np.uint8).data
                sums = []
                for place in range(0, len(data), _BLOCK):
                    block = data[place : place + _BLOCK]
                    sums.append(zlib.crc32(block))
                    file.write(block)
                table.append([name, values.dtype.str, len(values), spare.get(name, 0), begin, sums])
                file.seek(begin + (len(values) + spare.get(name, 0)) * values.dtype.itemsize)
            place = _page_after(file.tell())
            told = json.dumps({"facts": dict(facts), "arrays": table}).encode()
            file.seek(place)
            file.write(told)
            file.seek(0)
            head = {"table": place, "length": len(told), "sum": zlib.crc32(told)}
            file.write(_MAGIC + json.dumps(head).encode())
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def read(path: Path, *, whole: bool = False) -> Saved | None:
    """What a file holds, or None where it is not there, torn, damaged, or of another kind. `whole` checks every block."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size <= _PAGE:
                return None
            told = _table(file, size)
            if told is None or not _sound(file, told["arrays"], whole=whole or size <= _CHECKED_WHOLE):
                return None
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        arrays: dict[str, Column] = {}
        for name, kind, count, spare, begin, _ in told["arrays"]:
            dtype = np.dtype(kind)
            room = count + spare
            arrays[name] = Column.over(np.frombuffer(mapped, dtype, room, begin) if room else np.empty(0, dtype), count)
        return Saved(told["facts"], arrays)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _table(file: BinaryIO, size: int) -> dict[str, Any] | None:
    head = file.read(_PAGE)
    if not head.startswith(_MAGIC):
        return None
    said = json.loads(head[len(_MAGIC) :].rstrip(b"\0"))
    if said["table"] + said["length"] != size:
        return None
    file.seek(said["table"])
    text = file.read(said["length"])
    if zlib.crc32(text) != said["sum"]:
        return None
    told: dict[str, Any] = json.loads(text)
    return told


def _sound(file: BinaryIO, table: list[list[Any]], *, whole: bool) -> bool:
    """Whether the blocks have their checksums. They are read, not mapped: checked pages would count as memory in use."""
    blocks = [(entry, number) for entry in table for number in range(len(entry[5]))]
    if not whole:
        some = random.SystemRandom().sample(blocks, min(_SOME, len(blocks)))
        blocks = [(entry, 0) for entry in table if entry[5]] + some
    for (_, kind, count, _, begin, sums), number in blocks:
        first = number * _BLOCK
        file.seek(begin + first)
        if zlib.crc32(file.read(min(_BLOCK, count * np.dtype(kind).itemsize - first))) != sums[number]:
            return False
    return True


def _page_after(place: int) -> int:
    return -(-place // _PAGE) * _PAGE
