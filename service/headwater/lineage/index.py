"""The lineage index: every step of lineage as small integers, by the record that states it, kept up to date with each write.

The index is a view of the ledger like the triplestore: it knows its sequence number, is saved beside the store, and can be made
anew. Questions are not asked of it but of the `LineageGraph`s that it hands out, one for each set of visibility levels, so that
what a reader may not see is not even in the arrays that his question runs on. It keeps what records said before, from which
sequence number to which, so that it also hands out graphs of the past.
"""

from __future__ import annotations

import json
import os
import threading
import zlib
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from headwater.lineage.graph import EVERY_LEVEL, BoolArray, LineageGraph, Rows
from headwater.lineage.moments import at_moment
from headwater.records.links import LineageRows
from headwater.terms.vocabulary import Vocabulary, vocabulary

_FORMAT = 3
_FOREVER = 2**62
_PAST_GRAPHS = 4
"""So many graphs of the past are kept ready, besides those of the present."""


class _Grow:
    """A numpy array that grows at the end in amortised constant time."""

    def __init__(self, dtype: type, start: NDArray[np.generic] | None = None) -> None:
        self._data: NDArray[np.generic] = np.empty(64, dtype) if start is None else np.array(start, dtype)
        self._size = 0 if start is None else len(start)

    def extend(self, values: list[int] | list[float]) -> None:
        needed = self._size + len(values)
        if needed > len(self._data):
            grown = np.empty(max(needed, 2 * len(self._data)), self._data.dtype)
            grown[: self._size] = self._data[: self._size]
            self._data = grown
        self._data[self._size : needed] = values
        self._size = needed

    @property
    def array(self) -> NDArray[np.generic]:
        return self._data[: self._size]


class _Names:
    """Strings as integers, both ways."""

    def __init__(self, names: list[str] | None = None) -> None:
        self.names = names or []
        self.ids = {name: position for position, name in enumerate(self.names)}

    def add(self, name: str) -> int:
        found = self.ids.get(name)
        if found is None:
            found = self.ids[name] = len(self.names)
            self.names.append(name)
        return found


_LINK_COLUMNS = ("earlier", "later", "relation", "role", "evidence", "slice", "link_record")
_NODE_COLUMNS = ("node", "kind", "pinned", "start", "end", "node_record")
_FLOATS = {"start", "end"}
_REVISION_COLUMNS = ("record", "level", "since", "until", "gone")


class LineageIndex:
    """Rows of all present records. `put` replaces what a record said; `graph` gives the arrays to ask.

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
        self.sequence = 0
        self._lock = threading.RLock()
        self._reset()

    def _reset(self) -> None:
        self._iris = _Names()
        self._relations = _Names()
        self._slices = _Names([""])
        self._levels = _Names()
        self._records = _Names()
        self._revisions: list[list[int]] = []
        self._columns = {name: _Grow(np.int32) for name in (*_LINK_COLUMNS, *_NODE_COLUMNS) if name not in _FLOATS}
        self._columns |= {name: _Grow(np.float64) for name in _FLOATS}
        self._columns |= {name: _Grow(np.int64) for name in _REVISION_COLUMNS}
        self._roles = {role.name: position for position, role in enumerate(self.words.roles)}
        self._kinds = {kind.name: position for position, kind in enumerate(self.words.kinds)} | {"part": len(self.words.kinds)}
        self._evidence = dict(self.words.evidence)
        self._forget()

    def _forget(self) -> None:
        self._graphs: dict[frozenset[str] | None, LineageGraph] = {}
        self._past: OrderedDict[tuple[frozenset[str] | None, int | None, float | None], LineageGraph] = OrderedDict()

    def clear(self) -> None:
        """Forget everything; the sequence number is 0 again."""
        with self._lock:
            self._reset()
            self.sequence = 0

    def put(self, record: str, level: str, rows: LineageRows | None, at: int | None = None) -> None:
        """What `record` says from the ledger's sequence number `at` on; None where it was withdrawn then (from the level it had).

        Without a number it is where the index stands. Doing it twice changes nothing, and the entries of a ledger may come in
        any order, as long as each comes with its number.
        """
        with self._lock:
            at = self.sequence if at is None else at
            number = self._enter(record, level, at, gone=rows is None)
            if rows is None:
                return
            add = self._iris.add
            links = rows.links
            if links:
                columns = self._columns
                columns["earlier"].extend([add(row.earlier) for row in links])
                columns["later"].extend([add(row.later) for row in links])
                columns["relation"].extend([self._relations.add(row.relation) for row in links])
                columns["role"].extend([self._roles[row.role] for row in links])
                columns["evidence"].extend([self._evidence[row.evidence] for row in links])
                columns["slice"].extend([self._slices.add(row.slice) for row in links])
                columns["link_record"].extend([number] * len(links))
            if rows.nodes:
                columns = self._columns
                nodes = rows.nodes
                no_kind = len(self._kinds)
                columns["node"].extend([add(row.iri) for row in nodes])
                columns["kind"].extend([self._kinds.get(row.kind, no_kind) for row in nodes])
                columns["pinned"].extend([int(row.pinned) for row in nodes])
                columns["start"].extend([float("nan") if row.start is None else row.start for row in nodes])
                columns["end"].extend([float("nan") if row.end is None else row.end for row in nodes])
                columns["node_record"].extend([number] * len(nodes))

    def _enter(self, record: str, level: str, at: int, *, gone: bool) -> int:
        """A new revision of a record between those that are known; returns its number. One at the same place is replaced."""
        self._graphs.clear()
        for key in [key for key in self._past if key[1] is None or key[1] >= at]:
            del self._past[key]
        columns = self._columns
        since, until = columns["since"].array, columns["until"].array
        name = self._records.add(record)
        if name == len(self._revisions):
            self._revisions.append([])
        known = self._revisions[name]
        place = bisect_right(known, at, key=lambda number: int(since[number]))
        ends = int(since[known[place]]) if place < len(known) else _FOREVER
        if place:
            before = known[place - 1]
            until[before] = at
            if since[before] == at:
                place -= 1
                del known[place]
        number = len(since)
        known.insert(place, number)
        for column, value in zip(_REVISION_COLUMNS, (name, self._levels.add(level), at, ends, int(gone)), strict=True):
            columns[column].extend([value])
        return number

    def follow(self, entries: Iterable[tuple[str, str, LineageRows | None, int]], sequence: int) -> None:
        """Put what several records say, each from its number on, and stand at `sequence`; readers see all of it or nothing."""
        with self._lock:
            for record, level, rows, at in entries:
                self.put(record, level, rows, at)
            self.sequence = sequence

    def graph(
        self, levels: frozenset[str] | None = EVERY_LEVEL, *, known_at: int | None = None, as_of: float | None = None
    ) -> LineageGraph:
        """The arrays for a reader of these visibility levels (None: of all), made once per state of the index.

        `known_at` is a sequence number of the ledger: what was known then. `as_of` are seconds since 1970: the world at that
        time, as far as is known. A reader sees of the past what he saw then and may still see: of a record that was narrowed
        since, nothing.
        """
        with self._lock:
            if known_at is not None and known_at >= max(self.sequence, int(self._columns["since"].array.max(initial=0))):
                known_at = None
            if known_at is None and as_of is None:
                found = self._graphs.get(levels)
                if found is None:
                    found = self._graphs[levels] = LineageGraph(self._rows(levels), self.words)
                return found
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

    def levels(self, *, known_at: int | None = None) -> set[str]:
        """The visibility words of the records present (then); of the past both those of then and those of now."""
        with self._lock:
            there, level = self._there(known_at), self._columns["level"].array
            found = np.union1d(level[there], self._levels_now()[there])
            return {self._levels.names[int(one)] for one in found}

    def records(self) -> list[tuple[str, str]]:
        """All present records with their visibility."""
        with self._lock:
            here = np.flatnonzero(self._there(None))
            names, levels = self._columns["record"].array[here], self._columns["level"].array[here]
            return [(self._records.names[int(n)], self._levels.names[int(v)]) for n, v in zip(names, levels, strict=True)]

    def _there(self, known_at: int | None) -> BoolArray:
        """The revisions that stand (or stood at a sequence number), by number."""
        since, until, gone = (np.asarray(self._columns[name].array, np.int64) for name in ("since", "until", "gone"))
        there: BoolArray = (until == _FOREVER if known_at is None else (since <= known_at) & (until > known_at)) & (gone == 0)
        return there

    def _levels_now(self) -> NDArray[np.int64]:
        """For each revision the level at which its record stands now."""
        record, until = self._columns["record"].array, self._columns["until"].array
        latest = np.zeros(len(self._records.names), np.int64)
        standing = until == _FOREVER
        latest[record[standing]] = self._columns["level"].array[standing]
        now: NDArray[np.int64] = latest[record]
        return now

    def _rows(self, levels: frozenset[str] | None, known_at: int | None = None) -> Rows:
        allowed = self._there(known_at)
        columns = {name: grow.array for name, grow in self._columns.items()}
        if levels is not None:
            seen = np.array([name in levels for name in self._levels.names], bool)
            if len(seen):
                allowed &= seen[columns["level"]] & seen[self._levels_now()]
        links = allowed[columns["link_record"]] if len(allowed) else np.zeros(0, bool)
        nodes = allowed[columns["node_record"]] if len(allowed) else np.zeros(0, bool)
        return Rows(
            iris=self._iris.names[:],
            ids=dict(self._iris.ids),
            relations=self._relations.names[:],
            slices=self._slices.names[:],
            records=[self._records.names[int(record)] for record in columns["record"]],
            levels=[self._levels.names[int(level)] for level in columns["level"]],
            links={name: columns[name][links] for name in _LINK_COLUMNS},
            nodes={name: columns[name][nodes] for name in _NODE_COLUMNS},
            since=columns["since"].astype(np.int64),
        )

    # --- keeping it on disk

    def save(self, folder: Path) -> None:
        """Write the index so that a start need not rebuild it: complete or not at all."""
        with self._lock:
            self._compact()
            folder.mkdir(parents=True, exist_ok=True)
            names = {
                "format": _FORMAT,
                "words": self.words.digest,
                "sequence": self.sequence,
                "iris": self._iris.names,
                "relations": self._relations.names,
                "slices": self._slices.names,
                "levels": self._levels.names,
                "records": self._records.names,
            }
            arrays = {name: grow.array for name, grow in self._columns.items()}
            partial = folder / "lineage.npz.part"
            try:
                with partial.open("wb") as file:
                    np.savez(file, names=np.frombuffer(json.dumps(names).encode(), np.uint8), **arrays)  # type: ignore[arg-type]
                    file.flush()
                    os.fsync(file.fileno())
                partial.replace(folder / "lineage.npz")
            except OSError:
                partial.unlink(missing_ok=True)
                raise

    @classmethod
    def load(cls, folder: Path, words: Vocabulary | None = None) -> LineageIndex | None:
        """The saved index, or None where there is none that this code and this ontology can use."""
        path = folder / "lineage.npz"
        if not path.is_file():
            return None
        index = cls(words)
        try:
            with path.open("rb") as file, np.load(file) as data:
                names = json.loads(bytes(data["names"]))
                if names["format"] != _FORMAT or names["words"] != index.words.digest:
                    return None
                index._columns = {name: _Grow(grow.array.dtype.type, data[name]) for name, grow in index._columns.items()}
            index._iris, index._relations = _Names(names["iris"]), _Names(names["relations"])
            index._slices, index._levels = _Names(names["slices"]), _Names(names["levels"])
            index._records = _Names(names["records"])
            index._order_revisions()
            index.sequence = int(names["sequence"])
        except (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile, NotImplementedError, zlib.error):
            # A torn file is no loss: the index is made anew from the ledger. zipfile raises NotImplementedError for flags and
            # methods that a flipped bit may name.
            return None
        return index

    def _order_revisions(self) -> None:
        """For each record the numbers of its revisions, the earliest first."""
        record, since, until = (self._columns[name].array for name in ("record", "since", "until"))
        self._revisions = [[] for _ in self._records.names]
        for number in np.argsort(since, kind="stable").tolist():
            if since[number] < until[number]:
                self._revisions[int(record[number])].append(number)

    def _compact(self) -> None:
        """Drop the rows of revisions that stood at no sequence number: replaced where they were put."""
        columns = self._columns
        stood = columns["since"].array != columns["until"].array
        if stood.all():
            return
        renumber = np.cumsum(stood) - 1
        for names, key in ((_LINK_COLUMNS, "link_record"), (_NODE_COLUMNS, "node_record")):
            keep = stood[columns[key].array]
            for name in names:
                kept = columns[name].array[keep]
                columns[name] = _Grow(kept.dtype.type, renumber[kept] if name == key else kept)
        for name in _REVISION_COLUMNS:
            columns[name] = _Grow(np.int64, columns[name].array[stood])
        self._order_revisions()
        self._forget()

    def rows_as_sets(self) -> dict[str, set[tuple[object, ...]]]:
        """Every row that stands or stood, in words and with the numbers between which it did, for `verify`."""
        names = self._records.names
        columns = {name: grow.array.tolist() for name, grow in self._columns.items()}
        spans = list(zip(columns["record"], columns["since"], columns["until"], strict=True))
        stood = [(names[record], since, until) for record, since, until in spans]
        iris, slices, relations = self._iris.names, self._slices.names, self._relations.names
        links = zip(*(columns[name] for name in _LINK_COLUMNS), strict=True)
        nodes = zip(*(columns[name] for name in _NODE_COLUMNS), strict=True)
        revisions = zip(stood, columns["level"], columns["gone"], strict=True)
        found: dict[str, set[tuple[object, ...]]] = {
            "links": {(iris[a], iris[b], relations[r], *how, slices[s], *stood[n]) for a, b, r, *how, s, n in links},
            "nodes": {(iris[a], kind, pinned, str(start), str(end), *stood[n]) for a, kind, pinned, start, end, n in nodes},
            "records": {(*span, self._levels.names[level], gone) for span, level, gone in revisions},
        }
        return {what: {row for row in rows if _stood(row, what)} for what, rows in found.items()}


def _stood(row: tuple[object, ...], what: str) -> bool:
    since, until = row[-4:-2] if what == "records" else row[-2:]
    return since != until
