"""What an exporter is, ours or a stranger's: it writes what is known of one object in a format that others read.

Every exporter keeps two promises: it says only what the description says, and marks what its format demands but nobody knows;
and a name or text from the graph stays a text, whatever it contains.
"""

from __future__ import annotations

from typing import Protocol

from headwater.questions.description import Description


class Exporter(Protocol):
    """One target format. `name` is what `?format=` and `--as` say; `kinds` the kinds of object it fits, None for all."""

    name: str
    title: str
    media_type: str
    extension: str
    kinds: frozenset[str] | None

    def render(self, description: Description) -> bytes:
        """The whole document. Raises `NotAcceptable` if this object cannot be said in this format."""
        ...
