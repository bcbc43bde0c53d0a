"""Queries that try to harm: each gets an answer or an error of the SPARQL protocol, and everybody else is served meanwhile."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from random import Random

import httpx
import pytest

from tests.attacks.conftest import Service

pytestmark = pytest.mark.server
PROPER = {200, 400, 406, 413, 429, 503}
CROSS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n1 ?o }"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { " + "{ " * 10_000 + "} " * 10_000 + "}",
        "ASK { FILTER(" + "(" * 10_000 + "1" + ")" * 10_000 + ") }",
        "ASK { FILTER(" + "!" * 10_000 + "true) }",
        "ASK { FILTER(1" + "+1" * 20_000 + " > 0) }",
        "ASK { ?s " + "/".join(["<urn:p>"] * 8000) + " ?o }",
        "ASK { ?s ?p " + "[ <urn:p> " * 5000 + "1" + "]" * 5000 + " }",
        "ASK { " + "OPTIONAL { ?a ?b ?c " * 3000 + "}" * 3000 + " }",
        "SELECT * { " + " UNION ".join(["{ ?a ?b ?c }"] * 6000) + " }",
        "ASK { ?s ?p '" + "x" * 90_000 + "' }",
        "ASK { ?s ?p '" + "x" * 5_000_000 + "' }",
        "SELECT * { VALUES ?a { " + "1 " * 40_000 + "} }",
        "SELECT (CONCAT(" + ",".join(["?a"] * 5000) + ") AS ?x) { ?a ?b ?c }",
        "ASK { FILTER(REGEX('" + "a" * 5000 + "b', '(a|a)*$')) }",
        "SELECT * { " + " ".join(f"BIND(1 AS ?v{n})" for n in range(5000)) + " }",
        "SELECT (GROUP_CONCAT(?x) AS ?y) { ?a ?b ?c . ?d ?e ?f . BIND(CONCAT(STR(?a), STR(?f)) AS ?x) }",
        "SELECT * { ?a (<urn:t:p>|^<urn:t:p>)* ?b . ?b (<urn:t:p>|^<urn:t:p>)* ?c }",
    ],
    ids=lambda text: text[:24],
)
def test_what_is_too_deep_too_long_or_too_much_is_an_error_of_that_query_alone(service: Service, text: str) -> None:
    try:
        status = service.ask(text).status_code
    except httpx.RemoteProtocolError:
        status = 200
    assert status in PROPER
    assert service.ask("ASK {}").status_code == 200


def test_a_stranger_with_many_heavy_queries_leaves_the_others_their_turn(service: Service) -> None:
    greedy = {"X-Forwarded-For": "203.0.113.1"}

    def heavy(_: int) -> int:
        return service.ask(CROSS, 120, **greedy).status_code

    with ThreadPoolExecutor(30) as pool:
        under_way = [pool.submit(heavy, number) for number in range(30)]
        time.sleep(1.0)
        for _ in range(3):
            began = time.monotonic()
            assert service.ask("SELECT * { ?a ?b ?c } LIMIT 3").status_code == 200
            assert httpx.get(f"{service.url}/api/v1/objects", timeout=10).status_code == 200
            assert httpx.get(f"{service.url}/health/ready", timeout=10).status_code == 200
            assert time.monotonic() - began < 10
        assert {one.result() for one in under_way} <= {429, 503}
    service.alive()


def test_workers_may_be_killed_at_any_time(service: Service) -> None:
    random = Random(9)
    statuses: list[int] = []
    done = threading.Event()

    def asking() -> None:
        while not done.is_set():
            statuses.append(service.ask(f"SELECT * {{ ?a ?b ?c }} LIMIT {random.randrange(1, 400)}").status_code)

    threads = [threading.Thread(target=asking) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(12):
        time.sleep(0.2)
        for pid in service.workers():
            os.kill(pid, signal.SIGKILL)
    done.set()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) > len(statuses) / 3
    service.alive()


def test_a_worker_that_dies_while_idle_costs_no_query(service: Service) -> None:
    for number in range(5):
        assert service.ask(f"SELECT * {{ ?a ?b ?c }} OFFSET {number} LIMIT 3").status_code == 200
        for pid in service.workers():
            os.kill(pid, signal.SIGKILL)
