"""The W3C's SPARQL 1.1 tests of queries, over HTTP: what they answer, in every result format, and what does not parse."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pyoxigraph import Literal, NamedNode, RdfFormat, Store

from tests.web.w3c_elsewhere import ENDPOINTS, SYNTAX, Elsewhere, elsewhere
from tests.web.w3c_results import FORMATS, Row, answer, graph, graph_of, same_csv, same_rows, table_in
from tests.web.w3c_sparql import FOLDER, MF, QT, Manifest, Node, same_graph, serving

_FOLDERS = (
    "aggregates", "bind", "bindings", "cast", "construct", "csv-tsv-res", "exists", "functions", "grouping", "json-res",
    "negation", "project-expression", "property-path", "service", "subquery", "syntax-fed", "syntax-query",
)  # fmt: skip
_KNOWN = tomllib.loads((Path(__file__).parent / "w3c_sparql.toml").read_text(encoding="utf-8"))
_MIME = {".srx": "application/sparql-results+xml", ".srj": "application/sparql-results+json", ".csv": "text/csv",
         ".tsv": "text/tab-separated-values", ".ttl": "text/turtle"}  # fmt: skip
_ABSENT = "urn:absent"


def _tests() -> Iterator[tuple[str, Manifest, Node, str]]:
    for folder in _FOLDERS:
        manifest = Manifest(FOLDER / folder / "manifest.ttl")
        for test, kind in manifest.tests():
            yield f"{folder}/{str(test).rpartition('#')[2].rstrip('>')}", manifest, test, kind


def _all(*words: str) -> list[object]:
    """The tests whose kind contains one of `words`: name, manifest, node, and whether the text must be refused."""
    if not FOLDER.is_dir():
        return [pytest.param("", None, None, False, marks=pytest.mark.skip("the W3C suite is not beside the repository"))]
    found = [case for case in _tests() if any(word in case[3] for word in words)]
    return [pytest.param(*case[:3], case[3].startswith("Negative"), id=case[0]) for case in found]


@pytest.fixture(scope="module", params=["memory", pytest.param("embedded", marks=pytest.mark.slow)])
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A server that holds each data file of the suite as the graph of the file's IRI."""
    if not FOLDER.is_dir():
        pytest.skip("the W3C suite is not beside the repository")
    files: dict[NamedNode, Path] = {}
    for _, manifest, test, kind in _tests():
        if "Syntax" not in kind:
            for data in (*_data(manifest, test), *_graphs(manifest, test)):
                files[data] = manifest.file(data)
    folder = tmp_path_factory.mktemp("w3c") / "data"
    with (
        elsewhere() as web,
        serving(folder, web.connect, store=request.param, service_allowed=(*ENDPOINTS, SYNTAX)) as (address, _),
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        for name, path in files.items():
            headers = {"content-type": "application/rdf+xml" if path.suffix == ".rdf" else "text/turtle"}
            put = client.put("/sparql/store", params={"graph": name.value}, content=path.read_bytes(), headers=headers)
            assert put.status_code == 201, (path, put.text)
        client.elsewhere = web  # type: ignore[attr-defined]
        yield client


def _action(manifest: Manifest, test: Node) -> Node:
    return manifest.node(test, MF.action)


def _data(manifest: Manifest, test: Node) -> list[NamedNode]:
    return [node for node in manifest.values(_action(manifest, test), QT.data) if isinstance(node, NamedNode)]


def _graphs(manifest: Manifest, test: Node) -> list[NamedNode]:
    return [node for node in manifest.values(_action(manifest, test), QT.graphData) if isinstance(node, NamedNode)]


def _query(manifest: Manifest, test: Node) -> tuple[str, str]:
    """The query's text with its own address as BASE, as files have it; and that address."""
    action = _action(manifest, test)
    found = manifest.value(action, QT.query) or action
    assert isinstance(found, NamedNode)
    text = manifest.file(found).read_bytes().decode("utf-8")
    return f"BASE <{found.value}>\n{text}", found.value


def _asked(client: httpx.Client, manifest: Manifest, test: Node, accept: str, *, base: str = "") -> httpx.Response:
    text, own = _query(manifest, test)
    text = text.replace(f"BASE <{own}>", f"BASE <{base or own}>")
    _fill(client.elsewhere, manifest, test)  # type: ignore[attr-defined]
    default, named = _data(manifest, test), _graphs(manifest, test)
    pairs = [("default-graph-uri", node.value) for node in default] + [("named-graph-uri", node.value) for node in named]
    if not pairs and not re.search(r"\bFROM\b", text):
        pairs = [("default-graph-uri", _ABSENT)]
    return client.post(
        "/sparql", params=pairs, content=text.encode(), headers={"content-type": "application/sparql-query", "accept": accept}
    )


def _fill(web: Elsewhere, manifest: Manifest, test: Node) -> None:
    """Put the data of a test's endpoints where they are asked for."""
    web.stores.clear()
    for node in manifest.values(_action(manifest, test), QT.serviceData):
        assert not isinstance(node, Literal)
        endpoint, data = manifest.node(node, QT.endpoint), manifest.node(node, QT.data)
        assert isinstance(endpoint, NamedNode)
        assert isinstance(data, NamedNode)
        store = web.stores[endpoint.value.split("/")[2]] = Store()
        store.load(manifest.file(data).read_bytes(), format=RdfFormat.TURTLE, base_iri=data.value)


def _fits(client: httpx.Client, manifest: Manifest, test: Node) -> str:
    """What is wrong with our answer to an evaluation test, or nothing."""
    base = "http://127.0.0.1:8321/"
    expected = manifest.node(test, MF.result)
    assert isinstance(expected, NamedNode)
    path = manifest.file(expected)
    theirs: bool | list[Row] | None = None
    if path.suffix == ".ttl":
        theirs = table_in(graph_of(path, expected.value, base))
    got = _asked(client, manifest, test, _MIME[".srj" if theirs is not None else path.suffix])
    if got.status_code != 200:
        return f"{got.status_code}: {got.json()['detail']}"
    if path.suffix == ".csv":
        return "" if same_csv(got.content, path.read_bytes(), base) else got.text
    if path.suffix == ".ttl" and theirs is None:
        ours = graph(got.content, RdfFormat.TURTLE, expected.value, base)
        return "" if same_graph(ours, graph_of(path, expected.value, base)) else got.text
    told = answer(got.content, FORMATS.get(path.suffix, FORMATS[".srj"]), base)
    if theirs is None:
        theirs = answer(path.read_bytes(), FORMATS[path.suffix], base)
    if isinstance(told, bool) or isinstance(theirs, bool):
        return "" if told is theirs else got.text
    return "" if same_rows(told, theirs) else f"{told}\ninstead of\n{theirs}"


@pytest.mark.parametrize(("name", "manifest", "test", "bad"), _all("QueryEvaluationTest", "CSVResultFormatTest"))
def test_a_query_is_answered_as_the_suite_says(
    client: httpx.Client, name: str, manifest: Manifest, test: Node, bad: bool
) -> None:
    assert not bad
    wrong = _fits(client, manifest, test)
    assert bool(wrong) is (name in _KNOWN["query"]), wrong or f"{name} passes and is listed as failing"


@pytest.mark.parametrize(("name", "manifest", "test", "bad"), _all("SyntaxTest"))
def test_what_is_no_sparql_is_refused_and_only_that(
    client: httpx.Client, name: str, manifest: Manifest, test: Node, bad: bool
) -> None:
    got = _asked(client, manifest, test, "*/*", base=SYNTAX)
    # 502: the text is SPARQL, and the server that it asks is not there.
    assert got.status_code in (200, 400, 502)
    # An unknown function, say, is an error of evaluation: the text is SPARQL.
    refused = got.status_code == 400 and not got.json()["detail"].startswith("The query cannot be evaluated")
    wrong = "" if refused is bad else got.text
    assert bool(wrong) is (name in _KNOWN["query"]), wrong or f"{name} passes and is listed as failing"


def test_the_documentation_names_every_test_that_fails_and_why() -> None:
    told = (Path(__file__).resolve().parents[2] / "docs" / "conformance.md").read_text(encoding="utf-8")
    listed = {**_KNOWN["query"], **_KNOWN["update"]}
    assert set(listed.values()) == set(_KNOWN["causes"])
    for cause, words in _KNOWN["causes"].items():
        named = ", ".join(f"`{name}`" for name in listed if listed[name] == cause)
        assert f"| {named} | {words} |" in told
    if not FOLDER.is_dir():
        return
    names: dict[str, set[str]] = {"evaluation": set(), "syntax": set()}
    for name, _, _, kind in _tests():
        names["syntax" if "Syntax" in kind else "evaluation"].add(name)
    for row, group in (
        ("query evaluation, with CSV, TSV and JSON results", names["evaluation"]),
        ("query syntax, with federated queries'", names["syntax"]),
    ):
        assert f"| {row} | {len(group - _KNOWN['query'].keys())} of {len(group)} |" in told
