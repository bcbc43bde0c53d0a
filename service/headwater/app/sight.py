"""What one reader sees, put together from the rooms that hold it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pyoxigraph import NamedNode, Triple

from headwater.lineage.graph import LineageGraph


@dataclass(frozen=True, slots=True)
class Sight:
    """What one reader sees: the graphs for the store, his lineage, and the whole lineage to count what he does not see.

    `about` gives what is said of a thing. `known_at` is the ledger's sequence number and `as_of` the moment (seconds since 1970)
    that the sight is of; None for the present ones.
    """

    graphs: tuple[NamedNode, ...]
    lineage: LineageGraph
    full: LineageGraph
    about: Callable[[NamedNode], Iterable[Triple]]
    known_at: int | None = None
    as_of: float | None = None
