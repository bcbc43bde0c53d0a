"""The constraints on single values: a filter of SPARQL that keeps what fails, and the rest of the judgement where it is short."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from pyoxigraph import Literal, NamedNode

from headwater.checking.literals import is_checked, well_formed
from headwater.checking.order import out_of_order, unordered
from headwater.checking.paths import Term, UnsupportedShape
from headwater.store.spelling import as_stored
from headwater.terms.names import SH, XSD

_KINDS = {
    SH.IRI: "!isIRI({0})",
    SH.BlankNode: "!isBlank({0})",
    SH.Literal: "!isLiteral({0})",
    SH.BlankNodeOrIRI: "isLiteral({0})",
    SH.BlankNodeOrLiteral: "isIRI({0})",
    SH.IRIOrLiteral: "isBlank({0})",
}
_BOUNDS = {"minInclusive": ">=", "minExclusive": ">", "maxInclusive": "<=", "maxExclusive": "<"}
_CAST = {XSD[name].value for name in ("integer", "decimal", "double", "float", "boolean", "dateTime")}
"""The datatypes whose well-formed texts SPARQL's own casts recognise, so that these need not be handed over."""
_FEW = 64
"""Up to so many allowed values are compared in the query."""


def filter_for(name: str, asked: Term | Sequence[Term], var: str) -> str:
    """A SPARQL filter that keeps every value that fails a constraint, and perhaps some that `failing_values` lets pass.

    >>> filter_for("nodeKind", SH.IRI, "?v")
    ' FILTER(!isIRI(?v))'
    """
    condition = _condition(name, asked, var)
    return f" FILTER({condition})" if condition else ""


def _condition(name: str, asked: Term | Sequence[Term], var: str) -> str:
    if isinstance(asked, Sequence):
        if name == "languageIn":
            tests = [f"langMatches(LANG({var}), {range_})" for range_ in asked]
            return f"!isLiteral({var}) || !({' || '.join(tests) or 'false'})"
        return f"!({' || '.join(f'sameTerm({var}, {term})' for term in asked) or 'false'})" if _in_query(asked) else ""
    if name == "nodeKind":
        if asked not in _KINDS:
            raise UnsupportedShape(f"{asked} is no kind of node.")
        return _KINDS[asked].format(var)  # type: ignore[index]
    if name in _BOUNDS:
        return unordered(var, _BOUNDS[name], str(asked))
    if name in ("minLength", "maxLength"):
        assert isinstance(asked, Literal)
        return f"isBlank({var}) || STRLEN(STR({var})) {'<' if name == 'minLength' else '>'} {int(asked.value)}"
    if name == "datatype" and isinstance(asked, NamedNode):
        other = f"!COALESCE(DATATYPE({var}) = {asked}, false)"
        if not is_checked(asked.value):
            return other
        return f"{other} || !COALESCE({asked}(STR({var})) = {var}, false)" if asked.value in _CAST else ""
    if name == "pattern":
        return ""
    raise UnsupportedShape(f"sh:{name} {asked} is not understood.")


def failing_values(
    name: str, asked: Term | Sequence[Term], flags: Sequence[Term], found: Iterable[tuple[Term, Term]]
) -> Iterator[tuple[Term, Term]]:
    """Of the pairs that the filter kept, those whose value fails."""
    if name == "datatype" and isinstance(asked, NamedNode):
        yield from (pair for pair in found if not _is_of(pair[1], asked))
    elif name in _BOUNDS and isinstance(asked, Literal):
        limit = as_stored(asked)
        yield from (pair for pair in found if out_of_order(pair[1], _BOUNDS[name], limit))
    elif name == "pattern":
        assert isinstance(asked, Literal)
        expression = _expression(asked.value, "".join(flag.value for flag in flags if isinstance(flag, Literal)))
        known: dict[Term, bool] = {}
        for this, value in found:
            if value not in known:
                known[value] = isinstance(value, NamedNode | Literal) and expression.search(value.value) is not None
            if not known[value]:
                yield this, value
    elif name == "in":
        assert isinstance(asked, Sequence)
        allowed = None if _in_query(asked) else {as_stored(term) if isinstance(term, Literal) else term for term in asked}
        yield from (pair for pair in found if allowed is None or pair[1] not in allowed)
    else:
        yield from found


def _in_query(terms: Sequence[Term]) -> bool:
    return len(terms) <= _FEW and all(isinstance(term, NamedNode | Literal) for term in terms)


def _is_of(value: Term, datatype: NamedNode) -> bool:
    return isinstance(value, Literal) and value.datatype == datatype and well_formed(value.value, datatype.value)


@cache
def _expression(pattern: str, flags: str) -> re.Pattern[str]:
    """A pattern as pyshacl reads it: XPath's notation taken for Python's, which differ in little that shapes use."""
    chosen = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE}
    unknown = set(flags) - chosen.keys()
    if unknown:
        raise UnsupportedShape(f"The flag {sorted(unknown)[0]!r} of a pattern is not understood.")
    try:
        return re.compile(pattern, sum(chosen[flag] for flag in set(flags)))
    except re.error as error:
        raise UnsupportedShape(f"The pattern {pattern!r} is no regular expression of Python: {error}") from error
