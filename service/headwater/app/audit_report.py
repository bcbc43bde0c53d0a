"""The last audit and what goes on, as one reader may know it: in JSON, and as a SHACL report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyoxigraph import RdfFormat

from headwater.app.audit_book import LastAudit
from headwater.checking.report import GateReport, GateResult
from headwater.errors import NotFound

_HIDDEN = {
    "en": "{count} findings are not listed: you may not see them, they do not stand any more, or there are too many of them.",
    "de": "{count} Befunde sind nicht aufgeführt: Sie dürfen sie nicht sehen, sie bestehen nicht mehr, oder es sind zu viele.",
}
_LIVE = {
    "en": "The store makes no snapshots, so that it was read while writing went on.",
    "de": "Der Speicher macht keine Momentaufnahmen, sodass er gelesen wurde, während weiter geschrieben wurde.",
}


@dataclass(frozen=True, slots=True)
class AuditReport:
    """`status` is how audits stand, `last` the last one that came to its end, `shown` those of its findings that are told."""

    status: dict[str, Any]
    last: LastAudit | None
    shown: list[GateResult]

    @property
    def hidden(self) -> int:
        """How many of the findings that were counted are not among those shown."""
        return 0 if self.last is None else sum(self.last.audit.counts.values()) - len(self.shown)

    def as_dict(self, language: str = "en") -> dict[str, Any]:
        """For JSON: how audits stand, and under `last` what the last one found."""
        told = {name: self.status[name] for name in ("state", "automatic", "due", "reasons", "progress", "failure")}
        return {**told, "last": None if self.last is None else self._last(self.last, language)}

    def _last(self, last: LastAudit, language: str) -> dict[str, Any]:
        found = last.audit.as_dict(language)
        listed = {"complete": not self.hidden, "hidden_count": self.hidden}
        results = [result.as_dict(language) for result in self.shown]
        return {"at": last.at, "sequence": last.sequence, "live_store": last.live} | found | listed | {"results": results}

    def rdf(self, syntax: RdfFormat) -> bytes:
        """The last audit as `sh:ValidationReport`. Raises `NotFound` before the first."""
        if self.last is None:
            raise NotFound("No audit was made yet.", remedy="Start one with POST /api/v1/audits or 'headwater verify --audit'.")
        comments: dict[str, str] = {}
        for language in _HIDDEN:
            said = [_HIDDEN[language].format(count=self.hidden)] if self.hidden else []
            said += [_LIVE[language]] if self.last.live else []
            if said:
                comments[language] = " ".join(said)
        return GateReport(self.last.audit.conforms, tuple(self.shown)).rdf(syntax, comments)
