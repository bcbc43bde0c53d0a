"""Opening the data folder that a command works on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from headwater.errors import NotFound

if TYPE_CHECKING:
    from headwater.app import Headwater
    from headwater.settings import Settings


def settings(data: Path | None, **others: object) -> Settings:
    """The settings with what the command line said. Raises `BadParameter` for a wrong value anywhere."""
    from headwater.settings import load

    return load(data=data, **others)


@contextmanager
def opened(data: Path | None, *, create: bool = False, **others: object) -> Iterator[Headwater]:
    """The Headwater object on the data folder, closed at the end.

    Raises `FolderBusy` if another process has it open, and `NotFound` if there is none and `create` is not set: a question to a
    mistyped folder must not be answered from a new, empty one.
    """
    chosen = settings(data, **others)
    if not create and not holds_data(chosen):
        raise NotFound(
            f"there is no Headwater data in {chosen.data}",
            remedy="Import something with 'headwater import SOURCE', or name the right folder with --data.",
        )
    from headwater.app import Headwater

    with Headwater.open(chosen) as headwater:
        yield headwater


def holds_data(chosen: Settings) -> bool:
    """Whether a ledger was begun there. One with an address of its own is only known once it is opened."""
    return bool(chosen.ledger) or (chosen.data / "ledger.sqlite").is_file()
