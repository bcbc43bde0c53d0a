"""The page on audits: how they stand, and what the last one found, for a person who looks after the data."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from headwater.web.readers import App, Who
from headwater.web.rendering import page

router = APIRouter(include_in_schema=False)
_MOST_ROWS = 200


@router.get("/audits")
def audits(request: Request, headwater: App, reader: Who) -> Response:
    """The same as `/api/v1/audits`, to read."""
    report = headwater.audit_report(reader).as_dict()
    headers = {"Cache-Control": "no-store", "Vary": "Accept, Authorization"}
    return Response(page("audits.html", request, report=report, most=_MOST_ROWS), headers=headers, media_type="text/html")
