"""The ledger's table of tokens: digests with names and scopes; no token itself is kept anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Engine, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from headwater.errors import LedgerAway
from headwater.ledger.failing import in_words
from headwater.ledger.ledger import now
from headwater.ledger.patience import reading_again
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
        self._found: dict[str, StoredToken] = {}
        self._any: bool | None = None

    def insert(self, name: str, digest: str, scope: str, projects: Sequence[str]) -> bool:
        """Keep a token; False if there is one of this name. Raises `StorageFailed` when the database cannot keep it."""
        members = json.dumps(list(projects))
        with in_words("The token could not be written", self._engine):
            try:
                with self._engine.begin() as connection:
                    connection.execute(
                        insert(tokens).values(name=name, digest=digest, scope=scope, projects=members, created_at=self._clock())
                    )
            except IntegrityError:
                return False
        return True

    def turn_to(self, engine: Engine) -> None:
        """From now on read and write another database."""
        self._engine = engine

    def replace(self, stored: Sequence[StoredToken]) -> None:
        """Keep exactly these: for a copy of another ledger's table."""
        rows = [{**asdict(one), "projects": json.dumps(list(one.projects))} for one in stored]
        with in_words("The tokens could not be written", self._engine), self._engine.begin() as connection:
            connection.execute(delete(tokens))
            if rows:
                connection.execute(insert(tokens), rows)

    def find(self, digest: str) -> StoredToken | None:
        """The token with a digest. While the ledger's server is gone, tokens that were seen before go on as they were."""
        try:
            found = self._find(digest)
        except LedgerAway:
            if digest in self._found:
                return self._found[digest]
            raise
        if found is not None:
            self._found[digest] = found
        return found

    @reading_again
    def _find(self, digest: str) -> StoredToken | None:
        with in_words("The tokens could not be read", self._engine), self._engine.connect() as connection:
            row = connection.execute(select(tokens).where(tokens.c.digest == digest)).one_or_none()
            return None if row is None else _stored(row)

    @reading_again
    def list(self) -> Sequence[StoredToken]:
        """All tokens, the oldest first."""
        with in_words("The tokens could not be read", self._engine), self._engine.connect() as connection:
            return [_stored(row) for row in connection.execute(select(tokens).order_by(tokens.c.created_at, tokens.c.name))]

    def revoke(self, name: str) -> bool:
        """Note the time of revocation; False if there is no token of this name, or it was revoked before."""
        with in_words("The token could not be revoked", self._engine), self._engine.begin() as connection:
            done = connection.execute(
                update(tokens).where(tokens.c.name == name, tokens.c.revoked_at.is_(None)).values(revoked_at=self._clock())
            )
            return bool(done.rowcount)

    def any(self) -> bool:
        """Whether a token was ever made; while the ledger's server is gone, what was known last."""
        try:
            self._any = self._has_any()
        except LedgerAway:
            if self._any is None:
                raise
        return self._any

    @reading_again
    def _has_any(self) -> bool:
        query = select(func.count()).select_from(select(tokens.c.name).limit(1).subquery())
        with in_words("The tokens could not be read", self._engine), self._engine.connect() as connection:
            return bool(connection.execute(query).scalar())


def _stored(row: Row[Any]) -> StoredToken:
    values = row._asdict()
    return StoredToken(**{**values, "projects": tuple(json.loads(values["projects"]))})
