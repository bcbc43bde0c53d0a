"""A data folder, opened: ledger, store, index and gate wired together, and who asks of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pyoxigraph import NamedNode, Triple

from headwater import assets
from headwater.access import Reader, TokenBook, who
from headwater.access.loopback import is_loopback
from headwater.app.answering import Answerer
from headwater.app.audit_book import AuditBook
from headwater.app.auditing import Auditing
from headwater.app.benefiting import Benefiting
from headwater.app.describing import Describer
from headwater.app.duty import IDENTITY, Duty
from headwater.app.folder import FolderLock, note_ledger, noted_ledger
from headwater.app.naming import Names
from headwater.app.past import Past
from headwater.app.profiling import Profiler
from headwater.app.sight import Sight
from headwater.app.withdrawn import Tombstones
from headwater.app.writing import Writer
from headwater.errors import BadParameter, NotFound, Withdrawn
from headwater.ledger.ledger import now
from headwater.lineage.index import LineageIndex
from headwater.questions.catalogue import Question, catalogue
from headwater.records.record import RecordMaker
from headwater.settings import Settings
from headwater.store.opening import open_store
from headwater.store.views import Views
from headwater.terms.minting import Mint
from headwater.terms.vocabulary import vocabulary

_log = logging.getLogger("headwater")


class Opened:
    """A data folder, opened. Each part of the `Headwater` object is a class over this one."""

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
        if settings.role != "writer" and settings.store not in ("embedded", "memory"):
            raise BadParameter(
                f"store: a {settings.role} keeps a store of its own, and the writer keeps the one in that server",
                parameter="store",
                remedy="Leave out the setting store.",
            )
        self.duty = Duty(settings, self._clock)
        self._opened.callback(self.duty.close)
        self.ledger = self.duty.ledger
        base = self.ledger.fact("base_iri")
        if base is None:
            self.ledger.fix("base_iri", settings.base_iri)
            base = settings.base_iri
        self.mint = Mint(base)
        self.tokens = TokenBook(self.duty.tokens)
        in_memory = settings.store == "memory"
        # By this a store outside the data folder knows whose it is.
        self._store = open_store(settings, self.ledger.fact(IDENTITY) or "")
        self._opened.callback(self._store.close)
        index_folder = None if in_memory else folder / "index"
        self._index = (LineageIndex.load(index_folder) if index_folder is not None else None) or LineageIndex()
        self.views = Views(self._store, base)
        maker = RecordMaker(self.mint)
        self._writer = Writer(self.ledger, self._store, self.views, self._index, self.mint, maker, index_folder)
        self._writer.permit = self.duty.permit
        self.audits = self._auditing(folder, in_memory)
        self._writer.audit_due = self.audits.note
        self._names = Names(self._store, self.mint, lambda: self._index.sequence)
        self._describer = Describer(self._store, self._names, self.ledger)
        self._answerer = Answerer(self._store, self._names, self._clock, self._links)
        self._benefiting = Benefiting(self._store, self._names, self._answerer.setting)
        self._profiler = Profiler(self._store)
        self._past = Past(self.ledger, maker)
        self._tombstones = Tombstones(self.ledger)
        self.duty.attach(self._writer, self._tombstones.forget)
        stated = self._store.ontology()
        if not in_memory and self._of_another_ledger(folder):
            _log.warning("store and index in %s are of another ledger; they are made anew", folder)
            self._writer.rebuild()
        elif stated != vocabulary().digest and self._store.sequence() > 0:
            # What follows from the records is decided by the ontology: another ontology, other conclusions.
            _log.warning("the ontology changed since this data folder was last open; store and index are made anew")
            self._writer.rebuild()
        else:
            self._writer.catch_up()
        self._store.remember_ontology(vocabulary().digest)
        if not in_memory:
            note_ledger(folder, self.ledger.fact(IDENTITY))

    def _of_another_ledger(self, folder: Path) -> bool:
        """Whether what lies in the folder was made from another ledger. One inside the folder is always its own."""
        return self._store.sequence() > 0 and bool(self.settings.ledger) and noted_ledger(folder) != self.ledger.fact(IDENTITY)

    def _auditing(self, folder: Path, in_memory: bool) -> Auditing:
        empty = self.ledger.last_sequence() == 0
        book = AuditBook(None if in_memory else folder, vocabulary().digest, empty=empty, clock=self._clock)
        return Auditing(
            book,
            self._store,
            self.mint.base,
            self._writer,
            folder=None if in_memory else folder,
            # What a reader holds was judged by the writer, who audits it, too.
            automatic=self.settings.audits == "automatic" and self.settings.role == "writer",
            pause_s=self.settings.audit_pause_s,
            clock=self._clock,
        )

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Open a data folder (made if absent) and bring store and index to the ledger's state.

        Raises `FolderBusy` where another process has it open, `StorageFailed` where it cannot be written.
        """
        return cls(settings)

    def close(self) -> None:
        """Stop an audit that may be under way, save the index, and let go of the folder."""
        try:
            self.duty.stop()
            self.audits.stop()
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

    def _sight(self, reader: Reader, *, as_of: float | None = None, known_at: int | float | None = None) -> Sight:
        """What a reader sees now, or saw of the world at `as_of` (seconds since 1970), or what was known at `known_at`.

        Raises `BadParameter` for a sequence number that the ledger has not reached.
        """
        graphs = tuple(self.views.graphs(internal=reader.internal, projects=reader.projects))
        number = self._reached(known_at)
        full = self._index.graph(known_at=number, as_of=as_of)
        levels = frozenset(name for name in self._index.levels(known_at=number) if reader.sees(name))
        everything = levels == frozenset(self._index.levels(known_at=number))
        lineage = full if everything else self._index.graph(levels, known_at=number, as_of=as_of)

        def about(node: NamedNode) -> Iterable[Triple]:
            if number is None:
                return self._store.about(node, graphs)
            return self._past.about(node, lineage, number)

        return Sight(graphs, lineage, full, about, number, as_of)

    def _reached(self, known_at: int | float | None) -> int | None:
        """The sequence number that is meant by a number or a time; None for the present one."""
        if known_at is None:
            return None
        last = self.sequence
        number = self.ledger.sequence_at(_written(known_at)) if isinstance(known_at, float) else known_at
        if number > last:
            raise BadParameter(
                f"known_at: the ledger has come to {last}, not yet to {number}",
                parameter="known_at",
                remedy="Name an earlier one.",
            )
        return None if number == last else number

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


def _written(moment: float) -> str:
    """A moment as the ledger's clock writes it."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
