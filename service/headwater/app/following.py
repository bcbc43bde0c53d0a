"""Following a ledger that another process writes: a reader keeps a copy of it, and makes store and index from the copy.

The copy (`copy.sqlite` in the data folder) is what all of a reader's answers rest on, so that it goes on answering while the
ledger or its writer is gone, and never asks over the network to answer. It may be deleted at any time; it is made again.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from headwater.errors import Conflict, HeadwaterError, LedgerAway, StorageFailed
from headwater.ledger.copying import same_history
from headwater.ledger.ledger import Ledger
from headwater.ledger.schema import connect_engine, expect_schema, migrate
from headwater.ledger.tokens import TokenTable

_log = logging.getLogger("headwater")
_FILE = "copy.sqlite"
_TOKENS_S = 1.0
"""Seconds between two looks at the tokens: so long a revoked one may still hold at a reader."""
_SILENT_S = 5.0
"""A server that has not said how far the ledger is for so many seconds counts as gone."""
Progress = Callable[[int, int | None], None]


class Strayed(Conflict):
    """The ledger is not the one that was followed: an older state of it was put back, or it is another one."""

    title = "The ledger is another one now"
    default_remedy = "Start the reader again: it makes its copy, store and index anew."


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a reader is: entries that it knows itself behind, and the seconds since it last knew that it had everything."""

    reachable: bool
    ledger: int
    behind: int
    age_s: float
    behind_s: float


class Follower:
    """Keeps a copy of the ledger at `address`. Used by one thread at a time, but for `standing`."""

    def __init__(self, address: str, folder: Path, made_from_it: Sequence[Path] = ()) -> None:
        """`made_from_it` are the folders and notes that go when the copy has to be begun anew."""
        self._address = address
        self._made_from_it = made_from_it
        self._path = folder / _FILE
        self._source: Ledger | None = None
        self.copy = self._open_copy()
        self.tokens = TokenTable(self.copy.engine)
        self._reached = self.copy.last_sequence()
        self._last = self._reached
        self._complete_at = time.monotonic()
        self._behind_since: float | None = None
        self._looked_at_tokens = 0.0
        self._reachable = False
        self._asking_since: float | None = None

    def _open_copy(self) -> Ledger:
        engine = connect_engine(f"sqlite:///{self._path}", derived=True)
        migrate(engine)
        return Ledger(engine)

    def close(self) -> None:
        self._let_go()
        self.copy.close()

    @property
    def begun(self) -> bool:
        """Whether there is a copy that can be answered from."""
        return self.copy.fact("base_iri") is not None

    def standing(self) -> Standing:
        now = time.monotonic()
        behind = max(0, self._last - self._reached)
        since = self._behind_since
        asking = self._asking_since
        silent = asking is not None and now - asking > _SILENT_S
        return Standing(
            self._reachable and not silent,
            self._last,
            behind,
            now - self._complete_at,
            0.0 if since is None or not behind else now - since,
        )

    def begin(self, progress: Progress | None = None) -> None:
        """Bring the copy up to date before anything is answered, or go on with the one that is there.

        Raises `LedgerAway` or `StorageFailed` where there is none and the ledger cannot be read.
        """
        try:
            try:
                self._connected()
            except Strayed as error:
                _log.warning("%s The copy is made anew.", error.detail)
                self._begin_anew()
                self._connected()
            while self.pull():
                if progress is not None:
                    progress(self._reached, self._last)
        except (LedgerAway, StorageFailed) as error:
            if not self.begun:
                raise
            _log.warning("%s What is answered is of entry %d.", error.detail, self._reached)

    def _begin_anew(self) -> None:
        self.copy.close()
        for made in self._made_from_it:
            if made.is_dir():
                shutil.rmtree(made, ignore_errors=True)
            else:
                made.unlink(missing_ok=True)
        for path in (self._path, *(self._path.with_name(_FILE + more) for more in ("-wal", "-shm"))):
            path.unlink(missing_ok=True)
        self.copy = self._open_copy()
        self.tokens = TokenTable(self.copy.engine)
        self._reached = self._last = 0

    def _connected(self) -> Ledger:
        if self._source is not None:
            return self._source
        engine = connect_engine(self._address, reading=True)
        expect_schema(engine)
        source = Ledger(engine)
        try:
            theirs, ours = source.facts(), self.copy.facts()
            if "base_iri" not in theirs:
                raise Conflict("There is no ledger yet.", remedy="Start the writer first: it makes the ledger.")
            if any(theirs.get(name) != value for name, value in ours.items()) or not same_history(source, self.copy):
                raise Strayed("The ledger is not the one that was followed up to now.")
            for name in theirs.keys() - ours.keys():
                self.copy.fix(name, theirs[name])
        except BaseException:
            source.close()
            raise
        self._source = source
        return source

    def pull(self) -> bool:
        """Copy the next entries, whole writes at a time; whether there were any.

        Raises `LedgerAway` where the ledger cannot be reached, `Strayed` where it is no longer the one that was followed.
        """
        asked = time.monotonic()
        try:
            self._asking_since = asked
            source = self._connected()
            self._last = source.last_sequence()
            if self._last < self._reached:
                raise Strayed(f"The ledger ends with entry {self._last:,}, and {self._reached:,} were there before.")
            if asked - self._looked_at_tokens >= _TOKENS_S:
                self._take_tokens(source)
                self._looked_at_tokens = asked
            self._asking_since, self._reachable = None, True
            if self._last == self._reached:
                self._complete_at, self._behind_since = asked, None
                return False
            if self._behind_since is None:
                self._behind_since = asked
            entries = source.whole_since(self._reached)
        except HeadwaterError:
            self._let_go()
            raise
        self.copy.adopt(entries)
        self._reached = entries[-1].revision.sequence
        return True

    def _take_tokens(self, source: Ledger) -> None:
        theirs = TokenTable(source.engine).list()
        if list(theirs) != list(self.tokens.list()):
            self.tokens.replace(theirs)

    def _let_go(self) -> None:
        self._asking_since, self._reachable = None, False
        source, self._source = self._source, None
        if source is not None:
            source.close()
