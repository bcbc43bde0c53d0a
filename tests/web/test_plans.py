"""Plans over HTTP: the envelope, every representation, bad requests, and the page."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.web.conftest import BASE, Client

NOTICE, DATA = f"{BASE}id/change/relabelled", "dataset/digits-v1"
ENVELOPE = {
    *("root", "query", "as_of", "computed_at", "sequence", "summary", "completeness", "nodes", "edges", "_links"),
    *("steps", "actions", "skipped", "cycles", "fixes", "totals"),
}


def test_a_plan_answers_in_the_envelope(lab: Client) -> None:
    body = lab.get(f"/api/v1/plans?id={NOTICE}").json()
    assert set(body) == ENVELOPE
    (step,) = body["steps"]
    assert (step["label"], step["what"], step["after"]) == ("fit svm", "repeat", [])
    assert [row["instead"] for row in step["recipe"]["inputs"] if row["role"] == "train"] == [f"{BASE}id/dataset/digits-v2"]
    assert step["mends"] == [f"{BASE}id/model/svm", f"{BASE}id/publication/paper"]
    assert [row["what"] for row in body["actions"]] == ["correct"]
    assert body["totals"]["hours"] is None
    assert lab.get(body["_links"]["self"]).json()["steps"] == body["steps"]


@pytest.mark.parametrize(
    "asked",
    [
        {"id": NOTICE},
        {"id": [NOTICE]},
        {"changes": [NOTICE]},
        {"changes": [{"id": NOTICE}]},
        {"changes": [NOTICE, {"id": DATA, "change": "labels-corrected"}]},
        {},
    ],
)
def test_post_takes_changes_in_several_forms(lab: Client, asked: dict[str, object]) -> None:
    answer = lab.post("/api/v1/plans", json.dumps(asked), "application/json")
    assert answer.status_code == 200, answer.text
    assert [step["label"] for step in answer.json()["steps"]] == ["fit svm"]
    assert answer.headers["cache-control"] == "no-store"


def test_a_supposed_change_needs_no_notice(lab: Client) -> None:
    answer = lab.get('/api/v1/plans?id=dataset/held-out&change=labels-corrected&slice={"labels":["7"]}&metrics=true').json()
    # The held-out digits were only tested on: the model is measured again, once somebody mended the labels.
    assert [(step["what"], step["ready"]) for step in answer["steps"]] == [("measure", False)]
    assert answer["actions"][0]["what"] == "mend-input"


def test_a_plan_comes_as_csv_and_as_a_snakefile(lab: Client) -> None:
    table = lab.get(f"/api/v1/plans?id={NOTICE}", accept="text/csv")
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [row["part"] for row in rows] == ["step", "action"]
    assert rows[0]["inputs"].split() == [f"test={BASE}id/dataset/held-out", f"train={BASE}id/dataset/digits-v2"]
    snakefile = lab.get(f"/api/v1/plans?id={NOTICE}&format=snakefile")
    assert snakefile.headers["content-type"].startswith("text/x-snakefile")
    assert "rule step_1:" in snakefile.text


def test_an_etag_spares_the_second_answer(lab: Client) -> None:
    first = lab.get(f"/api/v1/plans?id={NOTICE}")
    assert lab.get(f"/api/v1/plans?id={NOTICE}", headers={"If-None-Match": first.headers["etag"]}).status_code == 304


@pytest.mark.parametrize(
    ("query", "status", "named"),
    [
        ("id=nowhere", 404, "nowhere"),
        (f"id={NOTICE}&hours=-1", 422, "hours"),
        (f"id={NOTICE}&hours=nan", 422, "hours"),
        (f"id={NOTICE}&kwh=inf", 422, "kwh"),
        (f"id={NOTICE}&kwh=much", 422, "kwh"),
        (f"id={NOTICE}&depth=2", 422, "depth"),
        (f"id={DATA}&change=sneezed", 422, "sneezed"),
        (f"id={DATA}&change=retracted&slice=[]", 422, "slice"),
        (f"id={NOTICE}&max_nodes=0", 422, "max_nodes"),
        (f"id={NOTICE}&format=ods", 406, "ods"),
    ],
)
def test_what_makes_no_sense_is_a_problem_that_says_what(lab: Client, query: str, status: int, named: str) -> None:
    answer = lab.get(f"/api/v1/plans?{query}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert named in answer.text


@pytest.mark.parametrize(
    "body",
    [
        '{"changes": [1]}',
        '{"changes": [{"change": "retracted"}]}',
        '{"id": "a", "changes": ["b"]}',
        '{"hours": true}',
        '{"hours": NaN}',
        "[",
        "[]",
    ],
)
def test_a_body_that_makes_no_sense_is_refused(lab: Client, body: str) -> None:
    answer = lab.post("/api/v1/plans", body, "application/json")
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_page_shows_steps_actions_and_what_is_left_alone(lab: Client) -> None:
    page = lab.get(f"/lineage?question=plan&id={NOTICE}", accept="text/html")
    assert page.status_code == 200
    for words in (
        "What to repeat",
        "Repeat, in this order",
        "fit svm",
        "digits, corrected labels",
        "For people to do",
        "Snakefile",
    ):
        assert words in page.text
    assert lab.get(f"/api/v1/plans?id={NOTICE}", accept="text/html").headers["location"].startswith("/lineage?question=plan&id=")
    limited = lab.get(f"/lineage?question=plan&id={NOTICE}&hours=1", accept="text/html")
    assert "Nothing has to be repeated" in limited.text
    assert "cost unknown" in limited.text


def test_the_page_without_a_change_plans_for_all_of_them(lab: Client) -> None:
    assert "labels corrected after an audit" in lab.get("/lineage?question=plan", accept="text/html").text


def test_a_hostile_label_stays_a_label(lab: Client) -> None:
    asked = f"id={BASE}id/dataset/hostile&change=values-corrected"
    page = lab.get(f"/lineage?question=plan&{asked}", accept="text/html")
    assert page.status_code == 200
    assert "<script>alert(1)" not in page.text


def test_the_public_sees_only_what_it_may(stranger: Client) -> None:
    assert stranger.get(f"/api/v1/plans?id={BASE}id/dataset/secret&change=retracted").status_code == 404
