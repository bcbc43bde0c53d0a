"""Writing over HTTP: documents in, the gate's verdict out; and what was written, with its history."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from headwater.app import ImportReport
from headwater.checking.report import GateReport
from headwater.errors import RejectedByGate, UnreadableSource
from headwater.web.caching import validators
from headwater.web.negotiation import JSON
from headwater.web.problems import CONTENT
from headwater.web.readers import App, Who, Writer
from headwater.web.uploads import Received, Upload

router = APIRouter(prefix="/api/v1", tags=["records"])

_BODY = {
    "requestBody": {
        "required": True,
        "description": "An RDF document, or a document of an importer's format.",
        "content": {
            "text/turtle": {
                "example": (
                    "@prefix hw: <https://w3id.org/headwater/terms#> .\n"
                    "@prefix prov: <http://www.w3.org/ns/prov#> .\n"
                    "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
                    '<https://lab.example/run/7> a hw:Run ; rdfs:label "run 7" ; prov:used <https://lab.example/data/v1> .\n'
                    '<https://lab.example/data/v1> a hw:Dataset ; rdfs:label "digits v1" .\n'
                )
            },
            "application/ld+json": {},
            "application/n-triples": {},
            "application/rdf+xml": {},
            "application/trig": {},
            "application/zip": {},
            "application/octet-stream": {},
        },
    }
}


class Writing(BaseModel):
    """How a document is to be taken in."""

    model_config = ConfigDict(extra="forbid")
    format: str = Field(
        "auto", max_length=60, description="The importer; auto recognises the document.", examples=["auto", "rdf"]
    )
    visibility: str | None = Field(
        None,
        max_length=80,
        description="public, internal or project:NAME; the server's default if left out.",
        examples=["internal"],
    )


class Checking(BaseModel):
    """How a document is to be checked."""

    model_config = ConfigDict(extra="forbid")
    format: str = Field("auto", max_length=60, description="The importer; auto recognises the document.")


class Withdrawal(BaseModel):
    """Why a record goes."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field("", max_length=2000, description="Why; stands on the tombstone.")


@router.post(
    "/records",
    status_code=201,
    summary="Write a document",
    openapi_extra=_BODY,
    responses={
        200: {"description": "Nothing new, or a new revision of what was there."},
        201: {"description": "Something was created; Location names the first record."},
        401: {"description": "A token is needed."},
        403: {"description": "The token's scope does not reach this far."},
        413: {"description": "Larger than the limit."},
        415: {"description": "No importer recognises the document, or two do equally."},
        422: {
            "description": "The gate rejected it; `sentences` and the SHACL `report` say why. Nothing was written.",
            "content": CONTENT,
        },
    },
)
def write(asked: Annotated[Writing, Query()], upload: Received, headwater: App, writer: Writer) -> Response:
    """Takes in a document through normalisation, entailment and the SHACL gate. Sending it again changes nothing."""
    report = _imported(upload, headwater, asked.format, reader=writer, visibility=asked.visibility)
    body = report.as_dict()
    statuses = {outcome.status for outcome in report.records}
    if not statuses and report.failures:
        first = report.failures[0]
        raise UnreadableSource(f"{first.where()}: {first.message}", remedy=first.remedy, line=first.line)
    if statuses == {"rejected"}:
        extra = {**_judged(report), "import": body}
        raise RejectedByGate("the gate rejected the document; nothing was written", **extra)
    headers = {}
    if report.records:
        written = next((outcome for outcome in report.records if outcome.status == "created"), report.records[0])
        headers["Location"] = f"/api/v1/records/{quote(written.iri, safe='')}"
    return JSONResponse(body, 201 if "created" in statuses else 200, headers)


@router.post("/validate", summary="Check a document without writing it", openapi_extra=_BODY, tags=["records"])
def validate(asked: Annotated[Checking, Query()], upload: Received, headwater: App, writer: Writer) -> Response:
    """Does everything that writing does, and writes nothing; the answer is the report."""
    report = _imported(upload, headwater, asked.format, reader=writer, dry_run=True)
    return JSONResponse({**report.as_dict(), **_judged(report)})


def _imported(upload: Upload, headwater: App, format: str, **more: Any) -> ImportReport:
    return headwater.import_source(upload.path, format=format, name=upload.name, media_type=upload.media_type, **more)


def _judged(report: ImportReport) -> dict[str, Any]:
    """What the gate found in all records: sentences for people, and one SHACL report in Turtle."""
    found = [outcome.report for outcome in report.records if outcome.report is not None]
    results = tuple(result for judged in found for result in judged.results)
    whole = GateReport(all(judged.conforms for judged in found), results)
    return {"sentences": whole.sentences(), "report": whole.turtle().decode("utf-8", "replace")}


@router.get("/records/{id:path}/history", summary="The revisions of a record")
def history(request: Request, id: Annotated[str, Path(description="The record's IRI.")], headwater: App, reader: Who) -> Response:
    """Every revision of a record: when, by whom, from where, and its digest. Withdrawn records keep theirs."""
    headers = validators(request, headwater, reader, JSON)
    return JSONResponse({"id": id, "revisions": headwater.history(id, reader)}, headers=headers)


@router.get("/records/{id:path}", summary="A record as it stands")
def get_record(
    request: Request, id: Annotated[str, Path(description="The record's IRI.")], headwater: App, reader: Who
) -> Response:
    """The latest revision of a record, with where it came from."""
    headers = validators(request, headwater, reader, JSON)
    return JSONResponse(headwater.record(id, reader), headers=headers)


@router.delete("/records/{id:path}", status_code=204, summary="Withdraw a record")
def withdraw(
    id: Annotated[str, Path(description="The record's IRI.")],
    asked: Annotated[Withdrawal, Query()],
    headwater: App,
    writer: Writer,
) -> Response:
    """Takes a record out of all answers; a tombstone with the reason stays, and so does its history."""
    headwater.withdraw(id, writer, by=writer.name, reason=asked.reason)
    return Response(status_code=204)
