"""The ledger's table of tokens: digests with names and scopes; no token itself is kept anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Row, func, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from headwater.errors import StorageFailed
from headwater.ledger.ledger import now
from headwater.ledger.tables import tokens


@dataclass(frozen=True, slots=True)
class StoredToken:
    """One row. `digest` is the SHA-256 of the token in hexadecimal; times are ISO 8601 in UTC."""

    name: str
    digest: str
    scope: str
    projects: tuple[str, ...]
    created_at: str
    revoked_at: str | None


class TokenTable:
    """Reads and writes the table; what a token means is said in `headwater.access`.

    >>> from headwater.ledger.schema import open_engine
    >>> table = TokenTable(open_engine("sqlite://"), clock=lambda: "2026-01-01T00:00:00Z")
    >>> table.insert("ada", "ab" * 32, "read", ["beamline-7"]), table.insert("ada", "cd" * 32, "read", [])
    (True, False)
    >>> table.find("ab" * 32).projects
    ('beamline-7',)
    """

    def __init__(self, engine: Engine, clock: Callable[[], str] = now) -> None:
        self._engine = engine
        self._clock = clock

    def insert(self, name: str, digest: str, scope: str, projects: Sequence[str]) -> bool:
        """Keep a token; False if there is one of this name. Raises `StorageFailed` when the database cannot keep it."""
        members = json.dumps(list(projects))
        try:
            with self._engine.begin() as connection:
                connection.execute(
                    insert(tokens).values(name=name, digest=digest, scope=scope, projects=members, created_at=self._clock())
                )
        except IntegrityError:
            return False
        except DBAPIError as error:
            raise StorageFailed(f"The token could not be written: {error.orig}") from error
        return True

    def find(self, digest: str) -> StoredToken | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(tokens).where(tokens.c.digest == digest)).one_or_none()
            return None if row is None else _stored(row)

    def list(self) -> Sequence[StoredToken]:
        """All tokens, the oldest first."""
        with self._engine.connect() as connection:
            return [_stored(row) for row in connection.execute(select(tokens).order_by(tokens.c.created_at, tokens.c.name))]

    def revoke(self, name: str) -> bool:
        """Note the time of revocation; False if there is no token of this name, or it was revoked before."""
        try:
            with self._engine.begin() as connection:
                done = connection.execute(
                    update(tokens).where(tokens.c.name == name, tokens.c.revoked_at.is_(None)).values(revoked_at=self._clock())
                )
                return bool(done.rowcount)
        except DBAPIError as error:
            raise StorageFailed(f"The token could not be revoked: {error.orig}") from error

    def any(self) -> bool:
        with self._engine.connect() as connection:
            return bool(connection.execute(select(func.count()).select_from(select(tokens.c.name).limit(1).subquery())).scalar())


def _stored(row: Row[Any]) -> StoredToken:
    values = row._asdict()
    return StoredToken(**{**values, "projects": tuple(json.loads(values["projects"]))})
