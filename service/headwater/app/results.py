"""Answers as Python hands them out: the envelope as a dictionary, its parts as typed values, and as tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from headwater.errors import Unavailable

if TYPE_CHECKING:
    import pandas


class PandasMissing(Unavailable):
    """Tables need pandas, which is not installed."""

    title = "pandas is not installed"
    default_remedy = "Install it with: pip install 'headwater[notebooks]', or pip install pandas."


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing of an answer. `distance` counts links from what was asked about; in `impact` the rest is the verdict on it."""

    iri: str
    kind: str
    label: str
    distance: int | None
    state: str | None
    severity: str | None
    effect: str | None
    justification: str | None
    resolved_by: str | None
    via: tuple[str, ...]
    visibility: str | None


@dataclass(frozen=True, slots=True)
class Link:
    """One link of an answer: `source` is the earlier thing. `role` is None where none is stated."""

    source: str
    target: str
    relation: str
    role: str | None
    evidence: str
    record: str


@dataclass(frozen=True, slots=True)
class Completeness:
    """How far an answer can be relied on; `coverage` (0 to 1) is the share of what it rests on that is pinned and described."""

    complete: bool
    reasons: tuple[str, ...]
    hidden_count: int
    frontier_count: int
    coverage: float


class Answer(dict[str, Any]):
    """An answer in the envelope of DESIGN section 5: a dictionary, ready for JSON, with its parts as typed values.

    >>> answer = Answer(root="urn:d", summary={"total": 0}, sequence=3, nodes={}, edges=[])
    >>> answer["sequence"], answer.sequence, answer.things
    (3, 3, [])
    """

    @property
    def root(self) -> str:
        """The IRI of what was asked about."""
        return str(self["root"])

    @property
    def sequence(self) -> int:
        """The ledger's sequence number that the answer speaks of."""
        return int(self["sequence"])

    @property
    def summary(self) -> Mapping[str, Any]:
        """The counts over everything, before any limit."""
        found: Mapping[str, Any] = self["summary"]
        return found

    @property
    def verdict(self) -> str | None:
        """The worst state that anything downstream has; None where nothing was judged."""
        return self.summary.get("verdict")

    @cached_property
    def completeness(self) -> Completeness:
        """What may be missing, and why."""
        told = self["completeness"]
        return Completeness(
            complete=told["complete"],
            reasons=tuple(told["reasons"]),
            hidden_count=told["hidden_count"],
            frontier_count=told["frontier_count"],
            coverage=told.get("coverage", 1.0),
        )

    @cached_property
    def things(self) -> list[Thing]:
        """What the answer lists, in its order."""
        return [
            Thing(
                iri=iri,
                kind=node.get("kind", "entity"),
                label=node.get("label", iri),
                distance=node.get("distance"),
                state=node.get("state"),
                severity=node.get("severity"),
                effect=node.get("effect"),
                justification=node.get("justification"),
                resolved_by=node.get("resolved_by"),
                via=tuple(node.get("via") or ()),
                visibility=node.get("visibility"),
            )
            for iri, node in self.get("nodes", {}).items()
        ]

    @cached_property
    def links(self) -> list[Link]:
        """The links between what the answer lists."""
        names = Link.__slots__
        return [Link(**{name: edge.get(name) for name in names}) for edge in self.get("edges", ())]

    def thing(self, iri: str) -> Thing | None:
        """One thing of the answer by its IRI."""
        return next((thing for thing in self.things if thing.iri == iri), None)

    def of_state(self, *states: str) -> list[Thing]:
        """The things that have one of these states, such as `affected`."""
        return [thing for thing in self.things if thing.state in states]

    def frame(self, part: str = "nodes") -> pandas.DataFrame:
        """A part of the answer as a table: `nodes` (indexed by IRI), `edges`, or any other list of rows, such as `steps`.

        Raises `PandasMissing` without pandas, `KeyError` where the answer has no such part.
        """
        try:
            import pandas as pd
        except ImportError as missing:
            raise PandasMissing("Answers become tables by pandas.") from missing
        found = self[part]
        if isinstance(found, Mapping):
            rows: Iterable[Any] = [{"id": name} | dict(row) for name, row in found.items()]
            table = pd.DataFrame(rows)
            return table.set_index("id") if len(table) else table
        return pd.DataFrame([row if isinstance(row, Mapping) else {"value": row} for row in found])
