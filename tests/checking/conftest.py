"""What the tests of the gate share: gates built once, and records from a few lines of Turtle."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pyoxigraph import RdfFormat, parse

from headwater.checking.gate import Gate
from headwater.records.draft import Draft
from headwater.records.record import Record, RecordMaker
from headwater.terms.minting import Mint
from headwater.terms.names import PREFIXES

_HEAD = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES.items()) + "@prefix : <urn:example:> .\n"
_MAKER = RecordMaker(Mint("https://data.example/"))

Write = Callable[..., Record]


def write(turtle: str, iri: str = "urn:record", *, lenient: bool = False) -> Record:
    triples = [quad.triple for quad in parse((_HEAD + turtle).encode(), format=RdfFormat.TURTLE, lenient=lenient)]
    return _MAKER.make(Draft(iri, "a.ttl", "a", triples), "public", "rdf", "1", "declared")


@pytest.fixture(scope="session")
def record() -> Write:
    """Makes a record of Turtle; every known prefix is declared, and `:` for examples."""
    return write


@pytest.fixture(scope="session")
def gate() -> Gate:
    return Gate()


@pytest.fixture(scope="session")
def slow_gate() -> Gate:
    """The gate that asks pyshacl about everything."""
    return Gate(sieve=False)
