"""`headwater rebuild`: make the triplestore and the lineage index anew from the ledger."""

from __future__ import annotations

from headwater.cli.opening import opened
from headwater.cli.options import Data, Json


def rebuild(as_json: Json = False, data: Data = None) -> None:
    """Make the triplestore and the lineage index anew from the ledger, which is the only truth."""
    from headwater.cli.printing import progress, show, show_json

    with opened(data) as headwater:
        with progress("Rebuilding") as follow:
            sequence = headwater.rebuild(follow)
        folder = str(headwater.settings.data)
    if as_json:
        show_json({"data": folder, "sequence": sequence})
    else:
        show([f"Store and index of {folder} were made anew up to ledger entry {sequence:,}."])
