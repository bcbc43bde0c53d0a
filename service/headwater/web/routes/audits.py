"""Audits of everything against the shapes: how they stand, what the last one found, and one more on request."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from pyoxigraph import RdfFormat
from starlette.responses import JSONResponse, RedirectResponse, Response

from headwater.web.negotiation import HTML, JSON, RDF, choose
from headwater.web.problems import CONTENT
from headwater.web.readers import Admin, App, Who
from headwater.web.spoken import LANGUAGE, Speaks, spoken_for

router = APIRouter(prefix="/api/v1/audits", tags=["service"])

_PATH = "/api/v1/audits"
_HEADERS = {"Cache-Control": "no-store", "Vary": "Accept, Accept-Language, Authorization"}


class Reading(BaseModel):
    """How the report is wanted."""

    model_config = ConfigDict(extra="forbid")
    language: str | None = Field(None, max_length=40, description=LANGUAGE, examples=["de"])
    format: str | None = Field(None, max_length=100, description="json, html or an RDF syntax; goes before the Accept header.")


class Starting(BaseModel):
    """Starting an audit takes no parameters."""

    model_config = ConfigDict(extra="forbid")


@router.get(
    "",
    summary="How audits stand, and what the last one found",
    responses={
        200: {
            "description": "How audits stand, and the `last` report; in RDF a sh:ValidationReport.",
            "content": {"application/json": {}, "text/turtle": {}},
        },
        404: {"description": "In RDF only: no audit was made yet.", "content": CONTENT},
    },
)
def report(request: Request, asked: Annotated[Reading, Query()], headwater: App, reader: Who, speaks: Speaks = None) -> Response:
    """The last audit of everything that is here. Its counts are whole; of its findings, those that you may not see are counted
    in `hidden_count` only. RDF carries the messages in every language."""
    offer = choose(request.headers.get("accept"), [JSON, *RDF, HTML], name=asked.format)
    if offer is HTML:
        return RedirectResponse("/audits", 303, {"Vary": "Accept"})
    language = spoken_for(asked.language, speaks)
    found = headwater.audit_report(reader)
    if offer is JSON:
        body = found.as_dict(language) | {"_links": {"self": _PATH}}
        return JSONResponse(body, headers=_HEADERS | {"Content-Language": language})
    syntax = RdfFormat.from_media_type(offer.media_type)
    assert syntax is not None
    return Response(found.rdf(syntax), headers=_HEADERS, media_type=offer.media_type)


@router.post(
    "",
    status_code=202,
    summary="Start an audit",
    responses={
        202: {"description": "It begins, or follows the one under way; Location tells how far it is."},
        401: {"description": "A token is needed.", "content": CONTENT},
        403: {"description": "The token's scope does not reach this far.", "content": CONTENT},
    },
)
def start(_: Annotated[Starting, Query()], headwater: App, admin: Admin) -> Response:
    """Has everything audited in the background. Where an audit is under way, one more follows it."""
    headwater.audits.request()
    told = headwater.audit_report(admin).as_dict()
    del told["last"]  # it is asked for by GET; this is about the next one
    return JSONResponse(told | {"_links": {"self": _PATH}}, 202, {"Location": _PATH})
