"""The lineage index: every step of lineage as small integers, by the record that states it, kept up to date with each write.

The index is a view of the ledger like the triplestore: it knows its sequence number, is saved beside the store, and can be made
anew. Questions are not asked of it but of the `LineageGraph`s that it hands out, one for each set of visibility levels, so that
what a reader may not see is not even in the arrays that his question runs on. It keeps what records said before, from which
sequence number to which, so that it also hands out graphs of the past.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from headwater.lineage.carrying import ImpactEdges, impact_edges
from headwater.lineage.columns import Array
from headwater.lineage.csr import BoolArray
from headwater.lineage.graph import EVERY_LEVEL, LineageGraph, Rows
from headwater.lineage.moments import at_moment
from headwater.lineage.said import LINK_KINDS, NODE_KINDS, Entered, Said, Speakers
from headwater.lineage.snapshot import WHOLE, Kept, counts_of, open_files, write_since, write_whole
from headwater.lineage.updating import updated
from headwater.records.links import LineageRows
from headwater.terms.vocabulary import Vocabulary, vocabulary

_PAST_GRAPHS = 4
"""So many graphs of the past are kept ready, besides those of the present."""
_PRESENT_GRAPHS = 8
_SAVED_GRAPHS = 3
_MOST_ENTERED = 262_144
_APART = 65_536
"""So many rows, or a twentieth of the others, may have come before a graph is put in order anew, or all is saved anew."""

Levels = frozenset[str] | None
_Key = tuple[Levels, int | None, float | None]


class LineageIndex:
    """Rows of all records. `put` replaces what a record said; `graph` gives the arrays to ask.

    >>> from headwater.records.links import LinkRow, NodeRow
    >>> index = LineageIndex()
    >>> index.put("urn:rec", "public", LineageRows([LinkRow("urn:d", "urn:r", "prov:used", "train", "observed")],
    ...           [NodeRow("urn:d", "dataset", True), NodeRow("urn:r", "run", True)]))
    >>> graph = index.graph()
    >>> [graph.iris[i] for i in graph.downstream([graph.ids["urn:d"]]).nodes]
    ['urn:d', 'urn:r']
    """

    def __init__(self, words: Vocabulary | None = None) -> None:
        self.words = words or vocabulary()
        self._begin(Said(self.words), 0)

    def _begin(self, said: Said, sequence: int) -> None:
        self._said = said
        self._lock = said.lock
        self.sequence = sequence
        self._graphs: OrderedDict[Levels, tuple[LineageGraph, int]] = OrderedDict()
        self._entered: list[Entered] = []
        self._kept: Kept | None = None
        self._past: OrderedDict[_Key, LineageGraph] = OrderedDict()

    def clear(self) -> None:
        """Forget everything; the sequence number is 0 again."""
        with self._lock:
            self._begin(Said(self.words), 0)

    def put(self, record: str, level: str, rows: LineageRows | None, at: int | None = None) -> None:
        """What `record` says from the ledger's sequence number `at` on; None where it was withdrawn then (from the level it had).

        Without a number it is where the index stands. Doing it twice changes nothing, and the entries of a ledger may come in
        any order, as long as each comes with its number.
        """
        with self._lock:
            at = self.sequence if at is None else at
            for key in [key for key in self._past if key[1] is None or key[1] >= at]:
                del self._past[key]
            self._note(self._said.enter(record, level, at, rows))

    def _note(self, entered: Entered) -> None:
        """Remember what the graphs in use do not show yet."""
        if not self._graphs:
            self._entered.clear()
        elif entered.latest:
            self._entered.append(entered)
            if len(self._entered) > _MOST_ENTERED:
                self._graphs.clear()

    def fill(
        self,
        records: Sequence[str],
        level: str,
        names: Mapping[str, Sequence[str]],
        links: Mapping[str, Array],
        nodes: Mapping[str, Array],
    ) -> None:
        """Enter many records of one level at once into an empty index, from columns as `headwater.lineage.said` has them.

        `names` gives the `iris` and `relations` that the columns number. Rows stand in the order of their records, whose places
        are in a column `record`. Each record is an entry of the ledger. Raises `ValueError` where the index is not empty.
        """
        with self._lock:
            self._said.fill(records, level, names, links, nodes)
            self.sequence = len(records)

    def follow(self, entries: Iterable[tuple[str, str, LineageRows | None, int]], sequence: int) -> None:
        """Put what several records say, each from its number on, and stand at `sequence`; readers see all of it or nothing."""
        with self._lock:
            for record, level, rows, at in entries:
                self.put(record, level, rows, at)
            self.sequence = sequence

    def graph(self, levels: Levels = EVERY_LEVEL, *, known_at: int | None = None, as_of: float | None = None) -> LineageGraph:
        """The arrays for a reader of these visibility levels (None: of all), made once per state of the index.

        `known_at` is a sequence number of the ledger: what was known then. `as_of` are seconds since 1970: the world at that
        time, as far as is known. A reader sees of the past what he saw then and may still see: of a record that was narrowed
        since, nothing.
        """
        with self._lock:
            if known_at is not None and known_at >= max(self.sequence, self._said.newest):
                known_at = None
            if known_at is None and as_of is None:
                return self._present(levels)
            key = levels, known_at, as_of
            found = self._past.get(key)
            if found is None:
                rows = self._rows(levels, known_at)
                rows = rows if as_of is None else at_moment(rows, self.words, as_of)
                found = self._past[key] = LineageGraph(rows, self.words, known_at=known_at, as_of=as_of)
                if len(self._past) > _PAST_GRAPHS:
                    self._past.popitem(last=False)
            self._past.move_to_end(key)
            return found

    def _present(self, levels: Levels) -> LineageGraph:
        seen = self._said.seen(levels)
        levels = None if seen.all() else levels
        graph, position = self._graphs.pop(levels, (None, 0))
        if graph is not None and position < len(self._entered):
            graph = self._brought_up(graph, seen, self._entered[position:])
        if graph is None:
            graph = LineageGraph(self._rows(levels), self.words)
        self._graphs[levels] = graph, len(self._entered)
        if len(self._graphs) > _PRESENT_GRAPHS:
            self._graphs.popitem(last=False)
        return graph

    def _brought_up(self, graph: LineageGraph, seen: BoolArray, entered: Sequence[Entered]) -> LineageGraph | None:
        """A graph with the revisions that were entered since; None where it is better made anew."""
        came, went = set[int](), set[int]()
        for number, ended, _ in entered:
            came.add(number)
            if ended in came:
                came.discard(ended)
            elif ended >= 0:
                went.add(ended)
        said = self._said
        level, gone = said.revisions["level"].array, said.revisions["gone"].array
        news, olds = (np.array([n for n in sorted(some) if seen[level[n]] and not gone[n]], np.int32) for some in (came, went))
        links = len(said.links["earlier"])
        most = max(_APART, links // 20)
        rows = sum(len(said.rows_of(some, what)) for some in (news, olds) for what in ("link", "node"))
        if rows > most:
            return None
        found = updated(graph, said, seen, news, olds, max(self.sequence, said.newest))
        if found is not None and found.links.changes > most:
            found = found.settled()
        return found

    def levels(self, *, known_at: int | None = None) -> set[str]:
        """The visibility words of the records present (then); of the past both those of then and those of now."""
        with self._lock:
            there = np.flatnonzero(self._said.standing(known_at))
            own, now = self._said.revisions["level"].array[there], self._said.levels_now(there)
            return {self._said.names["levels"].name(int(one)) for one in np.union1d(own, now)}

    def records(self) -> list[tuple[str, str]]:
        """All present records with their visibility."""
        with self._lock:
            here = np.flatnonzero(self._said.standing())
            records, levels = (self._said.revisions[name].array[here].tolist() for name in ("record", "level"))
            named = {level: self._said.names["levels"].name(level) for level in set(levels)}
            names = self._said.names["records"].listed(len(self._said.names["records"]))
            listed: Sequence[str] = list(names) if len(here) > len(names) // 2 else names
            return [(listed[record], named[level]) for record, level in zip(records, levels, strict=True)]

    def _rows(self, levels: Levels, known_at: int | None = None) -> Rows:
        said = self._said
        allowed, seen = said.standing(known_at), said.seen(levels)
        if levels is not None:
            allowed &= seen[said.revisions["level"].array] & seen[said.levels_now()]
        names, sizes = said.names, {name: len(known) for name, known in said.names.items()}
        return Rows(
            iris=names["iris"].listed(sizes["iris"]),
            ids=names["iris"].ids(sizes["iris"]),
            relations=names["relations"].listed(sizes["relations"]),
            slices=names["slices"].listed(sizes["slices"]),
            records=names["records"].listed(sizes["records"]),
            levels=(),
            links=self._chosen("link", allowed),
            nodes=self._chosen("node", allowed),
            level_names=list(names["levels"].listed(sizes["levels"])),
            said=Speakers(said, seen, max(self.sequence, said.newest) if known_at is None else known_at),
        )

    def _chosen(self, what: str, allowed: BoolArray) -> dict[str, Array]:
        """The rows of the revisions `allowed`, with the number of the record and of the level for each."""
        columns = self._said.links if what == "link" else self._said.nodes
        revisions = self._said.revisions
        found = {name: column.array for name, column in columns.items()}
        count = len(next(iter(found.values())))
        counts = np.diff(revisions[f"first_{what}"].array, append=count)
        if not allowed.all():
            rows = np.flatnonzero(np.repeat(allowed, counts))
            found = {name: values[rows] for name, values in found.items()}
            counts = counts[allowed]
        for name, column in ((f"{what}_record", "record"), ("level", "level")):
            values = revisions[column].array
            found[name] = np.repeat(values if len(counts) == len(values) else values[allowed], counts)
        return found

    # --- keeping it on disk

    def save(self, folder: Path) -> None:
        """Write the index so that a start need not rebuild it: complete or not at all.

        What came since all of it was written goes into a file beside it, as long as it is little.
        """
        with self._lock:
            if self._kept is not None and self._kept.folder == folder and (folder / WHOLE).is_file():
                now, before = counts_of(self._said), self._kept.counts
                if all(now[what] - count <= max(_APART, count // 20) for what, count in before.items()):
                    write_since(folder, self._said, self._kept, self.sequence)
                    return
            graphs = []
            for levels in list(self._graphs)[-_SAVED_GRAPHS:]:
                graph = self._present(levels)
                if graph.links.changes or (isinstance(graph.impact_edges, ImpactEdges) and graph.impact_edges.changes):
                    used = graph.impact_edges is not None
                    graph = graph.settled()
                    self._graphs[levels] = graph, len(self._entered)
                    if used:
                        impact_edges(graph)
                graphs.append((levels, graph))
            self._kept = write_whole(folder, self._said, graphs, self.sequence, self.words)

    @classmethod
    def load(cls, folder: Path, words: Vocabulary | None = None) -> LineageIndex | None:
        """The saved index, or None where there is none that this code and this ontology can use."""
        index = cls(words)
        opened = open_files(folder, index.words)
        if opened is None:
            return None
        index._begin(opened.said, opened.sequence)
        index._kept = opened.kept
        index._graphs.update((levels, (graph, 0)) for levels, graph in opened.graphs)
        for entered in opened.entered:
            index._note(entered)
        return index

    def rows_as_sets(self) -> dict[str, set[tuple[object, ...]]]:
        """Every row that holds or held, in words and with the numbers between which it did, and every step that the graph of the
        present shows, for `verify`."""
        with self._lock:
            said, graph = self._said, self.graph()
            words = {name: list(names.listed(len(names))) for name, names in said.names.items()}
            revisions = {name: column.array.tolist() for name, column in said.revisions.items()}
            held = [
                (words["records"][record], since, until)
                for record, since, until in zip(revisions["record"], revisions["since"], revisions["until"], strict=True)
            ]
            by_row = {
                what: said.revision_of(np.arange(len(next(iter(columns.values())))), what).tolist()
                for what, columns in (("link", said.links), ("node", said.nodes))
            }
            links = zip(*(said.links[name].array.tolist() for name in LINK_KINDS), strict=True)
            nodes = zip(*(said.nodes[name].array.tolist() for name in NODE_KINDS), strict=True)
        iris, relations, slices, levels = (words[name] for name in ("iris", "relations", "slices", "levels"))
        found: dict[str, set[tuple[object, ...]]] = {
            "links": {
                (iris[a], iris[b], relations[r], role, evidence, slices[s], *held[n])
                for (a, b, r, role, evidence, s), n in zip(links, by_row["link"], strict=True)
            },
            "nodes": {
                (iris[a], kind, pinned, str(start), str(end), *held[n])
                for (a, kind, pinned, start, end), n in zip(nodes, by_row["node"], strict=True)
            },
            "revisions": {
                (levels[level], gone, *span)
                for span, level, gone in zip(held, revisions["level"], revisions["gone"], strict=True)
            },
        }
        found = {what: {row for row in rows if row[-2] != row[-1]} for what, rows in found.items()}
        shown = graph.edges()
        columns = (graph.links.arrays[name][shown].tolist() for name in (*LINK_KINDS, "record"))
        found["steps"] = {
            (iris[a], iris[b], relations[r], role, evidence, slices[s], words["records"][n])
            for a, b, r, role, evidence, s, n in zip(*columns, strict=True)
        }
        return found
