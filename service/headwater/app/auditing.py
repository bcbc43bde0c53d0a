"""Auditing all that a data folder holds against the shapes, beside the work that goes on: when somebody asks, or by itself.

While a service runs, an audit begins as soon as one is due: at most one at a time, and once more where a reason came up that it
has not seen. On disk it looks at a snapshot from a process of its own, because in a thread of ours pages would take half as long
again (docs/benchmarks.md).
"""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headwater.app.audit_book import SNAPSHOTS, AuditBook, LastAudit
from headwater.app.audit_worker import audit_apart, audit_store
from headwater.app.writing import Writer
from headwater.checking.audit import Audit, AuditCancelled, Auditor, Cancelled, Progress
from headwater.checking.report import GateResult
from headwater.errors import Conflict, HeadwaterError
from headwater.store.protocol import TripleStore

_log = logging.getLogger("headwater")
_ASKED = "Somebody asked for it."


class Auditing:
    """Makes the audits of one data folder. `pause_s` is what lies at least between two that begin by themselves."""

    def __init__(
        self,
        book: AuditBook,
        store: TripleStore,
        base: str,
        writer: Writer,
        *,
        folder: Path | None,
        automatic: bool,
        pause_s: float,
        clock: Callable[[], str],
    ) -> None:
        """`folder` is where snapshots lie, on the disk of the store; None for a store in memory."""
        self._book = book
        self._store = store
        self._base = base
        self._writer = writer
        self._folder = folder
        self._automatic = automatic
        self._pause_s = pause_s
        self._clock = clock
        self._change = threading.Condition()
        self._stopped = threading.Event()
        self._watching = False
        self._asked = False
        self._wanted = False
        self._worker: threading.Thread | None = None
        self._ended: float | None = None
        self._progress: dict[str, Any] | None = None
        self._turn = threading.Lock()
        self._auditor: Auditor | None = None

    # --- what is known

    def status(self) -> dict[str, Any]:
        """What the book says, and what goes on: `state` is `idle`, `waiting` or `running`, `progress` how far it is."""
        with self._change:
            progress = dict(self._progress) if self._progress is not None else None
            waiting = self._asked or self._wanted
            state = "running" if progress is not None else "waiting" if waiting else "idle"
            automatic = self._automatic and self._watching
        return {**self._book.status(), "state": state, "automatic": automatic, "progress": progress}

    def last(self) -> LastAudit | None:
        """The last audit that came to its end."""
        return self._book.last()

    def standing(self, results: list[GateResult], graphs: Any) -> list[GateResult]:
        """Those findings that can be found in these graphs alone."""
        if self._auditor is None:
            self._auditor = Auditor()
        return self._auditor.standing(results, lambda text: self._store.rows(text, graphs))

    # --- what makes one begin

    def note(self, reason: str) -> None:
        """A write makes an audit due; where audits begin by themselves, one begins."""
        self._book.note(reason)
        self._wake()

    def watch(self) -> None:
        """From now on audits begin by themselves, unless a setting says otherwise; if one is due, now."""
        with self._change:
            self._watching = True
        if self._book.status()["due"]:
            self._wake()

    def request(self) -> None:
        """Have an audit made in the background, after the one that may be under way. Raises `Conflict` once stopped."""
        if self._stopped.is_set():
            raise Conflict("The data folder is being closed; no audit can begin.")
        self._book.note(_ASKED)
        with self._change:
            self._asked = True
            self._work_on()

    def stop(self) -> None:
        """Let no further audit begin, stop the one under way, and wait until it has cleared up."""
        with self._change:
            self._stopped.set()
            self._change.notify_all()
            worker = self._worker
        if worker is not None and worker is not threading.current_thread():
            worker.join()

    def _wake(self) -> None:
        with self._change:
            if self._automatic and self._watching and not self._stopped.is_set():
                self._wanted = True
                self._work_on()

    def _work_on(self) -> None:
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="headwater-audits", daemon=True)
            self._worker.start()
        self._change.notify_all()

    # --- making one

    def audit(self, progress: Progress | None = None, cancelled: Cancelled = lambda: False) -> Audit:
        """Audit in this thread, with all findings. Raises `Conflict` while another audit runs, `AuditCancelled`."""
        if not self._turn.acquire(blocking=False):
            raise Conflict("An audit is under way.", remedy="Wait for its end; GET /api/v1/audits tells how far it is.")
        try:
            return self._made(lambda store, _: audit_store(store, self._base, progress, cancelled))
        finally:
            self._turn.release()

    def _work(self) -> None:
        while self._next():
            with self._turn:
                try:
                    self._made(self._in_background)
                except AuditCancelled:
                    pass  # whoever stopped it knows; it is still due
                except HeadwaterError as error:
                    _log.error("an audit failed: %s %s", error.detail, error.remedy)
                except Exception:
                    _log.exception("an audit failed unexpectedly")
            with self._change:
                self._progress = None
                self._ended = time.monotonic()

    def _next(self) -> bool:
        """Wait for what makes an audit begin; False when there will be none any more."""
        with self._change:
            while not self._stopped.is_set():
                if self._asked:
                    break
                rest = 0.0 if self._ended is None else self._ended + self._pause_s - time.monotonic()
                if self._wanted and rest <= 0:
                    break
                self._change.wait(rest if self._wanted else None)
            if self._stopped.is_set():
                return False
            self._asked = self._wanted = False
            self._progress = {"done": 0, "total": None, "began_at": self._clock()}
            return True

    def _in_background(self, store: TripleStore, snapshot: Path | None) -> Audit:
        if snapshot is None:
            return audit_store(store, self._base, self._tell, self._stopped.is_set)
        return audit_apart(snapshot, self._base, self._tell, self._stopped)

    def _tell(self, done: int, total: int | None) -> None:
        with self._change:
            if self._progress is not None:
                self._progress |= {"done": done, "total": total}

    def _made(self, audit: Callable[[TripleStore, Path | None], Audit]) -> Audit:
        self._book.begin()
        try:
            with self._to_read() as (store, snapshot, sequence):
                found = audit(store, snapshot)
            self._book.finish(found, sequence, live=store is self._store)
        except AuditCancelled:
            self._book.give_up(None)
            raise
        except HeadwaterError as error:
            self._book.give_up(error)
            raise
        except Exception as error:
            self._book.give_up(HeadwaterError(f"Something unexpected happened: {type(error).__name__}: {error}"))
            raise
        return found

    @contextmanager
    def _to_read(self) -> Iterator[tuple[TripleStore, Path | None, int]]:
        """What an audit reads: a snapshot if the store can make one, with its folder if it lies on disk; and its sequence."""
        if not self._store.snapshots:
            yield self._store, None, self._store.sequence()
            return
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=SNAPSHOTS, ignore_cleanup_errors=True) as place:
            folder = Path(place) / "store"
            # A rebuild leaves the store half filled for a while, and a large change is not one transaction.
            with self._writer.paused():
                snapshot = self._store.snapshot(folder)
            try:
                yield snapshot, folder if folder.exists() else None, snapshot.sequence()
            finally:
                snapshot.close()
