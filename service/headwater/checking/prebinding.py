"""Writing values into a query of a shape before it is asked, in every group, and refusing what SHACL-SPARQL forbids there.

A shape's query knows the thing it is about as `$this`. SPARQL has no such thing as a variable with a value beforehand: what
Oxigraph substitutes reaches neither a FILTER of a nested group nor a BIND. So the values stand in each group of the query.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise

from headwater.checking.plan import BadShapes

_TOKENS = re.compile(
    r"""(?P<iri><[^<>"{}|^`\\\s]*>)
    |(?P<text>\"\"\"(?:[^"\\]|\\.|"(?!""))*\"\"\"|'''(?:[^'\\]|\\.|'(?!''))*'''|"(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*')
    |(?P<comment>\#[^\n\r]*)
    |(?P<variable>[?$]\w+)
    |(?P<name>[\w.-]*:(?:[\w:.%-]|\\.)*)
    |(?P<word>@?[^\W\d]\w*)
    |(?P<mark>\{\||\|\}|\S)
    |(?P<space>\s+)""",
    re.VERBOSE | re.DOTALL,
)
_FORBIDDEN = frozenset({"MINUS", "VALUES", "SERVICE"})
_BY_ITSELF = frozenset(
    {"GROUP", "HAVING", "LIMIT", "OFFSET", "COUNT", "SUM", "MIN", "MAX", "AVG", "SAMPLE", "GROUP_CONCAT", "REDUCED"}
)
_LEFT_OUT = frozenset({"shapesGraph", "currentShape", "PATH"})
"""What a nested SELECT need not hand on."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a query: an `iri`, a `text`, a `comment`, a `variable`, a prefixed `name`, a `word`, a `mark`, or `space`."""

    kind: str
    text: str

    @property
    def word(self) -> str:
        """The keyword in capitals; empty for what is none."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def variable(self) -> str:
        """The variable's name; empty for what is none."""
        return self.text[1:] if self.kind == "variable" else ""


def tokens(query: str) -> list[Token]:
    """A query taken apart; together the pieces are the query.

    >>> [token.kind for token in tokens("{ $this <urn:p> 'a{b' }") if token.kind != "space"]
    ['mark', 'variable', 'iri', 'text', 'mark']
    """
    return [Token(str(match.lastgroup), match.group()) for match in _TOKENS.finditer(query)]


def with_clause(query: str, clause: str) -> str:
    """The query with a clause at the beginning of each of its groups.

    >>> with_clause("ASK { { ?s ?p $this } }", "VALUES ?this { 1 }")
    'ASK { VALUES ?this { 1 } { VALUES ?this { 1 } ?s ?p $this } }'
    """
    pieces = tokens(query)
    written = []
    for place, token in enumerate(pieces):
        written.append(token.text)
        # Before a nested SELECT nothing may stand in its group; its own groups are met later.
        if token.text == "{" and _next_word(pieces, place) != "SELECT":
            written.append(f" {clause}")
    return "".join(written)


def with_path(query: str, path: str) -> str:
    """The query with a property path where it says `$PATH`.

    >>> with_path("$this $PATH ?value", "<urn:p>|<urn:q>")
    '$this <urn:p>|<urn:q> ?value'
    """
    return "".join(path if token.variable == "PATH" else token.text for token in tokens(query))


def values(names: Collection[str], rows: Collection[Collection[str]]) -> str:
    """The clause that binds variables to terms in SPARQL's spelling, one row for each solution.

    >>> values(["this"], [["<urn:a>"], ["<urn:b>"]])
    'VALUES (?this) { (<urn:a>) (<urn:b>) }'
    """
    solutions = " ".join(f"({' '.join(row)})" for row in rows)
    return f"VALUES ({' '.join(f'?{name}' for name in names)}) {{ {solutions} }}"


def mentions(query: str, name: str) -> bool:
    """Whether a query speaks of a variable."""
    return any(token.variable == name for token in tokens(query))


def one_by_one(query: str) -> bool:
    """Whether a query counts, or ends early, so that it must be asked about each thing by itself.

    >>> one_by_one("SELECT $this { $this ?p ?o } GROUP BY $this"), one_by_one("SELECT $this { $this ?p ?o }")
    (True, False)
    """
    return any(token.word in _BY_ITSELF for token in tokens(query)) or not _projects(query, "this")


def refuse_forbidden(query: str, bound: Collection[str], shape: str) -> None:
    """Raises `BadShapes` where SHACL forbids a query in which the variables of `bound` have values beforehand.

    >>> refuse_forbidden("SELECT $this { $this ?p ?o }", {"this"}, "urn:shape")
    """
    pieces = [token for token in tokens(query) if token.kind not in ("space", "comment")]
    for token in pieces:
        if token.word in _FORBIDDEN:
            raise _bad(shape, f"has {token.word}, which SHACL does not allow in a query of a shape")
    for one, two in pairwise(pieces):
        if one.word == "AS" and two.variable in bound:
            raise _bad(shape, f"gives ${two.variable} a value, which it has already")
    for projection in _nested(pieces):
        for name in sorted(set(bound) - _LEFT_OUT - projection):
            raise _bad(shape, f"has a nested SELECT that does not hand on ${name}")


def body(query: str) -> tuple[str, str]:
    """What is declared before a query's SELECT or ASK, and the query from there on."""
    before: list[str] = []
    pieces = tokens(query)
    for place, token in enumerate(pieces):
        if token.word in ("SELECT", "ASK"):
            return "".join(before), "".join(piece.text for piece in pieces[place:])
        before.append(token.text)
    return "".join(before), ""


def _bad(shape: str, what: str) -> BadShapes:
    return BadShapes(f"The query of {shape} {what}.", remedy="Write the query without it; see the recommendation on pre-binding.")


def _next_word(pieces: list[Token], place: int) -> str:
    following = (token for token in pieces[place + 1 :] if token.kind not in ("space", "comment"))
    return next(following, Token("mark", "")).word


def _nested(pieces: list[Token]) -> Iterator[set[str]]:
    for place, (one, two) in enumerate(pairwise(pieces)):
        if one.text == "{" and two.word == "SELECT":
            yield _projection(pieces[place + 2 :])


def _projection(pieces: list[Token]) -> set[str]:
    found = set()
    for place, token in enumerate(pieces):
        if token.word == "WHERE" or token.text == "{":
            break
        # Inside of `(expression AS ?name)` only the name is handed on.
        plain = place == 0 or pieces[place - 1].word in ("", "DISTINCT", "REDUCED", "AS")
        if token.variable and plain:
            found.add(token.variable)
    return found


def _projects(query: str, name: str) -> bool:
    pieces = [token for token in tokens(body(query)[1]) if token.kind not in ("space", "comment")]
    head = []
    for token in pieces:
        if token.text == "{":
            break
        head.append(token)
    if head and head[0].word == "ASK":
        return True
    return name in _projection(head[1:]) or any(token.text == "*" for token in head)
