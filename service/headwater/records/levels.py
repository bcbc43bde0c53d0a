"""Levels of visibility as they combine: what is public stands in the internal view too, and what is internal in every project's.

A conclusion is seen by those who see all its premises: from a public and an internal statement it is internal, from an internal
one and a project's it is the project's. No level has readers who all see two projects, so from premises of two nothing follows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

PUBLIC: Final = "public"
INTERNAL: Final = "internal"
PROJECT: Final = "project:"

Levels = tuple[str, ...]
"""The widest levels at which a statement stands, in order; none of them reaches another."""


def reaches(wide: str, narrow: str) -> bool:
    """Whether what stands at one level is seen by those of the other.

    >>> reaches("public", "project:a"), reaches("project:a", "internal"), reaches("project:a", "project:b")
    (True, False, False)
    """
    return wide in (PUBLIC, narrow) or (wide == INTERNAL and narrow != PUBLIC)


def widest(levels: Iterable[str]) -> Levels:
    """The levels that no other of them reaches.

    >>> widest(["project:b", "internal", "project:a"]), widest(["project:b", "project:a"])
    (('internal',), ('project:a', 'project:b'))
    """
    found = set(levels)
    for level in (PUBLIC, INTERNAL):
        if level in found:
            return (level,)
    return tuple(sorted(found))


def shared(one: Levels, other: Levels) -> Levels:
    """The widest levels whose readers see both.

    >>> shared(("public",), ("internal",)), shared(("internal",), ("project:a",)), shared(("project:a",), ("project:b",))
    (('internal',), ('project:a',), ())
    """
    if one == other or other == (PUBLIC,):
        return one
    if one == (PUBLIC,):
        return other
    return widest(a if reaches(b, a) else b for a in one for b in other if reaches(a, b) or reaches(b, a))


def beyond(levels: Iterable[str], known: Levels) -> Levels:
    """Those of the levels that `known` does not reach.

    >>> beyond(("public",), ("internal",)), beyond(("project:a",), ("internal",))
    (('public',), ())
    """
    return tuple(level for level in levels if not any(reaches(wide, level) for wide in known))
