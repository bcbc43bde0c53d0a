"""`headwater import`: take in what other tools wrote, and report openly what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headwater.cli.opening import opened
from headwater.cli.options import Data, Json
from headwater.errors import BadInput, UnreadableSource

if TYPE_CHECKING:
    from headwater.app import Headwater

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


def import_sources(
    sources: Sources,
    format_name: Format = "auto",
    visibility: Visibility = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything but write.")] = False,
    report: Annotated[
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
        reports = [take_in(headwater, source, format_name, chosen, dry_run=dry_run) for source in sources]
    whole = {"ok": all(one["ok"] for one in reports), "visibility": chosen, "dry_run": dry_run, "sources": reports}
    if report is not None:
        write_file(report, json.dumps(whole, indent=2, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
    if as_json:
        show_json(whole)
    else:
        show(import_lines(whole))
    if not whole["ok"]:
        raise typer.Exit(2)


def take_in(
    headwater: Headwater, source: Path, format_name: str, visibility: str, *, dry_run: bool = False, quiet: bool = False
) -> dict[str, Any]:
    """Import one source and return its report; a source that cannot be read at all is a report with one failure."""
    from headwater.cli.printing import progress

    def taken(follow: Callable[[int, int | None], None] | None) -> dict[str, Any]:
        found = headwater.import_source(
            source, format=format_name, visibility=visibility, dry_run=dry_run, by="local", progress=follow
        )
        return {**found.as_dict(), "source": str(source)}

    try:
        if not source.exists():
            raise UnreadableSource(f"{source}: there is no such file or folder", remedy="Check the path.")
        if quiet:
            return taken(None)
        with progress(f"Reading {source}") as follow:
            return taken(follow)
    except BadInput as error:
        failure = {"source": str(source), "line": error.extra.get("line"), "message": error.detail, "remedy": error.remedy}
        nothing: dict[str, Any] = {
            "importer": None,
            "visibility": visibility,
            "dry_run": dry_run,
            "ok": False,
            "statements": 0,
            "kinds": {},
        }
        empty: dict[str, Any] = {"statuses": {}, "records": [], "failures": [failure], "findings": [], "hints": {}}
        return {"source": str(source), **nothing, "sequence": headwater.sequence, **empty}
