"""A record has a name of its own: Headwater's graphs and other records' conclusions cannot be written over."""

from __future__ import annotations

import pytest

from headwater.errors import BadInput
from headwater.records.draft import Draft
from headwater.records.record import RecordMaker
from headwater.terms.minting import Mint


@pytest.mark.parametrize(
    "iri",
    [
        "https://data.example/view/public",
        "https://data.example/view/project/beam",
        "https://w3id.org/headwater/terms#store-state",
        "urn:somebody:record#entailed",
    ],
)
def test_a_record_cannot_take_the_name_of_a_graph_that_headwater_keeps(iri: str) -> None:
    maker = RecordMaker(Mint("https://data.example/"))
    with pytest.raises(BadInput, match="cannot be a record"):
        maker.make(Draft(iri, "s", "t", []), "public", "test", "1", "declared")


def test_a_record_of_nothing_has_a_digest_too() -> None:
    record = RecordMaker(Mint("https://data.example/")).make(Draft("urn:r", "s", "t", []), "public", "test", "1", "declared")
    assert (record.body, record.entailed, len(record.digest)) == (b"", [], 64)
