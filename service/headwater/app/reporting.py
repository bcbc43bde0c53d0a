"""Reports for those who pay: what one year of a data set, program, instrument or project brought others."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from headwater.access import Reader
from headwater.app.asking import Asking
from headwater.app.benefit_report import Year, YearlyReport
from headwater.errors import BadParameter

_FIRST_YEAR = 1900


class Reporting(Asking):
    """Yearly reports for one reader."""

    @property
    def present_year(self) -> int:
        """The year that it is, in UTC; the last one that can be reported on."""
        return int(self._clock()[:4])

    def benefit_report(
        self, id: str, reader: Reader, *, year: int | str, known_at: str | int | None = None, min_evidence: str | None = None
    ) -> dict[str, Any]:
        """Who used a thing in a year (new or not), what they made, computing time, improvements taken up, and its credit.

        Told as it was at the end of the year (UTC), as far as is known today; with `known_at`, as was known then. Raises
        `BadParameter` for a year that has not begun and for one at whose end the thing was not there yet; `NotFound`.
        """
        number = read_year(year, self.present_year)
        given = {"known_at": known_at, "min_evidence": min_evidence}
        now, then = (self._asked({**given, "as_of": f"{end}-12-31"}, "downstream", reader) for end in (number, number - 1))
        try:
            iri, sight = self._seen(id, now, reader)
        except BadParameter as error:
            if error.extra.get("parameter") != "as_of":
                raise
            raise BadParameter(
                f"year: {id.strip()[:200]} was not there yet at the end of {number}.",
                parameter="year",
                remedy="Ask for a later year.",
            ) from error
        assert now.as_of is not None
        assert then.as_of is not None
        before = self._sight(reader, as_of=then.as_of, known_at=then.known_at)
        setting = self._answerer.setting(sight, self.sequence)
        maker = YearlyReport(self._store, self._names, self._benefiting)
        body = maker.report(iri, Year(number, then.as_of, now.as_of), sight, before, now, setting)
        body["whole_year"] = number < self.present_year
        told = urlencode({"id": id, "year": number} | {name: value for name, value in given.items() if value is not None})
        body["query"]["id"] = id
        body["_links"] = {
            "self": f"/api/v1/benefits/report?{told}",
            "html": f"/report?{told}",
            "benefits": f"/api/v1/benefits?{urlencode({'id': id})}",
        }
        return body


def read_year(value: Any, present: int) -> int:
    """A year as people write it, from 1900 to the present one. Raises `BadParameter` for anything else.

    >>> read_year("2025", 2026)
    2025
    >>> read_year(2027, 2026)
    Traceback (most recent call last):
    ...
    headwater.errors.BadParameter: year: 2027 has not begun
    """
    text = str(value).strip()
    if isinstance(value, bool) or len(text) != 4 or not (text.isascii() and text.isdigit()) or int(text) < _FIRST_YEAR:
        raise BadParameter(f"year: '{text[:80]}' is no year from {_FIRST_YEAR} on", parameter="year", remedy="Write it as 2025.")
    if int(text) > present:
        raise BadParameter(f"year: {text} has not begun", parameter="year", remedy=f"The present year, {present}, is the last.")
    return int(text)
