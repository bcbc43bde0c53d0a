"""Taking in sources: the rest comes in, the report says what did not and why, and nothing is written by half."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Headwater = Callable[..., Any]

MODEL = "<https://e.x/{0}> a <http://www.w3.org/ns/mls#Model> .\n"
CHANGE = "@prefix hw: <https://w3id.org/headwater/terms#> .\n<https://e.x/c> a hw:Change ; hw:changeKind hw:retracted .\n"


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two good files, one damaged, one that nobody knows, and a link that leads out."""
    monkeypatch.chdir(tmp_path)
    folder = Path("sources")
    (folder / "deep").mkdir(parents=True)
    (folder / "a.ttl").write_text(MODEL.format("a"))
    (folder / "deep" / "b.ttl").write_text(MODEL.format("b"))
    (folder / "damaged.ttl").write_text("<https://e.x/x> a\n oops")
    (folder / "notes.docx").write_bytes(b"\x00\x01")
    (folder / "out").symlink_to("/etc")
    return folder


def test_what_is_whole_comes_in_and_what_is_damaged_is_named_with_its_line(headwater: Headwater, sources: Path) -> None:
    ended = headwater("import", sources, "--data", "d", "--json")
    assert ended.code == 2
    found = {Path(one["source"]).name: one for one in ended.json["sources"]}
    assert found["a.ttl"]["statuses"]["created"] == found["b.ttl"]["statuses"]["created"] == 1
    assert found["damaged.ttl"]["failures"][0]["line"] == 2
    assert found["sources"]["findings"][0]["reason"] == "unknown-format"
    assert not any("etc" in one["source"] for one in ended.json["sources"])
    assert (
        headwater("query", "objects-of-kind", "--param", "kind=model", "--as", "csv", "--data", "d").out.count("https://e.x/")
        == 2
    )


def test_the_second_time_nothing_changes(headwater: Headwater, sources: Path) -> None:
    (sources / "damaged.ttl").unlink()
    assert headwater("import", sources, "--data", "d").code == 0
    again = headwater("import", sources, "--data", "d", "--json").json
    assert [one["statuses"]["unchanged"] for one in again["sources"] if one["importer"]] == [1, 1]


def test_a_source_that_is_not_there_does_not_keep_the_others_out(headwater: Headwater, sources: Path) -> None:
    ended = headwater("import", "missing.ttl", sources / "a.ttl", "--data", "d")
    assert ended.code == 2
    assert "missing.ttl: there is no such file" in ended.out
    assert "1 created" in ended.out
    assert "Visible to: everyone (public)" in ended.out


def test_a_dry_run_writes_nothing(headwater: Headwater, sources: Path) -> None:
    ended = headwater("import", sources / "a.ttl", "--dry-run", "--data", "d")
    assert ended.code == 0
    assert "Nothing was written" in ended.out
    assert headwater("doctor", "--json", "--data", "d").json["data"]["status"]["ledger"] == 0


def test_the_report_file_holds_what_json_prints(headwater: Headwater, sources: Path) -> None:
    ended = headwater("import", sources / "a.ttl", "--report", "report.json", "--json", "--data", "d")
    assert json.loads(Path("report.json").read_text()) == ended.json
    assert headwater("import", sources / "a.ttl", "--report", "no/such/folder.json", "--data", "d").code == 1


def test_an_unknown_visibility_is_refused_before_anything_is_read(headwater: Headwater, sources: Path) -> None:
    ended = headwater("import", sources, "--visibility", "secret", "--data", "d")
    assert ended.code == 2
    assert "public, internal or project:NAME" in ended.err
    assert not Path("d").exists()


def test_a_visibility_is_said_openly(headwater: Headwater, sources: Path) -> None:
    ended = headwater("import", sources / "a.ttl", "--visibility", "project:laser", "--data", "d")
    assert "Visible to: members of the project laser" in ended.out
    assert headwater("dump", "--public", "--data", "d").out == ""
    assert "https://e.x/a" in headwater("dump", "--data", "d").out


def test_validate_says_in_sentences_what_stands_against_a_record(headwater: Headwater) -> None:
    Path("change.ttl").write_text(CHANGE)
    ended = headwater("validate", "change.ttl")
    assert ended.code == 2
    assert "The change does not say what changed." in ended.out
    assert headwater("validate", "change.ttl", "--json").json["conforms"] is False
    assert not Path("headwater-data").exists()


def test_validate_passes_what_would_come_in(headwater: Headwater, sources: Path) -> None:
    assert headwater("validate", sources / "a.ttl").code == 0
    assert headwater("validate", sources / "a.ttl", "--profile", "perfect").code == 2


def test_a_rejected_record_is_not_in_and_the_exit_code_says_so(headwater: Headwater) -> None:
    Path("change.ttl").write_text(CHANGE)
    ended = headwater("import", "change.ttl", "--data", "d")
    assert ended.code == 2
    assert "1 rejected" in ended.out
    assert "Visible to" not in ended.out
    assert headwater("doctor", "--json", "--data", "d").json["data"]["status"]["ledger"] == 0
