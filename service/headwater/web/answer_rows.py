"""The first rows of a SPARQL answer as a page shows them: the terms as cells with links, and the number of rows in all.

An answer may be far larger than a page or this process should hold. So it comes a line for each row (TSV), or for each statement
(N-Triples); the first lines are kept, and of the others only the number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from pyoxigraph import (
    BlankNode,
    Literal,
    NamedNode,
    QueryResultsFormat,
    QuerySolutions,
    RdfFormat,
    Triple,
    parse,
    parse_query_results,
    serialize,
)

from headwater.pictures.kinds import KIND_GLYPHS
from headwater.pictures.scene import Edge, Node, Scene
from headwater.terms.glossary import terms
from headwater.terms.names import HW, PREFIXES, RDF, RDFS, XSD, curie
from headwater.terms.vocabulary import vocabulary
from headwater.web.rendering import SAFE_PATH

MOST_ROWS = 1000
"""Rows on a page; downloads hold all."""
_MOST_BYTES = 2 * 2**20
_MOST_DRAWN = 40
"""Things in a picture of an answer before siblings are folded."""
_LONGEST_WORD = 12
"""Characters that fit between two things in a picture."""
_NUMBERS = frozenset(node.value for node in (XSD.integer, XSD.decimal, XSD.double, XSD.float))
_WEB = ("https://", "http://")

Term = NamedNode | BlankNode | Literal | Triple
Landing = Callable[[str], str | None]
"""From the IRI of a thing that the reader may see to the path of its page on this server; None for any other."""


class FirstLines:
    """Takes an answer in pieces, keeps its first whole lines and counts all of them.

    >>> lines = FirstLines(2)
    >>> for piece in (b"?s\\n1\\n", b"2\\n3", b"\\n"): lines.take(piece)
    >>> lines.kept, lines.count
    (b'?s\\n1\\n', 4)
    """

    def __init__(self, most: int, most_bytes: int = _MOST_BYTES) -> None:
        self._held = bytearray()
        self._most, self._most_bytes = most, most_bytes
        self._full = False
        self._open = False
        self._lines = 0

    def take(self, piece: bytes) -> None:
        """The next piece of the answer."""
        self._lines += piece.count(b"\n")
        self._open = not piece.endswith(b"\n") if piece else self._open
        if not self._full:
            self._held += piece
            self._full = len(self._held) > self._most_bytes or self._held.count(b"\n") >= self._most

    @property
    def count(self) -> int:
        """How many lines came; one without an end counts."""
        return self._lines + self._open

    @property
    def kept(self) -> bytes:
        """The first lines, at most so many as wanted, and none in part."""
        body = bytes(self._held[: self._most_bytes])
        lines = body.splitlines(keepends=True) if b"\r" not in body else body.replace(b"\r", b"").splitlines(keepends=True)
        if lines and not lines[-1].endswith(b"\n") and (self._full or len(self._held) > self._most_bytes):
            lines.pop()
        return b"".join(lines[: self._most])


@dataclass(frozen=True, slots=True)
class Cell:
    """One term as a page shows it. `sort` is `iri`, `blank`, `literal`, `number` or `triple`; a triple has three `parts`.

    `href` is set only for what may be followed: a page of this server, or an address of the web (then `away` is true).
    """

    sort: str
    text: str
    title: str = ""
    href: str = ""
    away: bool = False
    language: str = ""
    datatype: str = ""
    parts: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page shows of an answer: `total` rows there are, of which `rows` are shown; `turtle` and `scene` for statements."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell | None, ...], ...]
    total: int
    turtle: str = ""
    scene: Scene | None = None


def table(lines: FirstLines, landing: Landing, base: str) -> Shown:
    """The rows of a SELECT from the lines of its TSV. The first line names the columns.

    >>> lines = FirstLines(3)
    >>> lines.take(b'?n\\t?o\\n"a"@en\\t<javascript:alert(1)>\\n')
    >>> shown = table(lines, lambda iri: None, "http://lab/")
    >>> shown.columns, shown.total, [(cell.text, cell.href) for cell in shown.rows[0]]
    (('n', 'o'), 1, [('a', ''), ('javascript:alert(1)', '')])
    """
    found = parse_query_results(lines.kept, QueryResultsFormat.TSV)
    assert isinstance(found, QuerySolutions)
    columns = tuple(variable.value for variable in found.variables)
    rows = tuple(
        tuple(None if (term := row[name]) is None else cell(_plain(term), landing, base) for name in columns) for row in found
    )
    return Shown(columns, rows, max(0, lines.count - 1))


def statements(lines: FirstLines, landing: Landing, base: str) -> Shown:
    """The statements of a CONSTRUCT or DESCRIBE from the lines of its N-Triples, also as Turtle and as a picture to draw."""
    triples = [quad.triple for quad in parse(lines.kept, RdfFormat.N_TRIPLES)]
    rows = tuple(
        tuple(cell(_plain(term), landing, base) for term in (triple.subject, triple.predicate, triple.object))
        for triple in triples
    )
    return Shown(("subject", "predicate", "object"), rows, lines.count, _turtle(triples), _scene(triples, landing, base))


def cell(term: Term, landing: Landing, base: str) -> Cell:
    """A term as a page shows it.

    >>> cell(Literal("1.5", datatype=XSD.decimal), lambda iri: None, "http://lab/")
    Cell(sort='number', text='1.5', title='', href='', away=False, language='', datatype='xsd:decimal', parts=())
    """
    if isinstance(term, NamedNode):
        return _named(term.value, landing, base)
    if isinstance(term, BlankNode):
        return Cell("blank", f"_:{term.value[:12]}", f"_:{term.value}: a thing without a name")
    if isinstance(term, Triple):
        parts = tuple(cell(_plain(part), landing, base) for part in (term.subject, term.predicate, term.object))
        return Cell("triple", "", parts=parts)
    if term.language:
        return Cell("literal", term.value, language=term.language)
    datatype = term.datatype.value
    return Cell(
        "number" if datatype in _NUMBERS else "literal",
        term.value,
        datatype="" if datatype == XSD.string.value else curie(datatype),
    )


def _named(iri: str, landing: Landing, base: str) -> Cell:
    page = landing(iri)
    if page is not None:
        return Cell("iri", _short(iri, base), iri, _page(page))
    if iri.startswith(HW) and iri.removeprefix(HW) in terms():
        return Cell("iri", curie(iri), iri, f"/terms/{quote(iri.removeprefix(HW))}")
    if iri.startswith(f"{base}id/"):
        return Cell("iri", _short(iri, base), iri, f"/object?id={quote(iri, safe='')}")
    if iri.startswith(_WEB):
        return Cell("iri", curie(iri), iri, iri, away=True)
    return Cell("iri", curie(iri), iri)


def _page(path: str) -> str:
    return f"/object/{quote(path, safe=SAFE_PATH)}"


def _short(iri: str, base: str) -> str:
    return iri.removeprefix(f"{base}id/") if iri.startswith(f"{base}id/") else curie(iri)


def _plain(term: object) -> Term:
    assert isinstance(term, NamedNode | BlankNode | Literal | Triple)
    return term


def _turtle(triples: Sequence[Triple]) -> str:
    written = serialize(triples, format=RdfFormat.N_TRIPLES) or b""
    used = {prefix: str(iri) for prefix, iri in PREFIXES.items() if f"<{iri}".encode() in written}
    return (serialize(triples, format=RdfFormat.TURTLE, prefixes=used) or b"").decode("utf-8", "replace")


def _scene(triples: Iterable[Triple], landing: Landing, base: str) -> Scene | None:
    """The links between things as a picture, earlier things first where the ontology says which end is the earlier one."""
    labels: dict[str, str] = {}
    kinds: dict[str, str] = {}
    edges: dict[tuple[str, str, str], Edge] = {}
    known = {kind.iri: kind.name for kind in vocabulary().kinds}
    for triple in triples:
        if isinstance(triple.object, Literal) and isinstance(triple.subject, NamedNode):
            if triple.predicate == RDFS.label:
                labels.setdefault(triple.subject.value, triple.object.value)
        elif isinstance(triple.subject, NamedNode) and isinstance(triple.object, NamedNode):
            if triple.predicate == RDF.type:
                if triple.object.value in known:
                    kinds.setdefault(triple.subject.value, known[triple.object.value])
                continue
            ends = (triple.subject.value, triple.object.value)
            link = vocabulary().links.get(triple.predicate.value)
            source, target = reversed(ends) if link is not None and link.flows_from == "object" else ends
            name = curie(triple.predicate.value)
            if source != target:
                word = link.role if link is not None else re.split("[/#:]", name)[-1][:_LONGEST_WORD]
                edges.setdefault((source, target, name), Edge(source, target, name, word))
    if not edges:
        return None
    nodes: dict[str, Node] = {}
    degrees: dict[str, int] = {}
    for edge in edges.values():
        for iri in (edge.source, edge.target):
            degrees[iri] = degrees.get(iri, 0) + 1
            page = landing(iri)
            kind = kinds.get(iri) or (page or "").partition("/")[0]
            href = _page(page) if page is not None else f"/object?id={quote(iri, safe='')}"
            nodes.setdefault(iri, Node(iri, labels.get(iri) or _short(iri, base), kind if kind in KIND_GLYPHS else "thing", href))
    root = max(nodes, key=lambda iri: (degrees[iri], iri))
    return Scene(root, tuple(nodes.values()), tuple(edges.values())).folded(_MOST_DRAWN, more="#statements")


__all__ = ["MOST_ROWS", "Cell", "FirstLines", "Shown", "cell", "statements", "table"]
