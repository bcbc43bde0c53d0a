"""The server as a process: it answers, stops politely on SIGTERM, and says plainly when its port is taken."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from headwater.app import Headwater
from headwater.errors import Conflict
from headwater.settings import Settings
from headwater.web.server import configured, listening
from tests.web.conftest import LABORATORY, PREFIXES, Client

pytestmark = pytest.mark.server

PROGRAM = """
import sys
from pathlib import Path
from headwater.app import Headwater
from headwater.settings import Settings
from headwater.settings import Settings
from headwater.web.server import serve
with Headwater.open(Settings(data=Path(sys.argv[1]), store="memory")) as headwater:
    serve(headwater, "127.0.0.1", int(sys.argv[2]))
    print("the caller goes on")
print("closed")
"""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_and_the_caller_closes_everything(tmp_path: Path, number: signal.Signals) -> None:
    port = _free_port()
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "data"), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(200):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=5) as answer:
                    assert answer.status == 200
                break
            except OSError:
                time.sleep(0.05)
        process.send_signal(number)
        said, complaints = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, said.splitlines()) == (0, ["the caller goes on", "closed"])
    assert complaints == ""


@pytest.fixture
def taken() -> Iterator[int]:
    with listening("127.0.0.1", 0) as listener:
        yield int(listener.getsockname()[1])


def test_a_taken_port_is_said_with_a_remedy(taken: int) -> None:
    with pytest.raises(Conflict, match="cannot listen") as caught, listening("127.0.0.1", taken):
        pass
    assert "--port" in caught.value.remedy


def test_answers_are_not_held_back_by_the_network_stack() -> None:
    with listening("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_forwarded_addresses_are_never_believed(lab: Client) -> None:
    config = configured(lab.headwater)
    assert config.proxy_headers is False
    assert config.workers == 1


CSV = {"Accept": "text/csv"}
SLOW_QUERY = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n ?o }"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The laboratory behind a real socket, with queries of at most a second."""
    (tmp_path / "lab.ttl").write_text(PREFIXES + LABORATORY, encoding="utf-8")
    with Headwater.open(Settings(data=tmp_path / "data", query_timeout_s=1.0, max_answer_mb=512)) as headwater:
        headwater.import_source(tmp_path / "lab.ttl")
        with listening("127.0.0.1", 0) as listener:
            server = uvicorn.Server(configured(headwater))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            server.should_exit = True
            thread.join()


def test_a_query_that_takes_too_long_is_an_error_before_the_first_byte(served: str) -> None:
    counting = SLOW_QUERY.replace("*", "(COUNT(*) AS ?n)")
    answer = httpx.get(f"{served}/sparql", params={"query": counting}, timeout=30)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert answer.json()["title"] == "The query took too long"
    assert "retry-after" in answer.headers


def test_an_answer_that_is_cut_short_breaks_off_so_that_nobody_takes_it_for_whole(served: str) -> None:
    with httpx.stream("GET", f"{served}/sparql", params={"query": SLOW_QUERY}, headers=CSV, timeout=30) as answer:
        assert answer.status_code == 200
        pieces = answer.iter_bytes()
        assert next(pieces).startswith(b"a,b,c")
        with pytest.raises(httpx.RemoteProtocolError):
            list(pieces)


def test_who_hangs_up_stops_the_query(served: str) -> None:
    counting = SLOW_QUERY.replace("*", "(COUNT(*) AS ?n)")
    for _ in range(8):
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{served}/sparql", params={"query": counting}, timeout=0.1)
    assert httpx.get(f"{served}/sparql", params={"query": "ASK {}"}, timeout=30).json()["boolean"] is True
