"""Clients that close the side they send on: who still waits is answered, who has left is not worked for."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import uvicorn

from headwater.app import Headwater
from headwater.settings import Settings
from headwater.web.server import configured, listening
from tests.web.conftest import LABORATORY, PREFIXES

pytestmark = pytest.mark.server
LONG = quote("SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n2 ?o . ?p ?q ?r }")
Served = tuple[Headwater, tuple[str, int]]


@pytest.fixture(params=[1.0, 30.0])
def served(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Served]:
    """The laboratory behind a real socket, with queries of at most so many seconds."""
    (tmp_path / "lab.ttl").write_text(PREFIXES + LABORATORY, encoding="utf-8")
    with Headwater.open(Settings(data=tmp_path / "data", query_timeout_s=request.param)) as headwater:
        headwater.import_source(tmp_path / "lab.ttl")
        with listening("127.0.0.1", 0) as listener:
            server = uvicorn.Server(configured(headwater))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            while not server.started:
                time.sleep(0.02)
            yield headwater, listener.getsockname()
            server.should_exit = True
            thread.join()


def _sent(address: tuple[str, int], *paths: str, version: str = "1.1") -> socket.socket:
    """A connection that has sent its requests and closed its side."""
    client = socket.create_connection(address, timeout=20)
    for path in paths:
        client.sendall(f"GET {path} HTTP/{version}\r\nHost: 127.0.0.1\r\nAccept: text/csv\r\n\r\n".encode())
    client.shutdown(socket.SHUT_WR)
    return client


def _busy(headwater: Headwater) -> bool:
    sandbox = headwater.sandbox_if_started
    return sandbox is not None and sandbox.status()["workers"] > sandbox.status()["idle"]


def _heard(client: socket.socket) -> str:
    said = b""
    with client:
        while piece := client.recv(65536):
            said += piece
    return said.decode()


@pytest.mark.parametrize("served", [30.0], indirect=True)
def test_who_closes_his_side_and_waits_is_answered(served: Served) -> None:
    said = _heard(_sent(served[1], "/sparql?query=ASK%20%7B%7D", "/health/live"))
    assert said.count("HTTP/1.1 200 OK") == 2
    assert said.index("true") < said.index('{"status":"alive"}')


@pytest.mark.parametrize("served", [1.0], indirect=True)
def test_an_answer_that_takes_its_time_comes_after_signs_of_life(served: Served) -> None:
    said = _heard(_sent(served[1], f"/sparql?query={LONG}"))
    assert said.startswith("HTTP/1.1 100 Continue\r\n\r\n")
    final = said.replace("HTTP/1.1 100 Continue\r\n\r\n", "")
    assert final.startswith("HTTP/1.1 503")
    assert "The query took too long" in final


@pytest.mark.parametrize("served", [30.0], indirect=True)
@pytest.mark.parametrize("abruptly", [False, True])
def test_the_query_of_who_has_left_is_given_up(served: Served, abruptly: bool) -> None:
    headwater, address = served
    client = socket.create_connection(address, timeout=20)
    client.sendall(f"GET /sparql?query={LONG} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    while not _busy(headwater):
        time.sleep(0.02)
    if abruptly:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    began = time.monotonic()
    while _busy(headwater):
        assert time.monotonic() - began < 5, "the query still runs"
        time.sleep(0.02)


@pytest.mark.parametrize("served", [1.0], indirect=True)
def test_who_closes_his_side_amid_a_request_is_let_go(served: Served) -> None:
    client = socket.create_connection(served[1], timeout=20)
    client.sendall(
        b"POST /sparql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/sparql-query\r\nContent-Length: 99\r\n\r\nASK"
    )
    client.shutdown(socket.SHUT_WR)
    assert "200 OK" not in _heard(client)


@pytest.mark.parametrize("served", [1.0], indirect=True)
def test_http_1_0_has_no_signs_of_life_and_is_let_go(served: Served) -> None:
    assert "100 Continue" not in _heard(_sent(served[1], f"/sparql?query={LONG}", version="1.0"))
