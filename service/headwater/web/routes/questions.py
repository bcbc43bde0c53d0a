"""The two questions, the walk behind them, and why an answer is what it is, over HTTP: lineage, impact, benefits, explain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Body, Query, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from headwater.checking.messages import LANGUAGES
from headwater.exporters.rdf import Syntax
from headwater.exporters.registry import exporter
from headwater.web.caching import validators
from headwater.web.negotiation import CSV, HTML, JSON, RDF, Offer, choose
from headwater.web.parameters import Difference, Explain, Impact, Traversal, check
from headwater.web.problems import CONTENT
from headwater.web.readers import App, Who
from headwater.web.spoken import Speaks, spoken_for
from headwater.web.statements import answer_rdf, differences_table, hops_table, nodes_table

router = APIRouter(prefix="/api/v1", tags=["questions"])

_OFFERS = (JSON, CSV, *RDF, HTML)
_EXAMPLE = {
    "root": "https://data.example/id/dataset/digits-train-v1",
    "query": {"direction": "downstream", "depth": "full"},
    "sequence": 42,
    "summary": {
        "total": 2,
        "by_kind": {"run": 1, "model": 1},
        "by_state": {"affected": 2},
        "max_distance": 2,
        "verdict": "major",
    },
    "completeness": {"complete": True, "reasons": [], "hidden_count": 0, "frontier_count": 0, "coverage": 1.0},
    "nodes": {
        "https://data.example/id/model/m1": {"kind": "model", "label": "digits-svm", "state": "affected", "severity": "major"}
    },
    "edges": [
        {
            "source": "https://data.example/id/run/r1",
            "target": "https://data.example/id/model/m1",
            "relation": "prov:wasGeneratedBy",
        }
    ],
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer in its envelope.",
        "content": {"application/json": {"example": _EXAMPLE}, "text/csv": {}, "text/turtle": {}},
    },
    304: {"description": "What the client holds is current (If-None-Match)."},
    404: {"description": "No such thing, or not for this reader.", "content": CONTENT},
    406: {"description": "No representation fits; the problem lists those that there are.", "content": CONTENT},
    422: {"description": "A parameter is unknown, missing or wrong; nothing was computed.", "content": CONTENT},
}
_EXPLAINED = {
    **_ANSWERS,
    200: {
        "description": "The answer in its envelope, with paths, cut, sentence and SPARQL; as CSV the hops of the paths.",
        "content": {"application/json": {}, "text/csv": {}, "text/turtle": {}},
    },
}


@router.get("/lineage", summary="What led to this, or what came of it", responses=_ANSWERS)
def get_lineage(request: Request, asked: Annotated[Traversal, Query()], headwater: App, reader: Who) -> Response:
    """Walks the links from `id` upstream (or downstream, or both ways) and returns every thing met, nearest first.

    The summary and `completeness` are computed before any limit cuts the list of nodes.
    """
    return _answered(request, asked, headwater, reader, lambda: headwater.lineage(asked.id, reader, **asked.asked()))


@router.get("/impact", summary="What a change affects", responses=_ANSWERS)
def get_impact(request: Request, asked: Annotated[Impact, Query()], headwater: App, reader: Who) -> Response:
    """For a change notice, or a simulated `change` of an object: every thing downstream with state, severity and reason."""
    return _answered(request, asked, headwater, reader, lambda: headwater.impact(asked.id, reader, **asked.asked()))


@router.post("/impact", summary="What a change affects (long requests)", responses=_ANSWERS)
def post_impact(request: Request, asked: Annotated[Impact, Body()], headwater: App, reader: Who) -> Response:
    """The same as GET, with the parameters as a JSON object in the body."""
    return _answered(request, asked, headwater, reader, lambda: headwater.impact(asked.id, reader, **asked.asked()), cached=False)


@router.get("/impact/diff", summary="What became different between two times", responses=_ANSWERS)
def get_difference(request: Request, asked: Annotated[Difference, Query()], headwater: App, reader: Who) -> Response:
    """Who is affected by a change at `until` and was not at `since`, who is mended since, and so on; both verdicts for each."""
    offer = choose(request.headers.get("accept"), (JSON, CSV), name=asked.format)
    answer = headwater.impact_diff(asked.id, reader, **asked.asked())
    headers = {"Vary": "Accept, Authorization", "Cache-Control": "no-store"}
    if offer is CSV:
        return Response(differences_table(answer), headers=headers, media_type="text/csv; charset=utf-8")
    return JSONResponse(answer, headers=headers)


@router.get("/benefits", summary="Who builds on this, and what its improvements bought them", responses=_ANSWERS)
def get_benefits(request: Request, asked: Annotated[Traversal, Query()], headwater: App, reader: Who) -> Response:
    """Who is downstream, by kind and role, and how metrics differ between runs that differ only in one input's revision."""
    return _answered(request, asked, headwater, reader, lambda: headwater.benefits(asked.id, reader, **asked.asked()))


@router.get("/explain", summary="Why a verdict is what it is, or how two things are linked", responses=_EXPLAINED)
def get_explain(
    request: Request, asked: Annotated[Explain, Query()], headwater: App, reader: Who, speaks: Speaks = None
) -> Response:
    """The best paths that prove the verdict of a change on `to`, hop by hop; the weakest hop; the smallest set of links that
    would overturn it; one sentence; and the SPARQL that shows the same.

    With two things and no change: the best paths between them."""
    offer = choose(request.headers.get("accept"), _OFFERS, name=asked.format)
    said = asked.asked()
    if offer is HTML:
        check(asked.asked())
        return RedirectResponse(f"/lineage?{_page_query(request, asked)}", 303, {"Vary": "Accept"})
    language = spoken_for(asked.language, speaks)
    headers = validators(request, headwater, reader, offer)
    if asked.language is None and language != LANGUAGES[0]:
        # A validator does not know which language the client likes best.
        headers.pop("ETag")
    headers["Vary"] += ", Accept-Language"
    answer = headwater.explain(asked.id, reader, **{**said, "language": language})
    return rendered(answer, offer, headers | {"Content-Language": language})


def _answered(
    request: Request, asked: Traversal, headwater: App, reader: Who, answer: Callable[[], dict[str, Any]], *, cached: bool = True
) -> Response:
    offer = choose(request.headers.get("accept"), _OFFERS, name=asked.format)
    if offer is HTML:
        check(asked.asked())
        return RedirectResponse(f"/lineage?{_page_query(request, asked)}", 303, {"Vary": "Accept"})
    headers = (
        validators(request, headwater, reader, offer)
        if cached
        else {"Vary": "Accept, Authorization", "Cache-Control": "no-store"}
    )
    return rendered(answer(), offer, headers)


def rendered(answer: dict[str, Any], offer: Offer, headers: dict[str, str]) -> Response:
    """An answer in the representation chosen."""
    if offer is JSON:
        return JSONResponse(answer, headers=headers)
    if offer is CSV:
        written = hops_table(answer) if "paths" in answer else nodes_table(answer)
        return Response(written, headers=headers, media_type="text/csv; charset=utf-8")
    syntax = exporter(offer.names[0])
    assert isinstance(syntax, Syntax)
    return Response(answer_rdf(answer, syntax.format), headers=headers, media_type=offer.media_type)


def _page_query(request: Request, asked: Traversal | Explain) -> str:
    said = {"id": asked.id, **asked.asked()}
    if request.url.path.endswith("/impact"):
        said["question"] = "impact"
    elif request.url.path.endswith("/benefits"):
        said["question"] = "benefits"
    elif request.url.path.endswith("/explain"):
        said["question"] = "explain"
    return urlencode({key: ",".join(value) if isinstance(value, tuple) else value for key, value in said.items()})
