"""Writing over HTTP: documents in, the gate's verdict out; and what was written, with its history."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.responses import JSONResponse, Response

from headwater.access import Reader
from headwater.app import Headwater, ImportReport
from headwater.app.resolving import Resolver
from headwater.checking.messages import LANGUAGES
from headwater.checking.report import GateReport
from headwater.errors import BadParameter, RejectedByGate, UnreadableSource
from headwater.web.caching import validators
from headwater.web.negotiation import JSON, RDF, choose
from headwater.web.problems import CONTENT
from headwater.web.readers import App, Author, Who, Writer, at_least
from headwater.web.spoken import LANGUAGE, Speaks, spoken_for
from headwater.web.uploads import Received, Upload
from headwater.web.write_line import in_line


class _Record(PathConvertor):
    """The name of a record: any path that does not ask for a history."""

    regex = ".*(?<!/history)"


register_url_convertor("record", _Record())
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


_RESOLVE = "Also look whether the data are still where they are said to lie; for retrain-ready, and with scope write only."
_PROFILE = "Also judge each object by a profile: core, retrain-ready, publication or fair."


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
    profile: str | None = Field(None, max_length=60, description=_PROFILE, examples=["retrain-ready"])
    language: str | None = Field(None, max_length=40, description=LANGUAGE, examples=["de"])
    resolve: bool = Field(False, description=_RESOLVE)


class Judging(BaseModel):
    """How a stored object is to be judged."""

    model_config = ConfigDict(extra="forbid")
    id: str = Field(
        min_length=1,
        max_length=4000,
        description="The object: a full IRI, a CURIE, a PID, a digest, an external id (mlflow:RUNID), or kind/key.",
        examples=["model/digits-svm"],
    )
    profile: str = Field("core", max_length=60, description=_PROFILE, examples=["retrain-ready"])
    language: str | None = Field(None, max_length=40, description=LANGUAGE, examples=["de"])
    resolve: bool = Field(False, description=_RESOLVE)
    format: str | None = Field(None, max_length=100, description="json or turtle; goes before the Accept header.")


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
async def write(
    request: Request,
    asked: Annotated[Writing, Query()],
    writer: Author,
    upload: Received,
    headwater: App,
    speaks: Speaks = None,
) -> Response:
    """Takes in a document through normalisation, entailment and the SHACL gate. Sending it again changes nothing."""
    return await in_line(request, lambda: _written(asked, upload, headwater, writer, speaks))


def _written(asked: Writing, upload: Upload, headwater: Headwater, writer: Reader, speaks: str | None) -> Response:
    report = _imported(upload, headwater, asked.format, reader=writer, visibility=asked.visibility)
    report.language = spoken_for(None, speaks)
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
async def validate(
    request: Request,
    asked: Annotated[Checking, Query()],
    upload: Received,
    headwater: App,
    writer: Writer,
    speaks: Speaks = None,
) -> Response:
    """Does everything that writing does, and writes nothing; the answer is the report.

    With `profile`, every object that the document describes is judged as well, together with what is known here of the things
    around it: `profiles` holds a report on each.
    """
    return await in_line(request, lambda: _checked(asked, upload, headwater, writer, speaks))


def _checked(asked: Checking, upload: Upload, headwater: Headwater, writer: Reader, speaks: str | None) -> Response:
    language = spoken_for(asked.language, speaks)
    report = _imported(upload, headwater, asked.format, reader=writer, dry_run=True)
    report.language = language
    body = {**report.as_dict(), **_judged(report)}
    if asked.resolve and asked.profile is None:
        raise BadParameter("resolve: name the profile that is to be judged by", parameter="resolve")
    if asked.profile is not None:
        found = headwater.profile_document(
            upload.path,
            asked.profile,
            writer,
            format=asked.format,
            name=upload.name,
            media_type=upload.media_type,
            look=_resolver(headwater) if asked.resolve else None,
        )
        body |= {"profile": asked.profile, "profiles": [one.as_dict(language) for one in found]}
        body["conforms"] = report.ok and all(one.conforms for one in found)
    return JSONResponse(body, headers={"Content-Language": language, "Vary": "Accept-Language"})


@router.get(
    "/validate",
    summary="Judge a stored object by a profile",
    tags=["records"],
    responses={
        200: {
            "description": "The score, what is missing, and what would be lost next; as Turtle a sh:ValidationReport.",
            "content": {"application/json": {}, "text/turtle": {}},
        },
        422: {"description": "There is no such profile, or it judges no object of this kind.", "content": CONTENT},
    },
)
def judge(request: Request, asked: Annotated[Judging, Query()], headwater: App, reader: Who, speaks: Speaks = None) -> Response:
    """How complete an object is for a purpose, as far as the reader may see: is a model ready to be trained again?"""
    offer = choose(request.headers.get("accept"), [JSON, RDF[0]], name=asked.format)
    language = spoken_for(asked.language, speaks)
    headers = {"Vary": "Accept, Authorization"} if asked.resolve else validators(request, headwater, reader, offer)
    # What a validator stands for depends on the language too, so that none is given for an answer in another one than usual.
    if language != LANGUAGES[0]:
        headers.pop("ETag", None)
    headers["Vary"] += ", Accept-Language"
    look = None
    if asked.resolve:
        at_least(request, reader, "write", "looking places up")
        look = _resolver(headwater)
        # What is out there changes without any entry in the ledger.
        headers = {"Cache-Control": "no-store", "Vary": headers["Vary"]}
    report = headwater.profile(headwater.resolve(asked.id, reader), asked.profile, reader, look=look)
    if offer is not JSON:
        return Response(report.turtle(), headers=headers, media_type=offer.media_type)
    return JSONResponse(report.as_dict(language), headers=headers | {"Content-Language": language})


def _resolver(headwater: App) -> Resolver:
    """A look that reaches only into the folders that were named to the service."""
    return Resolver(headwater.settings, headwater.settings.resolve_folders)


def _imported(upload: Upload, headwater: App, format: str, **more: Any) -> ImportReport:
    return headwater.import_source(upload.path, format=format, name=upload.name, media_type=upload.media_type, **more)


def _judged(report: ImportReport) -> dict[str, Any]:
    """What the gate found in all records: sentences for people, and one SHACL report in Turtle."""
    found = [outcome.report for outcome in report.records if outcome.report is not None]
    results = tuple(result for judged in found for result in judged.results)
    whole = GateReport(all(judged.conforms for judged in found), results)
    return {"sentences": whole.sentences(report.language), "report": whole.turtle().decode("utf-8", "replace")}


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


@router.delete("/records/{id:record}", status_code=204, summary="Withdraw a record")
async def withdraw(
    request: Request,
    id: Annotated[str, Path(description="The record's IRI.")],
    asked: Annotated[Withdrawal, Query()],
    headwater: App,
    writer: Author,
) -> Response:
    """Takes a record out of all answers; a tombstone with the reason stays, and so does its history."""
    await in_line(request, lambda: headwater.withdraw(id, writer, by=writer.name, reason=asked.reason))
    return Response(status_code=204)
