"""What the public data are and hold, in the vocabulary VoID, where crawlers of linked data look for it."""

from __future__ import annotations

from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from pyoxigraph import BlankNode, Literal, NamedNode, Triple, serialize
from starlette.responses import Response

from headwater.access.reader import ANONYMOUS
from headwater.app.statistics import Statistics
from headwater.exporters.rdf import Syntax
from headwater.exporters.registry import exporter
from headwater.terms.names import RDF, RDFS, XSD, Namespace
from headwater.web.caching import validators
from headwater.web.negotiation import RDF as SYNTAXES
from headwater.web.negotiation import choose
from headwater.web.readers import App

router = APIRouter(tags=["sparql"])
VOID = Namespace("http://rdfs.org/ns/void#")
_DCTERMS = Namespace("http://purl.org/dc/terms/")
_FOAF = Namespace("http://xmlns.com/foaf/0.1/")
_FORMATS = Namespace("http://www.w3.org/ns/formats/")
_ANSWERS: dict[int | str, dict[str, Any]] = {200: {"content": {offer.media_type: {} for offer in SYNTAXES}}}


@router.get("/.well-known/void", summary="The data in numbers", responses=_ANSWERS)
async def void(request: Request, headwater: App) -> Response:
    """A VoID description of what everybody may see: statements, things of each class, uses of each property, where to ask."""
    offer = choose(request.headers.get("accept"), SYNTAXES, name=request.query_params.get("format"))
    found = await to_thread.run_sync(headwater.statistics)
    headers = {"Vary": "Accept", "Cache-Control": "no-cache"}
    if found.sequence == headwater.sequence:
        headers = validators(request, headwater, ANONYMOUS, offer)
    root = str(request.url.replace(query="", path="/"))
    said = described(root, headwater.mint.base, found)
    syntax = exporter(offer.names[0])
    assert isinstance(syntax, Syntax)
    prefixes = {"void": str(VOID), "dcterms": str(_DCTERMS), "foaf": str(_FOAF), "rdfs": str(RDFS), "xsd": str(XSD)}
    body = serialize(said, format=syntax.format, prefixes=prefixes)
    return Response(body, headers=headers, media_type=offer.media_type)


def described(root: str, base: str, found: Statistics) -> list[Triple]:
    """The description as statements; `root` is the service's address with a slash, `base` what its IRIs begin with.

    >>> said = described("https://data.example/", "https://data.example/", Statistics(7, {"urn:c": 2}, {"urn:p": 5}))
    >>> [triple.object.value for triple in said if triple.predicate == VOID.triples]
    ['5', '5']
    """
    document, dataset = NamedNode(f"{root}.well-known/void"), NamedNode(f"{root}.well-known/void#dataset")
    said = [
        Triple(document, RDF.type, VOID.DatasetDescription),
        Triple(document, _FOAF.primaryTopic, dataset),
        Triple(dataset, RDF.type, VOID.Dataset),
        Triple(dataset, _DCTERMS["title"], Literal("Headwater", language="en")),
        Triple(dataset, _DCTERMS.identifier, Literal(f"ledger sequence {found.sequence}")),
        Triple(dataset, VOID.sparqlEndpoint, NamedNode(f"{root}sparql")),
        Triple(dataset, VOID.uriSpace, Literal(base)),
        Triple(dataset, VOID.triples, Literal(found.statements)),
        Triple(dataset, VOID.classes, Literal(len(found.classes))),
        Triple(dataset, VOID.properties, Literal(len(found.properties))),
    ]
    said += [Triple(dataset, VOID.feature, _FORMATS[name]) for name in ("Turtle", "N-Triples", "RDF_XML", "JSON-LD", "TriG")]
    for number, (name, count) in enumerate(sorted(found.classes.items())):
        part = BlankNode(f"class{number}")
        said.append(Triple(dataset, VOID.classPartition, part))
        said.append(Triple(part, VOID["class"], NamedNode(name)))
        said.append(Triple(part, VOID.entities, Literal(count)))
    for number, (name, count) in enumerate(sorted(found.properties.items())):
        part = BlankNode(f"property{number}")
        said.append(Triple(dataset, VOID.propertyPartition, part))
        said.append(Triple(part, VOID.property, NamedNode(name)))
        said.append(Triple(part, VOID.triples, Literal(count)))
    return said
