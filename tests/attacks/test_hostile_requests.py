"""Requests that are none, or two at once, or of another host: each gets one proper answer, and none gets into another's."""

from __future__ import annotations

import re
import resource
import socket
import time
from pathlib import Path

import httpx
import pytest

from tests.attacks.conftest import Service

pytestmark = pytest.mark.server
ASK = b"ASK {}"
POST = b"POST /sparql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/sparql-query\r\n"
GET = b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n"


def _told(service: Service, sent: bytes, seconds: float = 8) -> bytes:
    """All that comes back before the service closes, or says nothing more for a second."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=seconds) as connection:
        try:
            connection.sendall(sent)
        except OSError:
            return b""  # hung up on before it was all said
        said = b""
        until = time.monotonic() + seconds
        connection.settimeout(1.0)
        while time.monotonic() < until:
            try:
                piece = connection.recv(65536)
            except TimeoutError:
                if said:
                    break
                continue
            except OSError:
                break
            if not piece:
                break
            said += piece
        return said


def _statuses(said: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", said)]


@pytest.mark.parametrize(
    "sent",
    [
        # What a reader of the other length takes for a second request must not be answered as one.
        POST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + GET + b"\r\n",
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n6\r\nASK {}\r\n0\r\n\r\n",
        POST + b"Content-Length: 6\r\nContent-Length: 60\r\n\r\n" + ASK,
        POST + b"Content-Length: 6, 60\r\n\r\n" + ASK,
        POST + b"Content-Length: -6\r\n\r\n" + ASK,
        POST + b"Content-Length: +6\r\n\r\n" + ASK,
        POST + b"Content-Length: 0x6\r\n\r\n" + ASK,
        POST + b"Content-Length: 6 \r\n\r\n" + ASK,
        POST + b"Content-Length : 6\r\n\r\n" + ASK,
        POST + b"Content-Length: 99999999999999999999999\r\n\r\n" + ASK,
        POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: xchunked\r\n\r\n6\r\nASK {}\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nASK {}",
        POST + b"Transfer-Encoding: chunked\r\n\r\n-6\r\nASK {}\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n6;" + b"x" * 70_000 + b"\r\nASK {}\r\n0\r\n\r\n",
        POST + b"X: a\r\n b\r\nContent-Length: 6\r\n\r\n" + ASK,
        POST + b"X: a\x00b\r\nContent-Length: 6\r\n\r\n" + ASK,
        POST + b"X: a\rContent-Length: 6\r\n\r\n" + ASK,
        POST + b": a\r\nContent-Length: 6\r\n\r\n" + ASK,
        b"GET /health/live HTTP/1.1\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: \r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: a b\r\n\r\n",
        b"GET /health/live HTTP/9.9\r\nHost: a\r\n\r\n",
        b"GET /health/live\r\n\r\n",
        b"get /health/live HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET  /health/live HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://evil.example/health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET //evil.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /..%2f..%2fetc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /static/..%2f..%2f__init__.py HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /%zz%00%ff HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /object/%00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /object/%ff%fe HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /api/v1/objects?kind=%00%ff%zz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /api/v1/lineage?id=%ed%a0%80 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /sparql?query=%ed%a0%80 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /sparql?query=ASK+%7B%7D&default-graph-uri=%0d%0aX:%20y HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /\x80\xff HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        GET + b"Cookie: " + b"a" * 60_000 + b"\r\n\r\n",
        GET + b"".join(b"X-%d: y\r\n" % n for n in range(3000)) + b"\r\n",
        GET + b"Authorization: Bearer \xff\xfe\r\n\r\n",
        GET + b"Authorization: Bearer " + b"a" * 50_000 + b"\r\n\r\n",
        GET + b"Accept: " + b"a/b," * 10_000 + b"\r\n\r\n",
        GET + b"Accept: */*;q=9;q=x;\r\nAccept-Language: \xff,;q=\r\nRange: bytes=9-1\r\nIf-None-Match: \xff\r\n\r\n",
        GET + b"Expect: 200-maybe\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"TRACE / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: secret\r\n\r\n",
        b"\r\n" * 20_000,
        b"\x00" * 100_000,
    ],
    ids=range(55),
)
def test_odd_requests_get_one_proper_answer_or_are_hung_up_on(service: Service, sent: bytes) -> None:
    said = _told(service, sent)
    statuses = _statuses(said)
    assert len(statuses) <= 1 + sent.startswith(b"PRI"), said[:500]
    assert not any(status >= 500 and status != 501 for status in statuses), said[:500]
    assert b"Traceback" not in said
    assert b"root:" not in said
    assert httpx.get(f"{service.url}/health/live", timeout=5).status_code == 200


def test_odd_requests_left_no_error_behind(service: Service) -> None:
    assert "unexpected error" not in service.log
    assert "Exception in" not in service.log
    service.alive()


def test_requests_in_a_row_are_answered_in_their_order(service: Service) -> None:
    asked = [b"GET /sparql?query=" + (b"ASK%7B%7D" if n % 2 else b"nonsense") + b" HTTP/1.1\r\nHost: a\r\n" for n in range(20)]
    said = _told(service, b"\r\n".join(asked) + b"Connection: close\r\n\r\n", 20)
    assert _statuses(said) == [200 if n % 2 else 400 for n in range(20)]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:99999", "127.0.0.1@evil.example", "a\tb", "[::1", "x" * 5000, "ü"]
)
def test_a_wrong_host_gets_into_no_link(service: Service, host: str) -> None:
    for path in ("/", "/sparql", "/api/v1/objects", "/.well-known/void", "/openapi.json", "/object/nothing", "/id/model/x"):
        said = _told(service, b"GET %b HTTP/1.1\r\nConnection: close\r\nHost: %b\r\n\r\n" % (path.encode(), host.encode("utf-8")))
        statuses = _statuses(said)
        assert all(status < 500 for status in statuses), said[:400]
        head = said.partition(b"\r\n\r\n")[0].lower()
        assert b"\r\nlocation: http://evil" not in head
    assert "unexpected error" not in service.log


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/objects?kind=%0d%0aSet-Cookie:%20a=b",
        "/id/model/%0d%0aSet-Cookie:%20a=b",
        "/search?q=%0d%0aSet-Cookie:%20a=b",
        "/sparql?query=ASK%7B%7D&format=%0d%0aSet-Cookie:%20a=b",
        "/sparql/store?graph=urn:x%0d%0aSet-Cookie:%20a=b",
        "/api/v1/records/urn:x%0d%0aSet-Cookie:%20a=b",
        "/graph/model/%0d%0aSet-Cookie:%20a=b.svg",
        "/badge/model/%0d%0aSet-Cookie:%20a=b.svg",
    ],
)
def test_line_ends_in_an_address_make_no_header(service: Service, path: str) -> None:
    for headers in ({}, {"Accept": "text/html"}, {"Accept": "text/turtle;q=0.5, */*;q=0.1"}):
        answer = httpx.get(f"{service.url}{path}", headers=headers, timeout=10)
        assert answer.status_code < 500
        assert "set-cookie" not in answer.headers


def test_a_graph_whose_name_has_line_ends_makes_no_header(service: Service) -> None:
    body = b"<urn:x> <urn:p> 1 ."
    for name in ("urn:x%0d%0aSet-Cookie:%20a=b", "urn:x%250d%250aSet-Cookie", "urn:x%C2%85y", "urn:x%E2%80%A8y"):
        answer = httpx.put(
            f"{service.url}/sparql/store?graph={name}", content=body, headers={"Content-Type": "text/turtle"}, timeout=30
        )
        assert answer.status_code in (201, 204, 400, 422), answer.text
        assert "set-cookie" not in answer.headers
    assert "unexpected error" not in service.log


def test_a_service_without_files_left_goes_on_when_there_are_some_again(own: Service) -> None:
    assert own.ask("ASK {}").status_code == 200
    limits = resource.prlimit(own.pid, resource.RLIMIT_NOFILE)
    opened = len(list((Path(f"/proc/{own.pid}/fd")).iterdir()))
    resource.prlimit(own.pid, resource.RLIMIT_NOFILE, (opened + 6, limits[1]))
    crowd = []
    for _ in range(15):
        connection = socket.create_connection(("127.0.0.1", own.port), timeout=5)
        connection.send(GET)
        crowd.append(connection)
    time.sleep(1.5)
    assert own.process is not None
    assert own.process.poll() is None
    # The crowd is hung up on for its unfinished heads; who comes then is served, if not with all there is.
    until = time.monotonic() + 40
    while True:
        try:
            if httpx.get(f"{own.url}/health/live", timeout=10).status_code == 200:
                break
        except httpx.HTTPError:
            assert time.monotonic() < until
    statuses = {own.ask(f"SELECT * {{ ?s ?p ?o }} # {n}").status_code for n in range(3)}
    assert statuses <= {200, 503}, statuses
    for connection in crowd:
        connection.close()
    resource.prlimit(own.pid, resource.RLIMIT_NOFILE, limits)
    own.alive(20)
