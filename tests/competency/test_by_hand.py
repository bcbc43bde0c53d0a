"""Headwater answers the competency questions on the demonstration as a person does who reads its files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater.access import LOCAL
from headwater.app import Headwater
from headwater.questions.catalogue import Question
from tests.competency.by_hand import Lab, Row, answers, name, spelled
from tests.competency.demo import DEMO, loaded, questions

LAB = Lab(DEMO)
BY_HAND = answers(LAB)
RUNS = list(LAB.runs.values())
NAMED_ONLY = {"is-there-a-split-of-train-and-test-data": ["train_name", "test_name"]}
"""Columns that hold labels, which files write in more than one way."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Headwater]:
    with loaded(tmp_path_factory.mktemp("demo")) as headwater:
        yield headwater


def asked(headwater: Headwater, question: Question) -> list[dict[str, str]]:
    """All rows; a question that needs a thing is asked of each that there is."""
    needed = [parameter.name for parameter in question.parameters if parameter.required]
    kind = {"model": "model", "data": "dataset"}[needed[0]] if needed else None
    things = headwater.objects(LOCAL, kind=kind, per_page=1000).items if kind else [None]
    rows = []
    for thing in things:
        given = {} if thing is None else {needed[0]: thing.iri}
        body, _ = headwater.ask(question.name, given, LOCAL, "application/sparql-results+json")
        rows += [{key: term["value"] for key, term in row.items()} for row in json.loads(body)["results"]["bindings"]]
    return rows


def plain(rows: list[dict[str, str]], question: Question) -> set[Row]:
    kept = {
        key: kind
        for key, kind in question.returns.items()
        if not (
            f"{key}".endswith("_name")
            and (key.removesuffix("_name") in question.returns or key in NAMED_ONLY.get(question.name.rpartition(".")[0], ()))
        )
    }

    def told(key: str, kind: str, row: dict[str, str]) -> str:
        value = row.get(key)
        if value is None:
            return ""
        if kind == "json":
            return str(sorted((int(step), float(number), int(when)) for step, number, when in json.loads(value)))
        return name(value) if kind == "iri" else spelled(float(value)) if kind == "double" else value

    return {tuple(told(key, kind, row) for key, kind in kept.items()) for row in rows}


def sharing(rows: set[Row]) -> set[Row]:
    """Runs with their environment, which is called by the runs that share it: its name is a digest of its content."""
    return {(run, " ".join(sorted(other for other, same in rows if same == environment))) for run, environment in rows}


@pytest.mark.parametrize("name_of_question", sorted(questions()))
def test_the_answer_is_the_one_by_hand(name_of_question: str, demo: Headwater) -> None:
    question = questions()[name_of_question]
    about, _, vocabulary = name_of_question.rpartition(".")
    found = plain(asked(demo, question), question)
    if about == "in-which-environment-did-this-run-go":
        found = sharing(found)
    # ML-Schema and MEX know runs of machine learning only; those of the curators' documents are none.
    assert found == BY_HAND[about](RUNS if vocabulary == "prov" else [run for run in RUNS if run.tracked])


@pytest.mark.parametrize("name_of_question", sorted(questions()))
def test_nothing_is_told_twice(name_of_question: str, demo: Headwater) -> None:
    """A thing that two documents call by two names is one thing still."""
    question = questions()[name_of_question]
    named = [key for key in question.returns if key.endswith("_name") and key.removesuffix("_name") in question.returns]
    rows = asked(demo, question)
    assert len({json.dumps(row, sort_keys=True) for row in rows}) == len(
        {json.dumps({key: value for key, value in row.items() if key not in named}, sort_keys=True) for row in rows}
    )


def test_the_files_were_read() -> None:
    assert (len(LAB.runs), len(LAB.models), len(LAB.data)) == (40, 21, 14)
    assert {question.rpartition(".")[0] for question in questions()} == set(BY_HAND)


def test_what_only_answers_emptily_is_known() -> None:
    """What a test of the demonstration cannot show: no file of it names an algorithm or a plan, or tells of energy."""
    empty = {about for about, answer in BY_HAND.items() if not answer(RUNS)}
    page = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "competency.md").read_text(encoding="utf-8")
    assert empty == {
        "how-much-energy-did-it-take",
        "which-algorithm-did-this-run-use",
        "which-workflow-did-this-run-follow",
        "was-a-model-tested-on-its-training-data",
    }
    assert all(f"`{about}`" in page.partition("## What is checked")[2] for about in empty)
