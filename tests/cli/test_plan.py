"""`headwater plan`: for people, for scripts, for a spreadsheet, for Snakemake."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headwater.app.demonstration import open_demonstration

Headwater = Callable[..., Any]


@pytest.fixture(scope="module")
def demonstrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "data"
    open_demonstration(folder).close()
    return folder


NOTICE = "https://lab.example/notice"


def test_a_plan_tells_the_total_then_each_step_then_what_people_do(headwater: Headwater, lab: Path) -> None:
    ended = headwater("plan", NOTICE, "--data", lab)
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[0].startswith("wrong lamps (labels corrected)")
    assert "are stale." in lines[1]
    assert ended.out.index("REPEAT, IN THIS ORDER") < ended.out.index("FOR PEOPLE TO DO")
    assert "release 1: put the mended model to work in its place (after step" in ended.out


def test_the_report_and_the_json_agree(headwater: Headwater, lab: Path) -> None:
    answer = headwater("plan", NOTICE, "--json", "--data", lab).json
    said = headwater("plan", NOTICE, "--data", lab).out
    assert f"REPEAT, IN THIS ORDER ({answer['totals']['steps']})" in said
    for step in answer["steps"]:
        assert f"{step['step']}. {step['label']}" in said


def test_without_a_change_all_announced_ones_are_planned_for(headwater: Headwater, lab: Path) -> None:
    assert headwater("plan", "--json", "--data", lab).json["query"]["changes"][0]["id"] == NOTICE


def test_a_plan_goes_into_a_file_in_each_form(headwater: Headwater, lab: Path, tmp_path: Path) -> None:
    for form in ("table", "json", "csv", "snakefile"):
        ended = headwater("plan", NOTICE, "--as", form, "-o", tmp_path / form, "--data", lab)
        assert (ended.code, ended.out) == (0, "")
    assert json.loads((tmp_path / "json").read_text())["steps"]
    assert next(csv.reader((tmp_path / "csv").read_text().splitlines()))[:3] == ["part", "number", "id"]
    assert "rule all:" in (tmp_path / "snakefile").read_text()
    assert "REPEAT, IN THIS ORDER" in (tmp_path / "table").read_text()


@pytest.mark.parametrize(
    "options",
    [["--hours", "-1"], ["--kwh", "nan"], ["--hours", "soon"], ["--types", "modle"], ["--as", "xlsx"], ["--change", "retracted"]],
)
def test_what_makes_no_sense_is_refused(headwater: Headwater, lab: Path, options: list[str]) -> None:
    ended = headwater("plan", NOTICE, *options, "--data", lab)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err


def test_the_how_to_shows_what_the_demonstration_answers(headwater: Headwater, demonstrated: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "what-to-repeat.md").read_text(encoding="utf-8")
    command = next(line.split() for line in page.splitlines() if line.startswith("    headwater plan "))
    told = iter(headwater(*command[1:-1], demonstrated).out.splitlines())
    shown = [line for line in page.partition("```text\n")[2].partition("```")[0].splitlines() if line]
    assert len(shown) > 20
    assert [line for line in shown if line not in told] == [], "the lines of the page, in the order of the answer"


def test_each_command_of_the_how_to_works(headwater: Headwater, demonstrated: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "what-to-repeat.md").read_text(encoding="utf-8")
    commands = [line.split() for line in page.splitlines() if line.startswith("headwater plan ")]
    assert len(commands) >= 6
    for command in commands:
        assert headwater(*(demonstrated if word == "digits" else word for word in command[1:])).code == 0, command


def test_a_budget_is_told_with_what_it_leaves_stale(headwater: Headwater, lab: Path) -> None:
    ended = headwater("plan", NOTICE, "--hours", "0", "--data", lab)
    assert ended.code == 0
    assert "Within 0 h: no choice mends more." in ended.out
    assert "what it costs is not recorded" in ended.out
