"""Lineage, impact and benefits over HTTP: the envelope, the one spelling of the parameters, and every representation."""

from __future__ import annotations

import csv
import io
import json

import pytest
from pyoxigraph import RdfFormat, parse

from tests.web.conftest import BASE, Client

DATA = "dataset/digits-v1"
ENVELOPE = {"root", "query", "as_of", "computed_at", "sequence", "summary", "completeness", "nodes", "edges", "_links"}


def test_lineage_answers_in_the_envelope(lab: Client) -> None:
    body = lab.get(f"/api/v1/lineage?id={DATA}&direction=downstream").json()
    assert set(body) >= ENVELOPE
    assert body["root"] == f"{BASE}id/{DATA}"
    assert {node["kind"] for node in body["nodes"].values()} >= {"run", "model", "publication"}


def test_impact_gives_each_thing_a_state(lab: Client) -> None:
    body = lab.get(f"/api/v1/impact?id={DATA}&change=labels-corrected").json()
    assert body["nodes"][f"{BASE}id/model/svm"]["state"] == "affected"
    assert body["summary"]["by_state"]["affected"] >= 2


def test_a_change_notice_is_enough_to_ask_for_its_impact(lab: Client) -> None:
    body = lab.get(f"/api/v1/impact?id={BASE}id/change/relabelled").json()
    assert f"{BASE}id/model/svm" in body["nodes"]


def test_post_impact_takes_the_same_parameters_as_json(lab: Client) -> None:
    asked = {"id": DATA, "change": "labels-corrected", "types": ["model", "publication"], "slice": {"labels": ["7"]}}
    posted = lab.post("/api/v1/impact", json.dumps(asked), "application/json")
    got = lab.get(
        f"/api/v1/impact?id={DATA}&change=labels-corrected&types=model,publication&slice=%7B%22labels%22%3A%5B%227%22%5D%7D"
    )
    assert posted.status_code == got.status_code == 200
    assert posted.json()["nodes"] == got.json()["nodes"]
    assert {node["kind"] for iri, node in got.json()["nodes"].items() if not iri.endswith(DATA)} <= {"model", "publication"}


def test_benefits_answer(lab: Client) -> None:
    assert lab.get(f"/api/v1/benefits?id={DATA}").json()["summary"]["total"] >= 1


@pytest.mark.parametrize("id", [DATA, f"{BASE}id/{DATA}", "doi:10.1234/digits.v1", "sha256:" + "1" * 64])
def test_any_identifier_names_the_start(lab: Client, id: str) -> None:
    assert lab.get("/api/v1/lineage", params={"id": id}).json()["root"] == f"{BASE}id/{DATA}"


@pytest.mark.parametrize("path", ["lineage", "impact", "benefits"])
@pytest.mark.parametrize(
    ("query", "status", "named"),
    [
        ("", 422, "id"),
        (f"id={DATA}&bogus=1", 422, "bogus"),
        (f"id={DATA}&depth=deep", 422, "depth"),
        (f"id={DATA}&direction=sideways", 422, "direction"),
        (f"id={DATA}&max_nodes=0", 422, "max_nodes"),
        (f"id={DATA}&min_evidence=rumour", 422, "min_evidence"),
        (f"id={DATA}&as_of=2020", 422, "as_of"),
        ("id=dataset/none-such", 404, None),
    ],
)
def test_what_is_asked_wrongly_is_said_and_not_guessed(
    lab: Client, path: str, query: str, status: int, named: str | None
) -> None:
    answer = lab.get(f"/api/v1/{path}?{query}" + ("&change=labels-corrected" if path == "impact" and query else ""))
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["remedy"]
    if named:
        assert answer.json()["parameter"] == named


def test_the_nodes_come_as_csv(lab: Client) -> None:
    answer = lab.get("/api/v1/lineage?id=model/svm&format=csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {"run", "dataset"} <= {row["kind"] for row in rows}


@pytest.mark.parametrize(
    "media_type", ["text/turtle", "application/ld+json", "application/n-triples", "application/rdf+xml", "application/trig"]
)
def test_the_walk_comes_as_rdf(lab: Client, media_type: str) -> None:
    answer = lab.get("/api/v1/lineage?id=model/svm", accept=media_type)
    assert answer.headers["content-type"].partition(";")[0] == media_type
    format = RdfFormat.from_media_type(media_type)
    assert format is not None
    said = {str(quad.triple) for quad in parse(answer.content, format=format)}
    assert f"<{BASE}id/model/svm> <http://www.w3.org/ns/prov#wasInfluencedBy> <{BASE}id/run/fit-svm>" in said


def test_a_browser_is_led_to_the_page(lab: Client) -> None:
    answer = lab.get(f"/api/v1/impact?id={DATA}&change=labels-corrected", accept="text/html")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/lineage?id={DATA.replace('/', '%2F')}&change=labels-corrected&question=impact"


def test_what_cannot_be_given_is_answered_with_the_list(lab: Client) -> None:
    answer = lab.get(f"/api/v1/lineage?id={DATA}", accept="image/png")
    assert answer.status_code == 406
    assert "text/turtle" in answer.json()["available"]
    assert answer.headers["vary"] == "Accept"


def test_an_unchanged_answer_is_not_sent_again(lab: Client, stranger: Client) -> None:
    url = f"/api/v1/lineage?id={DATA}"
    first = lab.get(url)
    etag = first.headers["etag"]
    assert "Accept" in first.headers["vary"]
    again = lab.get(url, headers={"If-None-Match": f'"other", {etag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert lab.get(url, accept="text/turtle", headers={"If-None-Match": etag}).status_code == 200
    assert lab.get(f"{url}&depth=1", headers={"If-None-Match": etag}).status_code == 200
    assert stranger.get(url, headers={"If-None-Match": etag}).status_code == 200


def test_what_a_stranger_may_not_see_is_not_found(lab: Client, stranger: Client) -> None:
    assert lab.get("/api/v1/lineage?id=dataset/secret").status_code == 200
    assert stranger.get("/api/v1/lineage?id=dataset/secret").status_code == 404


def test_the_page_ask_folds_the_competency_questions_away(lab: Client) -> None:
    page = lab.get("/ask", accept="text/html").text
    assert page.count("<details>") == 1
    assert 'href="/ask/which-run-made-this-model.mex"' in page
    assert lab.get("/ask/which-run-made-this-model.mex", accept="text/html").status_code == 200


# --- why

CHANGE = "change/relabelled"


def test_an_explanation_is_an_envelope_with_paths_cut_sentence_and_sparql(lab: Client) -> None:
    body = lab.get(f"/api/v1/explain?id={CHANGE}&to=model/svm").json()
    assert set(body) >= ENVELOPE | {
        "to",
        "paths",
        "weakest",
        "cut",
        "blocks",
        "doubts",
        "mended",
        "records",
        "sentence",
        "sparql",
    }
    assert [hop["role"] for hop in body["paths"][0]["hops"]] == ["train", "generate"]
    assert body["sentence"].startswith("Model digits-svm is affected (major): it was made by run fit svm, which was trained on")
    found = lab.get("/sparql", params={"query": body["sparql"]}, accept="application/sparql-results+json").json()
    assert {(row["path"]["value"], row["hop"]["value"]) for row in found["results"]["bindings"]} == {("1", "1"), ("1", "2")}


def test_the_hops_of_an_explanation_come_as_csv_and_as_rdf(lab: Client) -> None:
    rows = list(csv.DictReader(io.StringIO(lab.get(f"/api/v1/explain?id={CHANGE}&to=publication/paper&format=csv").text)))
    assert [(row["path"], row["hop"], row["role"], row["because"]) for row in rows] == [
        ("1", "1", "train", "trained-on"),
        ("1", "2", "generate", "made-by"),
        ("1", "3", "document", "reports"),
    ]
    turtle = lab.get(f"/api/v1/explain?id={CHANGE}&to=model/svm", accept="text/turtle")
    said = {str(quad.triple) for quad in parse(turtle.content, format=RdfFormat.TURTLE)}
    assert f"<{BASE}id/model/svm> <http://www.w3.org/ns/prov#wasInfluencedBy> <{BASE}id/run/fit-svm>" in said


def test_the_sentence_speaks_the_language_that_the_client_likes(lab: Client) -> None:
    asked = f"/api/v1/explain?id={CHANGE}&to=model/svm"
    german = lab.get(asked, headers={"Accept-Language": "de-AT, en;q=0.5"})
    assert german.json()["sentence"].startswith("Modell digits-svm ist betroffen (schwer)")
    assert german.headers["content-language"] == "de"
    assert "Accept-Language" in german.headers["vary"]
    named = lab.get(asked + "&language=en", headers={"Accept-Language": "de"})
    assert named.json()["sentence"].startswith("Model digits-svm is affected")
    usual = lab.get(asked)
    assert lab.get(asked, headers={"If-None-Match": usual.headers["etag"]}).status_code == 304


def test_a_browser_that_asks_why_is_led_to_the_page(lab: Client) -> None:
    answer = lab.get(f"/api/v1/explain?id={CHANGE}&to=model/svm&k=2", accept="text/html")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/lineage?id=change%2Frelabelled&k=2&to=model%2Fsvm&question=explain"
    assert "How it gets there" in lab.get(answer.headers["location"], accept="text/html").text


@pytest.mark.parametrize(
    ("query", "status", "named"),
    [
        ("", 422, "id"),
        (f"id={CHANGE}", 422, "to"),
        (f"id={CHANGE}&to=model/svm&k=0", 422, "k"),
        (f"id={CHANGE}&to=model/svm&k=51", 422, "k"),
        (f"id={CHANGE}&to=model/svm&depth=2", 422, "depth"),
        (f"id={CHANGE}&to=model/svm&language=fr", 422, "language"),
        (f"id={CHANGE}&to=model/svm&as_of=someday", 422, "as_of"),
        (f"id={DATA}&to=model/svm&change=sneezed", 422, "change"),
        (f"id={DATA}&to=model/svm&change=retracted&slice=7", 422, "slice"),
        (f"id={CHANGE}&to=model/none-such", 404, None),
        ("id=dataset/secret&to=model/svm", 404, None),
    ],
)
def test_why_asked_wrongly_is_said_and_not_guessed(stranger: Client, query: str, status: int, named: str | None) -> None:
    answer = stranger.get(f"/api/v1/explain?{query}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["remedy"]
    if named:
        assert answer.json()["parameter"] == named
