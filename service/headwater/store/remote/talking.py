"""Questions and updates on their way to a SPARQL server: what goes with them, and what its refusals mean."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from pyoxigraph import Triple

from headwater.errors import BadQuery, HeadwaterError, TooLarge
from headwater.store.remote import answers, wording
from headwater.store.remote.connection import Connections, Reply, StoreRefused, refusal
from headwater.store.sandbox.pool import QueryBroke, QueryTimeout

NOWHERE: Final = "urn:headwater:no-such-graph"
"""Named where a dataset has no graph: without any a server would take all that it has."""

Begun = Callable[[Callable[[], None]], None]


def _ignored(_stop: Callable[[], None]) -> None:
    return None


@dataclass(slots=True)
class Manner:
    """How a server wants to be talked to; the probe finds out."""

    most_graphs: int = 1_000_000
    """Up to so many graphs go beside the text; more go into it."""
    timeout: str = ""
    """The parameter by which it takes a time limit in seconds, if that is known."""


class Talk:
    """One server: asks it and writes to it. Safe to use from several threads."""

    def __init__(self, connections: Connections, query: str, update: str, manner: Manner | None = None) -> None:
        self.connections = connections
        self.query_address = query
        self.update_address = update
        self.manner = manner or Manner()
        self._count = threading.Lock()
        self.updates = 0

    def ask(
        self,
        text: str,
        graphs: Sequence[str] | None,
        named: Sequence[str] = (),
        accept: str = answers.TABLE,
        *,
        deadline: float | None = None,
        begun: Begun = _ignored,
    ) -> Reply:
        """Send a query over `graphs` merged and the `named` ones; None: over all that the server has. `text` has no `FROM`.

        Raises `BadQuery` for what the server does not understand, `QueryTimeout` and `QueryBroke` for what it gives up,
        `StoreRefused`, `StoreUnreachable`.
        """
        form: list[tuple[str, str]] = []
        if graphs is not None:
            merged, names = graphs or [NOWHERE], named or [NOWHERE]
            if len(merged) + len(names) > self.manner.most_graphs:
                text = wording.with_graphs(text, merged, names)
            else:
                form = [("default-graph-uri", graph) for graph in merged] + [("named-graph-uri", name) for name in names]
        if self.manner.timeout and deadline is not None:
            form.append((self.manner.timeout, str(max(1, round(deadline - time.monotonic())))))
        body = urlencode([("query", text), *form]).encode()
        reply = self.connections.send(
            self.query_address, body, "application/x-www-form-urlencoded", accept, deadline=deadline, begun=begun
        )
        if reply.status != 200:
            raise self._meant(reply)
        if "html" in reply.media_type:
            reply.close()
            raise StoreRefused(
                f"{self.query_address} answered with a page for people.",
                remedy="Name the address of its SPARQL endpoint in the setting 'store'.",
            )
        if "x-sql-state" in reply.headers or "x-sparql-maxrows" in reply.headers:
            reply.close()
            raise TooLarge(
                "The triplestore cut its answer short.",
                remedy="Raise ResultSetMaxRows and MaxQueryExecutionTime in the server's configuration, or ask for less.",
            )
        return reply

    def _meant(self, reply: Reply) -> HeadwaterError:
        error = refusal(self.query_address, reply)
        if reply.status in (408, 429, 503, 504):
            return QueryTimeout(f"The triplestore gave the query up: {error.said or reply.status}")
        if reply.status == 400:
            return BadQuery(f"The triplestore does not understand the query: {error.said}")
        if reply.status >= 500:
            return QueryBroke(f"The triplestore failed at the query: {error.said or reply.status}")
        return error

    def rows(self, text: str, graphs: Sequence[str] | None, named: Sequence[str] = ()) -> list[answers.Row]:
        """All rows of a SELECT."""
        return answers.rows(self.ask(text, graphs, named), self.query_address)

    def truth(self, text: str, graphs: Sequence[str] | None, named: Sequence[str] = ()) -> bool:
        """The answer to an ASK."""
        return answers.truth(self.ask(text, graphs, named), self.query_address)

    def triples(
        self,
        text: str,
        graphs: Sequence[str],
        named: Sequence[str] = (),
        *,
        deadline: float | None = None,
        begun: Begun = _ignored,
    ) -> Iterator[Triple]:
        """The triples of a CONSTRUCT while they come; it is sent when the first is asked for."""
        reply = self.ask(text, graphs, named, answers.GRAPH, deadline=deadline, begun=begun)
        yield from answers.triples(reply, self.query_address)

    def update(self, text: str, *, seconds: float | None = None) -> None:
        """Carry out an update. Raises `StoreRefused`, `StoreUnreachable`, `StoreTimeout`."""
        with self._count:
            self.updates += 1
        deadline = time.monotonic() + (seconds if seconds is not None else max(self.connections.seconds, 600.0))
        reply = self.connections.send(self.update_address, text.encode(), "application/sparql-update", "*/*", deadline=deadline)
        if not 200 <= reply.status < 300:
            raise refusal(self.update_address, reply)
        said = reply.read()
        if "html" in reply.media_type and b"<form" in said.lower():
            raise StoreRefused(
                f"{self.update_address} answered with a page for people.",
                remedy="Name the address that takes updates in the setting store_update.",
            )
