"""Content negotiation: weights, exclusion, specificity, and `?format=` before all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import NotAcceptable
from headwater.web.negotiation import CSV, HTML, JSON, RDF, choose, weights

OFFERS = (JSON, CSV, *RDF, HTML)
TYPES = [offer.media_type for offer in OFFERS]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/turtle", "text/turtle"),
        ("TEXT/Turtle", "text/turtle"),
        ("text/turtle;charset=utf-8", "text/turtle"),
        ("text/turtle;q=0.5, text/html", "text/html"),
        ("text/html;q=0.5, text/turtle;q=0.51", "text/turtle"),
        ("text/*;q=0.3, application/ld+json;q=0.2", "text/csv"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("application/json;q=0, */*", "text/csv"),
        ("*/*;q=0.1, application/trig", "application/trig"),
        ("application/xml", "application/rdf+xml"),
        ("text/html ; q=0.2 , application/n-triples ; q=0.9", "application/n-triples"),
        ("text/turtle;q=2, text/html", "text/html"),
        ("nonsense", "application/json"),
        ("text/turtle;q=0.5;x=1, text/html;q=0.4", "text/turtle"),
    ],
)
def test_the_best_fitting_offer_is_taken(accept: str | None, expected: str) -> None:
    assert choose(accept, OFFERS).media_type == expected


@pytest.mark.parametrize("accept", ["image/png", "text/html;q=0", "*/*;q=0", "application/pdf, image/*"])
def test_what_cannot_be_given_is_answered_with_the_list_of_what_can(accept: str) -> None:
    with pytest.raises(NotAcceptable) as caught:
        choose(accept, OFFERS)
    assert caught.value.extra["available"] == TYPES


def test_an_excluded_type_is_not_given_through_a_wildcard() -> None:
    assert choose("*/*, application/json;q=0, text/csv;q=0", OFFERS).media_type == "text/turtle"


@pytest.mark.parametrize(
    ("name", "expected"), [("ttl", "text/turtle"), ("JSON-LD", "application/ld+json"), ("text/csv", "text/csv")]
)
def test_format_goes_before_accept(name: str, expected: str) -> None:
    assert choose("text/html", OFFERS, name=name).media_type == expected


def test_an_unknown_format_is_refused_even_if_accept_would_do() -> None:
    with pytest.raises(NotAcceptable, match="docx"):
        choose("text/html", OFFERS, name="docx")


ranges = st.sampled_from([*TYPES, "text/*", "application/*", "*/*", "image/png"])
quality = st.integers(0, 1000).map(lambda thousandths: thousandths / 1000)


@given(st.lists(st.tuples(ranges, quality), min_size=1, max_size=6, unique_by=lambda pair: pair[0]))
def test_nothing_acceptable_is_heavier_than_what_is_chosen(wanted: list[tuple[str, float]]) -> None:
    given_weights = dict(wanted)

    def weight(media_type: str) -> float:
        for one in (media_type, f"{media_type.split('/')[0]}/*", "*/*"):
            if one in given_weights:
                return given_weights[one]
        return 0.0

    accept = ", ".join(f"{media_type};q={value:.3f}" for media_type, value in wanted)
    plain = [offer for offer in OFFERS if not offer.aliases]
    best = max(weight(offer.media_type) for offer in plain)
    if best == 0:
        with pytest.raises(NotAcceptable):
            choose(accept, plain)
    else:
        assert weight(choose(accept, plain).media_type) == best


@given(st.text(max_size=80))
def test_no_header_makes_negotiation_fall_over(accept: str) -> None:
    weights(accept)
    try:
        choose(accept, OFFERS)
    except NotAcceptable:
        assert weights(accept)
