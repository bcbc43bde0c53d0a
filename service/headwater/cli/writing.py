"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from headwater.errors import StorageFailed


def write_file(path: Path, body: bytes) -> None:
    """Write `body` to `path`, replacing what was there only when all of it is on disk. Raises `StorageFailed`."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise StorageFailed(f"{path} cannot be written: {error.strerror}", remedy="Check the folder and its permissions.") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files for their owner only; a report or export is as public as the umask says.
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)
        Path(name).replace(path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise StorageFailed(f"{path} cannot be written: {error.strerror}", remedy="Check the free space and permissions.") from error
