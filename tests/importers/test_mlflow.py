"""What MLflow wrote comes in as a person would tell it: the same from its folder and from its database."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from headwater.errors import UnreadableSource
from headwater.importers.mlflow import MLflowImporter
from headwater.importers.protocol import Source
from headwater.terms.minting import Mint

BOTH = pytest.mark.parametrize("kind", ["mlruns", "mlflow.db"])


def used(imported, label):
    pattern = f"{imported.run(label)} prov:qualifiedUsage ?u . ?u prov:entity ?x . OPTIONAL {{ ?u prov:hadRole ?role }}"
    return {(thing, role) for thing, role in imported.rows(pattern, "?x", "?role")}


@BOTH
def test_a_training_run_uses_its_data_in_the_role_that_the_context_names(read, stores, kind):
    found = used(read(stores / kind), "train-v2")
    assert ("dataset/mlflow-digits-train-b2b2b2b2", "train") in found
    assert ("dataset/mlflow-digits-test-c3c3c3c3", "test") in found


@BOTH
def test_two_digests_of_one_name_are_versions_of_one_thing(read, stores, kind):
    imported = read(stores / kind)
    versions = imported.values("?v prov:specializationOf <https://data.example/id/dataset/mlflow-digits-train>", "?v")
    assert versions == ["dataset/mlflow-digits-train-a1a1a1a1", "dataset/mlflow-digits-train-b2b2b2b2"]
    assert imported.rows("?later prov:wasRevisionOf ?earlier . ?later a mls:Dataset", "?later", "?earlier") == [
        ("dataset/mlflow-digits-train-b2b2b2b2", "dataset/mlflow-digits-train-a1a1a1a1")
    ]


@BOTH
def test_a_metric_speaks_of_the_model_and_of_the_data_that_it_was_measured_on(read, stores, kind):
    imported = read(stores / kind)
    pattern = f"""{imported.run("train-v2")} mls:hasOutput ?m . ?m mls:specifiedBy/rdfs:label "accuracy" ; mls:hasValue ?value ;
        hw:evaluates/rdfs:label ?model ; hw:measuredOn ?data"""
    assert imported.rows(pattern, "?value", "?model", "?data") == [
        ("0.95", "digits-v2", "dataset/mlflow-digits-test-c3c3c3c3"),
    ]


@BOTH
def test_a_metric_keeps_its_history_and_the_latest_value(read, stores, kind):
    imported = read(stores / kind)
    pattern = f"""{imported.run("train-v1")} mls:hasOutput ?m . ?m mls:specifiedBy/rdfs:label "train/loss" ; mls:hasValue ?value ;
        hw:step ?step ; hw:series ?series"""
    (row,) = imported.rows(pattern, "?value", "?step", "?series")
    assert row == ("0.3", "2", "[[0,0.9,1760000000000],[1,0.5,1760000000001],[2,0.3,1760000000002]]")


@BOTH
def test_registered_versions_are_numbered_revisions_of_one_concept(read, stores, kind):
    imported = read(stores / kind)
    pattern = '?v prov:specializationOf/rdfs:label "digit reader" ; hw:version ?n . OPTIONAL { ?v rdfs:label ?l } '
    assert imported.rows(pattern, "?n", "?l") == [("1", "digits-v1"), ("2", "digits-v2"), ("3", "")]
    assert imported.values('?v hw:alias "champion" ; rdfs:label ?l', "?l") == ["digits-v2"]
    revisions = imported.rows(
        "?b prov:wasRevisionOf ?a . ?b hw:version ?later . ?a a mls:Model ; hw:version ?earlier", "?later", "?earlier"
    )
    assert revisions == [("2", "1"), ("3", "2")]
    assert [finding.reason for finding in imported.findings() if "version 3" in finding.what] == ["absent-run"]


@BOTH
def test_a_prediction_used_further_links_the_runs_through_the_data_that_was_written(read, stores, kind):
    imported = read(stores / kind)
    assert ("dataset/mlflow-digits-new-e5e5e5e5", "predict") in used(imported, "predict")
    written = imported.values(
        f"?data prov:wasGeneratedBy {imported.run('predict')} . {imported.run('self-train')} prov:used ?data", "?data"
    )
    assert written == ["dataset/mlflow-digits-predicted-d4d4d4d4"]
    model = imported.values('?m rdfs:label "digits-v2"', "?m")[0]
    assert (model, "predict") in used(imported, "predict")
    assert (model, "finetune") in used(imported, "self-train")


@BOTH
def test_every_status_is_kept_and_so_is_what_was_deleted(read, stores, kind):
    imported = read(stores / kind)
    states = dict(imported.rows("?r a mls:Run ; rdfs:label ?name ; hw:status ?status", "?name", "?status"))
    assert {states[name] for name in ("sweep", "trial-2", "stopped", "endless", "waiting")} == {
        "finished",
        "failed",
        "killed",
        "running",
        "scheduled",
    }
    deleted = imported.values('?x hw:lifecycle "deleted" ; rdfs:label ?name', "?name")
    assert deleted == ["first try", "regretted", "scratch"]


@BOTH
def test_nested_runs_are_part_of_their_parent_and_all_of_their_experiment(read, stores, kind):
    imported = read(stores / kind)
    assert imported.values(f"?r dcterms:isPartOf {imported.run('sweep')} ; rdfs:label ?name", "?name") == ["trial-1", "trial-2"]
    assert len(imported.values('?r a mls:Run ; dcterms:isPartOf/rdfs:label "digits"', "?r")) == 12


@BOTH
def test_a_commit_pins_the_code_and_a_script_does_not(read, stores, kind):
    imported = read(stores / kind)
    pattern = "{} prov:used ?s . ?s a mls:Software ; rdfs:label ?name . OPTIONAL {{ ?s hw:version ?v }}"
    assert imported.rows(pattern.format(imported.run("train-v1")), "?name", "?v") == [
        ("digits at 5c1f0e7d9b", "5c1f0e7d9b3a48266f0e1d2c3b4a59687766554a")
    ]
    assert imported.rows(pattern.format(imported.run("legacy")), "?name", "?v") == [("fit.py", "")]


@BOTH
def test_infinite_and_undefined_values_survive(read, stores, kind):
    imported = read(stores / kind)
    pattern = f"{imported.run('trial-2')} mls:hasOutput ?m . ?m mls:specifiedBy/rdfs:label ?name ; mls:hasValue ?value"
    assert imported.rows(pattern, "?name", "?value") == [("accuracy", "NaN"), ("loss", "INF")]


@BOTH
def test_a_model_of_mlflow_2_is_known_by_run_and_path(read, stores, kind):
    imported = read(stores / kind)
    run_id = imported.values(f"{imported.run('legacy')} dcterms:identifier ?id", "?id")[0].removeprefix("mlflow:")
    assert imported.values(f"?m prov:wasGeneratedBy {imported.run('legacy')}", "?m") == [f"model/mlflow-{run_id}-model"]


@BOTH
def test_data_sets_named_by_a_parameter_are_inferred_and_not_pinned(read, stores, kind):
    imported = read(stores / kind)
    pattern = f"""{imported.run("legacy")} prov:qualifiedUsage ?u . ?u hw:evidence hw:inferred ; prov:entity ?d .
        ?d rdfs:label ?name
        FILTER NOT EXISTS {{ ?d hw:digest ?any }}"""
    assert imported.values(pattern, "?name") == ["birds", "scene"]


def test_equal_environment_files_are_one_environment(read, stores):
    imported = read(stores / "mlruns")
    users = imported.rows("?r prov:used ?e . ?e a hw:Environment . ?r rdfs:label ?name", "?name", "?e")
    assert [name for name, _ in users] == ["legacy", "train-v1", "train-v2"]
    assert len({environment for _, environment in users}) == 1


@BOTH
def test_reading_twice_gives_the_same_statements_byte_for_byte(read, stores, kind):
    first, second = read(stores / kind), read(stores / kind)
    assert [(d.iri, [str(t) for t in d.triples]) for d in first.drafts] == [
        (d.iri, [str(t) for t in d.triples]) for d in second.drafts
    ]
    assert len({draft.iri for draft in first.drafts}) == len(first.drafts)


def test_moving_the_folder_changes_no_statement(read, stores, tmp_path):
    moved = tmp_path / "elsewhere" / "mlruns"
    shutil.copytree(stores / "mlruns", moved)
    here, there = read(stores / "mlruns"), read(moved.parent)
    assert {str(t) for d in here.drafts for t in d.triples} == {str(t) for d in there.drafts for t in d.triples}
    assert {d.source.split("/")[0] for d in there.drafts} == {"elsewhere"}


@BOTH
def test_the_source_is_not_changed_by_a_single_byte(read, stores, tmp_path, kind):
    copy = tmp_path / kind
    shutil.copytree(stores / kind, copy) if kind == "mlruns" else shutil.copyfile(stores / kind, copy)

    def state():
        files = sorted(p for p in tmp_path.rglob("*"))
        return [(p, p.stat().st_mtime_ns, hashlib.sha256(p.read_bytes()).hexdigest() if p.is_file() else "") for p in files]

    before = state()
    read(copy)
    assert state() == before


@BOTH
def test_the_size_is_the_number_of_drafts(read, stores, kind):
    path = stores / kind
    assert MLflowImporter().size(Source(path, kind, 10**9)) == len(read(path).drafts)


def test_one_run_or_one_experiment_can_be_read_alone(read, stores):
    whole = read(stores / "mlruns")
    (source,) = [draft.source for draft in whole.drafts if draft.title.endswith("train-v2")]
    run = stores.joinpath(*source.split("/"))
    alone = read(run)
    assert [draft.iri for draft in alone.drafts if "mlflow-run-" in draft.iri] == [
        d.iri for d in whole.drafts if d.source == source
    ]
    mine = {str(t) for d in alone.drafts for t in d.triples if "mlflow-run-" in d.iri}
    assert mine <= {str(t) for d in whole.drafts for t in d.triples}
    assert len([d for d in read(run.parent).drafts if "mlflow-run-" in d.iri]) == 12


def test_a_file_that_is_no_store_is_refused_with_a_remedy(read, tmp_path):
    other = tmp_path / "notes.txt"
    other.write_text("hello")
    with pytest.raises(UnreadableSource, match=r"notes\.txt is neither") as refused:
        read(other)
    assert "mlflow.db" in refused.value.remedy


def test_a_database_larger_than_allowed_is_refused(read, stores):
    with pytest.raises(UnreadableSource, match="192512 bytes; 1000 may be read"):
        read(stores / "mlflow.db", max_bytes=1000)


def test_reading_starts_before_the_last_run_is_read(stores):
    drafts = MLflowImporter().read(Source(stores / "mlruns", "mlruns", 10**9), Mint("https://data.example/"))
    assert next(drafts).title == "MLflow experiment Default"
    drafts.close()


@BOTH
def test_sources_say_where_in_the_store_a_record_came_from(read, stores, kind):
    sources = {draft.title: draft.source for draft in read(stores / kind).drafts}
    run = Path(sources["MLflow run train-v1"])
    assert sources["MLflow run train-v1"].startswith("mlruns/" if kind == "mlruns" else "mlflow.db#runs/")
    assert len(run.name.removeprefix("mlflow.db#runs/")) == 32
