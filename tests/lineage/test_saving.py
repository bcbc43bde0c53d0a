"""Arrays in one file: complete or not there, and checked where it is looked at."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest

from headwater.lineage import saving

ARRAYS = {"one": np.arange(300_000, dtype=np.int32), "none": np.zeros(0, np.float64), "two": np.array([1.5, np.nan])}


def test_what_is_written_is_read_and_can_grow_in_memory_without_touching_the_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    saving.write(path, {"said": [1, "ä"]}, ARRAYS, {"one": 10, "none": 3})
    before = path.read_bytes()
    found = saving.read(path)
    assert found is not None
    assert found.facts == {"said": [1, "ä"]}
    for name, values in ARRAYS.items():
        assert np.array_equal(found.arrays[name].array, values, equal_nan=True)
    found.arrays["one"].append(np.arange(10))
    found.arrays["one"].array[0] = 7
    found.arrays["none"].append([2.0])
    found.arrays["two"].append([3.0, 4.0])
    assert found.arrays["two"].array[-1] == 4.0
    assert path.read_bytes() == before


def test_a_disk_that_is_full_leaves_the_file_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    saving.write(path, {"first": True}, ARRAYS, {})

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("headwater.lineage.saving.os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            saving.write(path, {"first": False}, ARRAYS, {})
    found = saving.read(path)
    assert found is not None
    assert found.facts == {"first": True}
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_of_a_large_file_the_beginnings_are_checked_at_once_and_all_of_it_on_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "_CHECKED_WHOLE", 0)
    monkeypatch.setattr(saving, "_SOME", 0)
    path = tmp_path / "file"
    saving.write(path, {}, ARRAYS, {})
    whole = path.read_bytes()
    last = saving._PAGE + 4 * 299_999
    path.write_bytes(whole[:last] + b"!" + whole[last + 1 :])
    assert saving.read(path) is not None
    assert saving.read(path, whole=True) is None
    monkeypatch.setattr(saving, "_SOME", 100)
    assert saving.read(path) is None
    first = saving._PAGE
    path.write_bytes(whole[:first] + b"!" + whole[first + 1 :])
    monkeypatch.setattr(saving, "_SOME", 0)
    assert saving.read(path) is None


@pytest.mark.parametrize(
    "content", [b"", b"x", b"x" * 10_000, saving._MAGIC + b"\0" * 10_000, saving._MAGIC + b"{}" + b"\0" * 9_000]
)
def test_another_file_is_none_of_ours(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert saving.read(path) is None
    assert saving.read(tmp_path / "nowhere") is None
    assert saving.read(tmp_path) is None
