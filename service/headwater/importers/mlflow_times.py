"""MLflow's times, milliseconds since 1970 that were written by programs of all kinds, as dates."""

from __future__ import annotations

from pyoxigraph import Literal

from headwater.records.draft import Finding
from headwater.records.facts import when

_FIRST, _LAST = -62_135_596_800_000, 253_402_300_799_000
"""The years 1 and 9999: what a date of Python, and in practice of XSD, can hold."""


def moment(text: str | None, what: str, findings: list[Finding], where: str) -> Literal | None:
    """Milliseconds since 1970 as a date; None, and a finding, where they are no number or beyond the year 9999.

    >>> moment("1759334522787", "start", [], "").value
    '2025-10-01T16:02:02.787Z'
    """
    if text is None:
        return None
    try:
        milliseconds = float(text)
        if not _FIRST <= milliseconds <= _LAST:
            raise ValueError
        return when(int(milliseconds))
    except (ValueError, OverflowError, OSError):
        findings.append(
            Finding("unmapped", "impossible-time", f"{what} {text[:40]!r} is no time between the years 1 and 9999", where)
        )
        return None


def point_in_time(milliseconds: int) -> Literal | None:
    """The same for the time of a metric's value; out of range is None without a word, for the value itself is good."""
    if not _FIRST <= milliseconds <= _LAST:
        return None
    return when(milliseconds)
