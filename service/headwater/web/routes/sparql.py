"""SPARQL over HTTP: the query part of the SPARQL 1.1 Protocol, a service description, and a plain form for people."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request
from pyoxigraph import BlankNode, Literal, NamedNode, Triple, serialize
from starlette.responses import Response

from headwater.errors import BadQuery, HeadwaterError, UnknownFormat
from headwater.exporters.rdf import Syntax
from headwater.exporters.registry import exporter
from headwater.terms.names import PREFIXES, RDF, Namespace
from headwater.web.caching import validators
from headwater.web.negotiation import HTML, Offer, choose
from headwater.web.negotiation import RDF as SYNTAXES
from headwater.web.readers import App, Who
from headwater.web.rendering import page
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
_FORMATS = Namespace("http://www.w3.org/ns/formats/")
_MOST_ROWS = 1000
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


async def asked(request: Request, headwater: App) -> Asked:
    """The query of a request by any of the protocol's three ways. Raises `BadQuery` for what the protocol forbids."""
    pairs = [(key, value) for key, value in request.query_params.multi_items()]
    direct = None
    if request.method == "POST":
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
    return _one_query(pairs, direct, request.method == "POST")


def _one_query(pairs: list[tuple[str, str]], direct: str | None, posted: bool) -> Asked:
    names = [name for name, _ in pairs]
    if "update" in names:
        raise BadQuery(
            "updates are not taken here", remedy="Write through POST /api/v1/records, where the gate checks what comes in."
        )
    if "default-graph-uri" in names or "named-graph-uri" in names:
        raise BadQuery(
            "the dataset of a query is what its reader may see; it cannot be chosen by default-graph-uri or named-graph-uri",
            remedy="Leave the parameter out; use GRAPH in the query to ask for a record's own graph.",
        )
    queries = [value for name, value in pairs if name == "query"] + ([direct] if direct is not None else [])
    if len(queries) > 1:
        raise BadQuery("query= is given more than once")
    format = next((value for name, value in pairs if name == "format" and value), None)
    return Asked(queries[0] if queries else None, format, posted)


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
def get_sparql(request: Request, question: Question, headwater: App, reader: Who) -> Response:
    """Runs a SPARQL query over what the reader may see. Browsers without a query get a form, programs a service description."""
    if question.query is None:
        offer = choose(request.headers.get("accept"), (*SYNTAXES, HTML), name=question.format)
        if offer is HTML:
            return _form(request, "", headers={"Vary": "Accept"})
        return Response(_described(headwater, offer), headers={"Vary": "Accept"}, media_type=offer.media_type)
    return _answered(request, question, headwater, reader)


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
def post_sparql(request: Request, question: Question, headwater: App, reader: Who) -> Response:
    """The same as GET, for long texts."""
    if question.query is None:
        raise BadQuery("the request names no query", remedy="Send query= in the form, or the text as application/sparql-query.")
    return _answered(request, question, headwater, reader)


def _answered(request: Request, question: Asked, headwater: App, reader: Who) -> Response:
    text = question.query
    assert text is not None
    graph = returns_graph(text)
    offers = SYNTAXES if graph else RESULTS
    browser = choose(request.headers.get("accept"), (*offers, HTML), name=question.format) is HTML
    if browser:
        return _page(request, text, graph, headwater, reader)
    offer = choose(request.headers.get("accept"), offers, name=question.format)
    headers = (
        {"Vary": "Accept, Authorization", "Cache-Control": "no-store"}
        if question.posted
        else validators(request, headwater, reader, offer)
    )
    body, media_type = headwater.query(text, reader, offer.media_type)
    return Response(body, headers=headers, media_type=media_type)


def returns_graph(text: str) -> bool:
    """Whether a query's answer is a graph (CONSTRUCT, DESCRIBE); for a text that is no query, False.

    >>> returns_graph("PREFIX a: <urn:SELECT> # ASK\\n construct { ?s ?p ?o } where { ?s ?p ?o }")
    True
    """
    found = _FORM.match(text[:200_000])
    return found is not None and found[1].upper() in ("CONSTRUCT", "DESCRIBE")


def _page(request: Request, text: str, graph: bool, headwater: App, reader: Who) -> Response:
    """The form again, with the answer under it; what goes wrong is said beside the text, so that it can be mended."""
    headers = {"Vary": "Accept, Authorization", "Cache-Control": "no-store"}
    try:
        body, _ = headwater.query(text, reader, "text/turtle" if graph else "application/sparql-results+json")
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


def _described(headwater: App, offer: Offer) -> bytes:
    """The SPARQL 1.1 Service Description of this endpoint: what it can do, and nothing it cannot."""
    service, dataset, graph = BlankNode(), BlankNode(), BlankNode()
    endpoint = NamedNode(f"{headwater.settings.base_iri}sparql")
    said = [
        Triple(service, RDF.type, _SD.Service),
        Triple(service, _SD.endpoint, endpoint),
        Triple(service, _SD.supportedLanguage, _SD.SPARQL11Query),
        Triple(service, _SD.defaultDataset, dataset),
        Triple(dataset, RDF.type, _SD.Dataset),
        Triple(dataset, _SD.defaultGraph, graph),
        Triple(graph, RDF.type, _SD.Graph),
        Triple(service, NamedNode("http://purl.org/dc/terms/title"), Literal("Headwater", language="en")),
    ]
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
    syntax = exporter(offer.names[0])
    assert isinstance(syntax, Syntax)
    prefixes = {"sd": str(_SD), "formats": str(_FORMATS), "dcterms": "http://purl.org/dc/terms/"}
    written = serialize(said, format=syntax.format, prefixes=prefixes)
    assert written is not None  # serialize only returns None when it is handed a file to write to
    return written
