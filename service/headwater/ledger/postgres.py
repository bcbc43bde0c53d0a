"""What a ledger wants of PostgreSQL: durable commits, connections that notice when the other side is gone, one writer."""

from __future__ import annotations

import os
import socket
from typing import Any

from sqlalchemy import URL, Connection, text

from headwater.errors import Conflict

_OLDEST = 13
_NAME = f"headwater {socket.gethostname()[:40]} {os.getpid()}"
_POOL = {"pool_pre_ping": True, "pool_size": 5, "max_overflow": 27, "pool_timeout": 10}
_CONNECTING: dict[str, dict[str, Any]] = {
    # A connection whose other end vanished without a word is given up after about ten seconds instead of two hours.
    "psycopg": {
        "application_name": _NAME,
        "connect_timeout": 5,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,
    },
    "pg8000": {"application_name": _NAME, "tcp_keepalive": True},
}
_SESSION = """
    SELECT set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '2', false),
           set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '10000', false),
           set_config('idle_in_transaction_session_timeout', '120000', false),
           CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', false) END
"""
"""The server has to notice, too, when a writer vanished, as its lock goes with its session; what is committed is on disk."""

MIGRATING = "headwater: schema"
WRITING = "headwater: writer"


def arguments(url: URL) -> dict[str, Any]:
    """How the pool and the connections of an engine are made; what the address itself says goes first."""
    own = {name: value for name, value in _CONNECTING.get(url.get_driver_name(), {}).items() if name not in url.query}
    return {**_POOL, "connect_args": own}


def on_connect(connection: Any, _: object) -> None:
    """Settle what holds for each connection."""
    cursor = connection.cursor()
    cursor.execute(_SESSION)
    cursor.close()
    connection.commit()


def check(connection: Connection) -> None:
    """Raises `Conflict` for a server that is too old, or a database whose text is not UTF-8."""
    version = connection.dialect.server_version_info or (0,)
    if int(version[0]) < _OLDEST:
        raise Conflict(
            f"The database server is PostgreSQL {'.'.join(map(str, version))}; a ledger needs {_OLDEST} or newer.",
            remedy="Upgrade the server, or use another one.",
        )
    encoding = connection.execute(text("SHOW server_encoding")).scalar()
    if encoding != "UTF8":
        raise Conflict(
            f"The text of the database is kept in {encoding}, which cannot hold all titles and names.",
            remedy="Make one for the ledger: createdb --encoding=UTF8 --template=template0 NAME.",
        )


def facts(connection: Connection) -> dict[str, str]:
    """Version, and whether commits are on disk when they return."""
    row = connection.execute(
        text(
            "SELECT current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit'), "
            "pg_is_in_recovery()::text"
        )
    ).one()
    return dict(zip(("version", "fsync", "synchronous_commit", "replica"), map(str, row), strict=True))


def lock_key(connection: Connection, purpose: str) -> int:
    """The number of an advisory lock: ledgers in two schemas of one database have two."""
    query = text("SELECT hashtextextended(current_schema() || ' ' || :purpose, 0)")
    return int(connection.execute(query, {"purpose": purpose}).scalar_one())
