"""Tombstones: what can still be said of a thing whose records were withdrawn."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import unquote

from pyoxigraph import NamedNode

from headwater.access import Reader
from headwater.ledger.ledger import Ledger
from headwater.records.links import lineage_rows
from headwater.terms.minting import Mint
from headwater.terms.names import DCTERMS, HW, RDFS


class Tombstones:
    """Things of withdrawn records by IRI and external identifier, read from the ledger when first asked for."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._found: dict[str, dict[str, Any]] | None = None
        self._lock = threading.Lock()

    def forget(self) -> None:
        """Something was withdrawn or written again: read anew next time."""
        with self._lock:
            self._found = None

    def find(self, identifier: str, mint: Mint, reader: Reader) -> dict[str, Any] | None:
        """The tombstone of what `identifier` named, if this reader might have known it."""
        with self._lock:
            if self._found is None:
                self._found = self._read()
            text = identifier.strip()
            kind, slash, key = text.partition("/")
            for name in (text, f"{mint.base}id/{text}", mint.thing(kind, unquote(key)) if slash else text):
                tombstone = self._found.get(name)
                if tombstone is not None and reader.sees(tombstone["visibility"]):
                    return dict(tombstone)
        return None

    def _read(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for withdrawal, last in self._ledger.withdrawn():
            triples = last.draft().triples
            rows = lineage_rows(triples, last.revision.evidence)
            labels = {t.subject: t.object.value for t in triples if t.predicate == RDFS.label and hasattr(t.object, "value")}
            for subject in {triple.subject for triple in triples if isinstance(triple.subject, NamedNode)}:
                links = [
                    {"source": row.earlier, "target": row.later, "relation": row.relation, "role": row.role}
                    for row in rows.links
                    if subject.value in (row.earlier, row.later)
                ]
                tombstone = {
                    "id": subject.value,
                    "label": labels.get(subject),
                    "record": withdrawal.iri,
                    "reason": withdrawal.reason,
                    "withdrawn_at": withdrawal.written_at,
                    "withdrawn_by": withdrawal.actor,
                    "visibility": withdrawal.visibility,
                    "links": links,
                }
                found[subject.value] = tombstone
                for triple in triples:
                    if triple.subject == subject and triple.predicate in (DCTERMS.identifier, HW.digest):
                        found[getattr(triple.object, "value", "")] = tombstone
        return found
