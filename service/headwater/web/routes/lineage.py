"""The lineage page: a form, the picture and its table, with everything that was asked in the address."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from pydantic import Field, model_validator
from starlette.responses import Response

from headwater.errors import HeadwaterError
from headwater.pictures.scene import SEVERITIES, Scene
from headwater.pictures.svg import svg
from headwater.terms.vocabulary import vocabulary
from headwater.web.caching import keeping
from headwater.web.parameters import Impact
from headwater.web.readers import App, Who
from headwater.web.rendering import page
from headwater.web.routes.graph import MOST_NODES
from headwater.web.routes.plans import Limit

router = APIRouter(include_in_schema=False)

_MOST_ROWS = 500
_LIMITS = {"hours", "kwh", "metrics"}
_WHY = {"to", "k", "language"}
_NOT_TAKEN = {
    "lineage": {"change", "slice", *_LIMITS, *_WHY},
    "benefits": {"change", "slice", *_LIMITS, *_WHY},
    "impact": {*_LIMITS, *_WHY},
    "plan": {"direction", "depth", "ignore_as_hops", "as_of", "known_at", *_WHY},
}
"""Fields of the form that a question has no use for."""
_EXPLAINED = ("to", "change", "slice", "k", "direction", "roles", "stop_at", "min_evidence", "as_of", "known_at", "language")
_STATES = ("affected", "in_triage", "cannot_tell", "resolved", "not_affected")


class Exploration(Impact):
    """What the page shows: a question and its parameters. Without `id` it is only the form."""

    id: str = Field("", max_length=4000)
    question: Literal["lineage", "impact", "benefits", "explain", "plan"] = "lineage"
    hours: Limit = None
    kwh: Limit = None
    metrics: bool = True
    to: str | None = Field(None, max_length=4000)
    k: int = Field(3, ge=1, le=50)
    language: str | None = Field(None, max_length=40)

    @model_validator(mode="before")
    @classmethod
    def _filled_in(cls, fields: Any) -> Any:
        """A browser sends the fields that were left empty, too; here they mean nothing."""
        return {key: value for key, value in fields.items() if value not in ("", [""])} if isinstance(fields, dict) else fields


@router.get("/lineage")
def explore(request: Request, asked: Annotated[Exploration, Query()], headwater: App, reader: Who) -> Response:
    """The form; with an identifier also the answer, as a picture and as a table."""
    answer, error, drawn = None, None, ""
    planning = asked.question == "plan"
    # Several changes make one plan; none at all stands for all that are announced.
    named = " ".join(request.query_params.getlist("id")).split() if planning else [asked.id.strip()]
    if planning or asked.id.strip():
        said = _said(asked)
        try:
            answer = (
                headwater.plan(named, reader, **said) if planning else getattr(headwater, asked.question)(*named, reader, **said)
            )
        except HeadwaterError as caught:
            if caught.status >= 500:
                raise
            error = caught
    if answer is not None:
        drawn = svg(
            Scene.of(answer).folded(MOST_NODES, more="#table"),
            title=f"{asked.question.capitalize()} of {' '.join(named) or 'all announced changes'}",
            standalone=False,
        )
    rows = sorted(((iri, node) for iri, node in answer["nodes"].items() if iri != answer["root"]), key=_order) if answer else []
    body = page(
        "lineage.html",
        request,
        asked=asked,
        named=named,
        answer=answer,
        error=error,
        drawn=drawn,
        root_label=headwater.describe(answer["root"], reader).thing.label if answer and not planning else "",
        rows=rows[:_MOST_ROWS],
        left_out=max(0, len(rows) - _MOST_ROWS),
        changes=sorted(vocabulary().changes),
        api_query=_api_query(asked, named),
        why_query=_why_query(asked),
    )
    headers = {"Vary": "Accept, Authorization", "Cache-Control": keeping(reader)}
    return Response(body, error.status if error else 200, headers, media_type="text/html")


def _said(asked: Exploration) -> dict[str, Any]:
    """What the form says, without its empty fields and without what the question does not take."""
    if asked.question == "explain":
        return {name: value for name, value in asked.asked().items() if name in _EXPLAINED and value not in ("", ())}
    left = {"question", "fields", "include"} | _NOT_TAKEN[asked.question]
    return {name: value for name, value in asked.asked().items() if name not in left and value not in ("", ())}


def _api_query(asked: Exploration, named: list[str]) -> str:
    said = {key: ",".join(value) if isinstance(value, tuple) else value for key, value in _said(asked).items()}
    return urlencode([*(("id", one) for one in named), *said.items()])


def _why_query(asked: Exploration) -> str:
    """What the explanation of a verdict in this answer takes, but for the thing."""
    kept = ("change", "slice", "roles", "stop_at", "min_evidence", "as_of", "known_at")
    said = {name: value for name, value in _said(asked).items() if name in kept}
    return urlencode(
        {"id": asked.id, **{name: ",".join(value) if isinstance(value, tuple) else value for name, value in said.items()}}
    )


def _order(item: tuple[str, dict[str, object]]) -> tuple[int, int, int, str]:
    """Worst first, then nearest."""
    iri, node = item
    state, severity, distance = node.get("state"), node.get("severity"), node.get("distance")
    return (
        _STATES.index(str(state)) if state in _STATES else len(_STATES),
        SEVERITIES.index(str(severity)) if severity in SEVERITIES else len(SEVERITIES),
        distance if isinstance(distance, int) else 0,
        iri,
    )
