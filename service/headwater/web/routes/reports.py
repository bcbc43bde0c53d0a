"""The yearly report for a funder: JSON and CSV for programs, and a page to print, in English or German."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import JSONResponse, RedirectResponse, Response

from headwater.access import Reader
from headwater.app import Headwater
from headwater.errors import HeadwaterError
from headwater.exporters.benefit_csv import COLUMNS, report_rows
from headwater.terms.glossary import terms
from headwater.terms.vocabulary import vocabulary
from headwater.web.caching import keeping, validators
from headwater.web.negotiation import CSV, HTML, JSON, choose
from headwater.web.parameters import Evidence, check
from headwater.web.problems import CONTENT
from headwater.web.readers import App, Who
from headwater.web.rendering import page
from headwater.web.report_words import WORDS, span
from headwater.web.spoken import LANGUAGE, Speaks, spoken_for
from headwater.web.statements import table

router = APIRouter()

_OFFERS = (JSON, CSV, HTML)
_EXAMPLE = {
    "root": "https://data.example/id/dataset/digits-train",
    "year": 2025,
    "summary": {"total": 34, "new": 12, "before": 20, "undated": 2},
    "users": {"new": {"count": 2}, "returning": {"count": 3}},
    "compute": {"year": {"runs": 9, "hours": 41.5, "runs_with_hours": 8, "kwh": None}},
    "credit": {"by_kind": {"publication": {"results": 3, "sum": 1.7}}},
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The report.", "content": {"application/json": {"example": _EXAMPLE}, "text/csv": {}}},
    304: {"description": "What the client holds is current (If-None-Match)."},
    404: {"description": "No such thing, or not for this reader.", "content": CONTENT},
    406: {"description": "No representation fits; the problem lists those that there are.", "content": CONTENT},
    422: {"description": "The year or another parameter is wrong; nothing was computed.", "content": CONTENT},
}


class ReportAsked(BaseModel):
    """What a report is asked for; an unknown parameter is an error, not ignored."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(
        min_length=1, max_length=4000, description="A data set, program, instrument or project: IRI, PID, digest or kind/key."
    )
    year: str = Field(max_length=64, description="The year, such as 2025; the present one is told as far as it has come.")
    known_at: str | None = Field(None, max_length=64, description="What was known at this time or ledger sequence number.")
    min_evidence: Evidence | None = Field(None, description="Only follow links with at least this evidence.")
    format: str | None = Field(None, max_length=100, description="json, csv or html; goes before the Accept header.")
    language: str | None = Field(None, max_length=64, description=LANGUAGE)

    def asked(self) -> dict[str, Any]:
        """What was said besides the thing, as keyword arguments."""
        return {"year": self.year, "known_at": self.known_at or None, "min_evidence": self.min_evidence}


class PageAsked(BaseModel):
    """The same for the page, whose form may be sent with fields left empty."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field("", max_length=4000)
    year: str = Field("", max_length=64)
    known_at: str = Field("", max_length=64)
    min_evidence: Evidence | None = None
    language: str | None = Field(None, max_length=64)

    @model_validator(mode="before")
    @classmethod
    def _filled_in(cls, fields: Any) -> Any:
        return {key: value for key, value in fields.items() if value not in ("", [""])} if isinstance(fields, dict) else fields


@router.get(
    "/api/v1/benefits/report", tags=["questions"], summary="A year of benefit, as a funder asks for it", responses=_ANSWERS
)
def get_report(request: Request, asked: Annotated[ReportAsked, Query()], headwater: App, reader: Who) -> Response:
    """Who used a thing in a year, the papers, models and deployments that came, computing time, improvements taken up, credit.

    It is told as it was at the end of the year. Everything is counted in full; lists name the first 50.
    """
    offer = choose(request.headers.get("accept"), _OFFERS, name=asked.format)
    if offer is HTML:
        check({"known_at": asked.known_at, "min_evidence": asked.min_evidence})
        said = [(key, value) for key, value in request.query_params.multi_items() if key != "format"]
        return RedirectResponse(f"/report?{urlencode(said)}", 303, {"Vary": "Accept"})
    headers = validators(request, headwater, reader, offer)
    report = headwater.benefit_report(asked.id, reader, **asked.asked())
    if offer is CSV:
        name = f"headwater-benefits-{report['year']}.csv"
        headers |= {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(table(COLUMNS, report_rows(report)), headers=headers, media_type="text/csv; charset=utf-8")
    return JSONResponse(report, headers=headers)


@router.get("/report", include_in_schema=False)
def report_page(
    request: Request, asked: Annotated[PageAsked, Query()], headwater: App, reader: Who, accept_language: Speaks = None
) -> Response:
    """The form; with a thing the report as a page to read and to print."""
    return _page(request, headwater, reader, asked, asked.id.strip(), spoken_for(asked.language, accept_language))


@router.get("/report/{kind}/{key:path}", include_in_schema=False)
def report_of(
    request: Request,
    kind: str,
    key: str,
    asked: Annotated[PageAsked, Query()],
    headwater: App,
    reader: Who,
    accept_language: Speaks = None,
) -> Response:
    """The report of an object by its address here."""
    return _page(request, headwater, reader, asked, f"{kind}/{key}", spoken_for(asked.language, accept_language))


def _page(request: Request, headwater: Headwater, reader: Reader, asked: PageAsked, id: str, language: str) -> Response:
    present = headwater.present_year
    report, error = None, None
    if id:
        try:
            report = headwater.benefit_report(
                id, reader, year=asked.year or present, known_at=asked.known_at or None, min_evidence=asked.min_evidence
            )
        except HeadwaterError as caught:
            if caught.status >= 500:
                raise
            error = caught
    body = page(
        "report.html",
        request,
        report=report,
        error=error,
        id=id,
        year=asked.year or present,
        say=WORDS[language],
        language=language,
        span=span,
        kinds={kind.name: _kind(kind.iri, language) for kind in vocabulary().kinds},
    )
    headers = {"Vary": "Accept, Accept-Language, Authorization", "Cache-Control": keeping(reader), "Content-Language": language}
    return Response(body, error.status if error else 200, headers, media_type="text/html")


def _kind(iri: str, language: str) -> str:
    """The ontology's word for a kind, in the language of the page."""
    term = terms().get(iri.rpartition("#")[2])
    return iri.rpartition("#")[2].lower() if term is None else term.labels.get(language, term.label)
