"""Writing over HTTP: who may, what is answered, and that a refused document leaves nothing behind."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from headwater.app import Headwater
from tests.web.conftest import BASE, Client

GOOD = f"""
@prefix hw: <https://w3id.org/headwater/terms#> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
<{BASE}id/run/r> a hw:Run ; rdfs:label "a run" ; prov:used <{BASE}id/dataset/d> .
<{BASE}id/dataset/d> a hw:Dataset ; rdfs:label "data" .
"""
WRONG = GOOD + f"<{BASE}id/change/c> a hw:Change ."


def test_a_document_is_created_once_and_then_unchanged(writable: Headwater) -> None:
    client = Client(writable)
    first = client.post("/api/v1/records", GOOD, "text/turtle")
    assert first.status_code == 201
    record = client.get(first.headers["location"])
    assert record.status_code == 200
    sequence = writable.sequence
    again = client.post("/api/v1/records", GOOD, "text/turtle")
    assert (again.status_code, writable.sequence) == (200, sequence)
    assert again.headers["location"] == first.headers["location"]
    assert client.get("/api/v1/objects/run/r").json()["label"] == "a run"


def test_a_record_keeps_its_history(writable: Headwater) -> None:
    client = Client(writable)
    where = client.post("/api/v1/records", GOOD, "text/turtle").headers["location"]
    revisions = client.get(f"{where}/history").json()["revisions"]
    assert len(revisions) == 1


def test_a_withdrawn_record_leaves_a_tombstone(writable: Headwater) -> None:
    client = Client(writable)
    where = client.post("/api/v1/records", GOOD, "text/turtle").headers["location"]
    assert client.request("DELETE", f"{where}?reason=consent%20withdrawn").status_code == 204
    gone = client.get("/id/run/r", accept="text/html")
    assert gone.status_code == 410
    assert "consent withdrawn" in gone.text
    assert client.get("/object/run/r").status_code == 410
    assert client.get(f"{where}/history").status_code == 200


def test_validating_writes_nothing(writable: Headwater) -> None:
    client = Client(writable)
    before = writable.sequence
    answer = client.post("/api/v1/validate", GOOD, "text/turtle")
    assert answer.status_code == 200
    assert answer.json()["statuses"]["created"] == 1
    assert client.post("/api/v1/validate", WRONG, "text/turtle").json()["statuses"]["rejected"] == 1
    assert writable.sequence == before
    assert client.get("/api/v1/objects/run/r").status_code == 404


def test_a_stranger_may_not_write(writable: Headwater) -> None:
    stranger = Client(writable, peer="203.0.113.9", host="lab.example")
    for answer in (
        stranger.post("/api/v1/records", GOOD, "text/turtle"),
        stranger.post("/api/v1/validate", GOOD, "text/turtle"),
        stranger.request("DELETE", "/api/v1/records/x"),
    ):
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert writable.sequence == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"X-Forwarded-For": "203.0.113.9"},
        {"Forwarded": "for=203.0.113.9"},
        {"Host": "evil.example"},
    ],
)
def test_what_only_seems_to_come_from_this_machine_may_not_write(writable: Headwater, headers: dict[str, str]) -> None:
    assert Client(writable).post("/api/v1/records", GOOD, "text/turtle", **headers).status_code == 401


def test_a_token_opens_as_far_as_its_scope(writable: Headwater) -> None:
    read, write = writable.tokens.create("reader", "read"), writable.tokens.create("writer", "write")
    stranger = Client(writable, peer="203.0.113.9", host="lab.example")
    assert stranger.post("/api/v1/records", GOOD, "text/turtle", Authorization=f"Bearer {read}").status_code == 403
    assert stranger.post("/api/v1/records", GOOD, "text/turtle", Authorization="Bearer hw_wrong").status_code == 401
    assert stranger.post("/api/v1/records", GOOD, "text/turtle", Authorization="Basic YTpi").status_code == 401
    assert stranger.post("/api/v1/records", GOOD, "text/turtle", Authorization=f"Bearer {write}").status_code == 201
    assert Client(writable).post("/api/v1/records", GOOD, "text/turtle").status_code == 401


def test_an_internal_record_is_not_there_for_a_stranger(writable: Headwater) -> None:
    client = Client(writable)
    where = client.post("/api/v1/records?visibility=internal", GOOD, "text/turtle").headers["location"]
    stranger = Client(writable, peer="203.0.113.9", host="lab.example")
    assert client.get(where).status_code == 200
    assert stranger.get(where).status_code == 404
    assert stranger.get(f"{where}/history").status_code == 404


def test_a_rejected_document_is_answered_with_sentences_and_report(writable: Headwater) -> None:
    answer = Client(writable).post("/api/v1/records", WRONG, "text/turtle")
    assert answer.status_code == 422
    body = answer.json()
    assert "does not say what happened" in body["sentences"][0]
    assert "ValidationReport" in body["report"]
    assert writable.sequence == 0


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        ("", "text/turtle", 422),
        ("<a> <b> .", "text/turtle", 422),
        ("\x00\x01\x02", "application/octet-stream", 415),
        ("<urn:a> <urn:b> <urn:c> .\n" * 50_000, "application/n-triples", 413),
    ],
)
def test_a_document_that_cannot_be_taken_in_says_why(writable: Headwater, content: str, content_type: str, status: int) -> None:
    answer = Client(writable).post("/api/v1/records", content, content_type)
    assert answer.status_code == status
    assert answer.json()["remedy"]
    assert writable.sequence == 0


@pytest.mark.parametrize("query", ["visbility=internal", "visibility=secret", "format=docx"])
def test_a_wrong_parameter_is_refused_before_anything_is_written(writable: Headwater, query: str) -> None:
    assert Client(writable).post(f"/api/v1/records?{query}", GOOD, "text/turtle").status_code in (415, 422)
    assert writable.sequence == 0


def test_an_unknown_record_is_not_found(writable: Headwater) -> None:
    client = Client(writable)
    for path in ("/api/v1/records/urn%3Anone", "/api/v1/records/urn%3Anone/history"):
        assert client.get(path).status_code == 404
    assert client.request("DELETE", f"/api/v1/records/{quote('urn:none')}").status_code == 404


def test_a_record_that_the_writer_does_not_see_is_not_overwritten_by_its_name(writable: Headwater) -> None:
    """A named graph is a record of that name: knowing the name must not be enough to take a hidden one's place."""
    inside = writable.tokens.create("inside", "write", ["beamline"])
    outside = writable.tokens.create("outside", "write")
    client = Client(writable)
    graph = "<https://lab.example/secret> { <https://lab.example/x> a <https://w3id.org/headwater/terms#Dataset> }"
    address = "/api/v1/records?visibility=project:beamline"
    assert client.post(address, graph, "application/trig", Authorization=f"Bearer {inside}").status_code == 201
    assert client.post(address, graph, "application/trig", Authorization=f"Bearer {outside}").status_code == 403
    stolen = client.post("/api/v1/records", graph, "application/trig", Authorization=f"Bearer {outside}")
    assert stolen.status_code == 422
    assert "is taken" in stolen.json()["detail"]
    assert client.get("/api/v1/records/https%3A%2F%2Flab.example%2Fsecret").status_code == 404
