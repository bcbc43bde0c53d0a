"""Opening the data folder that a command works on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headwater.app import Headwater
    from headwater.settings import Settings

def settings(data: Path | None, **others: object) -> Settings:
    """The settings with what the command line said. Raises `BadParameter` for a wrong value in a variable or in headwater.toml."""
    from headwater.settings import load

    return load(data=data, **others)


@contextmanager
def opened(data: Path | None, **others: object) -> Iterator[Headwater]:
    """The Headwater object on the data folder, closed at the end. Raises `FolderBusy` if another process has it open."""
    from headwater.app import Headwater

    with Headwater.open(settings(data, **others)) as headwater:
        yield headwater
