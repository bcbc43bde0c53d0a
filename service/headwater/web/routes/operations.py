"""For whoever runs the service: what it measures of itself, and which questions took longest."""

from __future__ import annotations

from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from headwater.app.query_log import WINDOW_S
from headwater.web.measures import MEDIA_TYPE
from headwater.web.metrics import Metrics
from headwater.web.problems import CONTENT
from headwater.web.readers import Admin, App, Who, at_least, from_this_machine

router = APIRouter(tags=["service"])
_REFUSED: dict[int | str, dict[str, Any]] = {
    401: {"description": "A token is needed.", "content": CONTENT},
    403: {"description": "The token's scope is not 'admin'.", "content": CONTENT},
}


@router.get("/metrics", summary="Measures for Prometheus", responses={200: {"content": {"text/plain": {}}}, **_REFUSED})
async def metrics(request: Request, headwater: App, reader: Who) -> Response:
    """Requests, questions, writes, and how the parts stand. For this machine and tokens with scope `admin`, unless the setting
    `metrics` says otherwise."""
    if headwater.settings.metrics != "public" and not from_this_machine(request):
        at_least(request, reader, "admin", "reading the measures")
    measured = request.app.state.metrics
    assert isinstance(measured, Metrics)
    body = await to_thread.run_sync(measured.exposition, headwater)
    return Response(body, headers={"Cache-Control": "no-store"}, media_type=MEDIA_TYPE)


@router.get("/api/v1/queries/slow", summary="The slowest questions", responses=_REFUSED)
def slow(headwater: App, admin: Admin) -> Response:
    """The questions of the last hours that took longest, the slowest first; literals in them are left out."""
    del admin
    body = {"hours": WINDOW_S / 3600, "queries": headwater.query_log.slowest()}
    return JSONResponse(body, headers={"Cache-Control": "no-store"})
