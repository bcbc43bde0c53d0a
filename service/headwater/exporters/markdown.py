"""Writing Markdown in which a name from the graph stays a name: no markup, no HTML, no link that was not meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

import yaml

NOT_CAPTURED = "*Not captured*"
"""What a card says where nothing is known."""

_MARKUP = re.compile(r"([\\`*_\[\]<>&|~$@])")
_LINE_START = re.compile(r"^(?=[#+\-=:])")
_NUMBERED = re.compile(r"^(\d+)([.)])(?=\s|$)")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}


def plain(value: str, longest: int = 2000) -> str:
    """`value` on one line with everything escaped that Markdown or HTML would take for markup.

    >>> plain("<b>*x*</b> | [y](z)")
    '&lt;b&gt;\\\\*x\\\\*&lt;/b&gt; \\\\| \\\\[y\\\\](z)'
    """
    text = " ".join(_CONTROL.sub(" ", value).split())
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    text = _MARKUP.sub(lambda found: _ENTITIES.get(found[1], "\\" + found[1]), text)
    # GitHub and others turn bare addresses into links, escaped or not, unless their beginning is broken up.
    text = re.sub(r"(?i)\b(https?|ftp)://", r"\1\\://", text)
    text = re.sub(r"(?i)\bwww\.", r"www\\.", text)
    text = _NUMBERED.sub(r"\1\\\2", text)
    return _LINE_START.sub(r"\\", text)


def paragraphs(value: str) -> str:
    """A longer text with its paragraphs kept and everything else escaped."""
    return "\n\n".join(plain(part, 20_000) for part in re.split(r"\n\s*\n", value) if part.strip())


def link(label: str, address: str) -> str:
    """A link if `address` is a web address, else the label and the address as text.

    >>> link("digits", "https://data.example/d 1"), link("x", "javascript:alert(1)")
    ('[digits](<https://data.example/d%201>)', 'x (javascript:alert(1))')
    """
    if address.startswith(("http://", "https://")):
        return f"[{plain(label)}](<{quote(address, safe=':/?#[]@!$&()*+,;=%~._-')}>)"
    return f"{plain(label)} ({plain(address)})" if address != label else plain(label)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of finished cells; `NOT_CAPTURED` if there are no rows."""
    lines = [f"| {' | '.join(cell or '–' for cell in row)} |" for row in rows]
    if not lines:
        return NOT_CAPTURED
    return "\n".join([f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}", *lines])


def front_matter(fields: dict[str, Any]) -> str:
    """The YAML block that opens a card; fields without a value are left out.

    >>> print(front_matter({"license": "mit", "tags": []}))
    ---
    license: mit
    ---
    """
    said = {key: _one_line(value) for key, value in fields.items() if value not in (None, [], {}, "")}
    body = yaml.safe_dump(said, allow_unicode=True, sort_keys=False, width=1000) if said else ""
    return f"---\n{body}---"


def _one_line(value: Any) -> Any:
    """Texts without line ends: many readers of front matter stop at the first line `---`, also inside a quoted text."""
    if isinstance(value, str):
        return " ".join(_CONTROL.sub(" ", value).split())[:500]
    if isinstance(value, list):
        return [_one_line(one) for one in value]
    if isinstance(value, dict):
        return {key: _one_line(one) for key, one in value.items()}
    return value


def licence_fields(licence: str | None) -> dict[str, str]:
    """A licence as the Hub writes it: an SPDX id in lower case, or `other` with a name and where to read it.

    >>> licence_fields("https://spdx.org/licenses/CC-BY-4.0.html"), licence_fields("ask us")
    ({'license': 'cc-by-4.0'}, {'license': 'other', 'license_name': 'ask-us'})
    """
    if not licence:
        return {}
    found = re.match(r"^(?:https?://spdx\.org/licenses/)?([A-Za-z0-9.+-]+?)(?:\.html|\.json)?/?$", licence)
    if found and re.search(r"\d|^(mit|isc|wtfpl|unlicense|artistic)$", found[1], re.IGNORECASE):
        return {"license": found[1].lower()}
    if licence.startswith(("http://", "https://")):
        return {"license": "other", "license_name": "linked", "license_link": licence}
    return {"license": "other", "license_name": re.sub(r"[^a-z0-9.-]+", "-", licence.lower()).strip("-")[:80] or "unnamed"}
