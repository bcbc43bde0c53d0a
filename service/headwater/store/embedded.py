"""The embedded triplestore: Oxigraph in this process, on disk or in memory."""

from __future__ import annotations

import gc
import logging
import shutil
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pyoxigraph import (
    Literal,
    NamedNode,
    Quad,
    QuerySolutions,
    RdfFormat,
    Store,
    Triple,
    serialize,
)

from headwater.errors import FolderBusy, StorageFailed
from headwater.settings import Settings
from headwater.store.protocol import ATOMIC, STATE, Answer, StoreBroken
from headwater.store.serialising import Bounded, run, write
from headwater.store.spelling import triple_as_stored
from headwater.terms.names import HW

_log = logging.getLogger("headwater")
_SEQUENCE = HW.sequence
_ONTOLOGY = HW.ontology
_ATOMIC_LIMIT = 200_000
"""Above this many quads a change with removals goes in steps: one SPARQL update keeps its whole write set in memory."""
_BULK_FROM = ATOMIC
"""From so many added quads on, whole files are taken over (136,000 quads a second) instead of a transaction (57,000)."""


class EmbeddedStore:
    """Oxigraph behind the `TripleStore` protocol. `path=None` keeps everything in memory.

    Iterators of Oxigraph belong to the thread that made them, so `query` serialises in the calling thread and hands out bytes.

    >>> store = EmbeddedStore(None)
    >>> g = NamedNode("urn:g")
    >>> store.change([], [Quad(NamedNode("urn:s"), NamedNode("urn:p"), Literal("o"), g)], sequence=1)
    >>> store.query("SELECT ?o { ?s ?p ?o }", [g], accept="text/csv").body
    b'o\\r\\no\\r\\n'
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._writing = threading.Lock()
        self._store: Store | None = _open(path)
        self._changes = 0
        self._counted = (-1, 0)

    @classmethod
    def open_for(cls, settings: Settings, owner: str) -> EmbeddedStore:
        """The store in the data folder, or one in memory. One that is damaged is put aside as `store.damaged` and begun anew,
        since the ledger has all of it. Raises `StorageFailed` where the disk refuses.
        """
        if settings.store == "memory":
            return cls(None)
        path = settings.data / "store"
        try:
            return cls(path)
        except StoreBroken as error:
            _log.warning("%s It is made anew from the ledger.", error.detail)
        aside = path.with_name(f"{path.name}.damaged")
        try:
            if aside.exists():
                shutil.rmtree(aside)
            path.rename(aside)
        except OSError as error:
            raise StorageFailed(f"The damaged triplestore in {path} cannot be put aside: {error.strerror or error}.") from error
        return cls(path)

    @property
    def _live(self) -> Store:
        if self._store is None:
            raise StoreBroken("The triplestore was closed.", remedy="Open the data folder again.")
        return self._store

    def sequence(self) -> int:
        live, (changes, number) = self._live, self._counted
        if changes != self._changes:
            # Each query asks several times, and looking takes longer than many a query.
            changes = self._changes
            number = self._sequence_of(live)
            self._counted = (changes, number)
        return number

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One change at a time; what is known of the state before is forgotten when it is done."""
        with self._writing:
            try:
                yield
            finally:
                self._changes += 1

    @staticmethod
    def _sequence_of(store: Store) -> int:
        marks = (quad.object for quad in store.quads_for_pattern(STATE, _SEQUENCE, None, STATE))
        return max((int(mark.value) for mark in marks if isinstance(mark, Literal)), default=0)

    def change(self, removed: Sequence[Quad], added: Sequence[Quad], sequence: int, *, whole: bool = False) -> None:
        with self._changing():
            store = self._live
            mark = Quad(STATE, _SEQUENCE, Literal(sequence), STATE)
            old = [quad for quad in store.quads_for_pattern(STATE, _SEQUENCE, None, STATE) if quad != mark]
            try:
                if not removed and (whole or len(added) < _BULK_FROM):
                    store.extend([*added, mark])
                elif not removed:
                    store.bulk_extend(added)
                    # Only now: what is taken over in files comes in no order, and the mark must not be there before the rest.
                    store.add(mark)
                elif whole or len(removed) + len(added) <= _ATOMIC_LIMIT:
                    store.update(_data("DELETE", [*removed, *old]) + _data("INSERT", [*added, mark]))
                    old = []
                else:
                    # What comes goes first: a crash between the two leaves too much, which the next start still finds.
                    store.bulk_extend(added)
                    coming = {(triple_as_stored(quad.triple), quad.graph_name) for quad in added}
                    for quad in removed:
                        if (quad.triple, quad.graph_name) not in coming:
                            store.remove(quad)
                    store.add(mark)
                # The highest mark counts, so an old one that a crash leaves behind does no harm.
                for quad in old:
                    store.remove(quad)
            except OSError as error:
                raise StorageFailed(f"The triplestore could not be written: {error}") from error

    def load(self, added: Iterable[Quad], sequence: int) -> None:
        with self._changing():
            try:
                self._live.bulk_extend(added)
                if self._path is not None:
                    # A bulk load leaves its files side by side, and every look-up has to look into each of them: with 10 million
                    # statements that is 22 files and 130 µs, afterwards 9 µs.
                    self._live.optimize()
                self._mark(self._live, sequence)
            except OSError as error:
                raise StorageFailed(f"The triplestore could not be written: {error}") from error

    @staticmethod
    def _mark(store: Store, sequence: int) -> None:
        old = list(store.quads_for_pattern(STATE, _SEQUENCE, None, STATE))
        mark = Quad(STATE, _SEQUENCE, Literal(sequence), STATE)
        store.update(_data("DELETE", [quad for quad in old if quad != mark]) + _data("INSERT", [mark]))

    def clear(self) -> None:
        with self._changing():
            # The mark goes first: if clearing is cut short, the next start sees 0 and makes the store anew.
            try:
                for quad in list(self._live.quads_for_pattern(STATE, _SEQUENCE, None, STATE)):
                    self._live.remove(quad)
                self._live.clear()
                # Until files are merged what was removed leaves marks, and each look into an empty graph passes them all (10 ms).
                self._live.optimize()
            except OSError as error:
                raise StorageFailed(f"The triplestore could not be emptied: {error}") from error

    def ontology(self) -> str | None:
        marks = (quad.object for quad in self._live.quads_for_pattern(STATE, _ONTOLOGY, None, STATE))
        return next((mark.value for mark in marks if isinstance(mark, Literal)), None)

    def remember_ontology(self, digest: str) -> None:
        with self._changing():
            old = list(self._live.quads_for_pattern(STATE, _ONTOLOGY, None, STATE))
            mark = Quad(STATE, _ONTOLOGY, Literal(digest), STATE)
            if old != [mark]:
                try:
                    self._live.update(_data("DELETE", [quad for quad in old if quad != mark]) + _data("INSERT", [mark]))
                except OSError as error:
                    raise StorageFailed(f"The triplestore could not be written: {error}") from error

    def graph(self, name: NamedNode) -> Iterator[Triple]:
        return (quad.triple for quad in self._live.quads_for_pattern(None, None, None, name))

    def graphs_with(self, triple: Triple) -> Iterator[NamedNode]:
        for quad in self._live.quads_for_pattern(triple.subject, triple.predicate, triple.object, None):
            if isinstance(quad.graph_name, NamedNode):
                yield quad.graph_name

    def holding(self, triple: Triple, graphs: Sequence[NamedNode]) -> list[NamedNode]:
        subject, predicate, value = triple.subject, triple.predicate, triple.object
        return [graph for graph in graphs if Quad(subject, predicate, value, graph) in self._live]

    def about(
        self,
        node: NamedNode | Literal,
        graphs: Sequence[NamedNode],
        *,
        as_object: bool = False,
        predicate: NamedNode | None = None,
    ) -> Iterator[Triple]:
        for graph in graphs:
            if as_object:
                yield from (quad.triple for quad in self._live.quads_for_pattern(None, predicate, node, graph))
            elif isinstance(node, NamedNode):
                yield from (quad.triple for quad in self._live.quads_for_pattern(node, predicate, None, graph))

    def expect(self, nodes: Collection[NamedNode], graphs: Sequence[NamedNode], *, as_objects: bool = False) -> None:
        """A look takes microseconds here: nothing is gained by looking ahead."""

    def checkpoint(self, folder: Path) -> int:
        """Write the store as it is now to a new `folder`, for readers in other processes; returns its sequence number.

        On disk it shares the files (hard links, 10 to 130 ms); in memory it is a copy.
        """
        with self._writing:
            try:
                if self._path is None:
                    copy = Store(str(folder))
                    copy.bulk_extend(self._live)
                    copy.flush()
                else:
                    self._live.backup(str(folder))
                return self.sequence()
            except OSError as error:
                raise StorageFailed(f"The triplestore could not be copied for reading: {error}") from error

    @property
    def lateral(self) -> bool:
        return True

    @property
    def snapshots(self) -> bool:
        return True

    def snapshot(self, folder: Path) -> EmbeddedStore:
        """On disk it shares the store's files (hard links, 10 to 130 ms); of a store in memory it is a copy in memory."""
        with self._writing:
            try:
                if self._path is None:
                    copy = EmbeddedStore(None)
                    copy._live.bulk_extend(self._live)
                    return copy
                self._live.backup(str(folder))
                return EmbeddedStore.read_only(folder)
            except (OSError, RuntimeError) as error:
                raise StorageFailed(f"The triplestore could not be copied for reading: {error}") from error

    @classmethod
    def read_only(cls, folder: Path) -> EmbeddedStore:
        """A snapshot that another process made in a folder. Raises `StorageFailed` where there is none."""
        copy = cls(None)
        try:
            copy._store = Store.read_only(str(folder))
        except (OSError, RuntimeError) as error:
            raise StorageFailed(f"The snapshot in {folder} cannot be read: {error}") from error
        copy._path = folder
        return copy

    def quads(self) -> Iterator[Quad]:
        return iter(self._live)

    def query(
        self,
        text: str,
        graphs: Sequence[NamedNode],
        *,
        named: Sequence[NamedNode] = (),
        accept: str | None = None,
        bindings: Mapping[str, object] | None = None,
        max_bytes: int | None = None,
    ) -> Answer:
        buffer = Bounded(max_bytes)
        media_type = write(run(self._live, text, graphs, named, bindings), accept, buffer)
        return Answer(buffer.getvalue(), media_type)

    def rows(
        self, text: str, graphs: Sequence[NamedNode], bindings: Mapping[str, object] | None = None
    ) -> Iterator[tuple[object, ...]]:
        results = run(self._live, text, graphs, (), bindings)
        assert isinstance(results, QuerySolutions), "a trusted question is a SELECT"
        for solution in results:
            yield tuple(solution)

    def close(self) -> None:
        self._store = None
        if self._path is not None:
            # Oxigraph has no close(); the lock on the folder goes with the last reference, also that of a forgotten iterator.
            gc.collect()


def _open(path: Path | None) -> Store:
    if path is None:
        return Store()
    try:
        return Store(str(path))
    except (FileNotFoundError, RuntimeError) as error:
        # RocksDB says "Corruption: …" or misses one of its files.
        raise StoreBroken(f"The triplestore in {path} is damaged: {error}") from error
    except OSError as error:
        if "lock" in str(error).lower():
            raise FolderBusy(f"The triplestore in {path} is open elsewhere.") from error
        raise StorageFailed(f"The triplestore in {path} cannot be opened: {error}") from error


def _data(verb: str, quads: Sequence[Quad]) -> str:
    """`DELETE DATA {…};` or `INSERT DATA {…};` of quads in our own serialisation; empty for none."""
    if not quads:
        return ""
    by_graph: dict[object, list[Triple]] = {}
    for quad in quads:
        by_graph.setdefault(quad.graph_name, []).append(quad.triple)
    blocks = []
    for graph, triples in by_graph.items():
        body = serialize(triples, format=RdfFormat.N_TRIPLES)
        assert body is not None
        blocks.append(f"GRAPH {graph} {{\n{body.decode()}}}")
    return f"{verb} DATA {{\n" + "\n".join(blocks) + "\n};\n"
