"""Questions about an earlier world, and about what was known earlier; and what became different in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from headwater.access import LOCAL, Reader
from headwater.app import Headwater
from headwater.errors import BadParameter, NotFound

Opening = Callable[..., Headwater]
Write = Callable[..., object]
X = "https://lab.example/"
GUEST = Reader("anonymous", "none", frozenset())

_FIRST = """
x:v1 a hw:Dataset ; hw:version "1" ; rdfs:label "labels 1" ; prov:generatedAtTime "2026-01-01T00:00:00Z"^^xsd:dateTime .
x:r1 a hw:Run ; rdfs:label "first training" ; prov:startedAtTime "2026-02-01T00:00:00Z"^^xsd:dateTime ;
    prov:endedAtTime "2026-02-02T00:00:00Z"^^xsd:dateTime ;
    prov:qualifiedUsage [ a prov:Usage ; prov:entity x:v1 ; prov:hadRole hw:train ] .
x:m1 a hw:Model ; rdfs:label "model 1" ; prov:wasGeneratedBy x:r1 .
"""
_PAPER = """
x:paper a hw:Publication ; rdfs:label "paper" ; hw:documents x:m1 ; prov:generatedAtTime "2026-04-01T00:00:00Z"^^xsd:dateTime .
"""
_NOTICE = """
x:change a hw:Change ; rdfs:label "labels mended" ; hw:changeKind hw:labels-corrected ; hw:changedObject x:v1 ;
    hw:fromRevision x:v1 ; prov:atTime "2026-03-01T00:00:00Z"^^xsd:dateTime .
"""
_MENDED = """
x:v2 a hw:Dataset ; hw:version "2" ; rdfs:label "labels 2" ; prov:wasRevisionOf x:v1 ;
    prov:generatedAtTime "2026-03-01T00:00:00Z"^^xsd:dateTime .
x:r2 a hw:Run ; rdfs:label "second training" ; prov:startedAtTime "2026-05-01T00:00:00Z"^^xsd:dateTime ;
    prov:endedAtTime "2026-05-02T00:00:00Z"^^xsd:dateTime ;
    prov:qualifiedUsage [ a prov:Usage ; prov:entity x:v2 ; prov:hadRole hw:train ] .
x:m2 a hw:Model ; rdfs:label "model 2" ; prov:wasGeneratedBy x:r2 ; prov:wasRevisionOf x:m1 .
"""
_PREFIX = "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"


@pytest.fixture
def lab(opened: Opening, write: Write) -> Headwater:
    headwater = opened(store="memory")
    write(headwater, "first", _PREFIX + _FIRST)  # 1
    write(headwater, "paper", _PREFIX + _PAPER)  # 2
    write(headwater, "change", _PREFIX + _NOTICE)  # 3
    write(headwater, "mended", _PREFIX + _MENDED)  # 4
    write(
        headwater, "change", _PREFIX + _NOTICE.replace("hw:fromRevision x:v1", "hw:fromRevision x:v1 ; hw:toRevision x:v2")
    )  # 5
    return headwater


def _states(answer: dict[str, Any]) -> dict[str, str]:
    return {iri.removeprefix(X): node["state"] for iri, node in answer["nodes"].items() if iri != f"{X}v1"}


def test_the_present_is_what_it_was_without_a_time(lab: Headwater) -> None:
    assert _states(lab.impact(f"{X}change", LOCAL)) == {
        "r1": "affected", "m1": "resolved", "paper": "affected", "v2": "not_affected", "r2": "not_affected", "m2": "not_affected",
    }  # fmt: skip


def test_an_earlier_world_has_neither_what_came_later_nor_its_mending(lab: Headwater) -> None:
    march = lab.impact(f"{X}change", LOCAL, as_of="2026-03-15")
    assert _states(march) == {"r1": "affected", "m1": "affected", "v2": "not_affected"}
    assert (march["as_of"], march["query"]["as_of"]) == ("2026-03-15T23:59:59.999999Z", "2026-03-15T23:59:59.999999Z")
    april = lab.impact(f"{X}change", LOCAL, as_of="2026-04-15T12:00:00Z")
    assert _states(april)["paper"] == "affected"
    assert set(_states(lab.lineage(f"{X}m2", LOCAL, as_of="2026-05-03"))) == {"m2", "r2", "v2", "m1", "r1"}


def test_before_it_happened_a_change_affects_nobody(lab: Headwater) -> None:
    answer = lab.impact(f"{X}change", LOCAL, as_of="2026-02-15")
    assert _states(answer) == {"r1": "not_affected", "m1": "not_affected"}
    assert {node["justification"] for iri, node in answer["nodes"].items() if iri != f"{X}v1"} == {"not-yet"}
    assert answer["summary"]["verdict"] == "not_affected"


def test_what_was_not_there_yet_is_said_to_be_so(lab: Headwater) -> None:
    with pytest.raises(BadParameter, match="was not there yet"):
        lab.lineage(f"{X}m2", LOCAL, as_of="2026-01-15")


def test_what_was_known_earlier_is_told_as_it_was_known(lab: Headwater) -> None:
    third = lab.impact(f"{X}change", LOCAL, known_at=3)
    assert _states(third) == {"r1": "affected", "m1": "affected", "paper": "affected"}
    assert third["sequence"] == 3
    fourth = lab.impact(f"{X}change", LOCAL, known_at="4")
    assert fourth["nodes"][f"{X}m1"]["state"] != "resolved"
    with pytest.raises(BadParameter, match="takes no part"):
        lab.lineage(f"{X}paper", LOCAL, known_at=1)
    with pytest.raises(BadParameter, match="not yet"):
        lab.lineage(f"{X}m1", LOCAL, known_at=99)


def test_a_time_may_be_said_instead_of_a_sequence_number(lab: Headwater) -> None:
    written = lab.history(next(iter(lab.visible_graphs(LOCAL))), LOCAL)[0]["written_at"]
    assert lab.impact(f"{X}v1", LOCAL, change="labels-corrected", known_at=written)["sequence"] >= 1
    with pytest.raises(BadParameter):
        lab.impact(f"{X}v1", LOCAL, change="labels-corrected", known_at="1999-01-01")


def test_what_was_withdrawn_since_is_found_in_what_was_known_before(lab: Headwater) -> None:
    record = next(iri for iri in lab.visible_graphs(LOCAL) if lab.record(iri, LOCAL)["title"] == "paper.ttl")
    lab.withdraw(record, LOCAL, by="ada", reason="retracted")
    with pytest.raises(NotFound):
        lab.lineage(f"{X}paper", LOCAL)
    assert lab.lineage(f"{X}paper", LOCAL, known_at=5)["summary"]["total"] == 3
    assert _states(lab.impact(f"{X}change", LOCAL, known_at=5))["paper"] == "affected"
    assert "paper" not in _states(lab.impact(f"{X}change", LOCAL))


def test_benefits_are_told_of_an_earlier_world_as_well(lab: Headwater) -> None:
    assert lab.benefits(f"{X}v1", LOCAL, as_of="2026-02-15")["summary"]["by_kind"] == {"model": 1, "run": 1}
    assert lab.benefits(f"{X}v1", LOCAL, known_at=1)["summary"]["total"] == 2


def _difference(answer: dict[str, Any]) -> dict[str, str]:
    return {iri.removeprefix(X): node["difference"] for iri, node in answer["nodes"].items()}


def test_the_difference_between_two_worlds(lab: Headwater) -> None:
    became = lab.impact_diff(f"{X}change", LOCAL, since="2026-02-15", until="2026-03-15")
    assert _difference(became) == {"r1": "newly_affected", "m1": "newly_affected", "v2": "newly_there"}
    assert became["summary"]["by_difference"] == {"newly_affected": 2, "newly_there": 1}
    later = lab.impact_diff(f"{X}change", LOCAL, since="2026-03-15")
    assert _difference(later) == {"m1": "newly_resolved", "paper": "newly_affected", "r2": "newly_there", "m2": "newly_there"}
    assert later["summary"]["unchanged"] == 2
    cut = lab.impact_diff(f"{X}change", LOCAL, since="2026-03-15", max_nodes=1)
    assert (cut["summary"], list(cut["nodes"])) == (later["summary"], [f"{X}paper"])
    assert cut["completeness"]["frontier_count"] == 3


def test_the_difference_between_two_states_of_knowledge(lab: Headwater) -> None:
    assert _difference(lab.impact_diff(f"{X}change", LOCAL, since="2", until="3", basis="known_at")) == {
        "r1": "newly_affected", "m1": "newly_affected", "paper": "newly_affected",
    }  # fmt: skip
    assert _difference(lab.impact_diff(f"{X}change", LOCAL, since="3", until="5", basis="known_at"))["m1"] == "newly_resolved"
    assert lab.impact_diff(f"{X}change", LOCAL, since="5", basis="known_at")["summary"]["total"] == 0


@pytest.mark.parametrize(
    ("given", "parameter"),
    [
        ({"since": "soon"}, "as_of"),
        ({"since": "2026-03-01", "until": "2026-02-01"}, "since"),
        ({"since": "2026-03-01", "basis": "weather"}, "basis"),
        ({"since": "2026-03-01", "as_of": "2026-03-01"}, "as_of"),
        ({"since": ""}, "since"),
    ],
)
def test_a_wrong_difference_is_refused(lab: Headwater, given: dict[str, str], parameter: str) -> None:
    with pytest.raises(BadParameter) as wrong:
        lab.impact_diff(f"{X}change", LOCAL, **given)  # type: ignore[arg-type]
    assert wrong.value.extra["parameter"] == parameter


def test_a_past_reader_sees_of_the_past_what_is_his(opened: Opening, write: Write) -> None:
    headwater = opened(store="memory")
    write(headwater, "first", _PREFIX + _FIRST)
    write(headwater, "secret", _PREFIX + "x:s a hw:Run ; prov:used x:v1 .", visibility="internal")
    write(headwater, "paper", _PREFIX + _PAPER)
    told = headwater.impact(f"{X}v1", GUEST, change="retracted", known_at=2)
    assert "s" not in _states(told)
    assert told["completeness"]["hidden_count"] == 1
