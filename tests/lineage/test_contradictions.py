"""Records that say different things of one use: nobody can tell, and the answer says why."""

from __future__ import annotations

from tests.lineage.worlds import Said, World, story, used

DOUBT = Said("cannot_tell", "major", "stale", "contradicted")


def test_a_use_that_one_record_calls_training_and_another_testing_is_in_doubt() -> None:
    world = World(story("train"), f":run {used(':data', 'test')} .")
    verdicts = world.judged("labels-corrected", "data")
    assert world.said(verdicts, "model") == DOUBT
    assert world.said(verdicts, "release") == DOUBT


def test_one_record_that_tells_of_two_roles_means_both() -> None:
    world = World(story("train") + f":run {used(':data', 'test')} .")
    assert world.state(world.judged("labels-corrected", "data"), "model") == "affected"


def test_records_that_agree_on_one_role_of_several_do_not_contradict_each_other_on_it() -> None:
    both = f":run {used(':data', 'test')} . :run {used(':data', 'train')} ."
    world = World(story("train"), both)
    assert world.state(world.judged("labels-corrected", "data"), "model") == "affected"


def test_uses_of_different_parts_do_not_contradict_each_other() -> None:
    part = "hw:labelClass "
    world = World(story("train", slice=part + '"1"'), f":run {used(':data', 'test', slice=part + chr(34) + '2' + chr(34))} .")
    assert world.state(world.judged("labels-corrected", "data"), "model") == "affected"


def test_what_a_tool_multiplied_out_contradicts_nobody() -> None:
    world = World(story("train"), f":run {used(':data', 'test', 'expanded')} .")
    assert world.state(world.judged("labels-corrected", "data"), "model") == "affected"


def test_who_says_that_a_run_did_not_use_a_thing_puts_the_use_in_doubt() -> None:
    world = World(story("train"), ":run hw:didNotUse :data .")
    verdicts = world.judged("labels-corrected", "data")
    assert world.said(verdicts, "model") == DOUBT
    assert world.said(verdicts, "paper") == Said("cannot_tell", "major", "claims-unsupported", "contradicted")


def test_a_denial_is_no_link_by_itself_and_does_not_touch_other_uses() -> None:
    world = World(story("train"), ":asking hw:didNotUse :other . :run hw:didNotUse :elsewhere .")
    assert world.state(world.judged("labels-corrected", "data"), "model") == "affected"
    assert "asking" not in world.reached("other") or world.reached("other")["asking"] > 1
    assert "elsewhere" not in world.reached("run", "upstream")


def test_another_way_that_nobody_disputes_still_decides() -> None:
    world = World(story("train"), ":run hw:didNotUse :data .", ":other prov:wasDerivedFrom :data .")
    assert world.state(world.judged("labels-corrected", "data"), "model") == "affected"


def test_a_use_without_a_role_that_another_record_denies_stands_beside_the_denial() -> None:
    world = World(":run a hw:Run ; prov:used :data . :data a hw:Dataset .", ":run hw:didNotUse :data .")
    assert world.state(world.judged("labels-corrected", "data"), "run") == "cannot_tell"
