"""How each kind of thing and each state of a verdict looks: by shape, mark and line first, by colour only besides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

KIND_GLYPHS: Final[dict[str, str]] = {
    "dataset": "M3 5c0-3 14-3 14 0v10c0 3-14 3-14 0zM3 5c0 3 14 3 14 0M3 10c0 3 14 3 14 0",
    "model": "M4 5.5l6 4.5 6-4.5M4 14.5l6-4.5 6 4.5M4 3.5v4M4 12.5v4M16 3.5v4M16 12.5v4M8 10a2 2 0 1 0 4 0a2 2 0 1 0-4 0",
    "run": "M2.5 10a7.5 7.5 0 1 0 15 0a7.5 7.5 0 1 0-15 0M8 6.5v7l6-3.5z",
    "workflow": "M2.5 3h6v5h-6zM11.5 12h6v5h-6zM5.5 8v6.5h6",
    "software": "M7 4.5L2 10l5 5.5M13 4.5L18 10l-5 5.5",
    "environment": "M10 2l8 4-8 4-8-4zM2 10l8 4 8-4M2 14l8 4 8-4",
    "publication": "M4 2h8l4 4v12H4zM12 2v4h4M7 10h6M7 13.5h6",
    "instrument": "M2.5 15a7.5 7.5 0 0 1 15 0zM10 15l4-6M10 4.5v3",
    "project": "M2 4.5h6l2 2.5h8v9.5H2z",
    "agent": "M6.5 6.5a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0M3 18c0-8 14-8 14 0z",
    "deployment": "M10 2.5v10M6 6.5l4-4 4 4M3 12v5.5h14V12",
    "change": "M10 2.5L18 17.5H2zM10 8v4.5M10 14.5v1",
}
"""A line drawing per kind, in a box of 20 by 20."""

OTHER_GLYPH: Final = "M4 10a6 6 0 1 0 12 0a6 6 0 1 0-12 0"
MORE_GLYPH: Final = "M3 4h14v4H3zM3 12h14v4H3z"


@dataclass(frozen=True, slots=True)
class StateLook:
    """The mark and the words of a verdict's state; its line pattern stands in `picture.css` under its name."""

    mark: str
    words: str


STATES: Final[dict[str, StateLook]] = {
    "affected": StateLook("▲", "affected"),
    "in_triage": StateLook("◆", "in triage"),
    "cannot_tell": StateLook("?", "cannot tell"),
    "resolved": StateLook("✓", "resolved"),
    "not_affected": StateLook("○", "not affected"),
}


def outline(kind: str, folded: bool, x: float, y: float, width: float, height: float) -> str:
    """The outline of a card as an SVG path: activities have cut corners, people round ends, papers a dog-ear, all else is a box.

    >>> outline("dataset", False, 0, 0, 100, 50).count("a")
    4
    """
    if kind in ("run", "workflow", "deployment"):
        c = 10.0
        return (
            f"M{x + c:.1f} {y:.1f}h{width - 2 * c:.1f}l{c} {c}v{height - 2 * c:.1f}l-{c} {c}"
            f"h-{width - 2 * c:.1f}l-{c} -{c}v-{height - 2 * c:.1f}z"
        )
    if kind == "publication":
        c = 13.0
        return f"M{x:.1f} {y:.1f}h{width - c:.1f}l{c} {c}v{height - c:.1f}h-{width:.1f}z"
    r = height / 2 if kind == "agent" else 7.0
    box = (
        f"M{x + r:.1f} {y:.1f}h{width - 2 * r:.1f}a{r} {r} 0 0 1 {r} {r}v{height - 2 * r:.1f}a{r} {r} 0 0 1 -{r} {r}"
        f"h-{width - 2 * r:.1f}a{r} {r} 0 0 1 -{r} -{r}v-{height - 2 * r:.1f}a{r} {r} 0 0 1 {r} -{r}z"
    )
    return f"M{x + 8:.1f} {y:.1f}v-4h{width - 4:.1f}v{height - 4:.1f}h-4{box}" if folded else box
