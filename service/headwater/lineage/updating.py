"""A graph brought up to date by what a few records say anew: the same graph as one made of all rows, without making it.

What a link counts for depends on the links into its later end and into the runs that made that; so only the links into the things
around what changed are worked out again, by the same lines as for all links, and compared with those that are there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headwater.lineage import coverage
from headwater.lineage.carrying import ImpactEdges
from headwater.lineage.columns import Array, difference, picked
from headwater.lineage.connecting import RoleWords, counting
from headwater.lineage.csr import BoolArray, Int32Array, among
from headwater.lineage.graph import LineageGraph
from headwater.lineage.regrowing import regrown
from headwater.lineage.revisions import Revisions
from headwater.lineage.said import LINK_KINDS, NODE_KINDS, Said, Speakers
from headwater.lineage.things import Kinds, blank, rank_of_levels

_MOST_ROWS = 200_000
"""Rows around what changed; where there are more, and more than a quarter of all, the graph is made anew."""
_LOOK, _ALL = 256, 2**30


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
    ends = np.concatenate((columns["later"][gone], fresh["later"][more])).astype(np.int32)
    found.doubts = coverage.regrown(graph, found, ends, touched)
    found.revisions = None if graph.revisions is None else _revised(graph.revisions, found, columns, gone, picked(fresh, more))
    if isinstance(graph.impact_edges, ImpactEdges):
        found.impact_edges = regrown(graph.impact_edges, graph, found, gone, touched)
    return found


def _revised(
    revisions: Revisions, graph: LineageGraph, columns: Mapping[str, Array], gone: Int32Array, came: Mapping[str, Array]
) -> Revisions:
    """The later revisions in `graph`: those of things from which a link of revision went or came are looked up again."""
    revise = graph.role_of["revise"]
    changed: dict[int, set[int]] = {}
    for table, which in ((columns, gone[columns["role"][gone] == revise]), (came, np.flatnonzero(came["role"] == revise))):
        for earlier, later in zip(table["earlier"][which].tolist(), table["later"][which].tolist(), strict=True):
            known = changed.setdefault(earlier, set(revisions.get(earlier, ())))
            # From its later end, which few links reach: very many may have used the earlier thing.
            into = graph.up.edges_of(np.array([later], np.int32))
            holds = bool(((graph.role[into] == revise) & (graph.earlier[into] == earlier)).any())
            (known.add if holds else known.discard)(later)
    return revisions.amended({earlier: sorted(later) for earlier, later in changed.items()})


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
    # Of what went nobody knows whether it was what made a thing what it is; and an activity may be pinned by its kind alone.
    doubted = [things for things, _ in (spoken[1], ends[2], ends[3])]
    unsure = among(touched, np.concatenate(doubted)) | (by_kind & ~kinds.pinned[values["kind"]])
    _look_again(view, kinds, touched, np.flatnonzero(unsure), values)
    values["pinned"] |= kinds.pinned[values["kind"]]
    # What nobody speaks of any more keeps what was known of it, unseen: to forget it would be to copy all columns.
    left = np.flatnonzero(~values["present"] & (touched < graph.size))
    for name, column in graph.things.columns.items():
        if name != "present":
            values[name][left] = column.array[touched[left]]
    return touched, values


def _known(graph: LineageGraph, kinds: Kinds, things: Int32Array) -> dict[str, Array]:
    """The attributes of `things` so far; nothing of those that were not there."""
    found = blank(len(things), kinds)
    inside = np.flatnonzero(things < graph.size)
    inside = inside[graph.present[things[inside]]]
    for name, column in graph.things.columns.items():
        found[name][inside] = column.array[things[inside]]
    return found


def _look_again(view: View, kinds: Kinds, things: Int32Array, which: NDArray[np.int64], values: dict[str, Array]) -> None:
    """Work out the attributes of the things at the places `which` from the rows that hold.

    Mostly the first few rows say all that was known of a thing; what a million records speak of is not read to the end for it.
    """
    for most in (_LOOK, _ALL):
        if not len(which):
            return
        found = _told(view, kinds, things[which], most)
        same = np.ones(len(which), bool)
        for name, told in found.items():
            wanted = values[name][which]
            agrees = (told == wanted) | ((told != told) & (wanted != wanted))
            # Whether anybody said that an activity is pinned makes no difference.
            same &= agrees | (kinds.pinned[values["kind"][which]] if name == "pinned" else False)
        if most == _ALL:
            same[:] = True
            for name, told in found.items():
                values[name][which] = told
        which = which[~same]


def _told(view: View, kinds: Kinds, things: Int32Array, most: int) -> dict[str, Array]:
    """The attributes of `things` as up to `most` rows of each kind say them, or a few more."""
    said, finding = view.said, view.said.finding()
    found = blank(len(things), kinds)
    level = said.revisions["level"].array
    sides = (("node", finding.node), ("link", finding.earlier), ("link", finding.later))
    for what, side in sides:
        rows = said.visible(side.first_of(things, most), what, view.seen)
        place = np.searchsorted(things, side.ends[rows])
        found["present"][place] = True
        np.minimum.at(found["node_level"], place, view.ranks[level[said.revision_of(rows, what)]])
        if what == "node":
            columns = {name: column.array[rows] for name, column in said.nodes.items()}
            np.minimum.at(found["kind"], place, columns["kind"])
            np.logical_or.at(found["pinned"], place, columns["pinned"])
            np.fmin.at(found["start"], place, columns["start"])
            np.fmax.at(found["end"], place, columns["end"])
    return found


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
