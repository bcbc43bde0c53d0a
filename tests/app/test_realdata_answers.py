"""Public tracking folders, asked: the answers are what a person reads in the folders, read here again with plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from headwater.access import Reader
from headwater.app import Headwater
from headwater.settings import Settings

STORES = (
    "bilevel-rl-nested-metrics",
    "ijcnn2024-projects",
    "mlflow3-bank-logged-models",
    "solar-flare-registry-trash",
    "sqlite3x-thunderstorm/mlflow.db",
    "swfilter",
)


def runs(store: Path) -> list[Path]:
    return sorted(path.parent for path in store.glob("mlruns/*/*/meta.yaml") if path.parents[1].name != "models")


def text(run: Path, name: str) -> str | None:
    path = run / name
    return path.read_text(encoding="utf-8").strip() if path.is_file() else None


@pytest.fixture(scope="module")
def samples() -> Path:
    folder = Path(__file__).resolve().parents[3] / "shared" / "realdata" / "mlflow"
    if not folder.is_dir():
        pytest.skip("the folder ../shared with real third-party samples is not beside this checkout")
    return folder


@pytest.fixture(scope="module")
def lab(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Headwater]:
    """All stores in one graph, so that what must not meet has the chance to."""
    with Headwater.open(Settings(data=tmp_path_factory.mktemp("lab"), store="memory")) as headwater:
        for store in STORES:
            report = headwater.import_source(samples / store)
            assert report.failures == []
        yield headwater


@pytest.fixture(scope="module")
def me(lab: Headwater) -> Reader:
    return lab.reader(None, loopback=True)


@pytest.fixture(scope="module")
def run_iri(lab: Headwater, me: Reader) -> Callable[[Path], str]:
    return lambda run: lab.resolve(f"mlflow:{run.name}", me)


def named(lab: Headwater, me: Reader, kind: str, label: str) -> str:
    (found,) = [thing.iri for thing in lab.objects(me, kind=kind, q=label, per_page=100).items if thing.label == label]
    return found


def states(answer: dict[str, Any], kind: str) -> dict[str, str]:
    return {iri: node["state"] for iri, node in answer["nodes"].items() if node["kind"] == kind and node["distance"]}


def test_a_correction_of_lymphography_reaches_the_runs_that_name_it_and_no_other(
    lab: Headwater, me: Reader, samples: Path, run_iri: Callable[[Path], str]
) -> None:
    naming = [run for run in runs(samples / "swfilter") if text(run, "params/dataset_name") == "Lymphography"]
    assert len(naming) == 12
    answer = lab.impact(named(lab, me, "dataset", "Lymphography"), me, change="labels-corrected")
    assert states(answer, "run") == dict.fromkeys(map(run_iri, naming), "affected")
    assert answer["summary"]["by_kind"] == {"run": 12}


def test_these_links_rest_on_a_parameter_and_a_stricter_reader_can_leave_them_out(lab: Headwater, me: Reader) -> None:
    data = named(lab, me, "dataset", "Lymphography")
    assert lab.impact(data, me, change="labels-corrected", min_evidence="inferred")["summary"]["total"] == 12
    strict = lab.impact(data, me, change="labels-corrected", min_evidence="declared")
    assert strict["summary"]["total"] == 0
    assert strict["completeness"]["reasons"] == ["min_evidence"]


def test_a_bug_in_the_ijcnn_commit_reaches_its_forty_runs_failed_ones_too(
    lab: Headwater, me: Reader, samples: Path, run_iri: Callable[[Path], str]
) -> None:
    by_commit: dict[str, list[Path]] = defaultdict(list)
    for run in runs(samples / "ijcnn2024-projects"):
        by_commit[text(run, "tags/mlflow.source.git.commit") or ""].append(run)
    ((commit, using),) = by_commit.items()
    assert len(using) == 40
    software = lab.resolve(f"software/git-{commit}", me)
    answer = lab.impact(software, me, change="bug-found")
    assert states(answer, "run") == dict.fromkeys(map(run_iri, using), "affected")
    assert {node["justification"] for node in answer["nodes"].values() if node["kind"] == "run"} == {"run-with"}


def test_each_ijcnn_data_set_reaches_the_runs_whose_parameters_name_it(
    lab: Headwater, me: Reader, samples: Path, run_iri: Callable[[Path], str]
) -> None:
    naming: dict[str, set[str]] = defaultdict(set)
    for run in runs(samples / "ijcnn2024-projects"):
        for name in (text(run, "params/datasets") or "").strip('"').split():
            naming[name].add(run_iri(run))
    assert len(naming) == 13
    for name, wanted in naming.items():
        answer = lab.impact(named(lab, me, "dataset", name), me, change="values-corrected")
        assert set(states(answer, "run")) == wanted


def test_a_fault_of_a_bank_run_reaches_the_models_that_it_logged(
    lab: Headwater, me: Reader, samples: Path, run_iri: Callable[[Path], str]
) -> None:
    models: dict[str, set[str]] = defaultdict(set)
    for meta in sorted((samples / "mlflow3-bank-logged-models").glob("mlruns/*/models/*/meta.yaml")):
        told = yaml.safe_load(meta.read_text(encoding="utf-8"))
        models[told["source_run_id"]].add(lab.resolve(f"model/mlflow-{told['model_id']}", me))
    assert sum(map(len, models.values())) == 32
    for run in runs(samples / "mlflow3-bank-logged-models"):
        answer = lab.impact(run_iri(run), me, change="bug-found")
        assert states(answer, "model") == dict.fromkeys(models[run.name], "affected")
        assert answer["summary"]["total"] == len(models[run.name])


def test_upstream_of_a_bank_model_is_the_run_that_logged_it_and_who_ran_it(lab: Headwater, me: Reader, samples: Path) -> None:
    meta = min((samples / "mlflow3-bank-logged-models").glob("mlruns/*/models/*/meta.yaml"))
    told = yaml.safe_load(meta.read_text(encoding="utf-8"))
    answer = lab.lineage(f"model/mlflow-{told['model_id']}", me, direction="upstream")
    found = {node["kind"] for iri, node in answer["nodes"].items() if node["distance"]}
    assert lab.resolve(f"mlflow:{told['source_run_id']}", me) in answer["nodes"]
    assert found <= {"run", "agent", "environment", "software"}


def test_where_nothing_is_comparable_the_benefits_are_empty_and_say_who_uses_it(lab: Headwater, me: Reader) -> None:
    answer = lab.benefits(named(lab, me, "dataset", "Lymphography"), me)
    assert (answer["steps"], answer["confounded"]) == ([], [])
    assert answer["summary"]["by_role"] == {"use": 12}
    assert [row["users"] for row in answer["uptake"]] == [12]


def test_no_data_set_of_any_store_is_said_to_have_bought_anything(lab: Headwater, me: Reader) -> None:
    """No run of these stores has a counterpart that differs in a recorded revision only."""
    for kind in ("dataset", "software", "environment"):
        for thing in lab.objects(me, kind=kind, per_page=100).items:
            assert lab.benefits(thing.iri, me)["steps"] == []


def test_the_later_versions_of_the_solar_flare_regressor_are_revisions_and_a_fault_of_one_is_not_that_of_the_next(
    lab: Headwater, me: Reader
) -> None:
    versions = [
        thing.iri
        for thing in lab.objects(me, kind="model", q="Solar Flare Regressor", per_page=100).items
        if lab.lineage(thing.iri, me)["summary"]["total"]
    ]
    assert versions
    for iri in versions:
        answer = lab.impact(iri, me, change="bug-found")
        for other, node in answer["nodes"].items():
            if other in versions and node["distance"]:
                assert node["state"] in ("cannot_tell", "not_affected")
