"""A ledger copied entry by entry into another database, whatever the two are: for backups, for moving, and for readers."""

from __future__ import annotations

from collections.abc import Callable

from headwater.errors import Conflict
from headwater.ledger.ledger import Ledger
from headwater.ledger.tokens import TokenTable


def copy_entries(source: Ledger, target: Ledger, last: int, progress: Callable[[int, int | None], None] | None = None) -> int:
    """Copy what `target` lacks of the entries of `source` up to `last`, whole writes at a time; returns where `target` now ends.

    Entries are never changed once they are written, so that this needs no lock and may be cut short and gone on with at any time.
    """
    done = target.last_sequence()
    while done < last:
        entries = [entry for entry in source.whole_since(done) if entry.revision.sequence <= last]
        if not entries:
            break
        target.adopt(entries)
        done = entries[-1].revision.sequence
        if progress is not None:
            progress(done, last)
    return done


def copy_whole(source: Ledger, target: Ledger, progress: Callable[[int, int | None], None] | None = None) -> int:
    """Copy a ledger with its facts and tokens into an empty one; returns its last sequence number.

    Raises `Conflict` where the target is not empty.
    """
    if target.last_sequence():
        raise Conflict("There is a ledger already.", remedy="Copy into an empty database.")
    last = source.last_sequence()
    for name, value in source.facts().items():
        present = target.fact(name)
        if present is None:
            target.fix(name, value)
        elif present != value:
            raise Conflict(f"There {name} is {present} already, here it is {value}.", remedy="Copy into an empty database.")
    TokenTable(target.engine).replace(TokenTable(source.engine).list())
    return copy_entries(source, target, last, progress)


def same_history(source: Ledger, copy: Ledger) -> bool:
    """Whether `copy` is a beginning of `source`, judged by its last entry: ledgers only grow, so that one entry tells."""
    last = copy.last_sequence()
    if last == 0:
        return True
    ours, theirs = copy.entry(last), source.entry(last)
    return ours is not None and theirs is not None and ours.revision == theirs.revision and ours.body == theirs.body
