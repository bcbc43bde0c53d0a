"""What the store says apart from what some records say of themselves, for the gate to judge their next revisions by."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from itertools import islice

from pyoxigraph import NamedNode, Triple

from headwater.store.graphs import graphs_of
from headwater.store.joint import JointChange
from headwater.store.protocol import TripleStore
from headwater.store.views import Views

MUCH = 300
"""Statements about one thing from which on they are not read one after the other, whatever they say: a run that made ten thousand
files is named by each of them, and would cost more with every one."""


class Around:
    """The surroundings of records that are about to be written or withdrawn; all levels, because the gate judges the whole.

    `revised` are the IRIs of those records that have a revision in the store: what only these say does not count, nor do the
    joint conclusions that go with the write.
    """

    def __init__(self, store: TripleStore, views: Views, revised: Sequence[str], joint: JointChange | None = None) -> None:
        self._store = store
        self._joint = joint or JointChange()
        self._graphs = views.graphs(internal=True, projects=None)
        self._is_view = views.is_view
        self._revised = [graph for iri in revised for graph in graphs_of(iri)]

    def about(self, iri: str, predicates: Collection[str] | None, also: Collection[Triple]) -> Iterator[Triple]:
        """What others say of a thing: all of it, or where that is much, what they say by these predicates and those of `also`."""
        node = NamedNode(iri)
        said = list(islice(self._store.about(node, self._graphs), None if predicates is None else MUCH))
        if predicates is not None and len(said) == MUCH:
            said = [
                *(t for name in predicates for t in self._store.about(node, self._graphs, predicate=NamedNode(name))),
                *(triple for triple in also if self._stands(triple)),
            ]
        going = self._going
        return (triple for triple in said if triple not in going)

    def _stands(self, triple: Triple) -> bool:
        return any(graph in self._graphs for graph in self._store.graphs_with(triple))

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
        alone = {
            triple: None
            for graph in self._revised
            for triple in self._store.graph(graph)
            if all(other in mine or self._is_view(other) for other in self._store.graphs_with(triple))
        }
        return {triple: None for triple in (*alone, *self._joint.gone) if triple not in self._joint.added}
