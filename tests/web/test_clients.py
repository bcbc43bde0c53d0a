"""Programs that people really use against a served Headwater: SPARQLWrapper, rdflib, curl, requests as RDF4J and Jena send."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator

import httpx
import pytest
import rdflib
from rdflib.plugins.stores.sparqlstore import SPARQLStore, SPARQLUpdateStore

from tests.web.w3c_sparql import serving

pytestmark = pytest.mark.server

_LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
_SELECT = f"SELECT ?l WHERE {{ <urn:client:thing> <{_LABEL}> ?l }}"
_ASK = f"ASK {{ <urn:client:thing> <{_LABEL}> ?l }}"
_CONSTRUCT = f"CONSTRUCT {{ ?s <{_LABEL}> ?l }} WHERE {{ ?s <{_LABEL}> ?l }}"
_INSERT = f'INSERT DATA {{ GRAPH <urn:client:graph> {{ <urn:client:thing> <{_LABEL}> "caffè" }} }}'
_FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}

_RDF4J_ROWS = (
    "application/x-binary-rdf-results-table, application/sparql-results+json;q=0.8, application/json;q=0.8, "
    "application/sparql-results+xml;q=0.8, application/xml;q=0.8, application/x-sparqlstar-results+json;q=0.8, "
    "text/csv;q=0.8, text/tab-separated-values;q=0.8, text/x-tab-separated-values-star;q=0.8"
)
_RDF4J_BOOLEAN = (
    "text/boolean, application/sparql-results+json;q=0.8, application/json;q=0.8, application/sparql-results+xml;q=0.8, "
    "application/xml;q=0.8"
)
_RDF4J_GRAPH = (
    "application/x-binary-rdf, text/turtle;q=0.8, application/x-turtle;q=0.8, application/rdf+xml;q=0.5, application/xml;q=0.5, "
    "application/n-triples;q=0.8, text/plain;q=0.8, application/trig;q=0.8, application/ld+json;q=0.5, application/n-quads;q=0.8"
)
_JENA_ROWS = (
    "application/sparql-results+json, application/sparql-results+xml;q=0.9, text/tab-separated-values;q=0.7, text/csv;q=0.5, "
    "application/json;q=0.2, application/xml;q=0.2, */*;q=0.1"
)
_JENA_BOOLEAN = "application/sparql-results+json, application/sparql-results+xml;q=0.9, application/json;q=0.2, */*;q=0.1"
_JENA_GRAPH = "text/turtle,application/n-triples;q=0.9,application/ld+json;q=0.8,application/rdf+xml;q=0.7,*/*;q=0.3"
_BROWSER = "application/sparql-results+json,*/*;q=0.9"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("clients") / "data", store="memory", cors_origins=("*",)) as (address, _):
        done = httpx.post(
            f"{address}/sparql/update", content=_INSERT.encode(), headers={"content-type": "application/sparql-update"}
        )
        assert done.status_code == 200
        yield address


# SPARQLWrapper 2.0 makes the graphs that it hands out with a class that rdflib 7 has given up.
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
@pytest.mark.parametrize("posting", [False, True])
def test_sparqlwrapper_asks_in_every_form_and_writes(address: str, posting: bool) -> None:
    wrapper = pytest.importorskip("SPARQLWrapper", reason="SPARQLWrapper is not installed (it is in the extra 'test')")
    client = wrapper.SPARQLWrapper(f"{address}/sparql", f"{address}/sparql/update")
    client.setMethod(wrapper.POST if posting else wrapper.GET)
    for format in (wrapper.JSON, wrapper.XML, wrapper.CSV, wrapper.TSV):
        client.setQuery(_SELECT)
        client.setReturnFormat(format)
        found = client.queryAndConvert()
        told = found if isinstance(found, dict | bytes) else found.toxml()
        assert "caffè" in (told.decode() if isinstance(told, bytes) else str(told))
    client.setReturnFormat(wrapper.JSON)
    client.setQuery(_ASK)
    assert client.queryAndConvert()["boolean"] is True
    for format in (wrapper.TURTLE, wrapper.RDFXML, wrapper.JSONLD, wrapper.N3):
        client.setQuery(_CONSTRUCT)
        client.setReturnFormat(format)
        got = client.queryAndConvert()
        assert "client:thing" in (got.decode() if isinstance(got, bytes) else got.serialize(format="nt"))
    client.setMethod(wrapper.POST)
    for way in (wrapper.URLENCODED, wrapper.POSTDIRECTLY):
        client.setRequestMethod(way)
        client.setQuery(_INSERT.replace("client:graph", "client:wrapped").replace("caffè", way))
        client.query()
        held = httpx.get(f"{address}/sparql/store", params={"graph": "urn:client:wrapped"}).text
        assert way in held


@pytest.mark.parametrize("method", ["GET", "POST", "POST_FORM"])
@pytest.mark.parametrize("format", ["json", "xml", "csv", "tsv"])
def test_rdflib_asks_a_store_over_the_network(address: str, method: str, format: str) -> None:
    graph = rdflib.Graph(SPARQLStore(f"{address}/sparql", method=method, returnFormat=format))
    rows = [str(row[0]) for row in graph.query(_SELECT)]  # type: ignore[index]
    assert "caffè" in rows
    thing = rdflib.URIRef("urn:client:thing")
    assert rdflib.Literal("caffè") in set(graph.objects(thing, rdflib.RDFS.label))


def test_rdflib_asks_for_graphs_and_truth_values(address: str) -> None:
    graph = rdflib.Graph(SPARQLStore(f"{address}/sparql", returnFormat="xml"))
    assert graph.query(_ASK).askAnswer is True
    assert len(graph.query(_CONSTRUCT).graph or ()) >= 1


def test_rdflib_writes_reads_and_takes_back(address: str) -> None:
    # Its own default is to ask for named graphs by the default dataset of the request.
    store = SPARQLUpdateStore(f"{address}/sparql", f"{address}/sparql/update", autocommit=True)
    dataset = rdflib.Dataset(store)
    graph = dataset.graph(rdflib.URIRef("urn:client:rdflib"))
    said = (rdflib.URIRef("urn:client:a"), rdflib.RDFS.label, rdflib.Literal("by rdflib", lang="en"))
    graph.add(said)
    assert set(graph) == {said}
    graph.remove(said)
    assert set(graph) == set()


@pytest.mark.parametrize(
    ("query", "accept", "media_type"),
    [
        (_SELECT, _RDF4J_ROWS, "application/sparql-results+json"),
        (_ASK, _RDF4J_BOOLEAN, "application/sparql-results+json"),
        (_CONSTRUCT, _RDF4J_GRAPH, "text/turtle"),
        (_SELECT, _JENA_ROWS, "application/sparql-results+json"),
        (_ASK, _JENA_BOOLEAN, "application/sparql-results+json"),
        (_CONSTRUCT, _JENA_GRAPH, "text/turtle"),
        (_SELECT, _BROWSER, "application/sparql-results+json"),
    ],
)
def test_the_accept_headers_of_rdf4j_jena_and_yasgui_are_understood(
    address: str, query: str, accept: str, media_type: str
) -> None:
    for extra in ({}, {"infer": "true", "timeout": "30"}):
        got = httpx.get(f"{address}/sparql", params={"query": query, **extra}, headers={"accept": accept})
        assert (got.status_code, got.headers["content-type"].partition(";")[0]) == (200, media_type)
        form = httpx.post(f"{address}/sparql", data={"query": query, **extra}, headers={"accept": accept, **_FORM})
        assert (form.status_code, form.text) == (200, got.text)


def test_a_graph_comes_and_goes_as_jena_and_rdf4j_send_it(address: str) -> None:
    store, name = f"{address}/sparql/store", {"graph": "urn:client:jena"}
    triples = '<urn:client:j> <urn:client:p> "\u00fc" .\n'
    put = httpx.put(
        store, params=name, content=triples.encode(), headers={"content-type": "application/n-triples; charset=utf-8"}
    )
    assert put.status_code == 201
    accept = {"accept": "application/rdf+thrift,text/turtle;q=0.9,*/*;q=0.1"}
    got = httpx.get(store, params=name, headers=accept)
    assert got.headers["content-type"].partition(";")[0] == "text/turtle"
    assert "ü" in got.text
    assert httpx.head(store, params=name).headers["etag"] == got.headers["etag"]
    assert httpx.delete(store, params=name).status_code == 204


def test_the_method_query_asks_without_changing_anything(address: str) -> None:
    sent = {"content-type": "application/sparql-query", "accept": "text/csv"}
    assert "caffè" in httpx.request("QUERY", f"{address}/sparql", content=_SELECT, headers=sent).text
    wrong = httpx.request("QUERY", f"{address}/sparql", content=_INSERT.encode(), headers=sent)
    assert wrong.status_code == 400
    assert httpx.request("QUERY", f"{address}/sparql", content=b"", headers={"content-type": "text/plain"}).status_code == 415


def test_yasgui_asks_from_another_origin(address: str) -> None:
    page = {"origin": "https://yasgui.example"}
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "content-type,x-requested-with"}
    preflight = httpx.options(f"{address}/sparql", headers=page | asked)
    allowed = preflight.headers["access-control-allow-headers"].lower()
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (204, "*")
    assert all(name in allowed for name in asked["access-control-request-headers"].split(","))
    answer = httpx.post(f"{address}/sparql", data={"query": _SELECT}, headers=page | {"accept": _BROWSER, **_FORM})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json()["results"]["bindings"][0]["l"]["value"] == "caffè"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_commands_that_people_type_work(address: str) -> None:
    def curl(*arguments: str, sent: str = "") -> str:
        done = subprocess.run(
            ["curl", "-sS", "--max-time", "30", *arguments], input=sent.encode(), capture_output=True, check=True
        )
        return done.stdout.decode()

    table = curl("-G", f"{address}/sparql", "--data-urlencode", f"query={_SELECT}", "-H", "Accept: text/csv").split()
    assert table[0] == "l"
    assert "caffè" in table
    assert json.loads(curl(f"{address}/sparql", "--data-urlencode", f"query={_ASK}"))["boolean"] is True
    direct = ["-H", "Content-Type: application/sparql-query", "--data-binary", "@-", f"{address}/sparql"]
    assert "caffè" in curl(*direct, sent=_SELECT)
    assert "sd:endpoint" in curl(f"{address}/sparql")
    turtle = ["-X", "PUT", "-H", "Content-Type: text/turtle", "--data-binary", "@-", "-w", "%{http_code}"]
    assert curl(*turtle, f"{address}/sparql/store?graph=urn:client:curl", sent="<urn:a> <urn:b> 1 .").endswith("201")
    assert "void:sparqlEndpoint" in curl(f"{address}/.well-known/void")
