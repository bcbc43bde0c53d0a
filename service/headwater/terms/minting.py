"""Minting IRIs for what has no IRI of its own, and finding one's way back from them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

_UNSAFE = re.compile(r"[^A-Za-z0-9._~-]+")


def slug(text: str, longest: int = 80) -> str:
    """`text` as one readable path segment, the same for the same text and different for different texts.

    Text that is not already plain keeps a short hash, so that `a b` and `a-b` do not fall together.

    >>> slug("digits-train"), slug("exploration rate")
    ('digits-train', 'exploration-rate-66971a4d')
    """
    plain = _UNSAFE.sub("-", text).strip("-")[:longest]
    if plain == text:
        return plain
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain}-{digest}" if plain else digest


def short_hash(*parts: str) -> str:
    """Twelve hexadecimal digits that stand for `parts` in this order (SHA-256, cut).

    >>> short_hash("a", "b") == short_hash("ab")
    False
    """
    joined = "\x1f".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(joined).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Mint:
    """Makes the IRIs of one installation: `{base}id/{kind}/{key}` for things, `{base}record/{key}` for records.

    >>> mint = Mint("https://data.example/")
    >>> mint.thing("run", "mlflow-0a1b")
    'https://data.example/id/run/mlflow-0a1b'
    >>> mint.kind_and_key("https://data.example/id/run/mlflow-0a1b")
    ('run', 'mlflow-0a1b')
    """

    base: str

    def thing(self, kind: str, key: str) -> str:
        return f"{self.base}id/{kind}/{quote(key, safe='~')}"

    def record(self, key: str) -> str:
        return f"{self.base}record/{quote(key, safe='~')}"

    def skolem(self, record: str, label: str) -> str:
        """The IRI that stands for a blank node of a record (RDF 1.1, section 3.5)."""
        return f"{self.base}.well-known/genid/{short_hash(record, label)}"

    def kind_and_key(self, iri: str) -> tuple[str, str] | None:
        """The two path segments of an IRI minted here; None for anybody else's."""
        prefix = f"{self.base}id/"
        if not iri.startswith(prefix):
            return None
        kind, slash, key = iri[len(prefix) :].partition("/")
        if not slash or not key or "/" in key or "#" in key:
            return None
        return kind, unquote(key)


_FOLLOWS = ("#entailed", "%23entailed")


def entailed(record: str) -> str:
    """The name of the graph of what follows from a record. An IRI has one `#` at most, so that a second one is written encoded.

    >>> entailed("urn:r"), entailed("http://lab.example/a#b")
    ('urn:r#entailed', 'http://lab.example/a#b%23entailed')
    """
    return record + _FOLLOWS["#" in record]


def is_entailed(name: str) -> bool:
    """Whether a graph has such a name, which no record may have."""
    return name.endswith(_FOLLOWS)


def without_entailed(name: str) -> str:
    """The record that a graph of either sort belongs to.

    >>> without_entailed("http://lab.example/a#b%23entailed"), without_entailed("urn:r")
    ('http://lab.example/a#b', 'urn:r')
    """
    return next((name.removesuffix(ending) for ending in _FOLLOWS if name.endswith(ending)), name)
