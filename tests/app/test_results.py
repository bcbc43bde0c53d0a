"""Answers in Python: dictionaries as they go over HTTP, with typed parts, and as tables."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import pytest

from headwater.access import LOCAL
from headwater.app import Headwater
from headwater.app.results import Answer, PandasMissing

X = "https://lab.example/"
_STORY = """
x:v1 a hw:Dataset ; hw:version "1" ; rdfs:label "labels 1" .
x:r1 a hw:Run ; rdfs:label "training" ; prov:qualifiedUsage [ a prov:Usage ; prov:entity x:v1 ; prov:hadRole hw:train ] .
x:m1 a hw:Model ; rdfs:label "model" ; prov:wasGeneratedBy x:r1 .
"""


@pytest.fixture
def lab(opened: Callable[..., Headwater], write: Callable[..., object]) -> Headwater:
    headwater = opened(store="memory")
    write(headwater, "story", _STORY)
    return headwater


def test_an_answer_is_a_dictionary_with_typed_parts(lab: Headwater) -> None:
    answer = lab.impact(f"{X}v1", LOCAL, change="labels-corrected")
    assert isinstance(answer, Answer)
    assert json.loads(json.dumps(answer)) == answer
    assert (answer.root, answer.sequence, answer.verdict) == (f"{X}v1", 1, "affected")
    assert [(thing.label, thing.state, thing.severity) for thing in answer.of_state("affected")] == [
        ("labels 1", "affected", "major"),
        ("training", "affected", "major"),
        ("model", "affected", "major"),
    ]
    model = answer.thing(f"{X}m1")
    assert model is not None
    assert (model.kind, model.distance, model.via) == ("model", 2, (f"{X}v1", f"{X}r1"))
    assert answer.completeness.hidden_count == 0
    assert {(link.source, link.role) for link in answer.links} == {(f"{X}v1", "train"), (f"{X}r1", None)}


def test_every_question_gives_such_an_answer(lab: Headwater) -> None:
    for answer in (
        lab.lineage(f"{X}m1", LOCAL),
        lab.benefits(f"{X}v1", LOCAL),
        lab.impact_diff(f"{X}v1", LOCAL, change="retracted", since="1999-01-01", basis="as_of"),
    ):
        assert isinstance(answer, Answer)
        assert answer.summary["total"] >= 0
        assert answer.root.startswith(X)


def test_answers_become_tables(lab: Headwater) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas comes with the extra 'notebooks'")
    table = lab.impact(f"{X}v1", LOCAL, change="labels-corrected").frame()
    assert isinstance(table, pandas.DataFrame)
    assert list(table.query("kind == 'model'")["state"]) == ["affected"]
    assert list(lab.lineage(f"{X}m1", LOCAL).frame("edges")["relation"]) == ["prov:wasGeneratedBy", "prov:used"]
    with pytest.raises(KeyError):
        lab.lineage(f"{X}m1", LOCAL).frame("nonsense")


def test_without_pandas_it_is_said_what_to_install(lab: Headwater, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(PandasMissing) as missing:
        lab.lineage(f"{X}m1", LOCAL).frame()
    assert "pip install" in missing.value.remedy
