"""What a run is linked to, and what is said where a link leads nowhere."""

from __future__ import annotations

import json
import sqlite3

import pytest

from headwater.importers.mlflow import MLflowImporter
from headwater.importers.protocol import Source

RUN, OTHER = "a" * 32, "b" * 32


class Store:
    """A tracking folder that a test writes by hand, one file at a time."""

    def __init__(self, root):
        self.root = root
        self.write("7/meta.yaml", "artifact_location: file:///data/7\nexperiment_id: '7'\nname: trials\n")
        self.run(RUN, "first")

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run(self, run_id, name, status=3):
        text = f"artifact_uri: x\nexperiment_id: '7'\nrun_id: {run_id}\nrun_name: {name}\nstatus: {status}\nuser_id: ada\n"
        self.write(f"7/{run_id}/meta.yaml", text)

    def param(self, name, value):
        self.write(f"7/{RUN}/params/{name}", value)

    def tag(self, name, value):
        self.write(f"7/{RUN}/tags/{name}", value)

    def dataset(self, name, digest, context=None, source="{}"):
        key = f"{name}-{digest}".replace(" ", "")
        self.write(f"7/datasets/{key}/meta.yaml", f"name: {name}\ndigest: {digest}\nsource: '{source}'\nsource_type: local\n")
        tags = f"tags:\n  mlflow.data.context: {context}\n" if context else "tags: {}\n"
        self.write(f"7/{RUN}/inputs/{key}/meta.yaml", f"source_type: DATASET\nsource_id: {key}\ndestination_type: RUN\n{tags}")


@pytest.fixture
def mlruns(tmp_path):
    return Store(tmp_path / "mlruns")


def uses(imported):
    pattern = """?r prov:used ?x . ?x rdfs:label ?name
        OPTIONAL {
            ?r prov:qualifiedUsage ?u . ?u prov:entity ?x OPTIONAL { ?u prov:hadRole ?role } OPTIONAL { ?u hw:evidence ?e }
        }"""
    return imported.rows(pattern, "?name", "?role", "?e")


@pytest.mark.parametrize(
    ("context", "role"),
    [("training", "train"), ("Validation", "validate"), ("eval", "validate"), ("testing", "test"), ("test", "test")],
)
def test_the_context_of_a_data_set_is_its_role(read, mlruns, context, role):
    mlruns.dataset("digits", "0a", context)
    imported = read(mlruns.root)
    assert uses(imported) == [("digits 0a", role, "")]
    assert "context" not in imported.reasons()


def test_a_context_that_is_no_role_leaves_a_plain_use_and_a_note(read, mlruns):
    mlruns.dataset("digits", "0a", "breakfast")
    imported = read(mlruns.root)
    assert uses(imported) == [("digits 0a", "", "")]
    assert imported.findings("context")[0].outcome == "unmapped"


def test_a_tag_overrides_the_role_that_the_context_gives(read, mlruns):
    mlruns.dataset("digits", "0a", "training")
    mlruns.tag("headwater.role.digits", "finetune")
    assert uses(read(mlruns.root)) == [("digits 0a", "finetune", "")]


def test_a_role_for_an_input_that_the_run_has_not_is_reported(read, mlruns):
    mlruns.tag("headwater.role.digits", "finetune")
    assert "has no input of that name" in read(mlruns.root).findings("headwater-tag")[0].what


def test_a_model_that_nobody_knows_is_reported_and_not_made_up(read, mlruns):
    mlruns.tag("headwater.input.digit reader/9", "predict")
    imported = read(mlruns.root)
    assert "no registered version" in imported.findings("headwater-tag")[0].what
    assert imported.values("?m a mls:Model", "?m") == []


def test_a_revision_of_a_data_set_that_the_run_does_not_have_is_reported(read, mlruns):
    mlruns.tag("headwater.revision_of.digits", "0a")
    imported = read(mlruns.root)
    assert "0 other data sets of that name" in imported.findings("headwater-tag")[0].what
    assert imported.values("?x prov:wasRevisionOf ?y", "?x") == []


def test_data_without_a_name_is_not_gathered_with_all_other_data_without_a_name(read, mlruns):
    mlruns.dataset("dataset", "0a", "training")
    imported = read(mlruns.root)
    assert imported.values("?d prov:specializationOf ?c . ?d a mls:Dataset", "?d") == []
    assert len(imported.findings("unnamed-dataset")) == 1


def test_a_data_set_is_where_its_source_says(read, mlruns):
    mlruns.dataset("digits", "0a", "training", json.dumps({"uri": "s3://bucket/digits.npz"}))
    mlruns.dataset("shapes", "0b", "training", json.dumps({"tags": {"mlflow.user": "ada"}}))
    assert read(mlruns.root).rows("?d a mls:Dataset ; hw:location ?l", "?l") == [("s3://bucket/digits.npz",)]


def test_an_input_whose_data_set_is_gone_is_reported(read, mlruns):
    mlruns.write(
        f"7/{RUN}/inputs/x/meta.yaml", "source_type: DATASET\nsource_id: ../../secret\ndestination_type: RUN\ntags: {}\n"
    )
    assert len(read(mlruns.root).findings("absent-dataset")) == 1


def test_a_parameter_that_repeats_a_logged_data_set_adds_nothing(read, mlruns):
    mlruns.dataset("digits", "0a", "training")
    mlruns.param("dataset_name", "digits")
    assert uses(read(mlruns.root)) == [("digits 0a", "train", "")]


def test_a_base_model_from_the_registry_is_the_model_that_was_registered(read, mlruns):
    mlruns.write("models/reader/meta.yaml", "name: reader\n")
    source = f"file:///C:/My%20Runs/7/{OTHER}/artifacts/best%20model"
    mlruns.write("models/reader/version-1/meta.yaml", f"name: reader\nrun_id: {OTHER}\nsource: {source}\nversion: 1\n")
    mlruns.param("base_model", "models:/reader/1")
    imported = read(mlruns.root)
    (model,) = imported.values('?m hw:version "1"', "?m")
    assert model.startswith(f"model/mlflow-{OTHER}-best-model-")
    assert imported.rows("?r prov:qualifiedUsage ?u . ?u prov:entity ?m ; prov:hadRole ?role", "?m", "?role") == [
        (model, "finetune")
    ]


def test_versions_that_lead_to_no_model_are_kept_without_a_chain(read, mlruns):
    mlruns.write("models/reader/meta.yaml", "name: reader\n")
    for number in (1, 2):
        mlruns.write(f"models/reader/version-{number}/meta.yaml", f"name: reader\nsource: s3://b/{number}\nversion: {number}\n")
    imported = read(mlruns.root)
    assert imported.values('?m prov:specializationOf/rdfs:label "reader" ; hw:version ?n', "?n") == ["1", "2"]
    assert imported.values("?x prov:wasRevisionOf ?y", "?x") == []
    assert len(imported.findings("unresolved-version")) == 2


def test_a_finished_run_wrote_its_output_file_and_a_failed_one_did_not(read, mlruns):
    mlruns.param("output", "meta.tsv")
    imported = read(mlruns.root)
    assert imported.values('?d prov:wasGeneratedBy ?r ; prov:specializationOf/rdfs:label "meta.tsv"', "?d") != []
    assert imported.values("?d prov:qualifiedGeneration/hw:evidence ?e", "?e") == ["inferred"]
    mlruns.run(RUN, "first", status=4)
    imported = read(mlruns.root)
    assert imported.values("?d prov:wasGeneratedBy ?r", "?d") == []
    assert len(imported.findings("output-not-written")) == 1


def test_a_parent_that_is_not_in_the_store_keeps_its_link_and_is_reported(read, mlruns):
    mlruns.tag("mlflow.parentRunId", OTHER)
    imported = read(mlruns.root)
    assert imported.values("?r dcterms:isPartOf ?p . ?p a mls:Run", "?p") == [f"run/mlflow-{OTHER}"]
    assert len(imported.findings("absent-parent")) == 1


@pytest.mark.parametrize("history", ["{", "{}", '[{"run_id": "x"}]', "[" * 5000])
def test_a_broken_history_of_models_is_reported(read, mlruns, history):
    mlruns.tag("mlflow.log-model.history", history)
    imported = read(mlruns.root)
    assert imported.reasons() & {"unreadable-model-history", "model-history"}
    assert imported.values("?m a mls:Model", "?m") == []


def test_tags_of_ones_own_are_kept_and_the_note_is_the_description(read, mlruns):
    mlruns.tag("purpose", "baseline")
    mlruns.tag("mlflow.note.content", "A *first* try")
    mlruns.tag("novel", "x" * 9000)
    imported = read(mlruns.root)
    assert imported.values("?r hw:tag ?t", "?t") == ["purpose=baseline"]
    assert imported.values("?r dcterms:description ?t", "?t") == ["A *first* try"]
    assert len(imported.findings("tag-too-long")) == 1


def test_what_is_not_mlflows_is_reported(read, mlruns):
    mlruns.write(f"7/{RUN}/notes.txt", "hello")
    mlruns.write("7/traces/tr-1/trace_info.yaml", "x: 1")
    assert {"unknown-file", "traces"} <= read(mlruns.root).reasons()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("mlruns", "an MLflow tracking folder"),
        (".", "a folder with an MLflow tracking folder"),
        ("mlruns/7", "the folder of an MLflow experiment"),
        (f"mlruns/7/{RUN}", "the folder of an MLflow run"),
    ],
)
def test_the_importer_says_why_it_takes_a_folder_for_its_own(mlruns, path, reason):
    folder = mlruns.root.parent / path
    sniff = MLflowImporter().sniff(Source(folder, folder.name, 10**9))
    assert sniff.confidence >= 0.9
    assert reason in sniff.reason


def test_another_database_and_another_file_are_not_its_own(tmp_path, stores):
    sniff = MLflowImporter().sniff
    assert sniff(Source(stores / "mlflow.db", "mlflow.db", 10**9)).confidence == 0.95
    other = tmp_path / "other.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE runs (x)")
    connection.commit()
    connection.close()
    assert sniff(Source(other, "other.db", 10**9)) is None
    (tmp_path / "torn.db").write_bytes(b"SQLite format 3\x00" + b"\xff" * 200)
    assert sniff(Source(tmp_path / "torn.db", "torn.db", 10**9)) is None
    assert sniff(Source(tmp_path / "absent", "absent", 10**9)) is None
    assert MLflowImporter().size(Source(other, "other.db", 10**9)) is None
