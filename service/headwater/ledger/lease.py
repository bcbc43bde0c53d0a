"""The right to write a ledger, which one process has at a time: taken, asked after, lost with the connection.

In PostgreSQL it is an advisory lock of a session, so that it goes with the process or its connection. Who has it counts the
ledger's writers on by one (`advance`), and each commit makes sure that the count is still its own: a writer whose lock was
lost without his knowing cannot commit any more once another one has begun. For SQLite it is a lock on a file beside the ledger.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, Engine, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from headwater.errors import HeadwaterError, StorageFailed
from headwater.ledger import postgres
from headwater.ledger.failing import in_words
from headwater.ledger.tables import facts

try:
    import fcntl
except ImportError:  # Windows: the lock on the data folder's store is what is left there.
    fcntl = None  # type: ignore[assignment]

COUNT = "writer"
"""The fact that counts the writers of a ledger in PostgreSQL."""


class Lease:
    """The right to write the ledger behind `engine`. Not safe to use from several threads at once.

    >>> from headwater.ledger.schema import open_engine
    >>> lease = Lease(open_engine("sqlite://"))
    >>> lease.take(), lease.holds()
    (True, True)
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._server = engine.dialect.name == "postgresql"
        self._connection: Connection | None = None
        self._file: IO[str] | None = None
        self._held = False

    def take(self) -> bool:
        """Whether the right is ours now. Raises `LedgerAway` where nobody can be asked."""
        if self._held and self.holds():
            return True
        self._held = self._take_from_server() if self._server else self._take_file()
        return self._held

    def holds(self) -> bool:
        """Whether the right is still ours, as the server says."""
        if not self._held or not self._server:
            return self._held
        try:
            with in_words("The right to write could not be asked after", self._engine):
                self._asking().execute(text("SELECT 1"))
        except HeadwaterError:
            # With the session went the lock; whatever the reason, it is not ours until it is taken again.
            self._let_go()
        return self._held

    def advance(self) -> int | None:
        """Count the writers on; returns our number, for `Ledger.fence`. None for SQLite, which needs none.

        Waits for a commit of an earlier writer that is under way; after it none of his can succeed.
        """
        if not self._server:
            return None
        with in_words("The right to write could not be taken", self._engine):
            try:
                with self._engine.begin() as connection:
                    connection.execute(insert(facts).values(name=COUNT, value="0"))
            except IntegrityError:
                pass  # it was there before, as for every writer but the first
            with self._engine.begin() as connection:
                query = select(facts.c.value).where(facts.c.name == COUNT).with_for_update()
                number = int(connection.execute(query).scalar_one()) + 1
                connection.execute(update(facts).where(facts.c.name == COUNT).values(value=str(number)))
                return number

    def holder(self) -> str:
        """Who has it, as far as can be told."""
        if not self._server:
            return "another process on this machine"
        query = text(
            "SELECT a.application_name, coalesce(host(a.client_addr), 'this machine'), a.backend_start::text "
            "FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.granted "
            "AND ((l.classid::bigint << 32) | l.objid::bigint) = :key AND l.database = (SELECT oid FROM pg_database "
            "WHERE datname = current_database())"
        )
        with in_words("The ledger could not be read", self._engine), self._engine.connect() as connection:
            row = connection.execute(query, {"key": postgres.lock_key(connection, postgres.WRITING)}).first()
        return "a process that has just ended" if row is None else f"'{row[0]}' from {row[1]}, connected since {row[2][:19]}"

    def release(self) -> None:
        """Give it up; who waits for it can have it at once."""
        if self._held and self._connection is not None:
            # Where this fails the connection is gone, and the lock with it.
            with suppress(HeadwaterError), in_words("The right to write could not be given up", self._engine):
                self._connection.execute(text("SELECT pg_advisory_unlock_all()"))
        self._let_go()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _asking(self) -> Connection:
        if self._connection is None:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            # Out of the pool: it is ours for as long as this process writes.
            connection.detach()
            self._connection = connection
        return self._connection

    def _take_from_server(self) -> bool:
        try:
            with in_words("The right to write could not be asked for", self._engine):
                connection = self._asking()
                key = postgres.lock_key(connection, postgres.WRITING)
                return bool(connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}).scalar())
        except BaseException:
            self._let_go()
            raise

    def _let_go(self) -> None:
        self._held = False
        connection, self._connection = self._connection, None
        if connection is not None:
            # Out of the pool, it is really closed, and with the session goes the lock.
            connection.close()

    def _take_file(self) -> bool:
        name = self._engine.url.database
        if fcntl is None or not name or name == ":memory:":
            return True
        path = Path(f"{name}.writer")
        if self._file is None:
            try:
                self._file = path.open("a", encoding="utf-8")
            except OSError as error:
                raise StorageFailed(f"{path} cannot be written: {error.strerror or error}.") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
