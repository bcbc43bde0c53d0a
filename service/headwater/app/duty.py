"""What part this process plays: the one writer of a ledger, a reader that follows it, or a standby that is ready to write.

The right to write is a lease (`headwater.ledger.lease`). Losing it is noticed within a second, and until then the ledger's own
fence keeps a writer who lost it from committing anything after another one has begun.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Protocol
from uuid import uuid4

from headwater.app.folder import OF_LEDGER
from headwater.app.following import Follower, Progress, Strayed
from headwater.errors import BadParameter, HeadwaterError, LedgerBusy, ReaderOnly
from headwater.ledger.addresses import parsed, told
from headwater.ledger.lease import Lease
from headwater.ledger.ledger import Ledger
from headwater.ledger.schema import LedgerEngine, connect_engine, migrate, sqlite_address
from headwater.ledger.tokens import TokenTable
from headwater.settings import Settings

_log = logging.getLogger("headwater")
IDENTITY = "identity"
"""The fact that tells a ledger from others; copies and backups of it have the same."""
_PATIENCE_S = 15.0
_LEASE_S = 1.0
"""Seconds between two looks at the lease: as long as that a standby leaves the ledger without a writer."""


class Views(Protocol):
    """What goes along with the ledger: store and index. `headwater.app.writing.Writer` is it."""

    def catch_up(self, progress: Progress | None = None, *, save: bool = True) -> int: ...

    def paused(self) -> AbstractContextManager[int]: ...


class Duty:
    """Opens the ledger as the role of this process wants it, and keeps to the role while the process runs."""

    def __init__(self, settings: Settings, clock: Callable[[], str]) -> None:
        self._settings = settings
        self._address = settings.ledger or sqlite_address(settings.data)
        self._follower: Follower | None = None
        self._lease: Lease | None = None
        self._opened = ExitStack()
        self.writing = False
        """Whether this process is the writer now."""
        self._views: Views | None = None
        self._followed: Callable[[], None] = lambda: None
        self._failed: Callable[[HeadwaterError], None] = lambda _: None
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self._hurried = threading.Event()
        self._lease_seen = 0.0
        if settings.role == "writer":
            self.ledger, self.tokens = self._as_writer(clock)
        else:
            if not settings.ledger:
                raise BadParameter(
                    f"role: a {settings.role} follows the ledger of another process; the setting ledger does not name it",
                    parameter="ledger",
                    remedy="Set ledger to the address that the writer has, and data to a folder of this process's own.",
                )
            self._follower = Follower(
                settings.ledger, settings.data, [settings.data / part for part in ("store", "index", OF_LEDGER)]
            )
            try:
                self._follower.begin()
            except BaseException:
                self._follower.close()
                raise
            self.ledger, self.tokens = Ledger(self._follower.copy.engine, clock), self._follower.tokens

    def _as_writer(self, clock: Callable[[], str]) -> tuple[Ledger, TokenTable]:
        engine = self._connected()
        self._lease = Lease(engine)
        self._opened.callback(self._lease.release)
        try:
            self._take(self._lease)
            migrate(engine)
            ledger = Ledger(engine, clock, fence=self._lease.advance())
            if ledger.fact(IDENTITY) is None:
                ledger.fix(IDENTITY, str(uuid4()))
        except BaseException:
            self._opened.close()
            raise
        self.writing = True
        return ledger, TokenTable(engine)

    def _connected(self) -> LedgerEngine:
        engine = connect_engine(self._address)
        self._opened.callback(engine.dispose)
        return engine

    def _take(self, lease: Lease) -> None:
        # A process that was killed is gone for the server a moment later than for us.
        for pause in (0.2, 0.3, 0.5, 0.0):
            if lease.take():
                return
            time.sleep(pause)
        raise LedgerBusy(f"The ledger {told(parsed(self._address))} has a writer: {lease.holder()}.")

    # --- what is known

    @property
    def address(self) -> str:
        """The ledger's address, without its password."""
        return told(parsed(self._address))

    def permit(self) -> None:
        """Raises `ReaderOnly` where this process may not write."""
        if self.writing or self.ledger.fence is not None:
            # Of one that was the writer, the fence tells with each commit whether he still is.
            return
        where = f" at {self._settings.writer_url}" if self._settings.writer_url else ""
        remedy = None if not where else f"Send the request to the writer{where}."
        raise ReaderOnly("This process only reads; another one writes.", remedy=remedy, writer=self._settings.writer_url or None)

    def status(self) -> dict[str, Any]:
        """The role, whether this process writes, and of a reader how far behind it is, in entries and seconds."""
        found: dict[str, Any] = {"role": self._settings.role, "writing": self.writing}
        if self._follower is not None and not self.writing:
            standing = self._follower.standing()
            found |= {
                "ledger_reachable": standing.reachable,
                "behind": standing.behind,
                "behind_s": round(standing.behind_s, 3),
                "age_s": round(standing.age_s, 3),
            }
        return found

    @property
    def age_s(self) -> float | None:
        """Seconds since a reader last knew that it had everything; None for who writes."""
        return None if self._follower is None or self.writing else self._follower.standing().age_s

    # --- while the process runs

    def attach(self, views: Views, followed: Callable[[], None]) -> None:
        """Name what goes along with the ledger; `followed` is called after it did."""
        self._views, self._followed = views, followed

    def keep(self, failed: Callable[[HeadwaterError], None]) -> None:
        """From now on follow, and look after the lease, in a thread of our own; `failed` is told when that cannot go on."""
        if self._thread is None and (self._follower is not None or parsed(self._address).get_backend_name() != "sqlite"):
            self._failed = failed
            self._thread = threading.Thread(target=self._keep, name="headwater-duty", daemon=True)
            self._thread.start()

    def hurry(self) -> None:
        """Somebody waits for the next entry."""
        self._hurried.set()

    def stop(self) -> None:
        """Stop the thread: follow no longer."""
        self._stopped.set()
        self._hurried.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            # A server that neither answers nor lets go would keep us for ever; the thread ends with the process.
            self._thread.join(_PATIENCE_S)

    def close(self) -> None:
        """Stop the thread, give the lease up, and let go of the ledger."""
        self.stop()
        self._opened.close()
        self.ledger.close()
        if self._follower is not None:
            self._follower.close()

    def _keep(self) -> None:
        silent = False
        while not self._stopped.is_set():
            pause = self._settings.poll_s
            try:
                self._look()
                silent = False
            except Strayed as error:
                _log.error("%s %s", error.detail, error.remedy)
                self._failed(error)
                return
            except HeadwaterError as error:
                # Said once; /health/ready and /metrics tell for how long.
                if not silent:
                    _log.warning("the ledger cannot be followed: %s %s", error.detail, error.remedy)
                silent, pause = True, max(pause, 0.5)
            except Exception:
                _log.exception("following the ledger failed unexpectedly")
                pause = max(pause, 5.0)
            self._hurried.wait(_LEASE_S if self.writing else pause)
            self._hurried.clear()

    def _look(self) -> None:
        assert self._views is not None
        if self._follower is not None:
            while not self._stopped.is_set() and self._follower.pull():
                if not self.writing:
                    self._views.catch_up(save=False)
                    self._followed()
        due = time.monotonic() - self._lease_seen >= _LEASE_S
        if due and self._settings.role != "reader":
            self._lease_seen = time.monotonic()
            self._look_after_lease()
        # Of a writer that lost his right: go along with what the new one writes.
        if not self.writing and self._follower is None and self._views.catch_up(save=False):
            self._followed()

    def _look_after_lease(self) -> None:
        assert self._views is not None
        if self.writing and self._lease is not None and not self._lease.holds():
            _log.warning("the right to write was lost with the connection to the ledger; it is asked for again")
            self.writing = False
        if self.writing:
            return
        if self._lease is None:
            self._lease = Lease(self._connected())
            self._opened.callback(self._lease.release)
        if self._lease.take():
            with self._views.paused():
                self._begin_to_write(self._lease)

    def _begin_to_write(self, lease: Lease) -> None:
        assert self._views is not None
        engine = self.ledger.engine
        if self._follower is not None and engine is self._follower.copy.engine:
            engine = self._connected()
            migrate(engine)
            self.ledger.turn_to(engine, lease.advance())
            self.tokens.turn_to(engine)
        else:
            self.ledger.turn_to(engine, lease.advance())
        self._views.catch_up()
        self._followed()
        self.writing = True
        _log.warning("this process is the writer of the ledger now")
