"""Facts that are spread over records count as if one record stated them: for questions, for readers, and for the gate."""

from __future__ import annotations

from collections.abc import Callable

from pyoxigraph import Literal, NamedNode, Triple

from headwater.access import LOCAL, Reader
from headwater.app import Headwater
from headwater.app.together import NOBODY, settled
from headwater.checking.report import GateReport, GateResult
from headwater.records.draft import Draft
from headwater.records.record import RecordMaker
from headwater.store.joint import JointChange
from headwater.terms.minting import Mint
from headwater.terms.names import MLS, RDFS

from .conftest import BASE

Opened = Callable[..., Headwater]
Write = Callable[..., object]

GUEST = Reader("anonymous", "none", frozenset())
INPUTS = "PREFIX mls: <http://www.w3.org/ns/mls#> ASK { <https://lab.example/fit> mls:hasInput <https://lab.example/data> }"
RUN = "x:fit a mls:Run ; prov:used x:data ."
DATA = "x:data a mls:Dataset ."


def knows(headwater: Headwater, reader: Reader = LOCAL) -> bool:
    body, _ = headwater.query(INPUTS, reader, "application/sparql-results+json")
    return b"true" in body


def test_what_two_documents_say_together_can_be_asked_and_goes_with_either(opened: Opened, write: Write) -> None:
    headwater = opened()
    first = write(headwater, "run", RUN)
    assert not knows(headwater)
    write(headwater, "data", DATA)
    assert knows(headwater)
    assert headwater.verify() == []
    headwater.withdraw(first.records[0].iri, LOCAL, by="test", reason="wrong")  # type: ignore[attr-defined]
    assert not knows(headwater)
    assert headwater.verify() == []


def test_a_guest_gets_no_conclusion_from_what_he_may_not_see(opened: Opened, write: Write) -> None:
    headwater = opened()
    write(headwater, "run", RUN)
    write(headwater, "data", DATA, visibility="internal")
    assert knows(headwater)
    assert not knows(headwater, GUEST)
    headwater.rebuild()
    assert knows(headwater)
    assert not knows(headwater, GUEST)


def test_store_and_ledger_agree_however_the_store_was_made(opened: Opened, write: Write) -> None:
    headwater = opened()
    for number in range(4):
        level = "public" if number % 2 else "internal"
        write(headwater, f"run{number}", f"x:fit{number} a mls:Run ; prov:used x:data .", visibility=level)
    write(headwater, "data", DATA)
    assert headwater.verify() == []
    headwater.rebuild()
    assert headwater.verify() == []


def test_the_gate_refuses_what_only_together_is_a_contradiction(opened: Opened, write: Write) -> None:
    headwater = opened()
    assert write(headwater, "one", "x:data prov:qualifiedRevision x:how .").ok  # type: ignore[attr-defined]
    report = write(headwater, "two", "x:how prov:entity x:data .")
    (outcome,) = report.records  # type: ignore[attr-defined]
    assert (outcome.status, outcome.report.violations[0].focus) == ("rejected", "https://lab.example/data")
    assert headwater.sequence == 1
    assert write(headwater, "two", "x:how prov:entity x:older .").ok  # type: ignore[attr-defined]
    assert headwater.verify() == []


def test_nothing_is_told_of_a_conclusion_but_what_the_record_says_itself() -> None:
    focus, secret = NamedNode("urn:x:data"), NamedNode("urn:x:secret")
    maker = RecordMaker(Mint(BASE))
    record = maker.make(
        Draft("urn:record:a", "a", "a", [Triple(focus, RDFS.label, Literal("mine"))]), "public", "test", "1", "declared"
    )
    change = JointChange(added={Triple(focus, MLS.hasInput, secret): ("internal",)}, by={record.iri})
    fault = GateResult(focus.value, "", secret, "violation", "wrong", "urn:shape", "urn:component", "mine")
    found = settled({record.iri: GateReport(True, ()), NOBODY: GateReport(False, (fault,))}, [record], change)
    assert not found[record.iri].conforms
    (told,) = found[record.iri].results
    assert (told.value, told.label) == (None, "mine")
