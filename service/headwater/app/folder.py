"""The data folder: one process at a time, told apart by a lock that goes with the process."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import IO

from headwater.errors import FolderBusy, StorageFailed

try:
    import fcntl
except ImportError:  # Windows has no fcntl; RocksDB's own lock on the store still keeps a second process out there.
    fcntl = None  # type: ignore[assignment]


_log = logging.getLogger("headwater")
OF_LEDGER = "ledger-identity"
"""The note of which ledger a folder's store and index are views; without it they are made anew."""


def note_ledger(folder: Path, identity: str | None) -> None:
    """Note in a data folder of which ledger the store and the index in it are views."""
    if identity is None or noted_ledger(folder) == identity:
        return
    try:
        (folder / OF_LEDGER).write_text(identity, encoding="utf-8")
    except OSError as error:
        # The next start makes store and index anew, for want of this note.
        _log.warning("the data folder %s cannot be written: %s", folder, error)


def noted_ledger(folder: Path) -> str | None:
    """What `note_ledger` noted; None where nothing was."""
    try:
        return (folder / OF_LEDGER).read_text(encoding="utf-8")
    except OSError:
        return None


class FolderLock:
    """Holds the lock of a data folder until `release`. Raises `FolderBusy` where another process holds it."""

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file: IO[str] | None = (folder / "lock").open("a+", encoding="utf-8")
        except OSError as error:
            raise StorageFailed(
                f"The data folder {folder} cannot be used: {error.strerror or error}.",
                remedy="Name a folder that you may write to with --data.",
            ) from error
        if fcntl is not None:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                self._file.seek(0)
                owner = self._file.read().strip() or "unknown"
                self._file.close()
                self._file = None
                raise FolderBusy(f"The data folder {folder} is in use by process {owner}.", process=owner) from error
        try:
            self._file.seek(0)
            self._file.truncate()
            self._file.write(str(os.getpid()))
            self._file.flush()
        except OSError as error:
            # The lock holds all the same; only its owner's number could not be noted.
            _log.warning("the data folder %s cannot be written: %s", folder, error)

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
