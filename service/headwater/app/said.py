"""What persons say of what a change does to a thing, as it stands in the graph."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pyoxigraph import Literal, NamedNode

from headwater.app.sight import Sight
from headwater.lineage.slices import moment
from headwater.store.protocol import TripleStore
from headwater.terms.names import FOAF, HW, PROV, RDF, RDFS

STATED = ("affected", "not_affected", "in_triage", "resolved")


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody says: of which thing, regarding which change, which state, why, who and when."""

    iri: str
    about: str
    change: str
    state: str
    justification: str | None
    because: str | None
    by: str | None
    at: str | None

    def as_dict(self) -> dict[str, Any]:
        return {
            "statement": self.iri,
            "about": self.about,
            "change": self.change,
            "state": self.state,
            "justification": self.justification,
            "because": self.because,
            "by": self.by,
            "at": self.at,
        }


def _later(at: str | None, as_of: float | None) -> bool:
    said = None if at is None else moment(at)
    return said is not None and as_of is not None and said > as_of


class Statements:
    """The statements in the graph, as the store has it now."""

    def __init__(self, store: TripleStore) -> None:
        self._store = store

    def of(self, sight: Sight, *, about: str | None = None, change: str | None = None) -> list[Statement]:
        """The statements that a reader sees, about a thing or regarding a change or both; the latest first."""
        if about is not None:
            pointing = self._pointing(HW.about, about, sight)
        elif change is not None:
            pointing = self._pointing(HW.regarding, change, sight)
        else:
            pointing = self._pointing(RDF.type, HW.Statement.value, sight)
        found = (self._read(one, sight) for one in dict.fromkeys(pointing))
        kept = [one for one in found if one is not None and about in (None, one.about) and change in (None, one.change)]
        return sorted(kept, key=lambda one: (one.at or "", one.iri), reverse=True)

    def by_thing(self, sight: Sight, change: str | None, things: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
        """For each of some things what is said of it, regarding one change or (None) any."""
        wanted, found = set(things), defaultdict(list)
        for one in self.of(sight, change=change):
            if one.about in wanted and not _later(one.at, sight.as_of):
                found[one.about].append(one.as_dict())
        return dict(found)

    def _pointing(self, predicate: NamedNode, to: str, sight: Sight) -> Iterator[NamedNode]:
        for triple in self._store.about(NamedNode(to), sight.graphs, as_object=True):
            if triple.predicate == predicate and isinstance(triple.subject, NamedNode):
                yield triple.subject

    def _read(self, node: NamedNode, sight: Sight) -> Statement | None:
        values: dict[str, list[str]] = defaultdict(list)
        for triple in self._store.about(node, sight.graphs):
            if isinstance(triple.object, NamedNode | Literal):
                values[triple.predicate.value].append(triple.object.value)
        one = {name: min(found) for name, found in values.items()}
        told = [one.get(predicate.value) for predicate in (HW.about, HW.regarding, HW.says)]
        if HW.Statement.value not in values[RDF.type.value] or None in told or told[2] not in STATED:
            return None
        reason = one.get(HW.givenReason.value)
        author = one.get(PROV.wasAttributedTo.value)
        return Statement(
            iri=node.value,
            about=str(told[0]),
            change=str(told[1]),
            state=str(told[2]),
            justification=None if reason is None else reason.removeprefix(f"{HW}because-"),
            because=one.get(RDFS.comment.value),
            by=None if author is None else self._name(author, sight),
            at=one.get(PROV.generatedAtTime.value),
        )

    def _name(self, agent: str, sight: Sight) -> str:
        names = [
            triple.object.value
            for triple in self._store.about(NamedNode(agent), sight.graphs)
            if triple.predicate in (FOAF.name, RDFS.label) and isinstance(triple.object, Literal)
        ]
        return min(names, default=agent)
