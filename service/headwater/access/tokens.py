"""Tokens: made once, shown once, kept only as a digest, and revoked by name."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, get_args

from headwater.access.levels import project_name
from headwater.access.reader import ANONYMOUS, LOCAL, SCOPES, Reader, Scope
from headwater.errors import BadParameter, NotFound, Unauthorised

if TYPE_CHECKING:
    from headwater.ledger.tokens import StoredToken

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}")
_PREFIX = "hw_"
_RANDOM_BYTES = 32


class TokenShelf(Protocol):
    """Where tokens are kept; `headwater.ledger.tokens.TokenTable` is one."""

    def insert(self, name: str, digest: str, scope: str, projects: Sequence[str]) -> bool:
        """Keep a token. False, and nothing kept, if there is one of this name already, revoked or not."""
        ...

    def find(self, digest: str) -> StoredToken | None: ...

    def list(self) -> Sequence[StoredToken]: ...

    def revoke(self, name: str) -> bool:
        """Whether there was a token of this name that was not revoked before."""
        ...

    def any(self) -> bool:
        """Whether a token was ever made."""
        ...


class TokenBook:
    """Makes, recognises and revokes tokens.

    `any()` also counts revoked ones: revoking the last token must not open the door to everyone on the machine again.
    """

    def __init__(self, shelf: TokenShelf, random: Callable[[int], str] = secrets.token_urlsafe) -> None:
        self._shelf = shelf
        self._random = random
        self.made = False
        """Whether a token is known to have been made; that is never taken back, so nobody needs to look again."""

    def create(self, name: str, scope: str = "read", projects: Iterable[str] = ()) -> str:
        """Make a token and return it; nobody can have it again. Raises `BadParameter` for a wrong name, scope or project.

        `projects` are those whose records its holder sees; a token with scope `admin` sees all without naming them.
        """
        if not _NAME.fullmatch(name):
            raise BadParameter(
                f"{name!r} cannot be the name of a token",
                remedy="It has 1 to 64 letters, digits, spaces and . _ @ - and begins with a letter or digit.",
                parameter="name",
            )
        if scope not in SCOPES[1:]:
            raise BadParameter(
                f"{scope!r} is no scope; it is {', '.join(SCOPES[1:-1])} or {SCOPES[-1]}",
                remedy="'read' sees, 'write' also imports and withdraws, 'admin' sees and does everything.",
                parameter="scope",
            )
        members = sorted({project_name(project) for project in projects})
        token = _PREFIX + self._random(_RANDOM_BYTES)
        if not self._shelf.insert(name, _digest(token), scope, members):
            raise BadParameter(
                f"there is already a token called {name!r}, or was before it was revoked",
                remedy="Choose another name: names are kept so that the history says who wrote what.",
                parameter="name",
            )
        return token

    def find(self, token: str) -> Reader:
        """The reader that a token speaks for. Raises `Unauthorised` if it is unknown or revoked; which of them is not said."""
        digest = _digest(token)
        stored = self._shelf.find(digest)
        if stored is None or stored.revoked_at is not None or not hmac.compare_digest(stored.digest, digest):
            raise Unauthorised("the token does not hold: it is unknown or was revoked")
        return Reader(stored.name, _scope(stored.scope), None if stored.scope == "admin" else frozenset(stored.projects))

    def list(self) -> list[dict[str, Any]]:
        """All tokens, the oldest first, without anything that one could log in with."""
        return [
            {
                "name": stored.name,
                "scope": stored.scope,
                "projects": list(stored.projects),
                "created_at": stored.created_at,
                "revoked_at": stored.revoked_at,
            }
            for stored in self._shelf.list()
        ]

    def revoke(self, name: str) -> None:
        """Make a token useless from now on. Raises `NotFound` if no valid one has this name."""
        if not self._shelf.revoke(name):
            raise NotFound(f"there is no valid token called {name!r}", remedy="See 'headwater token list'.")

    def any(self) -> bool:
        """Whether a token was ever made, also if it was revoked since."""
        self.made = self.made or self._shelf.any()
        return self.made


def who(token: str | None, loopback: bool, book: TokenBook) -> Reader:
    """The reader behind a request: a token that is sent must hold; without one, the machine's own user until a token was made.

    Raises `Unauthorised` if `token` is given and does not hold.
    """
    if token is not None:
        return book.find(token)
    return LOCAL if loopback and not book.any() else ANONYMOUS


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _scope(text: str) -> Scope:
    for scope in get_args(Scope):
        if scope == text:
            return scope  # type: ignore[no-any-return]
    raise Unauthorised(f"the token has a scope that this Headwater does not know: {text}")
