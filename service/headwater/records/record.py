"""A record, ready for the gate and the ledger: its statements, what follows from them, and a digest that says when it changed."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from functools import cached_property

from pyoxigraph import RdfFormat, Triple, parse, serialize

from headwater.errors import BadInput
from headwater.records.draft import Draft, Finding
from headwater.records.entailment import Entailer
from headwater.records.links import LineageRows, lineage_rows
from headwater.records.normalise import normalise
from headwater.terms.minting import Mint, is_entailed
from headwater.terms.names import HW

_PACKING_LEVEL = 1
"""zlib's fastest: half a second per million triples slower levels save little on N-Triples."""


@dataclass(frozen=True)
class Record:
    """One source document in Headwater's form.

    `body` is the asserted statements as sorted N-Triples (UTF-8); `digest` its SHA-256 with the visibility and title, by
    which "unchanged" is told; `evidence` what its links count as where they do not say.
    """

    iri: str
    source: str
    title: str
    visibility: str
    importer: str
    importer_version: str
    evidence: str
    asserted: list[Triple]
    entailed: list[Triple]
    body: bytes
    digest: str
    findings: list[Finding]

    @cached_property
    def lineage(self) -> LineageRows:
        """What this record contributes to the lineage index."""
        return lineage_rows([*self.asserted, *self.entailed], self.evidence)

    def packed(self) -> bytes:
        return zlib.compress(self.body, _PACKING_LEVEL)


def body_of(triples: list[Triple]) -> bytes:
    """Sorted N-Triples: the same bytes for the same set of statements."""
    lines = serialize(triples, format=RdfFormat.N_TRIPLES)
    assert lines is not None
    return b"".join(sorted(lines.splitlines(keepends=True)))


def unpack(packed: bytes) -> list[Triple]:
    """The statements of a body as `packed` wrote it."""
    return [quad.triple for quad in parse(zlib.decompress(packed), format=RdfFormat.N_TRIPLES)]


class RecordMaker:
    """Turns drafts into records: normalise, entail, digest. One per process; the tables inside are reused.

    >>> from pyoxigraph import NamedNode
    >>> from headwater.terms.names import MLS, RDF
    >>> draft = Draft("urn:record", "a.ttl", "a", [Triple(NamedNode("urn:r"), RDF.type, MLS.Run)])
    >>> record = RecordMaker(Mint("https://data.example/")).make(draft, "public", "rdf", "1", "declared")
    >>> len(record.asserted), len(record.entailed) > 2
    (1, True)
    """

    def __init__(self, mint: Mint) -> None:
        self._mint = mint
        self._entailer = Entailer()

    def make(self, draft: Draft, visibility: str, importer: str, importer_version: str, evidence: str) -> Record:
        """Raises `BadInput` for a draft that speaks in Headwater's own graphs' names."""
        if draft.iri.startswith((f"{self._mint.base}view/", str(HW))) or is_entailed(draft.iri):
            raise BadInput(f"<{draft.iri}> is one of Headwater's own graphs and cannot be a record.")
        asserted, repairs = normalise(draft.triples, draft.iri, self._mint)
        return self._finish(draft, asserted, [*draft.findings, *repairs], visibility, importer, importer_version, evidence)

    def remake(self, draft: Draft, visibility: str, importer: str, importer_version: str, evidence: str) -> Record:
        """A record from statements that were normalised before (as the ledger holds them)."""
        return self._finish(draft, draft.triples, draft.findings, visibility, importer, importer_version, evidence)

    def _finish(
        self,
        draft: Draft,
        asserted: list[Triple],
        findings: list[Finding],
        visibility: str,
        importer: str,
        importer_version: str,
        evidence: str,
    ) -> Record:
        body = body_of(asserted)
        digest = hashlib.sha256(f"{visibility}\n{draft.title}\n{evidence}\n".encode() + body).hexdigest()
        return Record(
            iri=draft.iri,
            source=draft.source,
            title=draft.title,
            visibility=visibility,
            importer=importer,
            importer_version=importer_version,
            evidence=evidence,
            asserted=asserted,
            entailed=self._entailer.entail(asserted),
            body=body,
            digest=digest,
            findings=findings,
        )
