"""Pages from templates: everything is escaped, nothing is loaded from another host, no page needs a script."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from headwater import __version__
from headwater.lineage.costing import duration
from headwater.pictures.kinds import KIND_GLYPHS, OTHER_GLYPH, STATES
from headwater.pictures.svg import stylesheet
from headwater.questions.description import Thing
from headwater.terms.justifications import because, settled_by
from headwater.terms.names import curie
from headwater.terms.vocabulary import vocabulary

_OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069]")


SAFE_PATH = "/%~:@!$&'()*+,;="
"""What a thing's path may hold as it is: paths of things named here come percent-encoded."""


def page(template: str, request: Request, /, **values: Any) -> bytes:
    """The page `template` as UTF-8. `request` gives the address for links that keep what was asked."""
    text = _environment().get_template(template).render(request=request, **values)
    return text.encode("utf-8", "replace")


def address(thing: Thing) -> str:
    """The address of a thing's landing page on this server.

    >>> address(Thing("urn:x", "dataset", "digits", "dataset/a%20b"))
    '/object/dataset/a%20b'
    """
    return f"/object/{quote(thing.path, safe=SAFE_PATH)}"


def script_json(value: object) -> Markup:
    """JSON that can stand inside a `<script>` block: no `<` survives, so nothing in it can end the block.

    >>> script_json({"name": "</script>"})
    Markup('{"name": "\\\\u003c/script>"}')
    """
    written = (
        json.dumps(value, ensure_ascii=False).replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    )
    # Every "<" is gone, and the block is data, not a program: it is safe to hand on unescaped.
    return Markup(written.replace("-->", "--\\u003e"))


@cache
def static_file(name: str) -> bytes | None:
    """A file that pages link to; None if there is none of this name."""
    if name == "picture.css":
        return stylesheet().encode()
    if name in ("style.css", "icon.svg", "editor.js"):
        return files("headwater.web").joinpath("static", name).read_bytes()
    return None


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("headwater.web", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        address=address,
        curie=curie,
        script_json=script_json,
        number=_number,
        rounded=_rounded,
        moment=_moment,
        cut=_cut,
        short=_short,
        count=_count,
        ticked=_ticked,
        because=because,
        duration=duration,
        settled_by=settled_by,
        role_up=role_up,
        role_down=role_down,
        effect=effect,
    )
    made.globals.update(version=__version__, glyph=lambda kind: KIND_GLYPHS.get(kind, OTHER_GLYPH), states=STATES, quote=_quote)
    return made


def role_up(name: str) -> str:
    """How a link reads from the later thing to the earlier one.

    >>> role_up("train")
    'was trained on'
    """
    role = vocabulary().role(name)
    return role.label_up if role is not None else name


def role_down(name: str) -> str:
    """How a link reads from the earlier thing to the later one.

    >>> role_down("train")
    'trained'
    """
    role = vocabulary().role(name)
    return role.label_down if role is not None else name


def effect(name: str) -> str:
    """An effect as people read it.

    >>> effect("claims-unsupported")
    'claims unsupported'
    """
    return next((known.label for known in vocabulary().effects if known.name == name), name.replace("-", " "))


def _ticked(value: str) -> Markup:
    """Prose from docstrings, with what stands in backticks as code."""
    parts = value.split("`")
    return Markup("").join(Markup("<code>{}</code>").format(part) if i % 2 else part for i, part in enumerate(parts))


def _quote(value: str) -> str:
    return quote(value, safe="")


def _number(value: float) -> str:
    return f"{value:.6g}"


def _rounded(value: float) -> str:
    """Three significant digits: what a difference between few runs can carry."""
    return f"{value:.3g}"


def _count(value: int) -> str:
    return f"{value:,}".replace(",", "\u202f")


def _moment(value: str | None) -> str:
    """An ISO time as people read it: `2025-10-01T16:02:02.787Z` becomes `2025-10-01 16:02`."""
    if not value:
        return ""
    day, _, clock = str(value).partition("T")
    return f"{day} {clock[:5]}".strip() if len(day) == 10 else str(value)


def _cut(value: str, longest: int = 120) -> str:
    """A name short enough to show, without the invisible characters that would show it back to front."""
    value = _OVERRIDES.sub("", value)
    return value if len(value) <= longest else value[: longest - 1] + "…"


def _short(value: str) -> str:
    """A digest or IRI short enough for a line; its full text stands in the title beside it."""
    return value if len(value) <= 64 else f"{value[:40]}…{value[-16:]}"
