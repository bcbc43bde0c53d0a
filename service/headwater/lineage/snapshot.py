"""The index as files: everything in one, and beside it what came since, so that a small write need not write all again."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headwater.lineage import saving
from headwater.lineage.carrying import KINDS as IMPACT_KINDS
from headwater.lineage.carrying import ImpactEdges, ordered
from headwater.lineage.columns import Array, Column
from headwater.lineage.csr import Adjacency, Grown
from headwater.lineage.edges import KINDS as LINK_KINDS_OF_GRAPHS
from headwater.lineage.edges import Links, spare_for
from headwater.lineage.graph import LineageGraph
from headwater.lineage.names import Names
from headwater.lineage.said import LINK_KINDS, NAMES, NODE_KINDS, REVISION_KINDS, Entered, Found, Said, Speakers
from headwater.lineage.things import ATTRIBUTES, Things
from headwater.terms.vocabulary import Vocabulary

FORMAT = 5
WHOLE, SINCE = "lineage.index", "lineage.since"
_SIDES = ("earlier", "later", "node")

Levels = frozenset[str] | None
Counts = dict[str, int]


@dataclass(slots=True)
class Kept:
    """What stands in the files of a folder: the name of the whole, and how much of each column is in it."""

    folder: Path
    name: str
    counts: Counts


@dataclass(slots=True)
class Opened:
    """What the files hold."""

    said: Said
    graphs: list[tuple[Levels, LineageGraph]]
    sequence: int
    kept: Kept
    entered: list[Entered]
    """The revisions that came since the whole was written."""


def counts_of(said: Said) -> Counts:
    """How much there is of everything that only grows."""
    found = {f"names/{name}": len(names) for name, names in said.names.items()}
    found |= {"links": len(said.links["earlier"]), "nodes": len(said.nodes["node"])}
    return found | {"revisions": len(said.revisions["record"])}


def write_whole(
    folder: Path, said: Said, graphs: Sequence[tuple[Levels, LineageGraph]], sequence: int, words: Vocabulary
) -> Kept:
    """Write everything; what was written since an earlier whole is part of it then. Raises `OSError`; then all is as it was."""
    kept = Kept(folder, secrets.token_hex(8), counts_of(said))
    facts = {
        "format": FORMAT,
        "words": words.digest,
        "sequence": sequence,
        "name": kept.name,
        "newest": said.newest,
        "counts": kept.counts,
        "graphs": [
            {
                "levels": None if levels is None else sorted(levels),
                "level_names": graph.level_names,
                "impact": isinstance(graph.impact_edges, ImpactEdges),
            }
            for levels, graph in graphs
        ],
    }
    arrays = dict(_said_arrays(said))
    for number, (_, graph) in enumerate(graphs):
        arrays |= {f"graph{number}/{name}": values for name, values in _graph_arrays(graph)}
    spare = {name: spare_for(len(values)) for name, values in arrays.items() if not name.startswith(("names/", "found/"))}
    saving.write(folder / WHOLE, facts, arrays, spare)
    (folder / SINCE).unlink(missing_ok=True)
    return kept


def write_since(folder: Path, said: Said, kept: Kept, sequence: int) -> None:
    """Write what came since the whole was written. Raises `OSError`; then all is as it was."""
    arrays: dict[str, Array] = {}
    for what, columns in (("links", said.links), ("nodes", said.nodes), ("revisions", said.revisions)):
        arrays |= {f"{what}/{name}": column.array[kept.counts[what] :] for name, column in columns.items()}
    names = {name: known.between(kept.counts[f"names/{name}"], len(known)) for name, known in said.names.items()}
    saving.write(folder / SINCE, {"of": kept.name, "sequence": sequence, "names": names}, arrays, {})


def open_files(folder: Path, words: Vocabulary) -> Opened | None:
    """What the files hold, or None where there is nothing that this code and this ontology can use."""
    whole = saving.read(folder / WHOLE)
    if whole is None:
        return None
    try:
        facts = whole.facts
        if facts["format"] != FORMAT or facts["words"] != words.digest:
            return None
        said = _said_of(whole, words)
        kept = Kept(folder, facts["name"], facts["counts"])
        if counts_of(said) != kept.counts:
            return None
        graphs = [
            (_levels(told["levels"]), _graph_of(whole, number, told, said, words)) for number, told in enumerate(facts["graphs"])
        ]
        found = Opened(said, graphs, int(facts["sequence"]), kept, [])
        since = saving.read(folder / SINCE, whole=True)
        # What is torn, or went with an earlier whole, is left out: the index stands where the whole does, and catches up.
        if since is not None and since.facts["of"] == kept.name:
            _go_on(found, since)
        return found
    except (ValueError, KeyError, TypeError, IndexError):
        return None


def _levels(names: list[str] | None) -> Levels:
    return None if names is None else frozenset(names)


# --- rows and names


def _said_arrays(said: Said) -> Iterator[tuple[str, Array]]:
    for name, names in said.names.items():
        for column, values in names.arrays().items():
            yield f"names/{name}/{column}", values
    for what, columns in (("links", said.links), ("nodes", said.nodes), ("revisions", said.revisions)):
        for name, held in columns.items():
            yield f"{what}/{name}", held.array
    yield "latest/record", said.latest.array
    found = said.finding(whole=True)
    for name in _SIDES:
        side: Grown = getattr(found, name)
        yield f"found/{name}/order", side.order
        yield f"found/{name}/start", side.start


def _said_of(whole: saving.Saved, words: Vocabulary) -> Said:
    said = Said(words)
    said.names = {
        name: Names.of_arrays({column: held.array for column, held in whole.part(f"names/{name}").items()}) for name in NAMES
    }
    said.links, said.nodes, said.revisions = whole.part("links"), whole.part("nodes"), whole.part("revisions")
    for columns, kinds in ((said.links, LINK_KINDS), (said.nodes, NODE_KINDS), (said.revisions, REVISION_KINDS)):
        if {name: column.dtype for name, column in columns.items()} != {name: np.dtype(kind) for name, kind in kinds.items()}:
            raise TypeError("The columns are of other types.")
    said.latest = whole.part("latest")["record"]
    said.newest = int(whole.facts["newest"])
    ends = {"earlier": said.links["earlier"], "later": said.links["later"], "node": said.nodes["node"]}
    sides = {}
    for name in _SIDES:
        held = whole.part(f"found/{name}")
        sides[name] = Grown.over(Adjacency.of(held["order"].array, held["start"].array), ends[name].array)
    said.found = Found(**sides)
    return said


def _go_on(found: Opened, since: saving.Saved) -> None:
    """Add what came since the whole was written."""
    said = found.said
    for name, names in since.facts["names"].items():
        said.names[name].add(names)
    for what, columns in (("links", said.links), ("nodes", said.nodes)):
        for name, column in since.part(what).items():
            columns[name].append(column.array)
    held = {name: column.array.tolist() for name, column in since.part("revisions").items()}
    for record, level, at, gone, link, node in zip(
        *(held[name] for name in ("record", "level", "since", "gone", "first_link", "first_node")), strict=True
    ):
        found.entered.append(said.chain(record, level, at, gone=gone, first_rows=(link, node)))
    found.sequence = int(since.facts["sequence"])


# --- graphs


def _graph_arrays(graph: LineageGraph) -> Iterator[tuple[str, Array]]:
    for name, column in graph.things.columns.items():
        yield f"things/{name}", column.array
    for name, values in graph.links.arrays.items():
        yield f"links/{name}", values
    yield "down/start", graph.links.down.start
    yield "up/start", graph.links.up.start
    yield "up/order", graph.links.up.order
    edges = graph.impact_edges
    if isinstance(edges, ImpactEdges):
        for name, column in edges.columns.items():
            yield f"impact/{name}", column.array
        yield "impact_rows/start", edges.adjacency.start
        yield "impact_rows/controls", edges.controls


def _graph_of(whole: saving.Saved, number: int, told: Mapping[str, Any], said: Said, words: Vocabulary) -> LineageGraph:
    def part(name: str, kinds: Mapping[str, type[np.generic]]) -> dict[str, Column]:
        return {kind: whole.arrays[f"graph{number}/{name}/{kind}"] for kind in kinds}

    def rows(name: str, kind: str) -> Any:
        return whole.arrays[f"graph{number}/{name}/{kind}"].array

    sizes = {name: len(names) for name, names in said.names.items()}
    listed = {name: said.names[name].listed(sizes[name]) for name in ("iris", "relations", "slices", "records")}
    seen = said.seen(_levels(told["levels"]))
    graph = LineageGraph.of_parts(
        words,
        (listed["iris"], said.names["iris"].ids(sizes["iris"]), listed["relations"], listed["slices"], listed["records"]),
        list(told["level_names"]),
        Speakers(said, seen, int(whole.facts["sequence"])),
        Things(part("things", ATTRIBUTES)),
        Links.over(
            part("links", LINK_KINDS_OF_GRAPHS), rows("down", "start"), Adjacency.of(rows("up", "order"), rows("up", "start"))
        ),
    )
    if told["impact"]:
        columns = part("impact", IMPACT_KINDS)
        adjacency = ordered(columns, rows("impact_rows", "start"))
        graph.impact_edges = ImpactEdges.over(columns, adjacency, rows("impact_rows", "controls"))
    return graph
