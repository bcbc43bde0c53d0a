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
from headwater.web.parameters import Impact
from headwater.web.readers import App, Who
from headwater.web.rendering import page
from headwater.web.routes.graph import MOST_NODES

router = APIRouter(include_in_schema=False)

_MOST_ROWS = 500
_EXPLAINED = ("to", "change", "slice", "k", "direction", "roles", "stop_at", "min_evidence", "as_of", "known_at", "language")
_STATES = ("affected", "in_triage", "cannot_tell", "resolved", "not_affected")


class Exploration(Impact):
    """What the page shows: a question and its parameters. Without `id` it is only the form."""

    id: str = Field("", max_length=4000)
    question: Literal["lineage", "impact", "benefits", "explain"] = "lineage"
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
    if asked.id.strip():
        said = _said(asked)
        try:
            answer = getattr(headwater, asked.question)(asked.id.strip(), reader, **said)
        except HeadwaterError as caught:
            if caught.status >= 500:
                raise
            error = caught
    if answer is not None:
        drawn = svg(
            Scene.of(answer).folded(MOST_NODES, more="#table"),
            title=f"{asked.question.capitalize()} of {asked.id}",
            standalone=False,
        )
    rows = sorted(((iri, node) for iri, node in answer["nodes"].items() if iri != answer["root"]), key=_order) if answer else []
    body = page(
        "lineage.html",
        request,
        asked=asked,
        answer=answer,
        error=error,
        drawn=drawn,
        root_label=headwater.describe(answer["root"], reader).thing.label if answer else "",
        rows=rows[:_MOST_ROWS],
        left_out=max(0, len(rows) - _MOST_ROWS),
        changes=sorted(vocabulary().changes),
        api_query=_api_query(asked),
        why_query=_why_query(asked),
    )
    headers = {"Vary": "Accept, Authorization", "Cache-Control": "no-cache"}
    return Response(body, error.status if error else 200, headers, media_type="text/html")


def _said(asked: Exploration) -> dict[str, Any]:
    """What the form says, without its empty fields and without what the question does not take."""
    if asked.question == "explain":
        return {name: value for name, value in asked.asked().items() if name in _EXPLAINED and value not in ("", ())}
    left = {"question", "fields", "include", "to", "k", "language"}
    left |= set() if asked.question == "impact" else {"change", "slice"}
    return {name: value for name, value in asked.asked().items() if name not in left and value not in ("", ())}


def _api_query(asked: Exploration) -> str:
    said = {key: ",".join(value) if isinstance(value, tuple) else value for key, value in _said(asked).items()}
    return urlencode({"id": asked.id, **said})


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
