"""`headwater dump`: everything that the records say, as N-Quads that any triplestore reads."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from headwater.cli.opening import opened
from headwater.cli.options import Data


def dump(
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where to write it; otherwise it is printed.")
    ] = None,
    entailed: Annotated[
        bool, typer.Option("--entailed", help="Also what follows from them, in a graph of its own per record.")
    ] = False,
    data: Data = None,
) -> None:
    """Write every record as N-Quads, each in the graph of its name, one after the other."""
    from headwater.cli.printing import note

    with opened(data) as headwater:
        quads = headwater.dump(entailed=entailed)
        if output is None:
            for piece in quads:
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            return
        from headwater.cli.writing import write_pieces

        written = write_pieces(output, quads)
    note(f"Wrote {output} ({written:,} bytes).")
