"""Reading one's own writes wherever one asks: answers name the ledger entry that they know of, requests may name one to wait for.

Who wrote keeps the number in `Headwater-Sequence` of the answer and sends it as `Headwater-At-Least` with what he asks next, to
the writer or any reader: it answers when it has come so far, or says by 503 that it has not.
"""

from __future__ import annotations

import time
from typing import Final

import anyio
from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headwater.app import Headwater
from headwater.errors import BadParameter, HeadwaterError, Unavailable
from headwater.web.observing import WRITING
from headwater.web.problems import problem

SEQUENCE: Final = "Headwater-Sequence"
"""The header that names the ledger's sequence number which an answer speaks of."""
WANTED: Final = "Headwater-At-Least"
AGE: Final = "Headwater-Age"
"""The seconds since a reader last knew that it had everything; only where that is longer than `WORTH_TELLING_S`."""
WORTH_TELLING_S = 2.0
_LOOK_S = 0.005
_SILENT = ("/static/", "/health/", "/metrics")


class AtLeast:
    """Waits for what a request names, and says in each answer how far it goes."""

    def __init__(self, app: ASGIApp, headwater: Headwater) -> None:
        self.app = app
        self._headwater = headwater

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_SILENT):
            await self.app(scope, receive, send)
            return
        try:
            await self._come_to(scope)
        except HeadwaterError as error:
            scope["state"]["problem"] = type(error).__name__
            request = Request(scope)
            await problem(request, error.problem(scope["path"]), self._told(None))(scope, receive, send)
            return
        # Of reading, what was there before it began is surely in the answer; of writing, what was written is there at its end.
        before = self._headwater.sequence

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                wrote = scope["method"] in ("POST", "PUT", "DELETE") and scope["path"].startswith(WRITING)
                headers = MutableHeaders(scope=message)
                for name, value in self._told(None if wrote else before).items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, telling)

    async def _come_to(self, scope: Scope) -> None:
        said = Headers(scope=scope).get(WANTED)
        if said is None:
            return
        if not said.isascii() or not said.isdigit() or len(said) > 18:
            raise BadParameter(f"{WANTED}: {said[:40]!r} is no sequence number", parameter=WANTED)
        scope["state"]["at_least"] = wanted = int(said)
        if self._headwater.sequence >= wanted:
            return
        self._headwater.duty.hurry()
        until = time.monotonic() + self._headwater.settings.at_least_wait_s
        while self._headwater.sequence < wanted:
            if time.monotonic() > until:
                raise Unavailable(
                    f"This process has come to entry {self._headwater.sequence:,} of the ledger, not yet to {wanted:,}.",
                    remedy="Try again in a moment, or ask the writer.",
                    sequence=self._headwater.sequence,
                )
            await anyio.sleep(_LOOK_S)

    def _told(self, sequence: int | None) -> dict[str, str]:
        found = {SEQUENCE: str(self._headwater.sequence if sequence is None else sequence)}
        age = self._headwater.duty.age_s
        if age is not None and age > WORTH_TELLING_S:
            found[AGE] = f"{age:.0f}"
        return found


def recent_enough(request: Request, sequence: int) -> None:
    """Raises `Unavailable` for an answer that is older than its request wants, which `query_staleness_s` allows."""
    if sequence < getattr(request.state, "at_least", 0):
        raise Unavailable("SPARQL is answered here from an older state (query_staleness_s).", remedy="Try again in a moment.")
