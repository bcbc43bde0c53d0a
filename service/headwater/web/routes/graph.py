"""Pictures: the neighbourhood of an object in four formats, and the badge that says whether it still stands."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from starlette.responses import Response

from headwater.access import Reader
from headwater.app import Headwater
from headwater.errors import NotFound
from headwater.pictures.badge import badge
from headwater.pictures.png import png
from headwater.pictures.scene import Scene
from headwater.pictures.svg import stylesheet, svg
from headwater.pictures.text import dot, placed
from headwater.questions.description import Thing
from headwater.web.caching import validators
from headwater.web.negotiation import Offer
from headwater.web.parameters import Direction, read_depth
from headwater.web.readers import App, Who

router = APIRouter(tags=["pictures"])

MOST_NODES = 60
"""Nodes in a picture before siblings are folded: about what fits a screen without scrolling far."""
_STATES = ("affected", "in_triage", "cannot_tell", "resolved", "not_affected")
_FORMATS = {
    "svg": Offer("image/svg+xml", ("svg",)),
    "png": Offer("image/png", ("png",)),
    "json": Offer("application/json", ("json",)),
    "dot": Offer("text/vnd.graphviz", ("dot",)),
}


class Around(BaseModel):
    """How much of the neighbourhood to draw."""

    model_config = ConfigDict(extra="forbid")
    depth: Annotated[int | Literal["full"], BeforeValidator(read_depth)] = Field(2, description="Steps to walk, or 'full'.")
    direction: Direction = Field("both", description="Which way to walk.")
    max_nodes: int = Field(MOST_NODES, ge=2, le=1000, description="Above so many nodes siblings are folded into one 'n more'.")


@router.get("/graph/{kind}/{key:path}.{suffix}", summary="The neighbourhood of an object as a picture")
def picture(
    request: Request, kind: str, key: str, suffix: str, asked: Annotated[Around, Query()], headwater: App, reader: Who
) -> Response:
    """SVG (every node a link), PNG, DOT for Graphviz, or JSON with the positions."""
    offer = _FORMATS.get(suffix)
    if offer is None:
        raise NotFound(f"there is no picture format '{suffix[:20]}'", remedy=f"Use one of: {', '.join(_FORMATS)}.")
    thing = headwater.describe(headwater.resolve(f"{kind}/{key}", reader), reader).thing
    headers = validators(request, headwater, reader, offer)
    seen = scene(headwater, reader, thing, depth=asked.depth, direction=asked.direction, most=asked.max_nodes)
    body: str | bytes
    if suffix == "json":
        body = placed(seen)
    elif suffix == "dot":
        body = dot(seen)
    else:
        drawn = svg(seen, title=f"The lineage around {thing.label}")
        body = drawn if suffix == "svg" else png(drawn)
        headers["Content-Security-Policy"] = f"default-src 'none'; style-src '{_style_hash()}'"
    return Response(
        body.encode("utf-8", "replace") if isinstance(body, str) else body, headers=headers, media_type=offer.media_type
    )


@router.get("/badge/{kind}/{key:path}.svg", summary="A badge that says whether an object still stands")
def state_badge(request: Request, kind: str, key: str, headwater: App, reader: Who) -> Response:
    """The worst state that any announced change upstream gives the object."""
    iri = headwater.resolve(f"{kind}/{key}", reader)
    offer = _FORMATS["svg"]
    headers = validators(request, headwater, reader, offer)
    state, words = standing(headwater, reader, iri)
    return Response(badge("upstream", state, words).encode("utf-8", "replace"), headers=headers, media_type=offer.media_type)


def standing(headwater: Headwater, reader: Reader, iri: str) -> tuple[str | None, str]:
    """The worst state that a change gives `iri`, and it in words. Without any notice nothing is claimed but that."""
    banners = [banner for banner in headwater.changes_touching(iri, reader) if banner.state in _STATES]
    if not banners:
        return None, "no change announced"
    worst = min(banners, key=lambda banner: _STATES.index(banner.state))
    words = worst.state.replace("_", " ")
    if worst.state in ("affected", "in_triage") and worst.severity:
        words += f" · {worst.severity}"
    return worst.state, words


def scene(headwater: Headwater, reader: Reader, thing: Thing, *, depth: int | str, direction: str, most: int) -> Scene:
    """The neighbourhood of a thing, folded to `most` nodes."""
    answer = headwater.lineage(thing.iri, reader, direction=direction, depth=depth)
    more = f"/lineage?id={quote(thing.iri, safe='')}&direction={direction}&depth={depth}#table"
    return Scene.of(answer).folded(most, more=more)


@cache
def _style_hash() -> str:
    digest = hashlib.sha256(stylesheet().encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
