"""Is the service alive, and is it ready to answer?"""

from __future__ import annotations

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from headwater.errors import NotFound, Unavailable
from headwater.web.editor import words
from headwater.web.readers import App
from headwater.web.rendering import static_file

router = APIRouter(tags=["service"])

_ASKING = CapacityLimiter(4)
_TYPES = {
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
}


@router.get("/health/live", summary="The process runs")
async def live() -> dict[str, str]:
    """Answers as long as the process can answer at all."""
    return {"status": "alive"}


@router.get("/health/ready", summary="The service can answer", responses={503: {"description": "Not yet, or no longer."}})
async def ready(headwater: App) -> Response:
    """Whether ledger, store and index are at the same sequence number, strangers' queries find a process, and the disk has room.

    A reader is not ready while it knows itself behind the ledger for longer than `max_behind_s`; `duty` tells how far. How audits
    stand is told, and decides nothing.
    """
    # Threads of its own: this has to be answered when all others are taken.
    standing = await to_thread.run_sync(headwater.readiness, limiter=_ASKING)
    if not standing["ready"]:
        told = {name: standing[name] for name in ("behind", "checks", "sequence", "duty")}
        raise Unavailable(" ".join(standing["reasons"]), **told)
    told = {name: standing[name] for name in ("sequence", "behind", "checks", "store", "audit", "duty")}
    return JSONResponse({"status": "ready", **told})


@router.get("/health/writer", summary="This process is the writer", responses={503: {"description": "It is not."}})
async def writer(headwater: App) -> Response:
    """For whoever sends writes to where they are taken: of a writer and its standbys one answers 200."""
    if not headwater.duty.writing:
        raise Unavailable("This process is not the writer now.", remedy="Ask the others.")
    return JSONResponse({"status": "writer"})


@router.get("/static/{name}", include_in_schema=False)
async def static(name: str) -> Response:
    """The stylesheets, the icon, and what the editor of queries needs."""
    body = words() if name == "words.json" else static_file(name)
    if body is None:
        raise NotFound(f"there is no file {name[:100]}")
    return Response(body, headers={"Cache-Control": "public, max-age=3600"}, media_type=_TYPES[name.rpartition(".")[2]])


@router.get("/robots.txt", include_in_schema=False)
async def robots() -> Response:
    """Search engines may read pages; questions that walk the graph are not for them."""
    return Response("User-agent: *\nDisallow: /api/\nDisallow: /sparql\nDisallow: /lineage\n", media_type="text/plain")
