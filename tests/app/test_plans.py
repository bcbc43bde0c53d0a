"""Plans on the demonstration and for readers: what a person who knows the runs would repeat, and nothing that is hidden."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from headwater.access import LOCAL, Reader
from headwater.app import Headwater
from headwater.app.demonstration import open_demonstration
from headwater.errors import BadParameter, NotFound

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo"
NAMES: dict[str, str] = json.loads((DEMO / "expected.json").read_text(encoding="utf-8"))["names"]
TRAIN, TEST, FEEDER = (
    f"https://digits-lab.example/change-{name}" for name in ("train-labels", "test-labels", "feeder-calibration")
)
_PUBLIC = Reader("anonymous", "none", frozenset())
Opened = Callable[..., Headwater]
Write = Callable[..., object]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Headwater]:
    with open_demonstration(tmp_path_factory.mktemp("demo") / "data") as headwater:
        yield headwater


def labels(answer: dict[str, Any], part: str = "steps") -> list[str]:
    return [row["label"] for row in answer[part]]


def test_after_the_training_labels_four_runs_are_repeated_in_order(demo: Headwater) -> None:
    answer = demo.plan(TRAIN, LOCAL)
    assert labels(answer) == [
        "online on train-v1",
        "Acquisition on S2, steered by digits-online version 1",
        "online, fine-tuned on train-v2 and the queue",
        "forest on train-v2 and pseudo-labels",
    ]
    first, _, third, student = answer["steps"]
    assert first["recipe"]["inputs"][1]["instead"] == NAMES["dataset train-v2"]
    assert first["recipe"]["command"] == "training.py"
    assert first["recipe"]["parameters"]["alpha"] == "0.001"
    assert first["recipe"]["code"][0]["identifier"].startswith("git:")
    assert first["cost"]["hours_from"] == {"basis": "own", "runs": 1}
    assert {row["from_step"] for row in third["recipe"]["inputs"]} == {None, 1, 2}
    assert (third["after"], first["cutoff"]["falls_away"]) == ([1, 2], [2, 3])
    assert NAMES["model student"] in student["mends"]
    assert first["gain"]["improves"] is True
    assert first["gain"]["metrics"][0]["mean_delta"] == pytest.approx(0.0601, abs=1e-4)


def test_what_the_lab_did_already_is_taken_and_not_repeated(demo: Headwater) -> None:
    answer = demo.plan(TRAIN, LOCAL)
    done = {row["label"]: row["by"] for row in answer["skipped"] if row["reason"] == "done-already"}
    assert done.keys() == {"knn on train-v1", "tree on train-v1", "boosting on train-v1", "mlp on scaled-v1"}
    assert done["mlp on scaled-v1"] == NAMES["run mlp-v2"]
    kiosk = next(row for row in answer["actions"] if row["label"] == "Kiosk, release 1.0")
    assert (kiosk["what"], kiosk["after"]) == ("redeploy", [])
    assert kiosk["rests_on"][0]["instead"] == NAMES["model knn-v2"]
    assert {row["reason"] for row in answer["skipped"]} == {"done-already", "resolved", "failed", "in-doubt", "not-affected"}


def test_after_the_test_labels_nothing_is_trained_again_but_what_was_chosen_by_them(demo: Headwater) -> None:
    answer = demo.plan(TEST, LOCAL)
    assert [step["what"] for step in answer["steps"]] == ["repeat", *["measure"] * 15]
    assert answer["steps"][0]["label"] == "svm chosen by the test set"
    measured = answer["steps"][1]
    assert {row["role"] for row in measured["recipe"]["inputs"]} == {"test"}
    assert measured["cost"]["hours_from"] == {"basis": "same-code", "runs": 2}
    assert demo.plan(TEST, LOCAL, metrics=False)["totals"]["steps"] == 1
    assert {row["label"] for row in answer["actions"]} >= {"Forests read digits (preprint, version 2)"}


def test_where_nobody_says_what_mends_the_input_that_comes_first(demo: Headwater) -> None:
    answer = demo.plan(FEEDER, LOCAL)
    assert (answer["actions"][0]["what"], answer["actions"][0]["label"]) == ("mend-input", "Feeder scanner S2")
    assert [step["ready"] for step in answer["steps"]] == [False, False, True]
    assert answer["totals"]["hours_unknown"] == 1
    assert answer["totals"]["hours_at_most"] is None


def test_without_a_change_all_announced_ones_make_one_plan_and_are_ranked(demo: Headwater) -> None:
    answer = demo.plan([], LOCAL)
    assert {row["id"] for row in answer["query"]["changes"]} == {TRAIN, TEST, FEEDER}
    runs = [step["run"] for step in answer["steps"]]
    assert len(runs) == len(set(runs))
    fixes = [fix for fix in answer["fixes"] if fix["fix"] == "change"]
    assert [fix["id"] for fix in fixes] == [TEST, TRAIN, FEEDER]
    assert fixes[0]["per_hour"] > fixes[1]["per_hour"]
    assert fixes[2]["hours"] is None, "nobody recorded how long the calibration took"
    assert answer["totals"]["stale"] == answer["totals"]["mended"]
    assert demo.plan([TRAIN, TRAIN, {"id": TRAIN}], LOCAL)["steps"] == demo.plan(TRAIN, LOCAL)["steps"]


def test_a_budget_is_kept_and_the_answer_says_that_nothing_better_fits(demo: Headwater) -> None:
    whole = demo.plan(TRAIN, LOCAL)["totals"]
    half = demo.plan(TRAIN, LOCAL, hours=whole["hours"] / 2)["totals"]
    assert half["hours"] <= whole["hours"] / 2
    assert (half["exact"], half["bound"]) == (True, half["weight"])
    assert 0 < half["mended"] < whole["mended"] == whole["stale"]
    nothing = demo.plan(TRAIN, LOCAL, hours=0)
    assert nothing["steps"] == []
    assert nothing["totals"]["mended"] == whole["mended_without_steps"]
    assert demo.plan(TRAIN, LOCAL, kwh=1)["totals"]["skipped_by_reason"]["cost-unknown"] == 4


@pytest.mark.parametrize("limit", ["hours", "kwh"])
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), True, "2"])
def test_a_budget_that_is_none_is_refused(demo: Headwater, limit: str, value: Any) -> None:
    with pytest.raises(BadParameter) as caught:
        demo.plan(TRAIN, LOCAL, **{limit: value})
    assert caught.value.extra["parameter"] == limit


@pytest.mark.parametrize(
    ("changes", "given", "error"),
    [
        ("https://nowhere.example/x", {}, NotFound),
        (NAMES["model knn-v1"], {}, BadParameter),
        (NAMES["model knn-v1"], {"change": "sneezed"}, BadParameter),
        (TRAIN, {"change": "retracted"}, BadParameter),
        (TRAIN, {"depth": 2}, BadParameter),
        (TRAIN, {"types": "modle"}, BadParameter),
        ([], {"change": "retracted"}, BadParameter),
        ([{"name": TRAIN}], {}, BadParameter),
        ([TRAIN] * 101, {}, BadParameter),
    ],
)
def test_what_makes_no_sense_is_refused(demo: Headwater, changes: Any, given: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        demo.plan(changes, LOCAL, **given)


def test_a_supposed_change_that_does_no_harm_needs_no_run(demo: Headwater) -> None:
    answer = demo.plan(NAMES["dataset train-v2"], LOCAL, change="reserialised")
    assert (answer["steps"], answer["actions"], answer["totals"]["stale"]) == ([], [], 0)


def test_a_retracted_input_without_a_successor_is_withdrawn_everywhere(demo: Headwater) -> None:
    answer = demo.plan(NAMES["dataset train-v2"], LOCAL, change="retracted")
    withdrawn = {row["label"] for row in answer["actions"] if row["what"] == "withdraw"}
    assert {"forest-v2", "Form reader, release 1.1"} <= withdrawn
    assert not any(step["ready"] for step in answer["steps"] if not step["after"])
    sweep = {row["label"]: row for row in answer["skipped"] if row["label"].startswith("logreg, C=")}
    assert {row["reason"] for row in sweep.values()} == {"no-output"}


def test_max_nodes_cuts_the_lists_and_never_the_totals(demo: Headwater) -> None:
    whole, cut = demo.plan(TEST, LOCAL), demo.plan(TEST, LOCAL, max_nodes=2)
    assert [len(cut[part]) for part in ("steps", "actions", "skipped")] == [2, 2, 2]
    assert cut["totals"] == whole["totals"]
    assert cut["completeness"]["frontier_count"] > 0
    assert "max_nodes" in cut["completeness"]["reasons"]


# --- what a reader may not see

_LAB = """
x:data a hw:Dataset ; rdfs:label 'labels 1' . x:better a hw:Dataset ; rdfs:label 'labels 2' ; prov:wasRevisionOf x:data .
x:fit a hw:Run ; rdfs:label 'fit' ; prov:qualifiedUsage [ prov:entity x:data ; prov:hadRole hw:train ] .
x:model a hw:Model ; rdfs:label 'model' ; prov:wasGeneratedBy x:fit .
x:notice a hw:Change ; rdfs:label 'labels mended' ; hw:changeKind hw:labels-corrected ; hw:changedObject x:data ;
    hw:fromRevision x:data ; hw:toRevision x:better .
"""
_SECRET = """
x:hush a hw:Run ; rdfs:label 'hidden tuning' ; prov:qualifiedUsage [ prov:entity x:model ; prov:hadRole hw:finetune ] .
x:tuned a hw:Model ; rdfs:label 'hidden model' ; prov:wasGeneratedBy x:hush .
"""
_PAPER = "x:paper a hw:Publication ; rdfs:label 'paper' ; hw:documents x:tuned ."


def test_hidden_stale_things_are_counted_and_never_named(opened: Opened, write: Write) -> None:
    headwater = opened(store="memory")
    write(headwater, "lab", _LAB)
    write(headwater, "secret", _SECRET, visibility="internal")
    write(headwater, "paper", _PAPER)
    notice = "https://lab.example/notice"
    whole, public = headwater.plan(notice, LOCAL), headwater.plan(notice, _PUBLIC)
    assert labels(whole) == ["fit", "hidden tuning"]
    assert labels(public) == ["fit"]
    assert "hidden tuning" not in json.dumps(public)
    assert "hidden model" not in json.dumps(public)
    assert "lab.example/hush" not in json.dumps(public)
    assert public["totals"]["hidden_stale"] == 1
    assert (public["completeness"]["complete"], public["completeness"]["hidden_count"]) == (False, 1)
    # The paper's fault comes by a way that the public may not see: it is not called sound, and nothing about the way is said.
    paper = next(row for row in public["actions"] if row["label"] == "paper")
    assert (paper["what"], paper["because"], paper["rests_on"]) == ("find-out", "hidden-path", [])


def test_what_runs_took_and_used_is_read_where_it_is_recorded_beyond_doubt(opened: Opened, write: Write) -> None:
    headwater = opened(store="memory")
    write(headwater, "lab", _LAB)
    clock = "x:fit prov:startedAtTime '2026-01-01T10:00:00Z'^^<http://www.w3.org/2001/XMLSchema#dateTime> ; " + (
        "prov:endedAtTime '2026-01-01T12:30:00Z'^^<http://www.w3.org/2001/XMLSchema#dateTime> ; hw:energy 0.75e0 ."
    )
    assert headwater.plan("https://lab.example/notice", LOCAL)["steps"][0]["cost"]["hours"] is None
    write(headwater, "clock", clock)
    cost = headwater.plan("https://lab.example/notice", LOCAL)["steps"][0]["cost"]
    assert (cost["hours"], cost["kwh"]) == (2.5, 0.75)
    write(headwater, "other", "x:fit hw:energy 0.5e0 .")
    assert headwater.plan("https://lab.example/notice", LOCAL)["steps"][0]["cost"]["kwh"] is None


def test_where_no_change_is_announced_that_is_said(opened: Opened) -> None:
    with pytest.raises(BadParameter, match="No change is announced"):
        opened(store="memory").plan([], LOCAL)
