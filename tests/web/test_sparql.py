"""The SPARQL endpoint: the three ways of the protocol, every format, and what it must refuse."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from pyoxigraph import QueryResultsFormat, RdfFormat, parse, parse_query_results

from headwater.access.reader import ANONYMOUS
from headwater.app import Headwater
from headwater.settings import Settings
from headwater.terms.glossary import terms
from tests.web.conftest import BASE, Client

SELECT = "PREFIX hw: <https://w3id.org/headwater/terms#> SELECT ?m WHERE { ?m a hw:Model }"
CONSTRUCT = "PREFIX hw: <https://w3id.org/headwater/terms#> CONSTRUCT { ?m a hw:Model } WHERE { ?m a hw:Model }"


def _url(query: str, more: str = "") -> str:
    return f"/sparql?query={quote(query)}{more}"


@pytest.mark.parametrize(
    "media_type",
    ["application/sparql-results+json", "application/sparql-results+xml", "text/tab-separated-values"],
)
def test_a_selection_comes_in_the_format_asked_for(lab: Client, media_type: str) -> None:
    answer = lab.get(_url(SELECT), accept=media_type)
    assert answer.headers["content-type"].partition(";")[0] == media_type
    format = QueryResultsFormat.from_media_type(media_type)
    assert format is not None
    rows = list(parse_query_results(answer.content, format=format))  # type: ignore[arg-type]
    assert f"{BASE}id/model/svm" in {row["m"].value for row in rows}  # type: ignore[index, union-attr]


def test_a_selection_comes_as_csv(lab: Client) -> None:
    assert lab.get(_url(SELECT), accept="text/csv").text.splitlines() == ["m", f"{BASE}id/model/svm"]


@pytest.mark.parametrize(
    "media_type",
    [
        "text/turtle",
        "application/n-triples",
        "application/rdf+xml",
        "application/ld+json",
        "application/trig",
        "application/n-quads",
    ],
)
def test_a_graph_comes_in_the_syntax_asked_for(lab: Client, media_type: str) -> None:
    answer = lab.get(_url(CONSTRUCT), accept=media_type)
    assert answer.headers["content-type"].partition(";")[0] == media_type
    format = RdfFormat.from_media_type(media_type)
    assert format is not None
    assert len(list(parse(answer.content, format=format))) == 1


def test_the_three_ways_to_ask_agree(lab: Client) -> None:
    got = lab.get(_url(SELECT)).json()
    form = lab.post("/sparql", f"query={quote(SELECT)}", "application/x-www-form-urlencoded").json()
    direct = lab.post("/sparql", SELECT, "application/sparql-query; charset=utf-8").json()
    assert got == form == direct


def test_ask_answers_with_a_truth_value(lab: Client) -> None:
    assert lab.get(_url("ASK { ?s ?p ?o }")).json()["boolean"] is True


def test_wildcards_and_exclusions_are_heeded(lab: Client) -> None:
    assert lab.get(_url(SELECT), accept="application/*").headers["content-type"].startswith("application/sparql-results+json")
    excluded = lab.get(_url(SELECT), accept="application/sparql-results+json;q=0, application/json;q=0, */*;q=0.1")
    assert excluded.headers["content-type"].startswith("application/sparql-results+xml")
    assert lab.get(_url(SELECT), accept="image/png").status_code == 406
    assert lab.get(_url(CONSTRUCT), accept="text/csv").status_code == 406


def test_format_goes_before_accept(lab: Client) -> None:
    assert lab.get(_url(SELECT, "&format=csv"), accept="text/html").headers["content-type"].startswith("text/csv")


@pytest.mark.parametrize("comment", ["# CONSTRUCT\n", "BASE <urn:x/> ", "PREFIX select: <urn:SELECT/> "])
def test_the_form_of_a_query_is_read_past_its_prologue(lab: Client, comment: str) -> None:
    assert lab.get(_url(comment + CONSTRUCT)).headers["content-type"].startswith("text/turtle")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("SELECT nonsense", 400),
        ("", 400),
        ("SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }", 400),
        ("SELECT * { { SELECT * { SERVICE SILENT <http://127.0.0.1:1/> { ?s ?p ?o } } } }", 400),
        ("INSERT DATA { <urn:a> <urn:b> <urn:c> }", 400),
        ("SELECT * { ?s ?p " + "x" * 200_000 + " }", 413),
    ],
)
def test_a_query_that_must_not_run_is_refused(lab: Client, query: str, status: int) -> None:
    answer = lab.post("/sparql", query, "application/sparql-query")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_what_the_protocol_forbids_is_refused(lab: Client) -> None:
    assert lab.get(_url(SELECT, f"&query={quote(SELECT)}")).status_code == 400
    assert lab.post(f"/sparql?query={quote(SELECT)}", SELECT, "application/sparql-query").status_code == 400
    assert lab.post("/sparql", "update=CLEAR+ALL", "application/x-www-form-urlencoded").status_code == 400
    assert lab.post("/sparql", "", "application/x-www-form-urlencoded").status_code == 400
    assert lab.post("/sparql", SELECT, "text/plain").status_code == 415
    assert lab.post("/sparql", b"\xff\xfe", "application/sparql-query").status_code == 400
    assert lab.request("PUT", "/sparql").status_code == 405


def test_a_bare_get_describes_the_service(lab: Client) -> None:
    answer = lab.get("/sparql")
    said = {str(quad.predicate.value) for quad in parse(answer.content, format=RdfFormat.TURTLE)}
    assert "http://www.w3.org/ns/sparql-service-description#endpoint" in said
    assert "http://www.w3.org/ns/sparql-service-description#resultFormat" in said


def test_a_browser_gets_the_form_and_then_the_answer_under_it(lab: Client) -> None:
    assert "<textarea" in lab.get("/sparql", accept="text/html").text
    assert "1 row<" in lab.get(_url(SELECT), accept="text/html").text
    wrong = lab.get(_url("SELECT nonsense"), accept="text/html")
    assert (wrong.status_code, "SELECT nonsense" in wrong.text) == (400, True)


def test_a_stranger_queries_only_what_is_public(lab: Client, stranger: Client) -> None:
    query = "SELECT ?l { ?s <http://www.w3.org/2000/01/rdf-schema#label> ?l FILTER(?l = 'embargoed') }"
    assert len(lab.get(_url(query)).json()["results"]["bindings"]) == 1
    assert stranger.get(_url(query)).json()["results"]["bindings"] == []
    anywhere = "SELECT ?l { GRAPH ?g { ?s <http://www.w3.org/2000/01/rdf-schema#label> ?l } FILTER(?l = 'embargoed') }"
    assert stranger.get(_url(anywhere)).json()["results"]["bindings"] == []


def test_the_request_may_name_the_graphs_and_goes_before_the_query(lab: Client) -> None:
    record = next(iter(lab.headwater.visible_graphs(ANONYMOUS)))
    asked = "SELECT (COUNT(*) AS ?n) {} {{ ?s ?p ?o }}"
    whole = lab.get(_url(asked.format("")), accept="text/csv").text.split()[1]
    one = lab.get(_url(asked.format(""), f"&default-graph-uri={quote(record)}"), accept="text/csv").text.split()[1]
    own = lab.get(_url(asked.format(f"FROM <{record}>")), accept="text/csv").text.split()[1]
    none = lab.get(_url(asked.format(f"FROM <{record}>"), "&default-graph-uri=urn:x"), accept="text/csv").text.split()[1]
    assert 0 < int(one) == int(own) < int(whole)
    assert none == "0"


def test_a_named_graph_is_there_only_if_it_is_asked_for(lab: Client) -> None:
    record = next(iter(lab.headwater.visible_graphs(ANONYMOUS)))
    asked = "SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }"
    assert record in lab.get(_url(asked), accept="text/csv").text
    assert record in lab.get(_url(asked, f"&named-graph-uri={quote(record)}"), accept="text/csv").text
    assert record not in lab.get(_url(asked, "&named-graph-uri=urn:x"), accept="text/csv").text
    assert record not in lab.get(_url(asked.replace("{", "FROM NAMED <urn:x> {", 1)), accept="text/csv").text


def test_an_answer_names_the_state_that_it_speaks_of(lab: Client) -> None:
    assert int(lab.get(_url(SELECT)).headers["headwater-sequence"]) == lab.headwater.sequence > 0


def test_asking_again_is_answered_from_memory_until_something_is_written(lab: Client) -> None:
    asked = _url(SELECT + " # kept")
    first = lab.get(asked, accept="text/csv")
    hits = lab.headwater.kept_answers.hits
    assert lab.get(asked, accept="text/csv").text == first.text
    assert lab.headwater.kept_answers.hits == hits + 1
    changing = _url("SELECT (UUID() AS ?one) {}")
    assert lab.get(changing, accept="text/csv").text != lab.get(changing, accept="text/csv").text


def test_the_limits_can_be_read_by_programs(tmp_path: Path) -> None:
    settings = Settings(
        data=tmp_path / "data",
        store="memory",
        query_timeout_s=7.5,
        service_allowed=("https://e.example/sparql",),
        max_answer_mb=2,
    )
    with Headwater.open(settings) as headwater:
        told = Client(headwater).get("/sparql", accept="application/n-triples").text
        assert 'terms#longestTime> "7.5"^^<http://www.w3.org/2001/XMLSchema#decimal>' in told
        assert 'terms#largestAnswer> "2097152"^^<http://www.w3.org/2001/XMLSchema#integer>' in told
        assert 'terms#mayAsk> "https://e.example/sparql"^^<http://www.w3.org/2001/XMLSchema#anyURI>' in told
        assert "BasicFederatedQuery" in told
        assert "terms#mayLoad" not in told
        named = {line.split("terms#")[1].split(">")[0] for line in told.splitlines() if "headwater/terms#" in line}
    assert len(named) == 7
    assert named <= terms().keys()
