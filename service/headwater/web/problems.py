"""Errors as answers: problem+json (RFC 9457) for programs, a page for people who prefer one."""

from __future__ import annotations

import errno
import json
import logging
import os
import re
from collections.abc import Iterable
from http import HTTPStatus
from math import ceil
from typing import Any, cast
from urllib.parse import quote
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headwater.errors import BadParameter, HeadwaterError, NotAcceptable, ReaderOnly, StorageFailed, Unavailable
from headwater.web.negotiation import HTML, PROBLEM, choose
from headwater.web.rendering import page

log = logging.getLogger("headwater.web")

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})
_NO_FILES = frozenset({errno.EMFILE, errno.ENFILE})
_HOST = re.compile(rb"(?:[A-Za-z0-9._~-]{0,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{0,5})?")
_KEPT = "/:?#[]@!$&'()*+,;=%"
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
_POLICY = "default-src 'self'; script-src {}; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
SCRIPTED = {"Content-Security-Policy": _POLICY.format("'self'")}
"""The policy of a page that runs a script of ours; all other pages run none."""
_HEADERS = {
    "Content-Security-Policy": _POLICY.format("'none'"),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

CONTENT: dict[str, Any] = {
    "application/problem+json": {
        "schema": {
            "type": "object",
            "title": "Problem",
            "description": "RFC 9457, with what to do about it.",
            "required": ["type", "title", "status", "detail", "remedy"],
            "properties": {
                "type": {"type": "string", "format": "uri-reference"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string"},
                "remedy": {"type": "string"},
                "instance": {"type": "string"},
                "parameter": {"type": "string", "description": "The parameter that is wrong, where one is."},
            },
        }
    }
}
"""What a problem looks like, for the OpenAPI document."""


REFUSALS: dict[int | str, dict[str, Any]] = {
    404: {"description": "There is no such thing, or not for this reader.", "content": CONTENT},
    406: {"description": "No representation fits what is accepted.", "content": CONTENT},
    408: {"description": "The request did not arrive in time.", "content": CONTENT},
    415: {"description": "The body is of no kind that is taken here.", "content": CONTENT},
    421: {"description": "This process only reads; `writer` and the link `edit` say where to write.", "content": CONTENT},
    429: {"description": "One reader asks more than he may; Retry-After says when to come back.", "content": CONTENT},
}
"""What any route may answer, for the OpenAPI document."""


class Unchanged(Exception):
    """What the client holds is still current: answered by 304 with its ETag."""

    def __init__(self, etag: str, keeping: str = "no-cache") -> None:
        super().__init__(etag)
        self.etag = etag
        self.keeping = keeping


def problem(request: Request, body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    """A problem document as the client likes it: a page if it prefers HTML, problem+json otherwise."""
    status = int(body["status"])
    sent = {"Vary": "Accept", "Cache-Control": "no-store", **(headers or {})}
    if status == 401:
        sent["WWW-Authenticate"] = 'Bearer realm="headwater"'
    if status == 503:
        sent["Retry-After"] = "5"
    if status == 429:
        sent["Retry-After"] = str(max(1, ceil(getattr(getattr(request.state, "rate", None), "wait", 0.0))))
    try:
        offer = choose(request.headers.get("accept"), [PROBLEM, HTML])
    except NotAcceptable:
        offer = PROBLEM
    if offer is HTML:
        return Response(page("problem.html", request, problem=body), status, sent, media_type=HTML.media_type)
    written = json.dumps(body, ensure_ascii=False, default=str).encode("utf-8", "replace")
    return Response(written, status, sent, media_type=PROBLEM.media_type)


def _headwater_error(request: Request, error: Exception) -> Response:
    known = cast(HeadwaterError, error)
    request.state.problem = type(known).__name__
    if known.status >= 500 and known.status != 503:
        log.error("%s %s: %s", request.method, request.url.path, known.detail, exc_info=known)
    body = known.problem(request.url.path)
    if isinstance(known, ReaderOnly) and body.get("writer"):
        # No redirect: clients leave the token behind when they follow one to another host, and many the body, too.
        query = f"?{request.url.query}" if request.url.query else ""
        body["writer"] = f"{body['writer'].rstrip('/')}{request.url.path}{query}"
        return problem(request, body, {"Link": f'<{quote(body["writer"], safe=_KEPT)}>; rel="edit"'})
    return problem(request, body)


def _refused_by_system(request: Request, error: Exception) -> Response:
    """A file that could not be written or opened because the disk is full, or too many are open: said as that."""
    number = cast(OSError, error).errno
    if number in _NO_ROOM:
        full = StorageFailed(f"The disk could not take what this request needs: {os.strerror(number)}.")
        return _headwater_error(request, full)
    if number in _NO_FILES:
        return _headwater_error(request, Unavailable("The service has as many files and connections open as it may."))
    raise error


def _invalid(request: Request, error: Exception) -> Response:
    """Validation errors in one shape with all others, naming every parameter that is wrong."""
    found = []
    for one in cast(RequestValidationError, error).errors():
        where = [str(part) for part in one["loc"] if part not in ("query", "body", "path")]
        name = ".".join(where) or "body"
        message = "unknown parameter" if one["type"] == "extra_forbidden" else str(one["msg"]).removeprefix("Value error, ")
        found.append({"parameter": name, "detail": message})
    detail = "; ".join(f"{one['parameter']}: {one['detail']}" for one in found)
    wrong = BadParameter(detail, parameter=found[0]["parameter"] if found else None, errors=found)
    return problem(request, wrong.problem(request.url.path))


def _http_error(request: Request, error: Exception) -> Response:
    known = cast(HTTPException, error)
    remedy = {
        404: "Check the address; /docs lists what there is.",
        405: "See /docs for the methods that this address takes.",
    }.get(known.status_code, "See /docs.")
    body = {
        "type": "about:blank",
        "title": HTTPStatus(known.status_code).phrase,
        "status": known.status_code,
        "detail": f"{request.method} {request.url.path}: {known.detail}",
        "remedy": remedy,
        "instance": request.url.path,
    }
    headers = dict(known.headers or {})
    if known.status_code == 405:
        # The router only knows of the first route of the address.
        headers["Allow"] = ", ".join(sorted(_methods(request)) or [headers.get("Allow", "")])
    return problem(request, body, headers)


def _methods(request: Request) -> set[str]:
    """The methods that an address takes."""
    found: set[str] = set()
    for method in _METHODS:
        scope = {**request.scope, "method": method}
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes):
            found.add(method)
    return found


def _unchanged(_: Request, error: Exception) -> Response:
    known = cast(Unchanged, error)
    headers = {"ETag": known.etag, "Vary": "Accept, Authorization", "Cache-Control": known.keeping}
    return Response(status_code=304, headers=headers)


def register(app: FastAPI) -> None:
    """Answer every known error of `app` in one shape."""
    app.add_exception_handler(HeadwaterError, _headwater_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Unchanged, _unchanged)
    app.add_exception_handler(OSError, _refused_by_system)


def _misframed(headers: Iterable[tuple[bytes, bytes]]) -> BadRequest | None:
    """What is wrong with a head whatever it asks for.

    A body with both lengths is where one reader sees one request and the next one two (RFC 9112, section 6.1). Of the host
    addresses in answers are made, and what is no host ends in an error there.
    """
    given: dict[bytes, bytes] = dict(headers)
    if b"content-length" in given and b"transfer-encoding" in given:
        return BadRequest("The request has both Content-Length and Transfer-Encoding.", remedy="Send one of them.")
    if not _HOST.fullmatch(given.get(b"host", b"")):
        return BadRequest("The header Host names no host.", remedy="Send the host and the port that you ask.")
    return None


class BadRequest(HeadwaterError):
    """The head of a request is not one that can be answered safely."""

    status = 400
    title = "The request is damaged"


class Guard:
    """The outermost layer: security headers on everything, HEAD answered as GET without a body, no internals shown ever.

    An unexpected exception is logged with a reference, and the client is told the reference and nothing else.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        wrong = _misframed(scope["headers"])
        if wrong is not None:
            headers = {"Connection": "close"}
            await problem(Request({**scope, "headers": []}), wrong.problem(), headers)(scope, receive, send)
            return
        head = scope["method"] == "HEAD"
        started = False

        async def guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                present = {name.lower() for name, _ in message["headers"]}
                added = [(k.lower().encode(), v.encode()) for k, v in _HEADERS.items() if k.lower().encode() not in present]
                own = f"{scope['scheme']}://{dict(scope['headers']).get(b'host', b'').decode('latin-1')}/".encode("latin-1")
                # The router writes whole addresses, with whatever host the client says that this is.
                given = [(k, v[len(own) - 1 :] if k == b"location" and v.startswith(own) else v) for k, v in message["headers"]]
                message = {**message, "headers": [*given, *added]}
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self.app({**scope, "method": "GET"} if head else scope, receive, guarded)
        except Exception:
            reference = f"urn:uuid:{uuid4()}"
            log.exception("unexpected error %s at %s %s", reference, scope["method"], scope["path"])
            if started:
                raise
            body = HeadwaterError("Something unexpected happened; the service's log has the details.").problem(reference)
            await problem(Request(scope), body)(scope, receive, guarded)
