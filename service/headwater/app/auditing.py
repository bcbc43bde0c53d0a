"""Auditing all that a data folder holds against the shapes, beside the work that goes on, and remembering whether that is due."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pyoxigraph import NamedNode, Triple

from headwater.checking.audit import Audit, Auditor, shapes_digest
from headwater.errors import StorageFailed
from headwater.store.embedded import EmbeddedStore
from headwater.store.views import Views

Progress = Callable[[int, int | None], None]

_FILE = "audit.json"
_NEVER = "It was filled before audits were kept, or this note of the last one was lost."


class AuditBook:
    """Remembers by which shapes and ontology everything was judged, and makes audits.

    Everything that comes in passes the gate, so that an audit is due only where the gate's rules are no longer those by which the
    folder was filled, or where a write may have made things wrong that the gate does not look at again.
    """

    def __init__(self, folder: Path | None, ontology: str, *, empty: bool, clock: Callable[[], str]) -> None:
        """`folder` is None where nothing is kept on disk; `empty` says that nothing was written yet."""
        self._path = folder / _FILE if folder is not None else None
        self._rules = {"shapes": shapes_digest(), "ontology": ontology}
        self._clock = clock
        self._lock = threading.Lock()
        self._last = self._read()
        if self._last is None and empty:
            self._write({**self._rules, "sequence": 0, "at": clock(), "due": []})

    def status(self) -> dict[str, Any]:
        """Whether an audit is due and why, and what the last one said."""
        with self._lock:
            last = self._last
            reasons = [_NEVER] if last is None else list(last["due"])
            for name, digest in self._rules.items():
                if last is not None and last[name] != digest:
                    reasons.append(f"The {name} changed since everything was judged.")
            known: dict[str, Any] = (
                {} if last is None else {key: last[key] for key in ("sequence", "at", "counts") if key in last}
            )
            return {"due": bool(reasons), "reasons": reasons, **known}

    def note(self, reason: str) -> None:
        """Remember that a write makes an audit due."""
        with self._lock:
            if self._last is not None and reason not in self._last["due"]:
                self._write({**self._last, "due": [*self._last["due"], reason]})

    def audit(
        self,
        store: EmbeddedStore,
        views: Views,
        *,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Audit:
        """Audit a snapshot of the store; writing goes on meanwhile. Raises `AuditCancelled`."""
        with tempfile.TemporaryDirectory(dir=self._path.parent if self._path is not None else None, prefix="audit-") as place:
            with self._lock:
                noted = list(self._last["due"]) if self._last is not None else []
            snapshot = store.snapshot(Path(place) / "store")
            try:
                graphs = views.graphs(internal=True, projects=None)
                sequence = snapshot.sequence()

                def rows(text: str) -> Iterator[tuple[object, ...]]:
                    return snapshot.rows(text, graphs)

                def everything() -> Iterator[Triple]:
                    return (triple for graph in graphs for triple in snapshot.graph(NamedNode(graph.value)))

                audit = Auditor().audit(rows, everything, progress=progress, cancelled=cancelled)
            finally:
                snapshot.close()
        with self._lock:
            # What was noted while the audit ran, it has not seen.
            since = [reason for reason in (self._last or {"due": []})["due"] if reason not in noted]
            self._write({**self._rules, "sequence": sequence, "at": self._clock(), "due": since, "counts": audit.counts})
        return audit

    def _read(self) -> dict[str, Any] | None:
        if self._path is None or not self._path.exists():
            return None
        try:
            kept = json.loads(self._path.read_text())
        except ValueError:
            return None  # cut short by a crash: then an audit is due, which makes it anew
        return kept if isinstance(kept, dict) and {*self._rules, "due"} <= kept.keys() else None

    def _write(self, last: dict[str, Any]) -> None:
        self._last = last
        if self._path is not None:
            fresh = self._path.with_suffix(".new")
            try:
                fresh.write_text(json.dumps(last, indent=1) + "\n")
                fresh.replace(self._path)
            except OSError as error:
                raise StorageFailed(f"{self._path}: {error.strerror or error}") from error
