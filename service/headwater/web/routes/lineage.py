"""The lineage page: a form, the picture and its table, with everything that was asked in the address."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
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
_STATES = ("affected", "in_triage", "cannot_tell", "resolved", "not_affected")


class Exploration(Impact):
    """What the page shows: a question and its parameters. Without `id` it is only the form."""

    id: str = Field("", max_length=4000)
    question: Literal["lineage", "impact", "benefits"] = "lineage"


@router.get("/lineage")
def explore(request: Request, asked: Annotated[Exploration, Query()], headwater: App, reader: Who) -> Response:
    """The form; with an identifier also the answer, as a picture and as a table."""
    answer, error, drawn = None, None, ""
    if asked.id.strip():
        said = asked.asked()
        said.pop("question", None)
        if asked.question != "impact":
            said.pop("change", None), said.pop("slice", None)
        if not said.get("change"):
            said.pop("change", None)
        try:
            answer = getattr(headwater, asked.question)(asked.id.strip(), reader, **said)
        except HeadwaterError as caught:
            if caught.status >= 500:
                raise
            error = caught
    if answer is not None:
        drawn = svg(
            Scene.of(answer).folded(MOST_NODES, more="#table"), title=f"{asked.question.capitalize()} of {asked.id}", standalone=False
        )
    rows = sorted((answer or {"nodes": {}})["nodes"].items(), key=_order)
    body = page(
        "lineage.html",
        request,
        asked=asked,
        answer=answer,
        error=error,
        drawn=drawn,
        rows=rows[:_MOST_ROWS],
        left_out=max(0, len(rows) - _MOST_ROWS),
        changes=sorted(vocabulary().changes),
        roles=[],
        query=request.url.query,
    )
    headers = {"Vary": "Accept, Authorization", "Cache-Control": "no-cache"}
    return Response(body, error.status if error else 200, headers, media_type="text/html")


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
