"""Answers that need not be sent again: an ETag from the ledger's sequence, the reader and the representation."""

from __future__ import annotations

import hashlib

from fastapi import Request

from headwater import __version__
from headwater.access import Reader
from headwater.access.reader import ANONYMOUS
from headwater.app import Headwater
from headwater.web.negotiation import Offer
from headwater.web.problems import Unchanged


def validators(request: Request, headwater: Headwater, reader: Reader, offer: Offer, *content: str) -> dict[str, str]:
    """The caching headers of an answer that only depends on the ledger, the reader, the address and the representation.

    Raises `Unchanged` if the client already holds it. Readers with the same rights share an ETag only if they are the same
    reader, so that nobody learns from a 304 what somebody else may see. The sequence is read before the answer is computed:
    a write in between makes the ETag too old, never too new. `content` is what the request asks besides its address.
    """
    parts = (
        request.url.path,
        request.url.query,
        offer.media_type,
        reader.name,
        reader.scope,
        *sorted(reader.projects or ()),
        __version__,
        *content,
    )
    digest = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]
    etag = f'W/"{headwater.sequence}-{digest}"'
    held = request.headers.get("if-none-match", "")
    if held.strip() == "*" or etag.removeprefix("W/") in (one.strip().removeprefix("W/") for one in held.split(",")):
        raise Unchanged(etag, keeping(reader))
    return {"ETag": etag, "Vary": "Accept, Authorization", "Cache-Control": keeping(reader)}


def keeping(reader: Reader) -> str:
    """Who may keep an answer, which is asked for anew each time: a cache that several people share keeps only what everybody may
    see. A program on this machine needs no token to see more, so that the header of the request would not tell."""
    return "no-cache" if reader == ANONYMOUS else "private, no-cache"
