"""SERVICE and LOAD reach what the settings name, and nothing else: not by variables, redirects, names or private addresses."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pyoxigraph import QueryResultsFormat, QuerySolutions, RdfFormat, Store

from headwater.access import LOCAL
from headwater.app import Headwater
from headwater.app.federating import Elsewhere, Federation
from headwater.app.querying import Told
from headwater.errors import BadQuery

ENDPOINT, DOCUMENTS = "http://endpoint.example/sparql", "http://documents.example/open/"
_FAR = "<urn:model> <urn:rated> 5 . <urn:other> <urn:rated> 1 ."
_NEAR = "@prefix hw: <https://w3id.org/headwater/terms#> . <urn:model> a hw:Model ; <urn:secretly> <urn:x> ."


class _Here(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.create_connection(("127.0.0.1", self.port), self.timeout)


@dataclass
class _Elsewhere:
    """A web of other people's servers; `asked` are the requests that came."""

    port: int = 0
    asked: list[tuple[str, str, str, bytes]] = field(default_factory=list)

    def connect(self, scheme: str, host: str, port: int | None, timeout: float) -> http.client.HTTPConnection:
        """Every name leads to this one server, which knows by `Host` who is meant."""
        del scheme, port
        return _Here(host, self.port, timeout=timeout)


@pytest.fixture
def elsewhere() -> Iterator[_Elsewhere]:
    web = _Elsewhere()
    store = Store()
    store.load(_FAR.encode(), format=RdfFormat.TURTLE)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            web.asked.append(("POST", self.headers["Host"], self.path, body))
            if self.path != "/sparql":
                self._told(500 if self.path == "/broken" else 302, b"", "text/plain")
                return
            found = store.query(body.decode())
            assert isinstance(found, QuerySolutions)
            told = found.serialize(format=QueryResultsFormat.JSON)
            assert told is not None
            self._told(200, told, "application/sparql-results+json")

        def do_GET(self) -> None:
            web.asked.append(("GET", self.headers["Host"], self.path, b""))
            if self.path.startswith("/open/moved"):
                self._told(302, b"", "text/plain")
            else:
                self._told(404 if "missing" in self.path else 200, _FAR.encode(), "text/turtle")

        def _told(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if status == 302:
                self.send_header(
                    "Location", "http://documents.example/open/a" if "here" in self.path else "http://10.0.0.7/open/a"
                )
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing on standard error."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        web.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield web
        server.shutdown()
        thread.join()


@pytest.fixture
def lab(opened: Callable[..., Headwater], write: Callable[..., object], elsewhere: _Elsewhere) -> Headwater:
    allowed = (ENDPOINT, "http://endpoint.example/broken", "http://endpoint.example/moved")
    headwater = opened(store="memory", service_allowed=allowed, load_allowed=(DOCUMENTS,))
    headwater.__dict__["federation"] = Federation(headwater.settings, elsewhere.connect)
    write(headwater, "near", _NEAR)
    return headwater


def _rows(lab: Headwater, text: str) -> list[dict[str, str]]:
    told = lab.stream(text, LOCAL)
    assert isinstance(told, Told)
    body, _ = lab.query(text, LOCAL)
    assert json.loads(body) == json.loads(told.body)
    return [{name: cell["value"] for name, cell in row.items()} for row in json.loads(told.body)["results"]["bindings"]]


def test_an_endpoint_that_is_allowed_is_asked_and_joined(lab: Headwater, elsewhere: _Elsewhere) -> None:
    asked = "SELECT ?m ?r { ?m <urn:secretly> ?x SERVICE e:sparql { ?m <urn:rated> ?r } }"
    text = f"PREFIX e: <http://endpoint.example/> {asked}"
    assert _rows(lab, text) == [{"m": "urn:model", "r": "5"}]
    assert {(host, path) for _, host, path, _ in elsewhere.asked} == {(f"endpoint.example:{elsewhere.port}", "/sparql")}
    assert all(b"secretly" not in body for _, _, _, body in elsewhere.asked)
    assert lab.federation.asked == len(elsewhere.asked) > 0


def test_what_is_answered_elsewhere_is_asked_anew_each_time(lab: Headwater, elsewhere: _Elsewhere) -> None:
    text = f"SELECT * {{ SERVICE <{ENDPOINT}> {{ ?m <urn:rated> ?r }} }}"
    before = [len(_rows(lab, text)), len(elsewhere.asked)]
    assert [len(_rows(lab, text)), len(elsewhere.asked)] == [before[0], 2 * before[1]]


@pytest.mark.parametrize(
    "call",
    [
        "SERVICE <http://10.0.0.7/sparql>",
        "SERVICE SILENT <http://169.254.169.254/latest/>",
        "SERVICE <http://endpoint.example/sparql2>",
        "SERVICE <http://endpoint.example@127.0.0.1/sparql>",
        "SERVICE ?where",
        "SERVICE SILENT ?where",
        "SERVICE nobody:knows",
        "?s ?p true.SERVICE<http://10.0.0.7/>",
        "?s ?p trueSERVICE<http://10.0.0.7/>",
        "SERVICESILENT<http://10.0.0.7/>",
    ],
)
def test_nothing_else_is_asked(lab: Headwater, elsewhere: _Elsewhere, call: str) -> None:
    with pytest.raises(BadQuery):
        lab.stream(f"SELECT * {{ BIND(<http://10.0.0.7/> AS ?where) {call} {{ ?s ?p ?o }} }}", LOCAL)
    assert elsewhere.asked == []


def test_an_endpoint_that_fails_or_points_elsewhere_is_an_error_that_names_it_and_not_us(lab: Headwater) -> None:
    for path in ("broken", "moved"):
        with pytest.raises(Elsewhere, match=f"endpoint.example/{path}") as failed:
            lab.stream(f"SELECT * {{ SERVICE <http://endpoint.example/{path}> {{ ?s ?p ?o }} }}", LOCAL)
        assert "127.0.0.1" not in failed.value.detail
        assert failed.value.status == 502
        assert _rows(lab, f"SELECT * {{ SERVICE SILENT <http://endpoint.example/{path}> {{ ?s ?p ?o }} }}") == [{}]


def test_an_address_that_leads_into_a_private_network_is_not_asked(opened: Callable[..., Headwater]) -> None:
    headwater = opened(store="memory", service_allowed=("http://localhost:1/sparql",), load_allowed=("http://127.0.0.1:1/",))
    with pytest.raises(Elsewhere, match="private network"):
        headwater.stream("ASK { SERVICE <http://localhost:1/sparql> { ?s ?p ?o } }", LOCAL)
    with pytest.raises(Elsewhere, match="private network"):
        headwater.update("LOAD <http://127.0.0.1:1/a.ttl>", LOCAL)


def test_our_own_addresses_hold_for_one_query_only(lab: Headwater) -> None:
    text, lease = lab.federation.lent(f"ASK {{ SERVICE <{ENDPOINT}> {{ ?s ?p ?o }} }}", "", time.monotonic() + 60)
    [ours] = lease.endpoints
    assert ours in text
    assert ENDPOINT not in text

    def asked(address: str) -> int:
        connection = http.client.HTTPConnection(address.split("/")[2], timeout=10)
        connection.request("POST", "/" + address.split("/", 3)[3], b"SELECT * { ?s ?p ?o }")
        status = connection.getresponse().status
        connection.close()
        return status

    assert asked(ours) == 200
    assert asked(ours + "x") == 502
    lease.close()
    assert asked(ours) == 502


def test_a_document_that_is_allowed_is_loaded_like_any_other_write(lab: Headwater) -> None:
    lab.update(f"LOAD <{DOCUMENTS}a.ttl> INTO GRAPH <urn:loaded> ; LOAD <{DOCUMENTS}moved-here>", LOCAL)
    assert _rows(lab, "SELECT ?s { GRAPH <urn:loaded> { ?s <urn:rated> 5 } }") == [{"s": "urn:model"}]
    assert _rows(lab, "SELECT (COUNT(?g) AS ?n) { GRAPH ?g { ?s <urn:rated> 5 } }") == [{"n": "2"}]


@pytest.mark.parametrize("path", ["missing.ttl", "moved-away"])
def test_a_document_that_cannot_be_had_changes_nothing_unless_silent(lab: Headwater, path: str) -> None:
    before = lab.sequence
    with pytest.raises(Elsewhere):
        lab.update(f"INSERT DATA {{ <urn:a> <urn:b> <urn:c> }} ; LOAD <{DOCUMENTS}{path}>", LOCAL)
    assert lab.sequence == before
    lab.update(f"INSERT DATA {{ <urn:a> <urn:b> <urn:c> }} ; LOAD SILENT <{DOCUMENTS}{path}>", LOCAL)
    assert _rows(lab, "SELECT ?c { <urn:a> <urn:b> ?c }") == [{"c": "urn:c"}]


@pytest.mark.parametrize("address", ["http://10.0.0.7/a.ttl", f"{DOCUMENTS}../secret.ttl", "file:///etc/passwd"])
def test_no_other_document_is_fetched(lab: Headwater, elsewhere: _Elsewhere, address: str) -> None:
    with pytest.raises(BadQuery):
        lab.update(f"LOAD <{address}>", LOCAL)
    before = lab.sequence
    lab.update("LOAD SILENT <file:///etc/passwd>", LOCAL)
    assert (elsewhere.asked, lab.sequence) == ([], before)


def test_an_update_may_ask_elsewhere_too(lab: Headwater) -> None:
    lab.update(f"INSERT {{ ?m <urn:stars> ?r }} WHERE {{ SERVICE <{ENDPOINT}> {{ ?m <urn:rated> ?r }} }}", LOCAL)
    assert len(_rows(lab, "SELECT ?m { ?m <urn:stars> ?r }")) == 2
