"""What a plan repeats, in which order, and what it leaves alone and why: small worlds in which a person can say what is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headwater.lineage import plans
from headwater.lineage.damage import AFFECTED, damage
from headwater.lineage.planned import ACTIONS, LEFT, Budget, Plan, Weights
from headwater.lineage.plans import make_plan
from headwater.lineage.verdict import judge
from headwater.terms.weights import kind_weights, severity_weights
from tests.lineage.reference import changes, worlds
from tests.lineage.worlds import World, story, used

WEIGHTS = Weights(kind_weights(), severity_weights())


@dataclass
class Book:
    """What is recorded of runs, by local name."""

    world: World
    hours_of: Mapping[str, float] = field(default_factory=dict)
    kwh_of: Mapping[str, float] = field(default_factory=dict)
    status_of: Mapping[str, str] = field(default_factory=dict)
    settings_of: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    parents_of: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def status(self, run: int) -> str:
        return self.status_of.get(self.world.name(run), "finished")

    def hours(self, run: int) -> float | None:
        return self.hours_of.get(self.world.name(run))

    def kwh(self, run: int) -> float | None:
        return self.kwh_of.get(self.world.name(run))

    def parents(self, run: int) -> list[int]:
        return [self.world.id(name) for name in self.parents_of.get(self.world.name(run), ())]

    def settings(self, run: int) -> Mapping[str, str]:
        return self.settings_of.get(self.world.name(run), {})

    def command(self, run: int) -> str:
        del run
        return "train.py"


@dataclass
class Lengths:
    """Runs of which only the hours are recorded, by node id."""

    hours_of: Mapping[int, float | None]

    def status(self, run: int) -> str:
        del run
        return "finished"

    def hours(self, run: int) -> float | None:
        return self.hours_of.get(run)

    def kwh(self, run: int) -> float | None:
        del run
        return None

    def parents(self, run: int) -> tuple[int, ...]:
        del run
        return ()

    def settings(self, run: int) -> Mapping[str, str]:
        del run
        return {}

    def command(self, run: int) -> str:
        del run
        return ""


@dataclass
class Told:
    """A plan in local names."""

    world: World
    plan: Plan

    @property
    def steps(self) -> list[str]:
        return [self.world.name(step.unit.run) for step in self.plan.steps]

    @property
    def needs(self) -> list[str]:
        return [step.unit.need for step in self.plan.steps]

    @property
    def left(self) -> dict[str, tuple[str, str | None]]:
        return {
            self.world.name(node): (reason, None if by is None else self.world.name(by)) for node, reason, by in self.plan.left
        }

    @property
    def actions(self) -> dict[str, str]:
        return {self.world.name(action.node): action.what for action in self.plan.actions}

    def inputs(self, run: str) -> dict[str, str | None]:
        """What each faulty input of a step is replaced by: a thing, `step of RUN`, or `waits for THING`."""
        step = next(step for step in self.plan.steps if step.unit.run == self.world.id(run))
        found = {}
        for swap in step.unit.swaps:
            new = None if swap.new is None else self.world.name(swap.new)
            words = {"taken": new, "waits": f"waits for {new}", "kept": None}
            made = None if swap.run is None else f"step of {self.world.name(swap.run)}"
            found[self.world.name(swap.old)] = made if swap.how == "made" else words[swap.how]
        return found

    def mends(self, run: str) -> set[str]:
        step = next(step for step in self.plan.steps if step.unit.run == self.world.id(run))
        return {self.world.name(node) for node in step.mends}


def planned(
    world: World,
    *found: tuple[str, str, Sequence[str]],
    budget: Budget | None = None,
    gains: Any = None,
    book: Book | None = None,
    **more: Any,
) -> Told:
    verdicts = [judge(world.graph, world.change(kind, thing, mended=mended)) for kind, thing, mended in found]
    done = damage(world.graph, verdicts)
    return Told(world, make_plan(done, book or Book(world), gains or (lambda *_: []), WEIGHTS, budget, **more))


MENDED = ':data2 a hw:Dataset ; hw:version "2" ; prov:wasRevisionOf :data .\n'
CORRECTED = ("labels-corrected", "data", ["data2"])


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


# --- costs and budgets


def fan(count: int) -> World:
    using = f"{used(':data', 'train')} ; {used(':code', 'execute')}"
    runs = "".join(f":r{n} a hw:Run ; {using} . :m{n} a hw:Model ; prov:wasGeneratedBy :r{n} .\n" for n in range(count))
    return World(
        f':data a hw:Dataset ; hw:version "1" . {MENDED} :code a hw:Software . {runs} :live a hw:Deployment ; hw:deploys :m1 .'
    )


def test_a_run_of_unknown_length_costs_what_others_of_its_kind_did() -> None:
    world = fan(4)
    book = Book(world, hours_of={"r0": 1.0, "r1": 2.0, "r2": 4.0}, settings_of={"r3": {"k": "1"}, "r2": {"k": "1"}})
    told = planned(world, CORRECTED, book=book)
    costs = {world.name(step.unit.run): step.cost.hours for step in told.plan.steps}
    assert (costs["r0"].value, costs["r0"].basis) == (1.0, "own")
    assert (costs["r3"].value, costs["r3"].basis, costs["r3"].runs) == (4.0, "same-settings", 1)
    book.settings_of = {}
    costs = {world.name(step.unit.run): step.cost.hours for step in planned(world, CORRECTED, book=book).plan.steps}
    assert (costs["r3"].value, costs["r3"].basis, costs["r3"].runs) == (2.0, "same-code", 3)
    book.hours_of = {}
    nobody = planned(world, CORRECTED, book=book).plan.steps
    assert {(step.cost.hours.value, step.cost.hours.basis) for step in nobody} == {(None, "unknown")}


def test_a_failed_run_tells_nothing_about_cost() -> None:
    world = fan(2)
    book = Book(world, hours_of={"r0": 0.01}, status_of={"r0": "failed"})
    costs = {world.name(step.unit.run): step.cost.hours.value for step in planned(world, CORRECTED, book=book).plan.steps}
    assert costs == {"r1": None}


def test_a_budget_goes_to_what_is_at_work_first() -> None:
    world = fan(3)
    book = Book(world, hours_of={"r0": 1.0, "r1": 2.0, "r2": 1.0})
    told = planned(world, CORRECTED, book=book, budget=Budget(hours=2.0))
    assert told.steps == ["r1"]
    assert told.left["r0"] == ("over-budget", None)
    assert told.plan.choice is not None
    assert told.plan.choice.exact


def test_a_budget_of_zero_repeats_nothing_and_a_wide_one_everything() -> None:
    world = fan(3)
    book = Book(world, hours_of={"r0": 1.0, "r1": 2.0, "r2": 1.0}, kwh_of={"r0": 0.5, "r1": 0.5, "r2": 0.5})
    assert planned(world, CORRECTED, book=book, budget=Budget(hours=0.0)).steps == []
    assert len(planned(world, CORRECTED, book=book, budget=Budget(hours=4.0, kwh=1.5)).steps) == 3
    assert len(planned(world, CORRECTED, book=book, budget=Budget(hours=4.0, kwh=1.0)).steps) == 2


def test_what_is_not_known_to_fit_the_budget_is_said_to_be_unknown() -> None:
    told = planned(fan(2), CORRECTED, budget=Budget(hours=100.0))
    assert told.steps == []
    assert told.left["r0"] == ("cost-unknown", None)


def test_the_fix_that_clears_most_an_hour_stands_first() -> None:
    world = fan(3)
    told = planned(world, CORRECTED, book=Book(world, hours_of={"r0": 1.0, "r1": 1.0, "r2": 9.0}))
    best = told.plan.fixes[0]
    assert (best.run, len(best.clears)) == (world.id("r1"), 2)
    whole = next(fix for fix in told.plan.fixes if fix.change == 0)
    assert (len(whole.clears), whole.hours, whole.steps) == (4, 11.0, 3)


def test_a_very_large_plan_is_chosen_step_by_step_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "MOST_WEIGHED", 2)
    world = fan(6)
    book = Book(world, hours_of={f"r{n}": 1.0 for n in range(6)})
    told = planned(world, CORRECTED, book=book, budget=Budget(hours=3.0))
    assert len(told.steps) == 3
    choice = told.plan.choice
    assert choice is not None
    assert choice.weight <= choice.bound < 80


# --- whatever the world


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.data())
def test_in_every_world_a_plan_is_in_order_complete_and_says_why(data: st.DataObject) -> None:
    world = data.draw(worlds())
    graph = world.fill()
    found = [judge(graph, data.draw(changes(graph, world.things))) for _ in range(data.draw(st.integers(1, 2)))]
    done = damage(graph, found)
    length = {run: data.draw(st.one_of(st.none(), st.sampled_from([0.0, 1.0, 3.0]))) for run in graph.of_kind("run").tolist()}
    budget = data.draw(st.sampled_from([Budget(), Budget(hours=2.0), Budget(hours=0.0)]))

    plan = make_plan(done, Lengths(length), lambda *_: [], WEIGHTS, budget)
    place = {step.unit.run: step.number for step in plan.steps}
    wanted = {run for goal in plan.mended for run in goal.units}
    assert list(place.values()) == list(range(1, len(place) + 1))
    for step in plan.steps:
        assert all(before < step.number for before in step.after)
        assert all(place[before] < step.number for before in step.unit.after)
        followed = {run for other in plan.steps for run in other.unit.after}
        assert step.unit.outputs or step.unit.need == "measure" or step.unit.run in followed | wanted
        assert set(step.falls_away) <= set(range(step.number + 1, len(place) + 1))
    if budget.hours is not None:
        assert sum(step.cost.hours.safe or 0.0 for step in plan.steps) <= budget.hours + 1e-9
    assert all(goal.units <= place.keys() for goal in plan.mended)
    assert not {goal.node for goal in plan.mended} & {goal.node for goal in plan.unmended}
    assert all(reason in LEFT for _, reason, _ in plan.left)
    assert all(action.what in ACTIONS for action in plan.actions)
    stale = {n for n in done.damaged().tolist() if done.state[n] == AFFECTED and graph.kind_name(n) != "run"}
    assert stale <= {goal.node for goal in (*plan.mended, *plan.unmended)} | {
        out for run, unit in plan.mending.units.items() for out in unit.outputs if run not in place
    }
