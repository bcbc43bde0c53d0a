"""Opening a ledger's database: SQLite made durable, and the schema brought to the version this code knows."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError

from headwater.errors import Conflict, StorageFailed

HEAD = "0001"
"""The newest version in `migrations/versions`; a test holds the two together."""


def open_engine(address: str) -> Engine:
    """An engine for the ledger's address, with the schema migrated to `HEAD`.

    SQLite runs in WAL with `synchronous=FULL`: a commit that returned survives a power cut. Raises `Conflict` for a ledger
    that a newer Headwater has written, `StorageFailed` where the database cannot be read or written.
    """
    engine = create_engine(address)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
    try:
        with engine.begin() as connection:
            _migrate(connection)
    except DBAPIError as error:
        engine.dispose()
        raise StorageFailed(
            f"The ledger {engine.url.database or address} cannot be opened: {error.orig}.",
            remedy="If the disk is sound, the file is damaged or no ledger: put a backup of it back.",
        ) from error
    except Conflict:
        engine.dispose()
        raise
    return engine


def sqlite_address(folder: Path) -> str:
    return f"sqlite:///{folder / 'ledger.sqlite'}"


def _set_pragmas(connection: sqlite3.Connection, _: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}")


def _migrate(connection: Connection) -> None:
    present = None
    if inspect(connection).has_table("alembic_version"):
        present = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
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
