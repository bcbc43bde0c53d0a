"""Looking a document over without taking it in: everything an import does, in memory, with no data folder touched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from pyoxigraph import NamedNode, Triple

from headwater.access.levels import level
from headwater.app.profiling import looking
from headwater.app.report import ImportReport, RecordOutcome
from headwater.app.writing import Progress
from headwater.checking.gate import Gate
from headwater.checking.hierarchy import Classified, Hierarchy, axioms
from headwater.checking.places import Look
from headwater.checking.profile_report import ProfileReport
from headwater.checking.profiles import About, profile
from headwater.checking.sieve import TYPE
from headwater.checking.surroundings import Told
from headwater.errors import BadInput, UnreadableSource
from headwater.importers.protocol import Source
from headwater.importers.registry import choose
from headwater.records.draft import Draft, Failure
from headwater.records.record import Record, RecordMaker
from headwater.settings import Settings
from headwater.terms.minting import Mint


class Inspector:
    """Reads sources, puts them through the gate, and judges the objects in them by profiles.

    What one source says counts for the next, as it would after importing the first. `language` is what reports speak.

    >>> inspector = Inspector(Settings())
    >>> inspector.sequence, inspector.profiled("core")
    (0, {})
    """

    def __init__(self, settings: Settings, *, mint: Mint | None = None, language: str = "en", gate: Gate | None = None) -> None:
        self.settings = settings
        self.language = language
        self._mint = mint or Mint(settings.base_iri)
        self._maker = RecordMaker(self._mint)
        self._gate = gate
        self._known: dict[str, dict[Triple, None]] = defaultdict(dict)
        self._accepted = Told()
        self._told_by: dict[str, str] = {}
        self._axioms: set[Triple] = set()

    @property
    def sequence(self) -> int:
        """Nothing is written, so there is no ledger to count."""
        return 0

    def import_source(
        self,
        path: Path,
        *,
        format: str = "auto",
        visibility: str | None = None,
        dry_run: bool = True,
        by: str = "local",
        progress: Progress | None = None,
        name: str | None = None,
        media_type: str | None = None,
    ) -> ImportReport:
        """What an import of a file or folder would report. Raises `UnreadableSource`, `UnknownFormat` as that does."""
        del dry_run, by
        word = level(visibility or self.settings.default_visibility)
        if not path.exists():
            raise UnreadableSource(f"{path}: there is no such file or folder.", remedy="Check the path.")
        identity = str(path.resolve()) if name is None else "" if name.startswith("upload") else name
        source = Source(path, name or str(path), self.settings.max_upload_mb * 2**20, media_type, identity)
        importer = choose(source, format)
        report = ImportReport(source.name, importer.name, word, True, language=self.language)
        items = iter(importer.read(source, self._mint))
        done = 0
        try:
            while batch := list(islice(items, self.settings.batch_records)):
                made = list(self._made(batch, importer.name, importer.version, importer.evidence, word, report))
                self._check(made, report)
                done += len(batch)
                if progress is not None:
                    progress(done, None)
        except OSError as error:
            raise UnreadableSource(f"{error.filename or source.name}: {error.strerror or error}") from error
        return report

    def _made(
        self, batch: list[Draft | Failure], importer: str, version: str, evidence: str, visibility: str, report: ImportReport
    ) -> Iterator[Record]:
        for item in batch:
            if isinstance(item, Failure):
                report.failures.append(item)
                continue
            try:
                yield self._maker.make(item, visibility, importer, version, evidence)
            except BadInput as error:
                report.failures.append(Failure(item.source, error.detail, remedy=error.remedy))

    def _check(self, records: list[Record], report: ImportReport) -> None:
        if not records:
            return
        if self._gate is None:
            self._gate = Gate()
        self._axioms |= {triple for record in records for triple in axioms(record.asserted)}
        hierarchy = Hierarchy(self._axioms)
        around = Classified(self._accepted, hierarchy) if hierarchy else self._accepted
        verdicts = self._gate.check([hierarchy.classified(record) for record in records] if hierarchy else records, around)
        for record in records:
            verdict = verdicts[record.iri]
            status = "created" if verdict.conforms else "rejected"
            report.records.append(RecordOutcome(record.iri, record.title, status, report=verdict))
            for triple in (*record.asserted, *record.entailed):
                if isinstance(triple.subject, NamedNode):
                    self._known[triple.subject.value][triple] = None
            for triple in record.asserted:
                if isinstance(triple.subject, NamedNode):
                    self._told_by.setdefault(triple.subject.value, report.source)
            if verdict.conforms:
                self._accepted.add((*record.asserted, *record.entailed))
                report.findings += record.findings
                report.statements += len(record.asserted)
                report.objects |= {node.iri: node.kind for node in record.lineage.nodes if node.kind not in ("", "part")}

    def profiled(self, name: str, elsewhere: About | None = None, look: Look | None = None) -> dict[str, list[ProfileReport]]:
        """A report on every object that the sources describe and the profile judges, by source, in the order of reading.

        `elsewhere` is asked for what is known besides the sources, `look` goes to the stated places. Raises `BadParameter` for a
        profile that there is none of, or that has no use for a look.
        """
        asked = profile(name) if look is None else looking(name)

        def about(iri: str) -> Iterator[Triple]:
            yield from self._known.get(iri, ())
            if elsewhere is not None:
                yield from elsewhere(iri)

        found: dict[str, list[ProfileReport]] = defaultdict(list)
        for iri, source in self._told_by.items():
            types = [t.object.value for t in self._known[iri] if t.predicate.value == TYPE and isinstance(t.object, NamedNode)]
            if asked.concerns(types) and (report := asked.judge(iri, about, look)) is not None:
                found[source].append(report)
        return dict(found)
