"""What one reader sees, put together from the rooms that hold it."""

from __future__ import annotations

from dataclasses import dataclass

from pyoxigraph import NamedNode

from headwater.lineage.graph import LineageGraph


@dataclass(frozen=True, slots=True)
class Sight:
    """What one reader sees: the graphs for the store, his lineage, and the whole lineage to count what he does not see."""

    graphs: tuple[NamedNode, ...]
    lineage: LineageGraph
    full: LineageGraph
