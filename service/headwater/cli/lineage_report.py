"""A lineage answer as a person reads it: a tree from the thing asked about, each link in words."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from typing import Any

from headwater.cli.answers import Answer, completeness, link_words, name
from headwater.cli.printing import Line, counted, several
from headwater.terms.names import curie

MOST_LINES = 400
"""Lines of a tree before the rest is only counted."""


def lineage_lines(answer: Answer, *, most: int = MOST_LINES) -> Iterator[Line]:
    """The report, line by line: everything upstream, everything downstream, or both, each thing once."""
    root = str(answer.get("root"))
    summary, direction = answer.get("summary") or {}, str((answer.get("query") or {}).get("direction") or "upstream")
    total = int(summary.get("total") or 0)
    where = {"upstream": "upstream of", "downstream": "downstream of", "both": "up- and downstream of"}.get(direction, "around")
    found = f"{several(total, 'thing')} {where} {name(answer, root)}"
    yield (
        found
        + (
            f": {counted(summary.get('by_kind') or {})}; {several(int(summary.get('max_distance') or 0), 'step')} at most."
            if total
            else "."
        ),
        "bold",
    )
    met = {root}
    sides = [side for side in ("upstream", "downstream") if direction in (side, "both")]
    left = most
    for side in sides:
        tree = _tree(answer, root, upstream=side == "upstream")
        if len(tree) == 1 and direction == "both":
            continue
        yield "", ""
        if direction == "both":
            yield side.upper(), "bold"
        yield name(answer, root), ""
        for iri, depth, words in _walk(tree, root):
            met.add(iri)
            if left > 0:
                yield f"{'   ' * depth}└─ {words} {name(answer, iri)}", ""
            left -= 1
    apart = [iri for iri in answer.get("nodes") or {} if iri not in met]
    if apart:
        yield "", ""
        yield "Also, by way of steps that are not shown:", ""
        for iri in apart[: max(left, 0)]:
            distance = answer["nodes"][iri].get("distance")
            yield f"   {name(answer, iri)}" + (f" ({several(distance, 'step')})" if isinstance(distance, int) else ""), ""
        left -= len(apart)
    if left < 0:
        yield f"… and {-left:,} more; --json lists all", "dim"
    yield "", ""
    yield from completeness(answer)


def _tree(answer: Answer, root: str, *, upstream: bool) -> dict[str, list[tuple[str, str]]]:
    """A shortest-way tree over the answer's links: thing to (next thing, link in words)."""
    links: dict[str, list[tuple[str, Mapping[str, Any]]]] = defaultdict(list)
    for edge in answer.get("edges") or ():
        here, there = (edge["target"], edge["source"]) if upstream else (edge["source"], edge["target"])
        links[here].append((there, edge))
    children: dict[str, list[tuple[str, str]]] = {root: []}
    waiting = deque([root])
    while waiting:
        here = waiting.popleft()
        for there, edge in sorted(links[here], key=lambda link: (curie(link[0]), str(link[1].get("role")))):
            if there not in children:
                children[there] = []
                children[here].append((there, link_words(edge, upstream=upstream)))
                waiting.append(there)
    return children


def _walk(children: dict[str, list[tuple[str, str]]], root: str) -> Iterator[tuple[str, int, str]]:
    # Without recursion: a chain of revisions can be longer than Python's stack.
    waiting = [(iri, 0, words) for iri, words in reversed(children[root])]
    while waiting:
        iri, depth, words = waiting.pop()
        yield iri, depth, words
        waiting += [(below, depth + 1, said) for below, said in reversed(children[iri])]
