"""The embedded store does what the protocol promises, in memory and on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from headwater.errors import FolderBusy, StorageFailed
from headwater.store import embedded
from headwater.store.embedded import EmbeddedStore
from headwater.store.protocol import NoSnapshots, StoreBroken, TripleStore
from headwater.testing import TripleStoreConformance


class TestInMemory(TripleStoreConformance):
    @pytest.fixture
    def store(self) -> Iterator[TripleStore]:
        store = EmbeddedStore(None)
        yield store
        store.close()


class TestOnDisk(TripleStoreConformance):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "store"

    @pytest.fixture
    def store(self, _folder: None) -> Iterator[TripleStore]:
        store = EmbeddedStore(self.folder)
        yield store
        store.close()

    def reopen(self, store: TripleStore) -> TripleStore:
        store.close()
        return EmbeddedStore(self.folder)


class TestByBulkLoad(TestInMemory):
    """The way that changes above the atomic limit take."""

    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(embedded, "_ATOMIC_LIMIT", 0)
        monkeypatch.setattr(embedded, "_BULK_FROM", 0)

    def test_a_change_that_fails_leaves_no_trace(self, filled: TripleStore) -> None:
        # A change of over 200,000 statements is not atomic: it keeps the old number and is made again at the next start.
        broken: list[Quad] = ["no statement", "none either"]  # type: ignore[list-item]
        with pytest.raises(TypeError):
            filled.change([], broken, 6)
        assert filled.sequence() == 5


class _Plain(EmbeddedStore):
    """A store that makes no snapshots, as a remote one may."""

    @property
    def snapshots(self) -> bool:
        return False

    def snapshot(self, folder: Path) -> EmbeddedStore:
        raise NoSnapshots(f"No snapshot was made in {folder}.")


class TestWithoutSnapshots(TripleStoreConformance):
    @pytest.fixture
    def store(self) -> Iterator[TripleStore]:
        store = _Plain(None)
        yield store
        store.close()


def test_a_store_that_was_closed_says_so() -> None:
    store = EmbeddedStore(None)
    store.close()
    with pytest.raises(StoreBroken, match="was closed"):
        store.sequence()


def test_a_store_that_is_open_elsewhere_is_busy(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "store")
    with pytest.raises(FolderBusy):
        EmbeddedStore(tmp_path / "store")
    store.close()


def test_a_forgotten_iterator_does_not_keep_the_folder_locked(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "store")
    store.change([], [Quad(NamedNode("urn:s"), NamedNode("urn:p"), Literal(str(n)), NamedNode("urn:g")) for n in range(10)], 1)
    next(store.quads())
    store.close()
    EmbeddedStore(tmp_path / "store").close()


def test_a_snapshot_that_is_not_there_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match="cannot be read"):
        EmbeddedStore.read_only(tmp_path / "nothing")
