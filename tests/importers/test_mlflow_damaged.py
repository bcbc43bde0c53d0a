"""Damaged, hostile and half-written stores: what can be read comes in, what cannot is named with its file and line."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import UnreadableSource
from headwater.importers.mlflow import MLflowImporter
from headwater.importers.mlflow_files import FLAT, parse_mapping
from headwater.importers.protocol import Source

META = """artifact_uri: file:///data/mlruns/7/{id}/artifacts
end_time: 1700000001000
experiment_id: '7'
lifecycle_stage: active
run_id: {id}
run_name: {name}
start_time: 1700000000000
status: 3
user_id: ada
"""
GOOD, BAD = "a" * 32, "b" * 32


@pytest.fixture
def mlruns(tmp_path):
    """A store with one good run; `add(id, **changes)` puts another beside it."""
    root = tmp_path / "mlruns"
    (root / "7").mkdir(parents=True)
    (root / "7" / "meta.yaml").write_text("artifact_location: file:///data/mlruns/7\nexperiment_id: '7'\nname: trials\n")
    add(root, GOOD, "good")
    return root


def add(root: Path, run_id: str, name: str, meta: str | bytes | None = None) -> Path:
    run = root / "7" / run_id
    for folder in ("params", "tags", "metrics"):
        (run / folder).mkdir(parents=True)
    text = META.format(id=run_id, name=name) if meta is None else meta
    (run / "meta.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return run


def runs(imported):
    return imported.values("?r a mls:Run ; hw:status ?s ; rdfs:label ?name", "?name")


@pytest.mark.parametrize(
    ("meta", "says", "line"),
    [
        ("artifact_uri: x\nend_time: 17\n", "cut off", 2),
        ("experiment_id: '7'\nrun_id: x\ntags: [", "not valid YAML", 3),
        ("", "is empty", 1),
        ("- a\n- b\n", "key: value", 1),
        (META.format(id=BAD, name="Köln").encode("latin-1"), "not UTF-8", 6),
        (b"run_id: a\x00b\nstatus: 3\n", "not UTF-8 text: control characters", 1),
        ("[" * 100_000, "nested", None),
        ("a: " + "- " * 100_000, "nested", None),
        ("x: &a [1]\ny: [*a, *b]\n", "undefined alias", 2),
        ("run_id: !!python/object/apply:os.system ['true']\n", "cut off", 1),
    ],
)
def test_a_broken_run_is_reported_with_its_line_and_the_others_come_in(read, mlruns, meta, says, line):
    add(mlruns, BAD, "bad", meta)
    imported = read(mlruns)
    (failure,) = imported.failures
    assert failure.source == f"mlruns/7/{BAD}/meta.yaml"
    assert says in failure.message
    assert failure.line == line
    assert runs(imported) == ["good"]


def test_a_run_without_meta_yaml_is_reported(read, mlruns):
    (mlruns / "7" / BAD).mkdir()
    assert "No such file" in read(mlruns).failures[0].message


def test_a_utf16_meta_yaml_is_read(read, mlruns):
    add(mlruns, BAD, "wide", META.format(id=BAD, name="wide").encode("utf-16"))
    assert runs(read(mlruns)) == ["good", "wide"]


def test_the_runs_of_an_experiment_whose_meta_yaml_is_broken_still_come_in(read, mlruns):
    (mlruns / "8").mkdir()
    (mlruns / "8" / "meta.yaml").write_text("artifact_location: x\nexperiment_id: '8'\nname: \"cut")
    shutil.copytree(mlruns / "7" / GOOD, mlruns / "8" / BAD)
    (mlruns / "8" / BAD / "meta.yaml").write_text(META.format(id=BAD, name="second"))
    imported = read(mlruns)
    assert runs(imported) == ["good", "second"]
    assert "its runs were read" in imported.failures[0].message


def test_garbage_lines_of_a_metric_are_counted_and_the_rest_is_kept(read, mlruns):
    file = mlruns / "7" / GOOD / "metrics" / "loss"
    file.write_bytes(b"1700000000000 0.5 0\nhello\n1700000000001 x 1\n1700000000002 0.25 2\n\n99999999999999999999 1 3\n17000")
    imported = read(mlruns)
    (finding,) = imported.findings("garbage-line")
    assert finding.where == f"mlruns/7/{GOOD}/metrics/loss:2"
    assert finding.what.startswith("4 of 7 lines")
    assert imported.rows("?m a mls:ModelEvaluation ; mls:hasValue ?v ; hw:step ?s ; hw:points ?n", "?v", "?s", "?n") == [
        ("0.25", "2", "2")
    ]


def test_the_latest_value_is_the_one_of_the_largest_step_wherever_it_stands(read, mlruns):
    (mlruns / "7" / GOOD / "metrics" / "loss").write_text("30 0.1 5\n40 0.7 9\n50 0.3 9\n20 0.9 1\n50 nan 9\n")
    imported = read(mlruns)
    assert imported.rows("?m hw:step ?s ; mls:hasValue ?v", "?s", "?v") == [("9", "0.3")]


def test_two_column_lines_of_the_first_mlflow_are_read(read, mlruns):
    (mlruns / "7" / GOOD / "metrics" / "loss").write_text("1700000000000 0.5\n")
    assert read(mlruns).values("?m a mls:ModelEvaluation ; mls:hasValue ?v", "?v") == ["0.5"]


def test_a_metric_on_a_data_set_with_blanks_in_its_name_is_kept_apart(read, mlruns):
    (mlruns / "7" / GOOD / "metrics" / "acc").write_text("1 0.5 0 shots of may 0a1b\n2 0.7 0 shots of june 2c3d\n")
    imported = read(mlruns)
    found = imported.rows("?m mls:hasValue ?v ; hw:measuredOn/hw:digest ?d", "?v", "?d")
    assert found == [("0.5", "mlflow:0a1b"), ("0.7", "mlflow:2c3d")]


def test_an_empty_metric_is_missing_and_not_zero(read, mlruns):
    (mlruns / "7" / GOOD / "metrics" / "loss").touch()
    imported = read(mlruns)
    assert len(imported.findings("empty-metric")) == 1
    assert imported.values("?m a mls:ModelEvaluation", "?m") == []


def test_a_metric_file_of_a_gigabyte_is_left_out_unread(read, mlruns):
    with (mlruns / "7" / GOOD / "metrics" / "loss").open("wb") as file:
        file.truncate(2**30)
    imported = read(mlruns, max_bytes=10**8)
    (finding,) = imported.findings("too-large")
    assert "1073741824 bytes" in finding.what
    assert runs(imported) == ["good"]


def test_one_endless_line_is_garbage_and_not_held_in_memory(read, mlruns):
    (mlruns / "7" / GOOD / "metrics" / "loss").write_bytes(b"7" * 300_000 + b"\n1700000000000 0.5 0\n")
    imported = read(mlruns)
    assert imported.findings("garbage-line")[0].where.endswith("loss:1")
    assert imported.values("?m a mls:ModelEvaluation ; mls:hasValue ?v", "?v") == ["0.5"]


def test_a_long_history_is_thinned_and_the_report_says_so(read, mlruns):
    (mlruns / "7" / GOOD / "metrics" / "loss").write_text("".join(f"{1700000000000 + i} {i} {i}\n" for i in range(5000)))
    imported = read(mlruns)
    assert imported.values("?m hw:points ?n", "?n") == ["5000"]
    assert "4000 of 5000 points" in imported.findings("thinned-history")[0].what


def test_links_out_of_the_folder_are_not_followed(read, mlruns, tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("hunter2")
    run = mlruns / "7" / GOOD
    (run / "params" / "stolen").symlink_to(secret / "key")
    (run / "tags" / "deep").symlink_to(secret)
    (run / "artifacts").symlink_to(secret)
    other = add(mlruns, BAD, "linked")
    (other / "meta.yaml").unlink()
    (other / "meta.yaml").symlink_to(secret / "key")
    (mlruns / "9").symlink_to(secret)
    imported = read(mlruns)
    assert not any("hunter2" in str(t) for draft in imported.drafts for t in draft.triples)
    assert {f.where.rpartition("/")[2] for f in imported.findings("link-out-of-folder")} == {"stolen", "deep", "artifacts", "9"}
    assert "symbolic link" in imported.failures[0].message


def test_a_link_within_the_folder_is_read_and_a_loop_is_not_walked(read, mlruns):
    run = mlruns / "7" / GOOD
    (run / "params" / "rate").write_text("0.1")
    (run / "params" / "again").symlink_to(run / "params" / "rate")
    (run / "metrics" / "loop").symlink_to(run)
    imported = read(mlruns)
    assert imported.values("?p a mls:HyperParameterSetting ; mls:hasValue ?v", "?p") != []
    assert len(imported.values("?p a mls:HyperParameterSetting", "?p")) == 2
    assert len(imported.findings("not-a-file")) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_does_not_hang_the_import(read, mlruns):
    os.mkfifo(mlruns / "7" / GOOD / "metrics" / "loss")
    os.mkfifo(add(mlruns, BAD, "piped", b"").joinpath("artifacts"))
    (mlruns / "7" / BAD / "meta.yaml").unlink()
    os.mkfifo(mlruns / "7" / BAD / "meta.yaml")
    imported = read(mlruns)
    assert "not a plain file" in imported.failures[0].message
    assert len(imported.findings("not-a-file")) == 1


def test_values_in_latin_1_and_with_control_characters_are_mended_and_reported(read, mlruns):
    params = mlruns / "7" / GOOD / "params"
    (params / "city").write_bytes("Köln".encode("latin-1"))
    (params / "nul").write_bytes(b"a\x00b")
    imported = read(mlruns)
    assert imported.values("?p a mls:HyperParameterSetting ; mls:hasValue ?v", "?v") == ["Köln", "a\ufffdb"]
    assert {f.what for f in imported.findings("encoding")} == {"read as Latin-1", "control characters replaced"}


def test_names_with_blanks_slashes_and_bytes_that_are_no_text_are_kept_apart(read, mlruns):
    params = mlruns / "7" / GOOD / "params"
    (params / "exploration rate").write_text("1")
    (params / "exploration-rate").write_text("2")
    (params / "optimiser").mkdir()
    (params / "optimiser" / "lr").write_text("3")
    try:
        Path(os.fsdecode(os.fsencode(params) + b"/caf\xe9")).write_text("4")
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    imported = read(mlruns)
    found = imported.rows("?p a mls:HyperParameterSetting ; mls:hasValue ?v ; mls:specifiedBy/rdfs:label ?n", "?n", "?v")
    assert found == [("café", "4"), ("exploration rate", "1"), ("exploration-rate", "2"), ("optimiser/lr", "3")]
    assert len(imported.findings("file-name-not-utf8")) == 1


@pytest.mark.parametrize("time", ["9223372036854775807", "-9223372036854775808", "1e400", "soon", "9" * 5000, "nan"])
def test_impossible_times_are_reported_and_the_run_is_kept(read, mlruns, time):
    add(mlruns, BAD, "late", META.format(id=BAD, name="late").replace("1700000001000", time))
    imported = read(mlruns)
    assert len(imported.findings("impossible-time")) == 1
    assert runs(imported) == ["good", "late"]


def test_an_end_before_the_start_is_left_out_and_reported(read, mlruns):
    add(mlruns, BAD, "skewed", META.format(id=BAD, name="skewed").replace("1700000001000", "1600000000000"))
    assert len(read(mlruns).findings("end-before-start")) == 1


def test_a_run_without_end_is_a_note_while_it_runs_and_a_gap_when_it_is_over(read, mlruns):
    add(
        mlruns,
        BAD,
        "endless",
        META.format(id=BAD, name="endless").replace("1700000001000", "null").replace("status: 3", "status: 1"),
    )
    add(
        mlruns,
        "c" * 32,
        "lost",
        META.format(id="c" * 32, name="lost").replace("1700000001000", "null").replace("status: 3", "status: 4"),
    )
    imported = read(mlruns)
    assert len(imported.findings("never-ended")) == 1
    assert "failed but has no end time" in imported.findings("no-end-time")[0].what


def test_a_key_that_stands_twice_counts_by_its_last_value_and_is_reported(read, mlruns):
    add(mlruns, BAD, "twice", META.format(id=BAD, name="first") + "run_name: second\n")
    imported = read(mlruns)
    assert runs(imported) == ["good", "second"]
    assert len(imported.findings("duplicate-key")) == 1


@given(st.from_regex(FLAT, fullmatch=True))
def test_a_flat_file_is_read_as_yaml_reads_it(raw: bytes) -> None:
    assert parse_mapping(raw) == yaml.load(raw, Loader=yaml.BaseLoader)  # noqa: S506


@pytest.mark.parametrize(
    "line",
    ["a: b: c", "a: # b", "a: b #c", "a: 'it''s'", "a: [b]", "a: - b", "a: &b c", "a: !x b", "a: |", " a: b", "a:  b", "a: b "],
)
def test_what_does_not_mean_what_it_looks_like_is_left_to_yaml(line: str) -> None:
    assert not FLAT.fullmatch(f"x: 1\n{line}\n".encode())


def test_a_copied_run_folder_is_not_imported_a_second_time(read, mlruns):
    shutil.copytree(mlruns / "7" / GOOD, mlruns / "7" / "good (copy)")
    imported = read(mlruns)
    assert runs(imported) == ["good"]
    assert "stands in" in imported.failures[0].message


def test_an_unknown_status_is_reported_and_the_run_is_kept(read, mlruns):
    add(mlruns, BAD, "odd", META.format(id=BAD, name="odd").replace("status: 3", "status: 77"))
    imported = read(mlruns)
    assert imported.findings("unknown-status")[0].what == "status '77'"
    assert imported.values("?r a mls:Run ; rdfs:label ?n", "?n") == ["good", "odd"]


def test_tokens_in_the_address_of_a_repository_are_not_spread(read, mlruns):
    tags = mlruns / "7" / GOOD / "tags"
    (tags / "mlflow.source.git.commit").write_text("5c1f0e7d9b3a48266f0e1d2c3b4a59687766554a")
    (tags / "mlflow.source.git.repoURL").write_text("https://ada:ghp_secret@git.example/a/b.git")
    imported = read(mlruns)
    assert imported.values("?s hw:version ?v ; hw:location ?l", "?l") == ["https://git.example/a/b.git"]
    assert not any("ghp_secret" in str(t) for draft in imported.drafts for t in draft.triples)


def test_an_empty_folder_holds_no_store(read, tmp_path):
    (tmp_path / "mlruns").mkdir()
    assert MLflowImporter().sniff(Source(tmp_path / "mlruns", "mlruns", 10**9)) is None
    with pytest.raises(UnreadableSource, match="holds no MLflow experiment"):
        read(tmp_path / "mlruns")


def test_a_database_cut_in_the_middle_gives_what_it_can_and_says_where_it_ended(read, stores, tmp_path):
    whole = (stores / "mlflow.db").read_bytes()
    cut = tmp_path / "mlflow.db"
    cut.write_bytes(whole[: len(whole) // 2])
    try:
        imported = read(cut)
    except UnreadableSource as refused:
        assert "mlflow.db cannot be read as an MLflow database" in refused.detail  # noqa: PT017  (one of two fair outcomes)
        return
    assert any("damaged" in failure.message for failure in imported.failures)


def test_a_database_of_the_first_mlflow_without_the_newer_tables_is_read(read, tmp_path):
    path = tmp_path / "old #1%20.db"
    with sqlite3.connect(path) as connection:
        connection.executescript("""
            CREATE TABLE experiments (experiment_id INTEGER, name TEXT, artifact_location TEXT, lifecycle_stage TEXT);
            CREATE TABLE runs (run_uuid TEXT, name TEXT, status TEXT, start_time BIGINT, end_time BIGINT, lifecycle_stage TEXT,
                               artifact_uri TEXT, experiment_id INTEGER, user_id TEXT);
            CREATE TABLE metrics (key TEXT, value FLOAT, timestamp BIGINT, run_uuid TEXT);
            CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT);
            CREATE TABLE tags (key TEXT, value TEXT, run_uuid TEXT);
            INSERT INTO experiments VALUES (0, 'Default', './mlruns/0', 'active');
            INSERT INTO runs VALUES ('r1', 'old', 'FINISHED', 1, 2, 'active', 'x', 0, 'ada');
            INSERT INTO metrics VALUES ('loss', 0.5, 1, 'r1');
            INSERT INTO tags VALUES ('note', X'ff41', 'r1'), ('gone', 'x', 'r0');
        """)
    connection.close()
    imported = read(path)
    assert imported.values("?m a mls:ModelEvaluation ; mls:hasValue ?v", "?v") == ["0.5"]
    assert runs(imported) == ["old"]


def test_changes_not_yet_merged_into_the_database_are_reported(read, stores, tmp_path):
    shutil.copyfile(stores / "mlflow.db", tmp_path / "mlflow.db")
    (tmp_path / "mlflow.db-wal").write_bytes(b"x" * 100)
    assert len(read(tmp_path / "mlflow.db").findings("unmerged-changes")) == 1
