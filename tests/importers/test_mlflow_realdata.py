"""Seven stores of public projects come in with the counts that MLflow's own library gives (3.17.2, in expected.json)."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from headwater.importers.mlflow import open_store
from headwater.importers.mlflow_tracked import TrackedRun
from headwater.importers.protocol import Source

SAMPLES = [
    "bilevel-rl-nested-metrics/mlruns",
    "ijcnn2024-projects/mlruns",
    "mlflow3-bank-logged-models/mlruns",
    "solar-flare-registry-trash/mlruns",
    "sqlite3x-thunderstorm/mlflow.db",
    "swfilter/mlruns",
]


@pytest.fixture
def expected(shared):
    return json.loads((shared / "realdata/expected.json").read_text())["mlflow"]["data"]


def test_every_sample_with_expected_counts_is_tested(expected):
    assert sorted(expected) == SAMPLES


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_counts_are_those_of_mlflow_itself(shared, expected, sample):
    path = shared / "realdata/mlflow" / sample
    store = open_store(Source(path, path.name, 10**9))
    runs = list(store.runs)
    store.close()
    assert all(isinstance(run, TrackedRun) for run in runs)
    found = {
        "experiments": len(store.experiments),
        "experiment_names": sorted(experiment.name or "" for experiment in store.experiments),
        "runs": len(runs),
        "status": dict(Counter((run.status or "").upper() for run in runs)),
        "metric_keys": sum(len({metric.name for metric in run.metrics}) for run in runs),
        "params": sum(len(run.params) for run in runs),
        "tags": sum(len(run.tags) for run in runs),
        "dataset_inputs": sum(len(run.datasets) for run in runs),
        "model_outputs": sum(len(run.model_outputs) for run in runs),
        "logged_models": len(store.models),
        "registered_models": {model.name: len(model.versions) for model in store.registered},
    }
    wanted = dict(expected[sample])
    # MLflow does not count an experiment in the trash as deleted unless its meta.yaml says so; we keep both facts.
    del wanted["deleted_experiments"]
    assert found == wanted
    assert store.failures == []


@pytest.mark.parametrize("sample", SAMPLES)
def test_as_many_runs_and_metrics_are_in_the_graph(read, shared, expected, sample):
    imported = read(shared / "realdata/mlflow" / sample)
    wanted = expected[sample]
    assert imported.failures == []
    assert len(imported.values("?r a mls:Run ; hw:status ?s", "?r")) == wanted["runs"]
    assert len(imported.values("?m a mls:ModelEvaluation", "?m")) == wanted["metric_keys"]
    assert len(imported.values("?p a mls:HyperParameterSetting", "?p")) == wanted["params"]
    assert not any(finding.outcome == "failed" for finding in imported.findings())


def test_the_ijcnn_runs_name_their_data_only_in_parameters(read, shared):
    imported = read(shared / "realdata/mlflow/ijcnn2024-projects")
    names = imported.values("?u prov:entity ?d ; hw:evidence hw:inferred . ?d a mls:Dataset ; rdfs:label ?name", "?name")
    assert {"birds", "VirusGO", "CHD_49", "enron", "results/results_renamed_final.tsv", "paper_runs"} <= set(names)
    assert not any('"' in name or "\n" in name or "test_roc" in name for name in names)
    commits = imported.values(
        '?s a mls:Software ; hw:version ?v ; prov:specializationOf/rdfs:label "github.com/pedroilidio/ijcnn2024"', "?v"
    )
    assert commits == ["d5e83fcb02883503a67d85002269f9ee6a778047"]


def test_the_swfilter_runs_that_got_far_enough_used_lymphography(read, shared):
    imported = read(shared / "realdata/mlflow/swfilter/mlruns")
    assert len(imported.values('?r prov:used ?d . ?d a mls:Dataset ; rdfs:label "Lymphography"', "?r")) == 12
    assert imported.values("?d a mls:Dataset ; rdfs:label ?name", "?name") == ["Lymphography"]
    assert len(imported.findings("unknown-notebook")) == 19


def test_each_bank_model_is_evaluated_by_its_own_run(read, shared):
    imported = read(shared / "realdata/mlflow/mlflow3-bank-logged-models/mlruns")
    assert len(imported.rows("?m prov:wasGeneratedBy ?r ; a mls:Model", "?m", "?r")) == 32
    assert len(imported.rows("?r mls:hasOutput ?e . ?e hw:evaluates ?m . ?m prov:wasGeneratedBy ?r", "?e", "?m")) == 161


def test_what_lies_in_the_trash_is_kept_and_marked(read, shared):
    imported = read(shared / "realdata/mlflow/solar-flare-registry-trash/mlruns")
    assert imported.values('?e a hw:Project ; hw:lifecycle "deleted" ; rdfs:label ?n', "?n") == [
        "Signature",
        "Solar Flare Prediction",
    ]
    versions = imported.rows(
        '?m prov:specializationOf/rdfs:label "Solar Flare Regressor" ; hw:version ?n ; hw:stage ?s', "?n", "?s"
    )
    assert versions == [("2", "Archived"), ("3", "Staging"), ("4", "Production")]


def test_a_folder_of_exported_json_is_not_taken_for_a_store(shared):
    from headwater.importers.mlflow import MLflowImporter

    path: Path = shared / "realdata/mlflow/rest-export-oss"
    assert MLflowImporter().sniff(Source(path, path.name, 10**9)) is None
