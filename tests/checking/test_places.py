"""What a profile makes of a look at the stated places: still there, gone, altered, the last one; and what hangs by a thread."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from headwater.checking.places import Address, Look, Sighting, addresses
from headwater.checking.profile_report import ProfileReport
from headwater.checking.profiles import profile, subjects_of
from headwater.checking.report import SHAPES

_MODEL = ":x a hw:Model ; prov:wasGeneratedBy :r . :r a mls:Run ; prov:used :d ; prov:atLocation <http://node7.example/> . "
_DATA = ":d a hw:Dataset ; rdfs:label 'digits' . "
_TWO = _DATA + ":d hw:location '/data/a.csv' , 'https://data.example/a.csv' . "
THERE, GONE = Sighting("resolvable", "there"), Sighting("gone", "not-found")
UNKNOWN, ALTERED = Sighting("not_checked", "no-answer"), Sighting("resolvable", "there", "differs")


def seeing(found: dict[str, Sighting]) -> Look:
    def look(wanted: Sequence[Address]) -> list[Sighting]:
        return [found[one.text] for one in wanted]

    return look


def judged(record, turtle: str, look: Look | None) -> ProfileReport:  # type: ignore[no-untyped-def]
    made = record(turtle)
    report = profile("retrain-ready").judge("urn:example:x", subjects_of([*made.asserted, *made.entailed]), look)
    assert report is not None
    return report


def open_ones(report: ProfileReport) -> set[str]:
    return {gap.requirement.shape.removeprefix(SHAPES) for gap in (*report.gaps, *report.lost_next)}


LOOKED = {"retrain-data-there", "retrain-data-unaltered", "loss-last-place"}


@pytest.mark.parametrize(
    ("file", "web", "wrong"),
    [
        (THERE, THERE, set()),
        (GONE, GONE, {"retrain-data-there"}),
        (GONE, THERE, {"loss-last-place"}),
        (GONE, UNKNOWN, {"loss-last-place"}),
        (UNKNOWN, UNKNOWN, set()),
        (ALTERED, THERE, set()),
        (ALTERED, UNKNOWN, {"retrain-data-unaltered"}),
        (ALTERED, GONE, {"retrain-data-there", "retrain-data-unaltered"}),
    ],
)
def test_what_was_seen_decides(file: Sighting, web: Sighting, wrong: set[str], record) -> None:  # type: ignore[no-untyped-def]
    look = seeing({"/data/a.csv": file, "https://data.example/a.csv": web})
    report = judged(record, _MODEL + _TWO, look)
    assert open_ones(report) & LOOKED == wrong
    assert report.conforms is False
    gaps = [gap for gap in (*report.gaps, *report.lost_next) if gap.requirement.shape.removeprefix(SHAPES) in LOOKED]
    assert all([label for _, label in gap.values] == ["digits"] for gap in gaps)


def test_without_a_look_nothing_is_said_of_it(record) -> None:  # type: ignore[no-untyped-def]
    report = judged(record, _MODEL + _TWO, None)
    looked = judged(record, _MODEL + _TWO, seeing({"/data/a.csv": THERE, "https://data.example/a.csv": THERE}))
    assert report.places is None
    assert report.as_dict()["places"] is None
    assert (report.total, looked.total) == (9, 11)
    assert not LOOKED & {one.shape.removeprefix(SHAPES) for one in report.met}


def test_no_document_can_say_what_only_a_look_can(record) -> None:  # type: ignore[no-untyped-def]
    forged = f":x <{SHAPES}lookedUp> true . :d <{SHAPES}gone> '/data/a.csv' ; <{SHAPES}resolvable> '/b' . "
    assert judged(record, _MODEL + _TWO + forged, None) == judged(record, _MODEL + _TWO, None)
    gone = seeing({"/data/a.csv": GONE, "https://data.example/a.csv": GONE})
    assert open_ones(judged(record, _MODEL + _TWO + forged, gone)) == open_ones(judged(record, _MODEL + _TWO, gone))


def test_data_that_were_only_tested_on_may_be_gone(record) -> None:  # type: ignore[no-untyped-def]
    tested = ":r prov:qualifiedUsage [ prov:entity :d ; prov:hadRole hw:test ] . "
    report = judged(record, _MODEL + _TWO + tested, seeing({"/data/a.csv": GONE, "https://data.example/a.csv": GONE}))
    assert not open_ones(report) & LOOKED
    assert report.places is not None
    assert {place.sighting.state for place in report.places} == {"gone"}


def test_places_of_distributions_are_their_data_sets(record) -> None:  # type: ignore[no-untyped-def]
    turtle = _MODEL + _DATA + ":d dcat:distribution :c . :c dcat:downloadURL <https://data.example/a.csv> . "
    report = judged(record, turtle, seeing({"https://data.example/a.csv": GONE}))
    assert "retrain-data-there" in open_ones(report)
    assert report.as_dict("de")["places"] == [
        {
            "id": "urn:example:d",
            "label": "digits",
            "address": "https://data.example/a.csv",
            "state": "gone",
            "reason": "Der Server sagt, dass es nicht (mehr) da ist.",
            "digest": "not_compared",
        }
    ]


def test_where_a_run_took_place_is_no_place_of_data(record) -> None:  # type: ignore[no-untyped-def]
    made = record(_MODEL + _TWO)
    assert {one.thing for one in addresses([*made.asserted, *made.entailed])} == {"urn:example:d"}


def test_a_thing_of_another_kind_is_not_looked_up(record) -> None:  # type: ignore[no-untyped-def]
    made = record(_TWO)
    assert profile("retrain-ready").judge("urn:example:d", subjects_of(made.asserted), seeing({})) is None


@pytest.mark.parametrize(
    ("requirement", "location", "fragile"),
    [
        ("loss-temporary", "/tmp/run7/a.csv", True),
        ("loss-temporary", "file:///var/tmp/a.csv", True),
        ("loss-temporary", "file://node7/tmp/a.csv", True),
        ("loss-temporary", "/gpfs/scratch2/ada/a.csv", True),
        ("loss-temporary", "C:\\\\Users\\\\ada\\\\AppData\\\\Local\\\\Temp\\\\a.csv", True),
        ("loss-temporary", "/data/tmp-of-ada/a.csv", False),
        ("loss-temporary", "https://data.example/tmp/a.csv", False),
        ("loss-temporary", "/data/a.csv", False),
        ("loss-expiring", "https://b.example/a?X-Amz-Expires=3600&X-Amz-Signature=0a", True),
        ("loss-expiring", "https://b.example/a?sv=2024&sig=0a", True),
        ("loss-expiring", "https://b.example/a?signal=0a", False),
        ("loss-moving", "https://git.example/lab/d/raw/main/a.csv", True),
        ("loss-moving", "https://git.example/lab/d/raw/0a1b2c3/a.csv", False),
        ("loss-moving", "registry.example/lab/image:latest", True),
        ("loss-moving", "https://git.example/lab/main", False),
    ],
)  # fmt: skip
def test_addresses_that_do_not_last_are_told_without_a_look(requirement: str, location: str, fragile: bool, record) -> None:  # type: ignore[no-untyped-def]
    turtle = _MODEL + _DATA + f":d hw:location '{location}' . "
    assert (requirement in open_ones(judged(record, turtle, None))) is fragile
    if requirement != "loss-moving":
        beside = judged(record, turtle + ":d dcat:downloadURL <https://archive.example/a.csv> . ", None)
        assert requirement not in open_ones(beside), "another place lasts"


def test_the_models_own_place_counts_as_well(record) -> None:  # type: ignore[no-untyped-def]
    assert "loss-temporary" in open_ones(judged(record, _MODEL + ":x hw:location '/tmp/m.bin' . ", None))
    report = judged(
        record, _MODEL + ":x hw:location '/tmp/m.bin' , '/data/m.bin' . ", seeing({"/tmp/m.bin": GONE, "/data/m.bin": THERE})
    )
    assert "loss-last-place" in open_ones(report)
