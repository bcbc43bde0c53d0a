"""Keeping the view graphs right: what a reader may ask on is the union of what the records of his levels say.

A statement stands in a view as long as one record of that view's levels makes it, asserted or entailed. `view/public` holds what
public records say; `view/internal` what public and internal ones say, so that most readers query a single graph (a query over k
graphs costs k times as much); `view/project/NAME` what only the members of that project may see.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pyoxigraph import Literal, NamedNode, Quad, Triple

from headwater.records.record import Record
from headwater.store.protocol import STATE, TripleStore
from headwater.terms.names import HW

_VISIBILITY = HW.visibility
_ENTAILED = "#entailed"


def entailed_graph(record: str) -> NamedNode:
    """The graph of what follows from a record's statements."""
    return NamedNode(record + _ENTAILED)


@dataclass(frozen=True, slots=True)
class Applied:
    """One ledger entry for the store: the record as it is now, or None where it was withdrawn."""

    iri: str
    record: Record | None


class Views:
    """Applies records to a store and says which graphs a reader's questions run on."""

    def __init__(self, store: TripleStore, base: str) -> None:
        self._store = store
        self._base = base
        self.public = NamedNode(f"{base}view/public")
        self.internal = NamedNode(f"{base}view/internal")
        self._internal_live = False
        self._projects: set[str] = set()
        # Marked by the change that brings the first record of a level, and not told by what stands in the view: a copy of the
        # public view that was cut short is no internal view.
        for mark in self._store.about(STATE, [STATE]):
            if mark.predicate == HW.hasProject and isinstance(mark.object, Literal):
                self._projects.add(mark.object.value)
            elif mark.predicate == HW.hasInternal:
                self._internal_live = True

    def project(self, name: str) -> NamedNode:
        return NamedNode(f"{self._base}view/project/{name}")

    def graphs(self, *, internal: bool, projects: Iterable[str] | None) -> list[NamedNode]:
        """The view graphs for a reader: public alone, or with the internal level, and with some (None: all) projects.

        The internal view is kept only from the first internal record on; before that the public one says the same.
        """
        shown = [self.internal if internal and self._internal_live else self.public]
        names = self._projects if projects is None else self._projects & set(projects)
        return shown + [self.project(name) for name in sorted(names)]

    def is_view(self, graph: NamedNode) -> bool:
        """Whether a graph is a view, and no record's."""
        return graph.value.startswith(f"{self._base}view/")

    @property
    def internal_live(self) -> bool:
        """Whether the internal view is kept."""
        return self._internal_live

    def clear(self) -> None:
        """Empty the store: it is at sequence number 0 afterwards."""
        self._store.clear()
        self._internal_live = False
        self._projects.clear()

    def apply(self, entries: Sequence[Applied], sequence: int) -> None:
        """Bring the store from its state before `entries` to the one after, and to `sequence`. Doing it twice changes nothing."""
        latest = {entry.iri: entry for entry in entries}
        self._prepare_levels(entry.record.visibility for entry in latest.values() if entry.record is not None)
        added: list[Quad] = []
        dropped: dict[Quad, None] = {}
        orphans: dict[Triple, None] = {}
        for entry in latest.values():
            self._replace(entry, added, dropped, orphans)
        if orphans:
            self._drop_from_views(orphans, latest, set(added), dropped)
        self._store.change(list(dropped), added, sequence)

    def load(self, records: Iterable[Record], sequence: int, *, internal: bool) -> None:
        """Fill an empty store from the present records, fast. `internal` says whether any of them is internal."""
        self._internal_live = internal
        self._store.load((quad for record in records for quad in self._quads(record)), sequence)

    def _quads(self, record: Record) -> Iterator[Quad]:
        node, follows = NamedNode(record.iri), entailed_graph(record.iri)
        yield Quad(node, _VISIBILITY, Literal(record.visibility), STATE)
        if record.visibility == "internal":
            yield Quad(STATE, HW.hasInternal, Literal(True), STATE)
        if record.visibility.startswith("project:"):
            name = record.visibility.removeprefix("project:")
            self._projects.add(name)
            yield Quad(STATE, HW.hasProject, Literal(name), STATE)
        views = self._views_of(record.visibility)
        for triples, graph in ((record.asserted, node), (record.entailed, follows)):
            graphs = (graph, *views)
            for triple in triples:
                # Taken apart once: each look at a part makes a new object.
                subject, predicate, value = triple.subject, triple.predicate, triple.object
                for into in graphs:
                    yield Quad(subject, predicate, value, into)

    def _views_of(self, visibility: str) -> list[NamedNode]:
        if visibility == "public":
            return [self.public, self.internal] if self._internal_live else [self.public]
        if visibility == "internal":
            return [self.internal]
        return [self.project(visibility.removeprefix("project:"))]

    def _prepare_levels(self, visibilities: Iterable[str]) -> None:
        if not self._internal_live and "internal" in visibilities:
            self._store.load((_quad(triple, self.internal) for triple in self._store.graph(self.public)), self._store.sequence())
            self._internal_live = True

    def _replace(self, entry: Applied, added: list[Quad], dropped: dict[Quad, None], orphans: dict[Triple, None]) -> None:
        node, follows = NamedNode(entry.iri), entailed_graph(entry.iri)
        stood = [(triple, graph) for graph in (node, follows) for triple in self._store.graph(graph)]
        marks = [(triple, STATE) for triple in self._store.about(node, [STATE])]
        fresh = list(self._quads(entry.record)) if entry.record is not None else []
        if stood or marks:
            here = set(fresh)
            for triple, graph in (*stood, *marks):
                quad = _quad(triple, graph)
                if quad not in here:
                    dropped[quad] = None
            orphans.update((triple, None) for triple, _ in stood)
        added += fresh

    def _drop_from_views(
        self,
        orphans: dict[Triple, None],
        latest: dict[str, Applied],
        added: set[Quad],
        dropped: dict[Quad, None],
    ) -> None:
        levels: dict[str, str | None] = {}
        prefix = f"{self._base}view/"
        for triple in orphans:
            shown, wanted = [], set()
            for graph in self._store.graphs_with(triple):
                if graph.value.startswith(prefix):
                    shown.append(graph)
                    continue
                record = graph.value.removesuffix(_ENTAILED)
                if record in latest or graph == STATE:
                    continue
                if record not in levels:
                    levels[record] = self._visibility(record)
                level = levels[record]
                if level is not None:
                    wanted.update(self._views_of(level))
            for view in shown:
                quad = _quad(triple, view)
                if view not in wanted and quad not in added:
                    dropped[quad] = None

    def _visibility(self, record: str) -> str | None:
        for triple in self._store.about(NamedNode(record), [STATE]):
            if triple.predicate == _VISIBILITY and isinstance(triple.object, Literal):
                return triple.object.value
        return None


def _quad(triple: Triple, graph: NamedNode) -> Quad:
    return Quad(triple.subject, triple.predicate, triple.object, graph)
