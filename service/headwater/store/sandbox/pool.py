"""The pool of workers: who answers a query, how long it may take, and what happens to one that takes too long or dies."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from headwater.errors import HeadwaterError, StorageFailed, Unavailable
from headwater.store.sandbox import frames
from headwater.store.sandbox.process import Process
from headwater.store.sandbox.snapshots import Checkpointed, Snapshot, Snapshots
from headwater.store.sandbox.spool import Spool

_log = logging.getLogger("headwater.sandbox")
_TRIAL_S = 3.0
_KEPT_LISTS = 64
_AT_ONCE = 8_000
"""Characters of a text that fit into a pipe besides all else, so that writing it does not wait."""
WHOLE = 1 << 20
"""Answers up to so many bytes are complete before the first of them is sent: what goes wrong in them is a proper error."""


class QueryTimeout(Unavailable):
    """A query took longer than it may. An error, never an empty or a cut answer."""

    title = "The query took too long"
    default_remedy = "Ask for less, or name what you ask about; the limit is query_timeout_s."


class QueryBroke(Unavailable):
    """The process that ran a query ended: it needed too much memory, or the engine did not survive the text."""

    title = "The query broke its reader"
    default_remedy = "Ask for less at a time; the limit on memory is query_memory_mb. The service goes on."


class Busy(Unavailable):
    """All workers are taken, and none came free in time."""

    title = "Too many queries at once"
    default_remedy = "Try again in a few seconds."


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may take: seconds since it was handed in, bytes of memory and of answer; and how many workers there are.

    `staleness` is how many seconds old the state may be that a query sees; 0 means that it sees every write before it. After
    `slow_after` seconds a query goes on with low priority and takes nobody's place, as long as there are no more than
    `workers` such.
    """

    seconds: float = 60.0
    memory: int = 2 * 2**30
    answer: int = 256 * 2**20
    workers: int = 2
    staleness: float = 0.0
    slow_after: float = 1.0


class Stream:
    """The answer to one query. `media_type` and `sequence` are known; the bytes are whole, or still coming."""

    def __init__(self, sequence: int, media_type: str, spool: Spool, job: Job, whole: bool) -> None:
        self.sequence = sequence
        self.media_type = media_type
        self.whole = whole
        self.ended: Callable[[], None] | None = None
        """Called when the answer is let go of."""
        self._spool = spool
        self._job = job

    def body(self) -> bytes:
        """All bytes, waited for. Raises what ended the query early."""
        try:
            self._spool.wait(2**62)
            return self._spool.read()
        finally:
            self.close()

    def pieces(self) -> Iterator[bytes]:
        """The bytes as they come. What ends the query early is raised between them, so that nobody takes a part for the whole."""
        try:
            yield from self._spool.pieces()
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the answer; a query that still runs is stopped."""
        if not self._spool.done:
            self._job.cancel()
        self._spool.close()
        if self.ended is not None:
            self.ended()


class Job:
    """One query while it runs: may be cancelled from any thread."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self._lock = threading.Lock()
        self._process: Process | None = None
        self.cancelled = False

    def on(self, process: Process | None) -> None:
        with self._lock:
            self._process = process
            if process is not None and self.cancelled:
                process.stop()

    def cancel(self) -> None:
        with self._lock:
            self.cancelled = True
            if self._process is not None:
                self._process.stop()


class Begun:
    """A query that a worker has been handed, before its answer is looked at."""

    def __init__(
        self,
        sandbox: Sandbox,
        process: Process,
        asked: dict[str, Any],
        lists: dict[str, tuple[str, ...]],
        job: Job,
        again: bool = True,
    ) -> None:
        self._sandbox = sandbox
        self.process = process
        self.asked = asked
        self.lists = lists
        self.job = job
        self.again = again and process.used
        self.spool = Spool()
        self.told: dict[str, Any] = {}
        self.ended = False
        # An update is tried out for one who has the writers' queue behind him: it may not wait for everybody else.
        self.slow_at = time.monotonic() + sandbox.limits.slow_after if asked["act"] == "query" else None
        self.sequence = 0
        """Of the ledger, as the snapshot shows it that the worker reads."""

    @property
    def descriptor(self) -> int:
        """What becomes readable when some of the answer has come."""
        return self.process.inbox.descriptor

    def look(self) -> bool:
        """Take what has come, without waiting; whether it is all."""
        self.ended = self.ended or self._sandbox._drain(self, WHOLE, waiting=False)
        return self.ended

    def stream(self) -> Stream:
        """The answer, waited for as `Sandbox.query` does; raises what that raises."""
        return self._sandbox._streamed(self)


class Sandbox:
    """Answers queries in worker processes, each on a snapshot that is as new as the store when the query came in.

    Workers are started when they are needed, up to `limits.workers`. Safe to use from several threads.
    """

    def __init__(self, store: Checkpointed, folder: Path, limits: Limits) -> None:
        self.limits = limits
        self._snapshots = Snapshots(store, folder, limits.staleness)
        self._free = threading.Condition()
        self._idle: list[Process] = []
        self._alive: set[Process] = set()
        self._running = 0
        self._beside = 0
        self._closed = False
        self._broken_since: float | None = None
        self.killed = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def query(
        self,
        text: str,
        graphs: Sequence[str],
        named: Sequence[str] = (),
        accept: str | None = None,
        *,
        base: str = "",
        job: Job | None = None,
    ) -> Stream:
        """Run a query as `TripleStore.query` does. Returns when a small answer is complete, or a large one has begun.

        Raises `BadQuery`, `NotAcceptable`, `TooLarge` as a store does; `QueryTimeout`, `QueryBroke` and `Busy`.
        """
        asked = {"act": "query", "text": text, "accept": accept, "base": base, "max_bytes": self.limits.answer}
        return self._run(asked, {"graphs": tuple(graphs), "named": tuple(named)}, job)

    def update(self, text: str, graphs: dict[str, str], most: int, *, base: str = "") -> Stream:
        """What an update would change in copies of `graphs`; see `headwater.store.sandbox.scratch`."""
        return self._run(
            {"act": "update", "text": text, "base": base, "graphs": graphs, "most": most, "max_bytes": None}, {}, None
        )

    def begin(
        self,
        text: str,
        graphs: Sequence[str],
        named: Sequence[str] = (),
        accept: str | None = None,
        *,
        base: str = "",
        job: Job,
    ) -> Begun | None:
        """Hand a query to a worker that has nothing to do, if that takes no waiting; `Begun.stream` is as `query` returns.

        For who may not wait, such as an event loop. None where there is no such worker, where the newest snapshot is older than
        the store, or where there is so much to tell that telling it could take a while: then `query` is to be called.
        """
        if len(text) > _AT_ONCE or len(named) > _KEPT_LISTS:
            return None
        with self._free:
            process = self._idle.pop() if self._idle and not self._closed else None
        if process is None:
            return None
        snapshot = self._snapshots.newest()
        if snapshot is None:
            self._back(process)
            return None
        asked = {"act": "query", "text": text, "accept": accept, "base": base, "max_bytes": self.limits.answer}
        lists = {"graphs": tuple(graphs), "named": tuple(named)}
        begun = Begun(self, process, dict(asked), lists, job)
        try:
            begun.sequence = snapshot.sequence
            self._hand_over(process, asked, lists, snapshot)
        except frames.Gone:
            # It was ended while it had nothing to do.
            begun.spool.close()
            self._lost(process)
            return None
        job.on(process)
        return begun

    def job(self) -> Job:
        """A query to come, so that it can be cancelled while it runs; its time begins now."""
        return Job(time.monotonic() + self.limits.seconds)

    def _run(self, asked: dict[str, Any], lists: dict[str, tuple[str, ...]], job: Job | None, *, again: bool = True) -> Stream:
        job = job or self.job()
        process = self._taken(job)
        begun = Begun(self, process, dict(asked), lists, job, again)
        try:
            snapshot = self._snapshots.take(fresh=asked["act"] == "update")
            begun.sequence = snapshot.sequence
            self._hand_over(process, asked, lists, snapshot)
            job.on(process)
        except BaseException as error:
            self._lost(process)
            begun.spool.close()
            if isinstance(error, frames.Gone):
                raise self._broke(job) from None
            raise
        return self._streamed(begun)

    def _streamed(self, begun: Begun) -> Stream:
        """The answer to a query that was handed over, when it is whole or more than `WHOLE` of it is here."""
        job, spool = begun.job, begun.spool
        if not begun.ended and not self._drain(begun, WHOLE):
            # What is left comes while the client reads. For a small answer a thread would take longer than the query.
            threading.Thread(target=self._drain, args=(begun,), daemon=True).start()
        try:
            whole = spool.wait(WHOLE)
        except BaseException as error:
            spool.close()
            if begun.again and isinstance(error, QueryBroke) and not begun.told and not job.cancelled:
                # It may have died before it was asked, too late to be seen: a new one tells whether it is the query's fault.
                return self._run(begun.asked, begun.lists, job, again=False)
            raise
        return Stream(begun.sequence, begun.told.get("media_type", ""), spool, job, whole)

    def _drain(self, begun: Begun, most: int | None = None, *, waiting: bool = True) -> bool:
        """Take the worker's answer to its end (True), or until it is longer than `most` bytes, or no more is here yet."""
        process, job, spool = begun.process, begun.job, begun.spool
        error = None
        try:
            while True:
                if not waiting and not process.inbox.whole:
                    process.inbox.feed()
                    if not process.inbox.whole:
                        return False
                kind, body = self._next(begun)
                if kind == frames.CHUNK:
                    spool.put(body)
                    if most is not None and spool.size > most:
                        return False
                elif kind == frames.BEGIN:
                    begun.told.update(frames.json_of(body))
                elif kind == frames.FAILED:
                    error = frames.raised(body)
                    break
                else:
                    break
        except frames.Late:
            job.on(None)
            self._lost(process)
            spool.finish(QueryTimeout(f"The query was stopped after {self.limits.seconds:g} seconds."))
            return True
        except StorageFailed as full:
            # The query goes on and nobody could take what it says: it ends here.
            job.on(None)
            self._lost(process)
            spool.finish(full)
            return True
        except (frames.Gone, OSError, ValueError):
            job.on(None)
            self._lost(process)
            spool.finish(self._broke(job))
            return True
        job.on(None)
        self._back(process)
        spool.finish(error)
        return True

    def _next(self, begun: Begun) -> tuple[bytes, bytes]:
        """The next message; a query whose first second is over makes way for others meanwhile."""
        slow_at, deadline = begun.slow_at, begun.job.deadline
        if slow_at is not None and slow_at < deadline:
            try:
                return begun.process.inbox.take(slow_at)
            except frames.Late:
                begun.slow_at = None
                begun.process.yield_to_others()
                with self._free:
                    if self._beside < self.limits.workers:
                        self._beside += 1
                        begun.process.beside = True
                        self._free.notify()
        return begun.process.inbox.take(deadline)

    @staticmethod
    def _broke(job: Job) -> Unavailable:
        if job.cancelled:
            return QueryBroke("The query was cancelled.")
        return QueryBroke("The process that ran this query ended: it ran out of memory, or the engine broke on the text.")

    # --- workers

    def _taken(self, job: Job) -> Process:
        """A worker for this thread alone."""
        with self._free:
            if not self._free.wait_for(
                lambda: self._closed or self._idle or self._running - self._beside < self.limits.workers,
                timeout=max(0.0, job.deadline - time.monotonic()),
            ):
                raise Busy(f"All {self.limits.workers} readers are taken by other queries.")
            if self._closed:
                raise Unavailable("The service is shutting down.", remedy="Try again when it is back.")
            idle = self._idle.pop() if self._idle else None
            if idle is None:
                self._running += 1
        if idle is not None:
            if not idle.dead:
                return idle
            # Somebody ended it while it had nothing to do: that is no fault of this query.
            self._lost(idle)
            return self._taken(job)
        process = None
        try:
            process = Process(self.limits.memory)
            with self._free:
                self._alive.add(process)
            process.started()
            self._broken_since = None
            return process
        except (frames.Gone, frames.Late, OSError) as error:
            self._lost(process)
            self._broken_since = self._broken_since or time.monotonic()
            raise QueryBroke("No process could be started to run the query.", remedy="Look at the server's memory.") from error

    def _hand_over(self, process: Process, asked: dict[str, Any], lists: dict[str, tuple[str, ...]], snapshot: Snapshot) -> None:
        if process.snapshot is not None:
            self._snapshots.give_back(process.snapshot)
        process.snapshot = snapshot
        new: dict[str, tuple[str, ...]] = {}
        if len(process.lists) > _KEPT_LISTS:
            process.lists.clear()
        for word, graphs in lists.items():
            known = process.lists.get(graphs)
            if known is None:
                # The same name stands for the same list as long as the worker lives, or is told anew.
                known = process.lists[graphs] = str(len(process.lists))
                new[known] = graphs
            asked[word] = known
        process.ask(asked | {"snapshot": str(snapshot.path), "lists": new})

    def _back(self, process: Process) -> None:
        process.used = True
        with self._free:
            if process.beside:
                process.beside = False
                self._beside -= 1
            spare = self._running - self._beside > self.limits.workers
        if spare or not process.as_before():
            self._lost(process, broken=False)
            return
        with self._free:
            if self._closed:
                process.kill()
                return
            self._idle.append(process)
            self._free.notify()

    def _lost(self, process: Process | None, *, broken: bool = True) -> None:
        """A worker is gone, or must go."""
        if process is not None:
            process.kill()
            if process.snapshot is not None:
                self._snapshots.give_back(process.snapshot)
                process.snapshot = None
        with self._free:
            if process is not None:
                self._alive.discard(process)
                if process.beside:
                    process.beside = False
                    self._beside -= 1
            self.killed += broken
            self._running -= 1
            self._free.notify()

    def status(self) -> dict[str, int]:
        """How many workers there are, are idle, and were lost since the start."""
        with self._free:
            return {"workers": self._running, "idle": len(self._idle), "lost": self.killed, "most": self.limits.workers}

    def works(self) -> bool:
        """Whether workers can be started, as far as is known; where the last one could not, it is tried again."""
        if self._broken_since is None:
            return True
        try:
            self.query("ASK {}", (), job=Job(time.monotonic() + _TRIAL_S)).body()
        except Busy:
            return self._broken_since is None
        except HeadwaterError:
            return False
        return True

    def close(self) -> None:
        """Stop all workers and remove the snapshots."""
        with self._free:
            self._closed = True
            alive, idle, self._alive, self._idle = self._alive, set(self._idle), set(), []
            self._free.notify_all()
        for process in alive:
            if process in idle:
                process.kill()
            else:
                process.stop()
        self._snapshots.close()
