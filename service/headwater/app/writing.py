"""The way of a fact: from a source through importer, normalisation, entailment and gate into the ledger, then store and index.

The ledger's commit is the moment that counts. Store and index follow it and remember how far they have come, so that whatever
happens in between is caught up at the next start: nothing is lost and nothing is done twice.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pyoxigraph import NamedNode

from headwater.app.around import Around
from headwater.app.classes import Classes
from headwater.app.garbage import held_back
from headwater.app.report import ImportReport, RecordOutcome
from headwater.app.together import settled, with_joint
from headwater.checking.gate import Gate
from headwater.checking.report import GateReport
from headwater.errors import BadInput, Conflict, HeadwaterError, NotFound, RejectedByGate
from headwater.importers.protocol import Importer, Source
from headwater.ledger.ledger import Entry, Ledger, Revision
from headwater.lineage.index import LineageIndex
from headwater.records.draft import Draft, Failure
from headwater.records.record import Record, RecordMaker
from headwater.store.protocol import TripleStore
from headwater.store.views import Applied, Views
from headwater.terms.minting import Mint
from headwater.terms.vocabulary import vocabulary

_log = logging.getLogger("headwater")
_CATCH_UP = 500
_SAVE_EVERY = 2_000
"""After so many entries the index is saved, so that a process that is killed has no more than these to catch up with."""
_REBUILD_BEHIND = 2_000
"""A store that is empty and at least so many entries behind is filled by bulk load instead of entry by entry."""


class Overtaken(Conflict):
    """A change was worked out from a state that is no longer the present one."""

    title = "Something was written in the meantime"
    default_remedy = "Look at the present state and try again."


@dataclass(frozen=True, slots=True)
class Importing:
    """Who writes, by what way, and which visibilities he sees."""

    name: str
    version: str
    evidence: str
    actor: str
    sees: Callable[[str], bool]


Progress = Callable[[int, int | None], None]
_Judged = tuple[Record, GateReport]


class Writer:
    """The one writer of a data folder. Its methods may be called from any thread; one at a time does its work."""

    def __init__(
        self,
        ledger: Ledger,
        store: TripleStore,
        views: Views,
        index: LineageIndex,
        mint: Mint,
        maker: RecordMaker,
        index_folder: Path | None,
    ) -> None:
        self._ledger = ledger
        self._store = store
        self.views = views
        self._index = index
        self._mint = mint
        self._index_folder = index_folder
        self._maker = maker
        self._gate: Gate | None = None
        self._lock = threading.RLock()
        self._saved = self._tried = index.sequence
        self._classes = Classes(store, views)
        self.audit_due: Callable[[str], None] = lambda _reason: None
        self.permit: Callable[[], None] = lambda: None
        """Called before a write; raises where this process may not write."""

    # --- importing

    def import_source(
        self,
        source: Source,
        importer: Importer,
        visibility: str,
        *,
        by: str,
        sees: Callable[[str], bool],
        dry_run: bool,
        batch: int,
        progress: Progress | None,
    ) -> ImportReport:
        """Read a source and write its records in batches, each batch one transaction; what is damaged is reported, not lost."""
        if not dry_run:
            self.permit()
        report = ImportReport(source.name, importer.name, visibility, dry_run)
        expected = importer.size(source) if progress is not None else None
        done = 0
        batches = _batches(importer.read(source, self._mint), batch)
        while True:
            with held_back():
                items = next(batches, [])
                if not items:
                    break
                drafts = self._free(items, sees, report)
                self._write_drafts(drafts, importer, visibility, by, dry_run, report)
            done += len(items)
            if progress is not None:
                progress(done, expected)
        report.sequence = self._ledger.last_sequence()
        return report

    def _free(self, items: Sequence[Draft | Failure], sees: Callable[[str], bool], report: ImportReport) -> list[Draft]:
        """The drafts whose names are free, or those of records that the writer sees: others he may not overwrite."""
        heads = self._ledger.latest([item.iri for item in items if isinstance(item, Draft)])
        drafts = []
        for item in items:
            if isinstance(item, Failure):
                report.failures.append(item)
            elif item.iri in heads and not sees(heads[item.iri].visibility):
                report.failures.append(
                    Failure(item.source, f"The name <{item.iri}> is taken.", remedy="Give the graph another name.")
                )
            else:
                drafts.append(item)
        return drafts

    def _write_drafts(
        self, drafts: Sequence[Draft], importer: Importer, visibility: str, by: str, dry_run: bool, report: ImportReport
    ) -> None:
        records = []
        for draft in drafts:
            try:
                records.append(self._maker.make(draft, visibility, importer.name, importer.version, importer.evidence))
            except BadInput as error:
                report.failures.append(Failure(draft.source, error.detail, remedy=error.remedy))
        if not records:
            return
        with self._lock:
            if not dry_run:
                self.permit()
                self.catch_up()
            accepted, rejected = self._sorted(records)
            self._take(accepted, by, dry_run, report)
            # A record that only failed because of another one of its batch may pass on its own, now that the others are in.
            for record, verdict in rejected:
                again = self._judged([record])[record.iri] if len(records) > 1 else verdict
                if again.conforms:
                    self._take([(record, again)], by, dry_run, report)
                else:
                    report.records.append(RecordOutcome(record.iri, record.title, "rejected", report=again))

    def _sorted(self, records: Sequence[Record]) -> tuple[list[_Judged], list[_Judged]]:
        """Records that pass the gate together, without leaning on one that does not; and the others."""
        accepted: list[_Judged] = []
        rejected: list[_Judged] = []
        present = list(records)
        while present:
            verdicts = self._judged(present)
            accepted = [(record, verdicts[record.iri]) for record in present if verdicts[record.iri].conforms]
            rejected += [(record, verdicts[record.iri]) for record in present if not verdicts[record.iri].conforms]
            if len(accepted) == len(present):
                break
            present = [record for record, _ in accepted]
        return accepted, rejected

    def _take(self, judged: Sequence[_Judged], by: str, dry_run: bool, report: ImportReport) -> None:
        records = [record for record, _ in judged]
        appended = self._preview(records) if dry_run else self._append(records, by)
        for (record, verdict), (status, revision) in zip(judged, appended, strict=True):
            number, sequence = (revision.number, revision.sequence) if revision is not None else (None, None)
            report.records.append(RecordOutcome(record.iri, record.title, status, number, sequence, verdict))
            report.findings += record.findings
            report.statements += len(record.asserted)
            report.objects |= {node.iri: node.kind for node in record.lineage.nodes if node.kind not in ("", "part")}

    @property
    def gate(self) -> Gate:
        if self._gate is None:
            self._gate = Gate()
        return self._gate

    def _judged(self, records: Sequence[Record], withdrawn: Sequence[str] = ()) -> dict[str, GateReport]:
        """What the gate says. A record that is there as it is brings nothing new: only what it lacks by itself is told again.

        Records that are `withdrawn` at the same time are no longer among what the others lean on.
        """
        present = [record for record in records if next(self._store.graph(NamedNode(record.iri)), None) is not None]
        same = {record.iri: record for record in present if self._unchanged(record)}
        others = [record for record in records if record.iri not in same]
        revised = [record.iri for record in present if record.iri not in same]
        verdicts = self.gate.check(list(same.values())) if same else {}
        if others:
            going = [Applied(iri, None) for iri in withdrawn]
            self.views.expect(others)
            joint = self.views.foresee([*(Applied(record.iri, record) for record in others), *going])
            around = Around(self._store, self.views, [*revised, *withdrawn], joint)
            found = self.gate.check(*self._classes.applied(with_joint(others, joint), around))
            verdicts |= settled(found, others, joint)
        return verdicts

    def _unchanged(self, record: Record) -> bool:
        head = self._ledger.head(record.iri)
        return head is not None and head.act == "write" and head.digest == record.digest

    def _preview(self, records: Sequence[Record]) -> list[tuple[str, Revision | None]]:
        """What a dry run says would become of each record."""
        found: list[tuple[str, Revision | None]] = []
        for record in records:
            known = self._ledger.head(record.iri) is not None
            found.append(("unchanged" if self._unchanged(record) else "changed" if known else "created", None))
        return found

    def commit(
        self, drafts: Sequence[tuple[Draft, str]], withdrawn: Sequence[str], by: Importing, reason: str, after: int | None
    ) -> list[RecordOutcome]:
        """Write drafts, each with its visibility, and withdraw records: all of it in one transaction, or nothing.

        `after` is the sequence number that the change was worked out from. Raises `Overtaken` where something was written since,
        `RejectedByGate` with the report where the gate refuses one of the drafts, `Conflict` where a name is taken.
        """
        records = [self._maker.make(draft, level, by.name, by.version, by.evidence) for draft, level in drafts]
        with self._lock:
            self.permit()
            self.catch_up()
            if after is not None and self._ledger.last_sequence() != after:
                raise Overtaken("Something was written in the meantime.")
            heads = self._ledger.latest([*(record.iri for record in records), *withdrawn])
            taken = [iri for iri, head in heads.items() if not by.sees(head.visibility)]
            if taken:
                raise Conflict(f"The name <{taken[0]}> is taken.", remedy="Give the graph another name.")
            verdicts = self._judged(records, withdrawn) if records else {}
            refused = [result for verdict in verdicts.values() if not verdict.conforms for result in verdict.results]
            if refused:
                whole = GateReport(False, tuple(refused))
                raise RejectedByGate(
                    "The gate rejected the change; nothing was written.",
                    sentences=whole.sentences(),
                    report=whole.turtle().decode("utf-8", "replace"),
                )
            if withdrawn:
                self._note_losses(withdrawn)
            appended, gone = self._ledger.commit(records, withdrawn, by.actor, reason)
            fresh = [
                (record, told.revision) for record, told in zip(records, appended, strict=True) if told.status != "unchanged"
            ]
            entries = [Applied(record.iri, record) for record, _ in fresh] + [Applied(iri, None) for iri in withdrawn]
            if entries:
                self._follow(entries, [*(revision for _, revision in fresh), *gone])
            written = [
                RecordOutcome(
                    record.iri, record.title, told.status, told.revision.number, told.revision.sequence, verdicts[record.iri]
                )
                for record, told in zip(records, appended, strict=True)
            ]
            return written + [RecordOutcome(r.iri, r.title, "withdrawn", r.number, r.sequence) for r in gone]

    def _append(self, records: Sequence[Record], by: str) -> list[tuple[str, Revision | None]]:
        appended = self._ledger.append(records, by)
        entries = [
            Applied(record.iri, record)
            for record, outcome in zip(records, appended, strict=True)
            if outcome.status != "unchanged"
        ]
        if entries:
            self._follow(entries, [outcome.revision for outcome in appended if outcome.status != "unchanged"])
        return [(outcome.status, outcome.revision) for outcome in appended]

    def withdraw(self, iri: str, *, by: str, reason: str) -> Revision:
        """Withdraw a record: its statements leave the views unless another record makes them; a tombstone stays."""
        with self._lock:
            self.permit()
            head = self._ledger.head(iri)
            if head is None:
                raise NotFound(f"There is no record <{iri}>.")
            if head.act == "withdraw":
                raise Conflict(f"The record <{iri}> was withdrawn before, on {head.written_at}.")
            self.catch_up()
            self._note_losses([iri])
            revision = self._ledger.withdraw(iri, by, reason)
            self._follow([Applied(iri, None)], [revision])
            return revision

    def _note_losses(self, withdrawn: Sequence[str]) -> None:
        """A withdrawal is never refused: there may be a duty to withdraw. What it makes wrong elsewhere is told."""
        joint = self.views.foresee([Applied(iri, None) for iri in withdrawn])
        _, around = self._classes.applied([], Around(self._store, self.views, withdrawn, joint))
        losses = self.gate.losses(around).violations
        if losses:
            _log.warning("withdrawing <%s> leaves things that the shapes do not allow: %s", withdrawn[0], losses[0].sentence())
            # Before the commit, so that no crash can come between it and the note of what it makes due.
            number = self._ledger.last_sequence() + 1
            self.audit_due(f"Entry {number} of the ledger, a withdrawal, left {len(losses)} faults elsewhere.")

    # --- following the ledger

    def _follow(self, entries: Sequence[Applied], revisions: Sequence[Revision]) -> None:
        """Store and index go along with a commit. If one of them cannot, the commit stands and is caught up later."""
        before, sequence = revisions[0].sequence - 1, revisions[-1].sequence
        try:
            if self._store.sequence() != before or self._index.sequence != before:
                # Something went wrong in an earlier write: going on from here would leave a gap that no number shows.
                self.catch_up()
                return
            self._apply_to_store(entries, revisions)
            self._apply_to_index(entries, revisions)
        except HeadwaterError as error:
            _log.error("accepted as %d, but a view of the ledger could not follow: %s", sequence, error.detail)
            error.remedy = (
                f"The write is safe in the ledger as number {sequence}; the rest follows at the next start. {error.remedy}"
            )
            raise

    def _apply_to_store(self, entries: Sequence[Applied], revisions: Sequence[Revision]) -> None:
        sequence = revisions[-1].sequence
        changed = self._classes.changed(entries)
        if changed:
            # Noted before the store moves on: if a crash comes between, the entries are followed again, and noted again.
            self.audit_due(f"By entry {sequence} of the ledger classes or properties mean something else ({', '.join(changed)}).")
        self.views.apply(entries, sequence)
        if changed:
            self._classes.forget()

    def _apply_to_index(self, entries: Sequence[Applied], revisions: Sequence[Revision]) -> None:
        rows = [
            (entry.iri, revision.visibility, None if entry.record is None else entry.record.lineage, revision.sequence)
            for entry, revision in zip(entries, revisions, strict=True)
        ]
        self._index.follow(rows, revisions[-1].sequence)
        if revisions[-1].sequence - self._tried >= _SAVE_EVERY:
            self.save_index()

    def catch_up(self, progress: Progress | None = None, *, save: bool = True) -> int:
        """Bring store and index to the ledger's last sequence number; returns how many entries one of them was behind.

        Without `save` the index is only saved after many entries, as with every write.
        """
        with self._lock:
            last = self._ledger.last_sequence()
            if self._store.sequence() > last or self._index.sequence > last:
                _log.warning("store or index are ahead of the ledger (was an older ledger put back?); they are made anew")
                self.audit_due("An older ledger was put back.")
                self.rebuild(progress)
                return last
            behind = last - min(self._store.sequence(), self._index.sequence)
            if behind == 0:
                return 0
            if self._store.sequence() == 0:
                # A bulk load or a clearing that was cut short leaves statements behind, and no number for them.
                self.views.clear()
                if last >= _REBUILD_BEHIND:
                    self._fill_store(last, progress)
            done = 0
            for part, apply in (
                (self._store.sequence, self._apply_to_store),
                (lambda: self._index.sequence, self._apply_to_index),
            ):
                while part() < last:
                    entries = self._ledger.whole_since(part(), _CATCH_UP)
                    apply([self._applied(entry) for entry in entries], [entry.revision for entry in entries])
                    done += len(entries)
                    if progress is not None:
                        progress(done, None)
            if save:
                self.save_index()
            return behind

    def _applied(self, entry: Entry) -> Applied:
        return Applied(entry.revision.iri, entry.record(self._maker) if entry.revision.act == "write" else None)

    def rebuild(self, progress: Progress | None = None) -> int:
        """Make store and index anew from the ledger; returns the sequence number they then stand at."""
        with self._lock:
            last = self._ledger.last_sequence()
            self.views.clear()
            self._index.clear()
            self._fill_store(last, progress, with_index=True)
            # Emptying the store has taken the note with it; without, the next start would make everything anew once more.
            self._store.remember_ontology(vocabulary().digest)
            self.save_index()
            return last

    def _fill_store(self, last: int, progress: Progress | None, *, with_index: bool = False) -> None:
        self._classes.forget()
        total = last if with_index else sum(self._ledger.visibilities().values())
        internal = "internal" in self._ledger.visibilities()

        def records() -> Iterator[Record]:
            source = self.replayed(self._index) if with_index else self.present_records()
            for number, record in enumerate(source, 1):
                if progress is not None and number % 100 == 0:
                    progress(number, total)
                if record is not None:
                    yield record

        with held_back():
            self.views.load(records(), last, internal=internal)

    def present_records(self) -> Iterator[Record]:
        """All records as the ledger has them now, in the order of their revisions."""
        return (entry.record(self._maker) for entry in self._heads())

    def _heads(self) -> Iterator[Entry]:
        after = 0
        while entries := self._ledger.heads(after, _CATCH_UP):
            yield from entries
            after = entries[-1].revision.sequence

    def replayed(self, index: LineageIndex) -> Iterator[Record | None]:
        """Enter the whole ledger into `index`, entry by entry, with the past; gives the record where it is still present."""
        present = (entry.revision.sequence for entry in self._heads())
        following = next(present, None)
        while entries := self._ledger.since(index.sequence, _CATCH_UP):
            for entry in entries:
                revision, applied = entry.revision, self._applied(entry)
                lineage = None if applied.record is None else applied.record.lineage
                index.follow([(revision.iri, revision.visibility, lineage, revision.sequence)], revision.sequence)
                if revision.sequence == following:
                    following = next(present, None)
                    yield applied.record
                else:
                    yield None

    @contextmanager
    def paused(self) -> Iterator[int]:
        """Holds writes back while something is compared; gives the ledger's last sequence number."""
        with self._lock:
            yield self._ledger.last_sequence()

    def save_index(self) -> None:
        if self._index_folder is None or self._index.sequence == self._saved:
            return
        self._tried = self._index.sequence
        try:
            self._index.save(self._index_folder)
        except OSError as error:
            # Only the next start takes longer: it makes the index anew from the ledger.
            _log.warning("the lineage index could not be saved: %s", error)
            return
        self._saved = self._index.sequence


def _batches(items: Iterable[Draft | Failure], size: int) -> Iterator[list[Draft | Failure]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
