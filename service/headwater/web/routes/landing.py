"""The landing page of an object, the home page, and the addresses that objects are named by."""

from __future__ import annotations

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from headwater.access import Reader
from headwater.app import Headwater
from headwater.checking.profile_report import ProfileReport
from headwater.errors import BadParameter, NotFound
from headwater.exporters.registry import fitting
from headwater.pictures.svg import svg
from headwater.questions.description import Description, Thing
from headwater.terms.vocabulary import vocabulary
from headwater.web.caching import validators
from headwater.web.negotiation import HTML, choose
from headwater.web.objects import links, schema_org, signposts
from headwater.web.readers import App, Who
from headwater.web.rendering import address, page
from headwater.web.routes.catalogue import offers, represented
from headwater.web.routes.graph import scene

router = APIRouter(include_in_schema=False)

_MOST_NODES = 14
"""A landing page shows where a thing stands; the whole is for the lineage page."""
_SUPPOSED = {
    "dataset": "labels-corrected",
    "software": "bug-found",
    "workflow": "bug-found",
    "environment": "environment-changed",
    "instrument": "calibration-changed",
    "publication": "retracted",
}
"""The change that the button "What if it changed?" supposes: the one that happens most to this kind."""
_MOST_ROWS = 40
"""Rows of a table on a landing page, so that a hub with thousands of links stays a page that one can read."""


@router.get("/")
def home(request: Request, headwater: App, reader: Who) -> Response:
    """What is here, and the two questions."""
    headers = validators(request, headwater, reader, HTML)
    latest = headwater.objects(reader, page=1, per_page=12)
    counts = headwater.counts(reader)
    return Response(
        page("home.html", request, counts=counts, found=latest.items, changes=sorted(vocabulary().changes)),
        headers=headers,
        media_type="text/html",
    )


@router.get("/object")
def find_object(request: Request, headwater: App, reader: Who, id: str = Query("", max_length=4000)) -> Response:
    """From any identifier to the landing page."""
    if not id.strip():
        raise BadParameter("id is missing", parameter="id", remedy="Say which object: /object?id=IRI")
    iri = headwater.resolve(id.strip(), reader)
    thing = headwater.describe(iri, reader).thing
    try:
        found = headwater.resolve(thing.path, reader)
    except NotFound:
        # A thing that is only mentioned (a class, a measure) has no address of its own here, but a page.
        found = None
    return RedirectResponse(address(thing), 302) if found == iri else _landing(request, iri, None, headwater, reader)


@router.get("/object/{kind}/{key:path}")
def landing(request: Request, kind: str, key: str, headwater: App, reader: Who, format: str | None = None) -> Response:
    """The page of an object; programs that ask this address for data get the data."""
    return _landing(request, headwater.resolve(f"{kind}/{key}", reader), format, headwater, reader)


def _landing(request: Request, iri: str, format: str | None, headwater: Headwater, reader: Reader) -> Response:
    description = headwater.describe(iri, reader)
    offered = offers(description.thing.kind)
    # A landing page is a page unless data is asked for by name.
    offer = choose(request.headers.get("accept"), [HTML, *(one for one in offered if one is not HTML)], name=format)
    if offer is not HTML:
        answer = represented(request, iri, format or offer.names[0], headwater, reader)
        answer.headers["Link"] = signposts(description)
        return answer
    headers = validators(request, headwater, reader, HTML)
    headers["Link"] = signposts(description)
    return Response(_page(request, description, headwater, reader), headers=headers, media_type="text/html")


@router.get("/id/{kind}/{key:path}")
def identifier(request: Request, kind: str, key: str, headwater: App, reader: Who, format: str | None = None) -> Response:
    """The address that names an object leads on (303) to its page or its data; 410 with the tombstone if it was withdrawn."""
    thing = headwater.describe(headwater.resolve(f"{kind}/{key}", reader), reader).thing
    offered = offers(thing.kind)
    offer = choose(request.headers.get("accept"), [HTML, *(one for one in offered if one is not HTML)], name=format)
    where = address(thing) if offer is HTML else f"{links(thing)['self']}?format={offer.names[0]}"
    return RedirectResponse(where, 303, {"Vary": "Accept"})


def _page(request: Request, description: Description, headwater: Headwater, reader: Reader) -> bytes:
    thing = description.thing
    return page(
        "object.html",
        request,
        it=description,
        links=links(thing),
        drawn=_neighbourhood(thing, headwater, reader),
        banners=headwater.changes_touching(thing.iri, reader),
        exports=fitting(thing.kind),
        data=schema_org(description),
        most=_MOST_ROWS,
        is_kind=thing.kind in {kind.name for kind in vocabulary().kinds},
        is_change="hw:Change" in description.types,
        ready=_ready(description, headwater, reader),
        supposed=_SUPPOSED.get(thing.kind, "superseded"),
    )


def _ready(description: Description, headwater: Headwater, reader: Reader) -> ProfileReport | None:
    """Whether a model could be trained again; None for other things, and for the name that gathers the versions of a model."""
    thing = description.thing
    if thing.kind != "model" or (description.later and not description.up):
        return None
    try:
        return headwater.profile(thing.iri, "retrain-ready", reader)
    except BadParameter:
        # Said to be a model by somebody whom this reader may not hear.
        return None


def _neighbourhood(thing: Thing, headwater: Headwater, reader: Reader) -> str:
    """The picture for a landing page; empty for a thing that takes no part in any lineage."""
    try:
        seen = scene(headwater, reader, thing, depth=1, direction="both", most=_MOST_NODES)
    except BadParameter:
        return ""
    return svg(seen, title=f"The neighbourhood of {thing.label}", standalone=False, name="near")
