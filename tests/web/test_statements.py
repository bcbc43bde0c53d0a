"""Statements over HTTP: written with a token's scope, read by whoever sees them, and shown on the landing page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headwater.app import Headwater

from .conftest import BASE, LABORATORY, PREFIXES, Client, load

SAID = {"id": "model/svm", "change": "change/relabelled", "state": "not_affected", "because": "<b>left out</b> by hand"}


@pytest.fixture
def lab(writable: Headwater, tmp_path: Path) -> Client:
    load(writable, tmp_path / "lab.ttl", PREFIXES + LABORATORY)
    return Client(writable)


def post(client: Client, said: Any) -> Any:
    return client.post("/api/v1/statements", json.dumps(said), "application/json")


def test_a_statement_is_created_found_and_said_anew(lab: Client) -> None:
    made = post(lab, SAID)
    assert made.status_code == 201, made.text
    assert lab.get(made.headers["Location"]).status_code == 200
    found = lab.get("/api/v1/statements?id=model/svm").json()
    assert (found["total"], found["statements"][0]["state"]) == (1, "not_affected")
    assert post(lab, SAID).status_code == 200
    answer = lab.get("/api/v1/impact?id=change/relabelled&include=edges,statements").json()
    node = answer["nodes"][f"{BASE}id/model/svm"]
    assert (node["state"], node["statements"][0]["by"]) == ("affected", "local")


def test_the_landing_page_shows_who_says_what_and_escapes_it(lab: Client) -> None:
    post(lab, SAID)
    page = lab.get("/object/model/svm", "text/html").text
    assert "<strong>local</strong> says:" in page
    assert "&lt;b&gt;left out&lt;/b&gt; by hand" in page


def test_a_stranger_may_not_say_anything(writable: Headwater, lab: Client) -> None:
    stranger = Client(writable, peer="203.0.113.9", host="lab.example")
    assert post(stranger, SAID).status_code in (401, 403)
    assert lab.get("/api/v1/statements").json()["total"] == 0


@pytest.mark.parametrize(
    "wrong", [{"state": "cannot_tell"}, {"because": None}, {"mood": "good"}, {"id": ""}, {"change": "model/svm"}]
)
def test_what_makes_no_sense_is_a_problem_with_words(lab: Client, wrong: dict[str, Any]) -> None:
    answer = post(lab, SAID | wrong)
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("application/problem+json")
