"""A SPARQL 1.1 server behind the `TripleStore` protocol: its graphs, how far it has come, and whose it is.

The graphs that Headwater keeps there are listed in a graph of their own, in which the owner's mark stands too. Only what is in
that list is ever read as ours, changed or removed; whatever else the server holds is left alone.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar

from pyoxigraph import Literal, NamedNode, Quad, Triple

from headwater.errors import Conflict, HeadwaterError
from headwater.settings import Settings
from headwater.store.protocol import STATE, Answer, NoSnapshots
from headwater.store.remote import answers, ops, spelling
from headwater.store.remote.addresses import Addresses
from headwater.store.remote.asking import answer_query
from headwater.store.remote.connection import Connections
from headwater.store.remote.probe import probed
from headwater.store.remote.wording import asked, with_values
from headwater.store.serialising import Bounded
from headwater.terms.names import HW

_log = logging.getLogger("headwater.store")
GRAPHS: Final = NamedNode(HW["store-graphs"].value)
"""The graph that lists the others, and says whose they are."""
_HOLDS: Final = HW.holds
_OWNER: Final = HW.owner
_SEQUENCE: Final = HW.sequence
_ONTOLOGY: Final = HW.ontology
_WHOLE: Final = 100_000
"""Up to so many statements a change is one request, where the server takes it as a whole."""
_STEP: Final = 20_000
_REQUEST: Final = 8_000_000
_KEPT: Final = 20_000
_FIRST: Final = 64
_ANSWER_S: Final = 3.0
_TOGETHER: Final = 200
_MUCH: Final = 50_000
T = TypeVar("T")


class OtherOwner(Conflict):
    """The server holds the graphs of another Headwater."""

    title = "The triplestore belongs to another Headwater"
    default_remedy = (
        "Name another dataset or server in the setting 'store'. If the other one is gone for good, remove its graphs there, the "
        f"last of them <{GRAPHS.value}>."
    )


class ForeignGraph(Conflict):
    """A graph that is to be written holds statements that are not ours."""

    title = "A graph of that name is there already"
    default_remedy = "Name an empty dataset in the setting 'store', or remove that graph from it."


class RemoteStore:
    """A SPARQL server as the store of one Headwater, whose ledger's id is `owner`. One writer; any number of readers.

    `seconds` is how long a request of ours may take. Raises `StoreUnreachable`, `StoreRefused`, `StoreUnfit`, `OtherOwner`.
    """

    def __init__(self, addresses: Addresses, *, owner: str = "", seconds: float = 60.0) -> None:
        self.connections = Connections(addresses.user, addresses.password, seconds)
        try:
            self.talk, self.capabilities = probed(addresses, self.connections)
            self._claim(owner)
            self._graphs: set[NamedNode] = set(self._listed())
        except BaseException:
            self.connections.close()
            raise
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        self._known_sequence: int | None = None
        self._cache: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self.generation = 0
        """Counts up when a change begins and when it ends: what was read between two equal numbers is of one state."""
        for lack in self.capabilities.lacks:
            _log.warning("%s: %s", self.capabilities.server or self.talk.query_address, lack)

    @classmethod
    def open_for(cls, settings: Settings, owner: str) -> RemoteStore:
        """The server that the settings name."""
        addresses = Addresses.of(
            settings.store,
            update=settings.store_update,
            user=settings.store_user,
            password=settings.store_password.get_secret_value(),
        )
        return cls(addresses, owner=owner, seconds=settings.store_timeout_s)

    # --- whose it is

    def _claim(self, owner: str) -> None:
        """Mark the store as ours, unless it is somebody's. Two that come at once both see both marks, and both let go."""
        found = self._owners()
        if not found:
            self.talk.update(
                f"INSERT {{ GRAPH {GRAPHS} {{ {GRAPHS} {_OWNER} {Literal(owner)} }} }} "
                f"WHERE {{ FILTER NOT EXISTS {{ GRAPH {GRAPHS} {{ {GRAPHS} {_OWNER} ?other }} }} }}"
            )
            found = self._owners()
        if found != {owner}:
            others = ", ".join(sorted(found - {owner})) or "nobody, although it was just marked"
            raise OtherOwner(f"The triplestore at {self.talk.query_address} belongs to the ledger {others}.")

    def _owners(self) -> set[str]:
        rows = self.talk.rows(f"SELECT ?o {{ {GRAPHS} {_OWNER} ?o }}", [GRAPHS.value])
        return {row[0].value for row in rows if isinstance(row[0], Literal)}

    def _listed(self) -> Iterator[NamedNode]:
        for triple in self.talk.triples(f"CONSTRUCT {{ {GRAPHS} {_HOLDS} ?g }} WHERE {{ {GRAPHS} {_HOLDS} ?g }}", [GRAPHS.value]):
            if isinstance(triple.object, NamedNode):
                yield triple.object

    # --- how far it has come

    def sequence(self) -> int:
        known = self._known_sequence
        if known is None:
            rows = self.talk.rows(f"SELECT ?o {{ {STATE} {_SEQUENCE} ?o }}", [STATE.value])
            known = max((int(row[0].value) for row in rows if isinstance(row[0], Literal)), default=0)
            self._known_sequence = known
        return known

    def _mark(self, predicate: NamedNode, value: Literal) -> list[str]:
        """The new mark is there before the old one goes: where a crash leaves both, the higher one counts."""
        return [
            f"INSERT DATA {{ GRAPH {STATE} {{ {STATE} {predicate} {value} }} }}",
            f"DELETE {{ GRAPH {STATE} {{ {STATE} {predicate} ?old }} }} "
            f"WHERE {{ GRAPH {STATE} {{ {STATE} {predicate} ?old FILTER(STR(?old) != {Literal(value.value)}) }} }}",
        ]

    def ontology(self) -> str | None:
        rows = self.talk.rows(f"SELECT ?o {{ {STATE} {_ONTOLOGY} ?o }}", [STATE.value])
        return next((row[0].value for row in rows if isinstance(row[0], Literal)), None)

    def remember_ontology(self, digest: str) -> None:
        if self.ontology() != digest:
            with self._changing():
                self.talk.update(" ;\n".join([*self._listing([STATE]), *self._mark(_ONTOLOGY, Literal(digest))]))

    def _reread(self) -> None:
        """Read the list of graphs again, as far as the server answers."""
        try:
            self._graphs = set(self._listed())
        except HeadwaterError as error:
            _log.warning("the list of graphs could not be read again: %s", error.detail)

    # --- writing

    def _changing(self) -> _Change:
        return _Change(self)

    def change(self, removed: Sequence[Quad], added: Sequence[Quad], sequence: int, *, whole: bool = False) -> None:
        careful = not self.capabilities.exact
        coming = spelling.quads(list(added), careful)
        there = set(coming)
        going = [quad for quad in spelling.quads(list(removed), careful) if quad not in there]
        at_once = self.capabilities.operation
        with self._changing():
            operations = [
                *self._listing([STATE, *dict.fromkeys(graph for _, graph in coming)]),
                *ops.data("INSERT", coming, at_once),
                *ops.data("DELETE", going, at_once),
                *self._mark(_SEQUENCE, Literal(sequence)),
            ]
            if self.capabilities.atomic and (whole or len(coming) + len(going) <= _WHOLE):
                self.talk.update(" ;\n".join(operations))
            else:
                # In this order, one after the other: what a crash leaves is too much and never too little, and the old number.
                for request in ops.requests(operations, _REQUEST):
                    self.talk.update(request)
            self._known_sequence = sequence

    def load(self, added: Iterable[Quad], sequence: int) -> None:
        with self._changing():
            source = iter(added)
            while part := list(islice(source, _STEP)):
                quads = spelling.quads(part, not self.capabilities.exact)
                operations = [
                    *self._listing([STATE, *dict.fromkeys(graph for _, graph in quads)]),
                    *ops.data("INSERT", quads, self.capabilities.operation),
                ]
                self.talk.update(" ;\n".join(operations))
            self.talk.update(" ;\n".join([*self._listing([STATE]), *self._mark(_SEQUENCE, Literal(sequence))]))
            self._known_sequence = sequence

    def _listing(self, graphs: Iterable[NamedNode]) -> list[str]:
        """The operations by which graphs are listed as ours. Raises `ForeignGraph` where one is there, and is not."""
        new = [graph for graph in graphs if graph not in self._graphs]
        if not new:
            return []
        names = [graph.value for graph in new]
        rows = self.talk.rows("SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }", [], names)
        foreign = [row[0] for row in rows if row[0] in new]
        if foreign:
            raise ForeignGraph(f"The triplestore at {self.talk.query_address} holds a graph {foreign[0]} that is not ours.")
        self._graphs.update(new)
        return list(ops.data("INSERT", [(Triple(GRAPHS, _HOLDS, graph), GRAPHS) for graph in new], self.capabilities.operation))

    def clear(self) -> None:
        """Remove what is ours, and only that."""
        with self._changing():
            # The number goes first: if clearing is cut short, the next start sees 0 and makes the store anew.
            self.talk.update(f"DELETE WHERE {{ GRAPH {STATE} {{ {STATE} {_SEQUENCE} ?o }} }}")
            self._known_sequence = 0
            first = sorted((graph for graph in self._listed() if graph != STATE), key=str)
            for request in ops.requests((f"DROP SILENT GRAPH {graph}" for graph in (*first, STATE)), 50_000):
                self.talk.update(request)
            self.talk.update(f"DELETE WHERE {{ GRAPH {GRAPHS} {{ {GRAPHS} {_HOLDS} ?g }} }}")
            self._graphs = set()

    # --- reading

    def _kept(self, key: tuple[Any, ...], fetch: Callable[[], T]) -> T:
        """What `fetch` gives, asked of the server once as long as nothing is written."""
        with self._reading:
            if key in self._cache:
                self._cache.move_to_end(key)
                found: T = self._cache[key]
                return found
            generation = self.generation
        fetched = fetch()
        with self._reading:
            if generation == self.generation and not generation % 2:
                self._cache[key] = fetched
                while len(self._cache) > _KEPT:
                    self._cache.popitem(last=False)
        return fetched

    def graph(self, name: NamedNode) -> Iterator[Triple]:
        """The beginning by itself: most graphs are small, and often only the first triple is wanted."""
        text = "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }"
        if name not in self._graphs:
            return
        first = self._kept(("first", name), lambda: list(self.talk.triples(f"{text} LIMIT {_FIRST}", [name.value])))
        yield from first
        if len(first) >= _FIRST:
            had = set(first)
            for triple in self.talk.triples(text, [name.value]):
                if triple not in had:
                    yield triple

    def graphs_with(self, triple: Triple) -> Iterator[NamedNode]:
        def fetch() -> list[NamedNode]:
            rows = self.talk.rows(f"SELECT DISTINCT ?g {{ GRAPH ?g {{ {self._pattern(triple)} }} }}", None)
            return [row[0] for row in rows if isinstance(row[0], NamedNode) and row[0] in self._graphs]

        return iter(self._kept(("with", triple), fetch))

    def holding(self, triple: Triple, graphs: Sequence[NamedNode]) -> list[NamedNode]:
        there = [graph for graph in graphs if graph in self._graphs]
        if not there:
            return []

        def fetch() -> list[NamedNode]:
            text = f"SELECT DISTINCT ?g {{ GRAPH ?g {{ {self._pattern(triple)} }} }}"
            found = {row[0] for row in self.talk.rows(text, [], [graph.value for graph in there])}
            return [graph for graph in there if graph in found]

        return list(self._kept(("holding", triple, *there), fetch))

    def _pattern(self, triple: Triple) -> str:
        given = spelling.triple(triple, not self.capabilities.exact)
        return f"{given.subject} {given.predicate} {given.object}"

    def about(
        self,
        node: NamedNode | Literal,
        graphs: Sequence[NamedNode],
        *,
        as_object: bool = False,
        predicate: NamedNode | None = None,
    ) -> Iterator[Triple]:
        there = [graph for graph in graphs if graph in self._graphs]
        if not there or (isinstance(node, Literal) and not as_object):
            return iter(())
        if predicate is not None or as_object:
            with self._reading:
                said = self._cache.get(("about", node, as_object, None, *there))
            if said is not None:
                return iter([triple for triple in said if predicate in (None, triple.predicate)])
        given = spelling.written(node, not self.capabilities.exact) if isinstance(node, Literal) else node
        verb = "?p" if predicate is None else str(predicate)
        pattern = f"?s {verb} {given}" if as_object else f"{given} {verb} ?o"

        def fetch() -> list[Triple]:
            text = f"CONSTRUCT {{ {pattern} }} WHERE {{ {pattern} }}"
            return list(self.talk.triples(text, [graph.value for graph in there]))

        return iter(self._kept(("about", node, as_object, predicate, *there), fetch))

    def expect(self, nodes: Collection[NamedNode], graphs: Sequence[NamedNode], *, as_objects: bool = False) -> None:
        """Fetch together what is said of the nodes; of those that stand nowhere as an object, note that."""
        there = [graph for graph in graphs if graph in self._graphs]
        with self._reading:
            missing = [node for node in dict.fromkeys(nodes) if ("about", node, False, None, *there) not in self._cache]
        if not there or len(missing) < 2:
            return
        names = [graph.value for graph in there]
        for start in range(0, len(missing), _TOGETHER):
            part = missing[start : start + _TOGETHER]
            values = " ".join(map(str, part))
            said: dict[NamedNode, list[Triple]] = {node: [] for node in part}
            text = f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ VALUES ?s {{ {values} }} ?s ?p ?o }} LIMIT {_MUCH}"
            generation = self.generation
            found = list(self.talk.triples(text, names))
            for triple in found:
                if triple.subject in said:
                    said[triple.subject].append(triple)  # type: ignore[index]
            known = (
                {("about", node, False, None, *there): triples for node, triples in said.items()} if len(found) < _MUCH else {}
            )
            if as_objects:
                values_there = self.talk.rows(f"SELECT DISTINCT ?o {{ VALUES ?o {{ {values} }} ?s ?p ?o }}", names)
                objects = {row[0] for row in values_there}
                known |= {("about", node, True, None, *there): [] for node in part if node not in objects}
            with self._reading:
                if generation == self.generation and not generation % 2:
                    self._cache.update(known)

    def quads(self) -> Iterator[Quad]:
        reply = self.talk.ask("SELECT ?s ?p ?o ?g { GRAPH ?g { ?s ?p ?o } }", None)
        for subject, predicate, value, graph in answers.streamed(reply, self.talk.query_address):
            if graph in self._graphs:
                yield Quad(subject, predicate, value, graph)  # type: ignore[arg-type]

    def answers(self) -> bool:
        """Whether the server answers now."""
        try:
            reply = self.talk.ask("ASK {}", [], deadline=time.monotonic() + _ANSWER_S)
            return answers.truth(reply, self.talk.query_address)
        except HeadwaterError:
            return False

    # --- asking

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
        output = Bounded(max_bytes)
        ask = asked(with_values(text, bindings, not self.capabilities.exact) if bindings else text)
        media_type = answer_query(
            self.talk, self.capabilities, ask, [graph.value for graph in graphs], [graph.value for graph in named], accept, output
        )
        return Answer(output.getvalue(), media_type)

    def rows(
        self, text: str, graphs: Sequence[NamedNode], bindings: Mapping[str, object] | None = None
    ) -> Iterator[tuple[object, ...]]:
        ask = asked(with_values(text, bindings, not self.capabilities.exact), trusted=True)
        return iter(self.talk.rows(ask.text, [graph.value for graph in graphs]))

    @property
    def lateral(self) -> bool:
        return False  # SPARQL 1.1 has no such word, and of a server's own words nothing is presumed

    @property
    def snapshots(self) -> bool:
        return False

    def snapshot(self, folder: Path) -> RemoteStore:  # noqa: ARG002 (the protocol's)
        raise NoSnapshots("A SPARQL server has no snapshots to give.")

    def close(self) -> None:
        self.connections.close()


class _Change:
    """Holds the one writer's place while it writes; what was read before is forgotten, and a failed write's number too."""

    def __init__(self, store: RemoteStore) -> None:
        self._store = store

    def __enter__(self) -> None:
        store = self._store
        store._writing.acquire()
        with store._reading:
            store.generation += 1
            store._cache.clear()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        store = self._store
        try:
            if error is not None:
                # How far it came nobody knows: number and list are read again.
                store._known_sequence = None
                if isinstance(error, HeadwaterError):
                    store._reread()
        finally:
            with store._reading:
                store.generation += 1
                store._cache.clear()
            store._writing.release()
