"""Asking elsewhere: `SERVICE` and `LOAD` of the addresses that the settings name, and of no others.

The engine fetches what a text names and looks at nothing. So it is shown an address of this process instead, which nobody can
guess and which holds for one query; what it sends there is handed on to the server that was meant, if that is one of a public
network. Where it points elsewhere is not followed, answers are taken whole or not at all, and the query's own limits hold.
"""

from __future__ import annotations

import http.client
import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO
from urllib.parse import urljoin, urlsplit

from pyoxigraph import DefaultGraph, RdfFormat, parse, serialize

from headwater.app.reaching import Connect, Private, connect_publicly, hung_up_after, left
from headwater.errors import BadQuery, HeadwaterError, StorageFailed
from headwater.settings import Settings
from headwater.store.fetching import Fetch, allowed, fetches
from headwater.store.joining import edited

_IN_MEMORY = 1 << 22
_PIECE = 1 << 16
_REDIRECTS = 5


class Elsewhere(HeadwaterError):
    """Another server, that a query or an update asks, did not answer as it should."""

    status = 502
    title = "Another server did not answer"
    default_remedy = "Try again later, or write SILENT to go on without it."


@dataclass(slots=True)
class Lease:
    """The addresses that stand for endpoints while one query runs, and what went wrong with them."""

    until: float
    let_go: Callable[[Lease], None]
    endpoints: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def close(self) -> None:
        """From now on the addresses lead nowhere."""
        self.let_go(self)

    def meant(self, error: HeadwaterError) -> HeadwaterError:
        """The error that is to be told instead of the engine's own, which names our addresses."""
        if self.failed and isinstance(error, BadQuery | StorageFailed):
            return Elsewhere(self.failed[0])
        for ours, theirs in self.endpoints.items():
            error.detail = error.detail.replace(ours, theirs)
        return error


class Federation:
    """Hands on what queries ask elsewhere. `connect` is how a server is reached: the usual way refuses private networks."""

    def __init__(self, settings: Settings, connect: Connect = connect_publicly) -> None:
        self._settings = settings
        self._connect = connect
        self._largest = settings.max_answer_mb * 2**20
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self._leases: dict[str, tuple[Lease, str]] = {}
        self.asked = 0
        """How many requests were handed on since the start."""

    @property
    def words(self) -> frozenset[str]:
        """Those of SERVICE and LOAD that the settings allow at all."""
        named = (("SERVICE", self._settings.service_allowed), ("LOAD", self._settings.load_allowed))
        return frozenset(word for word, addresses in named if addresses)

    def lent(self, text: str, base: str, until: float) -> tuple[str, Lease]:
        """`text` with our addresses for the endpoints that it asks, until the lease is closed or `until` (`time.monotonic`).

        Raises `BadQuery` for an endpoint that the settings do not name.
        """
        lease = Lease(until, self._forget)
        edits = []
        for fetch in fetches(text, "SERVICE", base):
            self._named(fetch.iri, "SERVICE", self._settings.service_allowed)
            if not fetch.within:
                edits.append((*fetch.address, f"<{self._address(lease, fetch.iri)}>"))
        return edited(text, edits), lease

    def loaded(self, text: str, base: str, *, blank: bool = False) -> str:
        """An update's `text` with what its `LOAD`s fetch in their places; `blank`: nothing is fetched, and nothing put there.

        Raises `BadQuery` for what the settings do not name, and `Elsewhere` for what cannot be had, unless it is SILENT.
        """
        edits = []
        for fetch in fetches(text, "LOAD", base):
            if not (fetch.silent and urlsplit(fetch.iri).scheme not in ("http", "https")):
                # What nobody could fetch fails, and SILENT bears that.
                self._named(fetch.iri, "LOAD", self._settings.load_allowed)
            edits.append((*fetch.place, _insert(fetch, "") if blank else self._statements(fetch)))
        return edited(text, edits)

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    @staticmethod
    def _named(address: str, word: str, addresses: Sequence[str]) -> None:
        if not allowed(address, addresses):
            raise BadQuery(
                f"{word} <{address[:200]}> is not allowed here.",
                remedy=f"The service description and the settings name what {word} may ask.",
            )

    # --- SERVICE

    def _address(self, lease: Lease, endpoint: str) -> str:
        with self._lock:
            if self._server is None:
                self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
                self._server.daemon_threads = True
                threading.Thread(target=self._server.serve_forever, name="headwater-federation", daemon=True).start()
            path = f"/{secrets.token_urlsafe(32)}"
            self._leases[path] = (lease, endpoint)
            ours = f"http://127.0.0.1:{self._server.server_address[1]}{path}"
        lease.endpoints[ours] = endpoint
        return ours

    def _forget(self, lease: Lease) -> None:
        with self._lock:
            self._leases = {path: held for path, held in self._leases.items() if held[0] is not lease}

    def hand_on(self, path: str, body: bytes, accept: str, output: IO[bytes]) -> str | None:
        """Ask the endpoint that `path` stands for; its answer goes to `output`. Returns its media type, None for a failure."""
        with self._lock:
            lease, endpoint = self._leases.get(path, (None, ""))
        if lease is None:
            return None
        headers = {"Content-Type": "application/sparql-query", "Accept": accept}
        try:
            onwards, media_type = self._got(endpoint, "POST", body, headers, lease.until, output)
            if onwards:
                raise _Refused("the server points elsewhere, which is not followed")
            return media_type
        except _Refused as refused:
            lease.failed.append(f"SERVICE <{endpoint}>: {refused}.")
            return None

    def _got(
        self, address: str, method: str, body: bytes | None, headers: dict[str, str], until: float, output: IO[bytes]
    ) -> tuple[str, str]:
        """Fetch an address into `output`; where it says to look instead (or ""), and the media type. Raises `_Refused`."""
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise _Refused("the address is none of the web's")
        with self._lock:
            self.asked += 1
        try:
            rest = left(until)
            connection = self._connect(parts.scheme, parts.hostname, parts.port, rest)
            with hung_up_after(connection, rest):
                target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                connection.request(method, target, body, headers | {"User-Agent": "headwater", "Connection": "close"})
                answer = connection.getresponse()
                if 300 <= answer.status < 400:
                    return urljoin(address, answer.getheader("Location") or ""), ""
                if answer.status != 200:
                    raise _Refused(f"the server answered {answer.status}")
                self._take(answer, output)
                left(until)
                return "", answer.getheader("Content-Type") or ""
        except Private:
            raise _Refused("the address leads into a private network") from None
        except TimeoutError:
            raise _Refused("the server did not answer in time") from None
        except (OSError, http.client.HTTPException, ValueError):
            raise _Refused("the server could not be asked") from None

    def _take(self, answer: http.client.HTTPResponse, output: IO[bytes]) -> None:
        taken = 0
        while piece := answer.read(_PIECE):
            taken += len(piece)
            if taken > self._largest:
                raise _Refused(f"the answer is larger than {self._largest // 2**20} MiB (max_answer_mb)")
            output.write(piece)
        if answer.length:
            raise _Refused("the answer broke off")

    # --- LOAD

    def _statements(self, fetch: Fetch) -> str:
        """An `INSERT DATA` of what a document says; of nothing where it cannot be had, and may be missing."""
        try:
            told = self._document(fetch.iri)
        except _Refused as refused:
            if not fetch.silent:
                raise Elsewhere(f"LOAD <{fetch.iri}>: {refused}.", remedy="Try again later, or write LOAD SILENT.") from None
            told = ""
        return _insert(fetch, told)

    def _document(self, address: str) -> str:
        until = time.monotonic() + self._settings.query_timeout_s
        accept = "text/turtle, application/n-triples, application/rdf+xml;q=0.9, application/ld+json;q=0.8"
        for _ in range(_REDIRECTS + 1):
            with tempfile.SpooledTemporaryFile(_IN_MEMORY) as body:
                onwards, media_type = self._got(address, "GET", None, {"Accept": accept}, until, body)
                if not onwards:
                    body.seek(0)
                    return _as_triples(body.read(), media_type, address)
            if not allowed(onwards, self._settings.load_allowed):
                raise _Refused(f"the server points to <{onwards[:200]}>, which is not allowed")
            address = onwards
        raise _Refused("the server points onwards and onwards")


class _Refused(Exception):
    """Why something could not be fetched, in words that go after a colon."""


def _insert(fetch: Fetch, told: str) -> str:
    return f"INSERT DATA {{ GRAPH {fetch.into} {{\n{told}}} }}" if fetch.into else f"INSERT DATA {{\n{told}}}"


def _as_triples(body: bytes, media_type: str, address: str) -> str:
    kind = media_type.partition(";")[0].strip().lower()
    ending = urlsplit(address).path.rpartition(".")[2].lower()
    format = RdfFormat.from_media_type(kind) or RdfFormat.from_extension(ending)
    if format is None:
        raise _Refused(f"'{kind[:80]}' is no RDF that is read here")
    try:
        quads = list(parse(body, format=format, base_iri=address))
    except (SyntaxError, ValueError) as error:
        raise _Refused(f"the document cannot be read ({str(error)[:200]})") from None
    if any(quad.graph_name != DefaultGraph() for quad in quads):
        raise _Refused("the document holds named graphs")
    told = serialize((quad.triple for quad in quads), format=RdfFormat.N_TRIPLES)
    assert told is not None  # serialize only returns None when it is handed a file to write to
    return told.decode()


def _handler(federation: Federation) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Takes what the engine sends to one of our addresses."""

        timeout = 10

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with tempfile.SpooledTemporaryFile(_IN_MEMORY) as answer:
                media_type = federation.hand_on(self.path, body, self.headers.get("Accept") or "*/*", answer)
                self.send_response(502 if media_type is None else 200)
                length = answer.tell() if media_type is not None else 0
                self.send_header("Content-Type", media_type or "text/plain")
                self.send_header("Content-Length", str(length))
                self.end_headers()
                answer.seek(0)
                while length and (piece := answer.read(min(_PIECE, length))):
                    self.wfile.write(piece)
                    length -= len(piece)

        def log_message(self, *_: object) -> None:
            """The query log tells what was asked."""

    return Handler
