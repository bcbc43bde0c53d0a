"""What was asked, by whom, how long it took and how it ended: a line of JSON each, without tokens or what stands in quotes."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import queue
import re
import threading
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from headwater.store.guard import TOKEN

LOGS: Final = "logs"
FILE: Final = "queries.jsonl"
SLOW_SHOWN: Final = 20
WINDOW_S: Final = 6 * 3600.0
_SHOWN = 500
_WAITING = 10_000
_HELD = 200
_SHORT = 4_000
_GATHERED_S = 0.05
_log = logging.getLogger("headwater.queries")
# What an address may carry besides the place: a name with a password, and whatever is signed or asked.
_IN_ADDRESS = re.compile(r"(?<=//)[^/\s<>@]*@|\?[^\s<>#]*")


def masked(text: str) -> str:
    """The first 500 characters of a query, with literals, comments, and the secret parts of addresses left out.

    >>> masked("SELECT * { ?s rdfs:label 'pass word' ; a <http://me:pw@x.org/a?key=1> } # mine")
    "SELECT * { ?s rdfs:label '…' ; a <http://x.org/a> } #…"
    """
    told: list[str] = []
    size = 0
    for token in TOKEN.finditer(text):
        piece = token[0]
        if token.lastgroup == "string" and (len(piece) > 2 or text[token.end() : token.end() + 1] != piece[0]):
            piece = f"{piece[0]}…{piece[0]}"
        elif token.lastgroup == "comment":
            piece = "#…"
        elif token.lastgroup == "iri":
            piece = _IN_ADDRESS.sub("", piece)
        elif piece[0] in "\"'":
            # A literal without an end (or three quotes that begin one): what follows may be anything.
            told.append(piece + "…")
            break
        told.append(piece)
        size += len(piece)
        if size >= _SHOWN:
            break
    return "".join(told)[:_SHOWN]


class QueryLog:
    """Takes lines from any thread at once and writes them in one of its own; keeps the slowest of the last hours at hand.

    The file is begun anew at half of `most` bytes, and the one before is kept. Where writing fails, lines are counted as lost
    and nothing else happens: a full disk must not end questions. `folder` None keeps no file.
    """

    def __init__(self, folder: Path | None, most: int, clock: Callable[[], str]) -> None:
        self._path = folder / FILE if folder is not None else None
        self._half = max(1, most // 2)
        self._clock = clock
        self._queue: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._slow: list[tuple[float, float, dict[str, Any]]] = []
        self.lost = 0

    def note(self, *, kind: str, text: str, reader: str, seconds: float, outcome: str, **more: Any) -> None:
        """Note one question; returns at once. `more` are further members of the line, such as `bytes` and `sequence`."""
        entry = {
            "at": self._clock(),
            "kind": kind,
            "reader": reader,
            "outcome": outcome,
            "seconds": round(seconds, 4),
            **more,
        }
        entry["digest"], entry["text"] = _told(text) if len(text) <= _SHORT else _tell(text)
        self._remember(seconds, entry)
        if self._path is None:
            return
        if self._queue.qsize() < _WAITING:
            self._queue.put(entry)
        else:
            self.lost += 1
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._work, name="headwater-query-log", daemon=True)
                    self._thread.start()

    def slowest(self, number: int = SLOW_SHOWN) -> list[dict[str, Any]]:
        """The slowest questions of the last hours, the slowest first."""
        with self._lock:
            self._prune(time.monotonic())
            return [entry for _, _, entry in self._slow[:number]]

    def _remember(self, seconds: float, entry: dict[str, Any]) -> None:
        now = time.monotonic()
        with self._lock:
            if len(self._slow) >= _HELD and seconds <= self._slow[-1][0]:
                return
            self._slow.append((seconds, now, entry))
            self._slow.sort(key=lambda held: held[0], reverse=True)
            self._prune(now)

    def _prune(self, now: float) -> None:
        self._slow = [held for held in self._slow if now - held[1] < WINDOW_S][:_HELD]

    def _work(self) -> None:
        failed = False
        while (entry := self._queue.get()) is not None:
            # A thread that is woken for each line takes more from the answers than all that it writes.
            self._ending.wait(_GATHERED_S)
            lines = [_line(entry)]
            ending = False
            while not self._queue.empty():
                more = self._queue.get()
                if more is None:
                    ending = True
                    break
                lines.append(_line(more))
            try:
                while lines:
                    held = [lines.pop(0)]
                    while lines and sum(map(len, held)) + len(lines[0]) <= self._half:
                        held.append(lines.pop(0))
                    self._write(b"".join(held))
                failed = False
            except OSError as error:
                self.lost += len(held) + len(lines)
                if not failed:
                    _log.warning("the log of queries cannot be written: %s", error)
                failed = True
            if ending:
                return

    def _write(self, lines: bytes) -> None:
        assert self._path is not None
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._path.exists() and self._path.stat().st_size + len(lines) > self._half:
            self._path.replace(_before(self._path))
        # Only for the service's own user: who asked what is nobody else's business.
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(lines)

    def close(self) -> None:
        """Write what waits, and end."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            self._ending.set()
            self._queue.put(None)
            thread.join(timeout=5)


def _tell(text: str) -> tuple[str, str]:
    """How a text is told: a digest of it, and what may be shown."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16], masked(text)


_told = lru_cache(maxsize=512)(_tell)


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, ensure_ascii=True, separators=(",", ":"), default=str).encode() + b"\n"


def _before(path: Path) -> Path:
    return path.with_name("queries.1.jsonl")


def slowest_on_file(data: Path, since: str, number: int = 5) -> list[dict[str, Any]]:
    """The slowest questions since a time (as the log writes it) in the log of a data folder, also while it is in use."""
    path = data / LOGS / FILE
    found = [entry for part in (_before(path), path) for entry in _entries(part) if entry.get("at", "") >= since]
    return sorted(found, key=lambda entry: entry.get("seconds", 0.0), reverse=True)[:number]


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                entry = json.loads(line)
            except ValueError:
                # A line that a crash cut short.
                continue
            if isinstance(entry, dict):
                yield entry
