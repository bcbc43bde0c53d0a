"""What records say and said, as rows of numbers: every step and every description, by the revision that states it.

Rows are only ever added. Which of them hold at a sequence number of the ledger follows from the revisions: each holds from its
own number until the next one of its record.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headwater.lineage.columns import Array, Column, Columns, columns_of
from headwater.lineage.csr import Adjacency, BoolArray, Grown, Int32Array, spans
from headwater.lineage.names import Names
from headwater.records.links import LineageRows
from headwater.terms.vocabulary import Vocabulary

FOREVER = 2**62
LINK_KINDS: dict[str, type[np.generic]] = {
    "earlier": np.int32,
    "later": np.int32,
    "relation": np.int16,
    "role": np.int8,
    "evidence": np.int8,
    "slice": np.int32,
}
NODE_KINDS: dict[str, type[np.generic]] = {
    "node": np.int32,
    "kind": np.int8,
    "pinned": np.bool_,
    "start": np.float64,
    "end": np.float64,
}
REVISION_KINDS: dict[str, type[np.generic]] = {
    "record": np.int32,
    "level": np.int16,
    "since": np.int64,
    "until": np.int64,
    "gone": np.bool_,
    "previous": np.int32,
    "first_link": np.int64,
    "first_node": np.int64,
}
NAMES = ("iris", "records", "slices", "relations", "levels")
_LATER = 65_536
"""So many rows, or a twentieth of the others, are kept apart before they are worked into what finds rows by their things."""


class Entered(NamedTuple):
    """A revision by number, the one that it ended (or -1), and whether it is the latest of its record."""

    number: int
    ended: int
    latest: bool


@dataclass(slots=True)
class Found:
    """Ways from a thing to the rows that speak of it: links by either end, descriptions by their thing."""

    earlier: Grown
    later: Grown
    node: Grown


class Said:
    """All rows with their revisions, and the names behind the numbers. Who works on it holds its `lock`."""

    def __init__(self, words: Vocabulary) -> None:
        self.lock = threading.RLock()
        self.names = {name: Names() for name in NAMES}
        self.names["slices"].add([""])
        self.links: Columns = columns_of(LINK_KINDS)
        self.nodes: Columns = columns_of(NODE_KINDS)
        self.revisions: Columns = columns_of(REVISION_KINDS)
        self.latest = Column(np.int32)
        self.newest = 0
        self.found: Found | None = None
        self._roles = {role.name: position for position, role in enumerate(words.roles)}
        self._kinds = {kind.name: position for position, kind in enumerate(words.kinds)} | {"part": len(words.kinds)}
        self._unsaid = len(self._kinds)
        self._evidence = dict(words.evidence)

    # --- entering

    def enter(self, record: str, level: str, at: int, rows: LineageRows | None) -> Entered:
        """A new revision of a record between those that are known. One at the same sequence number is replaced: it then held at
        no number.
        """
        (name,), (numbered,) = self.names["records"].add([record]), self.names["levels"].add([level])
        first_rows = len(self.links["earlier"]), len(self.nodes["node"])
        if rows is not None:
            self._add(rows)
        return self.chain(name, numbered, at, gone=rows is None, first_rows=first_rows)

    def chain(self, record: int, level: int, at: int, *, gone: bool, first_rows: tuple[int, int]) -> Entered:
        """A new revision whose rows are there, from `first_rows` (of links and of nodes) on."""
        self.newest = max(self.newest, at)
        self.latest.widen(record + 1, -1)
        since, previous = self.revisions["since"].array, self.revisions["previous"].array
        before, after = int(self.latest.array[record]), -1
        while before >= 0 and since[before] > at:
            before, after = int(previous[before]), before
        number = len(since)
        earlier = before
        if before >= 0:
            self.revisions["until"].array[before] = at
            earlier = int(previous[before]) if since[before] == at else before
        if after >= 0:
            previous[after] = number
        else:
            self.latest.array[record] = number
        until = int(since[after]) if after >= 0 else FOREVER
        values = (record, level, at, until, gone, earlier, *first_rows)
        for column, value in zip(REVISION_KINDS, values, strict=True):
            self.revisions[column].append([value])
        return Entered(number, before, after < 0)

    def fill(
        self,
        records: Sequence[str],
        level: str,
        names: Mapping[str, Sequence[str]],
        links: Mapping[str, Array],
        nodes: Mapping[str, Array],
    ) -> None:
        """Enter many records at once where there are none yet: the entries of a ledger from number 1 on.

        `names` gives the `iris` and `relations` that columns number; the rows of a record stand together, in the order of the
        records, whose places stand in a column `record`.
        """
        if len(self.revisions["record"]):
            raise ValueError("only an empty index is filled at once")
        for what, given in (("records", records), *names.items()):
            self.names[what].fill(given)
        self.names["levels"].add([level])
        for columns, rows in ((self.links, links), (self.nodes, nodes)):
            for name, column in columns.items():
                column.append(rows[name])
        count = len(records)
        numbers = np.arange(count)
        self.latest.append(numbers)
        self.newest = count
        entered = {
            "record": numbers,
            "level": np.zeros(count),
            "since": numbers + 1,
            "until": np.full(count, FOREVER),
            "gone": np.zeros(count, bool),
            "previous": np.full(count, -1),
            "first_link": np.searchsorted(links["record"], numbers),
            "first_node": np.searchsorted(nodes["record"], numbers),
        }
        for name, values in entered.items():
            self.revisions[name].append(values)

    def _add(self, rows: LineageRows) -> None:
        links, nodes = rows.links, rows.nodes
        spoken = [row.earlier for row in links] + [row.later for row in links] + [row.iri for row in nodes]
        numbers = self.names["iris"].add(spoken)
        if links:
            count = len(links)
            self.links["earlier"].append(numbers[:count])
            self.links["later"].append(numbers[count : 2 * count])
            self.links["relation"].append(self.names["relations"].add([row.relation for row in links]))
            self.links["role"].append([self._roles[row.role] for row in links])
            self.links["evidence"].append([self._evidence[row.evidence] for row in links])
            self.links["slice"].append(self.names["slices"].add([row.slice for row in links]))
        if nodes:
            nan = float("nan")
            self.nodes["node"].append(numbers[2 * len(links) :])
            self.nodes["kind"].append([self._kinds.get(row.kind, self._unsaid) for row in nodes])
            self.nodes["pinned"].append([row.pinned for row in nodes])
            self.nodes["start"].append([nan if row.start is None else row.start for row in nodes])
            self.nodes["end"].append([nan if row.end is None else row.end for row in nodes])

    # --- what holds

    def standing(self, known_at: int | None = None, revisions: Array | None = None) -> BoolArray:
        """Per revision (of some): whether it holds (or held at a sequence number) and is no withdrawal."""
        since, until, gone = (self.revisions[name].array for name in ("since", "until", "gone"))
        if revisions is not None:
            since, until, gone = since[revisions], until[revisions], gone[revisions]
        there: BoolArray = (until == FOREVER if known_at is None else (since <= known_at) & (until > known_at)) & ~gone
        return there

    def levels_now(self, revisions: Array | None = None) -> NDArray[np.int16]:
        """Per revision (of some): the level at which its record stands now."""
        record = self.revisions["record"].array
        latest = self.latest.array[record if revisions is None else record[revisions]]
        now: NDArray[np.int16] = self.revisions["level"].array[latest]
        return now

    def seen(self, levels: frozenset[str] | None) -> BoolArray:
        """Per level: whether it is one of `levels` (None: all)."""
        names = self.names["levels"].between(0, len(self.names["levels"]))
        return np.array([levels is None or name in levels for name in names], bool)

    def rows_of(self, revisions: Int32Array, what: str) -> NDArray[np.int64]:
        """The rows of some revisions, `what` being `link` or `node`."""
        first = self.revisions[f"first_{what}"].array
        end = len(self.links["earlier"] if what == "link" else self.nodes["node"])
        last = np.append(first[1:], end)[revisions] if len(revisions) > 64 else _following(first, revisions, end)
        return _spans(first[revisions], last - first[revisions])

    def revision_of(self, rows: Array, what: str) -> NDArray[np.int64]:
        """The revisions that rows belong to."""
        found: NDArray[np.int64] = np.searchsorted(self.revisions[f"first_{what}"].array, rows, side="right") - 1
        return found

    def visible(self, rows: Int32Array, what: str, seen: BoolArray) -> Int32Array:
        """Those of `rows` that hold now, at a level that is `seen`."""
        revision = self.revision_of(rows, what)
        until, gone, level = (self.revisions[name].array[revision] for name in ("until", "gone", "level"))
        found: Int32Array = rows[(until == FOREVER) & ~gone & seen[level]]
        return found

    # --- finding rows by their things

    def finding(self, *, whole: bool = False) -> Found:
        """The ways from things to rows, made or brought up to date; `whole`: with nothing kept apart."""
        size, links, nodes = len(self.names["iris"]), len(self.links["earlier"]), len(self.nodes["node"])
        found = self.found
        ends = self.links["earlier"].array, self.links["later"].array, self.nodes["node"].array
        if found is not None:
            behind = [
                (count - len(known.ends) + known.later_edges, count)
                for count, known in ((links, found.earlier), (nodes, found.node))
            ]
            if any(kept > (0 if whole else max(_LATER, count // 20)) for kept, count in behind) or (
                whole and found.node.size < size
            ):
                found = None
        if found is None:
            self.found = found = Found(*(Grown.over(Adjacency(column, size), column) for column in ends))
        elif found.node.size < size or len(found.earlier.ends) < links or len(found.node.ends) < nodes:
            sides = (found.earlier, found.later, found.node)
            self.found = found = Found(
                *(side.grown(column, len(side.ends), size, side.gone) for side, column in zip(sides, ends, strict=True))
            )
        return found


def _following(first: Array, revisions: Int32Array, end: int) -> Array:
    return np.array([first[number + 1] if number + 1 < len(first) else end for number in revisions.tolist()], np.int64)


def _spans(first: Array, counts: Array) -> NDArray[np.int64]:
    return spans(first, counts).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Speakers:
    """Who says what of a thing, as was known at a sequence number, by records of the levels `seen`."""

    said: Said
    seen: BoolArray
    known_at: int

    def describing(self, node: int) -> Int32Array:
        said = self.said
        with said.lock:
            rows = said.finding().node.edges_of(np.array([node], np.int32))
            revisions = np.unique(said.revision_of(rows, "node"))
            revisions = revisions[said.standing(self.known_at, revisions)]
            own, now = said.revisions["level"].array[revisions], said.levels_now(revisions)
            known = (own < len(self.seen)) & (now < len(self.seen))
            revisions = revisions[known][self.seen[own[known]] & self.seen[now[known]]]
            return np.unique(said.revisions["record"].array[revisions]).astype(np.int32)

    def written(self, records: Int32Array) -> NDArray[np.int64]:
        since, previous = self.said.revisions["since"].array, self.said.revisions["previous"].array
        found = self.said.latest.array[records].tolist()
        for place, revision in enumerate(found):
            while revision >= 0 and since[revision] > self.known_at:
                revision = int(previous[revision])
            found[place] = int(since[revision]) if revision >= 0 else 0
        return np.array(found, np.int64)
