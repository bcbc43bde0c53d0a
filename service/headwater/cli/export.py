"""`headwater export`: write what is known of one thing in a format that others read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from headwater.cli.opening import opened
from headwater.cli.options import Data, Json


def export(
    identifier: Annotated[
        str, typer.Argument(metavar="IRI", help="The thing: an IRI, a CURIE, a PID, a digest or an external id.")
    ],
    format_name: Annotated[str, typer.Option("--as", metavar="FORMAT", help="The format; 'headwater doctor' lists them.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where to write it; otherwise it is printed.")
    ] = None,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Write what is known of one thing as Turtle, DataCite, a model card and so on."""
    from headwater.access import LOCAL
    from headwater.cli.printing import note, show_json, write_bytes
    from headwater.cli.writing import write_file

    with opened(data) as headwater:
        found = headwater.export(headwater.resolve(identifier, LOCAL), format_name, LOCAL)
    if output is None:
        write_bytes(found.body)
        return
    write_file(output, found.body)
    if as_json:
        show_json({"file": str(output), "media_type": found.media_type, "bytes": len(found.body)})
    else:
        note(f"Wrote {output} ({found.media_type}, {len(found.body):,} bytes).")
