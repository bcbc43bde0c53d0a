"""The W3C's tests of the SPARQL 1.1 Protocol, the Graph Store Protocol and service descriptions, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from pyoxigraph import BlankNode, NamedNode, RdfFormat, parse

from tests.web.w3c_sparql import FOLDER, LABEL, UT, Manifest, Request, requests, same_graph, serving

_RESULTS = ("application/sparql-results+json", "application/sparql-results+xml")
_TYPES = {
    "boolean": _RESULTS,
    "tabular": (*_RESULTS, "text/csv", "text/tab-separated-values"),
    "RDF": ("text/turtle", "application/rdf+xml", "application/n-triples", "application/ld+json"),
}


def _all(*files: str) -> list[object]:
    if not FOLDER.is_dir():
        return [pytest.param(None, None, marks=pytest.mark.skip("the W3C suite is not beside the repository"))]
    found: list[object] = []
    for file in files:
        manifest = Manifest(FOLDER / file)
        found += [pytest.param(manifest, test, id=str(test).rpartition("#")[2].rstrip(">")) for test, _ in manifest.tests()]
    return found


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("w3c") / "data", store="memory") as (address, _):
        yield address


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=60) as client:
        emptied = client.post("/sparql/update", content="DROP ALL", headers={"content-type": "application/sparql-update"})
        assert emptied.status_code == 200
        yield client


def _fits(status: int, expected: tuple[str, ...]) -> bool:
    words = {"OK": 200, "Created": 201, "NoContent": 204, "NotFound": 404, "BadRequest": 400}
    return any(status // 100 == int(word[-3]) if word.startswith("StatusCode") else status == words[word] for word in expected)


def _sent(client: httpx.Client, request: Request, path: str) -> httpx.Response:
    return client.request(request.method, path, content=request.body, headers=request.headers)


@pytest.mark.parametrize(("manifest", "test"), _all("protocol/manifest.ttl"))
def test_the_protocol(client: httpx.Client, manifest: Manifest, test: NamedNode) -> None:
    for data in manifest.values(test, UT.graphData):
        assert isinstance(data, BlankNode)
        graph, name = manifest.node(data, UT.graph), manifest.text(data, LABEL)
        assert isinstance(graph, NamedNode)
        content = manifest.file(graph).read_bytes()
        put = client.put("/sparql/store", params={"graph": name}, content=content, headers={"content-type": "text/turtle"})
        assert put.status_code == 201
    for request in requests(manifest, test):
        updates = b"update=" in (request.body or b"") or "update=" in request.path or "using-" in request.path
        updates |= "sparql-update" in request.headers.get("content-type", "") or "update" in str(test).rpartition("#")[2][:10]
        asks = "sparql-query" in request.headers.get("content-type", "") or "query=" in request.path
        endpoint = "/sparql/update" if updates and not asks else "/sparql"
        answer = _sent(client, request, endpoint + request.path.removeprefix("/sparql").lstrip("/"))
        assert _fits(answer.status_code, request.statuses), answer.text
        if request.form is not None:
            assert answer.headers["content-type"].partition(";")[0] in _TYPES[request.form]
        if request.boolean is not None:
            assert answer.json()["boolean"] is request.boolean


@pytest.mark.parametrize(
    ("manifest", "test"), _all("graph-store-protocol/manifest-direct.ttl", "graph-store-protocol/manifest-indirect.ttl")
)
def test_the_graph_store_protocol(client: httpx.Client, manifest: Manifest, test: NamedNode) -> None:
    location = ""
    for request in requests(manifest, test):
        path = request.path.replace("/gsp", "/sparql/store", 1).replace("$LOCATION$", location)
        answer = _sent(client, request, path)
        assert _fits(answer.status_code, request.statuses), (request.method, path, answer.status_code, answer.text)
        if request.location is not None:
            location = answer.headers["location"]
        if request.graph is not None and request.method == "GET":
            media_type, body = request.graph
            format = RdfFormat.from_media_type(media_type.partition(";")[0])
            assert format is not None
            got = list(parse(answer.content, format=RdfFormat.TURTLE, base_iri="http://www.example/"))
            assert same_graph(got, list(parse(body, format=format, base_iri="http://www.example/")))


def test_the_service_describes_itself_in_rdf_at_the_address_that_was_asked(client: httpx.Client, address: str) -> None:
    if not FOLDER.is_dir():
        pytest.skip("the W3C suite is not beside the repository")
    tests = [
        str(test).rpartition("#")[2].rstrip(">") for test, _ in Manifest(FOLDER / "service-description/manifest.ttl").tests()
    ]
    assert tests == ["has-endpoint-triple", "returns-rdf", "conforms-to-schema"]
    for host in (address, address.replace("127.0.0.1", "localhost")):
        answer = client.get(f"{host}/sparql", headers={"accept": "text/turtle"})
        assert answer.headers["content-type"].partition(";")[0] == "text/turtle"
        triples = [quad.triple for quad in parse(answer.content, format=RdfFormat.TURTLE)]
        sd = "http://www.w3.org/ns/sparql-service-description#"
        endpoints = {triple.object for triple in triples if triple.predicate.value == f"{sd}endpoint"}
        assert NamedNode(f"{host}/sparql") in endpoints
        kinds = {triple.subject: triple.object for triple in triples if triple.predicate.value.endswith("#type")}
        service = (
            "endpoint",
            "supportedLanguage",
            "feature",
            "resultFormat",
            "inputFormat",
            "defaultDataset",
            "extensionFunction",
        )
        domains = dict.fromkeys(service, "Service") | {"defaultGraph": "Dataset", "namedGraph": "Dataset", "name": "NamedGraph"}
        for triple in triples:
            name = triple.predicate.value.removeprefix(sd)
            if triple.predicate.value.startswith(sd):
                assert kinds[triple.subject] == NamedNode(sd + domains[name]), name
