"""What a plan repeats, in which order, and what it leaves alone and why: small worlds in which a person can say what is right."""

from __future__ import annotations

import pytest

from headwater.lineage.damage import AFFECTED
from tests.lineage.plan_worlds import CORRECTED, MENDED, Book, planned
from tests.lineage.worlds import World, story, used


def test_a_training_is_repeated_before_what_rests_on_its_model() -> None:
    told = planned(World(story("train") + MENDED), CORRECTED)
    assert told.steps[0] == "run"
    assert set(told.steps) == {"run", "asking", "adapting"}
    assert told.inputs("run") == {"data": "data2"}
    assert told.inputs("adapting") == {"model": "step of run"}
    assert told.actions == {"release": "redeploy", "paper": "correct", "report": "correct", "review": "correct"}
    after = {step.number: step.after for step in told.plan.steps}
    assert all(before < number for number, rest in after.items() for before in rest)


def test_each_run_is_repeated_once_although_two_changes_reach_it() -> None:
    world = World(story("train") + MENDED + ':other2 a hw:Dataset ; hw:version "2" ; prov:wasRevisionOf :other .')
    told = planned(world, CORRECTED, ("records-removed", "other", ["other2"]))
    assert sorted(told.steps) == ["adapting", "asking", "run"]
    assert told.inputs("run") == {"data": "data2", "other": "other2"}


def test_a_corrected_test_set_only_asks_for_new_numbers() -> None:
    told = planned(World(story("test") + MENDED), CORRECTED)
    assert (told.steps, told.needs) == (["run"], ["measure"])
    assert [told.world.name(model) for model in told.plan.steps[0].unit.models] == ["model"]
    assert told.plan.steps[0].cost.hours.value is None
    assert told.actions == {"paper": "correct", "report": "correct", "review": "correct"}
    assert told.mends("run") >= {"run", "paper", "report"}


def test_without_metrics_nothing_is_only_measured_again() -> None:
    told = planned(World(story("test") + MENDED), CORRECTED, metrics=False, kinds=["model"])
    assert told.steps == []
    assert told.left["run"] == ("metrics-not-wanted", None)


def test_what_only_measures_comes_last() -> None:
    world = World(
        story("train")
        + MENDED
        + f':scoring a hw:Run ; {used(":model", "test")} ; {used(":held", "test")} . :held a hw:Dataset ; hw:version "1" .'
    )
    told = planned(world, CORRECTED)
    assert told.steps[-1] == "scoring"
    assert told.needs[-1] == "measure"
    assert "scoring" not in planned(world, CORRECTED, metrics=False).steps


def test_without_a_mended_revision_the_input_is_to_be_mended_first() -> None:
    told = planned(World(story("train")), ("labels-corrected", "data", []))
    assert told.actions["data"] == "mend-input"
    assert told.inputs("run") == {"data": "waits for data"}
    assert told.plan.steps[0].unit.waits == {told.world.id("data")}


def test_what_is_mended_since_is_taken_and_not_made_again() -> None:
    world = World(
        story("train")
        + MENDED
        + f""":run2 a hw:Run ; {used(":data2", "train")} .
        :model2 a hw:Model ; prov:wasRevisionOf :model ; prov:wasGeneratedBy :run2 ."""
    )
    told = planned(world, CORRECTED)
    assert sorted(told.steps) == ["adapting", "asking"]
    assert told.inputs("asking") == {"model": "model2"}
    assert told.left["model"] == told.left["run"] == ("resolved", "model2")


def twins(settings: str) -> tuple[World, Book]:
    """Two trainings with the same code, on the old and on the mended data; the second has settings of its own or the same."""
    world = World(
        f"""
        :data a hw:Dataset ; hw:version "1" . {MENDED} :code a hw:Software ; hw:version "3f2a1c" .
        :old a hw:Run ; {used(":data", "train")} ; {used(":code", "execute")} .
        :new a hw:Run ; {used(":data2", "train")} ; {used(":code", "execute")} .
        :was a hw:Model ; prov:wasGeneratedBy :old . :is a hw:Model ; prov:wasGeneratedBy :new .
        :release a hw:Deployment ; hw:deploys :was .
        """
    )
    return world, Book(world, settings_of={"old": {"depth": "3"}, "new": {"depth": settings}})


def test_what_another_run_did_already_is_not_done_again() -> None:
    world, book = twins("3")
    told = planned(world, CORRECTED, book=book)
    assert told.steps == []
    assert told.left["old"] == ("done-already", "new")
    assert told.actions == {"release": "redeploy"}
    assert {world.name(goal.node) for goal in told.plan.mended} == {"was", "release"}


@pytest.mark.parametrize("settings", ["4", ""])
def test_a_run_with_other_settings_is_no_repetition(settings: str) -> None:
    world, book = twins(settings)
    if not settings:
        book.settings_of = {}
    assert planned(world, CORRECTED, book=book).steps == ["old"]


def test_a_failed_run_is_left_alone() -> None:
    world = World(f':data a hw:Dataset ; hw:version "1" . {MENDED} :run a hw:Run ; {used(":data", "train")} .')
    told = planned(world, CORRECTED, book=Book(world, status_of={"run": "failed"}))
    assert (told.steps, told.left) == ([], {"run": ("failed", None)})


def test_prepared_data_that_nobody_used_are_not_made_again() -> None:
    world = World(
        f""":data a hw:Dataset ; hw:version "1" . {MENDED}
        :scale a hw:Run ; {used(":data", "preprocess")} . :scaled a hw:Dataset ; prov:wasGeneratedBy :scale ."""
    )
    told = planned(world, CORRECTED)
    assert (told.steps, told.left["scale"]) == ([], ("unused", None))
    assert [world.name(goal.node) for goal in told.plan.unmended] == ["scaled"]
    assert planned(world, CORRECTED, kinds=["dataset"]).steps == ["scale"]


def test_predictions_are_results_although_nobody_used_them() -> None:
    assert "asking" in planned(World(story("train") + MENDED), CORRECTED).steps


def test_only_the_kinds_that_are_wanted_are_mended_with_what_they_need() -> None:
    told = planned(World(story("train") + MENDED), CORRECTED, kinds=["deployment"])
    assert told.steps == ["run"]
    assert told.left["adapting"] == told.left["asking"] == ("unused", None)


def test_the_parts_of_a_sweep_are_repeated_with_the_sweep() -> None:
    world = World(
        f""":data a hw:Dataset ; hw:version "1" . {MENDED}
        :sweep a hw:Run ; {used(":data", "train")} . :best a hw:Model ; prov:wasGeneratedBy :sweep .
        :one a hw:Run ; {used(":data", "train")} . :try a hw:Model ; prov:wasGeneratedBy :one ."""
    )
    book = Book(world, parents_of={"one": ["sweep"]}, hours_of={"one": 1.0})
    told = planned(world, CORRECTED, book=book)
    assert told.steps == ["sweep"]
    assert told.left["one"] == ("part-of-another", "sweep")
    assert told.mends("sweep") == {"best", "try"}
    assert told.plan.steps[0].cost.hours.value == 1.0


LOSS = {"metric": "accuracy", "direction": "higher", "mean_delta": -0.02, "ci_low": -0.03, "ci_high": -0.01, "n": 4}


def test_where_the_past_rules_out_a_gain_only_what_is_at_work_is_mended() -> None:
    world = World(
        f""":data a hw:Dataset ; hw:version "1" . {MENDED}
        :one a hw:Run ; {used(":data", "train")} . :leaf a hw:Model ; prov:wasGeneratedBy :one .
        :two a hw:Run ; {used(":data", "train")} . :live a hw:Model ; prov:wasGeneratedBy :two .
        :release a hw:Deployment ; hw:deploys :live ."""
    )
    told = planned(world, CORRECTED, gains=lambda *_: [LOSS])
    assert told.steps == ["two"]
    assert told.left["one"] == ("no-gain", None)
    assert told.plan.steps[0].improves is False


def test_labels_added_are_a_gain_to_take_and_nothing_is_stale() -> None:
    added = ("labels-added", "data", ["data2"])
    world = World(story("train") + MENDED)
    told = planned(world, added)
    assert told.needs[0] == "gain"
    assert not any(int(told.plan.mending.damage.state[goal.node]) == AFFECTED for goal in told.plan.mended)
    # The fine-tuned model gains from a new revision of the first, of which no past pair tells.
    assert planned(world, added, gains=lambda *_: [LOSS]).left.get("run") is None
    alone = World(
        f':data a hw:Dataset ; hw:version "1" . {MENDED} :run a hw:Run ; {used(":data", "train")} . '
        ":model a hw:Model ; prov:wasGeneratedBy :run ."
    )
    assert planned(alone, added, gains=lambda *_: [LOSS]).left["run"] == ("no-gain", None)


def test_reserialised_data_ask_for_nothing() -> None:
    told = planned(World(story("train") + MENDED), ("reserialised", "data", ["data2"]))
    assert (told.steps, told.actions) == ([], {})
    assert {reason for reason, _ in told.left.values()} == {"not-affected"}


def test_what_must_be_withdrawn_is_withdrawn_at_once() -> None:
    told = planned(World(story("train")), ("consent-withdrawn", "data", []))
    first = told.plan.actions[0]
    assert first.what == "withdraw"
    assert first.after == []
    assert {told.world.name(a.node) for a in told.plan.actions if a.what == "withdraw"} >= {"model", "release"}


def test_a_changed_licence_asks_to_check_terms_and_to_repeat_nothing() -> None:
    told = planned(World(story("train")), ("licence-changed", "data", []))
    assert told.steps == []
    assert told.actions["release"] == "check-terms"


def test_what_no_run_made_is_made_by_hand_before_what_rests_on_it() -> None:
    world = World(
        f""":data a hw:Dataset ; hw:version "1" . {MENDED}
        :copy a hw:Dataset ; hw:version "1" ; prov:wasDerivedFrom :data .
        :run a hw:Run ; {used(":copy", "train")} . :model a hw:Model ; prov:wasGeneratedBy :run ."""
    )
    told = planned(world, CORRECTED)
    assert told.actions == {"copy": "make-by-hand"}
    assert told.inputs("run") == {"copy": "waits for copy"}


def test_a_collection_is_put_together_again_from_its_mended_parts() -> None:
    world = World(f':data a hw:Dataset ; hw:version "1" . {MENDED} :all a hw:Dataset ; prov:hadMember :data .')
    assert planned(world, CORRECTED).actions == {"all": "put-together"}


def test_what_a_run_did_not_use_is_no_input_of_its_repetition() -> None:
    more = ':other2 a hw:Dataset ; hw:version "2" ; prov:wasRevisionOf :other .'
    world = World(f':run hw:didNotUse :third . :third a hw:Dataset ; hw:version "1" . {story("train")} {MENDED} {more}')
    told = planned(world, CORRECTED, ("retracted", "third", []))
    assert told.inputs("run") == {"data": "data2"}


def test_a_run_that_another_followed_is_repeated_before_it() -> None:
    world = World(
        f""":data a hw:Dataset ; hw:version "1" . {MENDED} :engine a hw:Run ; {used(":data", "configure")} .
        :fit a hw:Run ; prov:wasInformedBy :engine . :model a hw:Model ; prov:wasGeneratedBy :fit ."""
    )
    told = planned(world, CORRECTED)
    assert (told.steps, told.needs) == (["engine", "fit"], ["repeat", "repeat"])


def test_an_identical_outcome_lets_what_rests_on_it_alone_fall_away() -> None:
    chain = "".join(
        f":r{n} a hw:Run ; {used(f':d{n}', 'preprocess')} . :d{n + 1} a hw:Dataset ; prov:wasGeneratedBy :r{n} .\n"
        for n in range(1, 4)
    )
    world = World(
        f""":d1 a hw:Dataset ; hw:version "1" . :n a hw:Dataset ; hw:version "2" ; prov:wasRevisionOf :d1 . {chain}
        :fit a hw:Run ; {used(":d4", "train")} ; {used(":d1", "train")} . :model a hw:Model ; prov:wasGeneratedBy :fit ."""
    )
    told = planned(world, ("values-corrected", "d1", ["n"]))
    assert told.steps == ["r1", "r2", "r3", "fit"]
    # The training also takes the corrected data themselves, so that it is due in any case.
    assert [step.falls_away for step in told.plan.steps] == [[2, 3], [3], [], []]


def test_a_circle_is_cut_where_it_began_and_that_is_said() -> None:
    world = World(
        f""":data a hw:Dataset ; hw:version "1" . {MENDED}
        :one a hw:Run ; {used(":data", "train")} ; {used(":b", "train")} ;
            prov:startedAtTime "2026-01-01T00:00:00Z"^^xsd:dateTime .
        :two a hw:Run ; {used(":a", "train")} ; prov:startedAtTime "2026-01-02T00:00:00Z"^^xsd:dateTime .
        :a a hw:Model ; prov:wasGeneratedBy :one . :b a hw:Model ; prov:wasGeneratedBy :two ."""
    )
    told = planned(world, CORRECTED)
    assert told.steps == ["one", "two"]
    assert told.inputs("one") == {"data": "data2", "b": None}
    assert told.plan.cut


def test_a_chain_of_a_thousand_steps_is_planned() -> None:
    chain = "".join(
        f":r{n} a hw:Run ; {used(f':d{n}', 'preprocess')} . :d{n + 1} a hw:Dataset ; prov:wasGeneratedBy :r{n} .\n"
        for n in range(1, 1001)
    )
    world = World(f":d1 a hw:Dataset . {chain} :paper a hw:Publication ; hw:documents :d1001 .")
    told = planned(world, ("values-corrected", "d1", []))
    assert told.steps == [f"r{n}" for n in range(1, 1001)]
    assert [step.falls_away for step in told.plan.steps][998:] == [[1000], []]
    assert told.plan.steps[0].falls_away_count == 999
