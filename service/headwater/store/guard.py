"""What a stranger's SPARQL may not contain: fetching from elsewhere, and texts that break the engine.

Looked at before the engine parses. `SERVICE` and `LOAD` really fetch what they name; some five thousand nested brackets end the
process, and so do long chains without any: 2,600 `BIND`s, 6,500 `UNION`s, 6,700 sums, 8,000 triple patterns in a row (measured
with pyoxigraph 0.5.13 and a stack of 8 MiB).
"""

from __future__ import annotations

import re
from collections.abc import Collection

from headwater.errors import BadQuery, TooLarge

_DEEPEST = 200
_MOST_STEPS = 2000
# The engine wants no boundary between words: it reads `?o.SERVICE:x`, `trueSERVICE<x>` and `SERVICEex:x` as calls. So the tokens
# here are exactly SPARQL's (a variable ends before a dot, a local name does not), each as long as possible.
TOKEN = re.compile(
    r"""
      (?P<comment> \#[^\n\r]* )
    | (?P<iri> <(?:[^<>"{}|^`\\\x00-\x20]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*> )
    | (?P<string> \"\"\"(?:(?:\"|\"\")?(?:[^\"\\]|\\.))*\"\"\" | '''(?:(?:'|'')?(?:[^'\\]|\\.))*'''
        | "(?:[^"\\\n\r]|\\.)*" | '(?:[^'\\\n\r]|\\.)*' )
    | (?P<open> [({\[] ) | (?P<close> [)}\]] )
    | (?P<variable> [?$]\w+ )
    | (?P<tag> @[A-Za-z]+(?:-[A-Za-z0-9]+)* )
    | (?P<blank> _:\w(?:[\w.-]*[\w-])? )
    | (?P<prefixed> (?P<prefix>(?:[^\W\d_](?:[\w.-]{0,200}[\w-])?)?):(?:(?:[\w:]|%[0-9A-Fa-f]{2}|\\[^uU])
                    (?:(?:[\w.:-]|%[0-9A-Fa-f]{2}|\\[^uU])*(?:[\w:-]|%[0-9A-Fa-f]{2}|\\[^uU]))?)? )
    | (?P<number> [0-9]+ )
    | (?P<word> [^\W\d]\w* )
    | (?P<escape> \\[uU] )
    | (?P<escaped> \\. )
    | (?P<joint> \|\| | && | != | [|+*/!^;.,-] )
    | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_FETCHING = re.compile(r"(?:TRUE|FALSE)*(SERVICE|LOAD)")
_ASCII_ESCAPE = re.compile(r"\\u00[0-7]|\\U000000[0-7]", re.ASCII)
_ABSOLUTE = re.compile(r"<[A-Za-z][A-Za-z0-9+.-]*://")
_ITEMS = frozenset({"iri", "string", "variable", "blank", "prefixed", "number"})


def guard(text: str, longest: int, fetching: Collection[str] = ()) -> frozenset[str]:
    """Check a query text; returns its bare words in capitals (so that a caller can ask for `GRAPH`).

    `fetching` names those of `SERVICE` and `LOAD` that may stand in it, as words by themselves
    (`headwater.store.fetching` looks at what they name).

    Raises `TooLarge` for one longer than `longest` characters, `BadQuery` for what is not allowed.

    >>> sorted(guard("SELECT * { ?s ?p 'SERVICE' }", 1000))
    ['SELECT']
    >>> guard("SELECT * { SERVICE <http://127.0.0.1/> { ?s ?p ?o } }", 1000)
    Traceback (most recent call last):
    ...
    headwater.errors.BadQuery: SERVICE is not allowed here: this endpoint fetches nothing from elsewhere.
    """
    if len(text) > longest:
        raise TooLarge(f"The query has {len(text)} characters; {longest} are allowed.")
    if _ASCII_ESCAPE.search(text):
        # SPARQL lets an engine put these characters in before it reads the text, and quotes and words would come out of hiding.
        raise BadQuery("Unicode escapes of plain ASCII characters are not allowed.", remedy="Write the characters themselves.")
    words = set()
    # A text with fewer characters than steps are allowed, and fewer brackets than levels, has neither too many nor too deep.
    shape = _Shape() if len(text) > _MOST_STEPS or sum(map(text.count, "({[")) > _DEEPEST else None
    for match in TOKEN.finditer(text):
        kind = match.lastgroup or ""
        token = match.group()
        if kind in ("word", "prefixed"):
            word = (match.group("prefix") or "" if kind != "word" else token).upper()
            fetch = _FETCHING.match(word)
            if fetch and (kind != "word" or word not in fetching):
                raise BadQuery(f"{fetch.group(1)} is not allowed here: this endpoint fetches nothing from elsewhere.")
            if kind == "word":
                words.add(word)
        elif kind == "escape":
            raise BadQuery("Unicode escapes are allowed in strings and IRIs only.")
        elif kind == "iri":
            _refuse_two_readings(token, text, match.end())
        if shape is not None:
            shape.take(kind, token)
    return frozenset(word for word in words if word.isalpha())


def _refuse_two_readings(iri: str, text: str, end: int) -> None:
    """`?a<?b#>` may be an IRI or a comparison with a comment, and the two readings disagree on which quotes begin a string."""
    if _ABSOLUTE.match(iri):
        return
    line = re.match(r"[^\n\r]*", text[end:])
    if "'" in iri or ("#" in iri and line is not None and re.search("[\"']", line.group())):
        raise BadQuery(
            f"{iri[:80]} can be read as an IRI or as a comparison.",
            remedy="Write IRIs in full, with a blank after '<' where it compares.",
        )


class _Shape:
    """How deep and how long a text is, in what makes the engine recurse.

    Rows of `VALUES` and the statements of `INSERT DATA` do not, and are not counted.
    """

    def __init__(self) -> None:
        self.open: list[str] = []
        self.steps = 0
        self.data_from: int | None = None
        self.data_next = False

    def take(self, kind: str, token: str) -> None:
        if kind == "open":
            self.open.append(token)
            if len(self.open) > _DEEPEST:
                raise BadQuery(f"Brackets are nested deeper than {_DEEPEST} levels.")
            if token == "{" and self.data_next:
                self.data_from, self.data_next = len(self.open), False
        elif kind == "close" and self.open:
            self.open.pop()
            if self.data_from is not None and len(self.open) < self.data_from:
                self.data_from = None
        if kind == "word" and token.upper() in ("VALUES", "DATA"):
            self.data_next = True
        listed = kind in _ITEMS and self.open[-1:] == ["("]
        if self.data_from is None and (kind in ("word", "joint", "open") or listed):
            self.steps += 1
            if self.steps > _MOST_STEPS:
                raise BadQuery(
                    f"The query has more than {_MOST_STEPS} parts (patterns, operators, list items).",
                    remedy="Give long lists in a VALUES block, or ask in several queries.",
                )
