"""`headwater validate` in a pre-commit hook or a CI job: exit codes, forms of report, profiles, and nothing left behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from headwater.cli.profiles_reference import reference
from tests.cli.conftest import LAB, Headwater

HEAD = "@prefix hw: <https://w3id.org/headwater/terms#> . @prefix prov: <http://www.w3.org/ns/prov#> .\n"
CHANGE = HEAD + "<urn:c> a hw:Change ; hw:changeKind hw:bug-found ."
MODEL = HEAD + "<urn:m> a hw:Model ; <http://www.w3.org/2000/01/rdf-schema#label> 'm\x01<&>' ; prov:wasGeneratedBy <urn:r> ."
RUN = HEAD + "<urn:r> a hw:Run ; prov:used <urn:d> . <urn:d> a hw:Dataset ; hw:digest 'md5:0cc175b9c0f1b6a831c399e269772661' ."

FIELDS = (
    *("aiida", "bom", "croissant", "cwlprov", "dvc", "huggingface", "jupyter", "kubeflow", "mex", "ml-schema", "mlflow", "onnx"),
    *("openlineage", "openml", "papers-with-code", "prov", "ro-crate", "snakemake", "tensorboard", "tfx-mlmd", "wandb"),
)

pytestmark = pytest.mark.usefixtures("files")


@pytest.fixture
def files(headwater: Headwater) -> None:
    del headwater  # it sets the working folder
    Path("change.ttl").write_text(CHANGE)
    Path("model.ttl").write_text(MODEL.replace("\x01", "\\u0001"))
    Path("run.ttl").write_text(RUN)
    Path("broken.ttl").write_text("this is\nno Turtle")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["run.ttl"], 0),
        (["run.ttl", "model.ttl", "--profile", "core"], 0),
        (["change.ttl"], 2),
        (["broken.ttl"], 2),
        (["nothing.ttl"], 2),
        (["run.ttl", "change.ttl"], 2),
        (["model.ttl", "run.ttl", "--profile", "retrain-ready"], 2),
        (["run.ttl", "--profile", "retrain-ready"], 2),
        (["run.ttl", "--profile", "perfect"], 2),
        (["run.ttl", "--resolve"], 2),
        (["run.ttl", "--profile", "core", "--resolve"], 2),
        (["run.ttl", "--as", "pdf"], 2),
        (["run.ttl", "--language", "tlh"], 2),
    ],
)
def test_the_exit_code_says_how_it_ended(arguments: list[str], code: int, headwater: Headwater) -> None:
    assert headwater("validate", *arguments).code == code


@pytest.mark.parametrize("form", ["text", "json", "sarif", "junit"])
def test_no_data_folder_is_made_or_opened(form: str, headwater: Headwater) -> None:
    Path("headwater-data").write_text("a file in the place of a folder, which nobody could open")
    before = sorted(path.name for path in Path().iterdir())
    assert headwater("validate", "run.ttl", "--as", form, "--data", "headwater-data").code == 0
    assert sorted(path.name for path in Path().iterdir()) == before


def test_files_are_looked_over_while_another_process_has_the_data_folder_open(headwater: Headwater, lab: Path) -> None:
    from headwater.app import Headwater as Opened
    from headwater.settings import Settings

    with Opened.open(Settings(data=lab)):
        assert headwater("validate", "run.ttl", "--data", lab).code == 0
        assert headwater("validate", "https://lab.example/model-a", "--data", lab).code == 1


def test_what_one_source_says_counts_for_the_others(headwater: Headwater) -> None:
    def met(*sources: str) -> int:
        whole = headwater("validate", *sources, "--profile", "retrain-ready", "--as", "json").json
        (told,) = whole["objects"]
        return int(told["fulfilled"])

    assert met("model.ttl") == 1
    assert met("model.ttl", "run.ttl") == met("run.ttl", "model.ttl") == 3


def test_a_contradiction_between_two_sources_is_found(headwater: Headwater) -> None:
    Path("other.ttl").write_text(HEAD + "<urn:x> prov:wasDerivedFrom <urn:d> .")
    Path("one.ttl").write_text(HEAD + "<urn:y> prov:wasGeneratedBy <urn:x> .")
    assert headwater("validate", "other.ttl").code == headwater("validate", "one.ttl").code == 0
    assert headwater("validate", "other.ttl", "one.ttl").code == 2


def test_the_json_report_holds_what_both_gate_and_profile_found(headwater: Headwater) -> None:
    whole = headwater("validate", "model.ttl", "change.ttl", "--profile", "retrain-ready", "--json").json
    assert whole["conforms"] is False
    assert whole["profile"] == "retrain-ready"
    assert [source["ok"] for source in whole["sources"]] == [True, False]
    (told,) = whole["objects"]
    assert (told["source"], told["focus"], told["fulfilled"], told["total"]) == ("model.ttl", "urn:m", 1, 9)


def test_findings_speak_german_where_they_are_asked_to(headwater: Headwater) -> None:
    ended = headwater("validate", "change.ttl", "model.ttl", "--profile", "retrain-ready", "--language", "de")
    assert "Die Änderung sagt nicht, was sich geändert hat." in ended.out
    assert "Bereit zum Nachtrainieren" in ended.out


def test_a_profile_that_finds_nothing_to_judge_does_not_pass_silently(headwater: Headwater) -> None:
    ended = headwater("validate", "run.ttl", "--profile", "retrain-ready")
    assert ended.code == 2
    assert "Nothing in these sources is of a kind that the profile retrain-ready judges." in ended.out


def test_stored_objects_are_judged_by_their_identifiers(headwater: Headwater, lab: Path) -> None:
    ended = headwater("validate", "https://lab.example/model-a", "--profile", "retrain-ready", "--data", lab, "--as", "json")
    assert ended.code == 2
    (told,) = ended.json["objects"]
    assert (told["source"], told["label"], told["fulfilled"]) == (None, "A", 3)
    core = headwater("validate", "https://lab.example/model-a", "--data", lab)
    assert core.code == 0
    assert "Core: " in core.out


def test_a_look_finds_files_that_changed_or_are_gone(headwater: Headwater) -> None:
    Path("digits.csv").write_text("a")
    Path("places.ttl").write_text(f"{HEAD}<urn:d> hw:location '{Path().resolve()}/digits.csv' .")
    command = ("validate", "model.ttl", "run.ttl", "places.ttl", "--profile", "retrain-ready", "--resolve")
    (place,) = headwater(*command, "--json").json["objects"][0]["places"]
    assert (place["state"], place["digest"]) == ("resolvable", "same")
    assert "still there, the digest is the same" in headwater(*command).out
    Path("digits.csv").write_text("b")
    assert "BUT THE DIGEST DIFFERS" in headwater(*command).out
    assert "data that are still the same" in headwater(*command).out
    Path("digits.csv").unlink()
    told = headwater(*command)
    assert "gone: There is no such file on this machine." in told.out
    assert "- data that are still there" in told.out
    assert "retrain-data-there" in headwater(*command, "--as", "sarif").out


def test_an_identifier_that_nobody_knows_is_refused(headwater: Headwater, lab: Path) -> None:
    ended = headwater("validate", "model/nobody", "--data", lab)
    assert ended.code == 2
    assert "model/nobody: there is no such file or folder, and nothing in lab is called so" in ended.err
    assert headwater("validate", "https://lab.example/data-1", "--profile", "retrain-ready", "--data", lab).code == 2


def test_a_report_goes_whole_into_a_file(headwater: Headwater) -> None:
    ended = headwater("validate", "change.ttl", "--as", "sarif", "-o", "report.sarif")
    assert (ended.code, ended.out) == (2, "")
    assert json.loads(Path("report.sarif").read_text())["version"] == "2.1.0"
    assert headwater("validate", "change.ttl", "--output", "report.txt").code == 2
    assert "It does not conform" in Path("report.txt").read_text()


# --- SARIF


def _sarif(headwater: Headwater, *arguments: str) -> dict[str, Any]:
    log = headwater("validate", *arguments, "--as", "sarif").json
    assert isinstance(log, dict)
    return log


def test_a_sarif_log_has_what_the_standard_demands(headwater: Headwater) -> None:
    log = _sarif(headwater, "change.ttl", "model.ttl", "broken.ttl", "--profile", "retrain-ready")
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 2}]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        for location in result["locations"]:
            assert location["physicalLocation"]["region"]["startLine"] >= 1
            assert not location["physicalLocation"]["artifactLocation"]["uri"].startswith("/")
    found = {result["ruleId"]: result for result in run["results"]}
    assert found["change-has-object"]["level"] == "error"
    assert found["change-time"]["level"] == "note"
    assert found["retrain-seed"]["level"] == "warning"
    assert found["unreadable"]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "broken.ttl"


def test_a_finding_keeps_its_fingerprint_from_run_to_run(headwater: Headwater) -> None:
    first, again = (_sarif(headwater, "change.ttl")["runs"][0]["results"] for _ in range(2))
    assert first == again
    prints = [result["partialFingerprints"]["headwater/v1"] for result in first]
    assert len(set(prints)) == len(prints)


def test_addresses_of_files_are_uris_below_the_working_folder(headwater: Headwater) -> None:
    Path("my runs").mkdir()
    Path("my runs/change 1.ttl").write_text(CHANGE)
    for name in ("my runs/change 1.ttl", str(Path("my runs/change 1.ttl").resolve())):
        (where,) = {
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
            for result in _sarif(headwater, name)["runs"][0]["results"]
        }
        assert where == "my%20runs/change%201.ttl"


def test_a_stored_object_has_a_logical_location_only(headwater: Headwater, lab: Path) -> None:
    log = _sarif(headwater, "https://lab.example/model-a", "--data", str(lab), "--profile", "retrain-ready")
    for result in log["runs"][0]["results"]:
        (location,) = result["locations"]
        assert location == {"logicalLocations": [{"fullyQualifiedName": "https://lab.example/model-a", "kind": "resource"}]}


# --- JUnit


def test_a_junit_report_counts_what_failed(headwater: Headwater) -> None:
    ended = headwater("validate", "change.ttl", "model.ttl", "broken.ttl", "--profile", "retrain-ready", "--as", "junit")
    root = ElementTree.fromstring(ended.out)
    assert root.tag == "testsuites"
    cases = list(root.iter("testcase"))
    assert int(root.get("tests", "")) == len(cases)
    for element in (root, *root.iter("testsuite")):
        for plural, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(element.get(plural, "")) == sum(case.find(tag) is not None for case in element.iter("testcase"))
    assert root.get("errors") == "1"
    assert root.get("skipped") == "2"
    names = {case.get("name", "") for case in cases if case.get("classname") == "headwater.retrain-ready"}
    assert any(name.endswith(": the training run") for name in names)


def test_no_label_breaks_the_xml(headwater: Headwater) -> None:
    ended = headwater("validate", "model.ttl", "--profile", "core", "--as", "junit")
    names = [case.get("name", "") for case in ElementTree.fromstring(ended.out).iter("testcase")]
    assert any("m\ufffd<&>" in name for name in names)


def test_a_junit_report_of_a_profile_without_objects_fails(headwater: Headwater) -> None:
    root = ElementTree.fromstring(headwater("validate", "run.ttl", "--profile", "retrain-ready", "--as", "junit").out)
    assert root.get("failures") == "1"


# --- pages and real files


def test_the_page_of_the_profiles_is_what_their_files_say() -> None:
    """After a change: python -m headwater.cli.profiles_reference > docs/reference/profiles.md"""
    page = Path(__file__).parents[2] / "docs" / "reference" / "profiles.md"
    assert page.read_text(encoding="utf-8") == reference()


def test_a_terminal_sees_the_same_as_a_file(headwater: Headwater) -> None:
    headwater("validate", LAB, "--profile", "retrain-ready", "-o", "report.txt")
    assert Path("report.txt").read_text() == headwater("validate", LAB, "--profile", "retrain-ready").out


# Documents of a test suite for PROV tools that are wrong by PROV's own constraints.
REFUSED = {
    "bundle2.json": "one thing is an activity in one bundle and an entity in the other",
    "derivation9.json": "a derivation without its source",
    "derivation9.xml": "a derivation without its source",
}


@pytest.mark.parametrize("field", FIELDS)
def test_real_samples_pass_the_gate_after_import(field: str, shared: Path, headwater: Headwater) -> None:
    """What importers read of other projects' files has no violation; a part that cannot be read is no business of the gate."""
    folder = shared / "realdata" / field
    # One by one: the documents of a suite give one name to different things.
    sources = [path for path in sorted(folder.rglob("*")) if path.is_file()] if field == "prov" else [folder]
    rejected, read = {}, 0
    for path in sources:
        whole = headwater("validate", path, "--as", "json").json
        for source in whole["sources"]:
            read += len(source["records"])
            gates = [record["gate"] for record in source["records"] if record["status"] == "rejected"]
            if gates and Path(source["source"]).name not in REFUSED:
                rejected[source["source"]] = gates
    if not read:
        pytest.skip(f"no importer reads a sample of {field} yet")
    assert rejected == {}
