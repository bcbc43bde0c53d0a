"""The append-only history of all records: every accepted write is here, numbered, and everything else can be made from it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, bindparam, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, OperationalError

from headwater.errors import BadInput, Conflict, Deposed, InDoubt
from headwater.ledger.failing import failure, in_words, lost
from headwater.ledger.lease import COUNT
from headwater.ledger.patience import reading_again
from headwater.ledger.tables import facts, records, revisions
from headwater.records.draft import Draft, Finding
from headwater.records.record import Record, RecordMaker, unpack


@dataclass(frozen=True, slots=True)
class Revision:
    """One entry of the ledger, without its statements. `act` is `write` or `withdraw`; `sequence` counts the whole ledger."""

    sequence: int
    iri: str
    number: int
    act: str
    title: str
    source: str
    importer: str
    importer_version: str
    evidence: str
    visibility: str
    digest: str
    statements: int
    findings: tuple[Finding, ...]
    reason: str
    actor: str
    written_at: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A revision together with the body that it holds (packed; see `headwater.records.record.unpack`)."""

    revision: Revision
    body: bytes

    def draft(self) -> Draft:
        return Draft(
            self.revision.iri, self.revision.source, self.revision.title, unpack(self.body), list(self.revision.findings)
        )

    def record(self, maker: RecordMaker) -> Record:
        r = self.revision
        return maker.remake(self.draft(), r.visibility, r.importer, r.importer_version, r.evidence)


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of one record in a write: `created`, `changed` or `unchanged`, and the revision that now is its head."""

    status: str
    revision: Revision
    before: int | None


def now() -> str:
    """The present moment as ISO 8601 in UTC, to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


_META = [column for column in revisions.c if column.name not in ("body", "record")]
_SAME = [column.name for column in _META if column.name != "findings"]
_AT_ONCE = 500
"""IRIs asked for by one query."""
LONGEST_IRI = 2_600
"""Bytes of a record's IRI: PostgreSQL's indexes take no value above 2,704, and a ledger may move there."""
_DOUBT_S = 20.0
"""How long, after a connection broke in a commit, it is tried to find out what became of it."""


class _CommitLost(InDoubt):
    """The connection broke while a commit was under way."""


class Ledger:
    """Reads and appends. One writer at a time; `append` and `withdraw` are each one database transaction.

    `fence` is the number that this writer has in PostgreSQL (`Lease.advance`): with another writer's number there nothing is
    committed any more.
    """

    def __init__(self, engine: Engine, clock: Callable[[], str] = now, fence: int | None = None) -> None:
        self._engine = engine
        self._clock = clock
        self._writing = threading.Lock()
        self.fence = fence

    def close(self) -> None:
        self._engine.dispose()

    @property
    def engine(self) -> Engine:
        return self._engine

    def turn_to(self, engine: Engine, fence: int | None) -> None:
        """From now on read and write another database, which holds at least all that this one does."""
        with self._writing:
            self._engine, self.fence = engine, fence

    # --- writing

    def append(self, written: Sequence[Record], actor: str) -> list[Appended]:
        """Write records in one transaction: all of them or none. A record whose digest is unchanged gets no new revision.

        Raises `StorageFailed` when the database cannot keep them; then nothing was written.
        """
        return self.commit(written, [], actor, "")[0]

    def withdraw(self, iri: str, actor: str, reason: str) -> Revision:
        """Withdraw a record; its history and a tombstone stay. Raises `Conflict` when there is nothing to withdraw."""
        return self.commit([], [iri], actor, reason)[1][0]

    def commit(
        self, written: Sequence[Record], withdrawn: Sequence[str], actor: str, reason: str
    ) -> tuple[list[Appended], list[Revision]]:
        """Write records and then withdraw others, all in one transaction; what became of each.

        Raises `Conflict` when one is to be withdrawn that is not there, `StorageFailed` when the database cannot keep them,
        `LedgerAway` when its server is gone, `Deposed` when another writer has begun; then nothing was written. After `InDoubt`
        nobody knows: the connection broke in the commit, and could not be made again in time.
        """
        for record in written:
            if len(record.iri.encode()) > LONGEST_IRI:
                raise BadInput(f"The record's IRI {record.iri[:80]}… is longer than {LONGEST_IRI:,} bytes.")
        fresh: list[tuple[Revision, bytes]] = []
        done: list[Appended] = []
        gone: list[Revision] = []
        try:
            self._commit(written, withdrawn, actor, reason, fresh, done, gone)
        except _CommitLost as doubt:
            self._settle(fresh, doubt)
        return done, gone

    def _commit(
        self,
        written: Sequence[Record],
        withdrawn: Sequence[str],
        actor: str,
        reason: str,
        fresh: list[tuple[Revision, bytes]],
        done: list[Appended],
        gone: list[Revision],
    ) -> None:
        with self._transaction() as connection:
            at = self._clock()
            sequence = _last(connection)
            known = _heads(connection, [*(record.iri for record in written), *withdrawn])
            heads = dict(known)
            for record in written:
                head = heads.get(record.iri)
                if head is not None and head.act == "write" and head.digest == record.digest:
                    done.append(Appended("unchanged", head, head.sequence))
                    continue
                sequence += 1
                revision = _written(record, head, sequence, actor, at)
                fresh.append((revision, record.packed()))
                heads[record.iri] = revision
                before = head.sequence if head is not None and head.act == "write" else None
                done.append(Appended("created" if head is None else "changed", revision, before))
            for iri in withdrawn:
                head = heads.get(iri)
                if head is None or head.act == "withdraw":
                    raise Conflict(f"There is no record <{iri}> to withdraw.", remedy="Look at its history.")
                sequence += 1
                told = {"sequence": sequence, "number": head.number + 1, "act": "withdraw", "statements": 0, "findings": ()}
                revision = replace(head, **told, reason=reason, actor=actor, written_at=at)  # type: ignore[arg-type]
                fresh.append((revision, b""))
                heads[iri] = revision
                gone.append(revision)
            _insert(connection, fresh, known)

    def adopt(self, entries: Sequence[Entry]) -> None:
        """Take over entries of another ledger as they are; they have to follow what is here without a gap.

        Raises `Conflict` where they do not.
        """
        with self._transaction() as connection:
            last = _last(connection)
            if [entry.revision.sequence for entry in entries] != list(range(last + 1, last + 1 + len(entries))):
                raise Conflict(f"These entries do not follow the ledger, which ends with {last}.")
            known = _heads(connection, [entry.revision.iri for entry in entries])
            _insert(connection, [(entry.revision, entry.body) for entry in entries], known)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        engine = self._engine
        with self._writing, in_words("The ledger could not be written", engine), engine.connect() as connection:
            transaction = connection.begin()
            try:
                self._fenced(connection)
                yield connection
            except BaseException:
                transaction.rollback()
                raise
            try:
                transaction.commit()
            except DBAPIError as error:
                if not lost(error):
                    raise
                raise _CommitLost("The connection to the ledger broke in a commit.") from error

    def _fenced(self, connection: Connection) -> None:
        """Raises `Deposed` where another writer has begun. From here to the commit none can begin: he waits for this row."""
        if self.fence is None:
            return
        query = select(facts.c.value).where(facts.c.name == COUNT).with_for_update(read=True)
        if connection.execute(query).scalar() != str(self.fence):
            raise Deposed("Another process has begun to write the ledger since this one did.")

    def _settle(self, fresh: Sequence[tuple[Revision, bytes]], doubt: Exception) -> None:
        """Find out whether a commit in which the connection broke took place. Returns if it did; raises if not, or `InDoubt`."""
        if not fresh:
            return
        ours = fresh[-1][0]
        until = time.monotonic() + _DOUBT_S
        while True:
            try:
                with self._engine.begin() as connection:
                    # The broken session may still be at it on the server: wait for the end of every transaction that writes here.
                    connection.execute(text("SET LOCAL lock_timeout = '5s'"))
                    connection.execute(text("LOCK TABLE revisions IN SHARE MODE"))
                    row = connection.execute(_metadata_only().where(revisions.c.sequence == ours.sequence)).one_or_none()
                break
            except OperationalError as error:
                if time.monotonic() > until:
                    raise InDoubt(
                        f"The connection to the ledger broke in the commit of entry {ours.sequence:,}, and it is not known what "
                        "became of it."
                    ) from error
                time.sleep(0.5)
        if row is None or (row.iri, row.digest, row.written_at) != (ours.iri, ours.digest, ours.written_at):
            raise failure("The ledger could not be written", _cause(doubt), self._engine.url) from doubt

    # --- reading

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        engine = self._engine
        with in_words("The ledger could not be read", engine), engine.connect() as connection:
            yield connection

    @reading_again
    def last_sequence(self) -> int:
        with self._reading() as connection:
            return _last(connection)

    @reading_again
    def head(self, iri: str) -> Revision | None:
        """The latest revision of a record (which may be its withdrawal), or None if there never was one."""
        with self._reading() as connection:
            return _head(connection, iri)

    @reading_again
    def latest(self, iris: Sequence[str]) -> dict[str, Revision]:
        """The latest revisions of those of `iris` that there ever were; withdrawals are among them."""
        with self._reading() as connection:
            return _heads(connection, iris)

    @reading_again
    def entry(self, sequence: int) -> Entry | None:
        with self._reading() as connection:
            row = connection.execute(_entries().where(revisions.c.sequence == sequence)).one_or_none()
            return None if row is None else Entry(_revision(row), row.body)

    @reading_again
    def entry_of(self, iri: str, sequence: int) -> Entry | None:
        """A record's revision as it stood at a sequence number (which may be its withdrawal), or None before its first."""
        with self._reading() as connection:
            query = _entries().where(records.c.iri == iri, revisions.c.sequence <= sequence)
            row = connection.execute(query.order_by(revisions.c.sequence.desc()).limit(1)).one_or_none()
            return None if row is None else Entry(_revision(row), row.body)

    @reading_again
    def sequence_at(self, moment: str) -> int:
        """The last sequence number that was written by a moment (ISO 8601 in UTC, as the clock writes it); 0 before the first."""
        with self._reading() as connection:
            query = select(func.max(revisions.c.sequence)).where(revisions.c.written_at <= moment)
            return connection.execute(query).scalar() or 0

    @reading_again
    def since(self, sequence: int, limit: int = 500) -> list[Entry]:
        """Up to `limit` entries after `sequence`, in order."""
        with self._reading() as connection:
            query = _entries().where(revisions.c.sequence > sequence).order_by(revisions.c.sequence).limit(limit)
            return [Entry(_revision(row), row.body) for row in connection.execute(query)]

    def whole_since(self, sequence: int, about: int = 500) -> list[Entry]:
        """The next entries, about so many, and never a part of one write: what a crash cuts short is done again as a whole."""
        entries: list[Entry] = []
        while more := self.since(entries[-1].revision.sequence if entries else sequence, about):
            entries += more
            if len(more) < about:
                break
            times = [entry.revision.written_at for entry in entries]
            whole = next((place for place in range(len(times) - 1, 0, -1) if times[place] != times[place - 1]), 0)
            if whole:
                return entries[:whole]
        return entries

    @reading_again
    def heads(self, after: int = 0, limit: int = 500) -> list[Entry]:
        """The latest written revisions of records that are not withdrawn, in order of their sequence numbers."""
        with self._reading() as connection:
            query = (
                _entries()
                .where(revisions.c.sequence == records.c.head, revisions.c.act == "write", revisions.c.sequence > after)
                .order_by(revisions.c.sequence)
                .limit(limit)
            )
            return [Entry(_revision(row), row.body) for row in connection.execute(query)]

    @reading_again
    def history(self, iri: str) -> list[Revision]:
        """All revisions of a record, the oldest first."""
        with self._reading() as connection:
            query = _metadata_only().where(records.c.iri == iri).order_by(revisions.c.sequence)
            return [_revision(row) for row in connection.execute(query)]

    def written(self, iris: Sequence[str]) -> dict[str, Revision]:
        """The present revisions of those of `iris` that are records and not withdrawn."""
        return {iri: revision for iri, revision in self.latest(iris).items() if revision.act == "write"}

    @reading_again
    def withdrawn(self) -> list[tuple[Revision, Entry]]:
        """The withdrawals that stand, each with the last revision that said something."""
        with self._reading() as connection:
            query = _metadata_only().where(revisions.c.sequence == records.c.head, revisions.c.act == "withdraw")
            withdrawals = [_revision(row) for row in connection.execute(query)]
            found = []
            for withdrawal in withdrawals:
                last = (
                    _entries()
                    .where(records.c.iri == withdrawal.iri, revisions.c.act == "write")
                    .order_by(revisions.c.sequence.desc())
                    .limit(1)
                )
                row = connection.execute(last).one()
                found.append((withdrawal, Entry(_revision(row), row.body)))
            return found

    @reading_again
    def recent(self, limit: int) -> list[Revision]:
        """The latest revisions, the newest first."""
        with self._reading() as connection:
            query = _metadata_only().order_by(revisions.c.sequence.desc()).limit(limit)
            return [_revision(row) for row in connection.execute(query)]

    @reading_again
    def visibilities(self) -> dict[str, int]:
        """How many present records there are of each visibility."""
        with self._reading() as connection:
            query = (
                select(revisions.c.visibility, func.count())
                .join(records, records.c.head == revisions.c.sequence)
                .where(revisions.c.act == "write")
                .group_by(revisions.c.visibility)
            )
            return {row[0]: row[1] for row in connection.execute(query)}

    # --- what is fixed for this ledger

    @reading_again
    def fact(self, name: str) -> str | None:
        with self._reading() as connection:
            return connection.execute(select(facts.c.value).where(facts.c.name == name)).scalar()

    def facts(self) -> dict[str, str]:
        """What is fixed for this ledger and goes with it wherever it is copied."""
        with self._reading() as connection:
            query = select(facts.c.name, facts.c.value).where(facts.c.name != COUNT)
            return {row[0]: row[1] for row in connection.execute(query)}

    def fix(self, name: str, value: str) -> None:
        """State a fact of the ledger once; it stays as it is."""
        with self._transaction() as connection:
            connection.execute(insert(facts).values(name=name, value=value))


def _entries() -> Select[Any]:
    return select(*_META, records.c.iri, revisions.c.body).join(records, records.c.id == revisions.c.record)


def _metadata_only() -> Select[Any]:
    return select(*_META, records.c.iri).join(records, records.c.id == revisions.c.record)


def _last(connection: Connection) -> int:
    return connection.execute(select(func.max(revisions.c.sequence))).scalar() or 0


def _head(connection: Connection, iri: str) -> Revision | None:
    row = connection.execute(_metadata_only().where(records.c.iri == iri, revisions.c.sequence == records.c.head)).one_or_none()
    return None if row is None else _revision(row)


def _revision(row: Row[Any]) -> Revision:
    values = row._asdict()
    values.pop("body", None)
    values["findings"] = tuple(Finding(**finding) for finding in json.loads(values["findings"]))
    return Revision(**values)


def _heads(connection: Connection, iris: Sequence[str]) -> dict[str, Revision]:
    found: dict[str, Revision] = {}
    for some in _portions(iris):
        query = _metadata_only().where(records.c.iri.in_(some), revisions.c.sequence == records.c.head)
        found |= {row.iri: _revision(row) for row in connection.execute(query)}
    return found


def _written(record: Record, head: Revision | None, sequence: int, actor: str, at: str) -> Revision:
    return Revision(
        sequence=sequence,
        iri=record.iri,
        number=1 if head is None else head.number + 1,
        act="write",
        title=record.title,
        source=record.source,
        importer=record.importer,
        importer_version=record.importer_version,
        evidence=record.evidence,
        visibility=record.visibility,
        digest=record.digest,
        statements=len(record.asserted),
        findings=tuple(record.findings),
        reason="",
        actor=actor,
        written_at=at,
    )


def _insert(connection: Connection, written: Sequence[tuple[Revision, bytes]], known: Mapping[str, Revision]) -> None:
    """Many revisions by a few statements: one by one, building the SQL took longer than the database."""
    heads = {revision.iri: revision.sequence for revision, _ in written}
    new = [{"iri": iri, "head": head} for iri, head in heads.items() if iri not in known]
    old = [iri for iri in heads if iri in known]
    keys: dict[str, int] = {}
    if new:
        keys |= {row.iri: row.id for row in connection.execute(insert(records).returning(records.c.iri, records.c.id), new)}
    if old:
        moved = update(records).where(records.c.iri == bindparam("its_iri")).values(head=bindparam("its_head"))
        connection.execute(moved, [{"its_iri": iri, "its_head": heads[iri]} for iri in old])
        for some in _portions(old):
            query = select(records.c.iri, records.c.id).where(records.c.iri.in_(some))
            keys |= {row.iri: row.id for row in connection.execute(query)}
    rows = [_row(revision, body, keys[revision.iri]) for revision, body in written]
    if rows:
        connection.execute(insert(revisions), rows)


def _row(revision: Revision, body: bytes, key: int) -> dict[str, object]:
    row: dict[str, object] = {name: _without_nul(getattr(revision, name)) for name in _SAME}
    findings = json.dumps([finding.as_dict() for finding in revision.findings])
    return row | {"record": key, "body": body, "findings": findings}


def _without_nul(value: object) -> object:
    """PostgreSQL keeps no NUL character in a text."""
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value


def _cause(doubt: Exception) -> DBAPIError:
    cause = doubt.__cause__
    assert isinstance(cause, DBAPIError)
    return cause


def _portions(iris: Sequence[str]) -> Iterator[Sequence[str]]:
    return (iris[start : start + _AT_ONCE] for start in range(0, len(iris), _AT_ONCE))
