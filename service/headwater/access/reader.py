"""A reader: somebody who asks, what they may see, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from headwater.access.levels import INTERNAL, PUBLIC, project_of

Scope = Literal["none", "read", "write", "admin"]
SCOPES: Final[tuple[Scope, ...]] = ("none", "read", "write", "admin")
"""What a reader may do, each including those before it; `none` is a reader without a token."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who asks. `projects` are those whose records he sees besides the internal ones; None means all projects.

    >>> guest = Reader("anonymous", "none", frozenset())
    >>> guest.sees("public"), guest.sees("internal"), guest.may("read")
    (True, False, False)
    >>> curator = Reader("ada", "write", frozenset({"beamline-7"}))
    >>> curator.sees("internal"), curator.sees("project:beamline-7"), curator.sees("project:other")
    (True, True, False)
    """

    name: str
    scope: Scope
    projects: frozenset[str] | None = frozenset()

    @property
    def internal(self) -> bool:
        """Whether internal records are his to see: everyone's who has a token."""
        return self.scope != "none"

    def sees(self, visibility: str) -> bool:
        """Whether a record of this visibility exists for him."""
        if visibility == PUBLIC or self.scope == "admin":
            return True
        if visibility == INTERNAL:
            return self.internal
        return self.internal and (self.projects is None or project_of(visibility) in self.projects)

    def may(self, scope: Scope) -> bool:
        """Whether his scope reaches as far as `scope`."""
        return SCOPES.index(self.scope) >= SCOPES.index(scope)


LOCAL: Final = Reader("local", "admin", None)
"""Whoever works on this machine: on the command line, or over loopback as long as no token was made."""

ANONYMOUS: Final = Reader("anonymous", "none", frozenset())
"""Whoever asks over the network without a token."""
