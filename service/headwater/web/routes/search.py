"""Searching and browsing the objects; all that was asked stands in the address."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from headwater.web.caching import validators
from headwater.web.negotiation import HTML, choose
from headwater.web.readers import App, Who
from headwater.web.rendering import page
from headwater.web.routes.catalogue import LIST_OFFERS, Listing, listed

router = APIRouter(include_in_schema=False)


@router.get("/search")
def search(request: Request, asked: Annotated[Listing, Query()], headwater: App, reader: Who) -> Response:
    """The list as a page, and by Accept or `?format=` as JSON, CSV or RDF."""
    offer = choose(request.headers.get("accept"), [HTML, *(one for one in LIST_OFFERS if one is not HTML)], name=asked.format)
    asked = asked.model_copy(update={"kind": asked.kind or None, "q": (asked.q or "").strip() or None})
    if offer is not HTML:
        return listed(request, asked, offer, headwater, reader)
    headers = validators(request, headwater, reader, HTML)
    found = headwater.objects(reader, kind=asked.kind, q=asked.q, page=asked.page, per_page=asked.per_page)
    body = page("search.html", request, asked=asked, things=found.items, total=found.total, counts=headwater.counts(reader))
    return Response(body, headers=headers, media_type="text/html")
