"""Queries of strangers and our own, asked of a SPARQL server within limits on time and on the size of the answer.

Its counterpart for the embedded store is `headwater.store.sandbox`, whose interface this has: a query that takes too long is
given up by closing the connection, which most servers notice; one that a server goes on with costs that server, and nobody here.
"""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from pyoxigraph import NamedNode, Quad, Store, Triple

from headwater.errors import HeadwaterError, TooLarge, Unavailable
from headwater.store.remote import answers, wording
from headwater.store.remote.connection import StoreTimeout
from headwater.store.remote.probe import Capabilities
from headwater.store.remote.talking import Begun, Talk
from headwater.store.sandbox import Busy, Job, Limits, QueryBroke, QueryTimeout, Sandbox, Stream
from headwater.store.sandbox.pool import WHOLE
from headwater.store.sandbox.spool import Spool
from headwater.store.serialising import Output, refuse_other_than, write, write_graph

if TYPE_CHECKING:
    from headwater.store.remote.store import RemoteStore

_log = logging.getLogger("headwater.store")
_DESCRIBED: Final = 200


def answer_query(
    talk: Talk,
    can: Capabilities,
    ask: wording.Asked,
    graphs: Sequence[str],
    named: Sequence[str],
    accept: str | None,
    output: Output,
    begin: Callable[[str], None] = lambda _: None,
    *,
    deadline: float | None = None,
    begun: Begun = lambda _stop: None,
) -> str:
    """Ask a server and write its answer as `accept`; returns the media type. Serialised here: all servers answer alike."""
    refuse_other_than(accept, graph=ask.form in ("CONSTRUCT", "DESCRIBE"))
    if ask.form == "CONSTRUCT":
        found = talk.triples(ask.text, graphs, named, deadline=deadline, begun=begun)
        return write_graph(found, accept, output, begin)
    if ask.form == "DESCRIBE":
        return write_graph(_described(talk, ask.text, graphs, named, deadline, begun), accept, output, begin)
    reply = talk.ask(ask.text, graphs, named, deadline=deadline, begun=begun)
    try:
        if ask.form == "ASK":
            return write(answers.yes_or_no(answers.truth(reply, talk.query_address)), accept, output, begin)
        table = answers.solutions(reply, talk.query_address, exact=not can.exact, respell=can.respells)
        try:
            return write(table, accept, output, begin)
        except (SyntaxError, ValueError, OSError) as error:
            raise QueryBroke("The triplestore broke its answer off.") from error
    finally:
        reply.close()


def _described(
    talk: Talk, text: str, graphs: Sequence[str], named: Sequence[str], deadline: float | None, begun: Begun
) -> Iterator[Triple]:
    """What is said of each thing, as the embedded engine describes it: servers have ideas of their own of what belongs to it."""
    iris, pattern = wording.described(text)
    if pattern is not None:
        reply = talk.ask(pattern, graphs, named, deadline=deadline, begun=begun)
        rows = answers.rows(reply, talk.query_address)
        iris += [term for row in rows for term in row if isinstance(term, NamedNode)]
    things = list(dict.fromkeys(iris))
    for start in range(0, len(things), _DESCRIBED):
        part = " ".join(map(str, things[start : start + _DESCRIBED]))
        yield from talk.triples(
            f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ VALUES ?s {{ {part} }} ?s ?p ?o }}", graphs, deadline=deadline, begun=begun
        )


class _Stopper:
    """A request that runs, as a `Job` knows a process: something that can be stopped."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self.stop = stop


class _Into:
    """Puts an answer into a spool, up to a limit."""

    def __init__(self, spool: Spool, limit: int, deadline: float) -> None:
        self._spool, self._limit, self._deadline = spool, limit, deadline

    def write(self, data: bytes, /) -> int:
        if self._spool.size + len(data) > self._limit:
            raise TooLarge(
                f"The answer is larger than {self._limit // 2**20} MiB.",
                remedy="Ask for less (LIMIT, fewer columns), or raise max_answer_mb.",
            )
        if time.monotonic() > self._deadline:
            raise StoreTimeout("The time is up.")
        self._spool.put(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back here."""


class RemoteSandbox:
    """Answers strangers' queries on a SPARQL server, with the interface of `headwater.store.sandbox.Sandbox`.

    `asserted` gives what a record's graph says, from the ledger: an update is worked out on that, and not on what a server made
    of its literals. None for a graph that is no record's.
    """

    def __init__(
        self, store: RemoteStore, folder: Path, limits: Limits, asserted: Callable[[str], Iterable[Triple] | None]
    ) -> None:
        self.limits = limits
        self.killed = 0
        self._store = store
        self._folder = folder
        self._asserted = asserted
        self._free = threading.BoundedSemaphore(limits.workers)
        self._lock = threading.Lock()
        self._running: set[Job] = set()
        self._closed = False

    def __enter__(self) -> RemoteSandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def job(self) -> Job:
        """A query to come, so that it can be cancelled while it runs; its time begins now."""
        return Job(time.monotonic() + self.limits.seconds)

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
        """Run a query as `TripleStore.query` does. Returns when a small answer is complete, or a large one has begun."""
        ask = wording.asked(text, base)
        job = job or self.job()
        if not self._free.acquire(timeout=max(0.0, job.deadline - time.monotonic())):
            raise Busy(f"All {self.limits.workers} places are taken by other queries.")
        spool = Spool()
        said: dict[str, str] = {}
        try:
            if self._closed:
                raise Unavailable("The service is shutting down.", remedy="Try again when it is back.")
            sequence, generation = self._store.sequence(), self._store.generation
            with self._lock:
                self._running.add(job)
            thread = threading.Thread(
                target=self._drain, args=(ask, tuple(graphs), tuple(named), accept, job, spool, said), daemon=True
            )
            thread.start()
        except BaseException:
            self._free.release()
            spool.close()
            raise
        try:
            whole = spool.wait(WHOLE)
        except BaseException:
            spool.close()
            raise
        # What a write came into is of no one state: it is given, and not kept.
        settled = generation == self._store.generation and not generation % 2
        return Stream(sequence, said.get("media_type", ""), spool, job, whole and settled)

    def _drain(
        self,
        ask: wording.Asked,
        graphs: tuple[str, ...],
        named: tuple[str, ...],
        accept: str | None,
        job: Job,
        spool: Spool,
        said: dict[str, str],
    ) -> None:
        error: HeadwaterError | None = None

        def begun(stop: Callable[[], None]) -> None:
            if job.cancelled:
                raise QueryBroke("The query was cancelled.")
            job.on(cast(Any, _Stopper(stop)))

        def begin(media_type: str) -> None:
            said["media_type"] = media_type

        try:
            into = _Into(spool, self.limits.answer, job.deadline)
            store = self._store
            answer_query(
                store.talk, store.capabilities, ask, graphs, named, accept, into, begin, deadline=job.deadline, begun=begun
            )
        except StoreTimeout:
            self.killed += 1
            error = QueryTimeout(f"The query was stopped after {self.limits.seconds:g} seconds.")
        except HeadwaterError as failed:
            error = QueryBroke("The query was cancelled.") if job.cancelled else failed
        except Exception as failed:  # the thread that waits has to hear of whatever happened here
            _log.exception("a query's answer could not be read")
            error = QueryBroke(f"The answer could not be read: {type(failed).__name__}.")
        finally:
            job.on(None)
            with self._lock:
                self._running.discard(job)
            self._free.release()
            spool.finish(error)

    def begin(
        self,
        text: str,  # noqa: ARG002 (the sandbox's interface)
        graphs: Sequence[str],  # noqa: ARG002
        named: Sequence[str] = (),  # noqa: ARG002
        accept: str | None = None,  # noqa: ARG002
        *,
        base: str = "",  # noqa: ARG002
        job: Job,  # noqa: ARG002
    ) -> None:
        """Nothing is begun on an event loop: over a network every query may wait."""
        return

    def update(self, text: str, graphs: dict[str, str], most: int, *, base: str = "") -> Stream:
        """What an update would change in copies of `graphs`; worked out here, in a process that can be killed."""
        copied = _Copied(self._store, self._asserted, list(graphs.values()), most)
        self._folder.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(dir=self._folder) as folder,
            Sandbox(copied, Path(folder) / "snapshots", self.limits) as sandbox,
        ):
            stream = sandbox.update(text, graphs, most, base=base)
            body = stream.body()
        spool = Spool()
        spool.put(body)
        spool.finish()
        return Stream(stream.sequence, stream.media_type, spool, self.job(), True)

    def status(self) -> dict[str, int]:
        """How many queries run, how many places are free, and how many were given up since the start."""
        with self._lock:
            running = len(self._running)
        return {"workers": running, "idle": self.limits.workers - running, "lost": self.killed, "most": self.limits.workers}

    def works(self) -> bool:
        """Whether the server answers."""
        return self._store.answers()

    def close(self) -> None:
        """Stop all queries."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for job in running:
            job.cancel()
        with suppress(OSError):
            self._folder.rmdir()


class _Copied:
    """Copies of some graphs in a store on disk, for the process in which an update is worked out."""

    def __init__(
        self, store: RemoteStore, asserted: Callable[[str], Iterable[Triple] | None], graphs: Sequence[str], most: int
    ) -> None:
        self._store, self._asserted, self._graphs, self._most = store, asserted, graphs, most
        self._sequence = store.sequence()

    def sequence(self) -> int:
        return self._sequence

    def checkpoint(self, folder: Path) -> int:
        copy = Store(str(folder))
        copy.bulk_extend(self._quads())
        copy.flush()
        return self._sequence

    def _quads(self) -> Iterator[Quad]:
        room = self._most + 1
        for name in self._graphs:
            graph = NamedNode(name)
            said = self._asserted(name)
            for triple in self._store.graph(graph) if said is None else said:
                if room == 0:
                    return  # too many: whoever counts them in the copy says so
                room -= 1
                yield Quad(triple.subject, triple.predicate, triple.object, graph)
