"""The demonstration project: a small lab's real runs, ready to be asked about, for notebooks, tests and `headwater demo`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from headwater import assets
from headwater.access import LOCAL
from headwater.app import Headwater
from headwater.errors import BadParameter, HeadwaterError
from headwater.settings import load

MARK = "demonstration"
"""The fact by which a data folder is known as the demonstration's own."""
QUESTIONS = ("impact", "benefits", "lineage")


def plan() -> dict[str, Any]:
    """What the demonstration loads and asks, from `demo.toml`: `title base_iri visibility sources questions`.

    Raises `HeadwaterError` where the file is not there, `BadParameter` where it asks what cannot be asked.

    >>> [question["ask"] for question in plan()["questions"]]
    ['impact', 'impact', 'benefits']
    """
    path = assets.folder("demo") / "demo.toml"
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise HeadwaterError(
            f"the demonstration project is not there: {path}: {error.strerror}", remedy="Install Headwater again."
        ) from error
    for question in read["questions"]:
        if question["ask"] not in QUESTIONS:
            raise BadParameter(f"{path.name}: 'ask' must be one of {', '.join(QUESTIONS)}, not {question['ask']!r}")
    return read


def open_demonstration(data: Path | str) -> Headwater:
    """A Headwater with the demonstration project in it, kept in the folder `data`; close it when done.

    Opening the same folder again loads nothing anew. Raises `BadParameter` for a folder that holds other data, `FolderBusy` where
    another process has it open.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder, open_demonstration(folder) as headwater:
    ...     headwater.counts(LOCAL)["model"]
    26
    """
    planned = plan()
    headwater = Headwater.open(load(data=Path(data), base_iri=planned["base_iri"]))
    try:
        if headwater.ledger.fact(MARK) is None:
            if headwater.sequence:
                raise BadParameter(f"{data}: this folder holds other data", remedy="Name a new folder.", parameter="data")
            headwater.ledger.fix(MARK, planned["title"])
        for source in planned["sources"]:
            report = headwater.import_source(
                assets.folder("demo") / source["path"],
                format=source.get("format", "auto"),
                visibility=planned["visibility"],
                by=LOCAL.name,
            )
            if not report.ok:
                raise HeadwaterError(f"a part of the demonstration project did not come in: {source['path']}")
    except BaseException:
        headwater.close()
        raise
    return headwater
