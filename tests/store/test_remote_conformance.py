"""Other people's SPARQL servers do what the store protocol promises: `oxigraph serve`, Apache Jena Fuseki, Virtuoso."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from bench.servers import Server
from headwater.store.protocol import TripleStore
from headwater.store.remote import RemoteStore
from headwater.store.remote.connection import StoreTimeout
from headwater.testing import TripleStoreConformance
from tests.store.servers import opened, running

pytestmark = pytest.mark.servers
A = NamedNode("urn:view:a")


class _OnServer(TripleStoreConformance):
    name = ""

    @pytest.fixture(scope="class")
    @classmethod
    def there(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, RemoteStore]]:
        with running(cls.name, tmp_path_factory.mktemp("server")) as server:
            # Opened once: trying a server out takes longer than most tests.
            store = opened(server)
            yield server, store
            store.close()

    @pytest.fixture
    def store(self, there: tuple[Server, RemoteStore]) -> TripleStore:
        self.server, store = there
        store.clear()
        return store

    def reopen(self, store: TripleStore) -> TripleStore:
        store.close()
        return opened(self.server)


class TestOxigraphServer(_OnServer):
    name = "oxigraph"


class TestFuseki(_OnServer):
    name = "fuseki"


class TestVirtuoso(_OnServer):
    name = "virtuoso"

    @pytest.mark.parametrize("text", ["SELECT * { ?s ?p ?o . ?a ?b ?c }", "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }"])
    def test_an_answer_over_the_limit_is_an_error_and_no_cut(self, text: str, store: TripleStore) -> None:
        # Smaller than what others are given: Virtuoso sends nothing before it has all rows, and a million take it minutes.
        super().test_an_answer_over_the_limit_is_an_error_and_no_cut(text, store)

    def test_an_answer_that_takes_too_long_is_an_error(self, store: TripleStore) -> None:
        assert isinstance(store, RemoteStore)
        store.change([], [Quad(A, A, Literal(f"{number:04}"), A) for number in range(100)], 1)
        given, store.connections.seconds = store.connections.seconds, 1.0
        try:
            with pytest.raises(StoreTimeout):
                store.query("SELECT * { ?s ?p ?o . ?a ?b ?c . ?d ?e ?f }", [A])
        finally:
            store.connections.seconds = given


del _OnServer
