"""What people say by tags, and what parameters are taken to name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.importers.mlflow_conventions import said
from headwater.importers.mlflow_parameters import named_inputs, named_outputs, split_names


def inputs(**params):
    return [(found.kind, found.name, found.role) for found in named_inputs(params, [], "run")]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("headwater.role.digits", "training"),
        ("headwater.role.", "train"),
        ("headwater.input.m-1", "eat"),
        ("headwater.output.predictions", "0a1b2c3d"),
        ("headwater.output.predictions", "dataset:"),
        ("headwater.output.predictions", "dataset:two words"),
        ("headwater.revision_of.digits", ""),
        ("headwater.colour.digits", "red"),
        ("headwater.", "x"),
    ],
)
def test_a_tag_that_does_not_fit_is_reported_and_means_nothing(key, value):
    findings = []
    found = said({key: value}, findings, "run")
    assert (found.roles, found.inputs, found.outputs, found.revisions) == ({}, {}, {}, {})
    assert [(finding.outcome, finding.reason, finding.where) for finding in findings] == [
        ("unmapped", "headwater-tag", f"run/tags/{key}")
    ]


def test_names_in_tags_may_hold_dots_and_blanks():
    found = said({"headwater.role.shots of 3.5 MA": "calibrate"}, [], "run")
    assert found.roles == {"shots of 3.5 MA": "calibrate"}


@pytest.mark.parametrize(
    ("key", "role"),
    [
        ("train_data", "train"),
        ("trainData", "train"),
        ("training-dataset", "train"),
        ("val_path", "validate"),
        ("dataset_test", "test"),
        ("data.path", None),
        ("eval_file", "validate"),
        ("pre_train_data", "pretrain"),
        ("calibration_data", "calibrate"),
        ("Dataset Name", None),
    ],
)
def test_the_name_of_a_parameter_tells_the_role(key, role):
    assert inputs(**{key: "shots/a.csv"}) == [("dataset", "shots/a.csv", role)]


@pytest.mark.parametrize(
    "params",
    [
        {"test_size": "0.2"},
        {"train_freq": "4"},
        {"data": "True"},
        {"dataset": "None"},
        {"train_set": "0.8"},
        {"metric": "euclidean"},
        {"weights": "uniform"},
        {"data": "{'a': 1}"},
        {"dataset": "<torch.utils.data.Dataset object at 0x7f>"},
        {"train": "yes"},
        {"results": "results.tsv"},
        {"pretrained": "True"},
        {"data": "   a  b\n0  1  2\n1  3  4"},
    ],
)
def test_what_is_no_name_is_not_taken_for_one(params):
    assert inputs(**params) == []


def test_a_base_model_is_what_the_run_fine_tuned():
    assert inputs(base_model="bert-base", ckpt_path="last.ckpt") == [
        ("model", "bert-base", "finetune"),
        ("model", "last.ckpt", None),
    ]


def test_results_are_an_input_only_where_the_output_goes_elsewhere():
    assert inputs(results="all.tsv", outdir="plots") == [("dataset", "all.tsv", None)]


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ('"VirusGO flags\n"', ["VirusGO", "flags"]),
        ("a, b;c", ["a", "b", "c"]),
        ("['a b', 'c']", ["a b", "c"]),
        ("('a', 1)", ["a"]),
        ("[a, b]", ["a", "b"]),
        ("\"a b\" 'c d' e", ["a b", "c d", "e"]),
        ('"', []),
        ("", []),
    ],
)
def test_lists_in_a_value_are_several_names(value, names):
    assert split_names(value, several=True) == names


def test_a_path_with_blanks_is_one_name_where_one_is_meant():
    assert split_names(r"C:\my data\x.csv", several=False) == [r"C:\my data\x.csv"]
    assert split_names('"my data.csv"', several=False) == ["my data.csv"]


def test_a_folder_of_outputs_is_reported_and_a_file_is_an_output():
    findings = []
    assert named_outputs({"outdir": "results", "output": "meta.tsv", "output_path": "none"}, findings, "run") == ["meta.tsv"]
    assert [finding.reason for finding in findings] == ["output-folder"]


def test_a_list_of_hundreds_of_names_is_reported_and_not_expanded():
    findings = []
    assert named_inputs({"files": "x", "data_files": " ".join(f"f{i}.csv" for i in range(300))}, findings, "run") == []
    assert [finding.reason for finding in findings] == ["long-list-of-inputs"]


@given(
    st.dictionaries(st.sampled_from(["data", "datasets", "train_csv", "base_model", "output", "outdir", "results"]), st.text())
)
def test_no_value_breaks_the_reading_of_parameters(params):
    for found in named_inputs(params, [], "run"):
        assert found.name.strip()
        assert "\n" not in found.name
    named_outputs(params, [], "run")
