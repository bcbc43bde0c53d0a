"""Writing SVG so that nothing a label contains can become markup, break the file or turn the text around it."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TURNS = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_NARROW = frozenset("fijlrtI.,:;'|!()[]{}/\\ -\"`*")
_WIDE = frozenset("mwMW@%&—")
_BREAK_AFTER = frozenset(" -_/.:,;")


def text(value: str, longest: int = 500) -> str:
    """`value` as XML character data: cut, escaped, without characters that XML forbids or that reverse their neighbours.

    >>> text("<b> & \\x00")
    '&lt;b&gt; &amp; \\ufffd'
    """
    return escape(_plain(value, longest))


def tag(name: str, *children: str, **attributes: object) -> str:
    """An element; `children` are finished markup, attribute values are escaped here. `class_` stands for `class`.

    >>> tag("a", text("1 < 2"), href='/x?"&y', class_="node")
    '<a href=\\'/x?"&amp;y\\' class="node">1 &lt; 2</a>'
    """
    said = "".join(
        f" {key.rstrip('_').replace('_', '-')}={quoteattr(_plain(_spell(value), 8000))}"
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{said}>{''.join(children)}</{name}>" if children else f"<{name}{said}/>"


def wide(value: str, size: float) -> float:
    """About how wide `value` is at font size `size`, in the same units; errs on the wide side, as DejaVu Sans is wide.

    >>> wide("iii", 10) < wide("mmm", 10)
    True
    """
    return sum(_em(letter) for letter in value) * size


def wrapped(value: str, width: float, size: float, lines: int) -> list[str]:
    """`value` in at most `lines` lines no wider than `width`; what does not fit is cut and marked by "…".

    >>> wrapped("digits, first labels (held out)", 100, 12, 2)
    ['digits, first', 'labels (held ou…']
    """
    rest = " ".join(_plain(value, 400).split()) or "(no name)"
    made: list[str] = []
    while rest and len(made) < lines:
        end, room = 0, width
        while end < len(rest) and (room := room - _em(rest[end]) * size) >= 0:
            end += 1
        if end < len(rest):
            if len(made) == lines - 1:
                made.append(rest[: max(1, end - 1)].rstrip() + "…")
                return made
            breaks = [i + 1 for i in range(end // 3, end) if rest[i] in _BREAK_AFTER]
            end = breaks[-1] if breaks else max(1, end)
        made.append(rest[:end].strip())
        rest = rest[end:].lstrip()
    return made


def _em(letter: str) -> float:
    if letter in _NARROW:
        return 0.38
    if letter in _WIDE or letter > "\u2e7f":
        return 1.0
    return 0.7 if letter.isupper() else 0.61


def _plain(value: str, longest: int) -> str:
    if len(value) > longest:
        value = value[: longest - 1] + "…"
    return _TURNS.sub("", _NOT_XML.sub("\ufffd", value))


def _spell(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
