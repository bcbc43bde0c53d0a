"""A small badge for READMEs that says whether a thing still stands."""

from __future__ import annotations

from headwater.pictures.kinds import STATES
from headwater.pictures.markup import tag, text, wide

_COLOURS = {
    "affected": "#a8321a",
    "in_triage": "#6b4191",
    "cannot_tell": "#7a5800",
    "resolved": "#1f7044",
    "not_affected": "#3d5a40",
}


def badge(subject: str, state: str | None, words: str) -> str:
    """An SVG of 20 pixels height: `subject` on the left, the state's mark and `words` on the right.

    >>> "upstream changed" in badge("lineage", "affected", "upstream changed")
    True
    """
    mark = STATES[state].mark + " " if state in STATES else ""
    said = mark + words
    left, right = wide(subject, 11) + 14, wide(said, 11) + 14
    colour = _COLOURS.get(state or "", "#3f5a73")
    return tag(
        "svg",
        tag("title", text(f"{subject}: {words}")),
        tag("rect", width=left + right, height=20.0, rx=3.0, fill="#3d474f"),
        tag("path", d=f"M{left:.1f} 0h{right - 3:.1f}a3 3 0 0 1 3 3v14a3 3 0 0 1 -3 3h-{right - 3:.1f}z", fill=colour),
        tag("text", text(subject), x=left / 2, y=14.0),
        tag("text", text(said), x=left + right / 2, y=14.0),
        xmlns="http://www.w3.org/2000/svg",
        role="img",
        aria_label=f"{subject}: {words}",
        width=f"{left + right:.0f}",
        height="20",
        fill="#ffffff",
        font_family="Verdana, 'DejaVu Sans', sans-serif",
        font_size="11",
        text_anchor="middle",
    )
