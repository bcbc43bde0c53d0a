"""Keeping the view graphs right: what a reader may ask on is the union of what the records of his levels say.

A statement stands in a view as long as one record of that view's levels makes it, asserted or entailed, or it follows from
several of them together (`headwater.store.joint`). `view/public` holds what public records say; `view/internal` what public and
internal ones say, so that most readers query a single graph (a query over k graphs costs k times as much); `view/project/NAME`
what only the members of that project may see.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pyoxigraph import Literal, NamedNode, Quad, Triple

from headwater.records.levels import INTERNAL, PROJECT, PUBLIC, Levels, widest
from headwater.records.record import Record
from headwater.store.graphs import graphs_of
from headwater.store.joint import JointChange, Old, Written, joint_change
from headwater.store.protocol import ATOMIC, STATE, TripleStore
from headwater.store.standing import Before, Stated
from headwater.terms.minting import is_entailed, without_entailed
from headwater.terms.names import HW

_VISIBILITY = HW.visibility
_LOAD_AT_ONCE = 200_000
"""Statements of one step of a load: what follows from several records is looked for among them and in what was loaded before."""


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
        self._foreseen: tuple[object, JointChange] | None = None
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
        """Whether a graph is a view: no record's, and none of joint conclusions."""
        return graph.value.startswith(f"{self._base}view/") and not graph.value.startswith(f"{self._base}view/joint/")

    def joint(self, level: str) -> NamedNode:
        """The graph of what follows from several records together, for the readers of a level."""
        return NamedNode(f"{self._base}view/joint/{level.replace(':', '/', 1)}")

    @property
    def internal_live(self) -> bool:
        """Whether the internal view is kept."""
        return self._internal_live

    def clear(self) -> None:
        """Empty the store: it is at sequence number 0 afterwards."""
        self._foreseen = None
        self._store.clear()
        self._internal_live = False
        self._projects.clear()

    def expect(self, records: Iterable[Record]) -> None:
        """Tell the store that the things of these records are going to be looked up, as the gate and the joint rules do."""
        nodes: dict[NamedNode, None] = {}
        for record in records:
            for triple in (*record.asserted, *record.entailed):
                nodes.update((node, None) for node in (triple.subject, triple.object) if isinstance(node, NamedNode))
        views = [self.public, *([self.internal] if self._internal_live else []), *map(self.project, sorted(self._projects))]
        for graphs in dict.fromkeys((tuple(self.graphs(internal=True, projects=None)), tuple(views))):
            self._store.expect(nodes, graphs, as_objects=True)
        self._store.expect(nodes, [self.joint(level) for level in self._all_levels()])

    def foresee(self, entries: Sequence[Applied]) -> JointChange:
        """What would come and go among the joint conclusions if these entries were applied."""
        latest = {entry.iri: entry for entry in entries}
        written = [Written(entry.iri, self._old(entry.iri), entry.record) for entry in latest.values()]
        return self._joint_change(written)

    def _joint_change(self, written: Sequence[Written]) -> JointChange:
        """The same, and kept until the next write, because a write is first judged and then applied."""
        what = (self._store.sequence(), tuple((one.iri, one.new.digest if one.new is not None else None) for one in written))
        if self._foreseen is None or self._foreseen[0] != what:
            self._foreseen = (what, joint_change(written, self._before()))
        return self._foreseen[1]

    def _old(self, iri: str) -> Old | None:
        levels = self._visibilities(iri)
        node, follows = graphs_of(iri)
        asserted, entailed = tuple(self._store.graph(node)), tuple(self._store.graph(follows))
        if not levels and not asserted and not entailed:
            return None
        return Old(levels or (PUBLIC,), asserted, entailed)

    def _before(self, seen: Container[int] | None = None) -> Before:
        views = {PUBLIC: self.public}
        if self._internal_live:
            views[INTERNAL] = self.internal
        views |= {PROJECT + name: self.project(name) for name in sorted(self._projects)}
        joint = {level: self.joint(level) for level in views}
        known: dict[NamedNode, Stated | None] = {graph: (level, False) for level, graph in joint.items()}

        def stated(graph: NamedNode) -> Stated | None:
            if graph not in known:
                known[graph] = self._stated(graph)
            return known[graph]

        return Before(self._store, views, joint, stated, seen)

    def _stated(self, graph: NamedNode) -> Stated | None:
        if graph == STATE or self.is_view(graph):
            return None
        levels = widest(self._visibilities(without_entailed(graph.value)))
        return (levels[0], not is_entailed(graph.value)) if levels else None

    def apply(self, entries: Sequence[Applied], sequence: int) -> None:
        """Bring the store from its state before `entries` to the one after, and to `sequence`. Doing it twice changes nothing."""
        latest = {entry.iri: entry for entry in entries}
        written = [Written(entry.iri, self._old(entry.iri), entry.record) for entry in latest.values()]
        change = self._joint_change(written)
        self._prepare_levels(entry.record.visibility for entry in latest.values() if entry.record is not None)
        added: list[Quad] = []
        dropped: dict[Quad, None] = {}
        orphans: dict[Triple, None] = {}
        for one in written:
            self._replace(one, added, dropped, orphans)
        joint_added = self._joint_quads(change.added)
        joint_dropped = self._joint_dropped(change)
        added += joint_added
        dropped |= dict.fromkeys(joint_dropped)
        orphans |= dict.fromkeys(change.dropped)
        if orphans:
            self._drop_from_views(orphans, latest, set(added), dropped)
        if (joint_added or joint_dropped) and len(added) + len(dropped) > ATOMIC:
            # Such a change is taken in steps. If it is cut short, it is done again from what stands then: joint conclusions that
            # are right for the end are right to begin from, while premises without them would pass for known.
            joint_dropped += [quad for quad in dropped if quad.triple in change.dropped and self.is_view(quad.graph_name)]  # type: ignore[arg-type]
            self._store.change(joint_dropped, joint_added, self._store.sequence(), whole=True)
        # A record's own graph tells what it said, so it goes last: cut short before that, the rest is found again.
        going = sorted(dropped, key=lambda quad: (not self.is_view(quad.graph_name), quad.graph_name == STATE))  # type: ignore[arg-type]
        self._store.change(going, added, sequence)

    def load(self, records: Iterable[Record], sequence: int, *, internal: bool) -> None:
        """Fill an empty store from the present records, fast. `internal` says whether any of them is internal."""
        self._internal_live = internal
        seen: set[int] = set()
        loaded = in_order = 0
        for part in _parts(records):
            change = joint_change([Written(record.iri, None, record) for record in part], self._before(seen))
            quads = [quad for record in part for quad in self._quads(record)] + self._joint_quads(change.added)
            if change.dropped:  # given way to what a record says itself
                going = dict.fromkeys(self._joint_dropped(change))
                self._drop_from_views(dict.fromkeys(change.dropped), {}, set(quads), going)
                self._store.change(list(going), [], self._store.sequence())
            loaded += len(quads)
            if loaded > 2 * in_order:
                # A load puts the store in order, which makes looking quick and takes its time.
                self._store.load(quads, self._store.sequence())
                in_order = loaded
            else:
                self._store.change([], quads, self._store.sequence())
            seen.update(hash(node) for quad in quads for node in (quad.subject, quad.object))
        self._store.load((), sequence)

    def _joint_quads(self, triples: dict[Triple, Levels]) -> list[Quad]:
        return [
            _quad(triple, graph)
            for triple, levels in triples.items()
            for level in levels
            for graph in (self.joint(level), *self._views_of(level))
        ]

    def _quads(self, record: Record) -> Iterator[Quad]:
        node, follows = graphs_of(record.iri)
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

    def _joint_dropped(self, change: JointChange) -> list[Quad]:
        return [_quad(triple, self.joint(level)) for triple, levels in change.dropped.items() for level in levels]

    def _replace(self, one: Written, added: list[Quad], dropped: dict[Quad, None], orphans: dict[Triple, None]) -> None:
        node, follows = graphs_of(one.iri)
        old = one.old or Old((), (), ())
        stood = [(triple, graph) for graph, triples in ((node, old.asserted), (follows, old.entailed)) for triple in triples]
        marks = [(triple, STATE) for triple in self._store.about(node, [STATE])]
        fresh = list(self._quads(one.new)) if one.new is not None else []
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
        levels: dict[NamedNode, Stated | None] = {self.joint(level): (level, False) for level in self._all_levels()}
        for triple in orphans:
            shown, wanted = [], set()
            for graph in self._store.graphs_with(triple):
                if self.is_view(graph):
                    shown.append(graph)
                    continue
                if without_entailed(graph.value) in latest or _quad(triple, graph) in dropped:
                    continue
                if graph not in levels:
                    levels[graph] = self._stated(graph)
                stated = levels[graph]
                if stated is not None:
                    wanted.update(self._views_of(stated[0]))
            for view in shown:
                quad = _quad(triple, view)
                if view not in wanted and quad not in added:
                    dropped[quad] = None

    def _all_levels(self) -> list[str]:
        return [PUBLIC, INTERNAL, *(PROJECT + name for name in self._projects)]

    def _visibilities(self, record: str) -> Levels:
        """A record's visibility; two where a change of it was cut short."""
        about = self._store.about(NamedNode(record), [STATE])
        return tuple(t.object.value for t in about if t.predicate == _VISIBILITY and isinstance(t.object, Literal))


def _parts(records: Iterable[Record]) -> Iterator[list[Record]]:
    part: list[Record] = []
    size = 0
    for record in records:
        part.append(record)
        size += len(record.asserted) + len(record.entailed)
        if size >= _LOAD_AT_ONCE:
            yield part
            part, size = [], 0
    if part:
        yield part


def _quad(triple: Triple, graph: NamedNode) -> Quad:
    return Quad(triple.subject, triple.predicate, triple.object, graph)
