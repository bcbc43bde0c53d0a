"""The servers that Headwater is compared with start, take data, answer, and are gone afterwards."""

from __future__ import annotations

import os
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from bench.servers import NAMES, Server, Unavailable, answers, available, start

DATA = "<https://bench.example/a> <https://bench.example/p> <https://bench.example/b> .\n"
EVERYTHING = "SELECT ?o WHERE { { <https://bench.example/a> ?p ?o } UNION { GRAPH ?g { <https://bench.example/a> ?p ?o } } }"


def asked(server: Server, query: str) -> str:
    address = f"{server.query_url}?{urllib.parse.urlencode({'query': query})}"
    request = urllib.request.Request(address, headers={"Accept": "application/sparql-results+json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.read().decode())


def updated(server: Server, update: str) -> None:
    body = urllib.parse.urlencode({"update": update}).encode()
    urllib.request.urlopen(urllib.request.Request(server.update_url, data=body), timeout=30).close()


@pytest.mark.server
@pytest.mark.servers
@pytest.mark.parametrize("name", NAMES)
class TestEachServer:
    @pytest.fixture(autouse=True)
    def only_where_there(self, name: str) -> None:
        if (reason := available(name)) is not None:
            pytest.skip(reason)

    def test_has_the_data_that_it_was_given_and_is_gone_afterwards(self, name: str, tmp_path: Path) -> None:
        data = tmp_path / "data.nt"
        data.write_text(DATA)
        with start(name, tmp_path / "server", data=[data]) as server:
            assert "https://bench.example/b" in asked(server, EVERYTHING)
            group = os.getpgid(server.pid)
            assert server.version
        assert not answers(server.query_url)
        with pytest.raises(ProcessLookupError):
            os.killpg(group, 0)

    def test_starts_empty_takes_an_update_and_keeps_it_unless_it_lives_in_memory(self, name: str, tmp_path: Path) -> None:
        with start(name, tmp_path) as server:
            assert "https://bench.example" not in asked(server, EVERYTHING)
            updated(server, f"INSERT DATA {{ GRAPH <https://bench.example/g> {{ {DATA} }} }}")
            assert "https://bench.example/b" in asked(server, EVERYTHING)
        if name != "rdflib-endpoint":
            with start(name, tmp_path) as server:
                assert "https://bench.example/b" in asked(server, EVERYTHING)

    def test_offers_the_graph_store_at_the_address_that_it_names(self, name: str, tmp_path: Path) -> None:
        with start(name, tmp_path) as server:
            if server.graph_store_url is None:
                assert name == "rdflib-endpoint"
                return
            address = f"{server.graph_store_url}?graph={urllib.parse.quote('https://bench.example/g', safe='')}"
            request = urllib.request.Request(address, DATA.encode(), {"Content-Type": "application/n-triples"}, method="PUT")
            passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
            passwords.add_password(None, server.graph_store_url, *(server.auth or ("", "")))
            opener = urllib.request.build_opener(urllib.request.HTTPDigestAuthHandler(passwords))
            opener.open(request, timeout=30).close()
            assert "https://bench.example/b" in asked(server, EVERYTHING)


def test_a_missing_program_is_named_with_the_way_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match=r"rdflib-endpoint is missing: python -m bench\.install_servers"):
        start("rdflib-endpoint", tmp_path, programs=tmp_path)
    assert available("fuseki", tmp_path) is not None
