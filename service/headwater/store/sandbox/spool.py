"""An answer on its way: taken from the worker as fast as it comes, handed to the client as fast as that one reads.

So a client that reads slowly holds no worker. The first part is kept in memory, the rest in a temporary file.
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Iterator

from headwater.errors import HeadwaterError, StorageFailed

_IN_MEMORY = 1 << 20
_PIECE = 1 << 18


class Spool:
    """Bytes that one thread puts in while another takes them out, in order."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115
        self._state = threading.Condition()
        self._written = 0
        self._done = False
        self._error: HeadwaterError | None = None

    @property
    def done(self) -> bool:
        """Whether nothing more comes."""
        return self._done

    @property
    def size(self) -> int:
        return self._written

    def put(self, data: bytes) -> None:
        """Raises `StorageFailed` where they cannot be kept."""
        with self._state:
            if self._file.closed:
                return  # nobody wants it any more
            try:
                self._file.seek(self._written)
                self._file.write(data)
                self._file.flush()
            except OSError as error:
                raise StorageFailed(
                    f"The folder for temporary files did not take the answer: {error.strerror or 'it cannot be written'}.",
                    remedy="Free some space there (TMPDIR names the folder), or ask for less at a time.",
                ) from error
            self._written += len(data)
            self._state.notify_all()

    def finish(self, error: HeadwaterError | None = None) -> None:
        """Say that nothing more comes: because it is all, or because of `error`."""
        with self._state:
            self._done, self._error = True, error
            self._state.notify_all()

    def wait(self, size: int) -> bool:
        """Wait until all is here (True) or more than `size` bytes are (False). Raises the error that ended it."""
        with self._state:
            self._state.wait_for(lambda: self._done or self._written > size)
            if self._error is not None:
                raise self._error
            return self._done

    def read(self) -> bytes:
        """All that is here."""
        with self._state:
            self._file.seek(0)
            return self._file.read(self._written)

    def pieces(self) -> Iterator[bytes]:
        """The bytes in pieces, waiting for those that are still to come. Raises the error that ended it, if one did."""
        taken = 0
        while True:
            with self._state:
                while not self._done and self._written == taken:
                    self._state.wait()
                if self._written > taken:
                    self._file.seek(taken)
                    piece = self._file.read(min(_PIECE, self._written - taken))
                elif self._error is not None:
                    raise self._error
                else:
                    return
            taken += len(piece)
            yield piece

    def close(self) -> None:
        with self._state, contextlib.suppress(OSError):
            # What could not be set down before cannot be set down now either, and nobody wants it any more.
            self._file.close()
