"""How every command begins and ends: help at once, errors in words, exit codes, clean standard output."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headwater.cli.reference import reference

Headwater = Callable[..., Any]

COMMANDS = [
    *("demo", "serve", "import", "validate", "query", "lineage", "impact", "benefits", "export"),
    *("backup", "restore", "rebuild", "verify", "dump", "doctor", "token"),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_of_the_design_has_help(headwater: Headwater, command: str) -> None:
    ended = headwater(command, "--help")
    assert ended.code == 0
    assert "Usage" in ended.out


def test_help_loads_neither_store_nor_server_nor_database() -> None:
    heavy = ["pyoxigraph", "sqlalchemy", "fastapi", "numpy", "scipy", "pyshacl", "pydantic_settings", "yaml"]
    text = f"import sys, headwater.cli.program; print([name for name in {heavy} if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


def test_a_folder_opens_without_what_only_some_questions_need(lab: Path) -> None:
    """`serve` answers a second after its start because of that: SciPy alone takes a sixth of it, pyshacl and rdflib half."""
    later = ["scipy", "rdflib", "pyshacl", "owlready2", "alembic", "resvg_py", "httpx", "fastapi", "typer", "rich"]
    text = f"""if True:
        import sys
        from headwater.app import Headwater
        from headwater.settings import Settings
        with Headwater.open(Settings(data={str(lab)!r})) as headwater:
            print([name for name in {later} if name in sys.modules])
        import headwater.web.server
        print([name for name in {later} if name in sys.modules])
    """
    ended = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines() == ["[]", "['fastapi']"]


def test_the_reference_page_is_what_the_commands_say() -> None:
    """After a change of the commands: python -m headwater.cli.reference > docs/reference/cli.md"""
    page = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
    assert page.read_text(encoding="utf-8") == reference()


def test_the_version_is_said(headwater: Headwater) -> None:
    assert headwater("--version").out.startswith("headwater 0.")


def test_a_question_to_a_mistyped_folder_is_no_answer_from_an_empty_one(headwater: Headwater) -> None:
    ended = headwater("lineage", "urn:x", "--data", "nowhere")
    assert (ended.code, ended.out) == (2, "")
    assert "no Headwater data in nowhere" in ended.err
    assert "Traceback" not in ended.err
    assert not Path("nowhere").exists()


def test_the_data_folder_may_stand_before_the_command(headwater: Headwater, lab: Path) -> None:
    assert headwater("--data", lab, "query", "failed-runs", "--json").code == 0
    assert headwater("--data", lab, "token", "list", "--json").json == []
    assert headwater("--data", "nowhere", "query", "failed-runs", "--data", lab).code == 0


def test_with_json_an_error_is_a_problem_document_and_standard_output_stays_empty(headwater: Headwater, lab: Path) -> None:
    ended = headwater("impact", "urn:unknown", "--json", "--data", lab)
    assert (ended.code, ended.out) == (2, "")
    assert ended.problem["status"] == 404
    assert {"type", "title", "detail", "remedy"} <= ended.problem.keys()


def test_a_wrong_option_is_a_problem_document_too(headwater: Headwater) -> None:
    ended = headwater("impact", "--json", "--no-such-option")
    assert ended.code == 2
    assert "no-such-option" in ended.problem["detail"]


def test_a_wrong_setting_is_named(headwater: Headwater, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_PORT", "seventy")
    ended = headwater("doctor")
    assert ended.code == 2
    assert "port" in ended.err


def test_output_that_nobody_reads_ends_quietly(lab: Path) -> None:
    """`headwater dump | true`: no traceback."""
    command = f"{sys.executable} -m headwater dump --data {lab} | true"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert ended.stderr == ""


def test_no_colour_codes_are_written_to_a_file(headwater: Headwater, lab: Path) -> None:
    ended = headwater("lineage", "https://lab.example/model-a", "--data", lab)
    assert ended.code == 0
    assert "\x1b" not in ended.out


def test_a_name_from_a_file_cannot_act_on_the_terminal(headwater: Headwater) -> None:
    name = '<http://www.w3.org/2000/01/rdf-schema#label> "a\\u001B[2Jb\\u202Ec"'
    Path("evil.ttl").write_text(f"<https://e.x/m> a <http://www.w3.org/ns/mls#Model> ; {name} .")
    assert headwater("import", "evil.ttl", "--data", "d").code == 0
    for asked in (["lineage", "https://e.x/m"], ["query", "objects-of-kind", "--param", "kind=model"]):
        ended = headwater(*asked, "--data", "d")
        assert ended.code == 0
        assert "a?[2Jb?c" in ended.out
        assert "\x1b" not in ended.out


def test_doctor_lists_what_is_plugged_in_and_how_the_folder_stands(headwater: Headwater, lab: Path) -> None:
    ended = headwater("doctor", "--json", "--data", lab)
    assert ended.code == 0
    found = ended.json
    assert {entry["name"] for entry in found["importers"]} >= {"mlflow", "rdf"}
    assert found["data"]["status"]["ledger"] == found["data"]["status"]["index"] == 1
    assert any("127.0.0.1" in warning for warning in found["warnings"])
    assert headwater("doctor", "--data", "nowhere").code == 0
    assert not Path("nowhere").exists()


def test_a_folder_in_use_says_by_whom(headwater: Headwater, lab: Path) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"from headwater.app import Headwater; from headwater.settings import load\n"
            f"with Headwater.open(load(data={str(lab)!r})): print('open', flush=True); input()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "open\n"
    try:
        ended = headwater("verify", "--data", lab)
        assert ended.code == 1
        assert str(holder.pid) in ended.err
        assert headwater("doctor", "--json", "--data", lab).json["data"]["state"] == "in use"
        assert headwater("token", "create", "ada", "--data", lab).code == 0
        assert headwater("backup", "copy.sqlite", "--data", lab).code == 0
    finally:
        holder.communicate("\n", timeout=20)


def test_json_of_every_answer_is_one_document(headwater: Headwater, lab: Path) -> None:
    one = headwater("lineage", "https://lab.example/model-a", "--json", "--data", lab)
    two = headwater("lineage", "https://lab.example/model-a", "https://lab.example/release", "--json", "--data", lab)
    assert one.json["root"] == "https://lab.example/model-a"
    assert [answer["root"] for answer in two.json] == ["https://lab.example/model-a", "https://lab.example/release"]
    assert json.loads(two.out) == two.json
