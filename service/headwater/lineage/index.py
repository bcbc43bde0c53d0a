"""The lineage index: every step of lineage as small integers, by the record that states it, kept up to date with each write.

The index is a view of the ledger like the triplestore: it knows its sequence number, is saved beside the store, and can be made
anew. Questions are not asked of it but of the `LineageGraph`s that it hands out, one for each set of visibility levels, so that
what a reader may not see is not even in the arrays that his question runs on.
"""

from __future__ import annotations

import json
import os
import threading
import zlib
from collections.abc import Iterable
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from headwater.lineage.graph import EVERY_LEVEL, LineageGraph, Rows
from headwater.records.links import LineageRows
from headwater.terms.vocabulary import Vocabulary, vocabulary

_FORMAT = 2


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
_NODE_COLUMNS = ("node", "kind", "pinned", "start", "node_record")
_FLOATS = {"start"}


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
        self._records: list[str] = []
        self._record_level = _Grow(np.int32)
        self._alive: list[bool] = []
        self._current: dict[str, int] = {}
        self._columns = {name: _Grow(np.int32) for name in (*_LINK_COLUMNS, *_NODE_COLUMNS) if name not in _FLOATS}
        self._columns["start"] = _Grow(np.float64)
        self._roles = {role.name: position for position, role in enumerate(self.words.roles)}
        self._kinds = {kind.name: position for position, kind in enumerate(self.words.kinds)} | {"part": len(self.words.kinds)}
        self._evidence = dict(self.words.evidence)
        self._graphs: dict[frozenset[str] | None, LineageGraph] = {}

    def clear(self) -> None:
        """Forget everything; the sequence number is 0 again."""
        with self._lock:
            self._reset()
            self.sequence = 0

    def put(self, record: str, level: str, rows: LineageRows | None) -> None:
        """What `record` says from now on; None where it was withdrawn. Doing it twice changes nothing."""
        with self._lock:
            self._graphs.clear()
            before = self._current.pop(record, None)
            if before is not None:
                self._alive[before] = False
            if rows is None:
                return
            number = len(self._records)
            self._records.append(record)
            self._alive.append(True)
            self._record_level.extend([self._levels.add(level)])
            self._current[record] = number
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
                columns["node_record"].extend([number] * len(nodes))

    def follow(self, entries: Iterable[tuple[str, str, LineageRows | None]], sequence: int) -> None:
        """Put what several records say and stand at `sequence`; readers see all of it or nothing."""
        with self._lock:
            for record, level, rows in entries:
                self.put(record, level, rows)
            self.sequence = sequence

    def graph(self, levels: frozenset[str] | None = EVERY_LEVEL) -> LineageGraph:
        """The arrays for a reader of these visibility levels (None: of all), made once per state of the index."""
        with self._lock:
            found = self._graphs.get(levels)
            if found is None:
                found = self._graphs[levels] = LineageGraph(self._rows(levels), self.words)
            return found

    def levels(self) -> set[str]:
        """The visibility words of present records."""
        with self._lock:
            level = self._record_level.array
            return {self._levels.names[int(level[number])] for number in self._current.values()}

    def records(self) -> list[tuple[str, str]]:
        """All present records with their visibility."""
        with self._lock:
            level = self._record_level.array
            return [(record, self._levels.names[int(level[number])]) for record, number in self._current.items()]

    def _rows(self, levels: frozenset[str] | None) -> Rows:
        allowed = np.array(self._alive, bool)
        if levels is not None:
            seen = np.array([name in levels for name in self._levels.names], bool)
            if len(seen):
                allowed &= seen[self._record_level.array.astype(np.int32)]
        columns = {name: grow.array for name, grow in self._columns.items()}
        links = allowed[columns["link_record"]] if len(self._records) else np.zeros(0, bool)
        nodes = allowed[columns["node_record"]] if len(self._records) else np.zeros(0, bool)
        return Rows(
            iris=self._iris.names[:],
            ids=dict(self._iris.ids),
            relations=self._relations.names[:],
            slices=self._slices.names[:],
            records=self._records[:],
            levels=[self._levels.names[int(level)] for level in self._record_level.array],
            links={name: columns[name][links] for name in _LINK_COLUMNS},
            nodes={name: columns[name][nodes] for name in _NODE_COLUMNS},
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
                "records": self._records,
            }
            arrays = {name: grow.array for name, grow in self._columns.items()} | {"level": self._record_level.array}
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
                index._columns = {name: _Grow(np.float64 if name in _FLOATS else np.int32, data[name]) for name in index._columns}
                index._record_level = _Grow(np.int32, data["level"])
            index._iris, index._relations = _Names(names["iris"]), _Names(names["relations"])
            index._slices, index._levels = _Names(names["slices"]), _Names(names["levels"])
            index._records = names["records"]
            index._alive = [True] * len(index._records)
            index._current = {record: number for number, record in enumerate(index._records)}
            index.sequence = int(names["sequence"])
        except (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile, NotImplementedError, zlib.error):
            # A torn file is no loss: the index is made anew from the ledger. zipfile raises NotImplementedError for flags and
            # methods that a flipped bit may name.
            return None
        return index

    def _compact(self) -> None:
        """Drop the rows of revisions that are no longer present."""
        if all(self._alive):
            return
        alive = np.array(self._alive, bool)
        renumber = (np.cumsum(alive) - 1).astype(np.int32)
        for columns, key in ((_LINK_COLUMNS, "link_record"), (_NODE_COLUMNS, "node_record")):
            keep = alive[self._columns[key].array]
            for name in columns:
                kept = self._columns[name].array[keep]
                if name == key:
                    kept = renumber[kept.astype(np.int32)]
                self._columns[name] = _Grow(np.float64 if name in _FLOATS else np.int32, kept)
        self._record_level = _Grow(np.int32, self._record_level.array[alive])
        self._records = [record for record, here in zip(self._records, self._alive, strict=True) if here]
        self._alive = [True] * len(self._records)
        self._current = {record: number for number, record in enumerate(self._records)}
        self._graphs.clear()

    def rows_as_sets(self) -> dict[str, set[tuple[object, ...]]]:
        """Every present row in words, for `verify`."""
        graph_rows = self._rows(None)
        links, nodes = graph_rows.links, graph_rows.nodes
        link_words = zip(*(links[name].tolist() for name in _LINK_COLUMNS), strict=True)
        node_words = zip(*(nodes[name].tolist() for name in _NODE_COLUMNS), strict=True)
        iris = graph_rows.iris
        return {
            "links": {
                (iris[a], iris[b], graph_rows.relations[r], role, ev, graph_rows.slices[s], graph_rows.records[n])
                for a, b, r, role, ev, s, n in link_words
            },
            "nodes": {(iris[a], kind, pin, str(start), graph_rows.records[n]) for a, kind, pin, start, n in node_words},
            "records": set(self.records()),
        }
