"""What an importer hands over: the statements of one source document, and what it found wrong on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pyoxigraph import Triple

Outcome = Literal["repaired", "unmapped", "missing", "failed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person should know about an import: what, where, and why.

    `outcome`: `repaired` (mended, as `what` says), `unmapped` (kept in the report, not in the graph), `missing` (a thing
    one would expect is not there), `failed` (this part could not be read; the rest was). `reason` is a short code by which
    reports count; `where` a file, or `file:line`.
    """

    outcome: Outcome
    reason: str
    what: str
    where: str = ""

    def as_dict(self) -> dict[str, str]:
        return {"outcome": self.outcome, "reason": self.reason, "what": self.what, "where": self.where}


@dataclass(slots=True)
class Draft:
    """The statements of one source document before they are normalised.

    `iri` is the record's own and stays the same when the source is imported again. `source` says where it came from (a
    path or an address, for people). `triples` may hold blank nodes; they are skolemised on the way in.
    """

    iri: str
    source: str
    title: str
    triples: list[Triple]
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Failure:
    """A source document that could not be read at all, while the rest of its folder was."""

    source: str
    message: str
    line: int | None = None
    remedy: str = "Mend or remove the file and import the folder again; everything else is in."

    def where(self) -> str:
        return f"{self.source}:{self.line}" if self.line is not None else self.source
