"""What an importer is, ours or a stranger's: it recognises a source, and reads it into drafts.

Every importer keeps four promises: the source is never changed; nothing is opened over the network; nothing from it is
executed or unpickled; and a damaged part never stops the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from headwater.records.draft import Draft, Failure
from headwater.terms.minting import Mint


@dataclass(frozen=True, slots=True)
class Source:
    """A file or folder on disk. `name` is what people call it (an upload keeps its own); `media_type` if a client said one.

    `max_bytes` is the largest single file that may be read. `identity` is what makes it the same source next time (its place on
    disk, or the name that a client gave it); empty where only its content can tell.
    """

    path: Path
    name: str
    max_bytes: int
    media_type: str | None = None
    identity: str = ""


@dataclass(frozen=True, slots=True)
class Sniff:
    """How sure an importer is (0 to 1) that a source is its own, and why."""

    confidence: float
    reason: str


class Importer(Protocol):
    """One source format. `evidence` is what its links count as where the source does not say."""

    name: str
    version: str
    title: str
    evidence: str

    def sniff(self, source: Source) -> Sniff | None:
        """Is this source mine? Looks at names and at the first few kilobytes only; None means no."""
        ...

    def size(self, source: Source) -> int | None:
        """How many drafts to expect, for the progress bar; None if that is not known before reading."""
        ...

    def read(self, source: Source, mint: Mint) -> Iterator[Draft | Failure]:
        """The drafts, one by one. Raises `UnreadableSource` only if nothing at all can be read."""
        ...
