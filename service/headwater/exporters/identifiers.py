"""Telling identifiers apart by their scheme, for formats that want to know: DOI, Handle, ARK, URN, URL."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

_DOI = re.compile(r"^(?:doi:|https?://(?:dx\.)?doi\.org/)(10\.\d{4,9}/\S+)$", re.IGNORECASE)
_HANDLE = re.compile(r"^(?:hdl:|https?://hdl\.handle\.net/)(\S+/\S+)$", re.IGNORECASE)
_ARK = re.compile(r"^(?:https?://[^/]+/)?(ark:/?\d{5,9}/\S+)$", re.IGNORECASE)


class Identifier(NamedTuple):
    """An identifier without its resolver, and what DataCite calls its type."""

    value: str
    type: str


def typed(text: str) -> Identifier | None:
    """`text` as a globally unique identifier; None for anything that only means something inside one tool.

    >>> typed("https://doi.org/10.5281/zenodo.1")
    Identifier(value='10.5281/zenodo.1', type='DOI')
    >>> typed("mlflow:0a1b") is None
    True
    """
    if found := _DOI.match(text):
        return Identifier(unquote(found[1]), "DOI")
    if found := _HANDLE.match(text):
        return Identifier(found[1], "Handle")
    if found := _ARK.match(text):
        return Identifier(found[1], "ARK")
    if text.lower().startswith("urn:"):
        return Identifier(text, "URN")
    if text.startswith(("http://", "https://")):
        return Identifier(text, "URL")
    return None


def doi(texts: list[str]) -> str | None:
    """The first DOI among `texts`, without its resolver."""
    for text in texts:
        found = typed(text)
        if found and found.type == "DOI":
            return found.value
    return None
