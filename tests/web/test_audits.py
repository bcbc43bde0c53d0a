"""Audits over HTTP: who may start one, how it stands, and the report in JSON and RDF, in two languages, for each reader."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import RdfFormat, parse

from headwater.access import LOCAL
from headwater.app import Headwater
from headwater.terms.names import SH
from headwater.web.negotiation import RDF
from tests.web.conftest import PREFIXES, Client, load

WHERE = "/api/v1/audits"


@pytest.fixture
def faulty(writable: Headwater, tmp_path: Path) -> Headwater:
    """A public fault and an internal one, which two withdrawals left."""
    for name, visibility in (("open", "public"), ("secret", "internal")):
        whole = tmp_path / f"{name}-whole.ttl"
        load(
            writable,
            whole,
            f"{PREFIXES}<urn:{name}> hw:changeKind hw:bug-found ; hw:changedObject <urn:s> .",
            visibility=visibility,
        )
        load(
            writable,
            tmp_path / f"{name}.ttl",
            f'{PREFIXES}<urn:{name}> a hw:Change ; rdfs:label "{name}" .',
            visibility=visibility,
        )
        record = next(
            r for r, _ in writable._index.records() if writable.record(r, LOCAL)["source"].endswith(f"{name}-whole.ttl")
        )
        writable.withdraw(record, LOCAL, by="ada", reason="a mistake")
    return writable


def outside(headwater: Headwater) -> Client:
    return Client(headwater, peer="203.0.113.9", host="lab.example")


def finished(client: Client) -> dict[str, Any]:
    until = time.monotonic() + 60
    while (told := client.get(WHERE).json())["state"] != "idle":
        assert time.monotonic() < until, told
        time.sleep(0.02)
    assert isinstance(told, dict)
    return told


def test_an_audit_is_started_and_its_report_read(faulty: Headwater) -> None:
    client = Client(faulty)
    before = client.get(WHERE).json()
    assert (before["state"], before["due"], before["last"]) == ("idle", True, None)
    assert client.get(WHERE, accept="text/turtle").status_code == 404
    begun = client.post(WHERE, "", "application/json")
    assert (begun.status_code, begun.headers["location"]) == (202, WHERE)
    assert begun.json()["state"] in ("waiting", "running")
    told = finished(client)
    assert (told["due"], told["reasons"], told["failure"], told["progress"]) == (False, [], None, None)
    assert told["last"]["conforms"] is False
    assert told["last"]["sequence"] == faulty.sequence
    assert {one["focus"] for one in told["last"]["results"] if one["severity"] == "violation"} == {"urn:open", "urn:secret"}
    assert told["last"]["hidden_count"] == 0


def test_only_an_administrator_starts_one(faulty: Headwater) -> None:
    assert outside(faulty).post(WHERE, "", "text/plain").status_code == 401
    writer = faulty.tokens.create("wim", "write")
    admin = faulty.tokens.create("ada", "admin")
    refused = outside(faulty).post(WHERE, "", "text/plain", Authorization=f"Bearer {writer}")
    assert refused.status_code == 403
    assert "'admin'" in refused.json()["detail"]
    assert outside(faulty).post(WHERE, "", "text/plain", Authorization=f"Bearer {admin}").status_code == 202
    assert Client(faulty).post(f"{WHERE}?force=1", "", "text/plain", Authorization=f"Bearer {admin}").status_code == 422


def test_a_stranger_is_told_counts_and_what_is_public(faulty: Headwater) -> None:
    faulty.audit()
    told = outside(faulty).get(WHERE)
    assert {one["focus"] for one in told.json()["last"]["results"]} == {"urn:open"}
    assert told.json()["last"]["counts"]["violation"] == 4
    assert told.json()["last"]["hidden_count"] == 3
    assert "secret" not in told.text
    assert "secret" not in outside(faulty).get(WHERE, accept="text/turtle").text


@pytest.mark.parametrize("offer", RDF, ids=lambda offer: offer.names[0])
def test_the_report_comes_in_every_syntax_of_rdf(offer: Any, faulty: Headwater) -> None:
    faulty.audit()
    answer = Client(faulty).get(WHERE, accept=offer.media_type)
    assert answer.headers["content-type"].startswith(offer.media_type)
    syntax = RdfFormat.from_media_type(offer.media_type)
    quads = list(parse(answer.content, format=syntax))
    assert len([quad for quad in quads if quad.object == SH.ValidationResult]) == 6
    assert {quad.object.language for quad in quads if quad.predicate == SH.resultMessage} == {"en", "de"}  # type: ignore[union-attr]


def test_findings_speak_what_is_asked_for_or_what_the_browser_prefers(faulty: Headwater) -> None:
    faulty.audit()
    client = Client(faulty)
    german = client.get(f"{WHERE}?language=de")
    assert german.headers["content-language"] == "de"
    assert "Die Änderung sagt nicht, was geschehen ist." in german.text
    assert client.get(WHERE, headers={"Accept-Language": "de-AT, en;q=0.5"}).json() == german.json()
    assert client.get(f"{WHERE}?language=tlh").status_code == 422
    assert client.get(f"{WHERE}?langauge=de").status_code == 422
    assert client.get(f"{WHERE}?format=csv").status_code == 406


def test_whether_the_service_is_ready_says_how_audits_stand(faulty: Headwater) -> None:
    told = outside(faulty).get("/health/ready").json()["audit"]
    assert (told["state"], told["due"], told["failed"]) == ("idle", True, False)
    faulty.audit()
    assert outside(faulty).get("/health/ready").json()["audit"]["due"] is False


def test_the_page_tells_what_the_last_audit_found_and_hides_what_a_reader_may_not_see(faulty: Headwater) -> None:
    client = Client(faulty)
    assert "No audit was made yet" in client.get("/audits", accept="text/html").text
    client.post(WHERE, "", "text/plain")
    finished(client)
    page = client.get("/audits", accept="text/html").text
    assert "Something is wrong" in page
    assert {"/object?id=urn%3Aopen", "/object?id=urn%3Asecret"} <= set(re.findall(r'href="([^"]*)"', page))
    public = outside(faulty).get("/audits", accept="text/html").text
    assert "urn%3Aopen" in public
    assert "secret" not in public
    assert "not listed" in public
    asked = client.get(WHERE, accept="text/html")
    assert (asked.status_code, asked.headers["location"]) == (303, "/audits")
