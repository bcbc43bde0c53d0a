"""Which representation a client gets: what its Accept header asks for, or what `?format=` names (RFC 9110, section 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from headwater.errors import NotAcceptable

_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_RANGE = re.compile(rf"^\s*({_TOKEN})/({_TOKEN})\s*(.*)$", re.DOTALL)
_WEIGHT = re.compile(r"^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$")


@dataclass(frozen=True, slots=True)
class Offer:
    """A representation that the server can give: its media type, and the short names by which `?format=` asks for it."""

    media_type: str
    names: tuple[str, ...]
    aliases: tuple[str, ...] = ()

    @property
    def types(self) -> tuple[str, ...]:
        """The media types that ask for this offer: its own and those that older clients say instead."""
        return (self.media_type, *self.aliases)


JSON = Offer("application/json", ("json",))
HTML = Offer("text/html", ("html",), ("application/xhtml+xml",))
CSV = Offer("text/csv", ("csv",))
PROBLEM = Offer("application/problem+json", ("problem",), ("application/json",))
RDF = (
    Offer("text/turtle", ("turtle", "ttl", "n3"), ("application/x-turtle", "text/n3", "text/rdf+n3")),
    Offer("application/ld+json", ("jsonld", "json-ld")),
    Offer("application/n-triples", ("ntriples", "nt"), ("text/plain",)),
    Offer("application/rdf+xml", ("rdfxml", "rdf", "xml", "rdf+xml"), ("application/xml", "text/xml")),
    Offer("application/trig", ("trig",)),
    Offer("application/n-quads", ("nquads", "nq"), ("text/x-nquads",)),
)
"""The RDF syntaxes; the first name of each is the name of its exporter."""


def weights(accept: str) -> list[tuple[str, str, float]]:
    """The media ranges of an Accept header with their weights; what does not parse is passed over.

    >>> weights("text/html, application/*;q=0.2, nonsense, text/csv;q=7")
    [('text', 'html', 1.0), ('application', '*', 0.2)]
    """
    found = []
    for part in accept.split(","):
        matched = _RANGE.match(part)
        if not matched or (matched[1] == "*" and matched[2] != "*"):
            continue
        weight = 1.0
        for parameter in matched[3].split(";"):
            name, _, value = parameter.strip().partition("=")
            if name.strip().lower() == "q":
                weight = float(value.strip()) if _WEIGHT.match(value.strip()) else -1.0
        if weight >= 0:
            found.append((matched[1].lower(), matched[2].lower(), weight))
    return found


def choose(accept: str | None, offers: Sequence[Offer], *, name: str | None = None) -> Offer:
    """The offer that fits best. `name` (from `?format=`) goes before `accept`; without either the first offer is taken.

    The most specific range decides an offer's weight, so that `*/*, text/html;q=0` excludes HTML; equal weights go by the
    order of `offers`. Raises `NotAcceptable`, with the list, if nothing fits.

    >>> choose("text/turtle;q=0.5, text/html", [JSON, HTML, *RDF]).media_type
    'text/html'
    >>> choose("text/html", [JSON, HTML, *RDF], name="ttl").media_type
    'text/turtle'
    """
    if name is not None:
        wanted = name.strip().lower().replace(" ", "+")
        for offer in offers:
            if wanted in offer.names or wanted in offer.types:
                return offer
        raise _refused(f"there is no format '{name[:80]}' here", offers)
    ranges = weights(accept or "")
    if not ranges:
        return offers[0]
    best, best_weight = None, 0.0
    for offer in offers:
        weight = max(_weight(media_type, ranges) for media_type in offer.types)
        if weight > best_weight:
            best, best_weight = offer, weight
    if best is None:
        raise _refused("nothing that the Accept header allows can be given", offers)
    return best


def languages(accept: str | None, offered: Sequence[str]) -> str:
    """The language of `offered` that an Accept-Language header likes best; the first where it likes none or says nothing.

    >>> languages("fr, de-AT;q=0.8, en;q=0.5", ("en", "de")), languages("fr", ("en", "de")), languages(None, ("en", "de"))
    ('de', 'en', 'en')
    """
    best, best_weight = offered[0], 0.0
    for part in (accept or "").split(","):
        tag, _, rest = part.strip().lower().partition(";")
        said = rest.strip().removeprefix("q=").strip() if rest else "1"
        weight = float(said) if _WEIGHT.match(said) else 0.0
        main = tag.strip().partition("-")[0]
        if main in offered and weight > best_weight:
            best, best_weight = main, weight
    return best


def _weight(media_type: str, ranges: Sequence[tuple[str, str, float]]) -> float:
    kind, _, subtype = media_type.partition("/")
    found, specific = 0.0, -1
    for range_kind, range_subtype, weight in ranges:
        if range_kind not in ("*", kind) or range_subtype not in ("*", subtype):
            continue
        degree = (range_kind != "*") + (range_subtype != "*")
        if degree > specific or (degree == specific and weight > found):
            found, specific = weight, degree
    return found


def _refused(detail: str, offers: Sequence[Offer]) -> NotAcceptable:
    types = [offer.media_type for offer in offers]
    names = [offer.names[0] for offer in offers]
    return NotAcceptable(
        detail,
        remedy=f"Ask for one of: {', '.join(types)}; or ?format= one of: {', '.join(names)}.",
        available=types,
        formats=names,
    )
