"""Keeping the data whole: backup and restore, rebuild and verify, dump, tokens."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import RdfFormat, parse

Headwater = Callable[..., Any]


def test_a_restored_backup_holds_the_same(headwater: Headwater, lab: Path) -> None:
    assert headwater("backup", "copy.sqlite", "--data", lab).code == 0
    assert headwater("restore", "copy.sqlite", "--data", "new").code == 0
    assert headwater("verify", "--data", "new").code == 0
    assert headwater("dump", "--data", "new").out == headwater("dump", "--data", lab).out


def test_a_backup_replaces_nothing_and_a_restore_needs_an_empty_folder(headwater: Headwater, lab: Path) -> None:
    assert headwater("backup", "copy.sqlite", "--data", lab).code == 0
    assert headwater("backup", "copy.sqlite", "--data", lab).code == 1
    assert headwater("restore", "copy.sqlite", "--data", lab).code == 1


def test_a_damaged_backup_is_not_put_back(headwater: Headwater, lab: Path) -> None:
    headwater("backup", "copy.sqlite", "--data", lab)
    damaged = bytearray(Path("copy.sqlite").read_bytes())
    damaged[-1] ^= 1
    Path("copy.sqlite").write_bytes(damaged)
    ended = headwater("restore", "copy.sqlite", "--data", "new")
    assert ended.code == 2
    assert "not what its manifest says" in ended.err
    assert not list(Path("new").iterdir())
    Path("copy.sqlite.json").unlink()
    assert headwater("restore", "copy.sqlite", "--data", "new").code == 2


def test_rebuild_and_verify_agree_with_the_ledger(headwater: Headwater, lab: Path) -> None:
    assert headwater("rebuild", "--json", "--data", lab).json["sequence"] == 1
    assert headwater("verify", "--json", "--data", lab).json == {"sequence": 1, "ok": True, "differences": [], "audit_due": []}


def test_a_dump_names_the_graph_of_each_record(headwater: Headwater, lab: Path) -> None:
    assert headwater("dump", "-o", "all.nq", "--data", lab).code == 0
    quads = list(parse(Path("all.nq").read_bytes(), format=RdfFormat.N_QUADS))
    assert len({quad.graph_name for quad in quads}) == 1
    assert len(quads) > 50


def test_a_token_is_printed_once_and_as_json_for_scripts(headwater: Headwater) -> None:
    made = headwater("token", "create", "ada", "--scope", "write", "--project", "laser", "--json", "--data", "d")
    token = made.json["token"]
    assert token.startswith("hw_")
    listed = headwater("token", "list", "--json", "--data", "d")
    assert listed.json[0] | {"created_at": ""} == {
        "name": "ada", "scope": "write", "projects": ["laser"], "created_at": "", "revoked_at": None
    }  # fmt: skip
    assert token not in listed.out
    assert headwater("token", "revoke", "ada", "--data", "d").code == 0
    assert headwater("token", "revoke", "ada", "--data", "d").code == 2
    assert headwater("token", "create", "eve", "--scope", "root", "--data", "d").code == 2


def test_a_token_alone_on_standard_output(headwater: Headwater) -> None:
    ended = headwater("token", "create", "ada", "--data", "d")
    assert len(ended.out.split()) == 1
    assert "only its digest is stored" in ended.err


def test_the_manifest_says_how_far_a_backup_goes(headwater: Headwater, lab: Path) -> None:
    headwater("backup", "copy.sqlite", "--data", lab)
    manifest = json.loads(Path("copy.sqlite.json").read_text())
    assert manifest["sequence"] == 1
    assert manifest["bytes"] == Path("copy.sqlite").stat().st_size


def test_an_audit_that_is_due_is_said_and_made(headwater: Headwater, lab: Path) -> None:
    (lab / "audit.json").unlink()
    told = headwater("verify", "--data", lab)
    assert (told.code, "An audit is due" in told.err) == (0, True)
    assert headwater("verify", "--json", "--data", lab).json["audit_due"] != []
    assert "an audit is due" in headwater("doctor", "--data", lab).out
    assert headwater("verify", "--audit", "--data", lab).code == 0
    assert "audit is due" not in headwater("verify", "--data", lab).err
    assert "an audit is due" not in headwater("doctor", "--data", lab).out


def test_an_audit_speaks_german_and_tells_how_far_it_is(headwater: Headwater, lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from headwater.cli import printing

    monkeypatch.setattr(printing, "_SILENCE_S", 0)
    told = headwater("verify", "--audit", "--language", "de", "--json", "--data", lab)
    assert "Asking each shape:" in told.err
    english = headwater("verify", "--audit", "--json", "--data", lab).json["results"]
    assert told.json["results"]
    for german, other in zip(told.json["results"], english, strict=True):
        assert german["focus"] == other["focus"]
        assert german["message"] != other["message"]
    assert headwater("verify", "--audit", "--language", "tlh", "--data", lab).code == 2
