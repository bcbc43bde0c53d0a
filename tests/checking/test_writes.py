"""Records written one after the other: contradictions between them are found whoever comes second, and withdrawals are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.access import Reader
from headwater.app import Headwater, RecordOutcome
from headwater.settings import Settings

_PREFIXES = """@prefix prov: <http://www.w3.org/ns/prov#> . @prefix mls: <http://www.w3.org/ns/mls#> .
@prefix hw: <https://w3id.org/headwater/terms#> . @prefix : <urn:example:> .
"""


class Lab:
    """A Headwater that is written to by small documents."""

    def __init__(self, headwater: Headwater, folder: Path) -> None:
        self.headwater = headwater
        self._folder = folder

    def write(self, name: str, turtle: str, visibility: str = "public") -> RecordOutcome:
        path = self._folder / f"{name}.ttl"
        path.write_text(_PREFIXES + turtle)
        return self.headwater.import_source(path, format="rdf", visibility=visibility).records[0]

    @property
    def reader(self) -> Reader:
        return self.headwater.reader(None, loopback=True)


@pytest.fixture
def lab(tmp_path: Path):  # type: ignore[no-untyped-def]
    with Headwater.open(Settings(data=tmp_path / "data", store="memory")) as headwater:
        yield Lab(headwater, tmp_path)


def test_two_records_that_both_describe_a_thing_must_not_contradict_each_other(lab: Lab) -> None:
    assert lab.write("a", ":x a prov:Activity .").status == "created"
    second = lab.write("b", ":x a prov:Entity .")
    assert second.status == "rejected"
    assert second.report is not None
    assert [result.focus for result in second.report.violations] == ["urn:example:x"]
    assert lab.headwater.audit().conforms


def test_a_record_may_change_its_mind_about_a_thing(lab: Lab) -> None:
    lab.write("a", ":x a prov:Activity .")
    assert lab.write("a", ":x a prov:Entity .").status == "changed"
    assert lab.write("b", ":x a prov:Entity .").status == "created"
    assert lab.write("a", ":x a prov:Activity .").status == "rejected"


def test_a_statement_that_another_record_makes_as_well_stays_when_one_changes_its_mind(lab: Lab) -> None:
    lab.write("a", ":x a prov:Activity .")
    lab.write("b", ":x a prov:Activity .")
    assert lab.write("a", ":x a prov:Entity .").status == "rejected"


def test_what_a_reader_may_not_see_counts_but_is_not_shown(lab: Lab) -> None:
    lab.write("a", ':x a prov:Activity ; hw:status "secret" .'.replace("secret", "failed"), "project:laser")
    second = lab.write("b", ":x a prov:Entity .")
    assert second.status == "rejected"
    assert "failed" not in str(second.as_dict())


def test_a_withdrawal_that_leaves_something_wrong_is_done_and_makes_an_audit_due(lab: Lab) -> None:
    first = lab.write("a", ":c hw:changeKind hw:bug-found ; hw:changedObject :s .")
    assert lab.write("b", ":c a hw:Change .").status == "created"
    lab.headwater.withdraw(first.iri, lab.reader, by="anna", reason="wrong")
    due = lab.headwater.status()["audit"]
    assert due["due"] is True
    assert due["reasons"][0].startswith("Entry 3 of the ledger, a withdrawal, left 2 faults")
    found = lab.headwater.audit().report().violations
    assert {result.focus for result in found} == {"urn:example:c"}
    assert lab.headwater.status()["audit"]["due"] is False


def test_a_withdrawal_that_harms_nothing_makes_no_audit_due(lab: Lab) -> None:
    first = lab.write("a", ":r a mls:Run ; prov:used :d .")
    lab.write("b", ":d a mls:Dataset .")
    lab.headwater.withdraw(first.iri, lab.reader, by="anna", reason="wrong")
    assert lab.headwater.status()["audit"]["due"] is False


def test_a_document_that_is_there_as_it_is_stays_unchanged(lab: Lab) -> None:
    lab.write("a", ":x a prov:Activity .")
    assert lab.write("a", ":x a prov:Activity .").status == "unchanged"
