"""Bodies that try to harm: each is read or refused by itself, in seconds, fetches nothing, and everybody else is served."""

from __future__ import annotations

import io
import json
import socket
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from random import Random

import httpx
import pytest

from tests.attacks.bodies import SYNTAXES, TRAPS, damaged, document
from tests.attacks.conftest import Service

pytestmark = pytest.mark.server
PROPER = {200, 201, 202, 204, 400, 401, 404, 405, 409, 412, 413, 415, 422}
DOORS = ("/api/v1/validate", "/api/v1/records", "/sparql/store?graph=urn:b:graph", "/sparql/store?default")


def _send(service: Service, path: str, body: bytes, media_type: str, seconds: float = 60, **headers: str) -> httpx.Response:
    method = "PUT" if path.startswith("/sparql/store") else "POST"
    sent = {"Content-Type": media_type, **headers}
    return httpx.request(method, f"{service.url}{path}", content=body, headers=sent, timeout=seconds)


def _proper(answer: httpx.Response) -> str:
    """What is wrong with an answer; empty for nothing."""
    if answer.status_code not in PROPER:
        return f"{answer.status_code} {answer.text[:300]}"
    if answer.status_code >= 400:
        told = json.loads(answer.content)
        if "root:" in answer.text or not {"title", "detail", "remedy"} <= told.keys():
            return answer.text[:300]
    return ""


def _flood(service: Service, number: int, seed: int) -> None:
    random = Random(seed)
    media_types = list(SYNTAXES)
    faults: list[str] = []

    def send(media_type: str, door: str, body: bytes) -> None:
        fault = _proper(_send(service, door, body, media_type))
        if fault:
            faults.append(f"{door} {media_type} {body!r}: {fault}")

    work = []
    for _ in range(number):
        media_type = random.choice(media_types)
        body = damaged(random, document(media_type))
        # Now and then it is called something that it is not.
        work.append((random.choice(media_types) if random.random() < 0.1 else media_type, random.choice(DOORS), body))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda one: send(*one), work))
    assert faults == []
    assert "unexpected error" not in service.log
    service.alive()


def test_damaged_documents_in_every_syntax_get_proper_answers(service: Service) -> None:
    _flood(service, 120, 1)


@pytest.mark.attacks
def test_hundreds_of_damaged_documents_get_proper_answers(service: Service) -> None:
    _flood(service, 300, 2)


@pytest.mark.parametrize("trap", TRAPS)
def test_a_document_made_to_hurt_is_read_or_refused_in_seconds(service: Service, trap: str) -> None:
    media_type, body = TRAPS[trap]
    for door in DOORS[:3]:
        began = time.monotonic()
        answer = _send(service, door, body, media_type)
        assert not _proper(answer), (door, _proper(answer))
        assert time.monotonic() - began < 30
        assert httpx.get(f"{service.url}/health/live", timeout=5).status_code == 200
    assert "unexpected error" not in service.log


def test_no_document_makes_the_service_fetch_anything(service: Service) -> None:
    asked = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def accept() -> None:
            try:
                listener.accept()
                asked.set()
            except OSError:
                return

        threading.Thread(target=accept, daemon=True).start()
        place = f"http://127.0.0.1:{port}/x"
        xml = (
            f'<!DOCTYPE r PUBLIC "-//x" "{place}" [<!ENTITY % p SYSTEM "{place}"> %p; <!ENTITY e SYSTEM "{place}">]>'
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">&e;</rdf:RDF>'
        )
        documents = [
            ("application/ld+json", json.dumps({"@context": place, "@id": "urn:x", "a": 1})),
            ("application/ld+json", json.dumps({"@context": [{"@import": place, "@version": 1.1}, place], "@id": "urn:x"})),
            ("application/rdf+xml", xml),
            ("text/turtle", f"@base <{place}> . <> <http://www.w3.org/2002/07/owl#imports> <{place}> ."),
        ]
        for media_type, body in documents:
            for door in DOORS[:3]:
                answer = _send(
                    service, door, body.encode(), media_type, Link=f'<{place}>; rel="http://www.w3.org/ns/json-ld#context"'
                )
                assert not _proper(answer)
        for text in (
            f"LOAD <{place}>",
            f"LOAD SILENT <{place}> INTO GRAPH <urn:g>",
            f"INSERT {{ ?s ?p ?o }} WHERE {{ SERVICE <{place}> {{ ?s ?p ?o }} }}",
        ):
            answer = httpx.post(f"{service.url}/sparql/update", data={"update": text}, timeout=30)
            assert answer.status_code == 400
        assert not asked.is_set()


def _zip(names: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, body in names.items():
            packed.writestr(name, body)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "names",
    [
        {"../../../escaped.ttl": b"<urn:x> <urn:p> 1 ."},
        {"/escaped.ttl": b"<urn:x> <urn:p> 1 ."},
        {"a\x01b.ttl": b"<urn:x> <urn:p> 1 ."},
        {"bomb.nt": b"\n" * 300_000_000},
        {f"{n}.ttl": b"" for n in range(5000)},
        {"ro-crate-metadata.json": b'{"@graph":' * 5000},
        {"MLmodel": b"a: " + b"[" * 50_000},
    ],
    ids=range(7),
)
def test_archives_made_to_hurt_are_read_or_refused(service: Service, names: dict[str, bytes]) -> None:
    body = _zip(names)
    for door in DOORS[:2]:
        assert not _proper(_send(service, door, body, "application/zip"))
    assert not list(service.data.parent.rglob("escaped.ttl"))
    assert "unexpected error" not in service.log


FORMS = [
    b"",
    b"--x",
    b"--x--",
    b"--x\r\n\r\n--x--",
    b"--x\r\nContent-Type: text/turtle\r\n\r\n<urn:x> <urn:p> 1 .",
    b"--x\r\nContent-Type: text/turtle\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!\r\n--x--",
    b"--x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\na\r\n--x--\r\n--x--",
    b"--x\r\nContent-Type: text/turtle; charset=nonsense\r\n\r\n<urn:x> <urn:p> 1 .\r\n--x--",
    b"--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\n--x--",
    b"--x\r\n" + b"A: b\r\n" * 20_000 + b"\r\n--x--",
    b"--x\r\n\r\n" * 20_000 + b"--x--",
    b"--x\r\nContent-Disposition: form-data; filename*=utf-99''%ff\r\nContent-Type: text/turtle\r\n\r\n<urn:x> <urn:p> 1 .",
]


@pytest.mark.parametrize("body", FORMS, ids=range(len(FORMS)))
def test_odd_forms_get_proper_answers(service: Service, body: bytes) -> None:
    for boundary in (
        "; boundary=x",
        "",
        '; boundary="x',
        "; boundary=" + "x" * 5000,
        "; boundary=\xe9",
        "; boundary=x; charset=\xff",
    ):
        headers = [(b"Content-Type", f"multipart/form-data{boundary}".encode("latin-1"))]
        for door in (DOORS[0], DOORS[2], "/sparql", "/sparql/update"):
            method = "PUT" if "store" in door else "POST"
            answer = httpx.request(method, f"{service.url}{door}", content=body, headers=headers, timeout=30)
            assert not _proper(answer), (door, boundary, _proper(answer))


@pytest.mark.parametrize(
    "disposition",
    [
        'attachment; filename="../../../../etc/passwd"',
        'attachment; filename="a\tb.ttl"',
        "attachment; filename*=UTF-8''%0d%0aSet-Cookie:%20a=b",
        'attachment; filename="' + "x" * 5000 + '.ttl"',
        "attachment; filename=.",
        "attachment; filename=con.ttl",
        'attachment; filename="<script>.ttl"',
        "attachment; filename=\xff\xfe.ttl",
    ],
    ids=range(8),
)
def test_odd_file_names_stay_names(service: Service, disposition: str) -> None:
    headers = [(b"Content-Type", b"text/turtle"), (b"Content-Disposition", disposition.encode("latin-1"))]
    for door in DOORS[:2]:
        answer = httpx.post(f"{service.url}{door}", content=b"<urn:x:n> <urn:p> 1 .", headers=headers, timeout=30)
        assert not _proper(answer)
        assert "set-cookie" not in answer.headers
    assert "unexpected error" not in service.log
