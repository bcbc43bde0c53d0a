"""What a triplestore must be able to do for Headwater: the embedded Oxigraph does, and any other may.

A store holds three sorts of graph: for each record a graph of what it asserts and one of what follows from that, and a few
view graphs by visibility in which both stand together. Questions run on views; `headwater.store.views` keeps them right by
means of the few operations here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pyoxigraph import Literal, NamedNode, Quad, Triple

from headwater.errors import HeadwaterError
from headwater.terms.names import HW

STATE = NamedNode(HW["store-state"].value)
"""The graph in which a store remembers how far it has come and each record's visibility."""

ATOMIC = 20_000
"""Up to so many quads a change is always taken as a whole."""


class StoreBroken(HeadwaterError):
    """The triplestore cannot be opened or read; it is a view of the ledger and can be made anew."""

    title = "The triplestore is damaged"
    default_remedy = "Run 'headwater rebuild': it is made anew from the ledger, and nothing is lost."


class NoSnapshots(HeadwaterError):
    """A store was asked for a snapshot that said that it makes none."""

    status = 409
    title = "This triplestore makes no snapshots"
    default_remedy = "Read the store itself, and say so in what is reported: writing goes on meanwhile."


@dataclass(frozen=True, slots=True)
class Answer:
    """A query's result, serialised: `media_type` says as what."""

    body: bytes
    media_type: str


class TripleStore(Protocol):
    """One writer; any number of readers. `headwater.testing.TripleStoreConformance` is the test that every one inherits."""

    def sequence(self) -> int:
        """How far in the ledger the store has come; 0 for an empty one."""
        ...

    def change(self, removed: Sequence[Quad], added: Sequence[Quad], sequence: int, *, whole: bool = False) -> None:
        """Remove, add and remember `sequence`. Readers see all of it or nothing, and a crash leaves all of it or nothing.

        A store may take a change of more than `ATOMIC` quads in steps (first what is added, then what is removed, the number
        last), unless `whole` is set.
        """
        ...

    def load(self, added: Iterable[Quad], sequence: int) -> None:
        """Add many quads fast. If it is cut short, `sequence()` still gives the old number."""
        ...

    def clear(self) -> None:
        """Remove everything; `sequence()` is 0 afterwards."""
        ...

    def ontology(self) -> str | None:
        """The digest of the ontology by which the entailed statements were worked out; None for a new store."""
        ...

    def remember_ontology(self, digest: str) -> None:
        """Remember that digest."""
        ...

    def graph(self, name: NamedNode) -> Iterator[Triple]:
        """The triples of one graph."""
        ...

    def graphs_with(self, triple: Triple) -> Iterator[NamedNode]:
        """The graphs in which a triple stands."""
        ...

    def holding(self, triple: Triple, graphs: Sequence[NamedNode]) -> list[NamedNode]:
        """Those of `graphs` in which a triple stands; unlike `graphs_with` it costs nothing by how many others hold it."""
        ...

    def about(
        self,
        node: NamedNode | Literal,
        graphs: Sequence[NamedNode],
        *,
        as_object: bool = False,
        predicate: NamedNode | None = None,
    ) -> Iterator[Triple]:
        """The triples with `node` as subject (or as object) in any of `graphs`, or only those of a predicate.

        A triple that stands in several graphs may come twice.
        """
        ...

    def expect(self, nodes: Collection[NamedNode], graphs: Sequence[NamedNode], *, as_objects: bool = False) -> None:
        """Be told that `about` is going to be asked for these nodes in these graphs (and whether any has them `as_objects`).

        Nothing need be done. A store over a network fetches in one request what would otherwise take one for each node.
        """
        ...

    def quads(self) -> Iterator[Quad]:
        """Everything, for `verify` and `dump`."""
        ...

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
        """Run a SPARQL query with `graphs` merged as the default graph and only `named` as named graphs.

        `accept` is a media type that fits the query's form, or None for the usual one. `bindings` gives values to variables that
        the query projects. Raises `BadQuery` for what does not parse, `TooLarge` for an answer above `max_bytes`.
        """
        ...

    def rows(
        self, text: str, graphs: Sequence[NamedNode], bindings: Mapping[str, object] | None = None
    ) -> Iterator[tuple[object, ...]]:
        """The solutions of a trusted SELECT from `queries/`, as tuples of terms in the order of the projection."""
        ...

    @property
    def lateral(self) -> bool:
        """Whether its queries may hold `LATERAL { … }`, which SPARQL 1.1 does not know."""
        ...

    @property
    def snapshots(self) -> bool:
        """Whether `snapshot` works here. A store that cannot says False, and whoever wanted one reads the store itself."""
        ...

    def snapshot(self, folder: Path) -> TripleStore:
        """The store as it stands after its last change, to be read at length while writing goes on; it is not to be written to.

        It answers every question as the store did at that moment, from any thread, however the store changes, and also after the
        store was closed. `folder` does not exist yet; the snapshot may keep its files there. Whoever asked closes the snapshot
        and removes the folder afterwards. Raises `NoSnapshots` where `snapshots` is False, `StorageFailed` where the disk
        refuses.
        """
        ...

    def close(self) -> None:
        """Let go of files and locks."""
        ...
