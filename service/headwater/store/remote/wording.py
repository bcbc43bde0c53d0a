"""SPARQL texts for a server: checked before they are sent, with the dataset taken out of them and parameters put in.

What a reader may see is decided by the graphs that go with a request. A `FROM` in the text must not add to them, whatever a
server makes of it; so it is taken out, by SPARQL's own tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pyoxigraph import Literal, NamedNode, Store, Variable

from headwater.errors import BadQuery
from headwater.store.reading import Token, named
from headwater.store.remote import spelling
from headwater.store.serialising import in_short

_FORMS: Final = ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE")
_NONE: Final = Variable("headwater_parsed_only")
_ENGINES: Final = (
    "bif:",
    "sql:",
    "java:",
    "apf:",
    "urn:x-arq:",
    "http://jena.apache.org/",
    "http://jena.hpl.hp.com/",
    "http://www.openlinksw.com/schemas/",
    "http://www.ontotext.com/",
    "http://www.bigdata.com/",
    "tag:stardog:",
    "http://qlever.cs.uni-freiburg.de/",
)
"""Names by which servers offer what is not SPARQL: functions of their own, files, special graphs."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query that parses: its form (`SELECT` …), and its text without `FROM`."""

    form: str
    text: str


def asked(text: str, base: str = "", *, trusted: bool = False) -> Asked:
    """Check a query. Raises `BadQuery` for what does not parse or calls what is a server's own.

    >>> asked("SELECT * FROM <urn:g> { ?s ?p 'FROM <urn:h>' }").text
    "SELECT *   { ?s ?p 'FROM <urn:h>' }"
    """
    if base:
        text = f"BASE {NamedNode(base)} {text}"
    form, cuts = _read(text, trusted)
    for start, end in reversed(cuts):
        text = f"{text[:start]} {text[end:]}"
    return Asked(form, text)


@lru_cache(maxsize=256)
def _read(text: str, trusted: bool) -> tuple[str, tuple[tuple[int, int], ...]]:
    _parse(text)
    form = ""
    cuts: list[tuple[int, int]] = []
    start: Token | None = None
    for token, iri in named(text):
        if iri is not None and not trusted and iri.lower().startswith(_ENGINES):
            raise BadQuery(f"<{iri[:80]}> is something of a server's own, and not allowed here.")
        word = token.text.upper() if token.kind == "word" else ""
        if token.depth:
            continue
        if not form and word in _FORMS:
            form = word
        elif word == "FROM":
            start = token
        elif start is not None and iri is not None:
            cuts.append((start.start, token.end))
            start = None
    return form, tuple(cuts)


def _parse(text: str) -> None:
    try:
        # A value for a variable that is not there: it is parsed, and never evaluated.
        Store().query(text, substitutions={_NONE: NamedNode("urn:none")})
    except SyntaxError as error:
        raise BadQuery(f"The query does not parse: {in_short(error)}") from error
    except (RuntimeError, ValueError):
        return


def with_values(text: str, bindings: Mapping[str, object] | None, careful: bool) -> str:
    """A trusted query with values for variables that it projects, as a `VALUES` at the head of its group.

    >>> with_values("SELECT ?s ?o { ?s ?p ?o }", {"o": Literal('"x')}, False)
    'SELECT ?s ?o { VALUES (?o) { ("\\\\"x") } ?s ?p ?o }'
    """
    if not bindings:
        return text
    terms = []
    for value in bindings.values():
        if not isinstance(value, NamedNode | Literal):
            raise TypeError(f"a parameter is an IRI or a literal, not {value!r}")
        terms.append(str(spelling.written(value, careful) if isinstance(value, Literal) else value))
    values = f" VALUES ({' '.join(f'?{name}' for name in bindings)}) {{ ({' '.join(terms)}) }}"
    _, brace = _group(text)
    return f"{text[:brace]}{values}{text[brace:]}"


def with_graphs(text: str, graphs: Sequence[str], names: Iterable[str]) -> str:
    """A query without `FROM`, with these graphs as its dataset, for a server that takes no long lists beside the text.

    >>> with_graphs("SELECT ?s WHERE { ?s ?p ?o } LIMIT 1", ["urn:a"], ["urn:b"])
    'SELECT ?s FROM <urn:a> FROM NAMED <urn:b> WHERE { ?s ?p ?o } LIMIT 1'
    """
    clauses = " ".join([*(f"FROM {NamedNode(graph)}" for graph in graphs), *(f"FROM NAMED {NamedNode(name)}" for name in names)])
    place, _ = _group(text)
    return f"{text[:place]}{clauses} {text[place:]}"


def _group(text: str) -> tuple[int, int]:
    """Where the pattern of a query begins (at its `WHERE`, if it has one), and the place after its first brace."""
    form, template, where = "", False, None
    for token, _ in named(text):
        if token.depth:
            continue
        word = token.text.upper() if token.kind == "word" else ""
        if not form and word in _FORMS:
            form = word
        elif form and word == "WHERE":
            where = token.start
        elif form and token.text == "{":
            if form == "CONSTRUCT" and where is None and not template:
                template = True
                continue
            return token.start if where is None else where, token.end
    raise BadQuery("The query has no pattern to be asked on.")


def described(text: str) -> tuple[list[NamedNode], str | None]:
    """What a `DESCRIBE` names: IRIs, and the query for the values of its variables (None without a pattern).

    >>> described("DESCRIBE <urn:a> ?s WHERE { ?s ?p ?o } LIMIT 2")
    ([<NamedNode value=urn:a>], 'SELECT DISTINCT ?s WHERE { ?s ?p ?o } LIMIT 2')
    """
    iris: list[NamedNode] = []
    variables: list[str] = []
    begin = None
    start = 0
    for token, iri in named(text):
        word = token.text.upper() if token.kind == "word" and not token.depth else ""
        if begin is None:
            if word == "DESCRIBE":
                begin = token.end
                start = token.start
            continue
        if iri is not None:
            iris.append(NamedNode(iri))
        elif token.kind == "variable" or token.text == "*":
            variables.append(token.text)
        else:
            if not variables and not iris:
                raise BadQuery("A DESCRIBE names nothing.")
            if not variables:
                return iris, None  # a pattern that binds nothing which is asked for
            return iris, f"{text[:start]}SELECT DISTINCT {' '.join(variables)} {text[token.start :]}"
    return iris, None
