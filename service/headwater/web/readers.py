"""Who is asking: the bearer token of a request, and whether it really comes from this machine."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from anyio import to_thread
from fastapi import Depends, Request

from headwater.access import Reader
from headwater.access.loopback import is_loopback
from headwater.access.reader import Scope
from headwater.app import Headwater
from headwater.errors import Forbidden, Unauthorised

_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


# What FastAPI is to work out before a route is called is `async` where it does not wait: each other one goes through a thread,
# and a look-up by SPARQL spent more on such changes of threads than on its answer.
async def the_headwater(request: Request) -> Headwater:
    """The Headwater object that this application was created around."""
    headwater = request.app.state.headwater
    assert isinstance(headwater, Headwater)
    return headwater


def from_this_machine(request: Request) -> bool:
    """Whether the request comes from a program on this machine, and not from a stranger by way of one.

    A proxy and a web page in a local browser both connect from loopback. So a forwarded request does not count, nor one
    whose Host is not this machine's name (DNS rebinding), nor one that a page of another origin sent (Origin, Sec-Fetch-Site).
    """
    if request.client is None or not is_loopback(request.client.host):
        return False
    if any(name in request.headers for name in _FORWARDED):
        return False
    if not is_loopback(urlsplit(f"//{request.headers.get('host', '')}").hostname or ""):
        return False
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def bearer(request: Request) -> str | None:
    """The token of the Authorization header; None without one. Raises `Unauthorised` for any other scheme."""
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorised("the Authorization header is not of the form 'Bearer TOKEN'")
    return token.strip()


async def the_reader(request: Request, headwater: Annotated[Headwater, Depends(the_headwater)]) -> Reader:
    """The reader that this request speaks for. Raises `Unauthorised` if its token does not hold."""
    token, loopback = bearer(request), from_this_machine(request)
    if token is None and (headwater.tokens.made or not loopback):
        return headwater.reader(None, loopback=loopback)
    return await to_thread.run_sync(lambda: headwater.reader(token, loopback=loopback))


def at_least(request: Request, reader: Reader, scope: Scope, doing: str) -> Reader:
    """The reader, if its scope reaches so far. Raises `Unauthorised` without a token, `Forbidden` with too narrow a scope."""
    if reader.may(scope):
        return reader
    if bearer(request) is None:
        raise Unauthorised(
            f"{doing} needs a token with scope '{scope}'",
            remedy=f"Send 'Authorization: Bearer TOKEN'; make one with 'headwater token create NAME --scope {scope}'.",
        )
    raise Forbidden(f"the token '{reader.name}' has scope '{reader.scope}'; {doing} needs '{scope}'")


async def the_writer(request: Request, reader: Annotated[Reader, Depends(the_reader)]) -> Reader:
    """The reader, if it may write. Raises `Unauthorised` without a token, `Forbidden` with one of too narrow a scope."""
    return at_least(request, reader, "write", "writing")


async def the_admin(request: Request, reader: Annotated[Reader, Depends(the_reader)]) -> Reader:
    """The reader, if it may administer. Raises as `the_writer`."""
    return at_least(request, reader, "admin", "this")


async def the_author(request: Request, headwater: Annotated[Headwater, Depends(the_headwater)]) -> Reader:
    """Who writes. Raises `ReaderOnly` where this process only reads, whoever asks, and as `the_writer`."""
    headwater.duty.permit()
    return await the_writer(request, await the_reader(request, headwater))


App = Annotated[Headwater, Depends(the_headwater)]
Who = Annotated[Reader, Depends(the_reader)]
Writer = Annotated[Reader, Depends(the_writer)]
Admin = Annotated[Reader, Depends(the_admin)]
Author = Annotated[Reader, Depends(the_author)]
