"""`headwater restore`: put a backup of the ledger into an empty folder and make the rest from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from headwater.cli.opening import opened, settings
from headwater.cli.options import Data, Json
from headwater.errors import BadParameter


def restore(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The copy that 'headwater backup' made, with FILE.json beside it.")
    ],
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Put a backup into an empty data folder, then make store and index anew from it."""
    from headwater.cli.printing import show, show_json
    from headwater.ledger.backup import put_back

    chosen = settings(data)
    if chosen.ledger:
        raise BadParameter("the ledger is kept in a database of its own", remedy="Restore that database with its own tools.")
    put_back(file, chosen.data / "ledger.sqlite")
    with opened(data) as headwater:
        sequence = headwater.sequence
    if as_json:
        show_json({"data": str(chosen.data), "sequence": sequence})
    else:
        show([f"{chosen.data} holds the ledger up to entry {sequence:,}; store and index were made from it."])
