"""One thing that does not conform to one shape, as the engine or the sieve finds it."""

from __future__ import annotations

from dataclasses import dataclass

from pyoxigraph import BlankNode, Literal, NamedNode


@dataclass(frozen=True, slots=True)
class Verdict:
    """A result of checking in pyoxigraph's terms.

    `shape` is the IRI of the shape that was asked; `path` is the predicate at fault where a closed shape finds one too many.

    >>> Verdict("urn:shape", "urn:thing", None, "http://www.w3.org/ns/shacl#MinCountConstraintComponent").focus
    'urn:thing'
    """

    shape: str
    focus: str
    value: NamedNode | BlankNode | Literal | None
    component: str
    path: str = ""
