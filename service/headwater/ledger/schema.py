"""Opening a ledger's database: made durable, and the schema brought to the version this code knows."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from headwater.errors import Conflict, HeadwaterError, StorageFailed
from headwater.ledger import postgres
from headwater.ledger.addresses import missing_driver, parsed
from headwater.ledger.failing import failure

HEAD = "0001"
"""The newest version in `migrations/versions`; a test holds the two together."""

LedgerEngine = Engine
"""What a ledger's database is reached by."""


def open_engine(address: str) -> Engine:
    """An engine for the ledger's address, with the schema migrated to `HEAD`.

    A commit that returned survives a power cut: SQLite runs in WAL with `synchronous=FULL`, PostgreSQL with `synchronous_commit`.
    Raises `Conflict` for a ledger that a newer Headwater has written, `StorageFailed` where the database cannot be read or
    written, `LedgerAway` where its server does not answer, `BadParameter` for a wrong address.
    """
    engine = connect_engine(address)
    migrate(engine)
    return engine


def connect_engine(address: str, *, reading: bool = False, derived: bool = False) -> Engine:
    """An engine for a ledger's address, whose schema is as it is. With `reading` nothing can be written to it.

    `derived` is for a SQLite copy that can be made again: it need not survive a power cut to its last commit. Raises what
    `open_engine` does.
    """
    url = parsed(address)
    server = url.get_backend_name() == "postgresql"
    try:
        engine = create_engine(url, **postgres.arguments(url) if server else {})
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise missing_driver(url) from error
    event.listen(engine, "connect", postgres.on_connect if server else _pragmas(reading=reading, derived=derived))
    if server and reading:
        engine = engine.execution_options(postgresql_readonly=True)
    with _closing_on_error(engine), engine.connect() as connection:
        if server:
            postgres.check(connection)
    return engine


def migrate(engine: Engine) -> None:
    """Bring the schema to the version that this code knows; of two that start at once, one waits for the other."""
    with _closing_on_error(engine), engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            key = postgres.lock_key(connection, postgres.MIGRATING)
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
        _migrate(connection)


def expect_schema(engine: Engine) -> None:
    """For those who only read. Raises `Conflict` where the schema is not the one that this code knows."""
    with _closing_on_error(engine), engine.connect() as connection:
        present = _version(connection)
    if present != HEAD:
        engine.dispose()
        raise Conflict(
            "There is no ledger yet." if present is None else f"The ledger's schema is version {present}, this code's is {HEAD}.",
            remedy="Start the writer first: it makes the ledger and brings it up to date. Readers are of the same version.",
        )


def sqlite_address(folder: Path) -> str:
    return f"sqlite:///{folder / 'ledger.sqlite'}"


class _closing_on_error:
    """Says in words what keeps a ledger from being opened, and lets go of it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        self._engine.dispose()
        if isinstance(error, DBAPIError | PoolTimeout):
            raise _unopened(error, self._engine) from error


def _unopened(error: DBAPIError | PoolTimeout, engine: Engine) -> HeadwaterError:
    if engine.dialect.name == "sqlite" and isinstance(error, DBAPIError):
        return StorageFailed(
            f"The ledger {engine.url.database or 'in memory'} cannot be opened: {error.orig}.",
            remedy="If the disk is sound, the file is damaged or no ledger: put a backup of it back.",
        )
    return failure("The ledger cannot be opened", error, engine.url)


def _pragmas(*, reading: bool, derived: bool) -> Any:
    durable = f"synchronous={'NORMAL' if derived else 'FULL'}"
    pragmas = ["journal_mode=WAL", durable, "foreign_keys=ON", "busy_timeout=5000"]
    if reading:
        pragmas = ["busy_timeout=5000", "query_only=ON"]

    def settle(connection: sqlite3.Connection, _: object) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    return settle


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(connection: Connection) -> None:
    present = _version(connection)
    if present == HEAD:
        return
    # Imported only when there is something to migrate: it takes a tenth of a second, and every command opens the ledger.
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise Conflict(
            f"The ledger's schema is version {present}, which this Headwater does not know.",
            remedy="It was written by a newer Headwater: upgrade this one.",
        ) from error
