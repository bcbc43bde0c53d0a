"""Small answers of the Headwater object as plain values: a page of objects, a banner, an export."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headwater.questions.description import Thing


@dataclass(frozen=True, slots=True)
class ObjectList:
    """A page of objects; `total` counts all that fit, `page` counts from 1."""

    total: int
    page: int
    per_page: int
    items: list[Thing]


@dataclass(frozen=True, slots=True)
class Banner:
    """What an announced change does to an object; `objects` are what changed, `itself` where the object is that.

    `statements` are what persons say of it.
    """

    change: Thing
    kind: str
    at: str | None
    state: str
    severity: str
    effect: str
    justification: str
    resolved_by: Thing | None
    itself: bool = False
    objects: tuple[Thing, ...] = ()
    statements: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Exported:
    """An object written in another format."""

    body: bytes
    media_type: str
    filename: str
