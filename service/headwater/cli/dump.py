"""`headwater dump`: everything that the records say, as N-Quads that any triplestore reads."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.opening import opened
from headwater.cli.options import Data

if TYPE_CHECKING:
    from headwater.app import Headwater

_AT_ONCE = 500


def dump(
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where to write it; otherwise it is printed.")
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="Only what everyone may see.")] = False,
    data: Data = None,
) -> None:
    """Write every record as N-Quads, each in the graph of its name, one after the other."""
    from headwater.cli.printing import note
    from headwater.cli.writing import write_pieces

    with opened(data) as headwater:
        pieces = _records(headwater, public=public)
        if output is None:
            for piece in pieces:
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            return
        written = write_pieces(output, pieces)
    note(f"Wrote {output} ({written:,} bytes).")


def _records(headwater: Headwater, *, public: bool) -> Iterator[bytes]:
    """The records as the ledger has them, so that numbers and times read as their source wrote them."""
    from pyoxigraph import NamedNode, Quad, RdfFormat, serialize

    after = 0
    while entries := headwater.ledger.heads(after, _AT_ONCE):
        for entry in entries:
            if public and entry.revision.visibility != "public":
                continue
            graph = NamedNode(entry.revision.iri)
            quads = (Quad(triple.subject, triple.predicate, triple.object, graph) for triple in entry.draft().triples)
            yield serialize(quads, format=RdfFormat.N_QUADS) or b""
        after = entries[-1].revision.sequence
