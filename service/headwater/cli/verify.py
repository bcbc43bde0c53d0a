"""`headwater verify`: do store and index say what the ledger says?"""

from __future__ import annotations

import typer

from headwater.cli.opening import opened
from headwater.cli.options import Data, Json


def verify(as_json: Json = False, data: Data = None) -> None:
    """Compare the triplestore and the lineage index with the ledger, and say what differs. Exit code 1 if anything does."""
    from headwater.cli.printing import show, show_json

    with opened(data) as headwater:
        differences = headwater.verify()
        sequence = headwater.sequence
    if as_json:
        show_json({"sequence": sequence, "ok": not differences, "differences": differences})
    elif differences:
        show([("Store or index differ from the ledger:", "bold red"), *(f"  · {difference}" for difference in differences)])
        show(["'headwater rebuild' makes them anew from the ledger; nothing is lost."])
    else:
        show([f"Store and index say what the ledger says, up to entry {sequence:,}."])
    if differences:
        raise typer.Exit(1)
