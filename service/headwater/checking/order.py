"""Whether two values stand in the order that a shape asks for, where Oxigraph's own answer is not SPARQL's."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from decimal import Decimal

from pyoxigraph import Literal

from headwater.checking.literals import is_checked, well_formed
from headwater.checking.paths import Term
from headwater.terms.names import XSD

_SIGNS: dict[str, Callable[[Decimal | float, Decimal | float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_EXACT = frozenset({XSD.integer, XSD.decimal})
_FLOATING = frozenset({XSD.double, XSD.float})
_NO_ORDER = frozenset({XSD.hexBinary.value})
_DIGITS = 18
"""Numbers of more digits Oxigraph keeps as texts; SPARQL puts them in order like others."""


def unordered(one: str, sign: str, two: str) -> str:
    """A condition of SPARQL that holds for every pair that is out of order, and for some that `out_of_order` has to tell.

    Oxigraph holds any term to be as large as itself, also NaN and what is ill formed.

    >>> unordered("?a", "<", "?b")
    '!COALESCE(?a < ?b, false)'
    """
    itself = f" || sameTerm({one}, {two})" if sign in ("<=", ">=") else ""
    return f"!COALESCE({one} {sign} {two}, false){itself}"


def out_of_order(one: Term, sign: str, two: Term) -> bool:
    """Whether a pair that the condition kept fails.

    >>> out_of_order(Literal(False), "<", Literal(True)), out_of_order(Literal(7), "<", Literal("text"))
    (False, True)
    """
    if not isinstance(one, Literal) or not isinstance(two, Literal):
        return True
    if one == two:
        return sign in ("<", ">") or not _has_order(one)
    first, second = _read(one, two), _read(two, one)
    if first is None or second is None:
        return True
    if isinstance(first, float) or isinstance(second, float):
        first, second = float(first), float(second)
    return not _SIGNS[sign](first, second)


def _has_order(value: Literal) -> bool:
    if value.language or value.datatype == XSD.string:
        return True
    kind = value.datatype.value
    return kind not in _NO_ORDER and is_checked(kind) and well_formed(value.value, kind) and value.value != "NaN"


def _read(value: Literal, other: Literal) -> Decimal | float | None:
    """The value, where Oxigraph puts it in no order with the other although SPARQL does."""
    kind = value.datatype
    if not well_formed(value.value, kind.value):
        return None
    if kind == XSD.boolean and other.datatype == XSD.boolean:
        return Decimal(value.value in ("true", "1"))
    if not (_is_long(value) or _is_long(other)):
        return None
    if kind in _EXACT:
        return Decimal(value.value)
    number = float(value.value) if kind in _FLOATING else math.nan
    return None if math.isnan(number) else number


def _is_long(value: Literal) -> bool:
    return value.datatype in _EXACT and len(value.value) > _DIGITS
