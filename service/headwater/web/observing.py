"""The layer around every request: it is counted, its body has to arrive in time, and what was asked is noted."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import anyio
from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headwater.app import Headwater
from headwater.errors import HeadwaterError, Overdue
from headwater.web.metrics import Metrics
from headwater.web.problems import problem
from headwater.web.rates import Standing, fields
from headwater.web.readers import Who

_BYTES_PER_SECOND = 10_000
_TOLD = ("id", "to", "change", "direction", "depth", "as_of", "known_at", "since", "until")
_OUTCOMES = {
    "QueryTimeout": "timeout",
    "QueryBroke": "broke",
    "Busy": "busy",
    "TooMany": "limited",
    "TooLarge": "too_large",
    "Overdue": "late",
}


@dataclass(slots=True)
class Asked:
    """A question as the log shall tell it; routes fill in what they learn."""

    kind: str
    text: str
    reader: str
    outcome: str = "answered"
    more: dict[str, Any] = field(default_factory=dict)


def note(request: Request, kind: str, text: str, reader: str) -> Asked:
    """Have the log tell of this request. `kind` is `query`, `update`, or the name of a long question."""
    asked = Asked(kind, text, reader)
    request.state.asked = asked
    return asked


async def long_question(request: Request, reader: Who) -> None:
    """Notes a question about lineage: what it is about, not all of its parameters."""
    pairs = ((name, request.query_params.get(name)) for name in _TOLD)
    text = " ".join(f"{name}=<{value}>" if value.startswith("http") else f"{name}={value}" for name, value in pairs if value)
    note(request, request.url.path.removeprefix("/api/v1/"), text, reader.name)


class Observed:
    """Counts and logs what goes through it, and gives up on bodies that come too slowly.

    A client that sends a byte now and then would hold what it has begun for ever: uvicorn has no limit on the time that a body
    takes.
    """

    def __init__(self, app: ASGIApp, headwater: Headwater, metrics: Metrics) -> None:
        self.app = app
        self._headwater = headwater
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        await _Observation(self, scope, receive, send).run()

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)

    def over(self, scope: Scope, status: int, size: int, seconds: float, error: BaseException | None) -> None:
        """Count and note a request that has ended, by an answer or by an error."""
        route = getattr(scope.get("route"), "path", "unmatched")
        self._metrics.request(scope["method"], route, status, seconds)
        state = scope["state"]
        asked = state.get("asked")
        if scope["method"] in ("POST", "PUT", "DELETE") and route.startswith(WRITING):
            self._metrics.write(status)
        if not isinstance(asked, Asked):
            return
        name = type(error).__name__ if error is not None else state.get("problem")
        outcome = asked.outcome
        if name is not None:
            outcome = _OUTCOMES.get(name, "refused" if isinstance(error, HeadwaterError) or 400 <= status < 500 else "failed")
        elif state.get("left"):
            outcome = "left"
        self._metrics.question(asked.kind, outcome)
        self._headwater.query_log.note(
            kind=asked.kind,
            text=asked.text,
            reader=asked.reader,
            seconds=seconds,
            outcome=outcome,
            status=status,
            bytes=size,
            **asked.more,
        )

    @property
    def grace(self) -> float:
        return self._headwater.settings.request_timeout_s


WRITING = ("/api/v1/records", "/api/v1/changes", "/api/v1/imports", "/sparql/update", "/sparql/store")


class _Observation:
    """One request on its way."""

    def __init__(self, observed: Observed, scope: Scope, receive: Receive, send: Send) -> None:
        self._observed = observed
        self._scope = scope
        self._receive = receive
        self._send = send
        self._began = time.monotonic()
        # Without these fields there is no body to wait for.
        self._arrived = not any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])
        self._late = self._ended = False
        self._taken = 0
        self._waited = 0.0
        self._status = 0
        self._size = 0
        scope.setdefault("state", {})

    async def run(self) -> None:
        error: BaseException | None = None
        try:
            await self._observed.answer(self._scope, self._received, self._sent)
        except ClientDisconnect as gone:
            # Nobody waits for an answer any more, unless it is us who lost patience.
            error = gone if not self._late else Overdue("The body came too slowly.")
            self._scope["state"]["left"] = True
            if self._late and not self._status:
                late = Overdue(f"After {time.monotonic() - self._began:.0f} seconds {self._taken:,} bytes of the body had come.")
                answer = problem(Request(self._scope), late.problem(self._scope["path"]))
                await answer(self._scope, self._receive, self._sent)
        except BaseException as broken:
            error = broken
            raise
        finally:
            status = self._status or (499 if self._scope["state"].get("left") else 500)
            self._observed.over(self._scope, status, self._size, time.monotonic() - self._began, error)

    async def _received(self) -> Message:
        if self._arrived:
            message = await self._receive()
            if message["type"] == "http.disconnect" and not self._ended:
                self._scope["state"]["left"] = True
            return message
        allowed = self._observed.grace + self._taken / _BYTES_PER_SECOND - self._waited
        message = {"type": "http.disconnect"}
        since = time.monotonic()
        with anyio.move_on_after(max(0.0, allowed)) as waited:
            message = await self._receive()
        self._waited += time.monotonic() - since
        if waited.cancelled_caught:
            self._late = self._arrived = True
            return message
        self._taken += len(message.get("body", b""))
        self._arrived = not message.get("more_body", False)
        return message

    async def _sent(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            added: list[tuple[bytes, bytes]] = []
            rate = self._scope["state"].get("rate")
            if isinstance(rate, Standing):
                added += fields(rate)
            if self._late:
                added.append((b"connection", b"close"))
            message = {**message, "headers": [*message["headers"], *added]}
        elif message["type"] == "http.response.body":
            self._size += len(message.get("body", b""))
            self._ended = not message.get("more_body", False)
        await self._send(message)
