"""The words for who may see a record: `public`, `internal`, or `project:NAME` for the members of one project."""

from __future__ import annotations

import re
from typing import Final

from headwater.errors import BadParameter

PUBLIC: Final = "public"
INTERNAL: Final = "internal"
_PROJECT: Final = "project:"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def level(text: str) -> str:
    """`text`, if it is a visibility word. Raises `BadParameter` if it is none.

    >>> level("project:beamline-7")
    'project:beamline-7'
    >>> level("secret")
    Traceback (most recent call last):
    ...
    headwater.errors.BadParameter: 'secret' is no visibility; it is public, internal or project:NAME
    """
    if text in (PUBLIC, INTERNAL) or (text.startswith(_PROJECT) and _NAME.fullmatch(text.removeprefix(_PROJECT))):
        return text
    raise BadParameter(
        f"{text!r} is no visibility; it is public, internal or project:NAME",
        remedy="A project's NAME has up to 64 letters, digits, dots, hyphens and underscores, and begins with a letter or digit.",
        parameter="visibility",
    )


def project_of(visibility: str) -> str | None:
    """The project that a level names.

    >>> project_of("project:beamline-7"), project_of("internal")
    ('beamline-7', None)
    """
    return visibility.removeprefix(_PROJECT) if visibility.startswith(_PROJECT) else None


def project_name(text: str) -> str:
    """`text`, if a project may be called so. Raises `BadParameter` if not.

    >>> project_name("beamline-7")
    'beamline-7'
    """
    if _NAME.fullmatch(text):
        return text
    raise BadParameter(
        f"{text!r} cannot be the name of a project",
        remedy="It has up to 64 letters, digits, dots, hyphens and underscores, and begins with a letter or digit.",
        parameter="project",
    )


def narrowness(visibility: str) -> int:
    """0 for public, 1 for internal, 2 for a project: of two levels the one with the lower number has more readers.

    >>> sorted(["project:a", "public", "internal"], key=narrowness)
    ['public', 'internal', 'project:a']
    """
    return {PUBLIC: 0, INTERNAL: 1}.get(visibility, 2)


def in_words(visibility: str) -> str:
    """Who sees a level, for people to read before they publish something by accident.

    >>> in_words("public")
    'everyone (public)'
    """
    if visibility == PUBLIC:
        return "everyone (public)"
    if visibility == INTERNAL:
        return "everyone with a token (internal)"
    return f"members of the project {project_of(visibility)} ({visibility})"
