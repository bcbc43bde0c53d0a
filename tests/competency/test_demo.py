"""The competency questions have the answers on the demonstration project that queries/competency/expected.json keeps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.competency.demo import EXPECTED, answers, loaded, questions, summed_up

NAMES = list(questions())
MLS_AND_MEX = sorted(name for name in NAMES if name.endswith(".mls") and name.replace(".mls", ".mex") in NAMES)
PROV_AND_MLS = sorted(name for name in NAMES if name.endswith(".prov") and name.replace(".prov", ".mls") in NAMES)
NARROWER = {"which-data-did-nobody-use", "which-models-have-no-data"}
"""Questions for what is not there: the vocabulary that knows more runs answers with fewer rows."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[list[str]]]:
    folder: Path = tmp_path_factory.mktemp("demo")
    with loaded(folder) as headwater:
        return answers(headwater)


def test_the_answers_are_those_that_were_looked_at(demo: dict[str, list[list[str]]]) -> None:
    expected = json.loads(EXPECTED.read_text(encoding="utf-8"))
    found = {name: summed_up(rows) for name, rows in demo.items()}
    assert {name for name in NAMES if found[name] != expected.get(name)} == set()
    assert set(expected) == set(NAMES)


@pytest.mark.parametrize("name", MLS_AND_MEX)
def test_ml_schema_and_mex_answer_alike(name: str, demo: dict[str, list[list[str]]]) -> None:
    assert demo[name] == demo[name.replace(".mls", ".mex")]


@pytest.mark.parametrize("name", [name for name in PROV_AND_MLS if name.rpartition(".")[0] not in NARROWER])
def test_prov_answers_at_least_what_ml_schema_answers(name: str, demo: dict[str, list[list[str]]]) -> None:
    """PROV knows acquisitions and labelling campaigns, which are no runs of machine learning; counts may be higher for it."""
    wide, narrow = demo[name], demo[name.replace(".prov", ".mls")]
    if "integer" in questions()[name].returns.values():
        counts = {tuple(row[:-1]): int(row[-1]) for row in wide}
        assert all(counts.get(tuple(row[:-1]), 0) >= int(row[-1]) for row in narrow)
    else:
        assert {tuple(row) for row in narrow} <= {tuple(row) for row in wide}


def test_most_questions_have_something_to_say_about_the_demonstration(demo: dict[str, list[list[str]]]) -> None:
    assert sum(bool(rows) for rows in demo.values()) >= 80
