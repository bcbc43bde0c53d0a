"""One worker of the sandbox: a process that answers queries on a snapshot until it is told to stop, or killed.

Started by the pool as `python -m headwater.store.sandbox.worker`; it reads messages from its standard input and writes to its
standard output. It opens what it is told to and writes nowhere else.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from pyoxigraph import NamedNode, Store

from headwater.errors import HeadwaterError, TooLarge
from headwater.store import serialising
from headwater.store.sandbox import frames, scratch

_PIECE = 1 << 16


class _Answer:
    """Sends an answer piece by piece; over the limit it stops the serialiser at once, and with it the query."""

    def __init__(self, descriptor: int, limit: int | None) -> None:
        self._descriptor = descriptor
        self._limit = limit
        self._head = b""
        self._held = bytearray()
        self._total = 0

    def begin(self, media_type: str) -> None:
        """Say how the answer is written; goes out with its first piece."""
        self._head = frames.packed(frames.BEGIN, json.dumps({"media_type": media_type}).encode())

    def write(self, data: bytes, /) -> int:
        self._total += len(data)
        if self._limit is not None and self._total > self._limit:
            raise TooLarge(
                f"The answer is larger than {self._limit // 2**20} MiB.",
                remedy="Ask for less (LIMIT, fewer columns), or raise max_answer_mb.",
            )
        self._held += data
        if len(self._held) >= _PIECE:
            self.flush()
        return len(data)

    def flush(self, end: bytes = b"") -> None:
        """Send what is held, and then `end`. All at once: each message by itself wakes the service once more."""
        piece = frames.packed(frames.CHUNK, bytes(self._held)) if self._held else b""
        if messages := self._head + piece + end:
            frames.write(self._descriptor, messages)
            self._head = b""
            self._held.clear()


class Worker:
    """Keeps the snapshot that it was last told open, and the lists of graphs that it was told."""

    def __init__(self, out: int, memory: int) -> None:
        self._out = out
        self._memory = memory
        self._path = ""
        self._store: Store | None = None
        self._lists: dict[str, list[NamedNode]] = {}

    def serve(self, inbox: frames.Inbox) -> None:
        """Answer until the pipe is closed."""
        frames.send(self._out, frames.READY)
        while True:
            _, body = inbox.take()
            try:
                self._answer(json.loads(body))
            except HeadwaterError as error:
                frames.send_json(self._out, frames.FAILED, frames.told(error))
            except MemoryError:
                frames.send_json(self._out, frames.FAILED, {"error": "", "detail": "memory", "remedy": "", "extra": {}})
                return

    def _answer(self, asked: dict[str, Any]) -> None:
        for name, graphs in asked.get("lists", {}).items():
            self._lists[name] = [NamedNode(graph) for graph in graphs]
        store = self._opened(asked["snapshot"])
        answer = _Answer(self._out, asked["max_bytes"])
        if asked["act"] == "update":
            scratch.update(store, asked, answer.begin, answer)
        else:
            results = serialising.run(
                store, asked["text"], self._lists[asked["graphs"]], self._lists[asked["named"]], base=asked["base"]
            )
            serialising.write(results, asked["accept"], answer, answer.begin)
            # Dropped here and not with the next query: a result holds its part of the store.
            del results
        answer.flush(frames.packed(frames.END))

    def _opened(self, path: str) -> Store:
        if self._store is None or path != self._path:
            self._store = None
            # The limit does not hold while a snapshot is opened: how much of it is mapped is no fault of the query.
            _limit(None)
            self._store, self._path = Store.read_only(path), path
            _limit(self._memory)
        return self._store


def _limit(memory: int | None) -> None:
    """Let this process have `memory` more bytes of address space than it has now (None: as much as it likes)."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        if memory is None:
            resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
            return
        with Path("/proc/self/statm").open(encoding="ascii") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
        wanted = now + memory
        resource.setrlimit(resource.RLIMIT_AS, (wanted if hard < 0 else min(wanted, hard), hard))


def main() -> None:
    """Serve over standard input and output; `argv[1]` is the memory that a query may take, in bytes."""
    out = os.dup(1)
    # Whatever writes to standard output by itself must not come between the messages.
    os.dup2(2, 1)
    with contextlib.suppress(frames.Gone, KeyboardInterrupt):
        Worker(out, int(sys.argv[1])).serve(frames.Inbox(0))


if __name__ == "__main__":
    main()
