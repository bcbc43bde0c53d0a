"""The addresses of ledgers: which databases are taken, with which driver, and how an address is told without its password."""

from __future__ import annotations

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from headwater.errors import BadParameter

_PLAIN = ("postgresql", "postgres")
DRIVER = "postgresql+psycopg"
"""What `postgresql://…` means: psycopg 3, which the extra `postgres` brings."""


def parsed(address: str) -> URL:
    """A ledger's address, taken apart. Raises `BadParameter` for what is none, without repeating it: it may hold a password.

    >>> parsed("postgres://ada@db.example/headwater").drivername
    'postgresql+psycopg'
    """
    try:
        url = make_url(address)
    except (ArgumentError, ValueError) as error:
        raise BadParameter(
            "ledger: this is no address of a database",
            parameter="ledger",
            remedy="Write postgresql+psycopg://USER:PASSWORD@HOST:PORT/DATABASE, or sqlite:////FILE; % in a password is %25.",
        ) from error.__cause__
    if url.drivername in _PLAIN:
        url = url.set(drivername=DRIVER)
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise BadParameter(
            f"ledger: '{url.get_backend_name()}' is no database that a ledger can be in",
            parameter="ledger",
            remedy="Use PostgreSQL or SQLite.",
        )
    return url


def told(url: URL) -> str:
    """An address as it may be shown: without password and parameters.

    >>> told(parsed("postgresql+psycopg://ada:secret@db.example:5433/headwater?password=other"))
    'postgresql://ada@db.example:5433/headwater'
    """
    host = url.host or next((str(url.query[name]) for name in ("host", "unix_sock") if name in url.query), "")
    user = f"{url.username}@" if url.username else ""
    port = f":{url.port}" if url.port else ""
    return f"{url.get_backend_name()}://{user}{host}{port}/{url.database or ''}"


def missing_driver(url: URL) -> BadParameter:
    """What is said where the driver that an address names is not installed."""
    return BadParameter(
        f"ledger: the driver of '{url.drivername}' is not installed",
        parameter="ledger",
        remedy="Install it with: pip install 'headwater[postgres]' (psycopg 3; the address then begins with postgresql+psycopg://).",
    )
