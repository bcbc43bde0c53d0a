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
    """Put a backup into an empty data folder, or the empty database that the setting ledger names; then make store and index.

    So a ledger moves from SQLite to PostgreSQL, and back.
    """
    from headwater.cli.printing import progress, show, show_json
    from headwater.ledger.backup import put_back, put_into
    from headwater.ledger.ledger import Ledger
    from headwater.ledger.schema import open_engine

    chosen = settings(data)
    if chosen.role != "writer":
        raise BadParameter(f"role: a {chosen.role} writes nothing into the ledger", parameter="role", remedy="Leave role unset.")
    if chosen.ledger:
        ledger = Ledger(open_engine(chosen.ledger))
        try:
            with progress("Filling the ledger") as follow:
                put_into(file, ledger, follow)
        finally:
            ledger.close()
    else:
        put_back(file, chosen.data / "ledger.sqlite")
    with opened(data) as headwater:
        sequence = headwater.sequence
    if as_json:
        show_json({"data": str(chosen.data), "sequence": sequence})
    else:
        show([f"{chosen.data} holds the ledger up to entry {sequence:,}; store and index were made from it."])
