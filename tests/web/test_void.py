"""The description of the public data: numbers that are right, of what everybody may see, linked from the service description."""

from __future__ import annotations

import pytest
from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, parse

from headwater.app import Headwater, statistics
from headwater.web.routes.void import VOID
from tests.web.conftest import BASE, PREFIXES, Client, load

_DATASET = NamedNode(f"{BASE}.well-known/void#dataset")


def _said(client: Client) -> list[Triple]:
    answer = client.get("/.well-known/void", accept="text/turtle")
    assert answer.status_code == 200, answer.text
    return [quad.triple for quad in parse(answer.content, format=RdfFormat.TURTLE)]


def _number(said: list[Triple], property: NamedNode) -> int:
    (found,) = (t.object for t in said if t.subject == _DATASET and t.predicate == property)
    assert isinstance(found, Literal)
    return int(found.value)


def _ask(client: Client, query: str) -> int:
    return int(client.get("/sparql", accept="text/csv", params={"query": query}).text.split()[1])


def test_the_numbers_are_those_that_a_stranger_counts(laboratory: Headwater, lab: Client, stranger: Client) -> None:
    said = _said(lab)
    assert _number(said, VOID.triples) == _ask(stranger, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }") > 0
    assert _number(said, VOID.classes) == _ask(stranger, "SELECT (COUNT(DISTINCT ?c) AS ?n) { ?s a ?c FILTER(isIRI(?c)) }")
    assert _number(said, VOID.properties) == _ask(stranger, "SELECT (COUNT(DISTINCT ?p) AS ?n) { ?s ?p ?o }")
    # `lab` sees more than it tells here.
    assert _number(said, VOID.triples) < _ask(lab, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")
    model = NamedNode("https://w3id.org/headwater/terms#Model")
    (part,) = (t.subject for t in said if t.predicate == VOID["class"] and t.object == model)
    assert Triple(part, VOID.entities, Literal(1)) in said
    assert laboratory.statistics().statements == _number(said, VOID.triples)


def test_what_is_written_is_counted_and_what_is_not_is_not_counted_again(
    writable: Headwater, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "_QUICK_S", 1e9)
    client = Client(writable)
    assert _number(_said(client), VOID.triples) == 0
    before = writable.statistics()
    assert writable.statistics() is before
    load(writable, writable.settings.data / "a.ttl", PREFIXES + "<urn:a> a hw:Dataset .")
    after = writable.statistics()
    assert after.sequence == 1
    assert after.statements > 0
    # A store that is slow to count and written all the time is not counted at each request.
    monkeypatch.setattr(statistics, "_QUICK_S", 0.0)
    load(writable, writable.settings.data / "b.ttl", PREFIXES + "<urn:b> a hw:Dataset .")
    monkeypatch.setattr(statistics, "_SHARE", 10_000)
    assert writable.statistics() is after
    monkeypatch.setattr(statistics, "_SHARE", 0)
    assert writable.statistics().statements > after.statements


def test_a_client_that_holds_the_numbers_is_told_so(lab: Client) -> None:
    first = lab.get("/.well-known/void")
    assert lab.get("/.well-known/void", headers={"if-none-match": first.headers["etag"]}).status_code == 304
    assert lab.get("/.well-known/void?format=jsonld").headers["content-type"] == "application/ld+json"


def test_the_service_description_links_to_it_and_tells_the_limits(lab: Client) -> None:
    said = [quad.triple for quad in parse(lab.get("/sparql", accept="text/turtle").content, format=RdfFormat.TURTLE)]
    assert _DATASET in {triple.object for triple in said}
    told = [t.object.value for t in said if t.predicate.value.endswith("description") and isinstance(t.object, Literal)]
    assert len(told) == 2
    assert all("60" in words and "256 MiB" in words and "2,048 MiB" in words and "100,000" in words for words in told)
