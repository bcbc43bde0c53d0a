"""The terms of the ontology, each with an address: a page for people, RDF for programs, the same address for both."""

from __future__ import annotations

import hashlib
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pyoxigraph import RdfFormat, Triple, serialize
from starlette.responses import Response

from headwater import __version__
from headwater.errors import BadParameter, NotFound
from headwater.terms.glossary import alignments, prefixes, short, statements, terms
from headwater.terms.names import HW
from headwater.terms.vocabulary import ontology_files
from headwater.web.negotiation import HTML, RDF, Offer, choose
from headwater.web.problems import Unchanged
from headwater.web.rendering import page

router = APIRouter(tags=["service"])
_OFFERS = (HTML, *RDF)
_SYNTAXES = {
    "rdfxml": RdfFormat.RDF_XML,
    "jsonld": RdfFormat.JSON_LD,
    "turtle": RdfFormat.TURTLE,
    "ntriples": RdfFormat.N_TRIPLES,
}
_SYNTAXES |= {"trig": RdfFormat.TRIG, "nquads": RdfFormat.N_QUADS}
_CONTENT: dict[str, dict[str, str]] = {offer.media_type: {} for offer in _OFFERS}
Format = Annotated[
    str | None, Query(alias="format", description="The representation by name, before Accept.", examples=["turtle"])
]


@router.get("/terms", summary="The ontology", responses={200: {"content": _CONTENT}}, response_class=Response)
def vocabulary(request: Request, format: Format = None) -> Response:
    """All terms with their definitions, and how they meet other vocabularies; as RDF the whole ontology."""
    offer = _offer(request, format)
    headers = _headers(request, offer)
    if offer is not HTML:
        return _rdf(statements(), offer, headers)
    groups = [(sort, list(found)) for sort, found in groupby(terms().values(), key=lambda term: term.sort)]
    body = page("terms.html", request, groups=groups, alignments=alignments(), short=short, namespace=str(HW))
    return Response(body, headers=headers, media_type="text/html")


@router.get("/terms/{local}", summary="One term", responses={200: {"content": _CONTENT}}, response_class=Response)
def term(
    request: Request,
    local: Annotated[str, Path(description="The term's name after `hw:`.", examples=["deploys"])],
    format: Format = None,
) -> Response:
    """A term of ours: labels both ways and in both languages, definition, example, axioms and alignments."""
    known = terms().get(local)
    if known is None:
        raise NotFound(f"There is no term hw:{local[:80]}.", remedy="See /terms for all terms.")
    offer = _offer(request, format)
    headers = _headers(request, offer)
    if offer is not HTML:
        return _rdf(statements(local), offer, headers)
    users = [one for one in terms().values() if any(known.iri == value for _, value in one.axioms)]
    body = page("term.html", request, term=known, users=users, short=short, namespace=str(HW))
    return Response(body, headers=headers, media_type="text/html")


def _offer(request: Request, format: str | None) -> Offer:
    for name in request.query_params:
        if name != "format":
            raise BadParameter(f"there is no parameter '{name[:80]}' here", parameter=name[:80])
    return choose(request.headers.get("accept"), _OFFERS, name=format)


def _headers(request: Request, offer: Offer) -> dict[str, str]:
    """Terms change with the ontology's files and the program, not with the ledger, and are the same for every reader."""
    parts = (request.url.path, offer.media_type, ontology_files().digest, __version__)
    etag = f'W/"{hashlib.sha256(chr(31).join(parts).encode()).hexdigest()[:16]}"'
    held = request.headers.get("if-none-match", "")
    if etag.removeprefix("W/") in (one.strip().removeprefix("W/") for one in held.split(",")):
        raise Unchanged(etag)
    return {"ETag": etag, "Vary": "Accept", "Cache-Control": "no-cache"}


def _rdf(triples: list[Triple], offer: Offer, headers: dict[str, str]) -> Response:
    body = serialize(triples, format=_SYNTAXES[offer.names[0]], prefixes=prefixes())
    return Response(body, headers=headers, media_type=offer.media_type)
