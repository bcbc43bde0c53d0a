"""What to do after a correction, over HTTP: a plan as JSON, as CSV, or as a Snakefile."""

from __future__ import annotations

import json
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Body, Query, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from starlette.responses import JSONResponse, RedirectResponse, Response

from headwater.access import Reader
from headwater.app import Headwater
from headwater.exporters.snakefile import snakefile
from headwater.lineage.asking import MOST_NODES
from headwater.web.caching import validators
from headwater.web.negotiation import CSV, HTML, JSON, Offer, choose
from headwater.web.parameters import Evidence, Several, Switch, check, read_slice
from headwater.web.problems import CONTENT
from headwater.web.readers import App, Who
from headwater.web.statements import plan_table

router = APIRouter(prefix="/api/v1", tags=["questions"])

SNAKEFILE = Offer("text/x-snakefile", ("snakefile", "smk"))
_OFFERS = (JSON, CSV, SNAKEFILE, HTML)
_EXAMPLE = {
    "root": "https://data.example/id/change/relabelled",
    "query": {"ask": "plan", "changes": [{"id": "https://data.example/id/change/relabelled", "change": "labels-corrected"}]},
    "steps": [{"step": 1, "run": "https://data.example/id/run/r1", "what": "repeat", "after": [], "cost": {"hours": 2.5}}],
    "actions": [{"what": "redeploy", "id": "https://data.example/id/deployment/trigger", "after": [1]}],
    "skipped": [{"id": "https://data.example/id/run/r2", "reason": "resolved", "by": "https://data.example/id/model/m2"}],
    "totals": {"steps": 1, "stale": 2, "mended": 2, "hours": 2.5, "exact": True, "bound": 24},
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The plan in its envelope.",
        "content": {"application/json": {"example": _EXAMPLE}, "text/csv": {}, SNAKEFILE.media_type: {}},
    },
    304: {"description": "What the client holds is current (If-None-Match)."},
    404: {"description": "No such thing, or not for this reader.", "content": CONTENT},
    406: {"description": "No representation fits; the problem lists those that there are.", "content": CONTENT},
    422: {"description": "A parameter is unknown, missing or wrong; nothing was computed.", "content": CONTENT},
}


def _one_or_several(value: object) -> object:
    """One identifier or a list of them; identifiers may hold commas, so these separate nothing here."""
    given = [value] if isinstance(value, str) else value
    return [one for one in given if one != ""] if isinstance(given, list) else given


def _no_truth(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a number from 0 upwards")
    return None if value == "" else value


Limit = Annotated[Annotated[float, Field(ge=0, allow_inf_nan=False)] | None, BeforeValidator(_no_truth)]


class Supposed(BaseModel):
    """A change by its identifier, or one that is supposed to happen to an object."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(min_length=1, max_length=4000)
    change: str | None = Field(None, max_length=64)
    slice: Annotated[dict[str, Any] | None, BeforeValidator(read_slice)] = None


class PlanAsked(BaseModel):
    """What a plan is asked for; an unknown parameter is an error, not ignored."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[list[Annotated[str, Field(max_length=4000)]], BeforeValidator(_one_or_several)] = Field(
        [], description="Change notices, or objects with `change`; may be repeated. Left out, all announced changes."
    )
    change: str | None = Field(
        None, max_length=64, description="Suppose a change of this kind at each id.", examples=["labels-corrected"]
    )
    slice: Annotated[dict[str, Any] | None, BeforeValidator(read_slice)] = Field(
        None, description="Which part is supposed to change, as JSON; left out, all of it."
    )
    hours: Limit = Field(None, description="At most so many hours of running time.")
    kwh: Limit = Field(None, description="At most so many kilowatt hours.")
    metrics: Switch = Field(True, description="Whether to repeat what would only be measured again.")
    types: Several = Field([], description="Only mend things of these kinds, with all that they need.")
    roles: Several = Field([], description="Only follow links in these roles.")
    stop_at: Several = Field([], description="Do not walk beyond things of these kinds or with these identifiers.")
    min_evidence: Evidence | None = Field(None, description="Only follow links with at least this evidence.")
    max_nodes: int | None = Field(
        None, ge=1, le=MOST_NODES, description="At most so many steps, actions and skipped things each; the totals count all."
    )
    format: str | None = Field(None, max_length=100, description="json, csv, snakefile or html; goes before the Accept header.")

    def asked(self) -> dict[str, Any]:
        """What was said, as keyword arguments for the plan."""
        found = {}
        for name in sorted(self.model_fields_set - {"id", "changes", "format"}):
            value = getattr(self, name)
            if value is not None and value != []:
                found[name] = tuple(value) if isinstance(value, list) else value
        return found


class PlanPosted(PlanAsked):
    """The same as a JSON object; besides, `changes` may hold identifiers and `{"id": …, "change": …, "slice": …}`."""

    changes: list[Annotated[str, Field(min_length=1, max_length=4000)] | Supposed] = []

    @model_validator(mode="before")
    @classmethod
    def _named(cls, said: Any) -> Any:
        if isinstance(said, dict) and isinstance(said.get("id"), list) and "" in said["id"]:
            raise ValueError("id: an empty text names nothing")
        return said

    @model_validator(mode="after")
    def _one_way(self) -> PlanPosted:
        if self.changes and self.id:
            raise ValueError("give either id or changes")
        return self

    def named(self) -> list[str | dict[str, Any]]:
        """The changes as the application takes them."""
        rows = [one if isinstance(one, str) else one.model_dump(exclude_none=True) for one in self.changes]
        return rows or list(self.id)


@router.get("/plans", summary="What to repeat after a change, and what not", responses=_ANSWERS)
def get_plan(request: Request, asked: Annotated[PlanAsked, Query()], headwater: App, reader: Who) -> Response:
    """The smallest set of runs that mends what one or several changes made stale, in order, with recipes, costs and gains.

    With `hours` or `kwh` the part of it that mends the most within the budget; `totals.exact` says whether that is proved, and
    `totals.bound` what no plan within it can exceed.
    """
    return _answered(request, headwater, reader, asked, list(asked.id), cached=True)


@router.post("/plans", summary="What to repeat after changes (long requests)", responses=_ANSWERS)
def post_plan(request: Request, asked: Annotated[PlanPosted, Body()], headwater: App, reader: Who) -> Response:
    """The same as GET, with the parameters as a JSON object in the body."""
    return _answered(request, headwater, reader, asked, asked.named(), cached=False)


def _answered(
    request: Request, headwater: Headwater, reader: Reader, asked: PlanAsked, rows: list[Any], *, cached: bool
) -> Response:
    offer = choose(request.headers.get("accept"), _OFFERS, name=asked.format)
    if offer is HTML:
        check(asked.asked())
        return RedirectResponse(f"/lineage?{_page_query(asked, rows)}", 303, {"Vary": "Accept"})
    headers = validators(request, headwater, reader, offer) if cached else {"Cache-Control": "no-store"}
    headers = {"Vary": "Accept, Authorization", **headers}
    answer = headwater.plan(rows, reader, **asked.asked())
    if offer is CSV:
        return Response(plan_table(answer), headers=headers, media_type="text/csv; charset=utf-8")
    if offer is SNAKEFILE:
        return Response(snakefile(answer).encode(), headers=headers, media_type=f"{SNAKEFILE.media_type}; charset=utf-8")
    return JSONResponse(answer, headers=headers)


def _page_query(asked: PlanAsked, rows: list[Any]) -> str:
    words: list[tuple[str, Any]] = [("question", "plan")]
    words += [("id", row if isinstance(row, str) else row["id"]) for row in rows]
    for name, value in asked.asked().items():
        said = ",".join(value) if isinstance(value, tuple) else json.dumps(value) if isinstance(value, dict | bool) else value
        words.append((name, said))
    return urlencode(words)
