"""A request that comes again in the same bytes is answered from memory, as long as it would be answered the same."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import uvicorn

from headwater.app import Headwater
from headwater.settings import Settings
from headwater.web.repeated import may_repeat
from headwater.web.server import configured, listening

pytestmark = pytest.mark.server
THINGS = "SELECT (COUNT(?s) AS ?n) WHERE { ?s a <https://w3id.org/headwater/terms#Dataset> }"
ONE = '<https://e.org/one> a <https://w3id.org/headwater/terms#Dataset> ; <http://www.w3.org/2000/01/rdf-schema#label> "one" .'


@pytest.fixture
def headwater(tmp_path: Path) -> Iterator[Headwater]:
    settings = Settings(data=tmp_path, store="memory", requests_per_minute=60, requests_at_once=3, audits="manual")
    with Headwater.open(settings) as opened:
        opened.tokens.create("somebody", "write")
        yield opened


@pytest.fixture
def port(headwater: Headwater) -> Iterator[int]:
    with listening("127.0.0.1", 0) as listener:
        server = uvicorn.Server(configured(headwater))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join(30)


class Wire:
    """A connection that sends bytes as they are and gives back status, headers and body."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def ask(self, query: str, *headers: str) -> tuple[int, dict[str, str], bytes]:
        lines = [f"GET /sparql?query={quote(query)}&format=csv HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]
        return self.send("\r\n".join(lines).encode())

    def send(self, raw: bytes) -> tuple[int, dict[str, str], bytes]:
        self._socket.sendall(raw)
        return self.answer()

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        status = int(self._file.readline().split()[1])
        said: dict[str, str] = {}
        while line := self._file.readline().decode().strip():
            name, _, value = line.partition(": ")
            said[name.lower()] = value
        return status, said, self._file.read(int(said.get("content-length", 0)))


def wait_for_the_log(headwater: Headwater) -> list[str]:
    return sorted(entry["outcome"] for entry in headwater.query_log.slowest(50))


def test_the_second_answer_is_the_first_again_with_its_headers(port: int, headwater: Headwater) -> None:
    with Wire(port) as wire:
        first, second = wire.ask(THINGS), wire.ask(THINGS)
    assert first[0] == second[0] == 200
    assert first[2] == second[2] == b"n\r\n0\r\n"
    assert {key: value for key, value in first[1].items() if key != "date"} == {
        key: value for key, value in second[1].items() if key != "date"
    }
    assert wait_for_the_log(headwater) == ["answered", "cached"]


def test_what_was_written_in_between_is_seen(port: int, headwater: Headwater, tmp_path: Path) -> None:
    with Wire(port) as wire:
        assert wire.ask(THINGS)[2] == wire.ask(THINGS)[2] == b"n\r\n0\r\n"
        (tmp_path / "one.ttl").write_text(ONE)
        headwater.import_source(tmp_path / "one.ttl")
        assert wire.ask(THINGS)[2] == b"n\r\n1\r\n"


def test_an_answer_that_is_another_one_each_time_is_not_repeated(port: int) -> None:
    with Wire(port) as wire:
        assert len({wire.ask("SELECT (UUID() AS ?u) {}")[2] for _ in range(3)}) == 3


def test_a_token_is_looked_at_each_time(port: int, headwater: Headwater) -> None:
    token = f"Authorization: Bearer {headwater.tokens.create('brief', 'read')}"
    with Wire(port) as wire:
        assert [wire.ask(THINGS, token)[0] for _ in range(3)] == [200] * 3
        headwater.tokens.revoke("brief")
        assert wire.ask(THINGS, token)[0] == 401


def test_who_is_limited_is_limited_here_too_and_told_what_is_left(port: int) -> None:
    with Wire(port) as wire:
        answers = [wire.ask(THINGS, "X-Forwarded-For: 192.0.2.7") for _ in range(5)]
    assert [status for status, _, _ in answers] == [200, 200, 200, 429, 429]
    assert [said["ratelimit"].split(";")[1] for _, said, _ in answers] == ["r=2", "r=1", "r=0", "r=0", "r=0"]


def test_two_requests_sent_at_once_are_answered_in_their_order(port: int) -> None:
    with Wire(port) as wire:
        raw = f"GET /sparql?query={quote('ASK {}')}&format=csv HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
        other = raw.replace(b"ASK", b"SELECT%20%2A")
        wire.send(raw)
        assert wire.send(raw)[2] == b"true\n"
        wire._socket.sendall(raw + other + raw)
        assert [wire.answer()[2] for _ in range(3)] == [b"true\n", b"\r\n\r\n", b"true\n"]


def test_a_request_in_two_pieces_is_answered_as_one(port: int) -> None:
    with Wire(port) as wire:
        raw = f"GET /sparql?query={quote('ASK {}')}&format=csv HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
        assert wire.send(raw)[2] == wire.send(raw)[2] == b"true\n"
        wire._socket.sendall(raw[:20])
        assert wire.send(raw[20:])[2] == b"true\n"


def test_the_same_bytes_of_somebody_else_are_asked_anew(port: int) -> None:
    with Wire(port) as wire:
        for origin in ("https://a.example", "https://b.example"):
            assert "access-control-allow-origin" not in wire.ask(THINGS, f"Origin: {origin}")[1]
        assert wire.ask(THINGS, "Accept: text/html")[0] == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"POST /sparql?query=ASK%7B%7D HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /sparql?query=ASK%7B%7D HTTP/1.0\r\nHost: x\r\n\r\n",
        b"GET /sparql?query=ASK%7B%7D HTTP/1.1\r\nHost: x\r\ncontent-length: 1\r\n\r\n",
        b"GET /sparql?query=ASK%7B%7D HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /sparql?query=ASK%7B%7D HTTP/1.1\r\nHost: x\r\n\r\nGET /",
        b"GET /sparql?query=ASK%7B%7D HTTP/1.1\r\nHost: x\r\n",
        b"GET /sparql?query=" + b"A" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_only_one_whole_plain_request_may_be_answered_so(raw: bytes) -> None:
    assert not may_repeat(raw)


def test_the_editor_still_names_its_place_in_the_documentation(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        page = connection.makefile("rb")
        connection.sendall(b"GET /sparql HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\nConnection: close\r\n\r\n")
        assert b'/docs#"' not in page.read()
