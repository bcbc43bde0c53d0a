"""SPARQL, a stranger's own or a question of `queries/`, on what a reader may see."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from pyoxigraph import NamedNode, Triple

from headwater.access import Reader
from headwater.app.asking import Asking
from headwater.app.federating import Federation
from headwater.app.lineage_patterns import MOST_ENDS, block
from headwater.app.query_log import LOGS, QueryLog
from headwater.errors import BadInput, BadQuery, HeadwaterError, TooLarge, Unavailable
from headwater.lineage.asking import MOST_NODES
from headwater.questions.catalogue import bind, find
from headwater.records.record import RecordMaker
from headwater.store.guard import guard
from headwater.store.joining import paths_first
from headwater.store.patterns import Pattern, lineage_patterns, mentions_lineage, replaced, types_after_paths, without
from headwater.store.reading import Clauses, prologue
from headwater.store.reading import dataset as clauses_of
from headwater.store.remote import RemoteSandbox, RemoteStore
from headwater.store.sandbox import Begun, Copyable, Job, Limits, Sandbox, Stream

_TABLE: Final = "application/sparql-results+json"
_SHORT: Final = 4_000
"""Characters of a query that is looked at without a thread."""
CHANGING: Final = frozenset({"NOW", "RAND", "UUID", "STRUUID", "SERVICE"})
"""What makes an answer another one each time, so that it is not kept."""


@dataclass(frozen=True, slots=True)
class Told:
    """An answer that is complete: its bytes, their media type, and the ledger's sequence number that it speaks of."""

    body: bytes
    media_type: str
    sequence: int
    kept: bool = False
    """Whether it was given before, and kept."""
    keeps: bool = False
    """Whether it is the same as long as nothing is written."""


@dataclass(frozen=True, slots=True)
class AtOnce:
    """A query that a worker has in hands: what to watch, and how to have its answer, which waits where it is not there yet."""

    begun: Begun
    answer: Callable[[], Told | Stream]


_Key = tuple[str, tuple[str, ...], str, str | None, tuple[str, ...], tuple[str, ...], int]


class Kept:
    """Answers that were given, by all that they depend on, up to a number of bytes; the one not asked for longest goes first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._held: OrderedDict[_Key, Told] = OrderedDict()
        self._size = 0
        self.hits = 0
        self.misses = 0

    def find(self, key: _Key) -> Told | None:
        with self._lock:
            found = self._held.get(key)
            if found is None:
                self.misses += 1
                return None
            self.hits += 1
            self._held.move_to_end(key)
            return replace(found, kept=True)

    @property
    def size(self) -> int:
        """How many bytes are kept."""
        return self._size

    def keep(self, key: _Key, told: Told) -> None:
        with self._lock:
            if len(told.body) > self._most // 8 or key in self._held:
                return
            self._held[key] = told
            self._size += len(told.body)
            while self._size > self._most:
                _, gone = self._held.popitem(last=False)
                self._size -= len(gone.body)


def changes_by_itself(text: str, longest: int) -> bool:
    """Whether an answer may be another one each time, though nothing was written. What is refused has no lasting answer either.

    >>> changes_by_itself("SELECT (NOW() AS ?now) {}", 100), changes_by_itself("ASK { ?s ?p 'NOW()' }", 100)
    (True, False)
    """
    try:
        return bool(guard(text, longest) & CHANGING)
    except BadInput:
        return True


class Querying(Asking):
    """Queries of the graph."""

    @cached_property
    def sandbox(self) -> Sandbox | RemoteSandbox:
        """The processes in which strangers' queries run; started when the first one comes."""
        settings = self.settings
        limits = Limits(
            seconds=settings.query_timeout_s,
            memory=settings.query_memory_mb * 2**20,
            answer=settings.max_answer_mb * 2**20,
            workers=settings.query_workers or max(2, os.cpu_count() or 1),
            staleness=settings.query_staleness_s,
        )
        opened = ExitStack()
        if isinstance(self._store, RemoteStore):
            remote = RemoteSandbox(self._store, settings.data / "snapshots", limits, self._asserted)
            self._opened.callback(remote.close)
            return remote
        if not isinstance(self._store, Copyable):
            raise Unavailable("This triplestore lets nobody copy it, and so no stranger's query can be run apart.")
        if settings.store == "memory":
            folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="headwater-snapshots-")))
        else:
            folder = settings.data
        sandbox = opened.enter_context(Sandbox(self._store, folder / "snapshots", limits))
        self._opened.callback(opened.close)
        return sandbox

    def _asserted(self, graph: str) -> list[Triple] | None:
        """What a record's graph says, from the ledger; None for one that is no record's now."""
        head = self.ledger.head(graph)
        entry = self.ledger.entry(head.sequence) if head is not None and head.act == "write" else None
        return None if entry is None else list(entry.record(RecordMaker(self.mint)).asserted)

    def sandbox_works(self) -> bool:
        """Whether strangers' queries find a process that runs them; where none could be started, it is tried again."""
        sandbox = self.sandbox_if_started
        return sandbox is None or sandbox.works()

    @property
    def sandbox_if_started(self) -> Sandbox | RemoteSandbox | None:
        """The sandbox, if a stranger's query has come yet."""
        return self.__dict__.get("sandbox")

    @cached_property
    def federation(self) -> Federation:
        """Who hands on what queries and updates ask of other servers, as far as the settings allow it."""
        federation = Federation(self.settings)
        self._opened.callback(federation.close)
        return federation

    @cached_property
    def query_log(self) -> QueryLog:
        """What was asked, how long it took and how it ended; beside the data, where the data are on disk."""
        settings = self.settings
        folder = None if settings.store == "memory" or not settings.query_log_mb else settings.data / LOGS
        log = QueryLog(folder, settings.query_log_mb * 2**20, self._clock)
        self._opened.callback(log.close)
        return log

    @cached_property
    def kept_answers(self) -> Kept:
        """Answers to strangers' queries that are still true."""
        return Kept(self.settings.query_cache_mb * 2**20)

    def query(self, text: str, reader: Reader, media_type: str | None = None) -> tuple[bytes, str]:
        """Answer the SPARQL query of somebody who works on this machine, in this process, on what the reader may see.

        Raises `BadQuery`, `TooLarge`, `NotAcceptable`.
        """
        words = guard(text, self.settings.max_query_length, self.federation.words)
        default, named = self._dataset(text, words, reader, None, "")
        text, lease = self.federation.lent(text, "", time.monotonic() + self.settings.query_timeout_s)
        try:
            return self._answered(text, reader, media_type, default, named)
        except HeadwaterError as error:
            raise lease.meant(error) from None
        finally:
            lease.close()

    def _answered(
        self, text: str, reader: Reader, media_type: str | None, default: tuple[str, ...], named: tuple[str, ...]
    ) -> tuple[bytes, str]:
        def ends(asked: str) -> bytes:
            graphs = [NamedNode(graph) for graph in default]
            return self._store.query(asked, graphs, named=[NamedNode(graph) for graph in named], accept=_TABLE).body

        text = self._with_lineage(text, reader, "", default, ends)
        answer = self._store.query(
            text,
            [NamedNode(graph) for graph in default],
            named=[NamedNode(graph) for graph in named],
            accept=media_type,
            max_bytes=self.settings.max_answer_mb * 2**20,
        )
        return answer.body, answer.media_type

    def stream(
        self,
        text: str,
        reader: Reader,
        media_type: str | None = None,
        *,
        dataset: Clauses | None = None,
        base: str = "",
        job: Job | None = None,
    ) -> Told | Stream:
        """Answer a stranger's query: in a process that can be killed, within the limits of the settings.

        `dataset` is what the request itself names as graphs, and goes before the query's own `FROM`. What the reader may not
        see is as if it did not exist. Raises what `query` does, and
        `QueryTimeout`, `QueryBroke`, `Busy` of `headwater.store.sandbox`.
        """
        found, key, keeping = self._looked_up(text, reader, media_type, dataset, base)
        if found is not None:
            return found
        default, named = key[4], key[5]
        job = job or self.sandbox.job()

        def ends(asked: str) -> bytes:
            return self.sandbox.query(asked, default, named, _TABLE, base=base, job=job).body()

        text, lease = self.federation.lent(text, base, job.deadline)
        try:
            text = self._with_lineage(text, reader, base, default, ends)
            stream = self.sandbox.query(text, default, named, media_type, base=base, job=job)
            stream.ended = lease.close
            return self._told(stream, key, keeping)
        except HeadwaterError as error:
            lease.close()
            raise lease.meant(error) from None

    def at_once(
        self,
        text: str,
        reader: Reader,
        media_type: str | None = None,
        *,
        dataset: Clauses | None = None,
        base: str = "",
        job: Job,
    ) -> Told | Callable[[], AtOnce | None] | None:
        """What `stream` gives, as far as it can be had without waiting, for an event loop: the answer where it was given before,
        or what puts the query into a worker's hands, if one has nothing to do. None where `stream` must be asked, which waits.
        Raises what `stream` raises.
        """
        if len(text) > _SHORT or mentions_lineage(text) or "SERVICE" in text.upper():
            return None
        found, key, keeping = self._looked_up(text, reader, media_type, dataset, base)
        if found is not None:
            return found
        default, named = key[4], key[5]
        text = self._with_paths(text, base, default)

        def begin() -> AtOnce | None:
            begun = self.sandbox.begin(text, default, named, media_type, base=base, job=job)
            return AtOnce(begun, lambda: self._told(begun.stream(), key, keeping)) if begun is not None else None

        return begin

    def _looked_up(
        self, text: str, reader: Reader, media_type: str | None, dataset: Clauses | None, base: str
    ) -> tuple[Told | None, _Key, bool]:
        """The answer that was kept, all that it depends on, and whether it may be kept."""
        words = guard(text, self.settings.max_query_length, self.federation.words)
        sequence = self._store.sequence()
        self._standing(sequence)
        default, named = self._dataset(text, words, reader, dataset, base)
        # What lineage holds depends on the reader's levels, also where the graphs that are named do not.
        levels = sorted(name for name in self._index.levels() if reader.sees(name)) if mentions_lineage(text) else []
        # The text and the levels stay apart: joined, a text that ends in a level's name would be taken for another reader's.
        key = (text, tuple(levels), base, media_type, default, named, sequence)
        keeping = not words & CHANGING
        return self.kept_answers.find(key) if keeping else None, key, keeping

    def _told(self, stream: Stream, key: _Key, keeping: bool) -> Told | Stream:
        """A stream as it is, or as a complete answer where it is one, which is kept."""
        try:
            self._standing(stream.sequence)
        except Unavailable:
            stream.close()
            raise
        if not stream.whole:
            return stream
        told = Told(stream.body(), stream.media_type, stream.sequence, keeps=keeping)
        if keeping:
            self.kept_answers.keep((*key[:6], told.sequence), told)
        return told

    def _standing(self, sequence: int) -> None:
        """Raises `Unavailable` where a state of the store is that of one which is just being made anew: it holds a part only."""
        if sequence == 0 and self.ledger.last_sequence() > 0:
            raise Unavailable("The triplestore is being made anew from the ledger.", remedy="Try again in a moment.")

    def _dataset(
        self, text: str, words: Iterable[str], reader: Reader, asked: Clauses | None, base: str
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The names of the graphs that a query runs on: those to merge, and the named ones."""
        views = tuple(graph.value for graph in self.views.graphs(internal=reader.internal, projects=reader.projects))
        own = asked or (clauses_of(text, base) if "FROM" in words else None)
        if own:
            # Named graphs are what records assert; views may be merged, but are none of anybody's named graphs.
            seen = self.visible_graphs(reader)
            default = tuple(graph for graph in own.default if graph in seen or graph in (*views, self.views.public.value))
            return default, tuple(graph for graph in own.named if graph in seen)
        return views, tuple(self.visible_graphs(reader)) if "GRAPH" in words else ()

    def _with_paths(self, text: str, base: str, default: Sequence[str]) -> str:
        """`text` with endless paths, and what stands beside them, in an order that the engine does not stumble over."""
        if self._store.lateral:
            text = paths_first(text, base)
        return types_after_paths(text, base) if len(default) == 1 else text

    def _with_lineage(self, text: str, reader: Reader, base: str, default: Sequence[str], ask: Callable[[str], bytes]) -> str:
        """`text` with its lineage patterns worked out, and with types beside endless paths as filters.

        `ask` runs a query and gives its table as JSON.
        """
        text = self._with_paths(text, base, default)
        patterns = lineage_patterns(text, base)
        if not patterns:
            return text
        sight = self._sight(reader)

        def ends(pattern: Pattern) -> list[str]:
            variable = pattern.of.text
            group = without(text, patterns, pattern.group)
            asked = f"{prologue(text)} SELECT DISTINCT {variable} WHERE {group} LIMIT {MOST_ENDS + 1}"
            rows = json.loads(ask(asked))["results"]["bindings"]
            found = [row.get(variable[1:], {}) for row in rows]
            if any(value.get("type") != "uri" for value in found) and found:
                raise BadQuery(
                    f"What {variable} is does not follow from the group in which hw:{pattern.relation} stands.",
                    remedy="Name the thing, or say in the same braces what it is.",
                )
            if len(found) > MOST_ENDS:
                raise TooLarge(
                    f"{variable} may be more than {MOST_ENDS} things.", remedy="Narrow it, or ask for each thing by itself."
                )
            return [value["value"] for value in found]

        def resolve(iri: str) -> str:
            return self.resolve(iri, reader)

        def impact(iri: str, fields: Sequence[str]) -> dict[str, Any]:
            return self.impact(iri, reader, max_nodes=MOST_NODES, fields=tuple(fields), include=("none",))

        blocks = [(pattern, block(pattern, resolve, ends, sight, impact)) for pattern in patterns]
        return replaced(text, blocks, lateral=self._store.lateral)

    def visible_graphs(self, reader: Reader) -> Mapping[str, str]:
        """The named graphs that exist for a reader (one for each record that he may see), each with its visibility."""
        sequence = self._index.sequence
        key = (sequence, tuple(sorted(name for name in self._index.levels() if reader.sees(name))))
        found = self._graphs_seen.get(key)
        if found is None:
            if any(known[0] != sequence for known in self._graphs_seen):
                self._graphs_seen.clear()
            found = {iri: visibility for iri, visibility in self._index.records() if reader.sees(visibility)}
            self._graphs_seen[key] = found
        return found

    @cached_property
    def _graphs_seen(self) -> dict[tuple[int, tuple[str, ...]], dict[str, str]]:
        return {}

    def ask(self, name: str, params: Mapping[str, str], reader: Reader, media_type: str | None = None) -> tuple[bytes, str]:
        """Answer a question of `queries/`. Parameters that name things may be any identifier."""
        question = find(self.questions, name)
        given = bind(question, params, lambda identifier: self.resolve(identifier, reader))
        graphs = self.views.graphs(internal=reader.internal, projects=reader.projects)
        answer = self._store.query(question.text, graphs, accept=media_type, bindings=given)
        return answer.body, answer.media_type
