"""A copy of the ledger while it is in use, with a manifest by which the copy can be checked before it is trusted."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from headwater import __version__
from headwater.errors import Conflict, StorageFailed, UnreadableSource
from headwater.ledger.copying import copy_whole
from headwater.ledger.ledger import Ledger, now
from headwater.ledger.schema import connect_engine, expect_schema, open_engine

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds: how far it goes, its SHA-256, and by which Headwater it was taken when."""

    sequence: int
    base_iri: str | None
    sha256: str
    bytes: int
    version: str
    taken_at: str


def manifest_path(copy: Path) -> Path:
    """Where the manifest of a copy lies: beside it.

    >>> manifest_path(Path("monday.sqlite")).name
    'monday.sqlite.json'
    """
    return copy.with_name(copy.name + ".json")


def take(ledger: Path, copy: Path) -> Manifest:
    """Copy a SQLite ledger as it is at one moment, whoever else uses it. Raises `Conflict` if there is a file `copy` already.

    SQLite's online backup copies a consistent state; copying the file itself would not, as part of it stands in the WAL.
    """

    def fill(part: Path) -> None:
        address = f"{ledger.resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as source, closing(sqlite3.connect(part)) as target:
            source.backup(target)

    return _taken(copy, fill)


def take_from(ledger: Ledger, copy: Path, progress: Callable[[int, int | None], None] | None = None) -> Manifest:
    """Copy a ledger in any database into a file as `take` makes it, up to the entry that is its last one now."""

    def fill(part: Path) -> None:
        target = Ledger(open_engine(f"sqlite:///{part}"))
        try:
            copy_whole(ledger, target, progress)
        finally:
            target.close()

    return _taken(copy, fill)


def _taken(copy: Path, fill: Callable[[Path], None]) -> Manifest:
    if copy.exists() or manifest_path(copy).exists():
        raise Conflict(f"{copy} exists already.", remedy="Choose another name: a backup replaces nothing.")
    part = copy.with_name(f".{copy.name}.part")
    try:
        part.unlink(missing_ok=True)
        fill(part)
        # A copy is one file: without this it would come with a WAL of its own when it is looked into.
        with closing(sqlite3.connect(part)) as target:
            target.execute("PRAGMA journal_mode=DELETE")
        _settle(part)
        manifest = _describe(part)
        part.replace(copy)
        manifest_path(copy).write_text(json.dumps(asdict(manifest), indent=2) + "\n", encoding="utf-8")
    except (sqlite3.Error, OSError) as error:
        raise StorageFailed(f"The ledger could not be copied to {copy}: {error}") from error
    finally:
        part.unlink(missing_ok=True)
    return manifest


def put_back(copy: Path, ledger: Path) -> Manifest:
    """Put a copy where a ledger is to be. Raises `UnreadableSource` for a damaged copy, `Conflict` where there is a ledger."""
    if ledger.exists():
        raise Conflict(f"There is a ledger in {ledger.parent} already.", remedy="Restore into an empty folder with --data.")
    expected = _read_manifest(copy)
    part = ledger.with_name(".ledger.part")
    try:
        ledger.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(b"")
        with copy.open("rb") as source, part.open("wb") as target:
            while chunk := source.read(_CHUNK):
                target.write(chunk)
        _settle(part)
        found = _describe(part)
        if found.sha256 != expected.sha256:
            raise UnreadableSource(
                f"{copy} is not what its manifest says: SHA-256 {found.sha256[:12]}… instead of {expected.sha256[:12]}…",
                remedy="Take another backup, or fetch this one again.",
            )
        part.replace(ledger)
    except sqlite3.Error as error:
        raise UnreadableSource(f"{copy} is not a ledger: {error}", remedy="Take another backup.") from error
    except OSError as error:
        raise StorageFailed(f"{copy} could not be put back as {ledger}: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    return expected


def put_into(copy: Path, ledger: Ledger, progress: Callable[[int, int | None], None] | None = None) -> Manifest:
    """Put a copy into an empty ledger in any database. Raises `UnreadableSource` for a damaged copy, `Conflict` for a ledger
    that is not empty.
    """
    expected = _read_manifest(copy)
    try:
        if _describe(copy).sha256 != expected.sha256:
            raise UnreadableSource(
                f"{copy} is not what its manifest says.", remedy="Take another backup, or fetch this one again."
            )
    except sqlite3.Error as error:
        raise UnreadableSource(f"{copy} is not a ledger: {error}", remedy="Take another backup.") from error
    except OSError as error:
        raise UnreadableSource(f"{copy}: {error.strerror or error}") from error
    source = Ledger(connect_engine(f"sqlite:///{copy}", reading=True))
    try:
        expect_schema(source.engine)
        copy_whole(source, ledger, progress)
    finally:
        source.close()
    return expected


def _describe(copy: Path) -> Manifest:
    with closing(sqlite3.connect(f"{copy.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        sequence = connection.execute("SELECT coalesce(max(sequence), 0) FROM revisions").fetchone()[0]
        base = connection.execute("SELECT value FROM facts WHERE name = 'base_iri'").fetchone()
    digest = hashlib.sha256()
    with copy.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return Manifest(sequence, base[0] if base else None, digest.hexdigest(), copy.stat().st_size, __version__, now())


def _read_manifest(copy: Path) -> Manifest:
    path = manifest_path(copy)
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return Manifest(**said)
    except OSError as error:
        raise UnreadableSource(f"{path}: {error.strerror}", remedy="A backup is two files: FILE and FILE.json.") from error
    except (ValueError, TypeError) as error:
        raise UnreadableSource(f"{path} is no manifest: {error}") from error


def _settle(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
