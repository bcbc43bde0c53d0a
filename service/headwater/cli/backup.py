"""`headwater backup`: a copy of the ledger, from which everything else can be made anew."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.opening import holds_data, settings
from headwater.cli.options import Data, Json
from headwater.errors import NotFound

if TYPE_CHECKING:
    from headwater.settings import Settings


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes; its manifest goes beside it as FILE.json.")],
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Copy the ledger into a file, also while a server is using it; from PostgreSQL, too."""
    from headwater.cli.printing import progress, show, show_json
    from headwater.ledger.backup import manifest_path, take, take_from
    from headwater.ledger.ledger import Ledger
    from headwater.ledger.schema import connect_engine, expect_schema

    chosen = settings(data)
    if chosen.ledger:
        ledger = Ledger(connect_engine(chosen.ledger, reading=True))
        try:
            expect_schema(ledger.engine)
            with progress("Copying the ledger") as follow:
                manifest = take_from(ledger, file, follow)
        finally:
            ledger.close()
    else:
        manifest = take(ledger_of(chosen), file)
    if as_json:
        show_json({"file": str(file), **asdict(manifest)})
    else:
        show(
            [
                f"{file}: the ledger up to entry {manifest.sequence:,} ({manifest.bytes:,} bytes)",
                f"{manifest_path(file)}: its manifest",
            ]
        )
        show(["Bring it back with: headwater restore FILE --data EMPTY_FOLDER"])


def ledger_of(chosen: Settings) -> Path:
    """The file of a ledger in the data folder. Raises `NotFound` if there is none."""
    if not holds_data(chosen):
        raise NotFound(f"there is no Headwater data in {chosen.data}", remedy="Name the right folder with --data.")
    return chosen.data / "ledger.sqlite"
