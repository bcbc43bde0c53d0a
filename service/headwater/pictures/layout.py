"""Where each thing stands in a picture: columns from upstream (left) to downstream (right), with few crossing links.

A plain layered layout after Sugiyama, Tagawa and Toda (1981): break cycles, give each node a column, order the columns by
medians of their neighbours, then pull each node as near to its neighbours as the order allows. The last step is an exact
least-squares fit (pool adjacent violators), which is linear in time. Everything is deterministic.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 212.0, 60.0
"""The size of a node's card, in SVG user units (CSS pixels)."""
COLUMN_GAP, ROW_GAP = 76.0, 18.0
MARGIN = 24.0

_SWEEPS = 8
_MOST_BENDS = 1500
"""Above so many bends of long links a picture is too dense for routing to help, and ordering them would cost the most time."""


@dataclass(frozen=True, slots=True)
class Route:
    """The way of one link, from the right edge of its source to the left edge of its target; `back` if it runs leftwards."""

    points: tuple[tuple[float, float], ...]
    back: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """Centres of the nodes, routes of the links (one per link given, in the same order), and the size of the whole."""

    centres: Mapping[str, tuple[float, float]]
    routes: tuple[Route, ...]
    width: float
    height: float


def layered(nodes: Sequence[str], links: Sequence[tuple[str, str]]) -> Layout:
    """Lay out `nodes` with `links` (source, target) from left to right. Cycles, self links and separate parts are fine.

    >>> layout = layered(["data", "run", "model"], [("data", "run"), ("run", "model")])
    >>> [round(layout.centres[n][0]) for n in ("data", "run", "model")]
    [130, 418, 706]
    """
    if not nodes:
        return Layout({}, (), 2 * MARGIN, 2 * MARGIN)
    number = {name: i for i, name in enumerate(nodes)}
    pairs = [(number[source], number[target]) for source, target in links]
    forward = _acyclic(len(nodes), pairs)
    column = _columns(len(nodes), forward)
    graph = _Columns(column, sorted(set(forward)))
    graph.untangle()
    height = graph.settle()
    step = WIDTH + COLUMN_GAP
    x = [MARGIN + WIDTH / 2 + step * c for c in graph.column]
    y = [MARGIN + HEIGHT / 2 + value for value in graph.y]
    routes = []
    for source, target in pairs:
        back = column[source] >= column[target]
        low, high = (target, source) if back else (source, target)
        bends = graph.bends.get((low, high), ())
        points = [(x[low] + WIDTH / 2, y[low])]
        for bend in bends:
            points += [(x[bend] - WIDTH / 2, y[bend]), (x[bend] + WIDTH / 2, y[bend])]
        points.append((x[high] - WIDTH / 2, y[high]))
        routes.append(Route(tuple(reversed(points)) if back else tuple(points), back))
    width = 2 * MARGIN + WIDTH + step * max(column)
    centres = {name: (round(x[i], 1), round(y[i], 1)) for name, i in number.items()}
    return Layout(centres, tuple(routes), width, height + HEIGHT + 2 * MARGIN)


def _acyclic(count: int, pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The links without self links, and with those turned round that close a cycle (depth first, without recursion)."""
    out: list[list[int]] = [[] for _ in range(count)]
    indegree = [0] * count
    for source, target in pairs:
        if source != target:
            out[source].append(target)
            indegree[target] += 1
    state = bytearray(count)
    turned: set[tuple[int, int]] = set()
    for start in sorted(range(count), key=lambda node: (indegree[node] > 0, node)):
        if state[start]:
            continue
        state[start] = 1
        stack = [(start, iter(out[start]))]
        while stack:
            node, rest = stack[-1]
            for there in rest:
                if state[there] == 1:
                    turned.add((node, there))
                elif not state[there]:
                    state[there] = 1
                    stack.append((there, iter(out[there])))
                    break
            else:
                state[node] = 2
                stack.pop()
    return [(b, a) if (a, b) in turned else (a, b) for a, b in pairs if a != b]


def _columns(count: int, links: Sequence[tuple[int, int]]) -> list[int]:
    """The longest way from a source, with sources pulled right to stand just before the first node that they feed."""
    out: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for source, target in links:
        out[source].append(target)
        waiting[target] += 1
    first = [not n for n in waiting]
    column = [0] * count
    ready = [node for node in range(count) if first[node]]
    for node in ready:
        for there in out[node]:
            column[there] = max(column[there], column[node] + 1)
            waiting[there] -= 1
            if not waiting[there]:
                ready.append(there)
    for node in range(count):
        if first[node] and out[node]:
            column[node] = min(column[there] for there in out[node]) - 1
    return column


class _Columns:
    """The nodes in their columns, with a bend in every column that a long link passes."""

    def __init__(self, column: Sequence[int], links: Sequence[tuple[int, int]]) -> None:
        self.column = list(column)
        self.bends: dict[tuple[int, int], tuple[int, ...]] = {}
        steps: list[tuple[int, int]] = []
        bend = sum(column[target] - column[source] - 1 for source, target in links) <= _MOST_BENDS
        for source, target in links:
            at = source
            if bend:
                made = []
                for c in range(column[source] + 1, column[target]):
                    here = len(self.column)
                    self.column.append(c)
                    made.append(here)
                    steps.append((at, here))
                    at = here
                if made:
                    self.bends[source, target] = tuple(made)
            steps.append((at, target))
        self.real = len(column)
        self.before: list[list[int]] = [[] for _ in self.column]
        self.after: list[list[int]] = [[] for _ in self.column]
        for source, target in steps:
            self.after[source].append(target)
            self.before[target].append(source)
        self.rows: list[list[int]] = [[] for _ in range(max(self.column) + 1)]
        for node, c in enumerate(self.column):
            self.rows[c].append(node)
        self.y = [0.0] * len(self.column)

    def untangle(self) -> None:
        """Order each column by the medians of its neighbours, left to right and back, and keep the best order met."""
        place = [0.0] * len(self.column)
        for row in self.rows:
            _number(row, place)
        best, fewest = [list(row) for row in self.rows], self._crossings(place)
        for sweep in range(_SWEEPS):
            if not fewest:
                break
            rightwards = sweep % 2 == 0
            near = self.before if rightwards else self.after
            for c in range(1, len(self.rows)) if rightwards else range(len(self.rows) - 2, -1, -1):
                row = self.rows[c]
                row.sort(key=lambda node, near=near: _median(sorted(place[n] for n in near[node]), place[node]))  # type: ignore[misc]
                _number(row, place)
            crossings = self._crossings(place)
            if crossings < fewest:
                best, fewest = [list(row) for row in self.rows], crossings
        self.rows = best

    def settle(self) -> float:
        """Give each node its height: near its neighbours, in order, without overlap. Returns the height needed."""
        for row in self.rows:
            self._place(row, [0.0] * len(row))
        for turn in range(6):
            order = self.rows if turn % 2 == 0 else self.rows[::-1]
            for row in order:
                wish = []
                for node in row:
                    near = self.before[node] + self.after[node] if turn > 1 else self.before[node] or self.after[node]
                    wish.append(sum(self.y[n] for n in near) / len(near) if near else self.y[node])
                self._place(row, wish)
        top = min(self.y)
        self.y = [value - top for value in self.y]
        return max(self.y)

    def _place(self, row: Sequence[int], wish: Sequence[float]) -> None:
        offsets, at = [], 0.0
        for i, node in enumerate(row):
            if i:
                both = (node < self.real) + (row[i - 1] < self.real)
                at += (ROW_GAP + HEIGHT, ROW_GAP + HEIGHT / 2, ROW_GAP)[2 - both]
            offsets.append(at)
        fitted = _rising([w - o for w, o in zip(wish, offsets, strict=True)])
        for node, value, offset in zip(row, fitted, offsets, strict=True):
            self.y[node] = value + offset

    def _crossings(self, place: Sequence[float]) -> int:
        total = 0
        for row in self.rows[:-1]:
            ends: list[float] = []
            for node in row:
                targets = sorted(place[n] for n in self.after[node])
                total += sum(len(ends) - bisect_right(ends, target) for target in targets)
                for target in targets:
                    insort(ends, target)
        return total


def _number(row: Sequence[int], place: list[float]) -> None:
    for i, node in enumerate(row):
        place[node] = float(i)


def _median(near: Sequence[float], otherwise: float) -> float:
    if not near:
        return otherwise
    middle = len(near) // 2
    return near[middle] if len(near) % 2 else (near[middle - 1] + near[middle]) / 2


def _rising(values: Sequence[float]) -> list[float]:
    """The non-decreasing sequence nearest to `values` in least squares (pool adjacent violators).

    >>> _rising([3.0, 1.0, 5.0])
    [2.0, 2.0, 5.0]
    """
    pools: list[tuple[float, int]] = []
    for value in values:
        total, size = value, 1
        while pools and pools[-1][0] / pools[-1][1] > total / size:
            more, count = pools.pop()
            total, size = total + more, size + count
        pools.append((total, size))
    return [total / size for total, size in pools for _ in range(size)]
