"""`headwater validate`: would this come in? Everything an import does but the writing."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.importing import Format, take_in_all
from headwater.cli.opening import holds_data, opened, settings
from headwater.cli.options import Data, Json
from headwater.errors import BadParameter

if TYPE_CHECKING:
    from headwater.app import Headwater

_PROFILES = ("core",)


def validate(
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE", help="Files and folders.")],
    profile: Annotated[
        str, typer.Option("--profile", metavar="NAME", help="What to check against: core (what every write must pass).")
    ] = "core",
    format_name: Format = "auto",
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Say whether sources would come in, and what stands against it; nothing is written. Exit code 2 if anything does."""
    from headwater.cli.import_report import import_lines
    from headwater.cli.printing import show, show_json

    if profile not in _PROFILES:
        raise BadParameter(f"there is no profile {profile!r}; there is: {', '.join(_PROFILES)}", parameter="profile")
    with _checking(data) as headwater:
        visibility = headwater.settings.default_visibility
        reports = [one for source in sources for one in take_in_all(headwater, source, format_name, visibility, dry_run=True)]
    ok = all(report["ok"] for report in reports)
    if as_json:
        show_json({"conforms": ok, "profile": profile, "sources": reports})
    else:
        show(import_lines({"sources": reports, "dry_run": True, "visibility": visibility}))
        show([("It conforms." if ok else "It does not conform: mend what is named above.", "bold")])
    if not ok:
        raise typer.Exit(2)


@contextmanager
def _checking(data: Path | None) -> Iterator[Headwater]:
    """The data folder, since the gate looks at what is known of a record's neighbours; an empty one if there is none."""
    if holds_data(settings(data)):
        with opened(data) as headwater:
            yield headwater
        return
    with tempfile.TemporaryDirectory(prefix="headwater-validate-") as folder, opened(Path(folder), create=True) as headwater:
        yield headwater
