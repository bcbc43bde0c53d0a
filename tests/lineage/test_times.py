"""When a fault stood, when something was used, and what follows where one of the two is not known."""

from __future__ import annotations

import pytest

from headwater.lineage.explaining import explain_verdict
from headwater.lineage.slices import read_slice
from tests.lineage.worlds import Said, World, used

FAULT = read_slice('{"after": "2026-02-01T00:00:00Z", "before": "2026-04-01T00:00:00Z"}')


def lasting(name: str, uses: str, start: str | None, end: str | None) -> str:
    """A run of these days that used something in some role, and what it made."""
    times = f'; prov:startedAtTime "2026-{start}T00:00:00Z"^^xsd:dateTime ' if start else ""
    times += f'; prov:endedAtTime "2026-{end}T00:00:00Z"^^xsd:dateTime ' if end else ""
    return f":{name} a hw:Run ; {uses} {times}. :of-{name} a hw:Dataset ; prov:wasGeneratedBy :{name} ."


# --- a tool that was faulty for a while


@pytest.mark.parametrize(
    ("start", "end", "state", "code"),
    [
        ("01-05", "01-20", "not_affected", "fault-not-there"),
        ("01-05", "02-20", "affected", "run-with"),
        ("01-05", "05-20", "affected", "run-with"),
        ("01-05", None, "cannot_tell", "time-unknown"),
        ("02-01", None, "affected", "run-with"),
        ("03-05", "03-06", "affected", "run-with"),
        ("03-05", None, "affected", "run-with"),
        ("04-01", None, "not_affected", "fault-not-there"),
        (None, "01-20", "not_affected", "fault-not-there"),
        (None, "03-20", "affected", "run-with"),
        (None, "05-20", "cannot_tell", "time-unknown"),
        (None, None, "cannot_tell", "time-unknown"),
        ("05-20", "01-05", "cannot_tell", "time-unknown"),
    ],
)
def test_what_a_run_did_with_a_tool_counts_while_the_tool_was_faulty(
    start: str | None, end: str | None, state: str, code: str
) -> None:
    world = World(":detector a hw:Instrument .", lasting("shift", used(":detector", "execute"), start, end))
    said = world.said(world.judged("calibration-changed", "detector", slice=FAULT), "of-shift")
    assert said is not None
    assert (said.state, said.justification) == (state, code)


@pytest.mark.parametrize("kind", ["bug-found", "environment-changed", "retracted", "labels-added", "licence-changed"])
def test_the_time_of_a_fault_counts_for_every_kind_of_change(kind: str) -> None:
    world = World(
        ":tool a hw:Software .",
        lasting("early", used(":tool", "execute"), "01-05", "01-06"),
        lasting("amid", used(":tool", "execute"), "03-05", "03-06"),
        lasting("late", used(":tool", "execute"), "05-05", "05-06"),
    )
    verdicts = world.judged(kind, "tool", slice=FAULT)
    effects = {name: world.said(verdicts, f"of-{name}") for name in ("early", "amid", "late")}
    begun = world.graph.words.changes[kind].begins_with
    assert {name: said.effect for name, said in effects.items() if said} == {"early": "none", "amid": begun, "late": "none"}


def test_unknown_times_make_no_difference_where_the_fault_stood_always() -> None:
    world = World(":detector a hw:Instrument .", lasting("shift", used(":detector", "execute"), None, None))
    assert world.state(world.judged("calibration-changed", "detector"), "of-shift") == "affected"


def test_who_used_growing_data_before_the_wrong_part_was_recorded_did_not_use_it() -> None:
    growing = ":stream a hw:Dataset ."
    fixed = ':stream a hw:Dataset ; hw:version "7" .'
    runs = [
        lasting("early", used(":stream", "train"), "01-05", "01-06"),
        lasting("late", used(":stream", "train"), "05-05", "05-06"),
        lasting("sometime", used(":stream", "train"), None, None),
    ]
    verdicts = (world := World(growing, *runs)).judged("values-corrected", "stream", slice=FAULT)
    assert world.said(verdicts, "of-early") == Said("not_affected", "info", "none", "fault-not-there")
    # That the wrong part lies before April does not say that it was mended in April.
    assert world.state(verdicts, "of-late") == "affected"
    assert world.state(verdicts, "of-sometime") == "affected"
    verdicts = (world := World(fixed, *runs)).judged("values-corrected", "stream", slice=FAULT)
    assert world.state(verdicts, "of-early") == "affected", "a version is what it is; a time that contradicts it is no comfort"


# --- a thing used without its version


def versions(first: str | None, second: str | None) -> str:
    """A data set with a faulty and a mended version, each made on some day."""

    def made(day: str | None) -> str:
        return f'prov:generatedAtTime "2026-{day}T00:00:00Z"^^xsd:dateTime ;' if day else ""

    return f"""
    :concept a hw:Dataset .
    :v1 a hw:Dataset ; {made(first)} prov:specializationOf :concept .
    :v2 a hw:Dataset ; {made(second)} prov:specializationOf :concept ; prov:wasRevisionOf :v1 .
    """


@pytest.mark.parametrize(
    ("first", "second", "start", "end", "state", "code"),
    [
        ("02-01", "04-01", "03-01", "03-02", "affected", "trained-on"),
        ("02-01", "04-01", None, "03-02", "affected", "trained-on"),
        (None, "04-01", "03-01", "03-02", "affected", "trained-on"),
        ("02-01", "04-01", "01-01", "01-02", "not_affected", "fault-not-there"),
        ("02-01", None, "01-01", "01-02", "not_affected", "fault-not-there"),
        ("02-01", "04-01", "05-01", "05-02", "cannot_tell", "unversioned-use"),
        ("02-01", "04-01", "03-01", "05-02", "cannot_tell", "unversioned-use"),
        ("02-01", "04-01", "03-01", None, "cannot_tell", "unversioned-use"),
        ("02-01", "04-01", None, None, "cannot_tell", "unversioned-use"),
        ("02-01", None, "03-01", "03-02", "cannot_tell", "unversioned-use"),
    ],
)
def test_a_use_without_a_version_is_told_by_which_versions_there_were(
    first: str | None, second: str | None, start: str | None, end: str | None, state: str, code: str
) -> None:
    world = World(versions(first, second), lasting("run", used(":concept", "train"), start, end))
    for objects in (("v1",), ("concept", "v1")):
        said = world.said(world.judged("labels-corrected", *objects, mended=["v2"]), "of-run")
        assert said is not None
        assert (said.state, said.justification) == (state, code), objects


def test_the_proof_of_a_use_without_a_version_begins_at_the_version() -> None:
    world = World(versions("02-01", "04-01"), lasting("run", used(":concept", "train"), "03-01", "03-02"))
    verdicts = world.judged("labels-corrected", "v1", mended=["v2"])
    assert [world.name(before) for before, _ in verdicts.path(world.id("of-run"))] == ["v1", "run"]
    assert world.state(verdicts, "concept") == "cannot_tell"
    explained = explain_verdict(verdicts, world.id("of-run"), 1)
    assert [world.name(hop.before) for hop in explained.paths[0].hops] == ["v1", "run"]


def test_a_fault_in_the_thing_as_such_is_in_every_use_of_it() -> None:
    world = World(
        ":concept a hw:Dataset . :v1 a hw:Dataset ; prov:specializationOf :concept .",
        lasting("run", used(":concept", "train"), None, None),
    )
    assert world.state(world.judged("labels-corrected", "concept", "v1"), "of-run") == "affected"


def test_a_slice_of_a_thing_used_without_its_version_can_be_disjoint() -> None:
    part = used(":concept", "train", slice='hw:labelClass "1"')
    world = World(versions("02-01", "04-01"), lasting("run", part, None, None))
    verdicts = world.judged("labels-corrected", "v1", mended=["v2"], slice='{"labels":["3"]}')
    assert world.said(verdicts, "of-run") == Said("not_affected", "info", "none", "slice-disjoint")


def test_a_deployment_that_began_before_the_fault_may_still_be_at_work() -> None:
    world = World("""
        :tool a hw:Software . :service a hw:Deployment ; hw:deploys :tool ;
            prov:startedAtTime "2026-01-01T00:00:00Z"^^xsd:dateTime .
        :over a hw:Deployment ; hw:deploys :tool ; prov:startedAtTime "2025-01-01T00:00:00Z"^^xsd:dateTime ;
            prov:endedAtTime "2025-12-01T00:00:00Z"^^xsd:dateTime .
    """)
    verdicts = world.judged("bug-found", "tool", slice=FAULT)
    assert world.state(verdicts, "service") == "cannot_tell"
    assert world.state(verdicts, "over") == "not_affected"


def test_when_a_change_was_announced_says_nothing_of_when_the_fault_began() -> None:
    world = World(
        ':data a hw:Dataset ; hw:version "1" . :notice a hw:Change ; hw:changeKind hw:labels-corrected ; '
        'hw:changedObject :data ; prov:atTime "2026-06-01T00:00:00Z"^^xsd:dateTime .',
        lasting("before", used(":data", "train"), "01-05", "01-06"),
        lasting("after", used(":data", "train"), "07-05", "07-06"),
    )
    verdicts = world.judged("labels-corrected", "data")
    assert [world.state(verdicts, name) for name in ("of-before", "of-after")] == ["affected", "affected"]
