"""Comparing the views of the ledger with what the ledger says they should be."""

from __future__ import annotations

from pyoxigraph import Quad

from headwater.app.writing import Progress, Writer
from headwater.lineage.index import LineageIndex
from headwater.store.embedded import EmbeddedStore
from headwater.store.protocol import STATE, TripleStore
from headwater.store.views import Views
from headwater.terms.names import HW

_EXAMPLES = 3


def differences(writer: Writer, store: TripleStore, index: LineageIndex, base: str, progress: Progress | None) -> list[str]:
    """Every way in which store and index differ from the ledger, as sentences.

    Builds both anew in memory and compares: needs about 360 bytes of memory for each statement and graph.
    """
    with writer.paused() as last:
        found = [
            f"The {name} stands at {stands}, the ledger at {last}."
            for name, stands in (("store", store.sequence()), ("index", index.sequence))
            if stands != last
        ]
        fresh_store = EmbeddedStore(None)
        fresh_index = LineageIndex()
        # Once there was an internal record the internal view is kept, and has to be right, also when the last one is gone.
        internal = writer.views.internal_live
        records = []
        for number, record in enumerate(writer.replayed(fresh_index), 1):
            if record is not None:
                records.append(record)
                internal |= record.visibility == "internal"
            if progress is not None and number % 100 == 0:
                progress(number, None)
        Views(fresh_store, base).load(records, 0, internal=internal)
        found += _store_differences(store, fresh_store)
        indexed = index.rows_as_sets()
    for what, rows in fresh_index.rows_as_sets().items():
        present = indexed[what]
        for missing in sorted(map(str, rows - present))[:_EXAMPLES]:
            found.append(f"The index lacks one of its {what}: {missing}")
        for surplus in sorted(map(str, present - rows))[:_EXAMPLES]:
            found.append(f"The index has one of its {what} that the ledger does not know: {surplus}")
    return found


def _store_differences(store: TripleStore, fresh: TripleStore) -> list[str]:
    present, expected = _quads(store), _quads(fresh)
    found = [f"The store lacks: {quad}" for quad in sorted(map(str, expected - present))[:_EXAMPLES]]
    found += [f"The store has what the ledger does not know: {quad}" for quad in sorted(map(str, present - expected))[:_EXAMPLES]]
    lacking, surplus = len(expected - present), len(present - expected)
    if lacking > _EXAMPLES or surplus > _EXAMPLES:
        found.append(f"In all the store lacks {lacking} statements and has {surplus} too many.")
    return found


def _quads(store: TripleStore) -> set[Quad]:
    # Of what the store remembers for itself only the visibilities follow from the present records alone.
    return {quad for quad in store.quads() if quad.graph_name != STATE or quad.predicate == HW.visibility}
