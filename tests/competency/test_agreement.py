"""What SPARQL can say of lineage, impact and benefit, and what the engine says, agree on the demonstration project."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from headwater.access import LOCAL
from headwater.app import Headwater
from tests.competency.demo import loaded


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Headwater]:
    with loaded(tmp_path_factory.mktemp("demo")) as headwater:
        yield headwater


def _of(headwater: Headwater, kind: str) -> list[str]:
    return [thing.iri for thing in headwater.objects(LOCAL, kind=kind, per_page=1000).items]


def _rows(headwater: Headwater, name: str, **given: str) -> list[dict[str, str]]:
    body, _ = headwater.ask(name, given, LOCAL, "application/sparql-results+json")
    bindings = json.loads(body)["results"]["bindings"]
    return [{column: cell["value"] for column, cell in row.items()} for row in bindings]


def _walked(headwater: Headwater, id: str, direction: str, kind: str) -> set[str]:
    answer = headwater.lineage(id, LOCAL, direction=direction, types=kind, max_nodes=10_000, include="none")
    return {thing.iri for thing in answer.things if thing.distance}


def test_whatever_a_path_finds_upstream_the_walk_finds_too(demo: Headwater) -> None:
    found = 0
    for model in _of(demo, "model"):
        data = {row["data"] for row in _rows(demo, "where-do-the-data-behind-a-model-come-from.prov", model=model)}
        assert data <= _walked(demo, model, "upstream", "dataset")
        found += len(data)
    assert found > 20


def test_whatever_a_path_finds_downstream_the_walk_finds_too(demo: Headwater) -> None:
    found = 0
    for data in _of(demo, "dataset"):
        models = {row["model"] for row in _rows(demo, "which-models-depend-on-this-data.prov", data=data)}
        assert models <= _walked(demo, data, "downstream", "model")
        found += len(models)
    assert found > 20


def _told(demo: Headwater, question: str) -> dict[str, set[str]]:
    """The models by the data that trained, or tested, them."""
    found: dict[str, set[str]] = {}
    for model in _of(demo, "model"):
        for row in _rows(demo, question, model=model):
            found.setdefault(row["data"], set()).add(model)
    return found


def test_what_was_trained_on_wrong_labels_is_affected_and_what_was_only_tested_on_them_is_not(demo: Headwater) -> None:
    trained, tested = _told(demo, "which-data-trained-this-model.prov"), _told(demo, "which-data-tested-this-model.prov")
    compared = 0
    for data in _of(demo, "dataset"):
        answer = demo.impact(data, LOCAL, change="labels-corrected", max_nodes=10_000, include="none")
        verdict = {thing.iri: thing for thing in answer.things if thing.distance}
        for model in trained.get(data, set()) & verdict.keys():
            assert verdict[model].state in ("affected", "resolved"), (data, model)
            compared += 1
        for model in (tested.get(data, set()) - trained.get(data, set())) & verdict.keys():
            if verdict[model].effect == "metrics-invalid":
                assert (verdict[model].state, verdict[model].justification) == ("not_affected", "weights-stand")
                compared += 1
    assert compared > 20


def test_the_changes_that_a_query_finds_upstream_stand_on_the_landing_page(demo: Headwater) -> None:
    found = 0
    for model in _of(demo, "model"):
        asked = {row["change"] for row in _rows(demo, "what-changed-upstream-of-this-model.prov", model=model)}
        assert asked <= {banner.change.iri for banner in demo.changes_touching(model, LOCAL)}
        found += len(asked)
    assert found > 0


def test_pairs_that_a_revision_is_judged_by_are_among_the_measurements_of_both_revisions(demo: Headwater) -> None:
    rows = _rows(demo, "what-did-a-revision-of-data-bring.mls")
    measured = {(row["data"], row["later"], row["metric"], float(row["before"]), float(row["after"])) for row in rows}
    compared = 0
    for data in {row["data"] for row in rows}:
        for step in demo.benefits(data, LOCAL)["steps"]:
            for pair in step["pairs"]:
                key = (step["from"], step["to"], step["metric"], pair["from_value"], pair["to_value"])
                # The query knows runs on the data themselves; pairs through one preparing step stand beside them.
                compared += key in measured
    assert compared >= 7


def test_the_revisions_of_uptake_are_those_that_a_query_lists(demo: Headwater) -> None:
    found = 0
    for data in _of(demo, "dataset"):
        listed = {row["later"] for row in _rows(demo, "which-revisions-does-this-data-have.prov", data=data)}
        uptake = {row["revision"] for row in demo.benefits(data, LOCAL)["uptake"]}
        assert listed <= uptake
        found += len(listed)
    assert found > 0
