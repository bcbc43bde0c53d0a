"""Times as people state them in questions: an earlier world (`as_of`), or what was known earlier (`known_at`)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from headwater.errors import BadParameter
from headwater.lineage.slices import moment

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_NUMBER = re.compile(r"\d{1,18}")
_EXAMPLE = "Write a date (2026-01-31), which means its end, or a time (2026-01-31T12:00:00Z)."


def as_of(value: Any) -> float | None:
    """Seconds since 1970 of a time in a question; a date means its last moment, a time without a zone UTC.

    Raises `BadParameter` for what is no time.

    >>> as_of("2026-01-31") == as_of("2026-01-31T23:59:59.999999Z")
    True
    >>> as_of(None) is None, as_of("yesterday")
    Traceback (most recent call last):
    ...
    headwater.errors.BadParameter: as_of: 'yesterday' is no time
    """
    return _seconds("as_of", value)


def known_at(value: Any) -> int | float | None:
    """A ledger sequence number (an int), or seconds since 1970 of a time (a float).

    >>> known_at("17"), known_at("1970-01-01T00:00:01Z")
    (17, 1.0)
    """
    if value is None or value == "":
        return None
    text = str(value).strip()
    if _NUMBER.fullmatch(text) and not isinstance(value, bool):
        return int(text)
    return _seconds("known_at", value)


def _seconds(name: str, value: Any) -> float | None:
    if value is None or value == "":
        return None
    # A plus sign in a query string is a blank by the time that it arrives here.
    text = str(value).strip().replace(" ", "+") if "T" in str(value) else str(value).strip()
    if _DATE.fullmatch(text):
        found = moment(text)
        last = None if found is None else datetime.fromtimestamp(found, UTC) + timedelta(days=1, microseconds=-1)
        found = None if last is None else last.timestamp()
    else:
        found = moment(text) if "T" in text else None
    if found is None:
        raise BadParameter(f"{name}: '{str(value)[:80]}' is no time", parameter=name, remedy=_EXAMPLE)
    return found


def told(seconds: float) -> str:
    """A moment as ISO 8601 in UTC.

    >>> told(0.5)
    '1970-01-01T00:00:00.500000Z'
    """
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
