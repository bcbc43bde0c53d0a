"""Announced changes: what a notice in the graph says, and which change a question means."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import Any

from pyoxigraph import Literal, NamedNode

from headwater.app.sight import Sight
from headwater.errors import BadParameter
from headwater.lineage.families import versions_of
from headwater.lineage.graph import LineageGraph
from headwater.lineage.mending import revisions_after
from headwater.lineage.slices import moment, read_slice
from headwater.lineage.verdict import Change
from headwater.records.links import slice_json
from headwater.store.protocol import TripleStore
from headwater.terms.names import HW, PROV, RDF
from headwater.terms.vocabulary import vocabulary


@dataclass(frozen=True, slots=True)
class Notice:
    """An announced change: its IRI, what it says, and when."""

    iri: str
    change: Change
    objects: tuple[str, ...]
    at: str | None

    def later_than(self, as_of: float | None) -> bool:
        """Whether the change is known to have happened only after a moment (None: the present)."""
        happened = None if self.at is None else moment(self.at)
        return as_of is not None and happened is not None and happened > as_of


class Notices:
    """The announced changes in the graph, and which change a question means."""

    def __init__(self, store: TripleStore) -> None:
        self._store = store

    def meant(self, iri: str, sight: Sight, change: str | None, slice: str | dict[str, Any] | None) -> Change:
        """The change that a question means: an announced one, or one that is supposed to happen to an object."""
        kinds = vocabulary().changes
        if change is not None and change not in kinds:
            raise BadParameter(f"change: '{change}' is none of {', '.join(sorted(kinds))}", parameter="change")
        own = self.notice(iri, sight)
        if own is not None:
            if change is not None or slice is not None:
                raise BadParameter(f"<{iri}> is a change itself; change= and slice= are for supposing one.", parameter="change")
            return own.change
        node = sight.lineage.find(iri)
        versions = [] if node is None else [sight.lineage.iris[version] for version in versions_of(node, sight.lineage)]
        announced = self.concerning({iri, *versions}, sight)
        if change is None:
            if len(announced) == 1 and slice is None:
                return announced[0].change
            told = ", ".join(notice.iri for notice in announced) or "none is announced for it"
            raise BadParameter(
                f"Which change of <{iri}> is meant? ({told})",
                parameter="change",
                remedy=f"Name a change, or suppose one with change= and one of: {', '.join(sorted(kinds))}.",
            )
        node = known(iri, sight.lineage)
        mended = {m for notice in announced if notice.change.kind == change for m in notice.change.mended}
        sound = mended | revisions_after(sight.lineage, mended)
        objects = [node, *(version for version in versions_of(node, sight.lineage) if version not in sound)]
        return Change(change, tuple(objects), tuple(sorted(mended)), read_slice(slice) if slice else "")

    def notice(self, iri: str, sight: Sight) -> Notice | None:
        """The announced change that `iri` is, if it is one."""
        values: dict[NamedNode, list[NamedNode | Literal]] = {}
        for triple in sight.about(NamedNode(iri)):
            if isinstance(triple.object, NamedNode | Literal):
                values.setdefault(triple.predicate, []).append(triple.object)
        if HW.Change not in values.get(RDF.type, []):
            return None
        kinds = [value.value.rpartition("#")[2] for value in values.get(HW.changeKind, [])]
        objects = sorted({value.value for value in values.get(HW.changedObject, [])})
        revisions = sorted({value.value for value in values.get(HW.fromRevision, [])})
        mended = sorted({value.value for value in values.get(HW.toRevision, [])})
        lineage = sight.lineage
        seeds: list[int] = []
        for name in revisions or objects:
            node = lineage.find(name)
            if node is not None:
                seeds += [node] if revisions else [node, *versions_of(node, lineage)]
        fixed = [node for node in (lineage.find(name) for name in mended) if node is not None]
        sound = {*fixed, *revisions_after(lineage, fixed)} - {lineage.find(name) for name in revisions}
        seeds = [node for node in dict.fromkeys(seeds) if node not in sound]
        if not kinds or not seeds:
            return None
        parts = {value for value in values.get(HW.slice, []) if isinstance(value, NamedNode)}
        # Of several slices nobody knows how they add up: the whole counts.
        slice_node = parts.pop() if len(parts) == 1 else None
        at = next((value.value for value in values.get(PROV.atTime, [])), None)
        change = Change(kinds[0], tuple(seeds), tuple(fixed), self._slice(slice_node, sight))
        return Notice(iri, change, tuple(dict.fromkeys([*objects, *revisions])), at)

    def _slice(self, node: NamedNode | None, sight: Sight) -> str:
        if node is None:
            return ""
        details: dict[str, list[NamedNode | Literal]] = {}
        for triple in dict.fromkeys(sight.about(node)):
            if isinstance(triple.object, NamedNode | Literal):
                details.setdefault(triple.predicate.value, []).append(triple.object)
        return slice_json(details)

    def concerning(self, names: Set[str], sight: Sight) -> list[Notice]:
        """The announced changes of things with these names that the reader may see, the latest first."""
        if sight.known_at is not None:
            return [notice for notice in self.all(sight) if not names.isdisjoint(notice.objects)]
        # Asked backwards from the things: with 10 million statements there are 10,000 notices, which took over a second to read.
        found = {
            triple.subject.value
            for name in sorted(names)
            for predicate in (HW.changedObject, HW.fromRevision)
            for triple in self._store.about(NamedNode(name), sight.graphs, as_object=True, predicate=predicate)
            if isinstance(triple.subject, NamedNode)
        }
        return self._read(found, sight)

    def all(self, sight: Sight) -> list[Notice]:
        """All announced changes that the reader may see, the latest first."""
        lineage = sight.lineage
        if sight.known_at is None:
            found = {
                triple.subject.value: None
                for triple in self._store.about(HW.Change, sight.graphs, as_object=True)
                if triple.predicate == RDF.type and isinstance(triple.subject, NamedNode)
            }
        else:
            found = dict.fromkeys(lineage.iris[node] for node in lineage.of_kind("change").tolist())
        return self._read(found, sight)

    def _read(self, found: Iterable[str], sight: Sight) -> list[Notice]:
        notices = [
            notice for iri in found if (notice := self.notice(iri, sight)) is not None and not notice.later_than(sight.as_of)
        ]
        return sorted(notices, key=lambda notice: (notice.at or "", notice.iri), reverse=True)


def known(iri: str, lineage: LineageGraph) -> int:
    """The node of a thing that takes part in lineage. Raises `BadParameter` for one that does not."""
    node = lineage.find(iri)
    if node is None:
        raise BadParameter(
            f"<{iri}> is known, but takes no part in any lineage.",
            remedy="Ask about a data set, model, run, software or other object.",
        )
    return node
