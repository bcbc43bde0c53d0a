"""SHACL's property paths: read from a shapes graph, written as SPARQL, and taken apart into the steps that they depend on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from headwater.errors import HeadwaterError
from headwater.terms.names import RDF, SH

Term = NamedNode | BlankNode | Literal | Triple
ShapesGraph = Mapping[Term, Mapping[str, Sequence[Term]]]
"""A shapes graph by subject and predicate."""

_FIRST, _REST = RDF.first.value, RDF.rest.value
_DEEPEST = 40
_REPEATED = {SH.zeroOrMorePath.value: "*", SH.oneOrMorePath.value: "+", SH.zeroOrOnePath.value: "?"}


class UnsupportedShape(HeadwaterError):
    """A shape asks for something that is not compiled to SPARQL; pyshacl judges it instead."""

    title = "A shape that is not compiled"
    default_remedy = "pyshacl judges it, which takes longer."


@dataclass(frozen=True, slots=True)
class Path:
    """A path of predicates.

    `kind` is `predicate` (of `iri`), `inverse`, `sequence`, `alternative`, or one of `*`, `+`, `?`, of `parts`.
    """

    kind: str
    iri: str = ""
    parts: tuple[Path, ...] = ()

    def sparql(self) -> str:
        """The path as SPARQL 1.1 writes it; also the one spelling by which two paths are compared.

        >>> Path("inverse", parts=(Path("predicate", "urn:p"),)).sparql()
        '^<urn:p>'
        """
        if self.kind == "predicate":
            return f"<{self.iri}>"
        inner = [part.sparql() for part in self.parts]
        if self.kind == "inverse":
            return f"^({inner[0]})" if self.parts[0].kind == "inverse" else f"^{inner[0]}"
        if self.kind in ("sequence", "alternative"):
            return "(" + ("/" if self.kind == "sequence" else "|").join(inner) + ")"
        return f"({inner[0]}){self.kind}"

    @property
    def may_stay(self) -> bool:
        """Whether a thing is its own value without any statement about it, as by `*` and `?`."""
        if self.kind in ("predicate", "+"):
            return bool(self.parts) and self.parts[0].may_stay
        if self.kind == "alternative":
            return any(part.may_stay for part in self.parts)
        return self.kind in ("*", "?") or all(part.may_stay for part in self.parts)

    def plain(self) -> tuple[Path, ...]:
        """The alternatives, where each is a predicate or an inverse predicate; empty for any other path."""
        parts = self.parts if self.kind == "alternative" else (self,)
        simple = all(part.kind == "predicate" or (part.kind == "inverse" and part.parts[0].kind == "predicate") for part in parts)
        return parts if simple else ()

    def inverted(self) -> Path:
        """The same path walked from its end to its beginning."""
        if self.kind == "predicate":
            return Path("inverse", parts=(self,))
        if self.kind == "inverse":
            return self.parts[0]
        turned = tuple(part.inverted() for part in self.parts)
        return Path(self.kind, parts=turned[::-1] if self.kind == "sequence" else turned)

    def triple(self, start: str, end: str) -> str:
        """A pattern of SPARQL from one variable or term to another; plain predicates as plain triples."""
        if self.kind == "inverse" and self.parts[0].kind == "predicate":
            return f"{end} {self.parts[0].sparql()} {start} ."
        return f"{start} {self.sparql()} {end} ."


def read_path(node: Term, graph: ShapesGraph, depth: int = 0) -> Path:
    """The path that begins at `node`. Raises `UnsupportedShape` for one that is not well formed.

    >>> read_path(NamedNode("urn:p"), {}).sparql()
    '<urn:p>'
    """
    if isinstance(node, NamedNode):
        return Path("predicate", node.value)
    if depth > _DEEPEST:
        raise UnsupportedShape(f"{node} is a path without an end.")
    about = graph.get(node, {})
    if _FIRST in about:
        return Path("sequence", parts=_parts(members(node, graph), graph, depth))
    if SH.inversePath.value in about:
        return Path("inverse", parts=_parts(about[SH.inversePath.value][:1], graph, depth))
    if SH.alternativePath.value in about:
        return Path("alternative", parts=_parts(members(about[SH.alternativePath.value][0], graph), graph, depth))
    for name, kind in _REPEATED.items():
        if name in about:
            return Path(kind, parts=_parts(about[name][:1], graph, depth))
    raise UnsupportedShape(f"{node} is no well-formed path.")


def _parts(nodes: Sequence[Term], graph: ShapesGraph, depth: int) -> tuple[Path, ...]:
    return tuple(read_path(node, graph, depth + 1) for node in nodes)


def members(head: Term, graph: ShapesGraph) -> tuple[Term, ...]:
    """The items of an RDF list. Raises `UnsupportedShape` for one that is broken or has no end."""
    return tuple(_items(head, graph))


def _items(head: Term, graph: ShapesGraph) -> Iterator[Term]:
    seen: set[Term] = set()
    while head != RDF.nil:
        about = graph.get(head, {})
        if head in seen or len(about.get(_FIRST, ())) != 1 or len(about.get(_REST, ())) != 1:
            raise UnsupportedShape(f"{head} is no well-formed list.")
        seen.add(head)
        yield about[_FIRST][0]
        head = about[_REST][0]
