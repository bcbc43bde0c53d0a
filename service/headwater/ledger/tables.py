"""The ledger's tables. Revisions are never changed or removed; the other tables are small and say what is the case now."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text, UniqueConstraint

metadata = MetaData()

MOMENT = String(32).with_variant(String(32, collation="C"), "postgresql")
"""Times are compared as texts: byte by byte, whatever language the database speaks."""

records = Table(
    "records",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("iri", Text, nullable=False, unique=True),
    Column("head", Integer, nullable=False, comment="sequence number of the latest revision"),
)

revisions = Table(
    "revisions",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False, comment="1, 2, 3 … without gaps"),
    Column("record", Integer, ForeignKey("records.id"), nullable=False),
    Column("number", Integer, nullable=False, comment="1, 2, 3 … within the record"),
    Column("act", String(8), nullable=False, comment="write or withdraw"),
    Column("title", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("importer", Text, nullable=False),
    Column("importer_version", Text, nullable=False),
    Column("evidence", String(16), nullable=False),
    Column("visibility", Text, nullable=False),
    Column("digest", String(64), nullable=False, comment="SHA-256 over visibility, title, evidence and statements"),
    Column("statements", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False, comment="zlib of sorted N-Triples, as they were before any store"),
    Column("findings", Text, nullable=False, comment="JSON list: what was repaired, not mapped, missing"),
    Column("reason", Text, nullable=False, comment="why withdrawn; empty for a write"),
    Column("actor", Text, nullable=False),
    Column("written_at", MOMENT, nullable=False, comment="ISO 8601, UTC"),
    UniqueConstraint("record", "number"),
    Index("revisions_by_record", "record", "sequence"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("name", Text, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True, comment="SHA-256 of the token; the token itself is kept nowhere"),
    Column("scope", String(8), nullable=False),
    Column("projects", Text, nullable=False, comment="JSON list of project names whose records it may see"),
    Column("created_at", String(32), nullable=False),
    Column("revoked_at", String(32)),
)

facts = Table(
    "facts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""What is fixed for a ledger, such as its base IRI."""
