"""Which texts are well formed for a datatype: what SPARQL cannot be asked, because a store keeps an ill-formed text as it is."""

from __future__ import annotations

import re
from calendar import monthrange

from headwater.terms.names import XSD

_ZONE = r"(Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))?"
_YEAR = r"(-?(?:[1-9]\d{3,}|0\d{3}))"
_DAY = r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_CLOCK = r"(?:(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?|24:00:00(?:\.0+)?)"
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)"
_SPAN = r"-?P(?=.)"
_DATE_PART = r"(?:\d+Y)?(?:\d+M)?"
_TIME_PART = r"(?:T(?=.)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?"

_FORMS = {
    "boolean": r"true|false|0|1",
    "integer": r"[+-]?\d+",
    "decimal": _NUMBER,
    "double": rf"{_NUMBER}(?:[eE][+-]?\d+)?|[+-]?INF|NaN",
    "float": rf"{_NUMBER}(?:[eE][+-]?\d+)?|[+-]?INF|NaN",
    "date": rf"{_YEAR}-{_DAY}{_ZONE}",
    "dateTime": rf"{_YEAR}-{_DAY}T{_CLOCK}{_ZONE}",
    "dateTimeStamp": rf"{_YEAR}-{_DAY}T{_CLOCK}{_ZONE[:-1]}",
    "time": rf"{_CLOCK}{_ZONE}",
    "gYear": rf"{_YEAR}{_ZONE}",
    "gYearMonth": rf"{_YEAR}-(?:0[1-9]|1[0-2]){_ZONE}",
    "gMonthDay": rf"--{_DAY}{_ZONE}",
    "gMonth": rf"--(?:0[1-9]|1[0-2]){_ZONE}",
    "gDay": rf"---(?:0[1-9]|[12]\d|3[01]){_ZONE}",
    "duration": rf"{_SPAN}{_DATE_PART}(?:\d+D)?{_TIME_PART}",
    "yearMonthDuration": rf"{_SPAN}{_DATE_PART}",
    "dayTimeDuration": rf"{_SPAN}(?:\d+D)?{_TIME_PART}",
    "hexBinary": r"(?:[0-9a-fA-F]{2})*",
}
_RANGES: dict[str, tuple[int | None, int | None]] = {
    "nonNegativeInteger": (0, None),
    "positiveInteger": (1, None),
    "nonPositiveInteger": (None, 0),
    "negativeInteger": (None, -1),
    **{name: (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for name, bits in (("long", 64), ("int", 32), ("short", 16), ("byte", 8))},
    **{f"unsigned{name}": (0, 2**bits - 1) for name, bits in (("Long", 64), ("Int", 32), ("Short", 16), ("Byte", 8))},
}
_COMPILED = {XSD[name].value: re.compile(form, re.ASCII) for name, form in _FORMS.items()}
_BOUNDED = {XSD[name].value: bounds for name, bounds in _RANGES.items()}
_DATED = {XSD[name].value for name in ("date", "dateTime", "dateTimeStamp")}
_LONGEST = 4_000
"""Digits beyond which a number is not read: Python takes time by the square of the length."""


def is_checked(datatype: str) -> bool:
    """Whether texts of this datatype can be ill formed for `well_formed`."""
    return datatype in _COMPILED or datatype in _BOUNDED


def well_formed(text: str, datatype: str) -> bool:
    """Whether `text` is in the lexical space of an XSD datatype (XML Schema 1.1 part 2); true for a datatype not known here.

    >>> well_formed("2024-02-30", "http://www.w3.org/2001/XMLSchema#date"), well_formed("7", "urn:mine")
    (False, True)
    """
    if datatype in _BOUNDED:
        low, high = _BOUNDED[datatype]
        if not _COMPILED[XSD.integer.value].fullmatch(text) or len(text) > _LONGEST:
            return False
        return (low is None or int(text) >= low) and (high is None or int(text) <= high)
    form = _COMPILED.get(datatype)
    if form is None:
        return True
    match = form.fullmatch(text)
    if match is None:
        return False
    if datatype in _DATED:
        year, month, day = int(match[1][-4:]), int(match[2]), int(match[3])
        # Leap years repeat after 400 years, so that the last four digits of a year decide.
        return day <= monthrange(year % 400 + 400, month)[1]
    return True
