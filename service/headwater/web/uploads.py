"""Taking in a document over HTTP: streamed to a temporary file, never larger than the setting allows."""

from __future__ import annotations

import re
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from anyio import to_thread
from fastapi import Depends, Request
from pyoxigraph import RdfFormat

from headwater.errors import BadInput, TooLarge
from headwater.web.readers import App, Writer
from headwater.web.write_line import the_line

_SUFFIXES = {
    "application/json": "json",
    "application/zip": "zip",
    "application/x-zip-compressed": "zip",
    "application/yaml": "yaml",
    "application/x-yaml": "yaml",
    "text/yaml": "yaml",
    "text/markdown": "md",
    "text/csv": "csv",
    "application/vnd.sqlite3": "db",
    "application/x-sqlite3": "db",
}
_FILENAME = re.compile(r"filename\*?=(?:UTF-8'')?\"?([^\";]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Upload:
    """A document on disk for as long as its request lasts. `name` is what the sender calls it, without folders."""

    path: Path
    name: str
    media_type: str | None
    size: int


async def bounded(request: Request, most: int, limit: str) -> AsyncIterator[bytes]:
    """The body in pieces. Raises `TooLarge` as soon as it exceeds `most` bytes, before anything is read if it says so itself."""
    said = request.headers.get("content-length", "")
    if said.isdigit() and int(said) > most:
        raise TooLarge(f"the body has {int(said):,} bytes; the limit is {limit}")
    taken = 0
    async for piece in request.stream():
        taken += len(piece)
        if taken > most:
            raise TooLarge(f"the body has more than {limit}")
        yield piece


async def received(request: Request, headwater: App, writer: Writer) -> AsyncIterator[Upload]:
    """The body as a file, for a sender who may write; it is deleted when the request ends."""
    del writer  # asked for first, so that a stranger's body is not even read
    # Nor one that would only wait to be refused.
    the_line(request).room(getattr(request.state, "counted_as", None))
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower() or None
    limit = headwater.settings.max_upload_mb
    with tempfile.TemporaryDirectory(prefix="headwater-upload-") as folder:
        name = file_name(request.headers.get("content-disposition"), media_type)
        path = Path(folder) / name
        size = 0
        with path.open("wb") as file:
            async for piece in bounded(request, limit * 1024 * 1024, f"{limit} MiB (max_upload_mb)"):
                await to_thread.run_sync(file.write, piece)
                size += len(piece)
        if not size:
            raise BadInput("the body is empty", remedy="Send the document as the body of the request.")
        yield Upload(path, name, media_type, size)


def file_name(disposition: str | None, media_type: str | None) -> str:
    """What to call an upload: the sender's file name without folders, else `upload` with the suffix of its media type.

    >>> file_name('attachment; filename="../../etc/runs.ttl"', None), file_name(None, "text/turtle")
    ('runs.ttl', 'upload.ttl')
    """
    found = _FILENAME.search(disposition or "")
    if found:
        last = re.split(r"[/\\]", found[1].strip())[-1]
        clean = re.sub(r"[^\w.() -]", "_", last).strip(". ")[:120]
        if clean:
            return clean
    known = RdfFormat.from_media_type(media_type) if media_type else None
    suffix = known.file_extension if known and media_type not in _SUFFIXES else _SUFFIXES.get(media_type or "", "")
    return f"upload.{suffix}" if suffix else "upload"


Received = Annotated[Upload, Depends(received)]
