"""Headwater itself: ledger, store, index and gate wired together, and everything that can be asked of them."""

from __future__ import annotations

from headwater.app.explaining import Explaining
from headwater.app.inspecting import Inspector
from headwater.app.objects import Objects
from headwater.app.planning import Planning
from headwater.app.readiness import Readiness
from headwater.app.report import ImportReport, RecordOutcome
from headwater.app.reporting import Reporting
from headwater.app.stating import Stating
from headwater.app.statistics import Counting
from headwater.app.updating import Updating
from headwater.app.values import Banner, Exported, ObjectList

__all__ = ["Banner", "Exported", "Headwater", "ImportReport", "Inspector", "ObjectList", "RecordOutcome"]


class Headwater(Explaining, Reporting, Planning, Stating, Updating, Counting, Objects, Readiness):
    """A data folder, opened. Safe to use from several threads; only one process can have a folder open.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from headwater.settings import Settings
    >>> with TemporaryDirectory() as folder:
    ...     with Headwater.open(Settings(data=Path(folder), store="memory")) as headwater:
    ...         headwater.sequence
    0
    """
