"""Whatever happens between the ledger's commit and the end of a write, the next start has all of it, once."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from headwater.access import LOCAL
from headwater.app import Headwater
from headwater.errors import FolderBusy, StorageFailed
from headwater.lineage.index import LineageIndex
from headwater.settings import Settings
from headwater.store.embedded import EmbeddedStore

from .conftest import BASE, PREFIXES

Opened = Callable[..., Headwater]
Write = Callable[..., object]

_CHILD = """
import os, signal, sys
from pathlib import Path
from headwater.app import Headwater
from headwater.app.writing import Writer
from headwater.lineage.index import LineageIndex
from headwater.settings import Settings
from headwater.store.embedded import EmbeddedStore

def die(*_args, **_named):
    os.kill(os.getpid(), signal.SIGKILL)

folder, source, point, visibility = sys.argv[1:]
headwater = Headwater.open(Settings(data=Path(folder), base_iri="https://data.example/"))
if point == "between ledger and store":
    Writer._apply_to_store = die
elif point == "between store and index":
    Writer._apply_to_index = die
elif point == "after the copy of the public view":
    real = EmbeddedStore.load
    def load(self, added, sequence):
        half = list(added)[::2]
        self._live.bulk_extend(half)
        die()
    EmbeddedStore.load = load
elif point == "in the middle of a rebuild":
    def load(self, added, sequence):
        quads = iter(added)
        self._live.bulk_extend([next(quads) for _ in range(12)])
        die()
    EmbeddedStore.load = load
    headwater.rebuild()
elif point == "while clearing":
    def clear(self):
        for quad in list(self._live.quads_for_pattern(None, None, None, None))[:8]:
            self._live.remove(quad)
        from headwater.store.protocol import STATE
        for quad in list(self._live.quads_for_pattern(STATE, None, None, STATE)):
            self._live.remove(quad)
        die()
    EmbeddedStore.clear = clear
    headwater.rebuild()
elif point == "while the index is saved":
    from headwater.lineage import saving
    def write(path, *_):
        path.with_name(path.name + ".part").write_bytes(b"half of it")
        die()
    saving.write = write
report = headwater.import_source(Path(source), visibility=visibility)
if point == "right after the answer":
    die()
headwater.close()
die()
"""
_POINTS = [
    "between ledger and store",
    "between store and index",
    "after the copy of the public view",
    "in the middle of a rebuild",
    "while clearing",
    "while the index is saved",
    "right after the answer",
]
_FIRST = "x:run a mls:Run ; rdfs:label 'first' ; prov:used x:data . x:data a mls:Dataset ; rdfs:label 'data' ."
_SECOND = "x:run2 a mls:Run ; rdfs:label 'second' ; prov:used x:data . x:model a mls:Model ; prov:wasGeneratedBy x:run2 ."


def _killed(folder: Path, source: Path, point: str, visibility: str = "internal") -> None:
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(folder), str(source), point, visibility], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]


@pytest.mark.parametrize("point", _POINTS)
def test_a_process_killed_in_a_write_loses_nothing_and_repeats_nothing(
    point: str, folder: Path, tmp_path: Path, opened: Opened, write: Write
) -> None:
    first = opened()
    write(first, "first", _FIRST)
    first.close()
    source = tmp_path / "second.ttl"
    source.write_text(PREFIXES + _SECOND, encoding="utf-8")
    _killed(folder, source, point)
    again = opened()
    expected = 1 if point in ("in the middle of a rebuild", "while clearing") else 2
    assert again.verify() == []
    assert again.status()["ledger"] == again.sequence == expected
    assert again.status()["ready"]
    report = again.import_source(source, visibility="internal")
    assert report.statuses["created"] == 2 - expected
    assert report.statuses["unchanged"] == expected - 1
    assert again.verify() == []
    assert again.counts(LOCAL) == {"run": 2, "dataset": 1, "model": 1}


def test_rebuilding_gives_what_following_gave(opened: Opened, write: Write, folder: Path) -> None:
    headwater = opened()
    write(headwater, "first", _FIRST)
    write(headwater, "second", _SECOND, visibility="internal")
    write(headwater, "first", _FIRST.replace("data", "other"))
    write(headwater, "third", "x:thing a mls:Model .", visibility="project:beam")
    headwater.withdraw(_record_of(headwater, "third"), LOCAL, by="ada", reason="a slip")
    before = {str(quad) for quad in headwater._store.quads() if "store-state" not in str(quad)}
    rows = headwater._index.rows_as_sets()
    headwater.rebuild()
    assert {str(quad) for quad in headwater._store.quads() if "store-state" not in str(quad)} == before
    assert headwater._index.rows_as_sets() == rows
    headwater.close()
    shutil.rmtree(folder / "store")
    shutil.rmtree(folder / "index")
    again = opened()
    assert again.verify() == []
    assert {str(quad) for quad in again._store.quads() if "store-state" not in str(quad)} == before


def _record_of(headwater: Headwater, name: str) -> str:
    return next(revision.iri for revision in headwater.ledger.recent(50) if revision.title == f"{name}.ttl")


def _tear(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("damage", ["torn", "empty", "foreign", "flipped", "gone", "a folder"])
def test_an_index_file_that_cannot_be_used_is_made_anew(damage: str, opened: Opened, write: Write, folder: Path) -> None:
    headwater = opened()
    write(headwater, "first", _FIRST)
    headwater.close()
    path = folder / "index" / "lineage.index"
    content = path.read_bytes()
    if damage == "torn":
        _tear(path)
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "foreign":
        path.write_bytes(b"\x93NUMPY\x01\x00 no index of ours")
    elif damage == "flipped":
        path.write_bytes(content[:300] + bytes([content[300] ^ 0xFF]) + content[301:])
    else:
        path.unlink()
        if damage == "a folder":
            path.mkdir()
    again = opened()
    assert again.verify() == []
    assert again.sequence == 1


@pytest.mark.parametrize("part", ["CURRENT", "MANIFEST-*", "*.sst", "everything"])
def test_a_damaged_store_is_put_aside_and_made_anew(
    part: str, opened: Opened, write: Write, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    headwater = opened()
    write(headwater, "first", _FIRST)
    headwater.rebuild()  # by bulk load, so that there are table files
    headwater.close()
    for path in (folder / "store").glob("*" if part == "everything" else part):
        if path.is_file() and path.name != "LOCK":
            path.write_bytes(b"\x00garbage" * 20)
    with caplog.at_level(logging.WARNING, "headwater"):
        again = opened()
    assert again.verify() == []
    assert "made anew" in caplog.text
    again.close()
    assert (folder / "store.damaged").is_dir()


def test_an_older_ledger_put_back_under_a_newer_store_is_noticed(opened: Opened, write: Write, folder: Path) -> None:
    headwater = opened()
    write(headwater, "first", _FIRST)
    headwater.close()
    kept, index = folder.parent / "kept.sqlite", folder.parent / "kept.index"
    shutil.copy(folder / "ledger.sqlite", kept)
    shutil.copy(folder / "index" / "lineage.index", index)
    headwater = opened()
    write(headwater, "second", _SECOND)
    headwater.close()
    for leftover in folder.glob("ledger.sqlite*"):
        leftover.unlink()
    shutil.copy(kept, folder / "ledger.sqlite")
    shutil.copy(index, folder / "index" / "lineage.index")  # level with the ledger; only the store is ahead
    again = opened()
    assert again.verify() == []
    assert again.counts(LOCAL) == {"run": 1, "dataset": 1}


def test_what_a_full_disk_kept_from_the_store_is_there_after_the_next_write(
    opened: Opened, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    headwater = opened()
    write(headwater, "first", _FIRST)
    full = OSError(errno.ENOSPC, "No space left on device")

    def refuse(*_: object) -> None:
        raise StorageFailed(f"The triplestore could not be written: {full}")

    with monkeypatch.context() as patched:
        patched.setattr(EmbeddedStore, "change", refuse)
        with pytest.raises(StorageFailed, match="No space left") as caught:
            write(headwater, "second", _SECOND)
        assert "safe in the ledger as number 2" in caught.value.remedy
        with pytest.raises(StorageFailed):
            write(headwater, "third", "x:third a mls:Run .")
        assert headwater.ledger.last_sequence() == 2, "a store that cannot follow takes no further write"
    write(headwater, "third", "x:third a mls:Run .")
    assert headwater.verify() == []
    assert headwater.counts(LOCAL) == {"run": 3, "dataset": 1, "model": 1}


def test_the_index_is_saved_now_and_then_and_not_only_at_the_end(
    opened: Opened, write: Write, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setattr("headwater.app.writing._SAVE_EVERY", 3)
    headwater = opened()
    for number in range(1, 8):
        write(headwater, f"r{number}", f"x:run{number} a mls:Run ; prov:used x:data .")
        saved = LineageIndex.load(folder / "index")
        assert (saved.sequence if saved is not None else 0) == number // 3 * 3
    assert headwater.verify() == []


def test_an_index_that_cannot_be_saved_is_told_and_costs_nothing_else(
    opened: Opened, write: Write, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, folder: Path
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    headwater = opened()
    write(headwater, "first", _FIRST)
    with monkeypatch.context() as patched:
        patched.setattr("headwater.lineage.saving.os.fsync", full)
        headwater.close()
    assert "could not be saved" in caplog.text
    assert list((folder / "index").iterdir()) == []
    assert opened().verify() == []


def _fill(path: Path) -> None:
    file = os.open(path, os.O_CREAT | os.O_WRONLY)
    with suppress(OSError):
        while True:
            os.write(file, b"\0" * 4096)
    os.close(file)


def test_a_disk_that_is_really_full_refuses_and_keeps_what_was_accepted(tmp_path: Path, write: Write) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(mount)]
    if os.geteuid() != 0 or subprocess.run(mounting, capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        settings = Settings(data=mount / "data", base_iri=BASE)
        with Headwater.open(settings) as headwater:
            write(headwater, "first", _FIRST)
            filler = mount / "filler"
            _fill(filler)
            big = "".join(f"x:run{n} a mls:Run ; rdfs:label '{'long ' * 20}{n}' ." for n in range(300))
            with pytest.raises(StorageFailed):
                write(headwater, "second", big)
            filler.unlink()
            accepted = headwater.ledger.last_sequence()
        with Headwater.open(settings) as again:
            assert again.verify() == []
            assert again.sequence == accepted
            assert again.import_source(tmp_path / "second.ttl").ok
            assert again.verify() == []
            assert again.counts(LOCAL)["run"] == 301
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=True)


def test_a_second_process_is_told_who_has_the_folder(opened: Opened, folder: Path) -> None:
    opened()
    code = (
        "import sys\nfrom pathlib import Path\nfrom headwater.app import Headwater\nfrom headwater.settings import Settings\n"
        "from headwater.errors import FolderBusy\n"
        "try:\n    Headwater.open(Settings(data=Path(sys.argv[1])))\n"
        "except FolderBusy as error:\n    print(error.extra['process'], error.detail)\n    sys.exit(error.exit_code)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.split()[0]) == (1, str(os.getpid())), done.stderr
    assert str(folder) in done.stdout


def test_a_folder_opened_twice_in_one_process_is_busy_too(opened: Opened) -> None:
    opened()
    with pytest.raises(FolderBusy):
        opened()


def test_a_folder_can_be_opened_again_after_an_opening_that_failed(opened: Opened, folder: Path) -> None:
    opened().close()
    (folder / "ledger.sqlite").rename(folder / "away")
    (folder / "ledger.sqlite").write_bytes(b"this is no database" * 300)
    for leftover in folder.glob("ledger.sqlite-*"):
        leftover.unlink()
    with pytest.raises(StorageFailed, match="cannot be opened"):
        opened()
    (folder / "away").replace(folder / "ledger.sqlite")
    assert opened().verify() == []


def test_a_read_only_folder_is_refused_with_words(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom headwater.app import Headwater\nfrom headwater.settings import Settings\n"
        "from headwater.errors import StorageFailed\nimport os\n"
        "if os.geteuid() == 0:\n    os.setgid(65534); os.setuid(65534)\n"
        "try:\n    Headwater.open(Settings(data=Path(sys.argv[1])))\n"
        "except StorageFailed as error:\n    print(error.detail, error.remedy)\n    sys.exit(error.exit_code)\n"
    )
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o555)
    for parent in tmp_path.parents:
        if parent.owner() == tmp_path.owner() and parent.name.startswith("pytest-"):
            parent.chmod(0o755)
    tmp_path.chmod(0o755)
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stderr[-500:]
    assert "cannot be used: Permission denied" in done.stdout
    assert "--data" in done.stdout


def test_the_base_iri_is_fixed_when_a_folder_is_first_opened(opened: Opened) -> None:
    opened().close()
    again = opened(base_iri="https://elsewhere.example/")
    assert again.mint.base == BASE


def test_another_ontology_makes_store_and_index_anew(opened: Opened, write: Write, caplog: pytest.LogCaptureFixture) -> None:
    headwater = opened()
    write(headwater, "first", _FIRST)
    headwater._store.remember_ontology("0" * 64)
    wrong = next(iter(headwater._store.graph(headwater.views.public)))
    headwater._store._live.remove(
        next(headwater._store._live.quads_for_pattern(wrong.subject, wrong.predicate, wrong.object, None))
    )
    headwater.close()
    again = opened()
    assert "the ontology changed" in caplog.text
    assert again.verify() == []
    again.close()
    caplog.clear()
    opened()
    assert "the ontology changed" not in caplog.text


def test_a_truncated_ledger_is_a_clear_error(opened: Opened, write: Write, folder: Path) -> None:
    headwater = opened()
    for number in range(30):
        write(headwater, f"r{number}", f"x:run{number} a mls:Run ; rdfs:label '{'x' * 500}' .")
    headwater.close()
    with sqlite3.connect(folder / "ledger.sqlite") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    for leftover in folder.glob("ledger.sqlite-*"):
        leftover.unlink()
    _tear(folder / "ledger.sqlite")
    shutil.rmtree(folder / "store")
    with pytest.raises(StorageFailed, match="ledger"):
        opened()


def test_verify_says_what_differs(opened: Opened, write: Write) -> None:
    headwater = opened()
    write(headwater, "first", _FIRST)
    triple = next(headwater._store.graph(headwater.views.public))
    store = headwater._store._live
    store.remove(next(store.quads_for_pattern(triple.subject, triple.predicate, triple.object, headwater.views.public)))
    headwater._index._said.links["role"].array[0] = 0
    told = headwater.verify()
    assert any(sentence.startswith("The store lacks: ") for sentence in told)
    assert any(sentence.startswith("The index lacks one of its links: ") for sentence in told)
    headwater.rebuild()
    headwater._index.put("urn:stray", "public", None)
    headwater._index.sequence = 7
    assert headwater.verify()[0] == "The index stands at 7, the ledger at 1."
