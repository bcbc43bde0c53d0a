"""Connections that try to harm: slow ones, half-closed ones, and hundreds at once; everybody else is served meanwhile."""

from __future__ import annotations

import contextlib
import resource
import socket
import time
from collections.abc import Iterator

import pytest

from tests.attacks.conftest import Service

pytestmark = pytest.mark.server


def _connect(service: Service) -> socket.socket:
    return socket.create_connection(("127.0.0.1", service.port), timeout=20)


def _closed_within(connection: socket.socket, seconds: float, drip: bytes) -> bytes:
    """What the service says before it closes, while it is sent a byte now and then. Fails if it does not."""
    until = time.monotonic() + seconds
    said = b""
    connection.settimeout(0.3)
    while time.monotonic() < until:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if drip:
                connection.send(drip)
        try:
            piece = connection.recv(65536)
        except TimeoutError:
            continue
        except ConnectionResetError:
            return said
        if not piece:
            return said
        said += piece
    pytest.fail(f"still open after {seconds} seconds: {said!r}")


HEAD = b"POST /sparql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/sparql-query\r\n"


def test_who_says_nothing_is_hung_up_on(service: Service) -> None:
    with _connect(service) as connection:
        assert _closed_within(connection, 10, b"") == b""


def test_a_head_that_comes_byte_by_byte_is_hung_up_on(service: Service) -> None:
    with _connect(service) as connection:
        connection.send(b"GET /health/live HTTP/1.1\r\nX-Slow: ")
        _closed_within(connection, 10, b"x")


def test_a_second_head_that_comes_byte_by_byte_is_hung_up_on(service: Service) -> None:
    with _connect(service) as connection:
        connection.send(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /health/live HTTP/1.1\r\nX-Slow: ")
        assert b"alive" in _closed_within(connection, 10, b"x")


def test_a_body_that_comes_byte_by_byte_is_answered_by_408(service: Service) -> None:
    with _connect(service) as connection:
        connection.send(HEAD + b"Content-Length: 100000\r\n\r\n")
        said = _closed_within(connection, 12, b"x")
    assert said.startswith(b"HTTP/1.1 408")
    assert b"application/problem+json" in said


def test_a_body_that_nobody_wants_does_not_keep_the_connection(service: Service) -> None:
    with _connect(service) as connection:
        connection.send(b"POST /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n")
        assert _closed_within(connection, 10, b"x").startswith(b"HTTP/1.1 404")


def test_a_body_that_takes_long_but_comes_is_accepted(service: Service) -> None:
    body = b"ASK {}" + b" " * 60_000
    with _connect(service) as connection:
        connection.send(HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
        for place in range(0, len(body), 10_000):
            connection.send(body[place : place + 10_000])
            time.sleep(0.45)
        assert _closed_within(connection, 15, b"").startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"G",
        b"GET /sparql?query=ASK%20%7B%7D HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        HEAD + b"Content-Length: 50\r\n\r\nASK",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nASK",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000,
    ],
    ids=range(7),
)
def test_sockets_that_are_closed_half_way_are_let_go(service: Service, sent: bytes) -> None:
    for _ in range(10):
        with _connect(service) as connection, contextlib.suppress(OSError):
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
    service.alive()


def test_clients_that_read_nothing_of_a_long_answer_do_not_stop_the_others(service: Service) -> None:
    text = b"SELECT * { ?a ?b ?c . ?d ?e ?f }"
    with contextlib.ExitStack() as opened:
        for _ in range(12):
            connection = opened.enter_context(_connect(service))
            connection.send(HEAD + b"Content-Length: %d\r\n\r\n" % len(text) + text)
        service.alive(30)


@pytest.fixture
def crowd(service: Service) -> Iterator[int]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096) if hard > 0 else 4096, hard))
    with contextlib.ExitStack() as opened:
        for number in range(500):
            connection = opened.enter_context(_connect(service))
            connection.send(HEAD + b"Content-Length: 9\r\n" if number % 2 else b"GET / HT")
        yield 500
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_five_hundred_connections_that_go_on_for_ever_leave_room(service: Service, crowd: int) -> None:
    assert crowd == 500
    service.alive(20)
