"""The demonstration project, asked: the answers are those that a person who knows the runs wrote down."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headwater.app import Headwater
from headwater.settings import Settings

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo"
EXPECTED: dict[str, Any] = json.loads((DEMO / "expected.json").read_text(encoding="utf-8"))
BETTER = {"maximise": "higher", "minimise": "lower"}
WORDS = {"validation data": "validate input", "test set": "test input"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Headwater]:
    plan = tomllib.loads((DEMO / "demo.toml").read_text(encoding="utf-8"))
    settings = Settings(data=tmp_path_factory.mktemp("demo"), store="memory", base_iri=plan["base_iri"])
    with Headwater.open(settings) as headwater:
        for source in plan["sources"]:
            report = headwater.import_source(DEMO / source["path"], format=source["format"], visibility=plan["visibility"])
            assert report.failures == []
            assert {record.status for record in report.records} == {"created"}
        yield headwater


def asked(demo: Headwater, question: str, identifier: str, **given: Any) -> dict[str, Any]:
    answer: dict[str, Any] = getattr(demo, question)(identifier, demo.reader(None, loopback=True), **given)
    return answer


@pytest.mark.parametrize("change", EXPECTED["changes"], ids=lambda iri: iri.rpartition("/")[2])
def test_every_state_under_an_announced_change_is_the_expected_one(demo: Headwater, change: str) -> None:
    wanted = EXPECTED["changes"][change]
    nodes = asked(demo, "impact", change)["nodes"]
    found = {iri: nodes[iri]["state"] if iri in nodes else "not_affected" for iri in wanted["states"]}
    assert found == wanted["states"]
    unexpected = {iri: node["state"] for iri, node in nodes.items() if iri not in wanted["states"] and node["distance"]}
    debatable = {iri: unexpected.pop(iri) for iri in wanted.get("debatable", {}) if iri in unexpected}
    assert set(unexpected.values()) <= {"not_affected"}
    assert set(debatable.values()) <= {"affected", "cannot_tell"}


@pytest.mark.parametrize("change", EXPECTED["changes"], ids=lambda iri: iri.rpartition("/")[2])
def test_what_is_mended_names_the_later_revision_and_nothing_else_does(demo: Headwater, change: str) -> None:
    wanted = EXPECTED["changes"][change]
    nodes = asked(demo, "impact", change)["nodes"]
    resolved = {iri: node["resolved_by"] for iri, node in nodes.items() if node["state"] == "resolved"}
    assert resolved == wanted["resolved_by"]
    assert {iri for iri, node in nodes.items() if node["resolved_by"]} <= {*resolved, wanted["object"]}


@pytest.mark.parametrize("thing", EXPECTED["benefits"], ids=lambda iri: iri.rpartition("/")[2])
def test_what_a_revision_bought_is_the_mean_over_the_comparable_pairs(demo: Headwater, thing: str) -> None:
    told = EXPECTED["benefits"][thing]
    wanted = told.get("all", told["direct"])
    steps = asked(demo, "benefits", thing)["steps"]
    assert {(step["from"], step["to"]) for step in steps} == {(wanted["from"], wanted["to"])}
    assert {step["metric"] for step in steps} >= set(wanted["metrics"])
    for step in steps:
        metric = wanted["metrics"].get(step["metric"])
        if metric is None:
            continue
        assert step["direction"] == BETTER[metric["direction"]]
        assert step["n"] == metric["n"]
        assert step["mean_delta"] == pytest.approx(metric["mean_delta"], rel=1e-9)
        found = {(pair["from_run"], pair["to_run"]): pair["delta"] for pair in step["pairs"]}
        assert found == pytest.approx({(pair["before_run"], pair["after_run"]): pair["delta"] for pair in metric["pairs"]})


def test_pairs_that_differ_in_more_are_listed_with_what_they_differ_in(demo: Headwater) -> None:
    for thing, told in EXPECTED["benefits"].items():
        confounded = {tuple(row["pair"]): set(row["differs_in"]) for row in asked(demo, "benefits", thing)["confounded"]}
        for pair in told.get("confounded", ()):
            wanted = {WORDS.get(word, word) for word in pair["differs_in"]}
            assert confounded.get((pair["before_run"], pair["after_run"])) == wanted


def test_a_failed_run_without_metrics_takes_part_in_no_pair(demo: Headwater) -> None:
    failed = EXPECTED["names"]["run bayes-failed"]
    answer = asked(demo, "benefits", EXPECTED["names"]["concept digits-train"])
    assert failed in answer["nodes"]
    pairs = [pair for step in answer["steps"] for pair in step["pairs"]]
    assert not any(failed in (pair["from_run"], pair["to_run"]) for pair in pairs)
    assert not any(failed in row["pair"] for row in answer["confounded"])


def test_the_demo_tells_who_is_still_on_the_old_labels_and_how_much_took_up_the_new(demo: Headwater) -> None:
    names = EXPECTED["names"]
    answer = asked(demo, "benefits", names["concept digits-train"])
    rows = {row["latest"]: row for row in answer["uptake"]}
    still = {thing["id"] for thing in rows[False]["still"]["things"]}
    assert {names["model tree-v1"], names["model knn-v1"], "https://digits-lab.example/kiosk-1.0"} <= still
    assert names["model forest-v1"] not in still
    assert rows[False]["still"]["count"] == len(still) == 16
    assert rows[True]["still"]["count"] == 0
    assert rows[True]["downstream"] > rows[False]["downstream"]


def test_the_demo_tells_the_spread_and_what_its_pairs_leave_open(demo: Headwater) -> None:
    answer = asked(demo, "benefits", EXPECTED["names"]["concept digits-train"])
    for step in answer["steps"]:
        deltas = [pair["delta"] for pair in step["pairs"]]
        assert (step["min_delta"], step["max_delta"]) == (min(deltas), max(deltas))
        assert step["min_delta"] <= step["ci_low"] <= step["mean_delta"] <= step["ci_high"] <= step["max_delta"]
        # Nearest neighbours and a tree of fixed choice take no seed; code and test set are recorded for all.
        assert set(step["unrecorded"]) == {"seed"}
    assert answer["summary"]["pairs"] == {"comparable": 7, "confounded": 4}


def test_the_demo_tells_the_year_in_which_it_was_made(demo: Headwater) -> None:
    thing, year = EXPECTED["names"]["concept digits-train"], 2026
    told = asked(demo, "benefit_report", thing, year=year)
    assert {kind: made["new"] for kind, made in told["results"].items() if made["new"]} == {
        "publication": 5,
        "model": 21,
        "deployment": 4,
        "dataset": 5,
    }
    assert [step["adopted"] for step in told["improvements"]] == [18]
    assert told["compute"]["year"]["runs_with_hours"] == told["compute"]["year"]["runs"] == 33
    assert told["compute"]["year"]["kwh"] is None
    before = asked(demo, "benefit_report", thing, year=year - 1)
    # Nobody recorded when the revisions were made, so they may have been there; that anybody used them is not claimed.
    assert (before["summary"]["new"], [step["adopted"] for step in before["improvements"]]) == (0, [0])
    members = asked(demo, "benefit_report", "https://digits-lab.example/project", year=year)
    assert members["results"]["publication"]["new"] == 5
