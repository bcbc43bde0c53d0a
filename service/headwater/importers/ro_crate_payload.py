"""Where a crate lies - a folder, its metadata file, or a zip read in place - and the digests of the files in it."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import unquote

from headwater.errors import UnreadableSource
from headwater.importers.documents import too_large, whole
from headwater.importers.protocol import Source
from headwater.importers.ro_crate_metadata import NAMES

_MOST_METADATA = 64 * 2**20
"""Bytes of metadata that are read; the largest crate met has 0.6 MB."""
_MOST_DIGESTED = 256 * 2**20
"""Bytes of content that are read for digests in one crate; beyond that files go without."""
_CHUNK = 1 << 20
_MOST_ENTRIES = 100_000


class Payload(Protocol):
    """The files of a crate, by their path in it."""

    def metadata(self) -> bytes: ...

    def open(self, path: str) -> tuple[IO[bytes], int] | None:
        """A file with its size in bytes; None for what is not there or not in the crate."""
        ...


class Folder:
    """A crate as a folder. Only what lies inside it is ever opened, links resolved."""

    def __init__(self, root: Path, metadata: Path, name: str, most: int) -> None:
        self._root = root.resolve()
        self._metadata = metadata
        self._name = name
        self._most = min(most, _MOST_METADATA)

    def metadata(self) -> bytes:
        return whole(self._metadata, self._name, self._most)

    def open(self, path: str) -> tuple[IO[bytes], int] | None:
        try:
            found = (self._root / unquote(path)).resolve()
            if not found.is_relative_to(self._root) or not found.is_file():
                return None
            return found.open("rb"), found.stat().st_size
        except (OSError, ValueError):
            return None


class Zip:
    """A crate in a zip. Nothing is unpacked to disk, and no entry is read beyond the bytes that are allowed."""

    def __init__(self, archive: zipfile.ZipFile, name: str, most: int) -> None:
        self._archive = archive
        self._name = name
        self._most = min(most, _MOST_METADATA)
        found = metadata_entry(archive)
        if found is None:
            raise UnreadableSource(f"{name}: has no ro-crate-metadata.json at its top, so it is no crate.")
        self._entry = found
        self._prefix = found.rpartition("/")[0]

    def metadata(self) -> bytes:
        size = self._archive.getinfo(self._entry).file_size
        if size > self._most:
            raise too_large(f"{self._name}/{self._entry}", size, self._most)
        try:
            with self._archive.open(self._entry) as file:
                data = file.read(self._most + 1)
        except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError) as error:
            raise UnreadableSource(f"{self._name}/{self._entry}: cannot be read ({error}).") from error
        if len(data) > self._most:  # the size in the directory of a zip is only a claim
            raise too_large(f"{self._name}/{self._entry}", len(data), self._most)
        return data

    def open(self, path: str) -> tuple[IO[bytes], int] | None:
        inside = "/".join(part for part in (self._prefix, unquote(path).removeprefix("./")) if part)
        try:
            return self._archive.open(inside), self._archive.getinfo(inside).file_size
        except (KeyError, zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError):
            return None


def metadata_entry(archive: zipfile.ZipFile) -> str | None:
    """The metadata file at the top of a zip, or in the one folder at its top."""
    names = archive.namelist()[:_MOST_ENTRIES]
    found = [name for name in names if name.rpartition("/")[2] in NAMES and name.count("/") <= 1]
    return min(found, key=lambda name: (name.count("/"), name)) if found else None


def metadata_file(folder: Path) -> Path | None:
    """The metadata file of a crate that is a folder."""
    return next((folder / name for name in NAMES if (folder / name).is_file()), None)


@contextmanager
def opened(source: Source) -> Iterator[Payload]:
    """The crate of a source. Raises `UnreadableSource` where there is none."""
    if source.path.is_dir():
        found = metadata_file(source.path)
        if found is None:
            raise UnreadableSource(f"{source.name}: has no ro-crate-metadata.json, so it is no crate.")
        yield Folder(source.path, found, f"{source.name}/{found.name}", source.max_bytes)
    elif zipfile.is_zipfile(source.path):
        try:
            with zipfile.ZipFile(source.path) as archive:
                yield Zip(archive, source.name, source.max_bytes)
        except zipfile.BadZipFile as error:
            raise UnreadableSource(f"{source.name}: is a damaged zip ({error}).") from error
    else:
        yield Folder(source.path.parent, source.path, source.name, source.max_bytes)


class Digests:
    """SHA-256 digests of a crate's files, until the bytes that one crate may cost are spent."""

    def __init__(self, payload: Payload) -> None:
        self._payload = payload
        self._left = _MOST_DIGESTED

    def sha256(self, path: str) -> str | None:
        """The digest in hexadecimal; None for a file that is not there, cannot be read, or is too large for what is left."""
        found = self._payload.open(path)
        if found is None:
            return None
        file, size = found
        with file:
            if size > self._left:
                return None
            digest = hashlib.sha256()
            try:
                while chunk := file.read(_CHUNK):
                    self._left -= len(chunk)
                    if self._left < 0:
                        return None
                    digest.update(chunk)
            except (zipfile.BadZipFile, OSError, EOFError, ValueError):
                return None
        return digest.hexdigest()
