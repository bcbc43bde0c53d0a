"""A graph brought up to date by what a few records say anew: the same graph as one made of all rows, without making it.

What a link counts for depends on the links into its later end and into the runs that made that; so only the links into the things
around what changed are worked out again, by the same lines as for all links, and compared with those that are there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headwater.lineage.carrying import ImpactEdges
from headwater.lineage.columns import Array, difference, picked
from headwater.lineage.connecting import RoleWords, counting
from headwater.lineage.csr import BoolArray, Int32Array, among
from headwater.lineage.graph import LineageGraph
from headwater.lineage.regrowing import regrown
from headwater.lineage.said import LINK_KINDS, NODE_KINDS, Said, Speakers
from headwater.lineage.things import NO_LEVEL, Kinds, rank_of_levels

_MOST_ROWS = 200_000
"""Rows around what changed; where there are more, and more than a quarter of all, the graph is made anew."""
_LOOK = 1_024


@dataclass(frozen=True, slots=True)
class Sides:
    """Rows of links and of descriptions, as columns."""

    links: dict[str, Array]
    nodes: dict[str, Array]


@dataclass(frozen=True, slots=True)
class View:
    """What a graph shows of the rows: those that hold, at the levels `seen`; `ranks` puts the levels in order."""

    said: Said
    seen: BoolArray
    ranks: NDArray[np.int16]

    def rows(self, revisions: Int32Array) -> Sides:
        """The rows of these revisions, with the record of each link and the level of each."""
        found = []
        for what, columns in (("link", self.said.links), ("node", self.said.nodes)):
            rows = self.said.rows_of(revisions, what)
            table = {name: column.array[rows] for name, column in columns.items()}
            revision = self.said.revision_of(rows, what)
            table["level"] = self.ranks[self.said.revisions["level"].array[revision]]
            if what == "link":
                table["record"] = self.said.revisions["record"].array[revision]
            found.append(table)
        return Sides(*found)

    def into(self, things: Int32Array) -> Int32Array:
        """The rows of links into `things`."""
        return self.said.visible(self.said.finding().later.edges_of(things), "link", self.seen)

    def out_of(self, things: Int32Array) -> Int32Array:
        """The rows of links out of `things`."""
        return self.said.visible(self.said.finding().earlier.edges_of(things), "link", self.seen)


def updated(
    graph: LineageGraph, said: Said, seen: BoolArray, came: Int32Array, went: Int32Array, known_at: int
) -> LineageGraph | None:
    """`graph` with the revisions that came and without those that went, of the levels `seen`; None to make it anew."""
    names = list(said.names["levels"].listed(len(said.names["levels"])))
    if sorted(names) != sorted(graph.level_names):
        return None
    view = View(said, seen, rank_of_levels(names))
    news, olds = view.rows(came), view.rows(went)
    link_names = (*LINK_KINDS, "record", "level")
    more, less = difference(_columns(news.links, link_names), _columns(olds.links, link_names))
    links = picked(news.links, more), picked(olds.links, less)
    node_names = (*NODE_KINDS, "level")
    more, less = difference(_columns(news.nodes, node_names), _columns(olds.nodes, node_names))
    nodes = picked(news.nodes, more), picked(olds.nodes, less)
    kinds = Kinds.of(graph.words)
    size = len(said.names["iris"])
    touched, values = _attributes(graph, view, kinds, links, nodes)
    things = graph.things.changed(touched, values, size, kinds)
    new_kind = things.columns["kind"].array
    reclassed = _reclassed(graph, kinds, touched, new_kind)
    around = _around(graph, view, kinds, new_kind, links, reclassed)
    if around is None:
        return None
    owners, rows = around
    fresh = _counted(graph, view, kinds, new_kind, owners, rows)
    present = graph.up.edges_of(owners[owners < graph.size])
    columns = graph.links.arrays
    more, less = difference(fresh, {name: columns[name][present] for name in fresh})
    gone = present[less]
    grown = graph.links.changed(gone, picked(fresh, more), size)
    sizes = {name: len(known) for name, known in said.names.items()}
    listed = {name: said.names[name].listed(sizes[name]) for name in ("iris", "relations", "slices", "records")}
    found = LineageGraph.of_parts(
        graph.words,
        (listed["iris"], said.names["iris"].ids(size), listed["relations"], listed["slices"], listed["records"]),
        graph.level_names,
        Speakers(said, seen, known_at),
        things,
        grown,
    )
    if isinstance(graph.impact_edges, ImpactEdges):
        found.impact_edges = regrown(graph.impact_edges, graph, found, gone, touched)
    return found


def _columns(table: Mapping[str, Array], names: tuple[str, ...]) -> dict[str, Array]:
    return {name: table[name] for name in names}


# --- what is known of the things


def _attributes(
    graph: LineageGraph,
    view: View,
    kinds: Kinds,
    links: tuple[dict[str, Array], dict[str, Array]],
    nodes: tuple[dict[str, Array], dict[str, Array]],
) -> tuple[Int32Array, dict[str, Array]]:
    """The things that rows came or went for, and their attributes now."""
    spoken = [(table["node"], table["level"]) for table in nodes]
    ends = [(table[end], table["level"]) for table in links for end in ("earlier", "later")]
    touched = np.unique(np.concatenate([things for things, _ in (*spoken, *ends)])).astype(np.int32)
    values = _known(graph, kinds, touched)
    # What an activity is pinned for is its kind, and that may change: only what was said of it is carried on.
    by_kind = kinds.pinned[values["kind"]]
    said = nodes[0]
    place = np.searchsorted(touched, said["node"])
    np.minimum.at(values["kind"], place, said["kind"])
    np.logical_or.at(values["pinned"], place, said["pinned"])
    np.fmin.at(values["start"], place, said["start"])
    np.fmax.at(values["end"], place, said["end"])
    for things, level in (spoken[0], ends[0], ends[1]):
        place = np.searchsorted(touched, things)
        values["present"][place] = True
        np.minimum.at(values["node_level"], place, level)
    doubted = [things for things, _ in (spoken[1], ends[2], ends[3])]
    unsure = among(touched, np.concatenate(doubted)) | (by_kind & ~kinds.pinned[values["kind"]])
    for number in np.flatnonzero(unsure).tolist():
        _look_again(view, kinds, int(touched[number]), values, number)
    values["pinned"] |= kinds.pinned[values["kind"]]
    return touched, values


def _known(graph: LineageGraph, kinds: Kinds, things: Int32Array) -> dict[str, Array]:
    """The attributes of `things` so far; of new ones nothing."""
    inside = np.minimum(things, max(graph.size - 1, 0))
    new = things >= graph.size
    blank = {"kind": kinds.unsaid, "pinned": False, "start": np.nan, "end": np.nan, "present": False, "node_level": NO_LEVEL}
    found = {}
    for name, column in graph.things.columns.items():
        known = column.array[inside] if graph.size else np.empty(len(things), column.dtype)
        known[new] = blank[name]
        found[name] = known
    return found


def _look_again(view: View, kinds: Kinds, thing: int, values: Mapping[str, Array], number: int) -> None:
    """The attributes of a thing of which rows went, from the rows that are left; stops where these say all that was known."""
    wanted = {name: column[number].item() for name, column in values.items()}
    found = {"kind": kinds.unsaid, "pinned": False, "start": np.nan, "end": np.nan, "present": False, "node_level": NO_LEVEL}
    one, said = np.array([thing], np.int32), view.said
    finding = said.finding()
    level = said.revisions["level"].array
    for what, edges in (("node", finding.node), ("link", finding.later), ("link", finding.earlier)):
        rows = edges.edges_of(one)
        for begin in range(0, len(rows), _LOOK):
            if _same(found, wanted, kinds):
                break
            some = said.visible(rows[begin : begin + _LOOK], what, view.seen)
            if not len(some):
                continue
            found["present"] = True
            ranks = view.ranks[level[said.revision_of(some, what)]]
            found["node_level"] = min(found["node_level"], int(ranks.min()))
            if what == "node":
                nodes = {name: column.array[some] for name, column in said.nodes.items()}
                found["kind"] = min(found["kind"], int(nodes["kind"].min()))
                found["pinned"] = bool(found["pinned"]) or bool(nodes["pinned"].any())
                found["start"] = float(np.fmin(found["start"], np.fmin.reduce(nodes["start"])))
                found["end"] = float(np.fmax(found["end"], np.fmax.reduce(nodes["end"])))
    for name, value in found.items():
        values[name][number] = value


def _same(found: Mapping[str, float], wanted: Mapping[str, float], kinds: Kinds) -> bool:
    # Whether anybody said that an activity is pinned makes no difference.
    names = [name for name in found if name != "pinned" or not kinds.pinned[int(wanted["kind"])]]
    return all(found[name] == wanted[name] or (found[name] != found[name] and wanted[name] != wanted[name]) for name in names)


def _reclassed(graph: LineageGraph, kinds: Kinds, touched: Int32Array, kind: NDArray[np.int8]) -> Int32Array:
    """The things known before whose kind changed in a way that links depend on."""
    known = touched[touched < graph.size]
    found: Int32Array = known[kinds.classes[graph.kind[known]] != kinds.classes[kind[known]]]
    return found


# --- which links count


def _around(
    graph: LineageGraph,
    view: View,
    kinds: Kinds,
    kind: NDArray[np.int8],
    links: tuple[dict[str, Array], dict[str, Array]],
    reclassed: Int32Array,
) -> tuple[Int32Array, Int32Array] | None:
    """The things into which links are to be worked out again, and all rows of links that this depends on; None for too many."""
    said, rows = view.said, RoleWords.of_words(graph.words).of
    generate, derive = rows["generate"], rows["derive"]
    most = max(_MOST_ROWS, len(said.links["earlier"]) // 4)
    finding = said.finding()
    later = [table["later"] for table in links]
    if int(finding.earlier.counts(reclassed).sum()) > most:
        return None
    owners = np.unique(np.concatenate((*later, reclassed, said.links["later"].array[view.out_of(reclassed)]))).astype(np.int32)
    runs = owners[(kinds.classes[kind[owners]] == 3) | among(owners, reclassed)]
    if int(finding.earlier.counts(runs).sum()) + int(finding.later.counts(owners).sum()) > most:
        return None
    made = view.out_of(runs)
    made = made[said.links["role"].array[made] == generate]
    owners = np.union1d(owners, said.links["later"].array[made]).astype(np.int32)
    if int(finding.later.counts(owners).sum()) > most:
        return None
    into = view.into(owners)
    role, ends = said.links["role"].array, said.links["later"].array
    derived = np.unique(ends[into[role[into] == derive]])
    makings = into[role[into] == generate]
    makers = np.unique(said.links["earlier"].array[makings[among(ends[makings], derived)]]).astype(np.int32)
    makers = makers[~among(makers, owners)]
    if int(finding.later.counts(makers).sum()) > most:
        return None
    return owners, np.concatenate((into, view.into(makers)))


def _counted(
    graph: LineageGraph, view: View, kinds: Kinds, kind: NDArray[np.int8], owners: Int32Array, rows: Int32Array
) -> dict[str, Array]:
    """The links into `owners` that count, as columns of a graph."""
    said = view.said
    stated = {name: column.array[rows] for name, column in said.links.items()}
    stated["record"] = said.revisions["record"].array[said.revision_of(rows, "link")]
    things, local = np.unique(np.concatenate((stated["earlier"], stated["later"])), return_inverse=True)
    earlier, later = local[: len(rows)].astype(np.int32), local[len(rows) :].astype(np.int32)
    keep, stated["role"] = counting(earlier, later, stated["role"], kind[things], kinds, RoleWords.of_words(graph.words))
    return picked(stated, np.flatnonzero(keep & among(stated["later"], owners)))
