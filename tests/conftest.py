"""What the tests share: where the real third-party samples lie, and a Headwater of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

_SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture
def shared() -> Path:
    """The folder with real files of public projects; tests that need it skip where it is absent."""
    if not (_SHARED / "realdata").is_dir():
        pytest.skip("the folder ../shared with real third-party samples is not beside this checkout")
    return _SHARED
