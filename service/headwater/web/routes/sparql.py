"""SPARQL over HTTP: the query part of the SPARQL 1.1 Protocol, a service description, and a plain form for people."""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from starlette.concurrency import iterate_in_threadpool
from starlette.responses import Response, StreamingResponse

from headwater.access import Reader
from headwater.access.reader import ANONYMOUS
from headwater.app import Headwater
from headwater.app.querying import Told, changes_by_itself
from headwater.errors import BadParameter, BadQuery, HeadwaterError, Unavailable, UnknownFormat
from headwater.pictures.svg import svg
from headwater.questions.catalogue import Question as Ready
from headwater.questions.catalogue import find, in_category
from headwater.store.reading import Clauses
from headwater.store.sandbox import Stream
from headwater.terms.names import PREFIXES
from headwater.web.answer_rows import MOST_ROWS, FirstLines, Shown, statements, table
from headwater.web.at_least import SEQUENCE, recent_enough
from headwater.web.caching import validators
from headwater.web.editor import FIRST, competency, place, prefilled, questions, remedy
from headwater.web.leaving import soon, until_gone
from headwater.web.negotiation import HTML, Offer, choose
from headwater.web.negotiation import RDF as SYNTAXES
from headwater.web.observing import note
from headwater.web.problems import SCRIPTED
from headwater.web.rates import counted, the_rates
from headwater.web.readers import App, Who, the_headwater, the_reader
from headwater.web.rendering import page
from headwater.web.repeated import Repeatable
from headwater.web.service_description import described, limits
from headwater.web.uploads import bounded

router = APIRouter(tags=["sparql"])

RESULTS = (
    Offer("application/sparql-results+json", ("json", "srj"), ("application/json",)),
    Offer("application/sparql-results+xml", ("xml", "srx"), ("application/xml", "text/xml")),
    Offer("text/csv", ("csv",)),
    TSV := Offer("text/tab-separated-values", ("tsv",)),
)
"""The formats of SELECT and ASK results; SELECT and ASK are answered by these, CONSTRUCT and DESCRIBE by RDF."""

_GRAPHS = ("CONSTRUCT", "DESCRIBE")
_ROW_WORDS = (("json", "JSON"), ("xml", "XML"), ("csv", "CSV"), ("tsv", "TSV"))
_GRAPH_WORDS = (
    ("turtle", "Turtle"),
    ("jsonld", "JSON-LD"),
    ("ntriples", "N-Triples"),
    ("rdfxml", "RDF/XML"),
    ("trig", "TriG"),
    ("nquads", "N-Quads"),
)
_LONGEST_LINK = 6000
"""A question whose address is longer is not linked to: proxies and browsers cut addresses."""
_SOON_S = 0.03
"""Seconds that an answer is waited for without a thread; most look-ups take one millisecond."""
_Then = TypeVar("_Then")
# Nothing is given back once it is taken (`*+`): otherwise forty blanks before what is no query take a year to be refused.
_GAP = r"(?:\s|\#[^\n\r]*+)*+"
_FORM = re.compile(
    rf"""(?xi)
    (?: {_GAP} (?: BASE{_GAP}<[^<>]*+> | PREFIX{_GAP}[^\s:<>\#]*+{_GAP}:{_GAP}<[^<>]*+> | VERSION{_GAP}(?:"[^"]*+"|'[^']*+') ) )*+
    {_GAP} (SELECT|ASK|CONSTRUCT|DESCRIBE)"""
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks: the query text, None if it names none, and the format that it names, if any."""

    query: str | None
    format: str | None
    posted: bool
    dataset: Clauses


async def asked(request: Request, headwater: App) -> Asked:
    """The query of a request by any of the protocol's three ways. Raises `BadQuery` for what the protocol forbids."""
    pairs = [(key, value) for key, value in request.query_params.multi_items()]
    direct = None
    posted = request.method in ("POST", "QUERY")
    if posted:
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        # A percent-encoded character takes up to twelve bytes.
        most = headwater.settings.max_query_length * 12 + 10_000
        body = b"".join([piece async for piece in bounded(request, most, f"{most:,} bytes for a query")])
        try:
            text = body.decode("utf-8")
            if media_type == "application/x-www-form-urlencoded":
                pairs += parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=100)
            elif media_type == "application/sparql-query":
                direct = text
            else:
                raise UnknownFormat(
                    f"a query cannot be posted as '{media_type or 'nothing'}'",
                    remedy="Post application/sparql-query, or application/x-www-form-urlencoded with query=.",
                )
        except ValueError as error:
            raise BadQuery("the request body is not UTF-8, or has too many fields") from error
    return _one_query(pairs, direct, posted)


def _one_query(pairs: list[tuple[str, str]], direct: str | None, posted: bool) -> Asked:
    names = [name for name, _ in pairs]
    if "update" in names:
        raise BadQuery(
            "updates are not taken here", remedy="Write through POST /api/v1/records, where the gate checks what comes in."
        )
    queries = [value for name, value in pairs if name == "query"] + ([direct] if direct is not None else [])
    if len(queries) > 1:
        raise BadQuery("query= is given more than once")
    format = next((value for name, value in pairs if name == "format" and value), None)
    default = tuple(dict.fromkeys(value for name, value in pairs if name == "default-graph-uri"))
    named = tuple(dict.fromkeys(value for name, value in pairs if name == "named-graph-uri"))
    return Asked(queries[0] if queries else None, format, posted, Clauses(default, named))


Question = Annotated[Asked, Depends(asked)]
_TEXT = {"type": "string", "format": "sparql-query", "minLength": 1}
_PARAMETERS: dict[str, Any] = {
    "parameters": [
        {
            "name": "query",
            "in": "query",
            "schema": _TEXT,
            "description": "The SPARQL 1.1 text. Left out, the service describes itself.",
            "example": "SELECT ?thing ?label { ?thing <http://www.w3.org/2000/01/rdf-schema#label> ?label } LIMIT 10",
        },
        {
            "name": "format",
            "in": "query",
            "schema": {"type": "string"},
            "description": "json, xml, csv, tsv; turtle, ntriples, rdfxml, jsonld, trig, nquads. Goes before the Accept header.",
        },
        {
            "name": "default-graph-uri",
            "in": "query",
            "schema": {"type": "array", "items": {"type": "string"}},
            "description": "Graphs to merge as the default graph, instead of all that the reader may see. Goes before FROM.",
        },
        {
            "name": "named-graph-uri",
            "in": "query",
            "schema": {"type": "array", "items": {"type": "string"}},
            "description": "The named graphs, instead of every record that the reader may see. Goes before FROM NAMED.",
        },
    ]
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {offer.media_type: {} for offer in (*RESULTS, *SYNTAXES, HTML)}},
    400: {"description": "The text does not parse, names SERVICE, or query= is missing or repeated."},
    406: {"description": "No result format fits."},
    413: {"description": "The query or its answer exceeds a limit. An answer is never cut silently."},
    503: {"description": "The time limit was reached: an error, never an empty answer."},
}


@router.get("/sparql", summary="Query (GET)", responses=_ANSWERS, openapi_extra=_PARAMETERS)
async def get_sparql(request: Request, question: Question, headwater: App, reader: Who) -> Response:
    """Runs a SPARQL query over what the reader may see. Browsers without a query get a form, programs a service description."""
    if question.query is None:
        offer = choose(request.headers.get("accept"), (*SYNTAXES, HTML), name=question.format)
        if offer is HTML:
            headers = validators(request, headwater, reader, HTML)
            return await to_thread.run_sync(lambda: _editor(request, question, headwater, reader, headers))
        return Response(
            described(str(request.url.replace(query="")), offer, headwater.settings),
            headers={"Vary": "Accept"},
            media_type=offer.media_type,
        )
    return await _answered(request, question, headwater, reader)


@router.post(
    "/sparql",
    summary="Query (POST)",
    responses=_ANSWERS,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/sparql-query": {"schema": _TEXT, "example": "ASK { ?run a <https://w3id.org/headwater/terms#Run> }"},
                "application/x-www-form-urlencoded": {
                    "schema": {
                        "type": "object",
                        "properties": {"query": _TEXT, "format": {"type": "string"}},
                        "required": ["query"],
                    }
                },
            },
        }
    },
)
async def post_sparql(request: Request, question: Question, headwater: App, reader: Who) -> Response:
    """The same as GET, for long texts."""
    if question.query is None:
        raise BadQuery("the request names no query", remedy="Send query= in the form, or the text as application/sparql-query.")
    return await _answered(request, question, headwater, reader)


@router.api_route("/sparql", methods=["QUERY"], include_in_schema=False)
async def query_sparql(request: Request, question: Question, headwater: App, reader: Who) -> Response:
    """The same as POST by the HTTP method QUERY, which says that nothing is changed; OpenAPI 3.1 cannot name it."""
    return await post_sparql(request, question, headwater, reader)


async def straight(request: Request) -> Response:
    """The same as the routes above, without what FastAPI does for each request (a third of the time of a look-up)."""
    request.scope["route"] = _DOCUMENTED[request.method]
    headwater = await the_headwater(request)
    reader = await the_reader(request, headwater)
    await counted(request, reader)
    question = await asked(request, headwater)
    answer = get_sparql if request.method == "GET" else post_sparql
    return await answer(request, question, headwater, reader)


_DOCUMENTED = {method: route for route in router.routes if isinstance(route, APIRoute) for method in route.methods or ()}
"""The routes by their methods, under which requests are counted and documented."""


async def _answered(request: Request, question: Asked, headwater: App, reader: Who) -> Response:
    form = form_of(question.query or "")
    offers = SYNTAXES if form in _GRAPHS else RESULTS
    offer = choose(request.headers.get("accept"), (*offers, HTML), name=question.format)
    if offer is HTML:
        return await _page(request, question, form, headwater, reader)
    headers = _freshness(request, question, offer, headwater, reader)
    answer = await _run(request, question, offer.media_type, headwater, reader)
    headers |= {SEQUENCE: str(answer.sequence)}
    try:
        recent_enough(request, answer.sequence)
    except Unavailable:
        if isinstance(answer, Stream):
            await to_thread.run_sync(answer.close)
        raise
    if isinstance(answer, Told):
        if answer.keeps and reader is ANONYMOUS:
            # Who works here without a token is somebody else once one is made; who has none stays who he is.
            request.state.repeatable = Repeatable(answer, question.query or "", reader.name, request.state.counted_as)
        return Response(answer.body, headers=headers, media_type=answer.media_type)
    # What breaks from here on breaks the transfer as well: no client takes the part that it has for the whole.
    return StreamingResponse(_pieces(answer), headers=headers, media_type=answer.media_type)


def _freshness(request: Request, question: Asked, offer: Offer, headwater: Headwater, reader: Reader) -> dict[str, str]:
    """The caching headers of an answer. Raises `Unchanged` where the client holds it already.

    An answer by POST is no representation of its address (RFC 9110, 9.3.3), so that it has no validator; one by QUERY has. What
    is another one each time (NOW, RAND, UUID) has none either.
    """
    if request.method == "POST" or changes_by_itself(question.query or "", headwater.settings.max_query_length):
        return {"Vary": "Accept, Authorization", "Cache-Control": "no-store"}
    content = (question.query or "", question.format or "", *question.dataset.default, "", *question.dataset.named)
    return validators(request, headwater, reader, offer, *(content if question.posted else ()))


async def _run(request: Request, question: Asked, media_type: str, headwater: App, reader: Who) -> Told | Stream:
    return (await _run_and(request, question, media_type, headwater, reader, _as_it_is))[0]


async def _run_and(
    request: Request,
    question: Asked,
    media_type: str,
    headwater: App,
    reader: Who,
    then: Callable[[Told | Stream], _Then],
) -> tuple[Told | Stream, _Then]:
    """The answer, and what `then` makes of it in the same thread; both are given up when the client goes away."""
    text, dataset, base = question.query or "", question.dataset or None, str(request.url.replace(query=""))
    told, rates = note(request, "query", text, reader.name), the_rates(request)

    def made(ask: Callable[[], Told | Stream]) -> tuple[Told | Stream, _Then]:
        answer = ask()
        return answer, then(answer)

    async with rates.turn(request):
        job = headwater.sandbox.job()
        # What is made of an answer takes time, and so a thread; the answer as it is may often be had without one.
        quick = headwater.at_once(text, reader, media_type, dataset=dataset, base=base, job=job) if then is _as_it_is else None
        answer: Told | Stream
        if isinstance(quick, Told):
            answer, found = quick, then(quick)
        else:
            ask: Callable[[], Told | Stream]
            ask = partial(headwater.stream, text, reader, media_type, dataset=dataset, base=base, job=job)
            over = False
            if quick is not None:
                async with rates.small:
                    held = quick()
                    if held is not None:
                        ask, over = held.answer, await soon(held.begun.descriptor, held.begun.look, _SOON_S)
            answer, found = made(ask) if over else await until_gone(request, partial(made, ask), job.cancel, rates.asking)
    told.more["sequence"] = answer.sequence
    if isinstance(answer, Told) and answer.kept:
        told.outcome = "cached"
    return answer, found


def _as_it_is(answer: Told | Stream) -> None:
    """What is made of an answer that is sent as it is."""


async def _pieces(answer: Stream) -> AsyncIterator[bytes]:
    try:
        async for piece in iterate_in_threadpool(answer.pieces()):
            yield piece
    finally:
        answer.close()


def form_of(text: str) -> str:
    """`SELECT`, `ASK`, `CONSTRUCT` or `DESCRIBE`; nothing for a text that is no query.

    >>> form_of("PREFIX a: <urn:SELECT> # ASK\\n construct { ?s ?p ?o } where { ?s ?p ?o }")
    'CONSTRUCT'
    >>> form_of(" #" * 10_000 + "\\n PREFIXa:<urn:a>CONSTRUCTWHERE { ?s ?p ?o }"), form_of(" " * 10_000 + "LOAD")
    ('CONSTRUCT', '')
    """
    found = _FORM.match(text[:200_000])
    return found[1].upper() if found is not None else ""


async def _page(request: Request, question: Asked, form: str, headwater: App, reader: Who) -> Response:
    """The editor again, with the answer under it; what goes wrong is said beside the text, so that it can be mended."""
    media_type = {"ASK": RESULTS[0].media_type, **dict.fromkeys(_GRAPHS, "application/n-triples")}.get(form, TSV.media_type)
    began = time.monotonic()
    landing, here = headwater.landing(reader), headwater.mint.base

    def shown(answer: Told | Stream) -> dict[str, Any]:
        lines = FirstLines(MOST_ROWS + (form not in _GRAPHS))
        try:
            for piece in [answer.body] if isinstance(answer, Told) else answer.pieces():
                lines.take(piece)
        finally:
            if isinstance(answer, Stream):
                answer.close()
        if form == "ASK":
            return {"truth": json.loads(lines.kept)["boolean"]}
        return {"shown": statements(lines, landing, here) if form in _GRAPHS else table(lines, landing, here)}

    try:
        headers = _freshness(request, question, HTML, headwater, reader)
        answer, found = await _run_and(request, question, media_type, headwater, reader, shown)
    except HeadwaterError as error:
        request.state.problem = type(error).__name__
        headers = {"Vary": "Accept, Authorization", "Cache-Control": "no-store"}
        return await to_thread.run_sync(partial(_editor, request, question, headwater, reader, headers, error=error))
    found |= {
        "seconds": time.monotonic() - began,
        "sequence": answer.sequence,
        "kept": isinstance(answer, Told) and answer.kept,
        "noun": "statement" if form in _GRAPHS else "row",
        "formats": _GRAPH_WORDS if form in _GRAPHS else _ROW_WORDS[:2] if form == "ASK" else _ROW_WORDS,
    }
    headers[SEQUENCE] = str(answer.sequence)
    return await to_thread.run_sync(lambda: _editor(request, question, headwater, reader, headers, **found))


def _editor(
    request: Request,
    question: Asked,
    headwater: Headwater,
    reader: Reader,
    headers: dict[str, str],
    *,
    error: HeadwaterError | None = None,
    shown: Shown | None = None,
    **found: Any,
) -> Response:
    """The editor page: without a question, with one to begin with, with an answer, or with what went wrong."""
    text, example = question.query, None
    if text is None:
        text = FIRST
        given = {name: value.strip() for name, value in request.query_params.multi_items() if value.strip()}
        name = given.pop("example", None)
        if name is not None:
            example = find(questions(), name)
            text = prefilled(
                example, _resolved(example, given, headwater, reader), lambda kind: headwater.much_linked(kind, reader)
            )
    graphs = [("default-graph-uri", iri) for iri in question.dataset.default]
    graphs += [("named-graph-uri", iri) for iri in question.dataset.named]
    link = f"/sparql?{urlencode([('query', text), *graphs])}"
    where = place(text, error) if error is not None else None
    values: dict[str, Any] = {
        "text": text,
        "rows": min(24, max(10, text.count("\n") + 2)),
        "graphs": graphs,
        "link": link if len(link) <= _LONGEST_LINK else None,
        "error": error,
        "place": where,
        "remedy": remedy(error, where) if error is not None else "",
        "mended_link": f"/sparql?{urlencode([('query', where.mended), *graphs])}" if where is not None and where.mended else None,
        "example": example,
        "ready": in_category(questions()).values(),
        "competency": competency(),
        "prefixes": PREFIXES,
        "row_formats": _ROW_WORDS,
        "graph_formats": _GRAPH_WORDS,
        "limits": limits(headwater.settings)[0].value,
        "docs_anchor": request.scope["route"].unique_id if "route" in request.scope else "",
        "shown": shown,
        "drawn": svg(shown.scene, title="The statements of the answer", standalone=False) if shown and shown.scene else "",
        "truth": None,
        **found,
    }
    body = page("sparql.html", request, **values)
    return Response(body, error.status if error is not None else 200, headers | SCRIPTED, media_type=HTML.media_type)


def _resolved(question: Ready, given: dict[str, str], headwater: Headwater, reader: Reader) -> dict[str, str]:
    """The parameters given for a ready question, things by their IRIs. Raises `BadParameter`, `NotFound`."""
    kinds = {parameter.name: parameter.type for parameter in question.parameters}
    for name in given:
        if name not in (*kinds, "format"):
            raise BadParameter(f"the question '{question.name}' has no parameter {name!r}", parameter=name)
    return {name: headwater.resolve(value, reader) if kinds.get(name) == "iri" else value for name, value in given.items()}
