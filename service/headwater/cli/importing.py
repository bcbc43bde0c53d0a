"""`headwater import`: take in what other tools wrote, and report openly what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from headwater.cli.opening import opened
from headwater.cli.options import Data, Json
from headwater.errors import BadInput, UnreadableSource

if TYPE_CHECKING:
    from headwater.app import ImportReport
    from headwater.app.writing import Progress
    from headwater.settings import Settings

Sources = Annotated[
    list[Path], typer.Argument(metavar="SOURCE", help="Files and folders; several are taken in one after the other.")
]
Format = Annotated[str, typer.Option("--format", metavar="NAME", help="auto, mlflow, rdf …; 'headwater doctor' lists them.")]
Visibility = Annotated[
    str | None,
    typer.Option(
        "--visibility",
        metavar="WHO",
        help="Who sees it: public, internal or project:NAME (default: the setting default_visibility).",
    ),
]

_EXAMPLES = 5


class Taker(Protocol):
    """What takes sources in: a Headwater, or an inspector that only looks them over."""

    @property
    def settings(self) -> Settings:
        """How large a source may be, and who may see it by default."""

    @property
    def sequence(self) -> int:
        """How far the ledger has come."""

    def import_source(
        self, path: Path, *, format: str, visibility: str, dry_run: bool, by: str, progress: Progress | None
    ) -> ImportReport:
        """Take in one source, or with `dry_run` only say what would come of it."""


def import_sources(
    sources: Sources,
    format_name: Format = "auto",
    visibility: Visibility = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything but write.")] = False,
    report_file: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Also write the whole report there, as JSON.")
    ] = None,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Take in what other tools wrote: MLflow folders and databases, RDF files and so on.

    Importing the same source again changes nothing. A damaged part is reported and the rest comes in; then the exit code is 2.
    """
    from headwater.access.levels import level
    from headwater.cli.import_report import import_lines
    from headwater.cli.printing import show, show_json
    from headwater.cli.writing import write_file

    if visibility is not None:
        level(visibility)
    with opened(data, create=True) as headwater:
        chosen = visibility or headwater.settings.default_visibility
        reports = [
            report for source in sources for report in take_in_all(headwater, source, format_name, chosen, dry_run=dry_run)
        ]
    whole = {"ok": all(one["ok"] for one in reports), "visibility": chosen, "dry_run": dry_run, "sources": reports}
    if report_file is not None:
        write_file(report_file, json.dumps(whole, indent=2, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
    if as_json:
        show_json(whole)
    else:
        show(import_lines(whole))
    if not whole["ok"]:
        raise typer.Exit(2)


def take_in_all(
    headwater: Taker, source: Path, format_name: str, visibility: str, *, dry_run: bool = False
) -> Iterator[dict[str, Any]]:
    """Import a source; a folder that is no source by itself is taken apart, and what nobody recognises in it is reported."""
    if not source.is_dir() or _recognised(headwater, source, format_name):
        yield take_in(headwater, source, format_name, visibility, dry_run=dry_run)
        return
    left_out, taken = [], False
    for part in _parts(headwater, source, format_name):
        if part.is_dir() or _recognised(headwater, part, format_name):
            taken = True
            yield take_in(headwater, part, format_name, visibility, dry_run=dry_run)
        else:
            left_out.append(part)
    if not taken:
        yield take_in(headwater, source, format_name, visibility, dry_run=dry_run)
    elif left_out:
        examples = [{"what": "no importer recognises it", "where": str(part)} for part in left_out[:_EXAMPLES]]
        finding = {"outcome": "unmapped", "reason": "unknown-format", "count": len(left_out), "examples": examples}
        yield _nothing(headwater, source, visibility, dry_run=dry_run) | {"ok": True, "findings": [finding]}


def _parts(headwater: Taker, folder: Path, format_name: str) -> Iterator[Path]:
    """The files below a folder, and the folders that are sources by themselves; hidden and linked ones are left alone."""
    for part in sorted(folder.iterdir()):
        if part.name.startswith(".") or part.is_symlink():
            continue
        if part.is_dir() and not _recognised(headwater, part, format_name):
            yield from _parts(headwater, part, format_name)
        else:
            yield part


def _recognised(headwater: Taker, path: Path, format_name: str) -> bool:
    from headwater.importers.protocol import Source
    from headwater.importers.registry import importers

    source = Source(path, str(path), headwater.settings.max_upload_mb * 2**20)
    known = importers()
    asked = [known[format_name]] if format_name in known else list(known.values())
    return any(importer.sniff(source) is not None for importer in asked)


def take_in(headwater: Taker, source: Path, format_name: str, visibility: str, *, dry_run: bool = False) -> dict[str, Any]:
    """Import one source and return its report; a source that cannot be read at all is a report with one failure."""
    from headwater.cli.printing import progress

    def taken(follow: Callable[[int, int | None], None]) -> dict[str, Any]:
        found = headwater.import_source(
            source, format=format_name, visibility=visibility, dry_run=dry_run, by="local", progress=follow
        )
        return {**found.as_dict(), "source": str(source)}

    try:
        if not source.exists():
            raise UnreadableSource(f"{source}: there is no such file or folder", remedy="Check the path.")
        with progress(f"Reading {source}") as follow:
            return taken(follow)
    except BadInput as error:
        failure = {"source": str(source), "line": error.extra.get("line"), "message": error.detail, "remedy": error.remedy}
        return _nothing(headwater, source, visibility, dry_run=dry_run) | {"failures": [failure]}


def _nothing(headwater: Taker, source: Path, visibility: str, *, dry_run: bool) -> dict[str, Any]:
    """The report on a source from which nothing came in, with the members that every report has."""
    return {
        "source": str(source),
        "importer": None,
        "visibility": visibility,
        "dry_run": dry_run,
        "ok": False,
        "sequence": headwater.sequence,
        "statements": 0,
        "kinds": {},
        "statuses": {},
        "records": [],
        "failures": [],
        "findings": [],
        "hints": {},
    }
