"""What the records in the store say of classes and properties, and what becomes of that when some are written or withdrawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pyoxigraph import NamedNode, Triple

from headwater.checking.hierarchy import AXIOMS, Classified, Hierarchy, axioms
from headwater.checking.surroundings import Surroundings
from headwater.records.record import Record
from headwater.store.protocol import TripleStore
from headwater.store.views import Applied, Views
from headwater.terms.names import curie

_NAMED = " ".join(sorted(map(str, AXIOMS)))
_AXIOMS = f"SELECT ?subject ?predicate ?object WHERE {{ VALUES ?predicate {{ {_NAMED} }} ?subject ?predicate ?object }}"


class Classes:
    """The axioms in a store, over all levels; read once, and again after some changed. For the one writer only."""

    def __init__(self, store: TripleStore, views: Views) -> None:
        self._store = store
        self._views = views
        self._known: frozenset[Triple] | None = None
        self._hierarchy: Hierarchy | None = None

    def forget(self) -> None:
        """The store's axioms changed."""
        self._known = self._hierarchy = None

    def applied(self, records: Sequence[Record], around: Surroundings) -> tuple[Sequence[Record], Surroundings]:
        """Records and their surroundings as the gate is to see them: with the types that follow from the hierarchy of classes
        in the store, as it will be with these records. Where there is none, as they are."""
        said = [triple for record in records for triple in axioms(record.asserted)]
        known = self._axioms()
        going = axioms(around.going()) if known else frozenset()
        if said or going:
            hierarchy = Hierarchy([*(known - going), *said])
        else:
            if self._hierarchy is None:
                self._hierarchy = Hierarchy(known)
            hierarchy = self._hierarchy
        if not hierarchy:
            return records, around
        return [hierarchy.classified(record) for record in records], Classified(around, hierarchy)

    def changed(self, entries: Sequence[Applied]) -> list[str]:
        """Which axioms, by the short names of their predicates, some records state now and did not before, or no longer."""
        found: set[Triple] = set()
        for entry in {entry.iri: entry for entry in entries}.values():
            now = axioms(entry.record.asserted) if entry.record is not None else frozenset()
            before = frozenset(self._read([NamedNode(entry.iri)])) if self._axioms() else frozenset()
            found |= now ^ before
        return sorted({curie(triple.predicate.value) for triple in found})

    def _axioms(self) -> frozenset[Triple]:
        if self._known is None:
            self._known = frozenset(self._read(self._views.graphs(internal=True, projects=None)))
        return self._known

    def _read(self, graphs: Sequence[NamedNode]) -> Iterator[Triple]:
        for subject, predicate, value in self._store.rows(_AXIOMS, graphs):
            yield Triple(subject, predicate, value)  # type: ignore[arg-type]
