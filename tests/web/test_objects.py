"""Objects over HTTP: lists, each format, the addresses that name them, and the pictures."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
import yaml
from pyoxigraph import RdfFormat, parse

from tests.web.conftest import BASE, Client

ABSENT = ["/id/dataset/none", "/object/dataset/none", "/graph/dataset/none.svg", "/badge/dataset/none.svg", "/object?id=none"]
HIDDEN = ["/id/dataset/secret", "/object/dataset/secret", "/graph/dataset/secret.svg", "/badge/dataset/secret.svg"]
DATA = f"{BASE}id/dataset/digits-v1"


def test_the_list_pages_with_links_and_a_total(lab: Client) -> None:
    first = lab.get("/api/v1/objects?kind=dataset&per_page=2")
    body = first.json()
    assert len(body["items"]) == 2
    assert body["total"] == int(first.headers["total"]) >= 3
    assert 'rel="next"' in first.headers["link"]
    second = lab.get(body["_links"]["next"]).json()
    assert {item["id"] for item in second["items"]}.isdisjoint(item["id"] for item in body["items"])


@pytest.mark.parametrize("query", ["page=0", "per_page=101", "per_page=x", "sort=label"])
def test_a_wrong_list_parameter_is_refused(lab: Client, query: str) -> None:
    assert lab.get(f"/api/v1/objects?{query}").status_code == 422


def test_a_list_comes_as_csv_and_as_rdf(lab: Client) -> None:
    rows = lab.get("/api/v1/objects?kind=model", accept="text/csv").text.splitlines()
    assert rows[0] == "id,kind,label,page"
    assert f"{BASE}id/model/svm,model,digits-svm,/object/model/svm" in rows
    turtle = lab.get("/api/v1/objects?kind=model", accept="text/turtle")
    assert f"{BASE}id/model/svm" in {quad.subject.value for quad in parse(turtle.content, format=RdfFormat.TURTLE)}  # type: ignore[union-attr]


def test_an_object_is_found_by_its_encoded_iri_and_by_its_path(lab: Client) -> None:
    by_iri = lab.get("/api/v1/objects/" + DATA.replace(":", "%3A").replace("/", "%2F")).json()
    assert by_iri["id"] == DATA
    assert by_iri["label"] == "digits, first labels"
    assert by_iri == lab.get("/api/v1/objects/dataset/digits-v1").json()


@pytest.mark.parametrize("name", ["turtle", "ntriples", "rdfxml", "jsonld", "trig", "nquads"])
def test_an_object_comes_in_every_rdf_syntax(lab: Client, name: str) -> None:
    answer = lab.get(f"/api/v1/objects/dataset/digits-v1?format={name}")
    format = RdfFormat.from_media_type(answer.headers["content-type"].partition(";")[0])
    assert format is not None
    assert DATA in {quad.subject.value for quad in parse(answer.content, format=format)}  # type: ignore[union-attr]


def test_exports_come_by_name_and_by_media_type(lab: Client) -> None:
    named = lab.get("/api/v1/objects/dataset/digits-v1?format=datacite").json()
    assert named["doi"] == "10.1234/digits.v1"
    assert named == lab.get("/api/v1/objects/dataset/digits-v1", accept="application/vnd.datacite.datacite+json").json()
    card = lab.get("/api/v1/objects/model/svm?format=model-card")
    assert card.headers["content-type"].startswith("text/markdown")
    assert yaml.safe_load(card.text.split("---\n")[1])["tags"] == ["headwater"]


def test_a_format_that_does_not_fit_the_kind_is_not_acceptable(lab: Client) -> None:
    answer = lab.get("/api/v1/objects/model/svm?format=dataset-card")
    assert answer.status_code == 406
    assert "model-card" in answer.json()["formats"]


def test_the_address_of_a_thing_leads_to_page_or_data(lab: Client) -> None:
    page = lab.get("/id/dataset/digits-v1", accept="text/html,*/*;q=0.8")
    assert (page.status_code, page.headers["location"]) == (303, "/object/dataset/digits-v1")
    data = lab.get("/id/dataset/digits-v1", accept="text/turtle")
    assert data.status_code == 303
    followed = lab.get(data.headers["location"])
    assert followed.headers["content-type"].startswith("text/turtle")
    assert data.headers["vary"] == "Accept"


@pytest.mark.parametrize("path", ABSENT)
def test_what_is_not_there_is_not_found(lab: Client, path: str) -> None:
    assert lab.get(path).status_code == 404


@pytest.mark.parametrize("path", HIDDEN)
def test_what_a_stranger_may_not_see_is_not_found_anywhere(stranger: Client, path: str) -> None:
    hidden, absent = stranger.get(path), stranger.get(path.replace("secret", "absent"))
    assert hidden.status_code == absent.status_code == 404
    assert hidden.text.replace("secret", "absent") == absent.text


def test_hidden_objects_are_in_no_list(stranger: Client) -> None:
    assert "embargoed" not in stranger.get("/search").text
    assert "embargoed" not in stranger.get("/api/v1/objects?per_page=100").text


def test_any_identifier_leads_to_the_page(lab: Client) -> None:
    answer = lab.get("/object?id=doi:10.1234/digits.v1")
    assert (answer.status_code, answer.headers["location"]) == (302, "/object/dataset/digits-v1")


def test_the_neighbourhood_is_drawn_in_four_formats(lab: Client) -> None:
    drawn = lab.get("/graph/run/fit-svm.svg")
    links = [link.get("href") for link in ElementTree.fromstring(drawn.text).iter("{http://www.w3.org/2000/svg}a")]
    assert "/object/model/svm" in links
    assert "script" not in drawn.headers["content-security-policy"]
    assert lab.get("/graph/run/fit-svm.png").content.startswith(b"\x89PNG")
    assert lab.get("/graph/run/fit-svm.dot").text.startswith("digraph")
    assert {node["kind"] for node in lab.get("/graph/run/fit-svm.json").json()["nodes"]} >= {"run", "model", "dataset"}
    assert lab.get("/graph/run/fit-svm.gif").status_code == 404


def test_a_picture_can_be_drawn_narrower(lab: Client) -> None:
    whole = json.loads(lab.get("/graph/model/svm.json?depth=full").text)
    near = json.loads(lab.get("/graph/model/svm.json?depth=1&direction=upstream").text)
    assert {node["kind"] for node in near["nodes"]} == {"model", "run"}
    assert len(whole["nodes"]) > len(near["nodes"])


def test_the_badge_says_that_an_upstream_change_touches_the_model(lab: Client) -> None:
    touched = lab.get("/badge/model/svm.svg")
    assert touched.headers["content-type"] == "image/svg+xml"
    assert "affected" in touched.text
    assert "no change announced" in lab.get("/badge/dataset/held-out.svg").text
