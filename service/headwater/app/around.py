"""What the store says apart from what some records say of themselves, for the gate to judge their next revisions by."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property

from pyoxigraph import NamedNode, Triple

from headwater.store.protocol import TripleStore
from headwater.store.views import Views, entailed_graph


class Around:
    """The surroundings of records that are about to be written or withdrawn; all levels, because the gate judges the whole.

    `revised` are the IRIs of those records that have a revision in the store: what only these say does not count.
    """

    def __init__(self, store: TripleStore, views: Views, revised: Sequence[str]) -> None:
        self._store = store
        self._graphs = views.graphs(internal=True, projects=None)
        self._is_view = views.is_view
        self._revised = [graph for iri in revised for graph in (NamedNode(iri), entailed_graph(iri))]

    def about(self, iri: str) -> Iterator[Triple]:
        """What others say of a thing."""
        going = self._going
        for triple in self._store.about(NamedNode(iri), self._graphs):
            if triple not in going:
                yield triple

    def to(self, iri: str, predicates: Collection[str]) -> Iterator[Triple]:
        """What others say by any of these predicates that has the thing as its value."""
        node = NamedNode(iri)
        # Most things are nobody's value: one look instead of one for each predicate. Of a thing that is the value of very many
        # statements, only those of these predicates are read.
        if next(iter(self._store.about(node, self._graphs, as_object=True)), None) is None:
            return
        for predicate in predicates:
            for triple in self._store.about(node, self._graphs, as_object=True, predicate=NamedNode(predicate)):
                if triple not in self._going:
                    yield triple

    def going(self) -> Iterator[Triple]:
        """What only the revisions in the store of these records say."""
        return iter(self._going)

    @cached_property
    def _going(self) -> dict[Triple, None]:
        mine = set(self._revised)
        return {
            triple: None
            for graph in self._revised
            for triple in self._store.graph(graph)
            if all(other in mine or self._is_view(other) for other in self._store.graphs_with(triple))
        }
