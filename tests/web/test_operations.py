"""What the service tells of itself: measures, readiness, the log of questions; and what one reader may take."""

from __future__ import annotations

import copy
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from headwater.app import Headwater
from headwater.app.query_log import FILE, LOGS, QueryLog, masked, slowest_on_file
from headwater.settings import Settings
from headwater.web.rates import Buckets, network
from tests.web.conftest import BASE, LABORATORY, PREFIXES, Client, load

ROW = re.compile(r'[a-z_]+(\{[a-z_]+="[^"\n]*"(,[a-z_]+="[^"\n]*")*\})? -?[0-9.e+-]+')


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Headwater]:
    """The laboratory on disk, with small allowances."""
    settings = Settings(data=tmp_path / "data", base_iri=BASE, requests_per_minute=6, requests_at_once=3, query_timeout_s=3.0)
    with Headwater.open(settings) as headwater:
        load(headwater, tmp_path / "lab.ttl", PREFIXES + LABORATORY)
        yield headwater


def _lines(headwater: Headwater) -> list[dict[str, Any]]:
    headwater.query_log.close()
    text = (headwater.settings.data / LOGS / FILE).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _metrics(client: Client) -> dict[str, float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    rows = [line for line in answer.text.splitlines() if not line.startswith("#")]
    assert [row for row in rows if not ROW.fullmatch(row)] == []
    return {row.rpartition(" ")[0]: float(row.rpartition(" ")[2]) for row in rows}


def test_requests_are_counted_by_the_template_of_their_route_and_never_by_their_address(writable: Headwater) -> None:
    client = Client(writable)
    client.get("/api/v1/objects/dataset/secret-name")
    client.get("/nowhere/at-all")
    client.request("BREW", "/health/live")
    told = _metrics(client)
    assert told['headwater_requests_total{method="GET",route="unmatched",status="404"}'] == 1
    assert not any("secret" in row or "nowhere" in row or "BREW" in row for row in told)
    assert any('route="/api/v1/objects/{' in row for row in told)
    assert told['headwater_request_seconds_count{route="unmatched"}'] == 1


def test_each_class_of_durations_holds_all_shorter_ones(writable: Headwater) -> None:
    client = Client(writable)
    client.get("/health/live")
    told = _metrics(client)
    buckets = [number for row, number in told.items() if row.startswith('headwater_request_seconds_bucket{route="/health/live"')]
    assert buckets == sorted(buckets)
    assert buckets[-1] == 1


def test_questions_are_counted_by_how_they_ended(kept: Headwater) -> None:
    client = Client(kept)
    ask = "/sparql?query=ASK%20%7B%20%3Fs%20%3Fp%20%3Fo%20%7D"
    for url in (ask, ask, "/sparql?query=NONSENSE", "/sparql?query=ASK%20%7BSERVICE%20%3Curn:x%3E%20%7B%7D%7D"):
        client.get(url)
    cross = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n1 ?o }"
    assert client.get("/sparql", params={"query": cross}).status_code == 503
    told = _metrics(client)
    outcomes = {row: number for row, number in told.items() if row.startswith("headwater_sparql")}
    name = 'headwater_sparql_queries_total{{outcome="{}"}}'.format
    assert outcomes == {name("answered"): 1, name("cached"): 1, name("refused"): 2, name("timeout"): 1}
    assert told['headwater_answer_cache_lookups_total{result="hit"}'] == 1
    assert told["headwater_sandbox_workers_lost_total"] == 1
    assert told['headwater_lag{part="index"}'] == 0
    assert told['headwater_records{visibility="public"}'] == 1


def test_writes_are_counted_by_how_they_ended(writable: Headwater) -> None:
    client = Client(writable)
    client.post("/api/v1/records", PREFIXES + LABORATORY, "text/turtle")
    client.post("/api/v1/records", "this is no turtle", "text/turtle")
    told = _metrics(client)
    assert told['headwater_writes_total{outcome="accepted"}'] == 1
    assert told['headwater_writes_total{outcome="rejected"}'] == 1


def test_names_of_projects_do_not_stand_in_the_measures(writable: Headwater, tmp_path: Path) -> None:
    load(writable, tmp_path / "a.ttl", PREFIXES + LABORATORY, visibility="project:embargoed-thing")
    answer = Client(writable).get("/metrics").text
    assert 'headwater_records{visibility="project"} 1' in answer
    assert "embargoed" not in answer


def test_strangers_do_not_read_the_measures_but_admins_do(writable: Headwater) -> None:
    token = writable.tokens.create("ops", "admin")
    reading = writable.tokens.create("guest", "read")
    stranger = Client(writable, peer="203.0.113.9", host="lab.example")
    for path in ("/metrics", "/api/v1/queries/slow"):
        assert stranger.get(path).status_code == 401
        assert stranger.get(path, headers={"Authorization": f"Bearer {reading}"}).status_code == 403
        assert stranger.get(path, headers={"Authorization": f"Bearer {token}"}).status_code == 200
    # Who comes through a proxy on this machine is no program on this machine.
    assert Client(writable).get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 401
    assert Client(writable).get("/metrics").status_code == 200


def test_a_setting_opens_the_measures_to_everybody(tmp_path: Path) -> None:
    with Headwater.open(Settings(data=tmp_path / "data", store="memory", metrics="public")) as headwater:
        assert Client(headwater, peer="203.0.113.9", host="lab.example").get("/metrics").status_code == 200


def test_each_question_is_a_line_without_what_stands_in_quotes(kept: Headwater) -> None:
    token = kept.tokens.create("ada", "write")
    client = Client(kept)
    holding = {"Authorization": f"Bearer {token}"}
    client.get("/sparql", params={"query": "ASK { ?s ?p 'my secret' }"}, headers=holding)
    client.get("/api/v1/impact", params={"id": "model/svm", "change": "retracted"}, headers=holding)
    client.post("/sparql/update", 'INSERT DATA { <urn:x> <urn:p> "hidden" }', "application/sparql-update", **holding)
    client.get("/sparql", params={"query": "NOT SPARQL"})
    lines = _lines(kept)
    assert [(line["kind"], line["outcome"]) for line in lines] == [
        ("query", "answered"),
        ("impact", lines[1]["outcome"]),
        ("update", "answered"),
        ("query", "refused"),
    ]
    assert [line["reader"] for line in lines] == ["ada", "ada", "ada", "anonymous"]
    assert lines[0]["sequence"] == 1
    assert lines[0]["bytes"] > 0
    assert lines[2]["sequence"] == 2
    whole = json.dumps(lines)
    assert not any(word in whole for word in ("secret", "hidden", token))


@pytest.mark.parametrize(
    "text",
    [
        "ASK { ?s ?p 'secret' }",
        'ASK { ?s ?p "secret" }',
        'ASK { ?s ?p """a "secret" word""" }',
        "ASK { ?s ?p 'secret",
        'ASK { ?s ?p """secret',
        "ASK { ?s ?p ''' ' secret",
        "ASK {} # secret",
        "ASK { <https://me:secret@h.example/x> ?p ?o }",
        "ASK { <https://h.example/x?token=secret> ?p ?o }",
        "'" + "\\'" * 50 + "secret'",
    ],
)
def test_what_may_be_secret_is_left_out_of_the_log(text: str) -> None:
    assert "secret" not in masked(text)


def test_a_long_text_is_cut_in_the_log() -> None:
    assert len(masked("SELECT * { " + "?s ?p ?o . " * 10_000)) == 500


def test_the_log_does_not_grow_beyond_its_size(tmp_path: Path) -> None:
    log = QueryLog(tmp_path, 40_000, lambda: "2026-01-01T00:00:00Z")
    for number in range(40):
        for _ in range(10):
            log.note(kind="query", text="ASK {} " * 50, reader="ada", seconds=number, outcome="answered")
        time.sleep(0.005)
    log.close()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 42_000
    assert log.lost == 0
    assert [entry["seconds"] for entry in log.slowest(2)] == [39, 39]


def test_a_disk_that_refuses_the_log_ends_no_question(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    log = QueryLog(tmp_path / "file", 1000, lambda: "2026-01-01T00:00:00Z")
    log.note(kind="query", text="ASK {}", reader="ada", seconds=1.0, outcome="answered")
    log.close()
    assert log.lost == 1
    assert "cannot be written" in caplog.text


def test_the_slowest_questions_are_told_also_from_the_file(kept: Headwater) -> None:
    client = Client(kept)
    client.get("/sparql", params={"query": "ASK {}"})
    client.get("/sparql", params={"query": "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?o ?p }"})
    told = client.get("/api/v1/queries/slow").json()["queries"]
    assert sorted(entry["outcome"] for entry in told) == ["answered", "timeout"]
    assert told[0]["seconds"] >= told[1]["seconds"]
    kept.query_log.close()
    assert slowest_on_file(kept.settings.data, "2020") == told
    assert slowest_on_file(kept.settings.data, "2999") == []


# --- readiness


def test_readiness_tells_what_is_behind(writable: Headwater, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(writable)
    ready = client.get("/health/ready")
    assert (ready.status_code, ready.json()["checks"]) == (200, {"sandbox": "ok", "disk": "ok"})
    monkeypatch.setattr(writable.ledger, "last_sequence", lambda: 7)
    behind = client.get("/health/ready")
    assert (behind.status_code, behind.json()["behind"]) == (503, {"store": 7, "index": 7})
    assert "store by 7" in behind.json()["detail"]
    assert client.get("/health/live").json() == {"status": "alive"}


def test_a_disk_that_is_nearly_full_is_told(kept: Headwater, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=5 * 2**20))
    answer = Client(kept).get("/health/ready")
    assert (answer.status_code, answer.json()["checks"]["disk"]) == (503, "nearly full")
    assert "5 MiB" in answer.json()["detail"]


def test_a_broken_sandbox_is_told_until_it_works_again(kept: Headwater, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(kept)
    with monkeypatch.context() as patched:
        patched.setattr("subprocess.Popen", _refuse)
        assert client.get("/sparql", params={"query": "ASK {}"}).status_code == 503
        assert client.get("/health/ready").json()["checks"]["sandbox"] == "broken"
    assert client.get("/health/ready").json()["checks"]["sandbox"] == "ok"


def _from(client: Client, peer: str) -> Client:
    """Somebody else, who comes to the same application."""
    other = copy.copy(client)
    other._transport = httpx.ASGITransport(client._transport.app, raise_app_exceptions=False, client=(peer, 50000))
    return other


def _refuse(*_: Any, **__: Any) -> None:
    raise OSError("no process to be had")


# --- what one reader may take


def test_a_stranger_who_asks_too_often_is_told_when_to_come_back_and_others_are_not(kept: Headwater) -> None:
    stranger = Client(kept, peer="203.0.113.9", host="lab.example")
    answers = [stranger.get("/sparql?query=ASK%20%7B%7D") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    last = answers[-1]
    assert last.headers["content-type"] == "application/problem+json"
    assert int(last.headers["retry-after"]) >= 1
    assert last.headers["ratelimit"].startswith('"reader";r=0')
    assert answers[0].headers["ratelimit-policy"] == '"reader";q=3'
    assert _from(stranger, "203.0.113.10").get("/sparql?query=ASK%20%7B%7D").status_code == 200
    assert _from(stranger, "2001:db8::1").get("/sparql?query=ASK%20%7B%7D").status_code == 200
    assert stranger.get("/health/live").status_code == 200


def test_a_reader_with_a_token_is_counted_by_name_wherever_he_comes_from(kept: Headwater) -> None:
    token = {"Authorization": f"Bearer {kept.tokens.create('ada', 'read')}"}
    first = Client(kept, peer="203.0.113.0", host="lab.example")
    peers = [first, *(_from(first, f"203.0.113.{number}") for number in range(1, 4))]
    assert [peer.get("/sparql?query=ASK%20%7B%7D", headers=token).status_code for peer in peers] == [200, 200, 200, 429]


def test_forwarded_addresses_do_not_give_more_requests(kept: Headwater) -> None:
    client = Client(kept)
    asked = [client.get("/sparql?query=ASK%20%7B%7D", headers={"X-Forwarded-For": f"192.0.2.{n}"}) for n in range(4)]
    assert [answer.status_code for answer in asked] == [200, 200, 200, 429]


def test_programs_on_this_machine_are_not_limited(kept: Headwater) -> None:
    client = Client(kept)
    assert {client.get("/sparql?query=ASK%20%7B%7D").status_code for _ in range(6)} == {200}


def test_a_bucket_fills_at_its_rate_and_not_over_its_brim() -> None:
    now = [0.0]
    buckets = Buckets(per_minute=60, burst=2, clock=lambda: now[0])
    assert [buckets.take("a").allowed for _ in range(3)] == [True, True, False]
    now[0] = 1.0
    assert [buckets.take("a").allowed for _ in range(2)] == [True, False]
    now[0] = 1000.0
    assert [buckets.take("a").allowed for _ in range(3)] == [True, True, False]


def test_addresses_of_one_household_count_as_one() -> None:
    assert network("2001:db8:1:2::1") == network("2001:db8:1:2:ffff::9") != network("2001:db8:1:3::1")


# --- what the attack by schemathesis found


def test_an_empty_update_with_a_dataset_of_the_request_is_no_accident_of_ours(writable: Headwater) -> None:
    client = Client(writable)
    answer = client.post("/sparql/update?using-graph-uri=urn:g", "update=", "application/x-www-form-urlencoded")
    assert answer.status_code in (200, 400)


def test_a_plan_that_names_nothing_by_an_empty_text_and_an_update_over_no_graph_are_refused(writable: Headwater) -> None:
    client = Client(writable)
    assert client.post("/api/v1/plans", '{"id": [""]}', "application/json").status_code == 422
    assert (
        client.post("/api/v1/plans", '{"id": [], "hours": null}', "application/json").json()["title"] != "Something failed inside"
    )
    asked = client.post(
        "/sparql/update?using-graph-uri=nonsense", "INSERT DATA { <urn:s> <urn:p> 1 }", "application/sparql-update"
    )
    assert (asked.status_code, "no absolute IRI" in asked.json()["detail"]) == (400, True)
    level = client.post("/sparql/update?visibility=nonsense", "INSERT DATA { <urn:s> <urn:p> 1 }", "application/sparql-update")
    assert level.status_code == 422


def test_what_leads_to_a_page_is_looked_over_first(lab: Client) -> None:
    for address in (
        "lineage?id=model/svm&known_at=sometime",
        "impact?id=model/svm&change=nothing",
        "plans?id=model/svm&roles=none",
    ):
        assert lab.get(f"/api/v1/{address}&format=html").status_code == 422


def test_options_of_the_graph_store_name_all_that_it_takes(writable: Headwater) -> None:
    allow = Client(writable).request("OPTIONS", "/sparql/store?default").headers["allow"]
    assert {one.strip() for one in allow.split(",")} == {"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"}


def test_a_method_that_an_address_does_not_take_is_answered_by_all_that_it_takes(writable: Headwater) -> None:
    answer = Client(writable).request("OPTIONS", "/api/v1/impact")
    assert answer.status_code == 405
    assert {"GET", "POST"} <= set(answer.headers["allow"].split(", "))
