"""Where statements stand: at which levels of visibility before a write, and at which after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterator, Mapping
from itertools import chain

from pyoxigraph import Literal, NamedNode, Triple

from headwater.records.joins import Glance
from headwater.records.levels import PUBLIC, Levels, widest
from headwater.store.coming import Coming
from headwater.store.protocol import TripleStore
from headwater.store.spelling import triple_as_stored
from headwater.terms.names import RDF

Values = dict[object, Levels]
_EXTENT = "SELECT ?s ?p ?o WHERE { ?s ?p ?o }"


Stated = tuple[str, bool]
"""How a graph makes its statements: at which level, and whether it asserts them."""


class Before:
    """The store as it is. `views` and `joint` are its view graphs and those of joint conclusions, by level.

    `stated` tells how a graph makes its statements; None for one that makes none, such as a view. `seen` may hold the hashes of
    all nodes that there are, so that nobody need look for the others.
    """

    def __init__(
        self,
        store: TripleStore,
        views: Mapping[str, NamedNode],
        joint: Mapping[str, NamedNode],
        stated: Callable[[NamedNode], Stated | None],
        seen: Container[int] | None = None,
    ) -> None:
        self._store = store
        self._seen = seen
        self._views = list(views.items())
        self._graphs = list(views.values())
        self._level = {graph: level for level, graph in (*views.items(), *joint.items())}
        self._joint = list(joint.values())
        self._stated = stated
        self._values: dict[tuple[NamedNode, NamedNode], Values] = {}
        self._subjects: dict[tuple[NamedNode, NamedNode | Literal], Values] = {}
        self._levels: dict[Triple, Levels] = {}
        self._joint_levels: dict[Triple, Levels] = {}
        self.empty = all(next(store.graph(graph), None) is None for graph in self._graphs)
        """Whether nothing stands anywhere."""
        self.none_joint = all(next(store.graph(graph), None) is None for graph in self._joint)
        """Whether there are no joint conclusions."""

    def is_joint(self, graph: NamedNode) -> bool:
        """Whether a graph holds joint conclusions."""
        return graph in self._joint

    def joint_levels(self, triple: Triple) -> Levels:
        """The levels at which a statement stands as a joint conclusion."""
        if self.none_joint:
            return ()
        found = self._joint_levels.get(triple)
        if found is None:
            found = widest(self._level[graph] for graph in self._store.holding(triple, self._joint))
            self._joint_levels[triple] = found
        return found

    def has_joint(self, node: object) -> bool:
        """Whether there are joint conclusions about a thing."""
        return isinstance(node, NamedNode) and next(self._store.about(node, self._joint), None) is not None

    def joint_with(self, node: NamedNode, predicate: NamedNode, *, as_object: bool) -> Iterator[Triple]:
        """Joint conclusions by a predicate, of a thing or that have it as their value."""
        return self._store.about(node, self._joint, as_object=as_object, predicate=predicate)

    def levels(self, triple: Triple) -> Levels:
        found = () if self.empty else self._levels.get(triple)
        if found is None:
            found = widest(self._level[graph] for graph in self._store.holding(triple, self._graphs))
            self._levels[triple] = found
        return found

    def said(self, triple: Triple) -> Levels:
        return widest(level for level, asserted, _ in self.statements(triple) if asserted)

    def statements(self, triple: Triple) -> Iterator[tuple[str, bool, NamedNode]]:
        """Which graphs make a statement, that of records and those of joint conclusions: level, whether asserted, and graph."""
        for graph in () if self.empty else self._store.graphs_with(triple):
            stated = self._stated(graph)
            if stated is not None:
                yield *stated, graph

    def values(self, subject: NamedNode, predicate: NamedNode) -> Values:
        found = {} if self.empty else self._values.get((subject, predicate))
        if found is None:
            found = {}
            for level, graph in self._views:
                for triple in self._store.about(subject, [graph], predicate=predicate):
                    found[triple.object] = widest((*found.get(triple.object, ()), level))
            self._values[subject, predicate] = found
        return found

    def subjects(self, predicate: NamedNode, value: NamedNode | Literal) -> Values:
        found = {} if self.empty else self._subjects.get((predicate, value))
        if found is None:
            found = {}
            for level, graph in self._views:
                for triple in self._store.about(value, [graph], as_object=True, predicate=predicate):
                    found[triple.subject] = widest((*found.get(triple.subject, ()), level))
            self._subjects[predicate, value] = found
        return found

    def extent(self, predicate: NamedNode) -> Iterator[tuple[object, object, Levels]]:
        for row in self._store.rows(_EXTENT, self._graphs, {"p": predicate}):
            subject, _, value = row
            yield subject, value, self.levels(Triple(subject, predicate, value))  # type: ignore[arg-type]

    def knows(self, node: NamedNode) -> tuple[bool, bool]:
        """Whether anything is said of a thing, and whether it is anything's value."""
        if self.empty or (self._seen is not None and hash(node) not in self._seen):
            return False, False
        about = next(self._store.about(node, self._graphs), None) is not None
        return about, next(self._store.about(node, self._graphs, as_object=True), None) is not None

    def has_member(self, cls: NamedNode) -> bool:
        """Whether anything is of a class."""
        return not self.empty and next(self._store.about(cls, self._graphs, as_object=True, predicate=RDF.type), None) is not None

    def glimpse(self, node: NamedNode, glance: Glance) -> Iterator[Triple]:
        """Statements that a glance from a node meets. Read no further than needed: there may be very many."""
        if glance.other is None:
            return self._store.about(node, self._graphs, as_object=glance.end == "object", predicate=glance.predicate)
        ends = (node, glance.other) if glance.end == "subject" else (glance.other, node)
        triple = Triple(ends[0], glance.predicate, ends[1])  # type: ignore[arg-type]
        return iter([triple] if self.levels(triple) else [])


class After:
    """The store as it will be: `Before`, what comes with a write, what goes, and for some statements where they will stand.

    `own` are the graphs of the records that are written, whose earlier revisions no longer count.
    """

    def __init__(self, before: Before, own: Container[NamedNode], coming: Coming) -> None:
        self._before = before
        self._own = own
        self._coming = coming
        self._lost: set[Triple] = set()
        self._fixed: dict[Triple, Levels] = {}
        self._values: dict[tuple[object, NamedNode], set[object]] = defaultdict(set)
        self._subjects: dict[tuple[NamedNode, object], set[object]] = defaultdict(set)

    def lose(self, triple: Triple) -> None:
        """A record no longer says this; where it still stands is found out when somebody asks."""
        self._lost.add(triple)
        self._index(triple)

    def fix(self, triple: Triple, levels: Levels) -> None:
        """From now on a statement stands at these levels, whatever was known of it."""
        self._fixed[triple] = levels
        self._index(triple)

    def _index(self, triple: Triple) -> None:
        self._values[triple.subject, triple.predicate].add(triple.object)
        self._subjects[triple.predicate, triple.object].add(triple.subject)

    def by_records(self, triple: Triple, *, asserted: bool = False, joint: bool = False) -> Levels:
        """Where records will say it; on demand only those that assert it, or joint conclusions that stand now with them."""
        found = self._coming.levels(triple)
        if asserted:
            sayers = self._coming.sayers(triple)
            found = () if sayers is None else sayers.said
        for level, is_asserted, graph in self._before.statements(triple):
            if found == (PUBLIC,):
                break
            if graph in self._own or (asserted and not is_asserted) or (not joint and self._before.is_joint(graph)):
                continue
            found = widest((*found, level))
        return found

    def levels(self, triple: Triple) -> Levels:
        found = self._fixed.get(triple)
        if found is None and triple in self._lost:
            found = self._fixed[triple] = self.by_records(triple, joint=True)
        if found is not None:
            return found
        coming = self._coming.levels(triple)
        return coming if coming == (PUBLIC,) else widest((*self._before.levels(triple), *coming))

    def said(self, triple: Triple) -> Levels:
        return self.by_records(triple, asserted=True)

    def values(self, subject: NamedNode, predicate: NamedNode) -> Values:
        touched = chain(self._coming.others(subject, "subject", predicate), self._values.get((subject, predicate), ()))
        return self._merged(
            self._before.values(subject, predicate),
            {value: Triple(subject, predicate, value) for value in touched},  # type: ignore[arg-type]
        )

    def subjects(self, predicate: NamedNode, value: NamedNode | Literal) -> Values:
        touched = chain(self._coming.others(value, "object", predicate), self._subjects.get((predicate, value), ()))
        return self._merged(
            self._before.subjects(predicate, value),
            {subject: Triple(subject, predicate, value) for subject in touched},  # type: ignore[arg-type]
        )

    def _merged(self, found: Values, touched: dict[object, Triple]) -> Values:
        if not touched:
            return found
        merged = {**found, **{other: self.levels(triple) for other, triple in touched.items()}}
        return {other: levels for other, levels in merged.items() if levels}

    def extent(self, predicate: NamedNode) -> Iterator[tuple[object, object, Levels]]:
        stood = (Triple(s, predicate, o) for s, o, _ in self._before.extent(predicate))  # type: ignore[arg-type]
        comes = (triple_as_stored(triple) for _, triple, _, _ in self._coming.watched if triple.predicate == predicate)
        touched = [Triple(s, p, o) for (s, p), values in self._values.items() if p == predicate for o in values]  # type: ignore[arg-type]
        for triple in chain(stood, comes, touched):
            levels = self.levels(triple)
            if levels:
                yield triple.subject, triple.object, levels
