"""One story, five sources, three vocabularies: whatever it came in and whatever it is asked in, the answer is the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headwater import assets
from headwater.checking.gate import Gate
from headwater.questions.catalogue import catalogue, in_category
from headwater.store.embedded import EmbeddedStore
from tests.competency.conftest import SOURCES, answer, records

QUESTIONS = in_category(catalogue(assets.folder("queries")), "competency")
BASES = list(dict.fromkeys(name.rpartition(".")[0] for name in QUESTIONS))
EXPECTED: dict[str, list[list[str]]] = json.loads((Path(__file__).parent / "story.json").read_text())
SILENT = {
    "did-this-run-succeed": {"MEX", "ML-Schema", "crate", "PROV-JSON"},
    "which-algorithm-did-this-run-use": {"MLflow", "crate"},
    "which-data-trained-this-model": {"MEX", "ML-Schema"},
    "which-data-tested-this-model": {"MEX", "ML-Schema"},
    "is-there-a-split-of-train-and-test-data": {"MEX", "ML-Schema"},
    "which-digests-do-the-inputs-have": {"MEX", "ML-Schema", "crate", "PROV-JSON"},
}
"""Sources that have no words for what a question asks; they answer nothing, and nothing wrong."""


def forms(base: str) -> list[str]:
    return [name for name in QUESTIONS if name.rpartition(".")[0] == base]


def test_there_are_forty_questions_and_more() -> None:
    assert len(BASES) >= 40
    assert sum(len(forms(base)) >= 2 for base in BASES) >= 25


def test_every_question_says_who_asked_it() -> None:
    assert all(question.source for question in QUESTIONS.values())
    assert {question.name.rpartition(".")[2] for question in QUESTIONS.values()} == {"prov", "mls", "mex"}


@pytest.mark.parametrize("base", BASES)
def test_the_forms_of_a_question_ask_the_same(base: str) -> None:
    shapes = {(q.summary, tuple(q.returns.items()), q.parameters, q.source) for q in (QUESTIONS[name] for name in forms(base))}
    assert len(shapes) == 1


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", QUESTIONS)
def test_the_answer_is_the_same_from_every_source_in_every_vocabulary(
    name: str, source: str, stories: dict[str, EmbeddedStore]
) -> None:
    base = name.rpartition(".")[0]
    expected = [] if source in SILENT.get(base, set()) else EXPECTED.get(base, [])
    assert answer(QUESTIONS[name], stories[source]) == expected


def test_half_of_the_questions_are_answered_by_the_story() -> None:
    assert len(EXPECTED) >= len(BASES) / 2
    assert set(EXPECTED) <= set(BASES)


@pytest.mark.parametrize("source", SOURCES)
def test_the_story_passes_the_gate_from_every_source(source: str) -> None:
    refused = [report.sentences() for report in Gate().check(records(source)).values() if not report.conforms]
    assert refused == []
