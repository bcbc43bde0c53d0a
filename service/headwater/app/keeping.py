"""Records in and out, and the whole kept in order: import, withdraw, history, rebuild, verify, audit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from headwater.access import LOCAL, Reader
from headwater.access.levels import level
from headwater.app.audit_report import AuditReport
from headwater.app.opened import Opened
from headwater.app.report import ImportReport
from headwater.app.writing import Progress
from headwater.checking.audit import Audit
from headwater.errors import Forbidden, NotFound, UnreadableSource, Withdrawn
from headwater.importers.protocol import Source
from headwater.importers.registry import choose
from headwater.ledger.ledger import Revision
from headwater.store.remote import RemoteStore
from headwater.terms.vocabulary import vocabulary


class Keeping(Opened):
    """What writes, and what looks after that which is written."""

    def import_source(
        self,
        path: Path,
        *,
        format: str = "auto",
        visibility: str | None = None,
        dry_run: bool = False,
        by: str | None = None,
        reader: Reader = LOCAL,
        progress: Progress | None = None,
        name: str | None = None,
        media_type: str | None = None,
    ) -> ImportReport:
        """Import a file or folder. `name` is a client's own name for an upload. Nothing is written with `dry_run`.

        `reader` is who writes: a level that he does not see, and a record that he does not see, are not his to write. Raises
        `Forbidden` for such a level.
        """
        level_word = level(visibility or self.settings.default_visibility)
        if not reader.sees(level_word):
            raise Forbidden(f"Records with the visibility '{level_word}' are not yours to write.")
        if not path.exists():
            raise UnreadableSource(f"{path}: there is no such file or folder.", remedy="Check the path.")
        identity = str(path.resolve()) if name is None else "" if name.startswith("upload") else name
        source = Source(path, name or str(path), self.settings.max_upload_mb * 2**20, media_type, identity)
        importer = choose(source, format)
        try:
            report = self._writer.import_source(
                source,
                importer,
                level_word,
                by=by or reader.name,
                sees=reader.sees,
                dry_run=dry_run,
                batch=self.settings.batch_records,
                progress=progress,
            )
        except OSError as error:
            raise UnreadableSource(f"{error.filename or source.name}: {error.strerror or error}") from error
        self._tombstones.forget()
        return report

    def withdraw(self, record: str, reader: Reader, *, by: str, reason: str) -> Revision:
        """Withdraw a record that the reader may see; a tombstone with its links stays."""
        self.record(record, reader)
        revision = self._writer.withdraw(record, by=by, reason=reason)
        self._tombstones.forget()
        return revision

    def record(self, iri: str, reader: Reader) -> dict[str, Any]:
        """A record's latest revision. Raises `Withdrawn` with the tombstone where it was withdrawn."""
        head = self.ledger.head(iri)
        if head is None or not reader.sees(head.visibility):
            raise NotFound(f"There is no record <{iri}>.")
        if head.act == "withdraw":
            raise Withdrawn(
                f"The record <{iri}> was withdrawn on {head.written_at}.",
                record=iri,
                title=head.title,
                reason=head.reason,
                withdrawn_at=head.written_at,
                withdrawn_by=head.actor,
            )
        return _told(head)

    def history(self, iri: str, reader: Reader) -> list[dict[str, Any]]:
        """All revisions of a record that the reader may see, the oldest first."""
        found = [revision for revision in self.ledger.history(iri) if reader.sees(revision.visibility)]
        if not found:
            raise NotFound(f"There is no record <{iri}>.")
        return [_told(revision) for revision in found]

    def statements(self, record: str, reader: Reader) -> list[Any]:
        """What a record asserts, as the ledger holds it."""
        told = self.record(record, reader)
        entry = self.ledger.entry(told["sequence"])
        return [] if entry is None else entry.draft().triples

    def rebuild(self, progress: Progress | None = None) -> int:
        """Make store and index anew from the ledger; returns the sequence number."""
        return self._writer.rebuild(progress)

    def verify(self, progress: Progress | None = None) -> list[str]:
        """Compare store and index with the ledger; returns what differs, as sentences. Empty means all is well."""
        from headwater.app.verifying import differences

        return differences(self._writer, self._store, self._index, self.mint.base, progress)

    def audit(self, progress: Progress | None = None, cancelled: Callable[[], bool] = lambda: False) -> Audit:
        """Check all that is here against the shapes, on a snapshot: reading and writing go on meanwhile.

        `progress` is told how many shapes are done; the audit stops with `AuditCancelled` soon after `cancelled` says so. Raises
        `Conflict` while another one runs; `audits` has those that run in the background.
        """
        return self.audits.audit(progress, cancelled)

    def audit_report(self, reader: Reader) -> AuditReport:
        """What the last audit found and what goes on; findings that the reader may not see are only counted."""
        last = self.audits.last()
        if last is None:
            return AuditReport(self.audits.status(), None, [])
        graphs = self.views.graphs(internal=reader.internal, projects=reader.projects)
        shown = last.audit.results
        if graphs != self.views.graphs(internal=True, projects=None):
            shown = self.audits.standing(shown, graphs)
        return AuditReport(self.audits.status(), last, shown)

    def status(self) -> dict[str, Any]:
        """How far ledger, store and index are, and what they hold."""
        last = self.ledger.last_sequence()
        return {
            "base_iri": self.mint.base,
            "ledger": last,
            "store": self._store.sequence(),
            "index": self._index.sequence,
            "ready": last == self._store.sequence() == self._index.sequence,
            "records": self.ledger.visibilities(),
            "ontology": vocabulary().digest[:12],
            "audit": self.audits.status(),
            "duty": self.duty.status(),
        } | self._remote()

    def _remote(self) -> dict[str, Any]:
        """What is known of a store outside: which server it is, and what it cannot do."""
        return {"server": self._store.capabilities.as_dict()} if isinstance(self._store, RemoteStore) else {}


def _told(revision: Revision) -> dict[str, Any]:
    return {
        "iri": revision.iri,
        "sequence": revision.sequence,
        "revision": revision.number,
        "act": revision.act,
        "title": revision.title,
        "source": revision.source,
        "importer": revision.importer,
        "importer_version": revision.importer_version,
        "evidence": revision.evidence,
        "visibility": revision.visibility,
        "digest": revision.digest,
        "statements": revision.statements,
        "findings": [finding.as_dict() for finding in revision.findings],
        "reason": revision.reason or None,
        "written_by": revision.actor,
        "written_at": revision.written_at,
    }
