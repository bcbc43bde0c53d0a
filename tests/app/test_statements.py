"""What persons say of what a change does stands beside the verdict, with author and time, and never instead of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headwater.access import LOCAL, Reader
from headwater.app import Headwater
from headwater.errors import BadParameter, Forbidden, NotFound
from headwater.settings import Settings
from tests.lineage.worlds import EX, PREFIXES, story

ADA = Reader("ada", "write", frozenset())
GUEST = Reader("anonymous", "none", frozenset())
NOTICE = (
    ':notice a hw:Change ; rdfs:label "wrong labels" ; hw:changeKind hw:labels-corrected ; hw:changedObject :data ; '
    'prov:atTime "2026-01-01T00:00:00Z"^^xsd:dateTime .'
)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Headwater]:
    with Headwater.open(Settings(data=tmp_path / "data", store="memory")) as headwater:
        write(headwater, tmp_path, "story", story("train") + NOTICE)
        secret = f":secret a hw:Model ; rdfs:label 'secret' ; prov:wasDerivedFrom :model . {NOTICE}"
        write(headwater, tmp_path, "secret", secret, "internal")
        yield headwater


def write(headwater: Headwater, folder: Path, name: str, turtle: str, visibility: str = "public") -> None:
    path = folder / f"{name}.ttl"
    path.write_text(PREFIXES + turtle, encoding="utf-8")
    report = headwater.import_source(path, format="rdf", visibility=visibility)
    assert report.ok, report.as_dict()


def say(headwater: Headwater, about: str = "model", reader: Reader = ADA, **more: Any) -> dict[str, Any]:
    given = {"state": "not_affected", "because": "left out by hand"} | more
    return headwater.state(reader, id=EX + about, change=EX + "notice", **given)


def told(headwater: Headwater, about: str, reader: Reader = LOCAL, **more: Any) -> dict[str, Any]:
    answer = headwater.impact(EX + "notice", reader, include=["edges", "statements"], **more)
    node: dict[str, Any] = answer["nodes"][EX + about]
    return node


def test_a_statement_is_shown_with_author_and_time_beside_the_verdict_which_stays(lab: Headwater) -> None:
    before = lab.impact(EX + "notice", LOCAL)
    say(lab)
    node = told(lab, "model")
    assert (node["state"], node["justification"]) == ("affected", "trained-on")
    [said] = node["statements"]
    assert {name: said[name] for name in ("state", "because", "by", "justification")} == {
        "state": "not_affected",
        "because": "left out by hand",
        "by": "ada",
        "justification": None,
    }
    assert said["at"].endswith("Z")
    after = lab.impact(EX + "notice", LOCAL)
    assert after["summary"] == before["summary"]
    assert after["nodes"] == before["nodes"]
    assert told(lab, "release")["statements"] == []


@pytest.mark.parametrize("state", ["affected", "in_triage", "resolved"])
def test_each_state_that_a_person_gives_is_taken_in_and_counts_nowhere(lab: Headwater, state: str) -> None:
    before = lab.impact(EX + "notice", LOCAL)["summary"]
    assert say(lab, state=state, because=None)["status"] == "created"
    assert told(lab, "model")["statements"][0]["state"] == state
    assert lab.impact(EX + "notice", LOCAL)["summary"] == before


def test_saying_it_again_changes_nothing_and_saying_otherwise_replaces_it_and_keeps_the_history(lab: Headwater) -> None:
    first = say(lab, state="in_triage", because=None)
    assert say(lab, state="in_triage", because=None)["status"] == "unchanged"
    second = say(lab, justification="slice-disjoint")
    assert (second["record"], second["status"]) == (first["record"], "changed")
    assert [said["state"] for said in told(lab, "model")["statements"]] == ["not_affected"]
    assert len(lab.history(first["record"], LOCAL)) == 2


@pytest.mark.parametrize("fraction", ["123456", "123400", "000000"])
def test_saying_it_again_is_nothing_new_whatever_the_time_of_day(
    lab: Headwater, fraction: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab, "_clock", lambda: f"2026-11-20T00:00:00.{fraction}Z")
    say(lab)
    assert say(lab)["status"] == "unchanged"


def test_two_persons_may_say_different_things(lab: Headwater) -> None:
    say(lab)
    say(lab, reader=Reader("ben", "write", frozenset()), state="affected", because=None)
    assert {(said["by"], said["state"]) for said in told(lab, "model")["statements"]} == {
        ("ada", "not_affected"),
        ("ben", "affected"),
    }
    assert len(lab.statements_on(LOCAL, id=EX + "model")) == 2
    assert lab.statements_on(LOCAL, change=EX + "notice") == lab.statements_on(LOCAL)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"state": "cannot_tell"}, "state"),
        ({"state": "fine"}, "state"),
        ({"because": None}, "because"),
        ({"because": "  "}, "because"),
        ({"because": "x" * 4001}, "because"),
        ({"justification": "feeling"}, "justification"),
        ({"about": "data", "change": EX + "model"}, "change"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(lab: Headwater, given: dict[str, Any], named: str) -> None:
    before = lab.sequence
    given = {"id": EX + given.pop("about", "model"), "change": EX + "notice", "state": "not_affected", "because": "so"} | given
    with pytest.raises(BadParameter) as refused:
        lab.state(ADA, **given)
    assert refused.value.problem()["parameter"] == named
    assert lab.sequence == before


def test_a_statement_on_an_unknown_thing_is_refused(lab: Headwater) -> None:
    with pytest.raises(NotFound):
        say(lab, about="nowhere")


def test_a_statement_is_seen_by_those_who_see_the_thing_unless_said_otherwise(lab: Headwater) -> None:
    say(lab, about="secret", state="in_triage", because=None)
    assert len(told(lab, "secret")["statements"]) == 1
    assert lab.statements_on(GUEST) == []
    say(lab, visibility="internal")
    assert told(lab, "model", GUEST)["statements"] == []
    with pytest.raises(Forbidden):
        say(lab, visibility="project:other")


def test_a_withdrawn_statement_is_gone(lab: Headwater) -> None:
    written = say(lab)
    lab.withdraw(written["record"], LOCAL, by="ada", reason="said in error")
    assert told(lab, "model")["statements"] == []


def test_the_banner_of_a_thing_carries_the_statements_on_its_change(lab: Headwater) -> None:
    say(lab, state="in_triage", because="Ben looks at it")
    [banner] = lab.changes_touching(EX + "model", LOCAL)
    assert (banner.state, banner.statements[0]["state"]) == ("affected", "in_triage")


def test_a_statement_is_no_step_of_lineage(lab: Headwater) -> None:
    before = lab.lineage(EX + "model", LOCAL, direction="both")
    say(lab)
    assert lab.lineage(EX + "model", LOCAL, direction="both")["summary"] == before["summary"]
