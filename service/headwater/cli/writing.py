"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from headwater.errors import StorageFailed


def write_file(path: Path, body: bytes) -> None:
    """Write `body` to `path`, replacing what was there only when all of it is on disk. Raises `StorageFailed`."""
    write_pieces(path, [body])


def write_pieces(path: Path, pieces: Iterable[bytes]) -> int:
    """The same for a body that comes in pieces; returns how many bytes it had."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise StorageFailed(
            f"{path} cannot be written: {error.strerror}", remedy="Check the folder and its permissions."
        ) from error
    part = Path(name)
    try:
        written = _fill(handle, pieces)
        # mkstemp makes files for their owner only; a report or export is as public as the umask says.
        umask = os.umask(0)
        os.umask(umask)
        part.chmod(0o666 & ~umask)
        part.replace(path)
    except OSError as error:
        raise StorageFailed(
            f"{path} cannot be written: {error.strerror}", remedy="Check the free space and permissions."
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return written


def _fill(handle: int, pieces: Iterable[bytes]) -> int:
    with os.fdopen(handle, "wb") as file:
        written = sum(file.write(piece) for piece in pieces)
        file.flush()
        os.fsync(file.fileno())
    return written
