"""What a finding says in each language: the messages of the shapes in `shapes/` and `shapes/profiles/`, by shape and language."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import Final

from pyoxigraph import Literal, NamedNode, RdfFormat, parse

from headwater import assets
from headwater.errors import BadParameter
from headwater.terms.names import SH

LANGUAGES: Final = ("en", "de")
"""The languages in which every message is written; the first is what is spoken where none was asked for."""


def messages(shape: str) -> dict[str, str]:
    """The messages of a shape by language; empty for a shape that is not one of Headwater's.

    >>> sorted(messages("https://w3id.org/headwater/shapes#run-status"))
    ['de', 'en']
    """
    return dict(_messages().get(shape, {}))


def message(shape: str, language: str, otherwise: str = "") -> str:
    """The message of a shape in a language, or `otherwise` where there is none.

    >>> message("https://w3id.org/headwater/shapes#run-one-status", "de")
    'Der Lauf hat mehr als einen hw:status. Behalten Sie nur den letzten.'
    """
    return _messages().get(shape, {}).get(language, otherwise)


def spoken(language: str | None) -> str:
    """The language of `LANGUAGES` that a tag means; the first for None. Raises `BadParameter` for any other.

    >>> spoken("de-AT"), spoken(None)
    ('de', 'en')
    """
    if language is None:
        return LANGUAGES[0]
    main = language.strip().lower().partition("-")[0]
    if main not in LANGUAGES:
        raise BadParameter(
            f"language: reports speak {' and '.join(LANGUAGES)}, not '{language[:40]}'", parameter="language", remedy="Name one."
        )
    return main


@cache
def _messages() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for path in sorted(assets.folder("shapes").rglob("*.ttl")):
        for quad in parse(path.read_bytes(), format=RdfFormat.TURTLE):
            if quad.predicate == SH.message and isinstance(quad.subject, NamedNode) and isinstance(quad.object, Literal):
                found[quad.subject.value][quad.object.language or LANGUAGES[0]] = quad.object.value
    return dict(found)
