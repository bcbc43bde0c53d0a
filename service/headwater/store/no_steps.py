"""Paths of no steps: `<c> p* ?x` has `<c>` itself among its solutions, also where no statement names it (SPARQL 1.1, 18.4).

Oxigraph gives nothing there. Where no statement of the graph has `<c>` as subject or object, no step leads from or to it: then
the path has exactly one solution, and `VALUES ?x { <c> }` is the same pattern. Whether there is such a statement the store tells.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pyoxigraph import NamedNode

from headwater.store.joining import Edit, edited, joins_plainly
from headwater.store.reading import tokens
from headwater.store.statements import Statement, Term, Unread, groups

_LONGEST = 100_000
_MAYBE = re.compile(r"[>)\w:]\s*(?:\*|\?(?!\w))")


def with_no_steps(text: str, base: str, names: Callable[[NamedNode], bool]) -> str:
    """`text` with the paths that have one solution as that; `names` tells whether a statement of the default graph names a thing.

    Paths that are more than one element with `*` or `?`, under GRAPH or in longer texts than 100,000 characters stay as they are.

    >>> with_no_steps("SELECT ?x { <urn:c> <urn:p>* ?x . ?x ?k ?v }", "", lambda node: False)
    'SELECT ?x { VALUES ?x { <urn:c> } . ?x ?k ?v }'
    >>> with_no_steps("ASK { <urn:c> (<urn:p>|^<urn:q>)? <urn:c> }", "", lambda node: False)
    'ASK { FILTER(true) }'
    """
    if len(text) > _LONGEST or not _MAYBE.search(text):
        return text
    try:
        outermost = groups(text, base)
    except Unread:
        return text
    edits: list[Edit] = []
    for outer in outermost:
        for group in outer.every():
            if group.graph or group.template:
                continue
            for block in group.blocks:
                if joins_plainly(block):
                    edits += [edit for statement in block if (edit := _edit(statement, names)) is not None]
    return edited(text, edits)


def _edit(statement: Statement, names: Callable[[NamedNode], bool]) -> Edit | None:
    if len(statement.parts) != 1 or len(statement.parts[0][1]) != 1:
        return None
    verb, [other] = statement.parts[0]
    ends = (statement.subject, other)
    constant = next((end.iri for end in ends if end.iri is not None), None)
    if constant is None or not all(end.fixed or end.variable for end in ends) or not _may_stay(verb):
        return None
    if names(NamedNode(constant)):
        return None
    free = [end.text for end in ends if end.variable]
    if not free and ends[0].iri != ends[1].iri:
        return None
    block = f"VALUES {free[0]} {{ {NamedNode(constant)} }}" if free else "FILTER(true)"
    return statement.start, statement.end, block


def _may_stay(verb: Term) -> bool:
    """Whether a path is one element with `*` or `?`."""
    if not verb.path:
        return False
    told = list(tokens(verb.text))
    return told[-1].text in ("*", "?") and not any(token.text in "/|" for token in told if token.depth == 0)
