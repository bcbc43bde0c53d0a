"""What the gate reads around a write stays little, however many other records name the same things."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pyoxigraph import Literal, NamedNode, Triple

from headwater.app.around import MUCH, Around
from headwater.checking.gate import Gate
from headwater.records.draft import Draft
from headwater.records.record import Record, RecordMaker
from headwater.store.embedded import EmbeddedStore
from headwater.store.views import Views
from headwater.terms.minting import Mint
from headwater.terms.names import DCTERMS, MLS, PROV, RDF

BASE = "https://data.example/"
RUN, DATA = NamedNode("urn:run"), NamedNode("urn:data")
_MAKER = RecordMaker(Mint(BASE))


def record(name: str, *triples: Triple) -> Record:
    return _MAKER.make(Draft(f"urn:record:{name}", name, name, list(triples)), "public", "rdf", "1", "declared")


class Counting(EmbeddedStore):
    """A store in memory that counts the statements it hands out."""

    read = 0

    def about(self, *about: Any, **how: Any) -> Iterator[Triple]:
        for triple in super().about(*about, **how):
            self.read += 1
            yield triple


@pytest.fixture
def store() -> Counting:
    """Thousands of files that one run made, and as many runs that used one data set."""
    store = Counting(None)
    made = [Triple(NamedNode(f"urn:file:{n}"), PROV.wasGeneratedBy, RUN) for n in range(20 * MUCH)]
    used = [Triple(NamedNode(f"urn:run:{n}"), PROV.used, DATA) for n in range(20 * MUCH)]
    parts = [Triple(DATA, DCTERMS.hasPart, NamedNode(f"urn:part:{n}")) for n in range(20 * MUCH)]
    known = [Triple(RUN, RDF.type, MLS.Run), Triple(DATA, RDF.type, PROV.Entity)]
    Views(store, BASE).load([record("a", *made, *used, *parts, *known)], 1, internal=False)
    return store


def check(store: Counting, *triples: Triple) -> tuple[list[str], int]:
    """The shapes that the gate finds violated, and how many statements it read for that."""
    store.read = 0
    report = Gate().check([record("b", *triples)], Around(store, Views(store, BASE), []))["urn:record:b"]
    return [result.shape.partition("#")[2] for result in report.violations], store.read


def test_another_file_of_a_run_with_very_many_costs_no_more_than_the_first(store: Counting) -> None:
    found, read = check(store, Triple(NamedNode("urn:file:new"), PROV.wasGeneratedBy, RUN))
    assert not found
    assert read < 2 * MUCH


def test_another_use_of_a_data_set_with_very_many_uses_and_parts_does_not_either(store: Counting) -> None:
    found, read = check(store, Triple(NamedNode("urn:run:new"), PROV.used, DATA))
    assert not found
    assert read < 2 * MUCH


def test_what_such_a_thing_is_counts_all_the_same(store: Counting) -> None:
    assert check(store, Triple(RUN, RDF.type, PROV.Entity))[0] == ["run-is-no-entity"]
    assert check(store, Triple(DATA, RDF.type, PROV.Activity))[0] == ["run-is-no-entity"]


def test_a_fault_that_others_made_before_is_not_held_against_the_next_who_makes_it() -> None:
    wrong, store = Triple(RUN, PROV.generated, Literal("a text")), Counting(None)
    many = [Triple(RUN, PROV.generated, NamedNode(f"urn:file:{n}")) for n in range(MUCH)]
    Views(store, BASE).load([record("a", wrong, *many)], 1, internal=False)
    assert check(store, wrong)[0] == []
    assert check(store, Triple(RUN, PROV.generated, Literal("another")))[0] == ["generated-a-thing"]
