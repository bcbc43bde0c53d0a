"""Requests that come again in the same bytes: answered from memory before anything reads them.

A dashboard, a notebook that is run again and a crawler send the very same request. As long as nothing was written since, it gets
the very same answer, and all that has to be looked at is whether the bytes are the same: the query, the format and the headers
are in them. It is counted, limited and logged like any other.

Only complete answers to `GET /sparql` without a token are kept, of readers whose rights nobody can change in between.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headwater.app.querying import Told
from headwater.web.at_least import AGE, WORTH_TELLING_S
from headwater.web.metrics import Metrics
from headwater.web.rates import Rates, fields

if TYPE_CHECKING:
    from headwater.app import Headwater

RAW: Final = "headwater.raw"
"""Under this name the request's bytes stand in its scope, where they came in one piece."""
_LONGEST: Final = 8_192
_ENTRY: Final = 2_000
"""Bytes that an entry takes besides its body, about."""
_REFUSED: Final = (
    b"\r\nauthorization:",
    b"\r\ncontent-length:",
    b"\r\ntransfer-encoding:",
    b"\r\nexpect:",
    b"\r\nupgrade:",
    b"\r\nconnection:",
)
_OWN: Final = frozenset({b"ratelimit", b"ratelimit-policy", b"date"})


@dataclass(frozen=True, slots=True)
class Repeatable:
    """What a route says of an answer that may be given again as it is: whose it is, and how he is counted."""

    told: Told
    text: str
    reader: str
    counted_as: str | None


@dataclass(frozen=True, slots=True)
class _Entry:
    head: bytes
    body: bytes
    of: Repeatable


class Repeated:
    """The answers that are kept, by the bytes of their requests and the address that sent them; up to `most` bytes."""

    def __init__(self, headwater: Headwater, metrics: Metrics, rates: Rates, most: int) -> None:
        self._headwater = headwater
        self._metrics = metrics
        self._rates = rates
        self._most = most
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[str, bytes], _Entry] = OrderedDict()
        self._size = 0

    def find(self, host: str, raw: bytes) -> tuple[bytes, bytes] | None:
        """Head and body of the answer that still holds, counted as given; None where the request must be looked at."""
        began = time.monotonic()
        entry = self._held.get((host, raw))
        if entry is None:
            return None
        of = entry.of
        if of.told.sequence != self._headwater.sequence:
            self._drop((host, raw))
            return None
        age = self._headwater.duty.age_s
        if age is not None and age > WORTH_TELLING_S:
            # The answer has to say how old it may be.
            return None
        standing = self._rates.standing(of.counted_as)
        if standing is not None and not standing.allowed:
            return None
        with self._lock:
            if (host, raw) in self._held:
                self._held.move_to_end((host, raw))
        more = b"".join(b"%b: %b\r\n" % pair for pair in fields(standing)) if standing is not None else b""
        self._headwater.kept_answers.hits += 1
        seconds = time.monotonic() - began
        self._metrics.request("GET", "/sparql", 200, seconds)
        self._metrics.question("query", "cached")
        self._headwater.query_log.note(
            kind="query",
            text=of.text,
            reader=of.reader,
            seconds=seconds,
            outcome="cached",
            status=200,
            bytes=len(entry.body),
            sequence=of.told.sequence,
        )
        return entry.head + more, entry.body

    def keep(self, host: str, raw: bytes, of: Repeatable, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """Keep an answer of status 200 with its headers, unless it is too large."""
        if len(body) > self._most // 8 or of.told.sequence != self._headwater.sequence:
            return
        if any(name.lower() == AGE.lower().encode() for name, _ in headers):
            return
        lines = (b"%b: %b\r\n" % (name, value) for name, value in headers if name.lower() not in _OWN)
        entry = _Entry(b"HTTP/1.1 200 OK\r\n" + b"".join(lines), body, of)
        with self._lock:
            before = self._held.pop((host, raw), None)
            self._size += _ENTRY + len(body) - (_ENTRY + len(before.body) if before is not None else 0)
            self._held[host, raw] = entry
            while self._size > self._most:
                _, gone = self._held.popitem(last=False)
                self._size -= _ENTRY + len(gone.body)

    def _drop(self, key: tuple[str, bytes]) -> None:
        with self._lock:
            gone = self._held.pop(key, None)
            if gone is not None:
                self._size -= _ENTRY + len(gone.body)


def may_repeat(raw: bytes) -> bool:
    """Whether bytes are one whole request that may be answered from memory when it comes again.

    >>> may_repeat(b"GET /sparql?query=ASK%7B%7D HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
    True
    >>> may_repeat(b"GET /sparql?query=ASK%7B%7D HTTP/1.1\\r\\nHost: x\\r\\nAuthorization: Bearer t\\r\\n\\r\\n")
    False
    """
    if not raw.startswith(b"GET /sparql?") or len(raw) > _LONGEST or raw.find(b"\r\n\r\n") != len(raw) - 4:
        return False
    line, _, _ = raw.partition(b"\r\n")
    lowered = raw.lower()
    return line.endswith(b" HTTP/1.1") and not any(name in lowered for name in _REFUSED)


class Repeating:
    """The outermost layer: has answers kept whose route says that they may be given again."""

    def __init__(self, app: ASGIApp, repeated: Repeated) -> None:
        self.app = app
        self._repeated = repeated

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = scope.get(RAW)
        if raw is None:
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        headers: list[tuple[bytes, bytes]] | None = None

        async def sent(message: Message) -> None:
            nonlocal headers
            if message["type"] == "http.response.start":
                headers = list(message["headers"]) if message["status"] == 200 else None
            await send(message)
            of = state.get("repeatable")
            if isinstance(of, Repeatable) and headers is not None and message["type"] == "http.response.body":
                body = message.get("body", b"")
                if body is of.told.body or body == of.told.body:
                    self._repeated.keep(scope["client"][0], raw, of, headers, of.told.body)

        await self.app(scope, receive, sent)
