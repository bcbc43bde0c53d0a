"""What goes wrong between Headwater and a SPARQL server is said in words: where, what, and what to do; a password never."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.request import parse_http_list, parse_keqv_list

import pytest

from headwater.errors import BadParameter, BadQuery, HeadwaterError
from headwater.settings import Settings
from headwater.store.remote import Addresses, RemoteStore
from headwater.store.remote.connection import Connections, StoreRefused, StoreTimeout, StoreUnreachable
from headwater.store.remote.digest import Credentials
from headwater.store.remote.talking import Talk
from headwater.store.sandbox import QueryTimeout

SECRET = "correct horse"
YES = b'{"head":{},"boolean":true}'
JSON = "application/sparql-results+json"


@contextmanager
def serving(answer: Callable[[Any], None]) -> Iterator[str]:
    """A server on loopback that answers every POST by `answer`; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer(self)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/sparql"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def says(status: int, body: bytes = YES, media_type: str = JSON, **headers: str) -> Callable[[Any], None]:
    def answer(request: Any) -> None:
        request.send_response(status)
        for name, value in {"Content-Type": media_type, "Content-Length": str(len(body)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return answer


@contextmanager
def talking(address: str, **options: Any) -> Iterator[Talk]:
    connections = Connections(**options)
    try:
        yield Talk(connections, address, address)
    finally:
        connections.close()


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (says(401, b"no"), StoreRefused, "does not let us in"),
        (says(403, b"no"), StoreRefused, "does not let us in"),
        (says(404, b"<html>nothing</html>", "text/html"), StoreRefused, "no SPARQL endpoint"),
        (says(301, b"", Location="http://elsewhere/"), StoreRefused, "http://elsewhere/"),
        (says(200, b"<html><form>", "text/html"), StoreRefused, "page for people"),
        (says(400, b"Parse error"), BadQuery, "Parse error"),
        (says(503, b"timeout"), QueryTimeout, "timeout"),
        (says(200, YES, JSON, X_SQL_State="S1TAT"), HeadwaterError, "cut its answer short"),
        (says(500, b"Exceeded 1000000000 bytes"), HeadwaterError, "Exceeded"),
    ],
)
def test_each_refusal_has_its_words(answer: Callable[[Any], None], error: type[HeadwaterError], words: str) -> None:
    with serving(answer) as address, talking(address, user="ann", password=SECRET) as talk:
        with pytest.raises(error) as refused:
            talk.truth("ASK {}", [])
        assert words in f"{refused.value.detail} {refused.value.remedy}"
        assert refused.value.remedy
        assert SECRET not in repr(refused.value.problem())


def test_nobody_there_is_said_with_the_address() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/query"
        with talking(address) as talk, pytest.raises(StoreUnreachable, match="Nobody listens at http"):
            talk.truth("ASK {}", [])
    with pytest.raises(StoreUnreachable):
        RemoteStore(Addresses(address))


def test_a_server_that_never_answers_is_given_up() -> None:
    done = threading.Event()
    with serving(lambda _request: done.wait(10) and None) as address, talking(address, seconds=0.3) as talk:
        begun = time.monotonic()
        with pytest.raises(StoreTimeout):
            talk.truth("ASK {}", [])
        assert time.monotonic() - begun < 5
        done.set()


def test_a_request_is_stopped_from_another_thread() -> None:
    done = threading.Event()
    stops: list[Callable[[], None]] = []
    with serving(lambda _request: done.wait(10) and None) as address, talking(address) as talk:
        threading.Timer(0.3, lambda: stops[0]()).start()
        begun = time.monotonic()
        with pytest.raises(StoreUnreachable):
            talk.ask("ASK {}", [], begun=stops.append)
        assert time.monotonic() - begun < 5
        done.set()


@pytest.mark.parametrize("chunked", [True, False])
def test_an_answer_that_breaks_off_is_an_error(chunked: bool) -> None:
    def broken(request: Any) -> None:
        request.send_response(200)
        request.send_header("Content-Type", JSON)
        request.send_header(*(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", "1000")))
        request.end_headers()
        request.wfile.write(b"1a\r\n" + YES + b"\r\n" if chunked else YES)
        request.close_connection = True

    with serving(broken) as address, talking(address) as talk, pytest.raises(StoreUnreachable, match="broke"):
        talk.truth("ASK {}", [])


def test_connections_are_kept_and_taken_up_again() -> None:
    callers: set[Any] = set()

    def noting(request: Any) -> None:
        callers.add(request.client_address)
        says(200)(request)

    with serving(noting) as address, talking(address) as talk:
        for _ in range(5):
            assert talk.truth("ASK {}", [])
    assert len(callers) == 1


def test_a_connection_that_the_server_let_go_is_made_anew() -> None:
    def once(request: Any) -> None:
        says(200)(request)
        # Without saying so, as a server does whose patience with idle connections is over.
        request.close_connection = True

    with serving(once) as address, talking(address) as talk:
        for _ in range(3):
            assert talk.truth("ASK {}", [])
            time.sleep(0.05)


def test_digest_authentication_is_answered_as_the_standard_says() -> None:
    """The example of RFC 2617, section 3.5, with a client's nonce of its own."""
    credentials = Credentials("Mufasa", "Circle Of Life")
    assert credentials.asked(
        ['Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc"']
    )
    given = credentials.header("GET", "/dir/index.html")
    assert given is not None
    told = parse_keqv_list(parse_http_list(given.removeprefix("Digest ")))

    def digest(text: str) -> str:
        import hashlib

        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    who, what = digest("Mufasa:testrealm@host.com:Circle Of Life"), digest("GET:/dir/index.html")
    assert (who, what) == ("939e7578ed9e3c518a452acee763bce9", "39aff3a2bab6126f332b942af96d3366")
    assert told["response"] == digest(f"{who}:{told['nonce']}:{told['nc']}:{told['cnonce']}:auth:{what}")


def test_a_server_that_asks_for_a_digest_gets_one() -> None:
    seen: list[str] = []

    def guarded(request: Any) -> None:
        given = request.headers.get("Authorization", "")
        seen.append(given)
        if given.startswith("Digest "):
            says(200)(request)
        else:
            says(401, b"", WWW_Authenticate='Digest realm="SPARQL", nonce="abc", qop="auth", algorithm="MD5"')(request)

    with serving(guarded) as address, talking(address, user="dba", password=SECRET) as talk:
        assert talk.truth("ASK {}", [])
        assert talk.truth("ASK {}", [])
    assert [given.split(" ")[0] for given in seen] == ["Basic", "Digest", "Digest"]
    assert all(SECRET not in given for given in seen)


def test_a_password_stands_nowhere() -> None:
    settings = Settings(store="sparql+http://host/query", store_user="ann", store_password=SECRET)
    assert SECRET not in f"{settings!r} {settings} {settings.model_dump_json()}"
    assert SECRET not in repr(Addresses.of(settings.store, user="ann", password=SECRET))
    with pytest.raises(BadParameter) as refused:
        Addresses.of(f"sparql+http://ann:{SECRET}@host/query")
    assert SECRET not in repr(refused.value.problem())


@pytest.mark.parametrize(
    "address", ["sparql+http://", "sparql+http://host:0/", "sparql+http://host:port/", "sparql+https:///path"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(BadParameter):
        Addresses.of(address)
