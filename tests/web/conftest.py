"""A small laboratory over HTTP: a real Headwater in memory, and a client that speaks to it without a network."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from headwater.app import Headwater
from headwater.settings import Settings
from headwater.web import create_app

BASE = "http://127.0.0.1:8321/"
HOSTILE = "<script>alert(1)</script> \"'><img src=x onerror=alert(2)> \u202eevil " + "x" * 10_000

PREFIXES = """
@prefix hw: <https://w3id.org/headwater/terms#> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
LABORATORY = """
<http://127.0.0.1:8321/id/dataset/digits-v1> a hw:Dataset ; rdfs:label "digits, first labels" ; hw:version "1" ;
    hw:digest "sha256:1111111111111111111111111111111111111111111111111111111111111111" ;
    dcterms:identifier "doi:10.1234/digits.v1" ; dcterms:license <https://spdx.org/licenses/CC-BY-4.0.html> ;
    dcterms:description "Handwritten digits.\\n\\nLabelled by two students." .
<http://127.0.0.1:8321/id/dataset/digits-v2> a hw:Dataset ; rdfs:label "digits, corrected labels" ; hw:version "2" ;
    prov:wasRevisionOf <http://127.0.0.1:8321/id/dataset/digits-v1> .
<http://127.0.0.1:8321/id/dataset/held-out> a hw:Dataset ; rdfs:label "held-out digits" .
<http://127.0.0.1:8321/id/run/fit-svm> a hw:Run ; rdfs:label "fit svm" ;
    prov:startedAtTime "2025-10-01T12:00:00Z"^^xsd:dateTime ;
    prov:used <http://127.0.0.1:8321/id/dataset/digits-v1> , <http://127.0.0.1:8321/id/dataset/held-out> ;
    prov:qualifiedUsage [ a prov:Usage ; prov:entity <http://127.0.0.1:8321/id/dataset/digits-v1> ; prov:hadRole hw:train ] ,
        [ a prov:Usage ; prov:entity <http://127.0.0.1:8321/id/dataset/held-out> ; prov:hadRole hw:test ] .
<http://127.0.0.1:8321/id/model/svm> a hw:Model ; rdfs:label "digits-svm" ;
    prov:wasGeneratedBy <http://127.0.0.1:8321/id/run/fit-svm> .
<http://127.0.0.1:8321/id/publication/paper> a hw:Publication ; rdfs:label "Reading digits" ;
    hw:documents <http://127.0.0.1:8321/id/model/svm> .
<http://127.0.0.1:8321/id/change/relabelled> a hw:Change ; rdfs:label "labels corrected after an audit" ;
    hw:changeKind hw:labels-corrected ; hw:changedObject <http://127.0.0.1:8321/id/dataset/digits-v1> ;
    hw:toRevision <http://127.0.0.1:8321/id/dataset/digits-v2> ; prov:atTime "2025-11-02T10:00:00Z"^^xsd:dateTime .
"""

_SAID = HOSTILE.replace('"', '\\"')
HOSTILE_THINGS = f"""
<{BASE}id/dataset/hostile> a hw:Dataset ; rdfs:label "{_SAID}" ; rdfs:comment "{_SAID}" ; hw:version "<b>1</b>" .
<{BASE}id/run/victim> a hw:Run ; rdfs:label "victim" ; prov:used <{BASE}id/dataset/hostile> .
"""
SECRET = f'<{BASE}id/dataset/secret> a hw:Dataset ; rdfs:label "embargoed" .'


class Client:
    """Sends one request at a time; `peer` is the address that it seems to come from."""

    def __init__(self, headwater: Headwater, peer: str = "127.0.0.1", host: str = "127.0.0.1:8321") -> None:
        self._transport = httpx.ASGITransport(create_app(headwater), raise_app_exceptions=False, client=(peer, 50000))
        self._base = f"http://{host}"
        self.headwater = headwater

    def request(self, method: str, url: str, **more: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url=self._base) as client:
                return await client.request(method, url, **more)

        return asyncio.run(send())

    def get(self, url: str, accept: str | None = None, **more: Any) -> httpx.Response:
        headers = {**more.pop("headers", {}), **({"Accept": accept} if accept is not None else {})}
        return self.request("GET", url, headers=headers, **more)

    def post(self, url: str, content: bytes | str, content_type: str, **headers: str) -> httpx.Response:
        return self.request("POST", url, content=content, headers={"Content-Type": content_type, **headers})


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Headwater]:
    """Read by many tests, written by none."""
    folder = tmp_path_factory.mktemp("laboratory")
    with Headwater.open(Settings(data=folder / "data", store="memory", base_iri=BASE)) as headwater:
        load(headwater, folder / "laboratory.ttl", PREFIXES + LABORATORY)
        load(headwater, folder / "hostile.ttl", PREFIXES + HOSTILE_THINGS)
        load(headwater, folder / "secret.ttl", PREFIXES + SECRET, visibility="internal")
        yield headwater


@pytest.fixture
def writable(tmp_path: Path) -> Iterator[Headwater]:
    """An empty Headwater for a test that writes."""
    with Headwater.open(Settings(data=tmp_path / "data", store="memory", base_iri=BASE, max_upload_mb=1)) as headwater:
        yield headwater


@pytest.fixture(scope="session")
def lab(laboratory: Headwater) -> Client:
    """Somebody on this machine."""
    return Client(laboratory)


@pytest.fixture(scope="session")
def stranger(laboratory: Headwater) -> Client:
    """Somebody from elsewhere, without a token."""
    return Client(laboratory, peer="203.0.113.9", host="lab.example")


def load(headwater: Headwater, path: Path, text: str, **more: Any) -> None:
    path.write_text(text, encoding="utf-8")
    report = headwater.import_source(path, **more)
    assert all(outcome.status == "created" for outcome in report.records), report.as_dict()
