"""Nobody gets at hidden statements by SPARQL: two services that differ only in what is hidden answer alike, whatever is asked.

One twin holds a hidden record that the requests name in every way the grammar allows; the other holds a hidden record about
other things. Status, headers and bodies must be the same. Times are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from headwater.app import Headwater
from headwater.settings import Settings
from tests.web.conftest import BASE, PREFIXES, Client

_THING, _GRAPH, _TEXT, _WORD = "urn:hidden:thing", "urn:hidden:record", "embargoed-4711", "urn:hidden:word"
_PREFIXES = PREFIXES.replace(" .\n", "\n").replace("@prefix", "PREFIX")
_STATE = "https://w3id.org/headwater/terms#store-state"
_HIDDEN = {
    "record": _GRAPH,
    "entailed": f"{_GRAPH}#entailed",
    "internal view": f"{BASE}view/internal",
    "project view": f"{BASE}view/project/secret",
    "state": _STATE,
}


class Twin(NamedTuple):
    """One of the two services, and a client with its token for each kind of reader."""

    headwater: Headwater
    tokens: dict[str, str]
    client: Client

    def send(self, reader: str, method: str, url: str, **more: object) -> httpx.Response:
        headers = dict(more.pop("headers", {}))  # type: ignore[call-overload]
        if self.tokens.get(reader):
            headers["Authorization"] = f"Bearer {self.tokens[reader]}"
        return self.client.request(method, url, headers=headers, **more)


def _record(thing: str, word: str, text: str) -> str:
    return (
        f'<{thing}> a hw:Dataset ; rdfs:label "{text}" ; <{word}> "{text}" , <{thing}:part> .'
        f"<{thing}> prov:wasDerivedFrom <urn:seen:thing> . <{thing}:part> prov:wasDerivedFrom <{thing}> . "
        f"<urn:seen:thing> <{word}> <{thing}> ."
    )


def _twin(folder: Path, level: str, hidden: str) -> Headwater:
    """Both hold a public, an internal and a project's record; `hidden` is the one that is not the same."""
    headwater = Headwater.open(Settings(data=folder / "data", store="memory", base_iri=BASE, requests_per_minute=0))
    admin = headwater.reader(None, loopback=True)
    for name, visibility in (("seen", "public"), ("staff", "internal"), ("team", "project:secret")):
        text = f"INSERT DATA {{ GRAPH <urn:{name}> {{ <urn:{name}:thing> a hw:Dataset ; rdfs:label '{name}' }} }}"
        headwater.update(f"{_PREFIXES}\n{text}", admin, visibility=visibility)
    words = (_THING, _WORD, _TEXT) if hidden == _GRAPH else ("urn:b:thing", "urn:b:word", "other-text")
    headwater.update(f"{_PREFIXES}\nINSERT DATA {{ GRAPH <{hidden}> {{ {_record(*words)} }} }}", admin, visibility=level)
    return headwater


@pytest.fixture(scope="module", params=["internal", "project:secret"])
def twins(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Twin, Twin]]:
    made = []
    for name, hidden in (("a", _GRAPH), ("b", "urn:b:record")):
        headwater = _twin(tmp_path_factory.mktemp(name), request.param, hidden)
        tokens = {scope: headwater.tokens.create(scope, scope) for scope in ("read", "write", "admin")}
        made.append(Twin(headwater, tokens, Client(headwater, peer="203.0.113.9", host="lab.example")))
    yield request.param, made[0], made[1]
    for twin in made:
        twin.headwater.close()


def _readers(level: str) -> tuple[str, ...]:
    """Those who may not see what is hidden."""
    return ("anonymous",) if level == "internal" else ("anonymous", "read", "write")


def _alike(one: httpx.Response, other: httpx.Response, about: object) -> None:
    # How long it took is told on pages, and is another time each time.
    bodies = [re.sub(rb"(less than )?\d+\.\d\d s ", b"", answer.content) for answer in (one, other)]
    assert (one.status_code, bodies[0]) == (other.status_code, bodies[1]), about
    headers = [
        sorted((name, "" if name == "content-length" and len(body) < len(answer.content) else value) for name, value in items)
        for answer, body, items in zip(
            (one, other), bodies, (one.headers.multi_items(), other.headers.multi_items()), strict=True
        )
    ]
    assert headers[0] == headers[1], about
    assert _TEXT.encode() not in one.content, about


_QUERIES = [
    "SELECT * { ?s ?p ?o }",
    f"SELECT * {{ <{_THING}> ?p ?o }}",
    f"SELECT * {{ ?s ?p <{_THING}> }}",
    f"SELECT * {{ ?s <{_WORD}> ?o }}",
    f"SELECT * {{ ?s ?p ?o FILTER(STR(?o) = '{_TEXT}') }}",
    f"SELECT (COUNT(*) AS ?n) {{ ?s <{_WORD}> ?o }}",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }",
    "SELECT (COUNT(DISTINCT ?s) AS ?n) (GROUP_CONCAT(STR(?o)) AS ?all) { ?s ?p ?o }",
    "SELECT (COUNT(DISTINCT ?g) AS ?n) { GRAPH ?g { ?s ?p ?o } }",
    "SELECT (COUNT(DISTINCT ?g) AS ?n) { GRAPH ?g { } }",
    "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g",
    "SELECT * { GRAPH ?g { ?s ?p ?o } }",
    "SELECT * { GRAPH ?g { } }",
    "SELECT * { GRAPH ?g { { SELECT (COUNT(*) AS ?n) { ?s ?p ?o } } } }",
    f"SELECT * {{ GRAPH ?g {{ <{_THING}> ?p ?o }} }}",
    f"SELECT * {{ {{ SELECT * {{ {{ SELECT ?s {{ ?s <{_WORD}> ?o }} }} }} }} }}",
    f"SELECT * {{ ?s ?p ?o FILTER EXISTS {{ ?x <{_WORD}> ?y }} }}",
    f"SELECT * {{ ?s ?p ?o FILTER NOT EXISTS {{ <{_THING}> ?q ?y }} }}",
    f"SELECT * {{ ?s ?p ?o MINUS {{ ?s <{_WORD}> ?x }} }}",
    f"SELECT * {{ ?s ?p ?o OPTIONAL {{ ?x <{_WORD}> ?s }} }}",
    f"SELECT * {{ ?s ?p ?o {{ }} UNION {{ ?s <{_WORD}> ?o }} }}",
    f"SELECT * {{ VALUES ?x {{ <{_THING}> }} ?x ?p ?o }}",
    f"SELECT * {{ BIND(<{_THING}> AS ?x) OPTIONAL {{ ?x ?p ?o }} }}",
    f"SELECT * {{ BIND(EXISTS {{ ?x <{_WORD}> ?y }} AS ?there) }}",
    f"SELECT * {{ <{_THING}> <urn:none>* ?x }}",
    f"SELECT * {{ <{_THING}> (<urn:none>|!<urn:none>)* ?x }}",
    f"SELECT * {{ <urn:seen:thing> (<{_WORD}>|^<{_WORD}>)+ ?x }}",
    "SELECT * { <urn:seen:thing> !(<urn:none>|^<urn:none>) ?x }",
    "SELECT * { <urn:seen:thing> ^!<urn:none>? ?x }",
    "SELECT * { ?x <urn:none>* ?y }",
    "SELECT * { ?x <urn:none>? ?y }",
    f"SELECT * {{ LATERAL {{ ?s <{_WORD}> ?o }} }}",
    f"ASK {{ <{_THING}> ?p ?o }}",
    f"ASK {{ ?s <{_WORD}> ?o }}",
    f"ASK {{ <{_THING}> <urn:none>* <{_THING}> }}",
    f"ASK {{ GRAPH ?g {{ <{_THING}> <urn:none>? <{_THING}> }} }}",
    f"DESCRIBE <{_THING}>",
    f"DESCRIBE ?x {{ ?x <{_WORD}> ?y }}",
    "DESCRIBE ?s { ?s ?p ?o }",
    "DESCRIBE <urn:seen:thing>",
    "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }",
    f"CONSTRUCT WHERE {{ ?s <{_WORD}> ?o }}",
    f"CONSTRUCT {{ <urn:x> <urn:n> ?n }} WHERE {{ SELECT (COUNT(*) AS ?n) {{ ?s <{_WORD}> ?o }} }}",
    f"SELECT * {{ SERVICE <{BASE}sparql> {{ ?s ?p ?o }} }}",
    f"SELECT (<{_THING}>(?s) AS ?x) {{ ?s ?p ?o }}",
    *(
        f"PREFIX hw: <https://w3id.org/headwater/terms#> {query}"
        for query in (
            "SELECT * { ?x hw:downstreamOf <urn:seen:thing> }",
            "SELECT (COUNT(*) AS ?n) { ?x hw:downstreamOf <urn:seen:thing> }",
            "SELECT * { ?x hw:downstreamOf [ hw:of <urn:seen:thing> ; hw:distance ?d ; hw:role ?r ] }",
            "SELECT * { ?x hw:downstreamOf ?y . ?y a hw:Dataset }",
            "SELECT * FROM <urn:seen> { ?x hw:downstreamOf <urn:seen:thing> }",
            "SELECT * { ?x hw:impactedBy <urn:seen:thing> }",
            f"SELECT * {{ ?x hw:impactedBy <{_THING}> }}",
            f"SELECT * {{ ?x hw:upstreamOf <{_THING}> }}",
            f"SELECT * {{ ?x hw:downstreamOf <{_THING}> }}",
            f"ASK {{ <{_THING}> hw:downstreamOf <urn:seen:thing> }}",
        )
    ),
    f"SELECT * {{ ?s <{_WORD}> ?o . ?s !!! }}",
]
_IN_GRAPH = [
    "SELECT * {{ GRAPH <{g}> {{ ?s ?p ?o }} }}",
    "SELECT * {{ GRAPH <{g}> {{ }} }}",
    "ASK {{ GRAPH <{g}> {{ }} }}",
    "ASK {{ GRAPH <{g}> {{ ?x <urn:none>* ?x }} }}",
    "SELECT * {{ VALUES ?g {{ <{g}> }} GRAPH ?g {{ ?s ?p ?o }} }}",
    "SELECT * {{ BIND(<{g}> AS ?g) GRAPH ?g {{ }} }}",
    "SELECT * {{ GRAPH <{g}> {{ {{ SELECT (COUNT(*) AS ?n) {{ ?s ?p ?o }} }} }} }}",
    "SELECT * {{ ?a ?b ?c FILTER EXISTS {{ GRAPH <{g}> {{ ?s ?p ?o }} }} }}",
    "SELECT * {{ ?a ?b ?c MINUS {{ GRAPH <{g}> {{ ?a ?b ?o }} }} }}",
    "SELECT * FROM <{g}> {{ ?s ?p ?o }}",
    "SELECT * FROM NAMED <{g}> {{ GRAPH ?g {{ ?s ?p ?o }} }}",
    "SELECT * FROM NAMED <{g}> {{ GRAPH ?g {{ }} }}",
    "SELECT * FROM <{g}> FROM NAMED <{g}> {{ GRAPH <{g}> {{ ?s ?p ?o }} ?a ?b ?c }}",
    "PREFIX g: <{g}> SELECT * FROM g: {{ ?s ?p ?o }}",
    "BASE <{g}> SELECT * FROM <> FROM NAMED <> {{ ?s ?p ?o }}",
    "DESCRIBE <urn:seen:thing> FROM <{g}>",
    "CONSTRUCT {{ ?s ?p ?o }} FROM <{g}> WHERE {{ ?s ?p ?o }}",
    "CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH <{g}> {{ ?s ?p ?o }} }}",
    "DESCRIBE <{g}>",
]


def _asked(twins: tuple[str, Twin, Twin], **more: object) -> None:
    level, one, other = twins
    # What somebody else was told before must not be told again to another.
    one.send("admin", "GET", "/sparql", **more)
    for reader in _readers(level):
        _alike(*(twin.send(reader, "GET", "/sparql", **more) for twin in (one, other)), (reader, more))


@pytest.mark.parametrize("query", _QUERIES)
def test_no_query_tells_what_is_hidden(twins: tuple[str, Twin, Twin], query: str) -> None:
    _asked(twins, params={"query": query})


def test_a_text_that_ends_in_the_names_of_levels_is_not_taken_for_a_text_of_somebody_who_sees_them(
    twins: tuple[str, Twin, Twin],
) -> None:
    level, one, other = twins
    text = "SELECT * FROM <urn:seen> { ?x <https://w3id.org/headwater/terms#downstreamOf> <urn:seen:thing> }"
    told = one.send("admin", "GET", "/sparql", params={"query": text})
    assert _THING in told.text
    for levels in ("internal", "project:secret", "internal\nproject:secret", "internal\nproject:secret\npublic"):
        for reader in _readers(level):
            asked = {"query": f"{text}\n{levels}"}
            _alike(*(twin.send(reader, "GET", "/sparql", params=asked) for twin in (one, other)), (reader, levels))


@pytest.mark.parametrize("graph", _HIDDEN.values(), ids=_HIDDEN.keys())
@pytest.mark.parametrize("query", _IN_GRAPH)
def test_naming_a_hidden_graph_in_the_query_is_naming_none(twins: tuple[str, Twin, Twin], query: str, graph: str) -> None:
    level, *_ = twins
    if graph.endswith("view/internal") and level != "internal":
        return  # every reader with a token sees the internal view
    _asked(twins, params={"query": query.format(g=graph)})


@pytest.mark.parametrize("parameter", ["default-graph-uri", "named-graph-uri"])
@pytest.mark.parametrize("graph", _HIDDEN.values(), ids=_HIDDEN.keys())
def test_naming_a_hidden_graph_in_the_request_is_naming_none(twins: tuple[str, Twin, Twin], parameter: str, graph: str) -> None:
    for query in ("SELECT * { ?s ?p ?o }", "SELECT * { GRAPH ?g { ?s ?p ?o } }", "SELECT * { GRAPH ?g { } }", "ASK { ?x ?y ?z }"):
        _asked(twins, params={"query": query, parameter: graph})
        both = "DESCRIBE <urn:seen:thing> FROM <urn:seen> FROM NAMED <" + graph + ">"
        _asked(twins, params={"query": both, parameter: graph})


@pytest.mark.parametrize("accept", ["text/html", "text/csv", "application/sparql-results+xml", "text/tab-separated-values"])
def test_no_format_tells_more(twins: tuple[str, Twin, Twin], accept: str) -> None:
    for query in (_QUERIES[0], _QUERIES[3], _QUERIES[11], _QUERIES[-1]):
        _asked(twins, params={"query": query}, headers={"accept": accept})


def test_who_may_see_what_is_hidden_is_told_it_by_the_same_requests(twins: tuple[str, Twin, Twin]) -> None:
    _, one, _ = twins
    for params in (
        {"query": _QUERIES[3]},
        {"query": _QUERIES[11]},
        {"query": f"DESCRIBE <{_THING}>"},
        {"query": _IN_GRAPH[0].format(g=_GRAPH)},
        {"query": _IN_GRAPH[9].format(g=_GRAPH)},
        {"query": _QUERIES[0], "default-graph-uri": _GRAPH},
        {"query": _QUERIES[11], "named-graph-uri": _GRAPH},
    ):
        assert _TEXT in one.send("admin", "GET", "/sparql", params=params).text, params
    assert _TEXT in one.send("admin", "GET", "/sparql/store", params={"graph": _GRAPH}).text


def test_neither_the_service_description_nor_the_lists_of_graphs_tell(twins: tuple[str, Twin, Twin]) -> None:
    level, one, other = twins
    for reader in _readers(level):
        for path in ("/sparql", "/.well-known/void"):
            _alike(*(twin.send(reader, "GET", path, headers={"accept": "text/turtle"}) for twin in (one, other)), path)


@pytest.mark.parametrize("graph", _HIDDEN.values(), ids=_HIDDEN.keys())
def test_the_graph_store_knows_no_hidden_graph(twins: tuple[str, Twin, Twin], graph: str) -> None:
    level, one, other = twins
    head = one.headwater.ledger.head(_GRAPH)
    assert head is not None
    etag = f'"{head.digest}"'
    for reader in _readers(level):
        for method in ("GET", "HEAD"):
            for headers in ({}, {"if-none-match": etag}, {"if-none-match": "*"}, {"if-match": etag}):
                answers = [
                    twin.send(reader, method, "/sparql/store", params={"graph": graph}, headers=headers) for twin in (one, other)
                ]
                assert answers[0].status_code == 404
                _alike(*answers, (reader, method, headers))
        for method, headers in (
            ("DELETE", {}),
            ("DELETE", {"if-match": etag}),
            ("PUT", {"if-match": etag}),
            ("POST", {"if-match": etag}),
        ):
            sent = {**headers, "content-type": "text/turtle"}
            answers = [
                twin.send(reader, method, "/sparql/store", params={"graph": graph}, headers=sent, content="<urn:a> <urn:b> 1 .")
                for twin in (one, other)
            ]
            assert answers[0].status_code in (400, 401, 403, 404, 412, 422), answers[0].text
            _alike(*answers, (reader, method, headers))


_PROBES = [
    "INSERT {{ ?s ?p ?o }} WHERE {{ GRAPH <{g}> {{ ?s ?p ?o }} }}",
    "INSERT {{ ?s ?p ?o }} WHERE {{ GRAPH ?g {{ ?s ?p ?o }} FILTER(?g = <{g}>) }}",
    "INSERT {{ GRAPH <urn:copy> {{ ?s ?p ?o }} }} USING <{g}> WHERE {{ ?s ?p ?o }}",
    "INSERT {{ GRAPH <urn:copy> {{ ?s ?p ?o }} }} USING NAMED <{g}> WHERE {{ GRAPH ?g {{ ?s ?p ?o }} }}",
    "INSERT {{ GRAPH <urn:copy> {{ <urn:n> <urn:n> ?n }} }} USING <{g}> WHERE {{ SELECT (COUNT(*) AS ?n) {{ ?s ?p ?o }} }}",
    "WITH <{g}> INSERT {{ GRAPH <urn:copy> {{ ?s ?p ?o }} }} WHERE {{ ?s ?p ?o }}",
    "INSERT {{ <urn:a> <urn:b> <urn:c> }} WHERE {{ FILTER EXISTS {{ GRAPH <{g}> {{ ?s ?p ?o }} }} }}",
    "WITH <{g}> DELETE {{ ?s ?p ?o }} WHERE {{ ?s ?p ?o }}",
    "DELETE WHERE {{ GRAPH <{g}> {{ ?s ?p ?o }} }}",
    "DELETE DATA {{ GRAPH <{g}> {{ <" + _THING + "> <" + _WORD + "> '" + _TEXT + "' }} }}",
    "COPY <{g}> TO <urn:copy>",
    "COPY <{g}> TO DEFAULT",
    "MOVE <{g}> TO <urn:copy>",
    "ADD <{g}> TO <urn:copy>",
    "ADD SILENT <{g}> TO <urn:copy>",
    "CLEAR GRAPH <{g}>",
    "DROP GRAPH <{g}>",
    "DROP SILENT GRAPH <{g}>",
    "BASE <{g}> COPY <> TO <urn:copy>",
]


@pytest.mark.parametrize("graph", _HIDDEN.values(), ids=_HIDDEN.keys())
@pytest.mark.parametrize("text", _PROBES)
def test_no_update_copies_clears_or_senses_a_hidden_graph(twins: tuple[str, Twin, Twin], text: str, graph: str) -> None:
    level, one, other = twins
    if level == "internal" or graph.endswith("view/internal"):
        return  # every writer sees what is internal
    before = one.headwater.ledger.head(_GRAPH)
    sent = {"content-type": "application/sparql-update"}
    answers = [twin.send("write", "POST", "/sparql/update", content=text.format(g=graph), headers=sent) for twin in (one, other)]
    _alike(*answers, text)
    for query in ("SELECT * { GRAPH <urn:copy> { ?s ?p ?o } }", "SELECT * { ?s ?p ?o }"):
        _alike(*(twin.send("write", "GET", "/sparql", params={"query": query}) for twin in (one, other)), text)
    assert one.headwater.ledger.head(_GRAPH) == before


@pytest.mark.parametrize("parameter", ["using-graph-uri", "using-named-graph-uri"])
def test_a_dataset_of_the_request_shows_an_update_nothing_hidden(twins: tuple[str, Twin, Twin], parameter: str) -> None:
    level, one, other = twins
    if level == "internal":
        return  # every writer sees what is internal
    text = "INSERT { GRAPH <urn:copy> { ?s ?p ?o } } WHERE { { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } }"
    for graph in (_GRAPH, f"{_GRAPH}#entailed", f"{BASE}view/project/secret", _STATE):
        sent = {"params": {parameter: graph}, "headers": {"content-type": "application/sparql-update"}, "content": text}
        _alike(*(twin.send("write", "POST", "/sparql/update", **sent) for twin in (one, other)), graph)
        held = "SELECT * { GRAPH <urn:copy> { ?s ?p ?o } }"
        _alike(*(twin.send("write", "GET", "/sparql", params={"query": held}) for twin in (one, other)), graph)


def test_writing_a_graph_of_a_hidden_name_is_refused_without_a_word_about_what_it_holds(twins: tuple[str, Twin, Twin]) -> None:
    """That a name is taken must be said, or somebody's record would be overwritten; nothing else is."""
    level, one, _ = twins
    if level == "internal":
        return  # every writer sees what is internal
    before = one.headwater.ledger.head(_GRAPH)
    assert before is not None
    turtle, update = {"content-type": "text/turtle"}, {"content-type": "application/sparql-update"}
    answers = [
        one.send("write", method, "/sparql/store", params={"graph": _GRAPH}, headers=turtle, content="<urn:a> <urn:b> 1 .")
        for method in ("PUT", "POST")
    ]
    for text in (
        "INSERT DATA { GRAPH <%s> { <urn:a> <urn:b> 1 } }",
        "COPY <urn:seen> TO <%s>; INSERT DATA { GRAPH <%s> { <urn:a> <urn:b> 1 } }",
    ):
        filled = text.replace("%s", _GRAPH).replace("COPY", "COPY SILENT")
        answers.append(one.send("write", "POST", "/sparql/update", headers=update, content=filled))
    for answer in answers:
        assert (answer.status_code, answer.json()["detail"]) == (409, f"The name <{_GRAPH}> is taken.")
        assert not any(word in answer.text for word in (_TEXT, _THING, "secret", "project"))
    assert one.headwater.ledger.head(_GRAPH) == before
