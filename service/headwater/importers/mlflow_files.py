"""Reading the small files of a tracking folder with suspicion: bounded, in any encoding, never out of the folder."""

# pathlib costs a third of the time of a small run
# ruff: noqa: PTH114, PTH116, PTH123
from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from typing import Any

import yaml

from headwater.records.draft import Finding

_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""Base, not Safe: every scalar stays the text that MLflow wrote (no dates, no huge integers, nothing built); 0.09 ms a file."""

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
"""Characters that XML 1.0 cannot hold, so that neither RDF/XML nor a SPARQL result could be written with them."""

_LARGEST_VALUE = 1_000_000
"""Bytes of one parameter, tag or meta.yaml; MLflow's own limit is 8,000 characters for a tag."""

_FIRST_READ = 16_384
"""Bytes that are asked for at first: asking for `_LARGEST_VALUE` makes room for all of it, 15 µs a file."""

_DEEPEST = 200
"""Levels in a YAML file; libyaml's reader is recursive and takes the whole process down at some 30,000."""

_STACKED = re.compile(rb"(?:[-?:][ \t]+){%d}" % _DEEPEST)
_TOP_LEVEL_KEY = re.compile(rb"^[A-Za-z_][\w.-]*:", re.MULTILINE)
_KEY, _QUOTED, _EMPTIES = rb"[A-Za-z_][A-Za-z0-9_.]{0,99}", rb"[A-Za-z0-9_./:+ -]*", rb"\[\]|\{\}"
_WORD = rb"[A-Za-z0-9/](?:[A-Za-z0-9_./+-]|:(?=[A-Za-z0-9_./+-]))*"
_PLAIN = rb"%b(?: %b)*" % (_WORD, _WORD)
FLAT = re.compile(rb"(?:%b: (?:%b|'%b'|%b)\n)+" % (_KEY, _PLAIN, _QUOTED, _EMPTIES))
"""A file of nothing but `key: value` lines that mean what they look like: most are, and YAML's reader takes 50 µs for each."""
_FLAT_LINE = re.compile(rb"(%b): (?:(%b)|'(%b)'|(%b))\n" % (_KEY, _PLAIN, _QUOTED, _EMPTIES))
_EMPTY: dict[bytes, type[list[object]] | type[dict[str, object]]] = {b"[]": list, b"{}": dict}

_NOTHING = frozenset({"", "null", "~", "Null", "NULL", "None"})


class Broken(Exception):
    """A file that cannot be read, and the line where that showed."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def writable(text: str) -> str:
    """`text` without the characters that no RDF syntax could carry everywhere.

    >>> writable("a\\x00b")
    'a\\ufffdb'
    """
    return _UNWRITABLE.sub("\ufffd", text) if _UNWRITABLE.search(text) else text


def decoded(raw: bytes) -> tuple[str, str | None]:
    """The text in `raw` and, where it is not plain UTF-8, what was done to read it.

    >>> decoded("Köln".encode("latin-1"))
    ('Köln', 'read as Latin-1')
    """
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return writable(raw.decode("utf-16", "replace")), "read as UTF-16"
    try:
        text = raw.decode("utf-8")
        note = None
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
        note = "read as Latin-1"
    clean = writable(text)
    if clean is not text:
        note = "control characters replaced" if note is None else f"{note}, control characters replaced"
    return clean, note


def text_of(value: object) -> str | None:
    """A scalar of a meta.yaml as text; None for nothing at all, and for lists and mappings."""
    return None if not isinstance(value, str) or value in _NOTHING else writable(value)


class Folder:
    """Reading beneath `root`. `shown` is what people call it; `limit` is the folder that no symbolic link may leave."""

    def __init__(self, root: str, shown: str, max_bytes: int, limit: str | None = None) -> None:
        self.root = root
        self.shown = shown
        self.max_bytes = max_bytes
        self._limit = os.path.realpath(limit or root)

    def where(self, path: str) -> str:
        """`path` for people: relative to the folder, with the folder's name in front."""
        tail = path[len(self.root) :].replace(os.sep, "/")
        return file_name(self.shown + tail)[0]

    def entries(self, folder: str, findings: list[Finding]) -> list[os.DirEntry[str]]:
        """What is in `folder`, by name; nothing where it does not exist. Links out of the folder are left out and reported."""
        if os.path.islink(folder) and not self._stays(folder, findings):
            return []
        try:
            with os.scandir(folder) as found:
                kept = [entry for entry in found if not entry.is_symlink() or self._stays(entry.path, findings)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            findings.append(Finding("failed", "unreadable-folder", str(error.strerror), self.where(folder)))
            return []
        kept.sort(key=_name)
        return kept

    def folders(self, folder: str, findings: list[Finding]) -> list[os.DirEntry[str]]:
        """The folders in `folder`, by name."""
        return [entry for entry in self.entries(folder, findings) if entry.is_dir()]

    def files(self, folder: str, findings: list[Finding], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
        """The plain files beneath `folder` as (name, path): a key with slashes is a file in sub-folders.

        Sub-folders that are symbolic links are reported, and so is what is neither file nor folder (a pipe would wait forever).
        """
        for entry in self.entries(folder, findings):
            name, repaired = file_name(entry.name)
            if repaired:
                findings.append(Finding("repaired", "file-name-not-utf8", "the name was read as Latin-1", self.where(entry.path)))
            if entry.is_file():
                yield prefix + name, entry.path
            elif entry.is_dir() and not entry.is_symlink() and depth < 20:
                yield from self.files(entry.path, findings, f"{prefix}{name}/", depth + 1)
            else:
                findings.append(
                    Finding("failed", "not-a-file", "neither a plain file nor a plain folder", self.where(entry.path))
                )

    def content(self, path: str, largest: int = _LARGEST_VALUE) -> bytes:
        """A file's bytes. Raises `Broken` where it is larger than allowed or cannot be opened."""
        largest = min(largest, self.max_bytes)
        try:
            with open(path, "rb", buffering=0) as file:
                raw = file.read(_FIRST_READ)
                while len(raw) >= _FIRST_READ and len(raw) <= largest and (more := file.read(largest + 1 - len(raw))):
                    raw += more
        except OSError as error:
            raise Broken(f"cannot be opened: {error.strerror}") from error
        if len(raw) > largest:
            raise Broken(f"larger than {largest} bytes")
        return raw

    def values(self, folder: str, findings: list[Finding]) -> dict[str, str]:
        """The files beneath `folder` as name and text: how MLflow keeps parameters and tags."""
        found: dict[str, str] = {}
        for name, path in self.files(folder, findings):
            value = self.text(path, findings)
            if value is not None:
                found[name] = value
        return found

    def text(self, path: str, findings: list[Finding]) -> str | None:
        """A file's text; None, and a finding, where it cannot be read."""
        try:
            text, note = decoded(self.content(path))
        except Broken as error:
            findings.append(Finding("failed", "unreadable-value", error.message, self.where(path)))
            return None
        if note is not None:
            findings.append(Finding("repaired", "encoding", note, self.where(path)))
        return text

    def meta(self, path: str, findings: list[Finding]) -> dict[str, Any]:
        """A `meta.yaml` as a mapping of texts. Raises `Broken` with the line where it is no such thing."""
        try:
            kind = os.lstat(path).st_mode
            if stat.S_ISLNK(kind):
                if not self._stays(path, findings):
                    raise Broken("is a symbolic link that leads out of the folder")
                kind = os.stat(path).st_mode
        except OSError as error:
            raise Broken(f"cannot be opened: {error.strerror}") from error
        if not stat.S_ISREG(kind):
            raise Broken("is not a plain file")
        raw = self.content(path)
        found = parse_mapping(raw)
        if len(_TOP_LEVEL_KEY.findall(raw)) > len(found):
            findings.append(Finding("repaired", "duplicate-key", "a key stands twice; the last one counts", self.where(path)))
        return found

    def _stays(self, path: str, findings: list[Finding]) -> bool:
        target = os.path.realpath(path)
        if target == self._limit or target.startswith(self._limit + os.sep):
            return True
        what = "a symbolic link that leads out of the folder is not followed"
        findings.append(Finding("failed", "link-out-of-folder", what, self.where(path)))
        return False


def parse_mapping(raw: bytes) -> dict[str, Any]:
    """YAML whose top is a mapping; every scalar is text. Raises `Broken` with the line.

    >>> parse_mapping(b"status: 3")
    {'status': '3'}
    """
    if FLAT.fullmatch(raw):
        rows = _FLAT_LINE.findall(raw)
        return {key.decode(): _EMPTY[empty]() if empty else (plain or quoted).decode() for key, plain, quoted, empty in rows}
    if _too_deep(raw):
        raise Broken(f"nested more than {_DEEPEST} levels deep")
    try:
        found = yaml.load(raw, Loader=_Loader)  # noqa: S506  (BaseLoader builds texts, lists and mappings, nothing else)
    except yaml.reader.ReaderError as error:
        line = raw[: int(error.position)].count(b"\n") + 1
        raise Broken(f"is not UTF-8 text: {error.reason}", line) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Broken(
            f"is not valid YAML: {error.problem or error.context}", min(mark.line + 1, lines_of(raw)) if mark else None
        ) from error
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        raise Broken(f"is not valid YAML: {error}") from error
    if found is None or found == "":
        raise Broken("is empty", 1)
    if not isinstance(found, dict):
        raise Broken("does not hold 'key: value' lines", 1)
    return found


def lines_of(raw: bytes) -> int:
    """How many lines a file has: where one that was cut off ends.

    >>> lines_of(b"a: 1\\nb"), lines_of(b"a: 1\\n"), lines_of(b"")
    (2, 1, 1)
    """
    return len(raw.splitlines()) or 1


def _too_deep(raw: bytes) -> bool:
    if _STACKED.search(raw):
        return True
    if raw.count(b"[") + raw.count(b"{") <= _DEEPEST:
        return False
    depth = 0
    for bracket in re.findall(rb"[\[\]{}]", raw):
        depth += 1 if bracket in b"[{" else -1
        if depth > _DEEPEST:
            return True
    return False


def file_name(name: str) -> tuple[str, bool]:
    """A file name as text that can be written, and whether it had to be mended: names need not be UTF-8.

    >>> file_name("caf\\udce9")
    ('café', True)
    """
    clean = writable(name)
    if clean is name:
        return name, False
    return writable(os.fsencode(name).decode("latin-1")), True


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name
