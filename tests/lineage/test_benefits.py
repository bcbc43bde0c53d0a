"""What a revision bought: pairs that differ in nothing else, honest about all other pairs; and credit that adds up."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean, stdev
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.lineage.benefits import RunFacts, Stage, Step, interval, steps_bought
from headwater.lineage.credit import shares as all_shares
from headwater.terms.vocabulary import vocabulary
from tests.lineage.worlds import World, used

STEP = Step("urn:v1", "urn:v2")
better = vocabulary().better


def run(name: str, data: str, accuracy: float | None = None, /, on: str | None = None, **facts: Any) -> RunFacts:
    inputs = {"train": frozenset({data}), **facts.pop("inputs", {})}
    metrics = facts.pop("metrics", {} if accuracy is None else {("accuracy", on): accuracy})
    return RunFacts(f"urn:{name}", name, inputs, facts.pop("settings", {"depth": "3"}), metrics, **facts)


def stage(one: RunFacts, role: str = "train", **more: Any) -> Stage:
    (by,) = one.inputs[role]
    return Stage(one, role, by, **more)


def asked(earlier: list[Stage], later: list[Stage]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    stages: Callable[[str], list[Stage]] = {"urn:v1": earlier, "urn:v2": later}.__getitem__
    return steps_bought([STEP], stages, better)


def test_a_pair_that_differs_in_the_revision_only_gives_its_difference() -> None:
    steps, confounded = asked([stage(run("a", "urn:v1", 0.8))], [stage(run("b", "urn:v2", 0.9))])
    assert confounded == []
    (step,) = steps
    assert (step["from"], step["to"], step["metric"], step["n"]) == ("urn:v1", "urn:v2", "accuracy", 1)
    assert step["mean_delta"] == pytest.approx(0.1)
    assert (step["ci_low"], step["ci_high"], step["direction"], step["improved"]) == (None, None, "higher", True)
    (pair,) = step["pairs"]
    assert (pair["from_run"], pair["to_run"], pair["from_value"], pair["to_value"]) == ("urn:a", "urn:b", 0.8, 0.9)


@pytest.mark.parametrize(
    ("metric", "direction", "improved"),
    [("val_loss", "lower", False), ("f1", "higher", True), ("epochs", "unknown", None), ("accuracy_loss", "unknown", None)],
)
def test_the_direction_of_a_metric_decides_whether_more_is_better(metric: str, direction: str, improved: bool | None) -> None:
    runs = [
        run(name, data, metrics={(metric, None): value}) for name, data, value in (("a", "urn:v1", 1.0), ("b", "urn:v2", 2.0))
    ]
    ((step,), _) = asked([stage(runs[0])], [stage(runs[1])])
    assert (step["direction"], step["improved"], step["mean_delta"]) == (direction, improved, 1.0)


@pytest.mark.parametrize(
    ("facts", "differs_in"),
    [
        ({"settings": {"depth": "4"}}, ["setting depth"]),
        ({"settings": {}}, ["setting depth"]),
        ({"settings": {"depth": "3", "seed": "1"}}, ["setting seed"]),
        ({"inputs": {"test": frozenset({"urn:t2"})}}, ["test input"]),
        ({"inputs": {"execute": frozenset({"urn:code2"})}, "settings": {"depth": "4"}}, ["execute input", "setting depth"]),
        ({"status": "failed"}, ["status"]),
    ],
)
def test_what_else_two_runs_differ_in_is_named_and_nothing_is_claimed(facts: dict[str, Any], differs_in: list[str]) -> None:
    steps, confounded = asked([stage(run("a", "urn:v1", 0.8))], [stage(run("b", "urn:v2", 0.9, **facts))])
    assert steps == []
    (row,) = confounded
    assert (row["pair"], row["differs_in"]) == (["urn:a", "urn:b"], differs_in)
    assert row["metrics"] == {"accuracy": pytest.approx(0.1)}


def test_the_spread_of_the_pairs_is_told_beside_their_mean() -> None:
    gains = (0.1, 0.2, 0.6)
    earlier = [stage(run(f"a{n}", "urn:v1", 0.0, settings={"seed": str(n)})) for n in range(3)]
    later = [stage(run(f"b{n}", "urn:v2", gain, settings={"seed": str(n)})) for n, gain in enumerate(gains)]
    ((step,), _) = asked(earlier, later)
    assert (step["n"], step["min_delta"], step["max_delta"]) == (3, 0.1, 0.6)
    assert step["mean_delta"] == pytest.approx(0.3)
    assert step["sd_delta"] == pytest.approx(stdev(gains))
    ((one,), _) = asked(earlier[:1], later[:1])
    assert (one["sd_delta"], one["min_delta"], one["max_delta"]) == (None, 0.1, 0.1)


def test_a_test_set_of_the_same_content_under_another_name_is_the_same_test_set() -> None:
    def tested(name: str, data: str, value: float, test: str, digest: str) -> Stage:
        more = {"inputs": {"test": frozenset({test})}, "contents": {test: digest}, "on": test}
        return stage(run(name, data, value, **more))

    one = tested("a", "urn:v1", 0.8, "urn:t", "sha256:1")
    ((step,), _) = asked([one], [tested("b", "urn:v2", 0.9, "urn:copy-of-t", "sha256:1")])
    assert step["mean_delta"] == pytest.approx(0.1)
    steps, (row,) = asked([one], [tested("b", "urn:v2", 0.9, "urn:copy-of-t", "sha256:2")])
    assert (steps, row["differs_in"]) == ([], ["test input"])


def test_another_split_of_an_input_is_a_confounder_be_it_the_revision_or_another() -> None:
    part, rest = frozenset({'{"labels": ["7"]}'}), frozenset({'{"labels": ["8"]}'})
    one = stage(run("a", "urn:v1", 0.8, slices={("train", "urn:v1"): part}))
    ((step,), _) = asked([one], [stage(run("b", "urn:v2", 0.9, slices={("train", "urn:v2"): part}))])
    assert step["n"] == 1
    for other in ({("train", "urn:v2"): rest}, {}):
        steps, (row,) = asked([one], [stage(run("b", "urn:v2", 0.9, slices=other))])
        assert (steps, row["differs_in"]) == ([], ["train slice"])


def test_another_version_of_the_code_or_another_seed_is_a_confounder() -> None:
    facts = {"inputs": {"execute": frozenset({"urn:code-1"})}, "settings": {"random_state": "0"}}
    one = stage(run("a", "urn:v1", 0.8, **facts))
    for change, named in (
        ({"inputs": {"execute": frozenset({"urn:code-2"})}}, "execute input"),
        ({"settings": {"random_state": "1"}}, "setting random_state"),
    ):
        steps, (row,) = asked([one], [stage(run("b", "urn:v2", 0.9, **{**facts, **change}))])
        assert (steps, row["differs_in"]) == ([], [named])


def test_a_program_that_prepared_and_trained_is_one_input_that_changed() -> None:
    def made(name: str, code: str, value: float) -> Stage:
        preparing = RunFacts(f"urn:prepare-{name}", name, {"execute": frozenset({code})}, {}, {})
        return stage(run(name, f"urn:scaled-{name}", value, inputs={"execute": frozenset({code})}), preparation=preparing)

    ((step,), confounded) = asked([made("a", "urn:v1", 0.8)], [made("b", "urn:v2", 0.9)])
    assert (step["n"], confounded) == (1, [])


def test_what_neither_run_of_a_pair_records_is_told() -> None:
    bare = asked([stage(run("a", "urn:v1", 0.8))], [stage(run("b", "urn:v2", 0.9))])[0][0]
    assert bare["unrecorded"] == {"code": 1, "seed": 1, "test set": 1}
    facts = {"inputs": {"execute": frozenset({"urn:code"}), "test": frozenset({"urn:t"})}, "settings": {"svm__random_state": "0"}}
    full = asked([stage(run("a", "urn:v1", 0.8, **facts))], [stage(run("b", "urn:v2", 0.9, **facts))])[0][0]
    assert full["unrecorded"] == {}


def test_runs_that_differ_in_very_much_are_not_set_side_by_side() -> None:
    other = {"settings": {"depth": "4", "rate": "0.1", "seed": "2", "width": "9"}}
    assert asked([stage(run("a", "urn:v1", 0.8))], [stage(run("b", "urn:v2", 0.9, **other))]) == ([], [])


def test_a_run_without_a_pair_is_shown_with_its_nearest_even_if_that_has_a_pair() -> None:
    larger = run("c", "urn:v2", 0.95, settings={"depth": "9"})
    steps, confounded = asked([stage(run("a", "urn:v1", 0.8))], [stage(run("b", "urn:v2", 0.9)), stage(larger)])
    assert [step["n"] for step in steps] == [1]
    assert [row["pair"] for row in confounded] == [["urn:a", "urn:c"]]


def test_values_measured_on_different_data_are_not_compared_and_on_the_revision_itself_they_are() -> None:
    one, other = run("a", "urn:v1", 0.8, on="urn:t1"), run("b", "urn:v2", 0.9, on="urn:t2")
    assert asked([stage(one)], [stage(other)]) == ([], [])
    tested = [
        run(name, "urn:d", value, on=data, inputs={"test": frozenset({data})})
        for name, data, value in (("a", "urn:v1", 0.8), ("b", "urn:v2", 0.9))
    ]
    ((step,), _) = asked([stage(tested[0], "test")], [stage(tested[1], "test")])
    assert step["mean_delta"] == pytest.approx(0.1)


def test_one_name_measured_on_two_data_sets_is_two_metrics() -> None:
    metrics = [{("accuracy", "urn:t1"): 0.5 + gain, ("accuracy", "urn:t2"): 0.7 + 2 * gain} for gain in (0.0, 0.1)]
    names = {"urn:t1": "old test", "urn:t2": "new test"}
    runs = [
        run(name, data, metrics=found, names=names) for name, data, found in zip("ab", ("urn:v1", "urn:v2"), metrics, strict=True)
    ]
    steps, _ = asked([stage(runs[0])], [stage(runs[1])])
    assert {step["metric"]: round(step["mean_delta"], 3) for step in steps} == {
        "accuracy on old test": 0.1,
        "accuracy on new test": 0.2,
    }
    assert {step["direction"] for step in steps} == {"higher"}


def test_runs_of_equal_signature_are_paired_one_to_one_and_the_rest_is_no_confounder() -> None:
    earlier = [stage(run(f"a{number}", "urn:v1", 0.8)) for number in range(2)]
    later = [stage(run(f"b{number}", "urn:v2", 0.9)) for number in range(3)]
    ((step,), confounded) = asked(earlier, later)
    assert step["n"] == 2
    assert [(pair["from_run"], pair["to_run"]) for pair in step["pairs"]] == [("urn:a0", "urn:b0"), ("urn:a1", "urn:b1")]
    assert confounded == []
    assert asked(earlier[::-1], later[::-1]) == ([step], [])


def test_through_one_preparing_step_the_preparation_must_agree_as_well() -> None:
    def prepared(name: str, data: str, scale: str, value: float) -> Stage:
        preparing = RunFacts(f"urn:prepare-{name}", name, {"preprocess": frozenset({data})}, {"scale": scale}, {})
        return Stage(run(name, f"urn:scaled-{name}", value), "train", f"urn:scaled-{name}", preparation=preparing)

    ((step,), _) = asked([prepared("a", "urn:v1", "16", 0.8)], [prepared("b", "urn:v2", "16", 0.9)])
    assert step["mean_delta"] == pytest.approx(0.1)
    steps, (row,) = asked([prepared("a", "urn:v1", "16", 0.8)], [prepared("b", "urn:v2", "255", 0.9)])
    assert (steps, row["differs_in"]) == ([], ["preparation setting scale"])
    steps, (row,) = asked([prepared("a", "urn:v1", "16", 0.8)], [stage(run("b", "urn:v2", 0.9))])
    assert steps == []
    assert "preparation" in row["differs_in"]


def test_a_run_is_no_pair_with_itself() -> None:
    both = RunFacts("urn:a", "a", {"train": frozenset({"urn:v1", "urn:v2"})}, {}, {("accuracy", None): 0.9})
    assert asked([Stage(both, "train", "urn:v1")], [Stage(both, "train", "urn:v2")]) == ([], [])


@settings(max_examples=10, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=2, max_size=12))
def test_the_interval_holds_the_mean_lies_within_the_values_and_is_the_same_each_time(values: list[float]) -> None:
    low, high = interval(values)
    assert low is not None
    assert high is not None
    slack = 1e-9
    assert min(values) - slack <= low <= fmean(values) + slack or low <= high
    assert min(values) - slack <= low <= high <= max(values) + slack
    assert interval(values) == (low, high)
    assert interval(values, level=0.5)[0] >= low  # type: ignore[operator]


# --- credit

SOURCES = f"""
:d a hw:Dataset . :e a hw:Dataset . :code a hw:Software .
:run a hw:Run ; {used(":d", "train")} ; {used(":e", "validate")} ; {used(":code", "execute")} .
:model a hw:Model ; prov:wasGeneratedBy :run .
:paper a hw:Publication ; hw:documents :model, :d ; hw:cites :other . :other a hw:Publication .
"""


def shares(world: World, result: str, *things: str) -> dict[str, float]:
    return {name: float(all_shares(world.graph, [world.id(name)])[world.id(result)]) for name in things}


def test_credit_goes_by_the_weights_of_the_roles() -> None:
    assert shares(World(SOURCES), "model", "d", "e", "code") == pytest.approx({"d": 4 / 7, "e": 1 / 7, "code": 2 / 7})


def test_credit_sums_to_one_over_the_sources() -> None:
    assert sum(shares(World(SOURCES), "paper", "d", "e", "code", "other").values()) == pytest.approx(1)


def test_credit_is_unchanged_by_splitting_a_step() -> None:
    two = SOURCES.replace("prov:entity :d ; prov:hadRole hw:train", "prov:entity :clean ; prov:hadRole hw:train").replace(
        "prov:used :d ;", "prov:used :clean ;"
    )
    assert two != SOURCES
    world = World(two, f":cleaning a hw:Run ; {used(':d', 'preprocess')} . :clean a hw:Dataset ; prov:wasGeneratedBy :cleaning .")
    assert shares(world, "paper", "d", "e", "code", "other") == pytest.approx(
        shares(World(SOURCES), "paper", "d", "e", "code", "other")
    )


def test_credit_is_unchanged_by_saying_the_same_link_twice() -> None:
    again = World(SOURCES, f":run {used(':d', 'train', 'asserted')} .")
    assert shares(again, "model", "d", "e") == pytest.approx(shares(World(SOURCES), "model", "d", "e"))


def test_credit_through_a_family_is_credit_through_any_of_it_and_never_counted_twice() -> None:
    world = World(SOURCES, ":d prov:wasRevisionOf :e .")
    family = all_shares(world.graph, [world.id("d"), world.id("e")])
    assert family[world.id("model")] == pytest.approx(5 / 7)
    assert family.max() <= 1


def test_credit_reaches_the_source_of_a_deep_chain() -> None:
    steps = [
        f":r{number} a hw:Run ; prov:used :d{number} . :d{number + 1} a hw:Dataset ; prov:wasGeneratedBy :r{number} ."
        for number in range(600)
    ]
    assert shares(World("\n".join(steps)), "d600", "d0") == {"d0": pytest.approx(1)}


def test_credit_for_one_of_very_many_sources_is_not_lost() -> None:
    count = 1500
    uses = " ; ".join(f"prov:used :d{number}" for number in range(count))
    kinds = " . ".join(f":d{number} a hw:Dataset" for number in range(count))
    world = World(
        f"{kinds} . :run a hw:Run ; {uses} . :mid a hw:Dataset ; prov:wasGeneratedBy :run .",
        f":last a hw:Run ; {' ; '.join(f'prov:used :x{number}' for number in range(1000))} ; prov:used :mid .",
    )
    assert shares(world, "last", "d7")["d7"] == pytest.approx(1 / 1001 / count)


def test_credit_ends_in_a_cycle() -> None:
    world = World(f"""
        :r1 a hw:Run ; {used(":d2", "train")} ; {used(":source", "train")} . :d1 a hw:Dataset ; prov:wasGeneratedBy :r1 .
        :r2 a hw:Run ; {used(":d1", "train")} . :d2 a hw:Dataset ; prov:wasGeneratedBy :r2 .
        :closed1 a hw:Dataset ; prov:wasDerivedFrom :closed2 . :closed2 a hw:Dataset ; prov:wasDerivedFrom :closed1 .
        :end a hw:Dataset ; prov:wasDerivedFrom :closed1 .
    """)
    assert shares(world, "d2", "source")["source"] == pytest.approx(1, abs=1e-6)
    assert shares(world, "end", "closed2") == {"closed2": pytest.approx(1)}
    assert shares(world, "end", "source") == {"source": 0.0}
