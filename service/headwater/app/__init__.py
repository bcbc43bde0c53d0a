"""Headwater itself: ledger, store, index and gate wired together, and everything that can be asked of them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from pyoxigraph import NamedNode

from headwater import assets
from headwater.access import LOCAL, Reader, TokenBook, who
from headwater.access.levels import level
from headwater.access.loopback import is_loopback
from headwater.app.answering import STATES, Answerer, Sight
from headwater.app.auditing import AuditBook
from headwater.app.describing import Describer
from headwater.app.folder import FolderLock, open_store
from headwater.app.inspecting import Inspector
from headwater.app.naming import Names
from headwater.app.profiling import Profiler
from headwater.app.report import ImportReport, RecordOutcome
from headwater.app.values import Banner, Exported, ObjectList
from headwater.app.withdrawn import Tombstones
from headwater.app.writing import Progress, Writer
from headwater.checking.audit import Audit
from headwater.checking.profile_report import ProfileReport
from headwater.errors import BadParameter, Forbidden, NotFound, UnreadableSource, Withdrawn
from headwater.exporters.registry import exporter
from headwater.importers.protocol import Source
from headwater.importers.registry import choose
from headwater.ledger.ledger import Ledger, Revision, now
from headwater.ledger.schema import open_engine, sqlite_address
from headwater.ledger.tokens import TokenTable
from headwater.lineage.asking import Traversal, read_traversal
from headwater.lineage.index import LineageIndex
from headwater.lineage.verdict import SEVERITIES
from headwater.questions.catalogue import Question, bind, catalogue, find
from headwater.questions.description import Description
from headwater.settings import Settings
from headwater.store.embedded import EmbeddedStore
from headwater.store.guard import guard
from headwater.store.views import Views
from headwater.terms.minting import Mint, slug
from headwater.terms.vocabulary import vocabulary

__all__ = ["Banner", "Exported", "Headwater", "ImportReport", "Inspector", "ObjectList", "RecordOutcome"]

_log = logging.getLogger("headwater")
_FEW = 20_000
"""Up to so many objects a list is in the order of their labels; beyond, in the order in which they came in."""


class Headwater:
    """A data folder, opened. Safe to use from several threads; only one process can have a folder open.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with Headwater.open(Settings(data=Path(folder), store="memory")) as headwater:
    ...         headwater.sequence
    0
    """

    def __init__(self, settings: Settings, clock: Callable[[], str] = now) -> None:
        self.settings = settings
        self._clock = clock
        folder = settings.data
        self._lock = FolderLock(folder)
        self._opened = ExitStack()
        self._opened.callback(self._lock.release)
        try:
            self._open(folder)
        except BaseException:
            self._opened.close()
            raise

    def _open(self, folder: Path) -> None:
        settings = self.settings
        self._engine = open_engine(settings.ledger or sqlite_address(folder))
        self.ledger = Ledger(self._engine, self._clock)
        self._opened.callback(self.ledger.close)
        base = self.ledger.fact("base_iri")
        if base is None:
            self.ledger.fix("base_iri", settings.base_iri)
            base = settings.base_iri
        self.mint = Mint(base)
        self.tokens = TokenBook(TokenTable(self._engine))
        in_memory = settings.store == "memory"
        if settings.store not in ("embedded", "memory"):
            raise BadParameter(f"store: '{settings.store}' is neither 'embedded' nor 'memory'", parameter="store")
        self._store = EmbeddedStore(None) if in_memory else open_store(folder / "store")
        self._opened.callback(self._store.close)
        index_folder = None if in_memory else folder / "index"
        self._index = (LineageIndex.load(index_folder) if index_folder is not None else None) or LineageIndex()
        self.views = Views(self._store, base)
        self._writer = Writer(self.ledger, self._store, self.views, self._index, self.mint, index_folder)
        self._names = Names(self._store, self.mint, lambda: self._index.sequence)
        self._describer = Describer(self._store, self._names, self.ledger)
        self._answerer = Answerer(self._store, self._names, self._clock, self._links)
        self._profiler = Profiler(self._store)
        self._tombstones = Tombstones(self.ledger)
        stated = self._store.ontology()
        if stated != vocabulary().digest and self._store.sequence() > 0:
            # What follows from the records is decided by the ontology: another ontology, other conclusions.
            _log.warning("the ontology changed since this data folder was last open; store and index are made anew")
            self._writer.rebuild()
        else:
            self._writer.catch_up()
        self._store.remember_ontology(vocabulary().digest)
        empty = self.ledger.last_sequence() == 0
        self._audits = AuditBook(None if in_memory else folder, vocabulary().digest, empty=empty, clock=self._clock)
        self._writer.audit_due = self._audits.note

    @classmethod
    def open(cls, settings: Settings) -> Headwater:
        """Open a data folder (made if absent) and bring store and index to the ledger's state.

        Raises `FolderBusy` where another process has it open, `StorageFailed` where it cannot be written.
        """
        return cls(settings)

    def close(self) -> None:
        """Save the index and let go of the folder."""
        try:
            self._writer.save_index()
        finally:
            self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # --- who asks, and what is there

    def reader(self, token: str | None, *, loopback: bool) -> Reader:
        """Who a token stands for. Raises `Unauthorised` for one that does not hold.

        Without a token whoever works on this machine may do all, as long as none was made and only this machine is served: a
        server on an open address takes no writes until a token exists.
        """
        return who(token, loopback and is_loopback(self.settings.host), self.tokens)

    @cached_property
    def questions(self) -> dict[str, Question]:
        """The questions of `queries/` by name."""
        return catalogue(assets.folder("queries"))

    @property
    def sequence(self) -> int:
        """How far the ledger has come, as store and index see it."""
        return self._index.sequence

    def _sight(self, reader: Reader) -> Sight:
        graphs = tuple(self.views.graphs(internal=reader.internal, projects=reader.projects))
        full = self._index.graph()
        levels = frozenset(name for name in self._index.levels() if reader.sees(name))
        everything = levels == frozenset(self._index.levels())
        return Sight(graphs, full if everything else self._index.graph(levels), full)

    def _links(self, iri: str, lineage: Any) -> dict[str, str]:
        node = lineage.find(iri)
        path = self._names.path(iri, lineage.kind_name(node) if node is not None else "entity")
        return {"self": f"/api/v1/objects/{path}", "html": f"/object/{path}"}

    def resolve(self, identifier: str, reader: Reader) -> str:
        """The IRI of what people call by `identifier`. Raises `NotFound`, or `Withdrawn` with the tombstone."""
        sight = self._sight(reader)
        try:
            return self._names.resolve(identifier, sight.lineage, sight.graphs)
        except NotFound as missing:
            tombstone = self._tombstones.find(identifier, self.mint, reader)
            if tombstone is None:
                raise
            raise Withdrawn(f"'{identifier.strip()}' was withdrawn on {tombstone['withdrawn_at']}.", **tombstone) from missing

    def describe(self, iri: str, reader: Reader) -> Description:
        """All that this reader may know of an object."""
        sight = self._sight(reader)
        return self._describer.describe(iri, sight.lineage, sight.graphs, reader)

    def objects(
        self, reader: Reader, *, kind: str | None = None, q: str | None = None, page: int = 1, per_page: int = 20
    ) -> ObjectList:
        """Objects by kind and by words in their label or identifiers, page by page."""
        if kind is not None and kind not in [known.name for known in vocabulary().kinds]:
            kinds = ", ".join(sorted(known.name for known in vocabulary().kinds))
            raise BadParameter(f"kind: '{kind}' is none of {kinds}", parameter="kind")
        sight = self._sight(reader)
        nodes = sight.lineage.of_kind(kind).tolist()
        if q and q.strip():
            nodes = self._matching(q, nodes, sight)
        if len(nodes) <= _FEW:
            labels = self._names.labels([sight.lineage.iris[node] for node in nodes], sight.graphs)
            nodes.sort(key=lambda node: (labels[sight.lineage.iris[node]].casefold(), sight.lineage.iris[node]))
        start = (page - 1) * per_page
        things = self._names.things(nodes[start : start + per_page], sight.lineage, sight.graphs)
        return ObjectList(len(nodes), page, per_page, things)

    def _matching(self, q: str, nodes: list[int], sight: Sight) -> list[int]:
        words = q.casefold().split()
        allowed = set(nodes)
        found: dict[int, str] = {}
        for row in self._store.rows(self.questions["names-of-things"].text, sight.graphs):
            thing, name = row
            node = sight.lineage.find(thing.value) if isinstance(thing, NamedNode) else None
            if node is not None and node in allowed:
                found[node] = (
                    found.get(node, sight.lineage.iris[node].casefold()) + " " + str(getattr(name, "value", "")).casefold()
                )
        return [node for node, text in found.items() if all(word in text for word in words)]

    def counts(self, reader: Reader) -> dict[str, int]:
        """How many objects of each kind this reader may see."""
        lineage = self._sight(reader).lineage
        counted = {kind.name: len(lineage.of_kind(kind.name)) for kind in vocabulary().kinds}
        return {name: count for name, count in counted.items() if count}

    # --- the questions

    def _asked(self, given: Mapping[str, Any], direction: str, reader: Reader) -> Traversal:
        asked = read_traversal(given, direction)
        for name in ("stop_at", "ignore_as_hops"):
            for word in getattr(asked, name):
                if ":" in word:
                    self.resolve(word, reader)
        return asked

    def lineage(self, id: str, reader: Reader, **given: Any) -> dict[str, Any]:
        """Where something comes from, or what came of it: the envelope of DESIGN section 5."""
        iri = self.resolve(id, reader)
        body = self._answerer.lineage(iri, self._sight(reader), self._asked(given, "upstream", reader), self.sequence)
        return _linked(body, "lineage", id, given)

    def impact(
        self, id: str, reader: Reader, *, change: str | None = None, slice: str | dict[str, Any] | None = None, **given: Any
    ) -> dict[str, Any]:
        """What a change does to everything downstream. `id` is a change, or an object to which `change` is supposed to happen."""
        iri = self.resolve(id, reader)
        asked = self._asked(given, "downstream", reader)
        if asked.direction != "downstream":
            raise BadParameter("direction: impact goes downstream", parameter="direction")
        body = self._answerer.impact(iri, self._sight(reader), asked, self.sequence, change, slice)
        return _linked(body, "impact", id, {"change": change, "slice": slice, **given})

    def benefits(self, id: str, reader: Reader, **given: Any) -> dict[str, Any]:
        """Who builds on a thing, and what each of its revisions bought them."""
        iri = self.resolve(id, reader)
        asked = self._asked(given, "downstream", reader)
        return _linked(self._answerer.benefits(iri, self._sight(reader), asked, self.sequence), "benefits", id, given)

    def changes_touching(self, iri: str, reader: Reader) -> list[Banner]:
        """What announced changes do to an object, the worst first."""
        sight = self._sight(reader)
        banners = []
        for standing in self._answerer.standing(iri, sight):
            successor = standing.resolved_by
            banners.append(
                Banner(
                    change=self._names.thing(standing.notice.iri, sight.lineage, sight.graphs),
                    kind=standing.notice.change.kind,
                    at=standing.notice.at,
                    state=standing.state,
                    severity=standing.severity,
                    effect=standing.effect,
                    justification=standing.justification,
                    resolved_by=None if successor is None else self._names.things([successor], sight.lineage, sight.graphs)[0],
                    itself=standing.itself,
                )
            )
        return sorted(
            banners, key=lambda banner: (STATES.index(banner.state), SEVERITIES.index(banner.severity), banner.change.iri)
        )

    def profile(self, iri: str, profile: str, reader: Reader) -> ProfileReport:
        """How complete an object is for a purpose, such as `retrain-ready`, as far as this reader may see.

        Raises `BadParameter` where there is no such profile, or where it judges no object of this kind.
        """
        sequence, sight = self.sequence, self._sight(reader)
        thing = self._names.thing(iri, sight.lineage, sight.graphs)
        return self._profiler.judge(thing, profile, sight.graphs, sequence)

    def profile_document(
        self,
        path: Path,
        profile: str,
        reader: Reader,
        *,
        format: str = "auto",
        name: str | None = None,
        media_type: str | None = None,
    ) -> list[ProfileReport]:
        """The same for every object that a document describes, together with what the reader may see here. Nothing is written."""
        inspector = Inspector(self.settings, mint=self.mint, gate=self._writer.gate)
        inspector.import_source(path, format=format, name=name, media_type=media_type)
        found = inspector.profiled(profile, self._profiler.about(self._sight(reader).graphs))
        return [report for reports in found.values() for report in reports]

    def query(self, text: str, reader: Reader, media_type: str | None = None) -> tuple[bytes, str]:
        """Answer a stranger's SPARQL query on what the reader may see. Raises `BadQuery`, `TooLarge`, `NotAcceptable`."""
        words = guard(text, self.settings.max_query_length)
        named: list[NamedNode] = []
        if words & {"GRAPH", "NAMED"}:
            named = [NamedNode(record) for record in self._visible_records(reader)]
        graphs = self.views.graphs(internal=reader.internal, projects=reader.projects)
        answer = self._store.query(text, graphs, named=named, accept=media_type, max_bytes=self.settings.max_answer_mb * 2**20)
        return answer.body, answer.media_type

    def _visible_records(self, reader: Reader) -> list[str]:
        return [iri for iri, visibility in self._index.records() if reader.sees(visibility)]

    def ask(self, name: str, params: Mapping[str, str], reader: Reader, media_type: str | None = None) -> tuple[bytes, str]:
        """Answer a question of `queries/`. Parameters that name things may be any identifier."""
        question = find(self.questions, name)
        given = bind(question, params, lambda identifier: self.resolve(identifier, reader))
        graphs = self.views.graphs(internal=reader.internal, projects=reader.projects)
        answer = self._store.query(question.text, graphs, accept=media_type, bindings=given)
        return answer.body, answer.media_type

    # --- records

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

    def export(self, iri: str, format: str, reader: Reader) -> Exported:
        """An object in one of the formats of the exporter registry."""
        chosen = exporter(format)
        description = self.describe(iri, reader)
        body = chosen.render(description)
        return Exported(body, chosen.media_type, f"{slug(description.thing.label, 60)}.{chosen.extension}")

    # --- keeping it whole

    def rebuild(self, progress: Progress | None = None) -> int:
        """Make store and index anew from the ledger; returns the sequence number."""
        return self._writer.rebuild(progress)

    def verify(self, progress: Progress | None = None) -> list[str]:
        """Compare store and index with the ledger; returns what differs, as sentences. Empty means all is well."""
        from headwater.app.verifying import differences

        return differences(self._writer, self._store, self._index, self.mint.base, progress)

    def audit(self, progress: Progress | None = None, cancelled: Callable[[], bool] = lambda: False) -> Audit:
        """Check all that is here against the shapes, on a snapshot: reading and writing go on meanwhile.

        `progress` is told how many shapes are done; the audit stops with `AuditCancelled` soon after `cancelled` says so.
        """
        return self._audits.audit(self._store, self.views, progress=progress, cancelled=cancelled)

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
            "audit": self._audits.status(),
        }


def _linked(body: dict[str, Any], ask: str, id: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """An answer with the identifier as it was given, and where to ask again."""
    body["query"]["id"] = id
    words = {name: ",".join(value) if isinstance(value, list | tuple) else value for name, value in given.items() if value}
    told = urlencode(
        {"id": id} | {name: json.dumps(value) if isinstance(value, dict) else value for name, value in words.items()}
    )
    body["_links"] = {"self": f"/api/v1/{ask}?{told}", "html": f"/lineage?question={ask}&{told}"}
    return body


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
