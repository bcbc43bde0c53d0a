"""Requests to a SPARQL server: connections that are kept open, time limits, and what each refusal means in words."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from headwater.errors import Unavailable
from headwater.store.remote.digest import Credentials

_CONNECT_S: Final = 5.0
_PIECE: Final = 1 << 16
_SHOWN: Final = 300
_LET_GO: Final = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


class StoreUnreachable(Unavailable):
    """The SPARQL server that holds the graphs does not answer, or breaks off."""

    title = "The triplestore does not answer"
    default_remedy = "Start the SPARQL server, or correct the setting 'store'; what was accepted is safe in the ledger."


class StoreTimeout(StoreUnreachable):
    """The SPARQL server did not answer in time."""

    title = "The triplestore took too long"
    default_remedy = "Look at the load of the SPARQL server, or raise store_timeout_s."


class StoreRefused(Unavailable):
    """The SPARQL server answered, and refused."""

    title = "The triplestore refused"
    default_remedy = "Look into the SPARQL server's own log."

    def __init__(self, detail: str, *, remedy: str | None = None, status_there: int = 0, said: str = "") -> None:
        super().__init__(detail, remedy=remedy)
        self.status_there = status_there
        self.said = said


class Stopped(Exception):
    """The request was stopped by us."""


class Reply:
    """An answer that is being read. What is cut short on its way is an error, never a short answer."""

    def __init__(self, pool: Connections, place: _Place, connection: http.client.HTTPConnection, deadline: float) -> None:
        self._pool = pool
        self._place = place
        self._connection = connection
        self._deadline = deadline
        self._response = connection.getresponse()
        self._open = True
        self.status = self._response.status
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in self._response.getheaders()}
        self.challenges = self._response.headers.get_all("WWW-Authenticate") or []

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes (all of them where it is negative); nothing at the end."""
        if size < 0:
            return b"".join(self.pieces())
        if not self._open:
            return b""
        try:
            with _told(self._place.shown, self._deadline):
                _limit(self._connection, self._deadline)
                piece = self._response.read1(max(1, min(size, _PIECE)))
                if not piece and self._response.length:
                    raise http.client.IncompleteRead(b"", self._response.length)
        except BaseException:
            self.close()
            raise
        if not piece:
            self._open = False
            self._pool.give_back(self._place, self._connection, self._response)
        return piece

    def pieces(self) -> Iterator[bytes]:
        """The bytes as they come."""
        while piece := self.read(_PIECE):
            yield piece

    def close(self) -> None:
        """Let go of it; where it was not read to its end the connection is closed, by which a server learns to stop."""
        if self._open:
            self._open = False
            self._response.close()
            self._connection.close()


class _Place:
    """One address: where to connect, and what to name in messages."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.shown = address
        self.secure = parts.scheme == "https"
        self.host, self.port = parts.hostname or "", parts.port
        self.target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    @property
    def key(self) -> tuple[bool, str, int | None]:
        return self.secure, self.host, self.port


class Connections:
    """Sends requests over connections that stay open between them. Safe to use from several threads.

    `seconds` is how long one request may take where its caller sets no other limit.
    """

    def __init__(self, user: str = "", password: str = "", seconds: float = 60.0, most: int = 16) -> None:
        self._credentials = Credentials(user, password)
        self.seconds = seconds
        self._most = most
        self._lock = threading.Lock()
        self._idle: dict[tuple[bool, str, int | None], list[http.client.HTTPConnection]] = {}
        self._tls: ssl.SSLContext | None = None
        self._closed = False
        self.sent = 0
        """How many requests were sent, for measurements."""

    def send(
        self,
        address: str,
        body: bytes,
        media_type: str,
        accept: str,
        *,
        deadline: float | None = None,
        begun: Callable[[Callable[[], None]], None] = lambda _stop: None,
    ) -> Reply:
        """POST a body and give the answer, whatever its status. `begun` is told how to stop the request, from any thread.

        Raises `StoreUnreachable` where nobody answers, `StoreTimeout` at the deadline (seconds of `time.monotonic`).
        """
        place = _Place(address)
        limit = time.monotonic() + self.seconds if deadline is None else deadline
        headers = {"Content-Type": media_type, "Accept": accept, "User-Agent": "Headwater"}
        reply = self._sent(place, body, headers, limit, begun)
        if reply.status == 401 and self._credentials.asked(reply.challenges):
            reply.read()
            reply = self._sent(place, body, headers, limit, begun)
        return reply

    def _sent(
        self,
        place: _Place,
        body: bytes,
        headers: dict[str, str],
        deadline: float,
        begun: Callable[[Callable[[], None]], None],
    ) -> Reply:
        given = self._credentials.header("POST", place.target)
        whole = headers | ({"Authorization": given} if given is not None else {})
        while True:
            connection, used = self._connection(place)
            begun(lambda connection=connection: _shut(connection))  # type: ignore[misc]
            try:
                with _told(place.shown, deadline):
                    if connection.sock is None:
                        connection.timeout = min(_CONNECT_S, max(0.01, deadline - time.monotonic()))
                        connection.connect()
                    _limit(connection, deadline)
                    self.sent += 1
                    connection.request("POST", place.target, body, whole)
                    return Reply(self, place, connection, deadline)
            except StoreUnreachable as error:
                connection.close()
                # A server may close a connection that rests just when it is taken up again, and has not read the request then.
                # After any other failure it might still carry it out, later than what is sent next.
                if used and isinstance(error.__cause__, _LET_GO):
                    continue
                raise
            except BaseException:
                connection.close()
                raise

    def _connection(self, place: _Place) -> tuple[http.client.HTTPConnection, bool]:
        with self._lock:
            idle = self._idle.get(place.key)
            if idle:
                return idle.pop(), True
            if place.secure and self._tls is None:
                self._tls = ssl.create_default_context()
        if place.secure:
            return http.client.HTTPSConnection(place.host, place.port, timeout=_CONNECT_S, context=self._tls), False
        return http.client.HTTPConnection(place.host, place.port, timeout=_CONNECT_S), False

    def give_back(self, place: _Place, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        """Keep a connection whose answer was read to its end."""
        # At the end of a body of known length Python leaves the answer open, and then refuses the connection's next request.
        response.close()
        with self._lock:
            idle = self._idle.setdefault(place.key, [])
            if not response.will_close and not self._closed and len(idle) < self._most:
                idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close the connections that rest, and keep none from now on."""
        with self._lock:
            self._closed = True
            resting = [connection for idle in self._idle.values() for connection in idle]
            self._idle.clear()
        for connection in resting:
            connection.close()


def _limit(connection: http.client.HTTPConnection, deadline: float) -> None:
    if connection.sock is not None:
        connection.sock.settimeout(max(0.01, deadline - time.monotonic()))


def _shut(connection: http.client.HTTPConnection) -> None:
    """End what goes on over a connection; whoever reads from it gets an error at once."""
    sock = connection.sock
    if sock is not None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


class _told:
    """Turns what a network says into errors that say where, what, and what to do."""

    def __init__(self, address: str, deadline: float) -> None:
        self._address = address
        self._deadline = deadline

    def __enter__(self) -> None:
        if time.monotonic() >= self._deadline:
            raise StoreTimeout(f"{self._address} did not answer in time.")

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, TimeoutError):
            raise StoreTimeout(f"{self._address} did not answer in time.") from error
        if isinstance(error, ssl.SSLError):
            raise StoreUnreachable(
                f"{self._address} is not trusted: {error.reason or error}.",
                remedy="Let the server have a certificate that this machine trusts.",
            ) from error
        if isinstance(error, ConnectionRefusedError):
            raise StoreUnreachable(f"Nobody listens at {self._address}.") from error
        if isinstance(error, socket.gaierror):
            raise StoreUnreachable(f"The host of {self._address} is not known.") from error
        if isinstance(error, OSError | http.client.HTTPException):
            what = str(error).strip() or type(error).__name__
            raise StoreUnreachable(f"The connection to {self._address} broke: {what[:_SHOWN]}.") from error


def refusal(address: str, reply: Reply) -> StoreRefused:
    """What an answer means that is no answer; its body is read."""
    said = in_short(reply.read().decode("utf-8", "replace"))
    status = reply.status
    if status in (401, 403):
        return StoreRefused(
            f"{address} does not let us in (HTTP {status}).",
            remedy="Give HEADWATER_STORE_USER and HEADWATER_STORE_PASSWORD, and give that user the right to read and to update.",
            status_there=status,
            said=said,
        )
    if status in (404, 405):
        return StoreRefused(
            f"There is no SPARQL endpoint at {address} (HTTP {status}).",
            remedy="Correct the path in the setting 'store' (or in store_update).",
            status_there=status,
            said=said,
        )
    if 300 <= status < 400:
        return StoreRefused(
            f"{address} is somewhere else: {reply.headers.get('location', 'it does not say where')}.",
            remedy="Name that address; redirections are not followed.",
            status_there=status,
        )
    return StoreRefused(f"{address} answered HTTP {status}: {said or 'nothing more'}", status_there=status, said=said)


def in_short(text: str) -> str:
    """The beginning of what a server says, without mark-up, on one line.

    >>> in_short("<html><body>Not <b>here</b></body></html>")
    'Not here'
    """
    plain = re.sub(r"<[^<>]{0,200}>", " ", text) if text.lstrip()[:1] == "<" else text
    return " ".join(plain.split())[:_SHOWN].replace(" .", ".")
