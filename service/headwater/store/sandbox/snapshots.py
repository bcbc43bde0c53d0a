"""Snapshots of a store for readers in other processes: made when a newer state is asked for, removed when nobody reads them."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable


@runtime_checkable
class Checkpointed(Protocol):
    """A store that can be copied for reading."""

    def sequence(self) -> int: ...

    def checkpoint(self, folder: Path) -> int: ...


@dataclass(slots=True)
class Snapshot:
    """A copy of the store at one sequence number, and how many workers have it open."""

    path: Path
    sequence: int
    users: int = 0


class Snapshots:
    """The snapshots under one folder, which nobody else uses; what an earlier process left there is removed."""

    def __init__(self, store: Checkpointed, folder: Path, staleness: float = 0.0) -> None:
        self._store = store
        self._folder = folder
        self._staleness = staleness
        self._made = 0.0
        self._lock = threading.Lock()
        self._number = 0
        self._all: list[Snapshot] = []
        shutil.rmtree(folder, ignore_errors=True)

    def take(self, *, fresh: bool = False) -> Snapshot:
        """A snapshot of the present state (or one not older than the staleness), counted as in use until it is given back."""
        with self._lock:
            if not self._all or (self._all[-1].sequence != self._store.sequence() and (fresh or self._old())):
                self._make()
            snapshot = self._all[-1]
            snapshot.users += 1
            return snapshot

    def newest(self) -> Snapshot | None:
        """The snapshot that `take` would give, if it is there already and nobody is making one."""
        if not self._lock.acquire(blocking=False):
            return None
        try:
            if not self._all or (self._all[-1].sequence != self._store.sequence() and self._old()):
                return None
            self._all[-1].users += 1
            return self._all[-1]
        finally:
            self._lock.release()

    def give_back(self, snapshot: Snapshot) -> None:
        """Say that a worker has it open no longer; old ones without users are removed."""
        with self._lock:
            snapshot.users -= 1
            self._tidy()

    def _old(self) -> bool:
        return time.monotonic() - self._made >= self._staleness

    def _make(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._number += 1
        path = self._folder / str(self._number)
        try:
            sequence = self._store.checkpoint(path)
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            raise
        self._made = time.monotonic()
        self._all.append(Snapshot(path, sequence))
        self._tidy()

    def _tidy(self) -> None:
        for snapshot in [old for old in self._all[:-1] if old.users == 0]:
            self._all.remove(snapshot)
            shutil.rmtree(snapshot.path, ignore_errors=True)

    def close(self) -> None:
        """Remove all of them."""
        with self._lock, contextlib.suppress(OSError):
            self._all.clear()
            shutil.rmtree(self._folder, ignore_errors=True)
