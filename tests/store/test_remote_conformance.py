"""Other people's SPARQL servers do what the store protocol promises: `oxigraph serve`, Apache Jena Fuseki, Virtuoso."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.servers import Server
from headwater.store.protocol import TripleStore
from headwater.store.remote import RemoteStore
from headwater.testing import TripleStoreConformance
from tests.store.servers import opened, running

pytestmark = pytest.mark.servers


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


@pytest.mark.xdist_group("oxigraph")
class TestOxigraphServer(_OnServer):
    name = "oxigraph"


@pytest.mark.xdist_group("fuseki")
class TestFuseki(_OnServer):
    name = "fuseki"


@pytest.mark.xdist_group("virtuoso")
class TestVirtuoso(_OnServer):
    name = "virtuoso"


del _OnServer
