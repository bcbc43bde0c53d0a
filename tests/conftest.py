"""What the tests share: where the real third-party samples lie, and a Headwater of one's own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Postgres, programs

_SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture
def shared() -> Path:
    """The folder with real files of public projects; tests that need it skip where it is absent."""
    if not (_SHARED / "realdata").is_dir():
        pytest.skip("the folder ../shared with real third-party samples is not beside this checkout")
    return _SHARED


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of the tests' own; what needs it skips where none is installed, or not the driver."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'headwater[postgres]'")
    place = programs()
    if place is None:
        pytest.skip("PostgreSQL is not installed: initdb and postgres are neither on the PATH nor in /usr/lib/postgresql")
    # Not in pytest's folders, which it closes to the unprivileged user that the server runs as.
    with tempfile.TemporaryDirectory(prefix="headwater-postgres-") as folder:
        Path(folder).chmod(0o711)
        server = Postgres(Path(folder) / "server", place)
        server.start()
        try:
            yield server
        finally:
            server.stop()
