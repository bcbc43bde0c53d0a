"""The objects as data: the list, and each of them in every format."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, RedirectResponse, Response

from headwater.access import Reader
from headwater.app import Headwater
from headwater.exporters.rdf import Syntax
from headwater.exporters.registry import exporter, fitting
from headwater.web.caching import validators
from headwater.web.negotiation import CSV, HTML, JSON, RDF, Offer, choose
from headwater.web.objects import as_json, brief
from headwater.web.readers import App, Who
from headwater.web.rendering import address
from headwater.web.statements import table, things_rdf

router = APIRouter(prefix="/api/v1/objects", tags=["objects"])

LIST_OFFERS = (JSON, CSV, *RDF, HTML)


class Listing(BaseModel):
    """Which objects to list."""

    model_config = ConfigDict(extra="forbid")

    q: str | None = Field(
        None, max_length=500, description="Words that occur in the label or an identifier.", examples=["digits"]
    )
    kind: str | None = Field(None, max_length=40, description="Only this kind.", examples=["dataset"])
    page: int = Field(1, ge=1, le=1_000_000, description="Which page, from 1.")
    per_page: int = Field(20, ge=1, le=100, description="How many to a page.")
    format: str | None = Field(
        None, max_length=100, description="json, csv, html or an RDF syntax; goes before the Accept header."
    )

    def link(self, path: str, **changed: object) -> str:
        said = {"q": self.q, "kind": self.kind, "page": self.page, "per_page": self.per_page, "format": self.format, **changed}
        return f"{path}?{urlencode({key: value for key, value in said.items() if value is not None})}"


class Format(BaseModel):
    """How one object is wanted."""

    model_config = ConfigDict(extra="forbid")
    format: str | None = Field(
        None,
        max_length=100,
        description="json, html, an RDF syntax, or an export such as datacite or model-card; goes before the Accept header.",
    )


@router.get("", summary="List objects", responses={200: {"content": {"application/json": {}, "text/csv": {}, "text/turtle": {}}}})
def list_objects(request: Request, asked: Annotated[Listing, Query()], headwater: App, reader: Who) -> Response:
    """The objects that the reader may see, by kind and words, page by page. `Link` headers lead to the next and previous page."""
    offer = choose(request.headers.get("accept"), LIST_OFFERS, name=asked.format)
    if offer is HTML:
        return RedirectResponse(asked.link("/search", format=None), 303, {"Vary": "Accept"})
    return listed(request, asked, offer, headwater, reader)


def listed(request: Request, asked: Listing, offer: Offer, headwater: Headwater, reader: Reader) -> Response:
    """A page of the list in the representation chosen, other than HTML."""
    headers = validators(request, headwater, reader, offer)
    found = headwater.objects(reader, kind=asked.kind, q=asked.q, page=asked.page, per_page=asked.per_page)
    path = request.url.path
    around: dict[str, str] = {"self": asked.link(path)}
    if asked.page > 1:
        around["prev"] = asked.link(path, page=asked.page - 1)
    if asked.page * asked.per_page < found.total:
        around["next"] = asked.link(path, page=asked.page + 1)
    steps = [f'<{where}>; rel="{name}"' for name, where in around.items() if name != "self"]
    if steps:
        headers["Link"] = ", ".join(steps)
    headers["Total"] = str(found.total)
    if offer is JSON:
        body: dict[str, Any] = {"total": found.total, "page": asked.page, "per_page": asked.per_page}
        body["items"] = [brief(thing) for thing in found.items]
        body["_links"] = around
        return JSONResponse(body, headers=headers)
    if offer is CSV:
        rows = ((thing.iri, thing.kind, thing.label, address(thing)) for thing in found.items)
        return Response(table(("id", "kind", "label", "page"), rows), headers=headers, media_type="text/csv; charset=utf-8")
    syntax = exporter(offer.names[0])
    assert isinstance(syntax, Syntax)
    return Response(things_rdf(found.items, syntax.format), headers=headers, media_type=offer.media_type)


@router.get("/{id:path}", summary="One object", responses={404: {"description": "No such object, or not for this reader."}})
def get_object(
    request: Request,
    id: Annotated[str, Path(description="Any identifier of the object.", examples=["dataset/digits-train-v1"])],
    asked: Annotated[Format, Query()],
    headwater: App,
    reader: Who,
) -> Response:
    """All that is known of an object: JSON, six RDF syntaxes, or an export such as a model card; HTML leads to its page."""
    return represented(request, headwater.resolve(id, reader), asked.format, headwater, reader)


def represented(request: Request, iri: str, name: str | None, headwater: Headwater, reader: Reader) -> Response:
    """The object `iri` in the representation that the request asks for; HTML is answered by going to the page."""
    description = headwater.describe(iri, reader)
    offer = choose(request.headers.get("accept"), offers(description.thing.kind), name=name)
    if offer is HTML:
        return RedirectResponse(address(description.thing), 303, {"Vary": "Accept"})
    headers = validators(request, headwater, reader, offer)
    if offer is JSON:
        return JSONResponse(as_json(description), headers=headers)
    exported = headwater.export(iri, offer.names[0], reader)
    headers["Content-Disposition"] = f'inline; filename="{re.sub(r"[^A-Za-z0-9._-]+", "_", exported.filename)}"'
    return Response(exported.body, headers=headers, media_type=exported.media_type)


def offers(kind: str) -> list[Offer]:
    """The representations of an object of `kind`: JSON and HTML, the RDF syntaxes, and whatever else the registry has for it."""
    known = {offer.names[0]: offer for offer in RDF}
    more = [Offer(found.media_type, (found.name,)) for found in fitting(kind) if found.name not in known]
    return [JSON, HTML, *RDF, *more]
