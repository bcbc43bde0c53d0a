"""What a SPARQL text names, read from its tokens without parsing it: graphs of its dataset, and all IRIs in it.

Oxigraph has no parser to ask. The tokens are exactly SPARQL's (`headwater.store.guard`), so that words in strings and comments
are not taken for clauses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin

from headwater.store.guard import TOKEN

_ESCAPED = re.compile(r"\\([_~.\-!$&'()*+,;=/?#@%])")
_UNICODE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its `kind` as the guard names it, its `text`, where it begins and ends, and how many brackets are open there."""

    kind: str
    text: str
    start: int
    end: int
    depth: int


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a SPARQL text without blanks and comments.

    >>> [(token.text, token.depth) for token in tokens("ASK { ?s a <urn:x> } # end")]
    [('ASK', 0), ('{', 0), ('?s', 1), ('a', 1), ('<urn:x>', 1), ('}', 0)]
    """
    depth = 0
    for match in TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind == "prefix":
            kind = "prefixed"
        if kind == "comment" or (kind == "other" and match.group().isspace()):
            continue
        if kind == "close":
            depth -= 1
        yield Token(kind, match.group(), match.start(), match.end(), depth)
        if kind == "open":
            depth += 1


@dataclass(slots=True)
class Prologue:
    """The prefixes and the base that hold at a place in a text."""

    base: str
    prefixes: dict[str, str] = field(default_factory=dict)

    def iri(self, token: Token) -> str | None:
        """The IRI that a token stands for; None for a token that is none, or whose prefix is not declared."""
        if token.kind == "iri":
            return urljoin(self.base, _plain(token.text[1:-1])) if self.base else _plain(token.text[1:-1])
        if token.kind == "prefixed":
            prefix, _, local = token.text.partition(":")
            namespace = self.prefixes.get(prefix)
            return None if namespace is None else namespace + _ESCAPED.sub(r"\1", local)
        return None


def _plain(text: str) -> str:
    return _UNICODE.sub(lambda match: chr(int(match[1] or match[2], 16)), text)


def named(text: str, base: str = "") -> Iterator[tuple[Token, str | None]]:
    """Each token with the IRI that it stands for, if it is one; `PREFIX` and `BASE` are followed as they come.

    >>> [iri for _, iri in named("PREFIX : <urn:> BASE <http://a/> SELECT * { :b ?p <c> }") if iri]
    ['urn:', 'http://a/', 'urn:b', 'http://a/c']
    """
    prologue = Prologue(base)
    waiting: list[Token] = []
    for token in tokens(text):
        found = prologue.iri(token)
        word = token.text.upper() if token.kind == "word" else ""
        if word in ("PREFIX", "BASE") and token.depth == 0:
            waiting = [token]
        elif waiting:
            waiting.append(token)
            if token.kind == "iri" and found is not None:
                if waiting[0].text.upper() == "BASE":
                    prologue.base = found
                else:
                    prologue.prefixes[waiting[1].text.partition(":")[0]] = found
                waiting = []
            elif len(waiting) > 2:
                waiting = []
        yield token, found


def prologue(text: str) -> str:
    """The `PREFIX` and `BASE` declarations at the beginning of a text.

    >>> prologue("PREFIX a: <urn:> # here\\n BASE <urn:b> SELECT * {}")
    'PREFIX a: <urn:> BASE <urn:b>'
    """
    found: list[str] = []
    waiting = 0
    for token in tokens(text):
        if token.kind == "word" and token.text.upper() in ("PREFIX", "BASE") and not waiting:
            waiting = 3 if token.text.upper() == "PREFIX" else 2
        if not waiting:
            break
        found.append(token.text)
        waiting -= 1
    return " ".join(found)


@dataclass(frozen=True, slots=True)
class Clauses:
    """The dataset that a query's own `FROM` clauses name: graphs to merge, and named graphs."""

    default: tuple[str, ...]
    named: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.default or self.named)


def dataset(text: str, base: str = "") -> Clauses:
    """The graphs that a query names by `FROM` and `FROM NAMED`.

    >>> dataset("SELECT * FROM <urn:a> FROM NAMED <urn:b> { ?s ?p 'FROM <urn:c>' }")
    Clauses(default=('urn:a',), named=('urn:b',))
    """
    default: dict[str, None] = {}
    graphs: dict[str, None] = {}
    before = ("", "")
    for token, iri in named(text, base):
        word = token.text.upper() if token.kind == "word" else ""
        if token.depth == 0 and iri is not None:
            if before[1] == "FROM":
                default[iri] = None
            elif before == ("FROM", "NAMED"):
                graphs[iri] = None
        before = (before[1], word)
    return Clauses(tuple(default), tuple(graphs))
