"""What became different between two times as a person reads it: newly affected, newly mended, and so on, with both verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from headwater.cli.answers import MOST_LISTED, Answer, completeness, cut, name
from headwater.cli.printing import Line, several

_KINDS: Final = {
    "newly_affected": ("NEWLY AFFECTED", "▲", "red"),
    "worse": ("AFFECTED WORSE", "▲", "red"),
    "newly_cannot_tell": ("NEWLY IN DOUBT", "?", "yellow"),
    "newly_resolved": ("MENDED SINCE", "✓", "green"),
    "no_longer_affected": ("NO LONGER AFFECTED", "✓", "green"),
    "milder": ("AFFECTED LESS", "▽", ""),
    "newly_there": ("NEW, AND NOT AFFECTED", "+", ""),
    "no_longer_there": ("NO LONGER THERE", "−", ""),
}


def difference_lines(answer: Answer) -> Iterator[Line]:
    """The report, line by line."""
    query, summary = answer.get("query") or {}, answer.get("summary") or {}
    between = f"from {query.get('since')} to {query.get('until') or 'now'}"
    total, unchanged = int(summary.get("total") or 0), int(summary.get("unchanged") or 0)
    yield f"{between}: {several(total, 'thing')} with another verdict, {unchanged:,} as before.", "bold"
    nodes: Mapping[str, Any] = answer.get("nodes") or {}
    for kind, (words, mark, style) in _KINDS.items():
        found = [(iri, node) for iri, node in nodes.items() if node.get("difference") == kind]
        if not found:
            continue
        yield "", ""
        yield f"{words} ({(summary.get('by_difference') or {}).get(kind, len(found)):,})", f"bold {style}".strip()
        shown, rest = cut(found, MOST_LISTED)
        for iri, node in shown:
            yield f"  {mark} {name(answer, iri)}", style
            yield f"      {_told(node.get('before'))} → {_told(node.get('after'))}", "dim"
        yield from rest
    yield "", ""
    yield from completeness(answer)


def _told(verdict: Mapping[str, str] | None) -> str:
    if verdict is None:
        return "not there"
    state = verdict["state"].replace("_", " ")
    return f"{state} ({verdict['severity']})" if verdict["state"] in ("affected", "cannot_tell") else state
