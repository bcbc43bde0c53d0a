"""An audit in a process of its own, so that whoever asks meanwhile does not wait for it.

The process reads a snapshot and writes lines of JSON: `{"done": …, "total": …}` as it goes, and at last `{"audit": …}` or
`{"error": …}`. It ends when nobody reads them any more.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pyoxigraph import NamedNode, Triple

from headwater import assets
from headwater.app.audit_book import MOST_KEPT
from headwater.checking.audit import Audit, AuditCancelled, Auditor, Cancelled, Progress
from headwater.checking.audit_notes import noted, read
from headwater.errors import HeadwaterError
from headwater.store.embedded import EmbeddedStore
from headwater.store.protocol import TripleStore
from headwater.store.views import Views

_BEGIN = """import sys; sys.path.append(sys.argv[1])
from headwater.app.audit_worker import main; sys.exit(main(sys.argv[2:]))"""
_NICE = 10
_TAIL = 2000


class AuditFailed(HeadwaterError):
    """The process of an audit ended before the audit did."""

    title = "The audit failed"
    default_remedy = "The service's log has the details; start it again with 'headwater verify --audit' or POST /api/v1/audits."


def audit_store(
    store: TripleStore, base: str, progress: Progress | None, cancelled: Cancelled, shapes: Path | None = None
) -> Audit:
    """Audit all levels of a store in this thread. Raises `AuditCancelled`."""
    # From the store's own marks: the views of the store that goes on may have become more since.
    graphs = Views(store, base).graphs(internal=True, projects=None)

    def rows(text: str) -> Iterator[tuple[object, ...]]:
        return store.rows(text, graphs)

    def everything() -> Iterator[Triple]:
        return (triple for graph in graphs for triple in store.graph(NamedNode(graph.value)))

    return Auditor(shapes).audit(rows, everything, progress=progress, cancelled=cancelled)


def audit_apart(snapshot: Path, base: str, progress: Progress, stopped: threading.Event) -> Audit:
    """Audit a snapshot on disk in a process of its own; only the first findings come back.

    Raises `AuditCancelled` soon after `stopped` is set, `AuditFailed` if the process comes to grief.
    """
    # Not by -m, which complains that the package around this file has imported it before.
    where = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-P", "-c", _BEGIN, where, str(snapshot), base, str(assets.folder("shapes"))]
    # In a session of its own: Ctrl-C is for the service, which then ends this process itself.
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        complaints: list[bytes] = []
        # Both pipes are read, so that neither can fill up and hold the process.
        listener = threading.Thread(
            target=lambda: complaints.append(process.stderr.read() if process.stderr else b""), daemon=True
        )
        watcher = threading.Thread(target=_end_when, args=(stopped, process), daemon=True)
        listener.start()
        watcher.start()
        last: dict[str, Any] = {}
        for line in process.stdout or ():
            last = _spoken(line)
            if "done" in last:
                progress(last["done"], last["total"])
        process.wait()
        listener.join()
    watcher.join()
    if "audit" in last:
        return read(last["audit"])
    if stopped.is_set():
        raise AuditCancelled("The audit was stopped before its end.")
    if "error" in last:
        raise AuditFailed(last["error"]["detail"], remedy=last["error"]["remedy"])
    said = b"".join(complaints).decode("utf-8", "replace").strip()[-_TAIL:]
    raise AuditFailed(f"The process of the audit ended with code {process.returncode}. {said}".strip())


def _spoken(line: bytes) -> dict[str, Any]:
    try:
        spoken = json.loads(line)
    except ValueError:
        return {}  # cut short where the process was ended; its exit code tells
    return spoken if isinstance(spoken, dict) else {}


def _end_when(stopped: threading.Event, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        if stopped.wait(0.2):
            process.kill()  # it writes nothing but the pipe, and does not listen to anything gentler
            return


def _tell(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Audit the snapshot in a folder; arguments are the folder, the base IRI and the folder of the shapes."""
    folder, base, shapes = arguments
    _be_modest()
    # Who stops a service may tell all its processes; this one is ended by the service.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        store = EmbeddedStore.read_only(Path(folder))
        try:
            audit = audit_store(
                store, base, lambda done, total: _tell({"done": done, "total": total}), lambda: False, Path(shapes)
            )
        finally:
            store.close()
        _tell({"audit": noted(audit, MOST_KEPT)})
    except HeadwaterError as error:
        _tell({"error": {"detail": error.detail, "remedy": error.remedy}})
        return 1
    except BrokenPipeError:
        # Whoever asked is gone. Python would complain once more when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _be_modest() -> None:
    lower: Callable[[int], int] | None = getattr(os, "nice", None)  # Windows has none
    if lower is not None:
        lower(_NICE)
