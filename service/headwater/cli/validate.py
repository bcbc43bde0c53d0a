"""`headwater validate`: would this come in, and is it complete enough for a purpose? For people, pre-commit hooks and CI jobs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, get_args
from typing import Literal as OneOf

import typer

from headwater.cli.importing import Format, take_in_all
from headwater.cli.opening import holds_data, opened, settings
from headwater.cli.options import Data, Json, Language
from headwater.errors import BadParameter, NotFound

if TYPE_CHECKING:
    from headwater.app import Inspector
    from headwater.checking.places import Look

Form = OneOf["text", "json", "sarif", "junit"]
_FORMS: Final = get_args(Form)
_OF_STORED: Final = "core"
"""The profile of a stored object where none is named: it has passed the gate before."""


def validate(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE", help="Files and folders; or identifiers of stored objects, such as mlflow:RUNID."),
    ],
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            metavar="NAME",
            help="Also judge each object by core, retrain-ready, publication or fair; without, files only go through the gate.",
        ),
    ] = None,
    form: Annotated[
        str, typer.Option("--as", metavar="FORM", help="text, json, sarif (2.1.0, for code scanning) or junit (XML).")
    ] = "text",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the report there instead of printing it.")
    ] = None,
    language: Language = "en",
    resolve: Annotated[
        bool,
        typer.Option("--resolve", help="Also look whether data are still where they are said to lie; for retrain-ready."),
    ] = False,
    format_name: Format = "auto",
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Say whether sources would come in, and what stands against it; files are looked over in memory, nothing is written.

    Exit code 0: it conforms. 2: something is rejected, cannot be read, or lacks what the profile says must be there; also where
    the profile finds nothing to judge. 1: the check itself failed.
    """
    from headwater.cli.printing import note, write_bytes
    from headwater.cli.writing import write_file

    chosen = "json" if as_json else form
    if chosen not in _FORMS:
        raise BadParameter(f"--as: {form!r} is none of {', '.join(_FORMS)}", parameter="as", remedy="Name one of them.")
    whole = look_over(sources, profile, format_name, language, data, resolve=resolve)
    body = _written(whole, chosen)
    if output is not None:
        write_file(output, body)
        note(f"The report is in {output}.")
    elif chosen == "text":
        _show(whole)
    else:
        write_bytes(body)
    if not whole["conforms"]:
        raise typer.Exit(2)


def look_over(
    sources: Sequence[str], profile: str | None, format_name: str, language: str, data: Path | None, *, resolve: bool = False
) -> dict[str, Any]:
    """The report on all sources; with `resolve` after a look at the places that they state.

    `conforms`, the `profile` asked for, the `language`, `sources` with the report on each file, and `objects` with a profile's
    report on each object. Raises `BadParameter` for a profile or language that there is none of, or nothing to `resolve` for.
    """
    from headwater.app import Inspector
    from headwater.app.profiling import looking
    from headwater.app.resolving import Resolver
    from headwater.checking.messages import spoken
    from headwater.checking.profiles import profile as found_profile

    language = spoken(language)
    if profile is not None:
        found_profile(profile)
    if resolve:
        looking(profile or _OF_STORED)
    inspector = Inspector(settings(data), language=language)
    files, names = _told_apart(sources, data)
    visibility = inspector.settings.default_visibility
    reports = [one for path in files for one in take_in_all(inspector, path, format_name, visibility, dry_run=True)]
    # Whoever works on the command line sees his own files anyhow.
    look = Resolver(inspector.settings, folders=None) if resolve else None
    objects = _objects_in(inspector, profile, language, look) if profile is not None else []
    objects += _stored(names, profile or _OF_STORED, language, data, look) if names else []
    judged = bool(objects) or profile is None
    return {
        "conforms": judged and all(one["ok"] for one in reports) and all(one["conforms"] for one in objects),
        "profile": profile or (_OF_STORED if names else None),
        "language": language,
        "sources": reports,
        "objects": objects,
    }


def _told_apart(sources: Sequence[str], data: Path | None) -> tuple[list[Path], list[str]]:
    """Files and folders on one side, identifiers of stored objects on the other. What is neither is a file that is missing."""
    stored = holds_data(settings(data))
    files = [Path(source) for source in sources if Path(source).exists() or not stored]
    return files, [source for source in sources if stored and not Path(source).exists()]


def _objects_in(inspector: Inspector, profile: str, language: str, look: Look | None) -> list[dict[str, Any]]:
    found = inspector.profiled(profile, look=look)
    return [{"source": source, **report.as_dict(language)} for source, reports in found.items() for report in reports]


def _stored(names: Sequence[str], profile: str, language: str, data: Path | None, look: Look | None) -> list[dict[str, Any]]:
    with opened(data) as headwater:
        reader = headwater.reader(None, loopback=True)
        found = []
        for name in names:
            try:
                iri = headwater.resolve(name, reader)
            except NotFound as error:
                raise NotFound(
                    f"{name}: there is no such file or folder, and nothing in {headwater.settings.data} is called so",
                    remedy="Check the path or the identifier; --data names another data folder.",
                ) from error
            found.append({"source": None, **headwater.profile(iri, profile, reader, look=look).as_dict(language)})
    return found


def _written(whole: dict[str, Any], form: str) -> bytes:
    from headwater.cli.junit import junit
    from headwater.cli.sarif import sarif
    from headwater.cli.validate_report import report_lines

    if form == "junit":
        return junit(whole)
    if form == "text":
        return "".join(f"{text}\n" for text, _ in report_lines(whole)).encode("utf-8", "replace")
    said = sarif(whole) if form == "sarif" else whole
    return json.dumps(said, indent=2, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def _show(whole: dict[str, Any]) -> None:
    from headwater.cli.printing import show
    from headwater.cli.validate_report import report_lines

    show(report_lines(whole))
