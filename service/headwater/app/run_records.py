"""What is recorded of runs besides their links: how they ended, how long they took, what energy they used, by what command."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pyoxigraph import Literal, NamedNode

from headwater.app.naming import Names
from headwater.app.sight import Sight
from headwater.terms.names import DCTERMS, HW, MLS, PROV, RDF

Told = Mapping[NamedNode, list[NamedNode | Literal]]


@dataclass(frozen=True, slots=True)
class _Record:
    status: str
    hours: float | None
    kwh: float | None
    parents: tuple[int, ...]
    command: str
    details: tuple[NamedNode, ...]


class RunRecords:
    """The facts of runs that one reader may see, by node id of his lineage; each run is read once."""

    def __init__(self, names: Names, sight: Sight) -> None:
        self._names, self._sight = names, sight
        self._known: dict[int, _Record] = {}
        self._settings: dict[int, dict[str, str]] = {}

    def status(self, run: int) -> str:
        return self._of(run).status

    def hours(self, run: int) -> float | None:
        return self._of(run).hours

    def kwh(self, run: int) -> float | None:
        return self._of(run).kwh

    def parents(self, run: int) -> tuple[int, ...]:
        return self._of(run).parents

    def command(self, run: int) -> str:
        return self._of(run).command

    def settings(self, run: int) -> Mapping[str, str]:
        if run not in self._settings:
            self._settings[run] = dict(sorted(self._read_settings(self._of(run).details)))
        return self._settings[run]

    def told(self, node: int) -> Told:
        """All that is said of a thing, by property."""
        return told(self._sight.lineage.iris[node], self._sight)

    def _of(self, run: int) -> _Record:
        if run not in self._known:
            said = self.told(run)
            lineage = self._sight.lineage
            above = (lineage.find(value.value) for value in said.get(DCTERMS.isPartOf, []) if isinstance(value, NamedNode))
            parents = (node for node in above if node is not None and lineage.kind_name(node) == "run" and node != run)
            self._known[run] = _Record(
                status=next(iter(sorted(_texts(said, HW.status))), ""),
                hours=hours_between(_texts(said, PROV.startedAtTime), _texts(said, PROV.endedAtTime)),
                kwh=_energy(_texts(said, HW.energy)),
                parents=tuple(sorted(set(parents))),
                command=next(iter(sorted(_texts(said, HW.entryPoint))), ""),
                details=tuple(node for node in said.get(MLS.hasInput, []) if isinstance(node, NamedNode)),
            )
        return self._known[run]

    def _read_settings(self, details: Iterable[NamedNode]) -> Iterable[tuple[str, str]]:
        for detail in details:
            said = told(detail.value, self._sight)
            specified, values = said.get(MLS.specifiedBy), _texts(said, MLS.hasValue)
            if MLS.HyperParameterSetting in said.get(RDF.type, []) and specified and values:
                iri = min(node.value for node in specified)
                yield self._names.labels([iri], self._sight.graphs)[iri], min(values)


def told(iri: str, sight: Sight) -> dict[NamedNode, list[NamedNode | Literal]]:
    """All that a reader may know of a thing, by property."""
    found: dict[NamedNode, list[NamedNode | Literal]] = {}
    for triple in sight.about(NamedNode(iri)):
        if isinstance(triple.object, NamedNode | Literal):
            values = found.setdefault(triple.predicate, [])
            if triple.object not in values:
                values.append(triple.object)
    return found


def _texts(said: Mapping[NamedNode, list[Any]], predicate: NamedNode) -> set[str]:
    return {value.value for value in said.get(predicate, []) if isinstance(value, Literal)}


def hours_between(starts: Iterable[str], ends: Iterable[str]) -> float | None:
    """How many hours lie between a run's beginning and its end; None where either is missing, stated twice, or nonsense.

    >>> hours_between(["2026-01-01T10:00:00Z"], ["2026-01-01T13:30:00+01:00"]), hours_between(["2026-01-01T10:00:00Z"], [])
    (2.5, None)
    """
    first, last = _moments(starts), _moments(ends)
    if len(first) != 1 or len(last) != 1:
        return None
    seconds = (last.pop() - first.pop()).total_seconds()
    return seconds / 3600 if seconds >= 0 else None


def _moments(texts: Iterable[str]) -> set[datetime]:
    found = set()
    for text in texts:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            continue
        # Without a time zone both ends are taken to be in the same one.
        found.add(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
    return found


def _energy(texts: Iterable[str]) -> float | None:
    found = set()
    for text in texts:
        try:
            value = float(text)
        except ValueError:
            continue
        if math.isfinite(value) and value >= 0:
            found.add(value)
    return found.pop() if len(found) == 1 else None
