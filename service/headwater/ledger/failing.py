"""What a database's refusals mean, and what to do about each: in our errors, and never with a password in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from headwater.errors import HeadwaterError, LedgerAway, StorageFailed
from headwater.ledger.addresses import told

_MEND = "Mend the disk, or put a backup of the ledger back."
_REMEDIES = (
    # SQLSTATE, words of a message that comes without one (libpq's), what to check
    (("28P01", "28000"), r"authentication failed|no password supplied|no pg_hba.conf entry", "user, password and pg_hba.conf"),
    (("3D000",), r'database ".*" does not exist', "the database's name, or make it: createdb --encoding=UTF8 NAME"),
    (("42501",), r"permission denied", "the user's rights: GRANT CREATE, USAGE ON SCHEMA public TO USER, and on its tables"),
    (("53300",), r"too many clients|remaining connection slots", "max_connections of the server, which has none left"),
    (("53100",), r"No space left", "the disk of the database server, which is full"),
)
_GONE = ("08", "57P", "53300", "25006", "55P03")
"""SQLSTATEs after which asking again later may help: connection, shutdown, too many clients, now a replica, lock wait."""


@contextmanager
def in_words(what: str, engine: Engine) -> Iterator[None]:
    """Raises `LedgerAway` or `StorageFailed`, beginning with `what`, for what the database refuses inside."""
    try:
        yield
    except (DBAPIError, PoolTimeout) as error:
        raise failure(what, error, engine.url) from error


def failure(what: str, error: DBAPIError | PoolTimeout, url: URL) -> HeadwaterError:
    """The error that tells of a refusal."""
    if isinstance(error, PoolTimeout):
        return LedgerAway(f"{what}: all connections to {told(url)} are in use.")
    if url.get_backend_name() == "sqlite":
        return StorageFailed(f"{what}: {error.orig}", remedy=_MEND if "read" in what else None)
    state = _state(error)
    words = str(error.orig).strip().partition("\n")[0]
    remedy = _remedy(state, str(error.orig))
    if lost(error) or state.startswith(_GONE) or not state:
        return LedgerAway(f"{what}: {told(url)} does not answer as it should ({words}).", remedy=remedy)
    return StorageFailed(f"{what}: {words}", remedy=remedy or "Look into the log of the database server; nothing was written.")


def lost(error: BaseException) -> bool:
    """Whether an error says that the connection is gone."""
    return isinstance(error, DBAPIError) and (error.connection_invalidated or _state(error).startswith(("08", "57P")))


def _state(error: DBAPIError) -> str:
    """The SQLSTATE of an error; empty where the server was not reached, or the driver does not tell."""
    return str(getattr(error.orig, "sqlstate", None) or "")


def _remedy(state: str, words: str) -> str | None:
    for states, signs, check in _REMEDIES:
        if state in states or (not state and re.search(signs, words)):
            return f"Check {check}."
    return None
