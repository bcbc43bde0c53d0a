"""The W3C's SPARQL 1.1 tests of updates, over HTTP: what all graphs hold afterwards, and what does not parse."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pyoxigraph import NamedNode, Quad, RdfFormat

from tests.web.w3c_elsewhere import SYNTAX, Elsewhere
from tests.web.w3c_results import graph, graph_of
from tests.web.w3c_sparql import FOLDER, LABEL, MF, UT, Manifest, Node, same_graph, serving

_FOLDERS = (
    "add", "basic-update", "clear", "copy", "delete", "delete-data", "delete-insert", "delete-where", "drop", "move",
    "syntax-update-1", "syntax-update-2", "update-silent",
)  # fmt: skip
_KNOWN = tomllib.loads((Path(__file__).parent / "w3c_sparql.toml").read_text(encoding="utf-8"))
_BASE = "http://127.0.0.1:8321/"
_UNNAMED = ""
_ALL_GRAPHS = "SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }"


def _all(word: str) -> list[object]:
    if not FOLDER.is_dir():
        return [pytest.param("", None, None, False, marks=pytest.mark.skip("the W3C suite is not beside the repository"))]
    found: list[object] = []
    for folder in _FOLDERS:
        manifest = Manifest(FOLDER / folder / "manifest.ttl")
        for test, kind in manifest.tests():
            if word in kind:
                name = f"{folder}/{str(test).rpartition('#')[2].rstrip('>')}"
                found.append(pytest.param(name, manifest, test, kind.startswith("Negative"), id=name))
    return found


@pytest.fixture(scope="module", params=["memory", pytest.param("embedded", marks=pytest.mark.slow)])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    # Nothing is there to be loaded: an empty web.
    load_allowed = ("http://example.org/faraway", SYNTAX)
    with serving(
        tmp_path_factory.mktemp("w3c") / "data", Elsewhere().connect, store=request.param, load_allowed=load_allowed
    ) as (
        address,
        _,
    ):
        yield address


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=60) as client:
        yield client


def _update(client: httpx.Client, text: str) -> httpx.Response:
    return client.post("/sparql/update", content=text.encode(), headers={"content-type": "application/sparql-update"})


def _graphs(manifest: Manifest, state: Node) -> dict[str, list[NamedNode]]:
    """The files that each graph holds before or after a test, by the graph's IRI."""
    found: dict[str, list[NamedNode]] = {}
    for data in manifest.values(state, UT.data):
        assert isinstance(data, NamedNode)
        found.setdefault(_UNNAMED, []).append(data)
    for named in manifest.values(state, UT.graphData):
        assert not isinstance(named, str)
        file = manifest.node(named, UT.graph)  # type: ignore[arg-type]
        assert isinstance(file, NamedNode)
        found.setdefault(manifest.text(named, LABEL) or "", []).append(file)  # type: ignore[arg-type]
    return found


def _put(client: httpx.Client, name: str, path: Path) -> None:
    params = {"graph": name} if name else {"default": ""}
    put = client.post("/sparql/store", params=params, content=path.read_bytes(), headers={"content-type": "text/turtle"})
    assert put.status_code in (201, 204), put.text


def _held(client: httpx.Client, name: str) -> list[Quad]:
    got = client.get("/sparql/store", params={"graph": name} if name else {"default": ""}, headers={"accept": "text/turtle"})
    assert got.status_code == 200, got.text
    return graph(got.content, RdfFormat.TURTLE, _BASE, _BASE)


@pytest.mark.parametrize(("name", "manifest", "test", "bad"), _all("UpdateEvaluationTest"))
def test_an_update_leaves_all_graphs_as_the_suite_says(
    client: httpx.Client, name: str, manifest: Manifest, test: Node, bad: bool
) -> None:
    assert not bad
    assert _update(client, "DROP ALL").status_code == 200
    action, result = manifest.node(test, MF.action), manifest.node(test, MF.result)
    for graph_name, files in _graphs(manifest, action).items():
        for file in files:
            _put(client, graph_name, manifest.file(file))
    request = manifest.node(action, UT.request)
    assert isinstance(request, NamedNode)
    done = _update(client, manifest.file(request).read_text(encoding="utf-8"))
    wrong = "" if done.status_code == 200 else done.text
    if not wrong:
        expected = {
            graph_name: [
                quad for file in files for quad in graph_of(manifest.file(file), graph_name or f"{_BASE}graph/unnamed", _BASE)
            ]
            for graph_name, files in _graphs(manifest, result).items()
        }
        expected = {graph_name: quads for graph_name, quads in expected.items() if quads}
        listed = client.get("/sparql", params={"query": _ALL_GRAPHS}, headers={"accept": "text/csv"}).text.splitlines()[1:]
        held = {graph_name: _held(client, graph_name) for graph_name in ("", *listed)}
        held = {graph_name.removeprefix(f"{_BASE}graph/unnamed"): quads for graph_name, quads in held.items() if quads}
        if held.keys() != expected.keys() or not all(same_graph(held[one], expected[one]) for one in held):
            wrong = f"{held}\ninstead of\n{expected}"
    assert bool(wrong) is (name in _KNOWN["update"]), wrong or f"{name} passes and is listed as failing"


@pytest.mark.parametrize(("name", "manifest", "test", "bad"), _all("SyntaxTest"))
def test_what_is_no_update_is_refused_and_only_that(
    client: httpx.Client, name: str, manifest: Manifest, test: Node, bad: bool
) -> None:
    request = manifest.node(test, MF.action)
    assert isinstance(request, NamedNode)
    got = _update(client, f"BASE <{SYNTAX}>\n{manifest.file(request).read_text(encoding='utf-8')}")
    # 502: the text is SPARQL, and the document that it names is not there.
    assert got.status_code in (200, 400, 502)
    refused = got.status_code == 400 and not got.json()["detail"].startswith("The update cannot be carried out")
    wrong = "" if refused is bad else got.text
    assert bool(wrong) is (name in _KNOWN["update"]), wrong or f"{name} passes and is listed as failing"
