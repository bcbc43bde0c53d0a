"""SPARQL over HTTP: the query part of the SPARQL 1.1 Protocol, a service description, and a plain form for people."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any
from urllib.parse import parse_qsl

from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from pyoxigraph import BlankNode, Literal, NamedNode, Triple, serialize
from starlette.concurrency import iterate_in_threadpool
from starlette.responses import Response, StreamingResponse

from headwater.access.reader import ANONYMOUS
from headwater.app.querying import Told
from headwater.errors import BadQuery, HeadwaterError, UnknownFormat
from headwater.exporters.rdf import Syntax
from headwater.exporters.registry import exporter
from headwater.settings import Settings
from headwater.store.reading import Clauses
from headwater.store.sandbox import Stream
from headwater.terms.names import PREFIXES, RDF, RDFS, Namespace
from headwater.web.caching import validators
from headwater.web.leaving import soon, until_gone
from headwater.web.negotiation import HTML, Offer, choose
from headwater.web.negotiation import RDF as SYNTAXES
from headwater.web.observing import note
from headwater.web.rates import counted, the_rates
from headwater.web.readers import App, Who, the_headwater, the_reader
from headwater.web.rendering import page
from headwater.web.repeated import Repeatable
from headwater.web.uploads import bounded

router = APIRouter(tags=["sparql"])

RESULTS = (
    Offer("application/sparql-results+json", ("json", "srj"), ("application/json",)),
    Offer("application/sparql-results+xml", ("xml", "srx"), ("application/xml", "text/xml")),
    Offer("text/csv", ("csv",)),
    Offer("text/tab-separated-values", ("tsv",)),
)
"""The formats of SELECT and ASK results; SELECT and ASK are answered by these, CONSTRUCT and DESCRIBE by RDF."""

_SD = Namespace("http://www.w3.org/ns/sparql-service-description#")
_DCTERMS = Namespace("http://purl.org/dc/terms/")
_FORMATS = Namespace("http://www.w3.org/ns/formats/")
_MOST_ROWS = 1000
_SOON_S = 0.03
"""Seconds that an answer is waited for without a thread; most look-ups take one millisecond."""
SEQUENCE = "Headwater-Sequence"
"""The header that names the ledger's sequence number which an answer speaks of."""
_FORM = re.compile(
    r"""(?xi)
    (?: \s+ | \#[^\n\r]* | BASE\s*<[^<>]*> | PREFIX\s+[^\s:]*:\s*<[^<>]*> )*
    (SELECT|ASK|CONSTRUCT|DESCRIBE)\b"""
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
_PARAMETERS: dict[str, Any] = {
    "parameters": [
        {
            "name": "query",
            "in": "query",
            "schema": {"type": "string"},
            "description": "The SPARQL 1.1 text. Left out, the service describes itself.",
            "example": "SELECT ?model ?label WHERE { ?model a hw:Model ; rdfs:label ?label } LIMIT 10",
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
    200: {"content": {offer.media_type: {} for offer in (*RESULTS, *SYNTAXES)}},
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
            return _form(request, "", headers={"Vary": "Accept"})
        return Response(
            _described(str(request.url.replace(query="")), offer, headwater.settings),
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
                "application/sparql-query": {"schema": {"type": "string"}, "example": "ASK { ?run a hw:Run }"},
                "application/x-www-form-urlencoded": {
                    "schema": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
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
    headwater = await the_headwater(request)
    reader = await the_reader(request, headwater)
    await counted(request, reader)
    question = await asked(request, headwater)
    answer = get_sparql if request.method == "GET" else post_sparql
    return await answer(request, question, headwater, reader)


async def _answered(request: Request, question: Asked, headwater: App, reader: Who) -> Response:
    text = question.query
    assert text is not None
    graph = returns_graph(text)
    offers = SYNTAXES if graph else RESULTS
    if choose(request.headers.get("accept"), (*offers, HTML), name=question.format) is HTML:
        return await _page(request, question, graph, headwater, reader)
    offer = choose(request.headers.get("accept"), offers, name=question.format)
    headers = (
        {"Vary": "Accept, Authorization", "Cache-Control": "no-store"}
        if question.posted
        else validators(request, headwater, reader, offer)
    )
    answer = await _run(request, question, offer.media_type, headwater, reader)
    headers |= {SEQUENCE: str(answer.sequence)}
    if isinstance(answer, Told):
        if answer.keeps and reader is ANONYMOUS:
            # Who works here without a token is somebody else once one is made; who has none stays who he is.
            request.state.repeatable = Repeatable(answer, text, reader.name, request.state.counted_as)
        return Response(answer.body, headers=headers, media_type=answer.media_type)
    # What breaks from here on breaks the transfer as well: no client takes the part that it has for the whole.
    return StreamingResponse(_pieces(answer), headers=headers, media_type=answer.media_type)


async def _run(request: Request, question: Asked, media_type: str, headwater: App, reader: Who) -> Told | Stream:
    text, dataset, base = question.query or "", question.dataset or None, str(request.url.replace(query=""))
    told, rates = note(request, "query", text, reader.name), the_rates(request)
    async with rates.turn(request):
        job = headwater.sandbox.job()
        quick = headwater.at_once(text, reader, media_type, dataset=dataset, base=base, job=job)
        if isinstance(quick, Told):
            answer: Told | Stream = quick
        else:
            ask: Callable[[], Told | Stream]
            ask = partial(headwater.stream, text, reader, media_type, dataset=dataset, base=base, job=job)
            over = False
            if quick is not None:
                async with rates.small:
                    held = quick()
                    if held is not None:
                        ask, over = held.answer, await soon(held.begun.descriptor, held.begun.look, _SOON_S)
            answer = ask() if over else await until_gone(request, ask, job.cancel, rates.asking)
    told.more["sequence"] = answer.sequence
    if isinstance(answer, Told) and answer.kept:
        told.outcome = "cached"
    return answer


async def _pieces(answer: Stream) -> AsyncIterator[bytes]:
    try:
        async for piece in iterate_in_threadpool(answer.pieces()):
            yield piece
    finally:
        answer.close()


def returns_graph(text: str) -> bool:
    """Whether a query's answer is a graph (CONSTRUCT, DESCRIBE); for a text that is no query, False.

    >>> returns_graph("PREFIX a: <urn:SELECT> # ASK\\n construct { ?s ?p ?o } where { ?s ?p ?o }")
    True
    """
    found = _FORM.match(text[:200_000])
    return found is not None and found[1].upper() in ("CONSTRUCT", "DESCRIBE")


async def _page(request: Request, question: Asked, graph: bool, headwater: App, reader: Who) -> Response:
    """The form again, with the answer under it; what goes wrong is said beside the text, so that it can be mended."""
    headers = {"Vary": "Accept, Authorization", "Cache-Control": "no-store"}
    text = question.query or ""
    media_type = "text/turtle" if graph else "application/sparql-results+json"
    try:
        answer = await _run(request, question, media_type, headwater, reader)
        body = answer.body if isinstance(answer, Told) else await to_thread.run_sync(answer.body)
    except HeadwaterError as error:
        return _form(request, text, status=error.status, error=error, headers=headers)
    if graph:
        return _form(request, text, turtle=body.decode("utf-8", "replace"), headers=headers)
    loaded = json.loads(body)
    return _form(request, text, results=loaded, headers=headers)


def _form(request: Request, text: str, *, status: int = 200, headers: dict[str, str], **found: Any) -> Response:
    values = {"error": None, "turtle": None, "results": None, **found}
    body = page("sparql.html", request, text=text, prefixes=PREFIXES, most_rows=_MOST_ROWS, **values)
    return Response(body, status, headers, media_type="text/html")


def _limits(settings: Settings) -> list[Literal]:
    """What a query may take, in sentences."""
    length, seconds = f"{settings.max_query_length:,}", f"{settings.query_timeout_s:g}"
    memory, answer = f"{settings.query_memory_mb:,} MiB", f"{settings.max_answer_mb:,} MiB"
    english = (
        f"A query may have {length} characters and take {seconds} seconds and {memory} of memory, its answer {answer}. "
        "What goes beyond is an error (413 or 503), never a part. SERVICE and LOAD are refused."
    )
    german = (
        f"Eine Anfrage darf {length} Zeichen haben, {seconds} Sekunden und {memory} Speicher brauchen, ihre Antwort {answer}. "
        "Was darüber geht, ist ein Fehler (413 oder 503), nie ein Teil. SERVICE und LOAD werden abgelehnt."
    )
    return [Literal(english, language="en"), Literal(german, language="de")]


def _described(address: str, offer: Offer, settings: Settings) -> bytes:
    """The SPARQL 1.1 Service Description of this endpoint: what it can do, and nothing it cannot."""
    service, dataset, graph = BlankNode("service"), BlankNode("dataset"), BlankNode("graph")
    said = [
        Triple(service, RDF.type, _SD.Service),
        Triple(service, _SD.endpoint, NamedNode(address)),
        Triple(service, _SD.feature, _SD.UnionDefaultGraph),
        Triple(service, _SD.supportedLanguage, _SD.SPARQL11Query),
        Triple(service, _SD.supportedLanguage, _SD.SPARQL11Update),
        Triple(service, _SD.defaultDataset, dataset),
        Triple(dataset, RDF.type, _SD.Dataset),
        Triple(dataset, _SD.defaultGraph, graph),
        Triple(graph, RDF.type, _SD.Graph),
        Triple(service, _DCTERMS["title"], Literal("Headwater", language="en")),
        Triple(dataset, RDFS.seeAlso, NamedNode(f"{address.removesuffix('/sparql')}/.well-known/void#dataset")),
    ]
    said += [Triple(service, _DCTERMS["description"], words) for words in _limits(settings)]
    for name in (
        "SPARQL_Results_JSON",
        "SPARQL_Results_XML",
        "SPARQL_Results_CSV",
        "SPARQL_Results_TSV",
        "Turtle",
        "N-Triples",
        "RDF_XML",
        "JSON-LD",
        "TriG",
        "N-Quads",
    ):
        said.append(Triple(service, _SD.resultFormat, _FORMATS[name]))
    for name in ("Turtle", "N-Triples", "RDF_XML", "JSON-LD", "TriG", "N-Quads"):
        said.append(Triple(service, _SD.inputFormat, _FORMATS[name]))
    syntax = exporter(offer.names[0])
    assert isinstance(syntax, Syntax)
    prefixes = {"rdfs": str(RDFS), "sd": str(_SD), "formats": str(_FORMATS), "dcterms": "http://purl.org/dc/terms/"}
    written = serialize(said, format=syntax.format, prefixes=prefixes)
    assert written is not None  # serialize only returns None when it is handed a file to write to
    return written
