"""The groups of a SPARQL text read as statements: enough of the grammar to find a triple pattern and to put another in its place.

Only what stands in the braces of groups is looked at: triple patterns with their subjects, verbs (paths among them) and objects.
What this reader does not understand it says so about, and nothing is rewritten.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from headwater.store.reading import Token, named

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_CALLS = frozenset({"FILTER", "BIND", "HAVING", "VALUES"})
_TERMS = frozenset({"variable", "iri", "prefixed", "blank", "string", "number"})
_GROUPED = {"(": ")", "[": "]", "{": "}"}


class Unread(Exception):
    """A text that this reader does not understand."""


@dataclass(frozen=True, slots=True)
class Term:
    """A subject, verb or object: its place in the text, the IRI if it is one, whether it is a single token or a path."""

    start: int
    end: int
    text: str
    iri: str | None = None
    variable: bool = False
    path: bool = False
    transitive: bool = False

    @property
    def fixed(self) -> bool:
        """Whether it is one IRI."""
        return self.iri is not None


@dataclass(slots=True)
class Statement:
    """A subject with its verbs and their objects. `start` and `end` are its place, without the dot that may end it.

    `dot` is where it ends with that.
    """

    subject: Term
    parts: list[tuple[Term, list[Term]]]
    start: int
    end: int
    dot: int


@dataclass(slots=True)
class Group:
    """What stands between two braces: its place in the text, its statements, and the groups within. `graph`: under GRAPH.

    `blocks` are the statements between which nothing but filters stands. Only what the first one says stands before all else
    that the group says, and only if `leads`.
    """

    start: int
    end: int
    graph: bool
    template: bool
    statements: list[Statement] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    blocks: list[list[Statement]] = field(default_factory=list)
    exists: bool = False
    leads: bool = True

    def every(self) -> Iterator[Group]:
        """This group and all within it."""
        yield self
        for group in self.groups:
            yield from group.every()


def groups(text: str, base: str = "") -> list[Group]:
    """The outermost groups of a query. Raises `Unread`.

    >>> [group] = groups("SELECT * { ?s a <urn:t> ; <urn:p>* ?o , 1.5 . FILTER(?o > 1) OPTIONAL { ?o ?p 'x'@en } }")
    >>> [(part[0].text, [term.text for term in part[1]]) for part in group.statements[0].parts], len(group.groups)
    ([('a', ['<urn:t>']), ('<urn:p>*', ['?o', '1.5'])], 1)
    """
    return _Reader(text, base).read()


class _Reader:
    def __init__(self, text: str, base: str) -> None:
        self.text = text
        pairs = list(named(text, base))
        self.tokens = [token for token, _ in pairs]
        self.iris = [iri for _, iri in pairs]
        self.place = 0

    def read(self) -> list[Group]:
        found = []
        before = ""
        while self.place < len(self.tokens):
            token = self._now()
            if token.text == "{":
                found.append(self._group(graph=False, template=before == "CONSTRUCT"))
                before = ""
                continue
            before = token.text.upper() if token.kind == "word" else ""
            self.place += 1
        return found

    def _now(self) -> Token:
        if self.place >= len(self.tokens):
            raise Unread
        return self.tokens[self.place]

    def _group(self, *, graph: bool, template: bool, exists: bool = False) -> Group:
        group = Group(self._now().start, 0, graph, template, exists=exists)
        self.place += 1
        under_graph = False
        going_on = False
        while (token := self._now()).text != "}":
            word = token.text.upper() if token.kind == "word" else ""
            if token.text == "{" or (word and word not in ("FILTER", "TRUE", "FALSE")):
                going_on = False
                group.leads = group.leads and bool(group.blocks)
            if token.text == "{":
                group.groups.append(self._group(graph=graph or under_graph, template=template))
                under_graph = False
            elif word in _CALLS:
                self.place += 1
                self._call(group, graph)
            elif word in ("GRAPH", "SERVICE"):
                # What is asked elsewhere is not asked of our lineage either.
                under_graph = True
                self.place += 2 if self.tokens[self.place + 1].text.upper() == "SILENT" else 1
                self._term()
            elif word == "SELECT":
                self._subselect(group, graph)
            elif word and word not in ("TRUE", "FALSE"):
                self.place += 1  # OPTIONAL, UNION, MINUS, EXISTS, SILENT …
            elif token.text == ".":
                self.place += 1
            else:
                if not going_on:
                    group.blocks.append([])
                statement = self._statement()
                group.statements.append(statement)
                group.blocks[-1].append(statement)
                going_on = True
        group.end = token.end
        self.place += 1
        return group

    def _subselect(self, group: Group, graph: bool) -> None:
        """The projection of a subquery; its group and what follows are read as any other."""
        while self._now().text != "{":
            if self._now().text == "(":
                self._skip()
            else:
                self.place += 1
        group.groups.append(self._group(graph=graph, template=False))
        while self._now().text != "}":
            if self._now().text == "(":
                self._skip()
            else:
                self.place += 1

    def _call(self, group: Group, graph: bool) -> None:
        """What follows FILTER, BIND or VALUES: a call, an expression in brackets, a list; groups in EXISTS are read."""
        while self._now().kind in ("word", "iri", "prefixed", "variable"):
            exists = self._now().text.upper() == "EXISTS"
            variable = self._now().kind == "variable"
            self.place += 1
            if exists:
                group.groups.append(self._group(graph=graph, template=False, exists=True))
                return
            if variable:
                break
        if self._now().text == "(":
            self._skip(group, graph)
        if self._now().text == "{" and self.tokens[self.place - 1].text != "}":
            self._skip()

    def _skip(self, group: Group | None = None, graph: bool = False) -> None:
        """Past the bracket that closes the one here."""
        closing = [_GROUPED[self._now().text]]
        self.place += 1
        while closing:
            token = self._now()
            if token.text == "{" and group is not None:
                group.groups.append(self._group(graph=graph, template=False, exists=True))
                continue
            if token.kind == "open":
                closing.append(_GROUPED[token.text])
            elif token.kind == "close" and token.text != closing.pop():
                raise Unread
            self.place += 1

    def _statement(self) -> Statement:
        subject = self._term()
        parts: list[tuple[Term, list[Term]]] = []
        end = subject.end
        while True:
            token = self._now()
            if parts or subject.text.startswith("["):
                if token.text == ";":
                    self.place += 1
                    if self._now().text in (";", ".", "}", "]"):
                        end = token.end
                        continue
                elif parts or token.text in (".", "}"):
                    break
            verb = self._verb()
            objects = [self._term()]
            while self._now().text == ",":
                self.place += 1
                objects.append(self._term())
            parts.append((verb, objects))
            end = objects[-1].end
        after = self._now()
        return Statement(subject, parts, subject.start, end, after.end if after.text == "." else end)

    def _verb(self) -> Term:
        first = self.place
        token = self._now()
        if token.kind == "variable":
            self.place += 1
            return Term(token.start, token.end, token.text, variable=True)
        plain = self._path()
        last = self.tokens[self.place - 1]
        text = self.text[token.start : last.end]
        iri = self.iris[first] if plain else None
        if plain and token.text == "a":
            iri = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
        return Term(token.start, last.end, text, iri, path=not plain, transitive=text.rstrip(")")[-1:] in "*+" and not plain)

    def _path(self) -> bool:
        """Past a property path; whether it is a single predicate."""
        plain = True
        while True:
            while self._now().text in ("^", "!"):
                plain = False
                self.place += 1
            token = self._now()
            if token.text == "(":
                plain = False
                self._skip()
            elif token.kind in ("iri", "prefixed") or token.text == "a":
                self.place += 1
            else:
                raise Unread
            while self._now().text in ("*", "+", "?"):
                plain = False
                self.place += 1
            if self._now().text not in ("/", "|"):
                return plain
            plain = False
            self.place += 1

    def _term(self) -> Term:
        token = self._now()
        start, first = token.start, self.place
        if token.kind == "open" and token.text in "[(":
            self._skip()
            return Term(start, self.tokens[self.place - 1].end, self.text[start : self.tokens[self.place - 1].end])
        number = _NUMBER.match(self.text, start)
        if number and token.kind in ("number", "joint"):
            while self.place < len(self.tokens) and self.tokens[self.place].start < number.end():
                self.place += 1
            return Term(start, number.end(), number.group())
        if token.kind not in _TERMS and token.text not in ("true", "false", "<<"):
            raise Unread
        self.place += 1
        if token.kind == "string":
            if self._now().kind == "tag":
                self.place += 1
            elif self.text.startswith("^^", token.end):
                while self._now().kind in ("joint", "other"):
                    self.place += 1
                self.place += 1
        end = self.tokens[self.place - 1].end
        return Term(start, end, self.text[start:end], self.iris[first], token.kind == "variable")
