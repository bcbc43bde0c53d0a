"""What a plan costs, what a budget buys, which fix comes first; and what holds of plans in every world."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headwater.lineage import plans
from headwater.lineage.damage import AFFECTED, damage
from headwater.lineage.planned import ACTIONS, LEFT, Budget
from headwater.lineage.plans import make_plan
from headwater.lineage.verdict import judge
from tests.lineage.plan_worlds import CORRECTED, MENDED, WEIGHTS, Book, Lengths, planned
from tests.lineage.reference import changes, worlds
from tests.lineage.worlds import World, used


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
