"""The questions of the catalogue as forms, for people who do not write SPARQL."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from headwater import assets
from headwater.errors import BadParameter, HeadwaterError
from headwater.questions.catalogue import Question, catalogue, find, in_category
from headwater.terms.vocabulary import vocabulary
from headwater.web.caching import validators
from headwater.web.negotiation import HTML, choose
from headwater.web.readers import App, Who
from headwater.web.rendering import page
from headwater.web.routes.sparql import RESULTS

router = APIRouter(include_in_schema=False)

_VOCABULARIES = {"prov": "PROV-O", "mls": "ML-Schema", "mex": "MEX"}
"""The vocabularies by the ending of a question's name."""


@cache
def _questions() -> dict[str, Question]:
    return catalogue(assets.folder("queries"))


@cache
def _competency() -> list[tuple[Question, list[tuple[str, str]]]]:
    """The competency questions, each with the names of its forms and the vocabulary of each."""
    forms: dict[str, list[tuple[str, str]]] = {}
    for name in in_category(_questions(), "competency"):
        base, _, vocabulary_word = name.rpartition(".")
        forms.setdefault(base, []).append((name, _VOCABULARIES[vocabulary_word]))
    return [(_questions()[names[0][0]], sorted(names, key=lambda form: form[1], reverse=True)) for names in forms.values()]


@router.get("/ask")
def questions(request: Request, headwater: App, reader: Who) -> Response:
    """The list of questions."""
    headers = validators(request, headwater, reader, HTML)
    body = page("ask.html", request, questions=in_category(_questions()).values(), competency=_competency())
    return Response(body, headers=headers, media_type="text/html")


@router.get("/ask/{name}")
def ask(request: Request, name: str, headwater: App, reader: Who) -> Response:
    """One question: its form, and with its parameters given also the answer; programs get the answer as data."""
    question = find(_questions(), name)
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
    results: dict[str, Any] | None = None
    error: HeadwaterError | None = None
    if given or not any(parameter.required for parameter in question.parameters):
        try:
            results = json.loads(headwater.ask(name, given, reader, RESULTS[0].media_type)[0])
        except HeadwaterError as caught:
            if caught.status >= 500:
                raise
            error = caught
    kinds = [kind.name for kind in vocabulary().kinds]
    body = page(
        "question.html", request, question=question, given=given, results=results, error=error, kinds=kinds, most_rows=1000
    )
    return Response(body, error.status if error else 200, headers, media_type="text/html")
