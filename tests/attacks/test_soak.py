"""Readers and writers work on one service for a minute while its readers are killed: nothing fails, and nothing grows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.attacks.conftest import SOURCE

pytestmark = [pytest.mark.server, pytest.mark.attacks]


@pytest.mark.skipif(sys.platform != "linux", reason="memory, files and threads of processes are read from Linux's /proc")
def test_a_short_soak_finds_no_fault_and_no_growth(tmp_path: Path) -> None:
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "bench.soak", "--minutes", "1.2", "--runs", "100", "--sample", "1", "--kill", "6"),
            *("--warm-up", "0.5", "--folder", str(tmp_path), "--out", str(tmp_path)),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(SOURCE), str(SOURCE.parent)])},
        cwd=SOURCE.parent,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-2000:]
    assert "FAULT" not in ended.stdout
