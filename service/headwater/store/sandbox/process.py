"""A worker process as the service sees it: how it is started, asked, told to make way for others, and ended."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from headwater.store.sandbox import frames
from headwater.store.sandbox.snapshots import Snapshot

_START_S = 20.0
YIELDING = 5
"""The niceness of a query that makes way: a third of what others get who want the same core, and all of one that nobody wants.

With 10 or 19 it would get nothing on a busy machine, and end in its time-out.
"""


class Process:
    """A worker process, seen from the service."""

    def __init__(self, memory: int) -> None:
        self.snapshot: Snapshot | None = None
        self.lists: dict[tuple[str, ...], str] = {}
        self.used = False
        self.yielding = False
        """Whether it works with low priority."""
        self.beside = False
        """Whether it takes nobody's place meanwhile."""
        source = str(Path(__file__).resolve().parents[3])
        paths = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH", "")]))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "headwater.store.sandbox.worker", str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PYTHONPATH": paths, "PATH": os.environ.get("PATH", ""), "MALLOC_ARENA_MAX": "2"},
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in = self._process.stdin.fileno()
        self.inbox = frames.Inbox(self._process.stdout.fileno())

    def started(self) -> None:
        kind, _ = self.inbox.take(time.monotonic() + _START_S)
        if kind != frames.READY:
            raise frames.Gone

    def ask(self, message: dict[str, Any]) -> None:
        frames.send_json(self._in, frames.ASK, message)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def dead(self) -> bool:
        """Whether it ended by itself, or was ended from outside."""
        return self._process.poll() is not None

    def yield_to_others(self) -> None:
        """Go on with low priority."""
        self.yielding = True
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self.pid, YIELDING)
        # Where the kernel shares time by session, a priority counts within the session only, and a worker is one of its own.
        with contextlib.suppress(OSError):
            Path(f"/proc/{self.pid}/autogroup").write_text(str(YIELDING), encoding="ascii")

    def as_before(self) -> bool:
        """Take the usual priority again; whether this user may do that, which most may not."""
        group = Path(f"/proc/{self.pid}/autogroup")
        try:
            if self.yielding:
                os.setpriority(os.PRIO_PROCESS, self.pid, os.getpriority(os.PRIO_PROCESS, os.getpid()))
                if group.exists():
                    group.write_text("0", encoding="ascii")
        except OSError:
            return False
        self.yielding = False
        return True

    def stop(self) -> None:
        """End the process, from any thread. Its pipes stay open for the thread that reads from them: a number that is closed
        under a reader may be another file's, or a client's socket, before he reads again.
        """
        self._process.kill()

    def kill(self) -> None:
        """End the process and let go of it; only for who has it alone."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue
