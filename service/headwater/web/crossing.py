"""Pages of other origins that ask from a browser, such as YASGUI: they may read what a stranger may, if the settings let them.

The policy is narrow on purpose. Only SPARQL queries, graphs to read and the description of the data are open to it, only for the
origins that the setting `cors_origins` names (none by default), and never with cookies or tokens: a page that is open in the
browser of somebody who works here must not get more than anybody. A request from another origin never counts as coming from this
machine.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_READING = {"/sparql": "GET, HEAD, POST, QUERY", "/sparql/store": "GET, HEAD", "/.well-known/void": "GET, HEAD"}
_TAKEN = _READING | {"/sparql/store": "GET, HEAD, PUT, POST, DELETE"}
_HEADERS = "Accept, Content-Type, If-None-Match, X-Requested-With"
_SHOWN = "ETag, Headwater-Sequence"
_DAY_S = "86400"


class CrossOrigin:
    """Adds what a browser wants to see before it hands an answer to a page of another origin (Fetch standard, 3.3)."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self.app = app
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].rstrip("/") if scope["type"] == "http" else ""
        methods = _READING.get(path)
        if methods is None:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        allowed = self._allowed(headers.get("origin"))
        asked = headers.get("access-control-request-method")
        if scope["method"] == "OPTIONS":
            preflight = Response(status_code=204, headers={"Allow": f"{_TAKEN[path]}, OPTIONS", "Vary": "Origin"})
            if allowed is not None and asked is not None:
                preflight.headers["Access-Control-Allow-Origin"] = allowed
                preflight.headers["Access-Control-Allow-Methods"] = methods
                preflight.headers["Access-Control-Allow-Headers"] = _HEADERS
                preflight.headers["Access-Control-Max-Age"] = _DAY_S
            await preflight(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent = MutableHeaders(scope=message)
                if self._origins and "*" not in self._origins:
                    sent.add_vary_header("Origin")
                if allowed is not None and scope["method"] in methods.split(", "):
                    sent["Access-Control-Allow-Origin"] = allowed
                    sent["Access-Control-Expose-Headers"] = _SHOWN
            await send(message)

        await self.app(scope, receive, told)

    def _allowed(self, origin: str | None) -> str | None:
        """What to allow in the answer to a request of this origin, or nothing."""
        if origin is None or not self._origins:
            return None
        if "*" in self._origins:
            return "*"
        return origin if origin.lower() in self._origins else None
