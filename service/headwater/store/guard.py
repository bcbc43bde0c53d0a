"""What a stranger's SPARQL may not contain: fetching from elsewhere, and texts that break the engine.

Looked at before the engine parses: `SERVICE` and `LOAD` really fetch what they name, and some five thousand nested brackets end
the process (both measured, pyoxigraph 0.5.13).
"""

from __future__ import annotations

import re

from headwater.errors import BadQuery, TooLarge

_DEEPEST = 200
_TOKEN = re.compile(
    r"""
      (?P<skip> \#[^\n\r]* | <[^<>"{}|^`\\\x00-\x20]*>
        | \"\"\"(?:(?:\"|\"\")?(?:[^\"\\]|\\.))*\"\"\" | '''(?:(?:'|'')?(?:[^'\\]|\\.))*'''
        | "(?:[^"\\\n\r]|\\.)*" | '(?:[^'\\\n\r]|\\.)*' )
    | (?P<open> [({\[] ) | (?P<close> [)}\]] )
    | (?P<escape> \\u )
    | (?P<word> [?$@:]?[A-Za-z_][\w.:-]* )
    | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_FETCHING = {"SERVICE", "LOAD"}


def guard(text: str, longest: int) -> frozenset[str]:
    """Check a query text; returns its bare words in capitals (so that a caller can ask for `GRAPH`).

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
    depth = 0
    words = set()
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "open":
            depth += 1
            if depth > _DEEPEST:
                raise BadQuery(f"Brackets are nested deeper than {_DEEPEST} levels.")
        elif kind == "close":
            depth -= 1
        elif kind == "escape":
            raise BadQuery("Unicode escapes are allowed in strings and IRIs only.")
        elif kind == "word":
            words.add(match.group().upper())
    fetching = words & _FETCHING
    if fetching:
        raise BadQuery(f"{fetching.pop()} is not allowed here: this endpoint fetches nothing from elsewhere.")
    return frozenset(word for word in words if word.isalpha())
