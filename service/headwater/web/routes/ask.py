"""The questions of the catalogue as forms, for people who do not write SPARQL."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from headwater.errors import BadParameter, HeadwaterError
from headwater.questions.catalogue import find, in_category
from headwater.terms.vocabulary import vocabulary
from headwater.web.answer_rows import MOST_ROWS, FirstLines, Shown, table
from headwater.web.caching import validators
from headwater.web.editor import competency, kind_of
from headwater.web.editor import questions as catalogued
from headwater.web.negotiation import HTML, choose
from headwater.web.readers import App, Who
from headwater.web.rendering import page
from headwater.web.routes.sparql import RESULTS, TSV

router = APIRouter(include_in_schema=False)
_MOST_OFFERED = 200
"""Things that a field offers by name; beyond, one searches."""


@router.get("/ask")
def questions(request: Request, headwater: App, reader: Who) -> Response:
    """The list of questions."""
    headers = validators(request, headwater, reader, HTML)
    body = page("ask.html", request, questions=in_category(catalogued()).values(), competency=competency())
    return Response(body, headers=headers, media_type="text/html")


@router.get("/ask/{name}")
def ask(request: Request, name: str, headwater: App, reader: Who) -> Response:
    """One question: its form, and with its parameters given also the answer; programs get the answer as data."""
    question = find(catalogued(), name)
    given: dict[str, str] = {}
    for key, value in request.query_params.multi_items():
        if key in given:
            raise BadParameter(f"{key} is given more than once", parameter=key)
        if value.strip():
            given[key] = value.strip()
    format = given.pop("format", None)
    offer = choose(request.headers.get("accept"), (HTML, *RESULTS), name=format)
    headers = validators(request, headwater, reader, offer)
    if offer is not HTML:
        body, media_type = headwater.ask(name, given, reader, offer.media_type)
        return Response(body, headers=headers, media_type=media_type)
    shown: Shown | None = None
    error: HeadwaterError | None = None
    if given or not any(parameter.required for parameter in question.parameters):
        try:
            lines = FirstLines(MOST_ROWS + 1)
            lines.take(headwater.ask(name, given, reader, TSV.media_type)[0])
            shown = table(lines, headwater.landing(reader), headwater.mint.base)
        except HeadwaterError as caught:
            if caught.status >= 500:
                raise
            error = caught
    kinds = [kind.name for kind in vocabulary().kinds]
    sorts = {parameter.name: kind_of(parameter) for parameter in question.parameters if parameter.type == "iri"}
    things = {
        name: headwater.objects(reader, kind=kind, per_page=_MOST_OFFERED).items for name, kind in sorts.items() if kind in kinds
    }
    body = page(
        "question.html",
        request,
        question=question,
        given=given,
        shown=shown,
        truth=None,
        error=error,
        kinds=kinds,
        things=things,
    )
    return Response(body, error.status if error else 200, headers, media_type="text/html")
