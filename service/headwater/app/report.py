"""What became of an import: by record, by kind, and by everything that a person should know about it."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from headwater.checking.report import GateReport
from headwater.records.draft import Failure, Finding

_EXAMPLES = 5
_STATUSES = ("created", "changed", "unchanged", "rejected")


@dataclass(frozen=True, slots=True)
class RecordOutcome:
    """What became of one record: `created`, `changed`, `unchanged` or `rejected` (then `report` says why)."""

    iri: str
    title: str
    status: str
    revision: int | None = None
    sequence: int | None = None
    report: GateReport | None = None

    def as_dict(self, language: str = "en") -> dict[str, Any]:
        told: dict[str, Any] = {"iri": self.iri, "title": self.title, "status": self.status}
        if self.revision is not None:
            told |= {"revision": self.revision, "sequence": self.sequence}
        if self.report is not None and self.report.results:
            told["gate"] = self.report.as_dict(language)
        return told


@dataclass(slots=True)
class ImportReport:
    """One source's import. `kinds` counts distinct objects by kind; `findings` are all that importer and repairs noted.

    `language` is what the gate's findings speak in `as_dict`.
    """

    source: str
    importer: str
    visibility: str
    dry_run: bool
    records: list[RecordOutcome] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    objects: dict[str, str] = field(default_factory=dict)
    statements: int = 0
    sequence: int = 0
    language: str = "en"

    @property
    def rejected(self) -> list[RecordOutcome]:
        return [outcome for outcome in self.records if outcome.status == "rejected"]

    @property
    def ok(self) -> bool:
        """Whether everything came in."""
        return not self.failures and not self.rejected

    @property
    def kinds(self) -> dict[str, int]:
        return dict(sorted(Counter(self.objects.values()).items()))

    @property
    def statuses(self) -> dict[str, int]:
        counted = Counter(outcome.status for outcome in self.records)
        return {status: counted.get(status, 0) for status in _STATUSES}

    @property
    def hints(self) -> dict[str, int]:
        """Warnings and infos of the gate, by message."""
        return dict(
            Counter(
                result.said(self.language) for o in self.records if o.report is not None for result in o.report.hints
            ).most_common()
        )

    def findings_by_reason(self) -> list[dict[str, Any]]:
        """Findings counted by outcome and reason, each with a few examples."""
        grouped: dict[tuple[str, str], list[Finding]] = defaultdict(list)
        for finding in self.findings:
            grouped[finding.outcome, finding.reason].append(finding)
        return [
            {
                "outcome": outcome,
                "reason": reason,
                "count": len(found),
                "examples": [{"what": finding.what, "where": finding.where} for finding in found[:_EXAMPLES]],
            }
            for (outcome, reason), found in sorted(grouped.items(), key=lambda item: (item[0][0], -len(item[1])))
        ]

    def as_dict(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "importer": self.importer,
            "visibility": self.visibility,
            "dry_run": self.dry_run,
            "ok": self.ok,
            "sequence": self.sequence,
            "statements": self.statements,
            "kinds": self.kinds,
            "statuses": self.statuses,
            "records": [outcome.as_dict(self.language) for outcome in self.records],
            "failures": [
                {"source": failure.source, "line": failure.line, "message": failure.message, "remedy": failure.remedy}
                for failure in self.failures
            ],
            "findings": self.findings_by_reason(),
            "hints": self.hints,
        }
