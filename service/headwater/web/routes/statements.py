"""What persons say of what a change does to a thing, over HTTP: to be written with a token, and read by whoever sees it."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Body, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from headwater.web.problems import CONTENT
from headwater.web.readers import App, Author, Who
from headwater.web.write_line import in_line

router = APIRouter(prefix="/api/v1", tags=["questions"])
_THING = "A full IRI, a CURIE, a PID, a digest, an external id, or kind/key."


class Stated(BaseModel):
    """What somebody says of one thing, regarding one announced change."""

    model_config = ConfigDict(extra="forbid")
    id: str = Field(min_length=1, max_length=4000, description=f"The thing. {_THING}", examples=["model/digits-svm"])
    change: str = Field(
        min_length=1, max_length=4000, description=f"The announced change. {_THING}", examples=["change/relabelled"]
    )
    state: str = Field(
        max_length=40, description="affected, not_affected, in_triage or resolved.", examples=["not_affected", "in_triage"]
    )
    because: str | None = Field(
        None, max_length=4000, description="Why, in words.", examples=["The faulty detector was left out by hand."]
    )
    justification: str | None = Field(
        None, max_length=80, description="Why, by a known code.", examples=["slice-disjoint", "tested-only"]
    )
    visibility: str | None = Field(
        None, max_length=80, description="Who may see it; no wider than the thing and the change if left out."
    )


class Wanted(BaseModel):
    """Which statements are asked for."""

    model_config = ConfigDict(extra="forbid")
    id: str | None = Field(None, max_length=4000, description="Only about this thing.")
    change: str | None = Field(None, max_length=4000, description="Only regarding this change.")


@router.post(
    "/statements",
    status_code=201,
    summary="Say what a change does to a thing",
    responses={
        200: {"description": "Said before; or now said differently, as a new revision."},
        201: {"description": "Recorded; Location names the record."},
        401: {"description": "A token is needed."},
        403: {"description": "The token's scope does not reach this far."},
        404: {"description": "No such thing or change, or not for this writer.", "content": CONTENT},
        422: {"description": "No such state, or a reason is missing; nothing was written.", "content": CONTENT},
    },
)
async def post_statement(request: Request, said: Annotated[Stated, Body()], headwater: App, writer: Author) -> Response:
    """Records the statement with its author (the token's name) and time. It stands beside the computed verdict, which stays."""
    told = await in_line(request, lambda: headwater.state(writer, **said.model_dump()))
    created = told["status"] == "created"
    return JSONResponse(told, 201 if created else 200, {"Location": f"/api/v1/records/{quote(told['record'], safe='')}"})


@router.get("/statements", summary="What persons say of what changes do")
def get_statements(asked: Annotated[Wanted, Query()], headwater: App, reader: Who) -> Response:
    """Every statement that the reader may see, the latest first; about one thing, or regarding one change."""
    found = headwater.statements_on(reader, **asked.model_dump())
    return JSONResponse({"total": len(found), "statements": found})
