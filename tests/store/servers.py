"""Other people's SPARQL servers for tests: each is started once for a module, and emptied between tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.servers import Server, Unavailable, start
from headwater.store.remote import Addresses, RemoteStore

NAMES = ("oxigraph", "fuseki", "virtuoso")


@contextmanager
def running(name: str, folder: Path) -> Iterator[Server]:
    """A server of that name; the test is skipped where its program is missing, which must not happen in CI."""
    try:
        server = start(name, folder)
    except Unavailable as reason:
        pytest.skip(str(reason))
    with server as started:
        yield started


def setting(server: Server) -> str:
    """The server as the setting `store` names it."""
    return f"sparql+{server.query_url}"


def opened(server: Server, owner: str = "tests") -> RemoteStore:
    return RemoteStore(Addresses.of(setting(server)), owner=owner)


def emptied(server: Server) -> None:
    """Remove all that Headwater wrote there, whosoever it is."""
    from headwater.store.remote.connection import Connections
    from headwater.store.remote.store import GRAPHS
    from headwater.store.remote.talking import Talk

    talk = Talk(Connections(), server.query_url, server.update_url)
    rows = talk.rows(f"SELECT ?o {{ {GRAPHS} ?p ?o FILTER(ISIRI(?o)) }}", [GRAPHS.value])
    for row in [*rows, (GRAPHS,)]:
        talk.update(f"DROP SILENT GRAPH {row[0]}")
    talk.connections.close()
