"""Remembers by which shapes and ontology everything was judged, whether an audit is due, and what the last one found."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headwater.checking.audit import Audit, shapes_digest
from headwater.checking.audit_notes import noted, read
from headwater.errors import HeadwaterError, StorageFailed

_FILE = "audit.json"
SNAPSHOTS = "audit-"
"""How the names of folders begin in which audits keep their snapshots."""
MOST_KEPT = 1000
"""Findings of the last audit that are kept one by one, the most serious first."""
_MOST_REASONS = 20
_NEVER = "It was filled before audits were kept, or this note of the last one was lost."
_MORE = "Further entries of the ledger followed."


@dataclass(frozen=True, slots=True)
class LastAudit:
    """The last audit that came to its end: what it found, when, up to which entry of the ledger.

    `live` says that it read the store itself while writing went on, so that it may have seen half of a write.
    """

    audit: Audit
    at: str
    sequence: int
    live: bool


class AuditBook:
    """The note `audit.json` of a data folder.

    Everything that comes in passes the gate, so that an audit is due only where the gate's rules are no longer those by which the
    folder was filled, or where a write may have made things wrong that the gate does not look at again.
    """

    def __init__(self, folder: Path | None, ontology: str, *, empty: bool, clock: Callable[[], str]) -> None:
        """`folder` is None where nothing is kept on disk; `empty` says that nothing was written yet."""
        self._path = folder / _FILE if folder is not None else None
        self._rules = {"shapes": shapes_digest(), "ontology": ontology}
        self._clock = clock
        self._lock = threading.Lock()
        self._covered: list[str] = []
        self._kept = self._read()
        self._failure: dict[str, str] | None = self._kept.get("failure") if self._kept is not None else None
        if self._kept is None and empty:
            self._write({**self._rules, "sequence": 0, "at": clock(), "due": []})
        if folder is not None:
            # What a process left that was ended before it could clear up; the folder is ours alone now.
            for left in folder.glob(f"{SNAPSHOTS}*/"):
                shutil.rmtree(left, ignore_errors=True)

    def status(self) -> dict[str, Any]:
        """Whether an audit is due and why, when and how far the last one looked, its counts, and why one failed since."""
        with self._lock:
            kept, reasons = self._kept, self._reasons()
            failure = self._failure
        known: dict[str, Any] = {} if kept is None else {key: kept[key] for key in ("sequence", "at", "counts") if key in kept}
        return {"due": bool(reasons), "reasons": reasons, **known, "failure": failure}

    def last(self) -> LastAudit | None:
        """The last audit, with its first findings; None before the first."""
        with self._lock:
            kept = self._kept
        if kept is None or "report" not in kept:
            return None
        return LastAudit(read(kept["report"]), str(kept["at"]), int(kept["sequence"]), bool(kept.get("live")))

    def note(self, reason: str) -> None:
        """Remember that a write makes an audit due. Raises `StorageFailed` where that cannot be kept."""
        with self._lock:
            # Without a note of an earlier audit one is due anyhow.
            if self._kept is not None and reason not in self._kept["due"]:
                due = self._kept["due"]
                if len(due) < _MOST_REASONS:
                    self._write({**self._kept, "due": [*due, reason]})
                elif due[-1] != _MORE:
                    self._write({**self._kept, "due": [*due, _MORE]})

    def begin(self) -> list[str]:
        """An audit begins, which answers the reasons that there are; what is noted from now on it may not see."""
        with self._lock:
            reasons = self._reasons()
            if self._kept is not None:
                # On disk they stay until the audit came to its end.
                self._covered, self._kept = [*self._covered, *self._kept["due"]], {**self._kept, "due": []}
            return reasons

    def finish(self, audit: Audit, sequence: int, *, live: bool) -> None:
        """An audit came to its end."""
        with self._lock:
            since = self._kept["due"] if self._kept is not None else []
            self._covered, self._failure = [], None
            said = {**self._rules, "sequence": sequence, "at": self._clock(), "due": since, "counts": audit.counts, "live": live}
            self._write({**said, "report": noted(audit, MOST_KEPT)})

    def give_up(self, error: HeadwaterError | None) -> None:
        """An audit ended before its end, by an error or (None) because it was stopped: what it was to answer is still due."""
        with self._lock:
            if error is not None:
                self._failure = {"title": error.title, "detail": error.detail, "remedy": error.remedy, "at": self._clock()}
            if self._kept is not None:
                due = [*self._covered, *(reason for reason in self._kept["due"] if reason not in self._covered)]
                self._covered = []
                failure = {} if self._failure is None else {"failure": self._failure}
                self._write({**self._kept, "due": due[: _MOST_REASONS + 1], **failure})

    def _reasons(self) -> list[str]:
        if self._kept is None:
            return [_NEVER]
        changed = [name for name, digest in self._rules.items() if self._kept[name] != digest]
        return [*self._covered, *self._kept["due"], *(f"The {name} changed since everything was judged." for name in changed)]

    def _read(self) -> dict[str, Any] | None:
        if self._path is None or not self._path.exists():
            return None
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            if not isinstance(kept, dict) or not {*self._rules, "due"} <= kept.keys():
                return None
            if "report" in kept:
                read(kept["report"])
        except (ValueError, KeyError, TypeError):
            return None  # cut short by a crash, or by another version: then an audit is due, which makes it anew
        return kept

    def _write(self, kept: dict[str, Any]) -> None:
        self._kept = kept
        if self._path is not None:
            fresh = self._path.with_suffix(".new")
            try:
                with fresh.open("w", encoding="utf-8") as file:
                    json.dump({**kept, "due": [*self._covered, *kept["due"]]}, file, indent=1)
                    file.flush()
                    # A write that makes an audit due is durable in the ledger; so must be what it makes due.
                    os.fsync(file.fileno())
                fresh.replace(self._path)
            except OSError as error:
                raise StorageFailed(f"{self._path}: {error.strerror or error}") from error
