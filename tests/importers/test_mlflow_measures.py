"""Values of one metric for several models or data sets are told apart, and each stands with the run that measured it."""

from __future__ import annotations

import shutil

import pytest

RUN, JUDGE, GONE = "a" * 32, "b" * 32, "f" * 32
FIRST, SECOND = "m-" + "1" * 32, "m-" + "2" * 32


@pytest.fixture
def mlruns(tmp_path):
    """A run that made two models, a second run that judges both, and a third that is gone."""
    experiment = tmp_path / "mlruns" / "7"
    experiment.mkdir(parents=True)
    (experiment / "meta.yaml").write_text("artifact_location: file:///data/7\nexperiment_id: '7'\nname: trials\n")
    for run_id, name in ((RUN, "train"), (JUDGE, "judge")):
        (experiment / run_id / "metrics").mkdir(parents=True)
        text = f"artifact_uri: x\nexperiment_id: '7'\nrun_id: {run_id}\nrun_name: {name}\nstatus: 3\n"
        (experiment / run_id / "meta.yaml").write_text(text)
    for model_id in (FIRST, SECOND):
        (experiment / "models" / model_id / "metrics").mkdir(parents=True)
        text = f"artifact_location: x\nmodel_id: {model_id}\nname: model\nsource_run_id: {RUN}\nstatus: 2\n"
        (experiment / "models" / model_id / "meta.yaml").write_text(text)
    return tmp_path / "mlruns"


def measured(imported):
    pattern = """?run mls:hasOutput ?m . ?m mls:specifiedBy/rdfs:label ?name ; mls:hasValue ?value . ?run dcterms:identifier ?id
        OPTIONAL { ?m hw:evaluates/dcterms:identifier ?model } OPTIONAL { ?m hw:measuredOn/hw:digest ?data }"""
    rows = imported.rows(pattern, "?id", "?name", "?value", "?model", "?data")
    return {tuple(part.removeprefix("mlflow:") for part in row) for row in rows}


def metric(mlruns, model_id, *lines):
    (mlruns / "7" / "models" / model_id / "metrics" / "accuracy").write_text("\n".join(lines) + "\n")


def test_a_run_that_judges_two_models_has_one_value_for_each(read, mlruns):
    metric(mlruns, FIRST, f"10 0.8 0 {JUDGE}")
    metric(mlruns, SECOND, f"11 0.9 0 {JUDGE}")
    (mlruns / "7" / JUDGE / "metrics" / "accuracy").write_text("10 0.8 0\n11 0.9 0\n")
    found = measured(read(mlruns))
    assert (JUDGE, "accuracy", "0.8", FIRST, "") in found
    assert (JUDGE, "accuracy", "0.9", SECOND, "") in found
    assert len(found) == 2


def test_one_model_on_two_data_sets_has_one_value_for_each(read, mlruns):
    metric(mlruns, FIRST, f"10 0.8 0 {JUDGE} easy 0a", f"11 0.6 0 {JUDGE} hard 0b")
    assert measured(read(mlruns)) == {(JUDGE, "accuracy", "0.8", FIRST, "0a"), (JUDGE, "accuracy", "0.6", FIRST, "0b")}


def test_what_the_run_and_its_model_both_say_is_one_value(read, mlruns):
    metric(mlruns, FIRST, f"10 0.8 0 {RUN}")
    (mlruns / "7" / RUN / "metrics" / "accuracy").write_text("9 0.7 0\n10 0.8 0\n")
    imported = read(mlruns)
    assert measured(imported) == {(RUN, "accuracy", "0.8", FIRST, "")}
    assert imported.values("?m hw:points ?n", "?n") == ["2"]


def test_the_value_of_step_0_that_mlflow_copies_to_the_only_model_is_a_point_of_its_history(read, mlruns):
    shutil.rmtree(mlruns / "7" / "models" / SECOND)
    metric(mlruns, FIRST, f"9 0.7 0 {RUN}")
    (mlruns / "7" / RUN / "metrics" / "accuracy").write_text("9 0.7 0\n10 0.8 1\n11 0.9 2\n")
    imported = read(mlruns)
    assert measured(imported) == {(RUN, "accuracy", "0.9", FIRST, "")}
    assert imported.values("?m hw:points ?n", "?n") == ["3"]


def test_the_checkpoints_of_a_run_keep_their_values(read, mlruns):
    metric(mlruns, FIRST, f"9 0.7 0 {RUN}")
    (mlruns / "7" / RUN / "metrics" / "accuracy").write_text("9 0.7 0\n10 0.8 1\n")
    assert (RUN, "accuracy", "0.7", FIRST, "") in measured(read(mlruns))


def test_a_metric_that_names_no_model_speaks_of_all_that_the_run_made(read, mlruns):
    (mlruns / "7" / RUN / "metrics" / "accuracy").write_text("10 0.8 0\n")
    assert measured(read(mlruns)) == {(RUN, "accuracy", "0.8", FIRST, ""), (RUN, "accuracy", "0.8", SECOND, "")}


def test_what_a_vanished_run_measured_is_kept_with_the_model(read, mlruns):
    metric(mlruns, FIRST, f"10 0.8 0 {GONE}")
    imported = read(mlruns)
    assert imported.rows("?r mls:hasOutput ?m . ?m mls:hasValue ?v", "?r", "?v") == [(f"run/mlflow-{GONE}", "0.8")]
    assert GONE in imported.findings("absent-run")[0].what


def test_a_model_whose_run_vanished_has_a_record_of_its_own(read, mlruns):
    meta = mlruns / "7" / "models" / FIRST / "meta.yaml"
    meta.write_text(meta.read_text().replace(RUN, GONE))
    imported = read(mlruns)
    (draft,) = [draft for draft in imported.drafts if draft.title.startswith("MLflow model")]
    assert draft.iri == f"https://data.example/record/mlflow-model-{FIRST}"
    assert imported.values(f"?m prov:wasGeneratedBy <https://data.example/id/run/mlflow-{GONE}>", "?m") == [
        f"model/mlflow-{FIRST}"
    ]


def logged(mlruns, **metrics):
    for name, lines in metrics.items():
        (mlruns / "7" / RUN / "metrics" / name).write_text("\n".join(lines) + "\n")


def test_the_energy_that_codecarbon_logged_is_the_run_s_energy(read, mlruns):
    logged(mlruns, energy_consumed=["10 0.02 0", "11 0.42 1"], cpu_energy=["10 0.3 0"], emissions=["10 0.1 0"])
    assert read(mlruns).rows("?r hw:energy ?kwh", "?r", "?kwh") == [(f"run/mlflow-{RUN}", "0.42")]


@pytest.mark.parametrize(
    "metrics",
    [
        {"gpu_energy_kwh": ["10 0.4 0"]},
        {"energy_kwh": ["10 0.4 0", "11 0.1 1"]},
        {"energy_kwh": ["10 0.4 0"], "energy_consumed": ["10 0.9 0"]},
        {"energy_consumed": ["10 NaN 0"]},
        {"energy": ["10 0.4 0"]},
        {"system_gpu_0_power_usage_watts": ["10 250 0"]},
    ],
    ids=["a part", "each epoch", "two that disagree", "no number", "no unit", "power"],
)
def test_energy_that_is_not_beyond_doubt_is_not_taken_over(read, mlruns, metrics):
    logged(mlruns, **metrics)
    assert read(mlruns).values("?r hw:energy ?kwh", "?kwh") == []


def test_energy_in_other_units_becomes_kilowatt_hours(read, mlruns):
    logged(mlruns, total_energy_joules=["10 7200000 0"])
    assert read(mlruns).values("?r hw:energy ?kwh", "?kwh") == ["2"]
