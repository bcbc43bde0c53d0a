"""Writes wait in a line of their own, so that they take no thread from those who read; where it is full, that is said at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import anyio
from anyio import to_thread
from fastapi import Request

from headwater.errors import TooMany, Unavailable

_Result = TypeVar("_Result")


class LineFull(Unavailable):
    """So many writes wait already that one more would wait for too long."""

    title = "Too many writes at once"
    default_remedy = "Nothing was written. Send it again after the seconds that Retry-After names."


class WriteLine:
    """At most `at_once` writes run, each in a thread of its own; at most `waiting` more wait, each for at most `seconds`.

    The ledger takes one write after the other; what runs beside it is reading, entailment and the gate of the next ones. One
    reader fills at most half of the line.
    """

    def __init__(self, at_once: int = 8, waiting: int = 64, seconds: float = 60.0) -> None:
        self._turn = anyio.Semaphore(at_once)
        self._threads = anyio.CapacityLimiter(at_once)
        self._most, self._seconds = waiting, seconds
        self._waiting: Counter[str | None] = Counter()

    @property
    def waiting(self) -> int:
        """How many writes wait."""
        return self._waiting.total()

    def room(self, key: str | None = None) -> None:
        """Raises `LineFull`, or `TooMany` for a reader (`key`; None is not counted by itself) who fills his half."""
        if self.waiting >= self._most:
            raise LineFull(f"{self.waiting} writes wait already.")
        if key is not None and self._waiting[key] >= max(1, self._most // 2):
            raise TooMany(f"{self._waiting[key]} of your writes wait already.", remedy="Wait for their answers.")

    async def run(self, work: Callable[[], _Result], key: str | None = None) -> _Result:
        """Do `work` when its turn comes. Raises what `room` does, `LineFull` after waiting too long, and what `work` raises."""
        if self._turn.value == 0:
            self.room(key)
        self._waiting[key] += 1
        try:
            with anyio.move_on_after(self._seconds) as wait:
                await self._turn.acquire()
            if wait.cancelled_caught:
                raise LineFull(f"This write waited for {self._seconds:g} seconds; others still run.")
        finally:
            self._waiting[key] -= 1
            if not self._waiting[key]:
                del self._waiting[key]
        try:
            return await to_thread.run_sync(work, limiter=self._threads)
        finally:
            self._turn.release()


def the_line(request: Request) -> WriteLine:
    """The line of the application that a request came to."""
    line = request.app.state.writes
    assert isinstance(line, WriteLine)
    return line


async def in_line(request: Request, work: Callable[[], _Result]) -> _Result:
    """Do a write for a request when its turn comes. Raises as `WriteLine.run`."""
    return await the_line(request).run(work, getattr(request.state, "counted_as", None))
