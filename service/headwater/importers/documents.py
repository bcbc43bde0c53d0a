"""Reading one document whole, within the size that is allowed, and naming the record that it becomes."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from headwater.errors import TooLarge, UnreadableSource
from headwater.importers.protocol import Source
from headwater.terms.minting import short_hash

_HEAD = 8192
_STRAY = re.compile(r"[\x00-\x20<>\"{}|\\^`]")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`]*")


def head(path: Path) -> bytes:
    """The first eight kilobytes, to recognise a document by; nothing for what is no file."""
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(_HEAD)


def whole(path: Path, name: str, most: int) -> bytes:
    """The bytes of a document. Raises `TooLarge` beyond `most` bytes, before anything is read."""
    size = path.stat().st_size
    if size > most:
        raise too_large(name, size, most)
    return path.read_bytes()


def too_large(name: str, size: int, most: int) -> TooLarge:
    """The error for a document of more bytes than are allowed."""
    return TooLarge(
        f"{name} has {size / 2**20:.0f} MiB; {most / 2**20:.0f} MiB are allowed.", remedy="Split it, or raise max_upload_mb."
    )


def record_key(source: Source, data: bytes, format: str) -> str:
    """What makes this source the same one next time: where it lies; for an upload without a name, what it says.

    >>> record_key(Source(Path("a.json"), "a.json", 10, identity="/data/a.json"), b"", "prov").startswith("prov-")
    True
    """
    return f"{format}-{short_hash(source.identity)}" if source.identity else f"{format}-{hashlib.sha256(data).hexdigest()[:12]}"


class Repeated(list[Any]):
    """The values of a key that a JSON object holds more than once; a plain reader would keep the last one only."""


def json_document(data: bytes, name: str) -> Any:
    """JSON in UTF-8 (a byte order mark is let pass), with repeated keys kept as `Repeated`. Raises `UnreadableSource`.

    >>> json_document(b'{"a": 1, "a": 2}', "x.json")
    {'a': [1, 2]}
    """
    try:
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=_keep_all)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        where = name if line is None else f"{name}:{line}"
        raise UnreadableSource(f"{where}: is no JSON ({error}).", line=line) from error


def _keep_all(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key not in found:
            found[key] = value
        elif isinstance(found[key], Repeated):
            found[key].append(value)
        else:
            found[key] = Repeated([found[key], value])
    return found


def as_list(value: Any) -> list[Any]:
    """One or several values of JSON as a list; nothing for null.

    >>> as_list("a"), as_list(["a"]), as_list(None)
    (['a'], ['a'], [])
    """
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def encoded(iri: str) -> str:
    """The IRI with characters that may not stand in one percent-encoded.

    >>> encoded("https://data.example/Original requirements.txt")
    'https://data.example/Original%20requirements.txt'
    """
    return _STRAY.sub(lambda match: "".join(f"%{byte:02X}" for byte in match.group().encode("utf-8", "surrogatepass")), iri)


def is_absolute(iri: str) -> bool:
    """Whether the text is an IRI that means the same thing everywhere.

    >>> is_absolute("urn:uuid:1"), is_absolute("context"), is_absolute("a b:c")
    (True, False, False)
    """
    return _ABSOLUTE.fullmatch(iri) is not None
