"""Asking on the command line: readable answers for people, stable ones for scripts, the same facts in both."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Headwater = Callable[..., Any]
NOTICE, MODEL = "https://lab.example/notice", "https://lab.example/model-a"


def test_impact_tells_what_changed_how_many_and_why(headwater: Headwater, lab: Path) -> None:
    ended = headwater("impact", NOTICE, "--data", lab)
    assert ended.code == 0
    headline, *rest = ended.out.splitlines()
    assert headline.startswith("wrong lamps (labels corrected): of ")
    assert "▲ major    deployment release 1" in ended.out
    assert "stale, because it was trained on what changed" in ended.out
    assert "by way of: spectra 1 → fit → A" in ended.out
    assert rest[-1].startswith("As of ledger entry")


def test_the_report_and_the_json_agree(headwater: Headwater, lab: Path) -> None:
    answer = headwater("impact", NOTICE, "--json", "--data", lab).json
    states = answer["summary"]["by_state"]
    said = headwater("impact", NOTICE, "--data", lab).out
    assert f"AFFECTED ({states['affected']})" in said
    assert f"of {answer['summary']['total']} things downstream" in said


def test_a_supposed_change_needs_no_notice(headwater: Headwater, lab: Path) -> None:
    ended = headwater("impact", "https://lab.example/test-1", "--change", "labels-corrected", "--data", lab)
    assert ended.code == 0
    assert "metrics invalid" in ended.out
    assert headwater("impact", "https://lab.example/test-1", "--change", "sneezed", "--data", lab).code == 2


@pytest.mark.parametrize("slice_text", ["{", "[1]", '{"colour": "red"}'])
def test_a_slice_that_makes_no_sense_is_refused(headwater: Headwater, lab: Path, slice_text: str) -> None:
    ended = headwater("impact", "https://lab.example/data-1", "--change", "retracted", "--slice", slice_text, "--data", lab)
    assert (ended.code, ended.out) == (2, "")
    assert "slice" in ended.err


@pytest.mark.parametrize(
    "option", [["--depth", "-1"], ["--types", "datset"], ["--roles", "tain"], ["--max-nodes", "0"], ["--min-evidence", "rumour"]]
)
def test_a_wrong_parameter_of_the_walk_is_refused(headwater: Headwater, lab: Path, option: list[str]) -> None:
    for question in ("lineage", "impact", "benefits"):
        ended = headwater(question, "https://lab.example/data-1", *option, "--data", lab)
        assert (ended.code, ended.out) == (2, "")


def test_lineage_is_a_tree_in_words(headwater: Headwater, lab: Path) -> None:
    ended = headwater("lineage", MODEL, "--data", lab)
    assert "└─ was made by run fit\n   └─ was trained on dataset spectra 1" in ended.out
    down = headwater("lineage", MODEL, "--direction", "downstream", "--data", lab)
    assert "└─ is reported in publication Spectra read by machines" in down.out


def test_what_is_cut_is_said(headwater: Headwater, lab: Path) -> None:
    ended = headwater("lineage", MODEL, "--depth", "1", "--data", lab)
    assert "Not complete: things further away than --depth are counted, not listed." in ended.out


def test_benefits_claims_nothing_where_nothing_can_be_compared(headwater: Headwater, lab: Path) -> None:
    ended = headwater("benefits", "https://lab.example/data-1", "--data", lab)
    assert ended.code == 0
    assert "no two runs are known that differ in its revision only" in ended.out


def test_sparql_answers_in_four_forms(headwater: Headwater, lab: Path) -> None:
    text = f"SELECT ?label {{ <{MODEL}> <http://www.w3.org/2000/01/rdf-schema#label> ?label }}"
    assert headwater("query", "-e", text, "--data", lab).out.splitlines() == ["label", "-----", "A"]
    assert headwater("query", "-e", text, "--as", "csv", "--data", lab).out.split() == ["label", "A"]
    assert headwater("query", "-e", text, "--as", "json", "--data", lab).json["results"]["bindings"][0]["label"]["value"] == "A"
    graph = "CONSTRUCT WHERE { ?s <https://w3id.org/headwater/terms#deploys> ?o }"
    turtle = headwater("query", "-e", graph, "--as", "turtle", "--data", lab)
    assert "hw:deploys <https://lab.example/model-a>" in turtle.out
    Path("mine.rq").write_text(text)
    assert headwater("query", "mine.rq", "--data", lab).out.splitlines()[-1] == "A"


@pytest.mark.parametrize(
    "asked",
    [
        ["-e", "SELECT"],
        ["-e", "SELECT * { SERVICE <http://127.0.0.1/> { ?s ?p ?o } }"],
        ["nope"],
        ["missing.rq"],
        ["failed-runs", "-e", "ASK {}"],
        ["objects-of-kind"],
        ["objects-of-kind", "--param", "kind"],
        ["failed-runs", "--as", "turtle"],
    ],
)
def test_a_query_that_cannot_be_run_is_rejected(headwater: Headwater, lab: Path, asked: list[str]) -> None:
    ended = headwater("query", *asked, "--data", lab)
    assert (ended.code, ended.out) == (2, "")


def test_the_questions_are_listed_without_a_data_folder(headwater: Headwater) -> None:
    listed = headwater("query", "--json").json
    assert "failed-runs" in [question["name"] for question in listed]
    assert not [question["name"] for question in listed if question.get("category")]


def test_competency_questions_are_listed_by_their_category(headwater: Headwater) -> None:
    listed = headwater("query", "competency", "--json").json
    assert {question["category"] for question in listed} == {"competency"}
    assert "which-run-made-this-model.mls" in [question["name"] for question in listed]
    assert "more with: headwater query competency" in headwater("query").err


def test_an_identifier_is_understood_as_a_parameter(headwater: Headwater, lab: Path) -> None:
    ended = headwater("query", "what-uses-this-dataset", "--param", "dataset=sha256:" + "aa" * 32, "--as", "csv", "--data", lab)
    assert ended.out.count("https://lab.example/fit") == 1


def test_an_export_goes_to_a_file_whole(headwater: Headwater, lab: Path) -> None:
    assert headwater("export", MODEL, "--as", "model-card", "-o", "card.md", "--data", lab).code == 0
    assert Path("card.md").read_text().startswith("---") or "# " in Path("card.md").read_text()
    assert headwater("export", MODEL, "--as", "papyrus", "--data", lab).code == 2
    assert headwater("export", MODEL, "--as", "turtle", "-o", "no/where.ttl", "--data", lab).code == 1


def test_fields_and_included_parts_are_passed_on(headwater: Headwater, lab: Path) -> None:
    answer = headwater("impact", NOTICE, "--fields", "kind,state", "--include", "paths", "--json", "--data", lab).json
    assert set(answer["nodes"][MODEL]) == {"kind", "state", "path"}
    assert json.dumps(answer)


def test_what_somebody_knows_is_recorded_and_told_beside_the_verdict(headwater: Headwater, lab: Path) -> None:
    said = ("--change", NOTICE, "--state", "in_triage", "--because", "Ben looks at it", "--by", "Ada", "--data", lab)
    ended = headwater("assess", MODEL, *said)
    assert (ended.code, ended.out.strip()) == (0, f"Recorded: Ada says in triage of {MODEL}.")
    assert headwater("assess", MODEL, *said, "--json").json["status"] == "unchanged"
    report = headwater("impact", NOTICE, "--data", lab).out
    assert "in triage; Ben looks at it" in report
    assert "Ada says on " in report


def test_not_affected_without_a_reason_is_refused(headwater: Headwater, lab: Path) -> None:
    ended = headwater("assess", MODEL, "--change", NOTICE, "--state", "not_affected", "--data", lab)
    assert ended.code == 2
    assert "says why" in ended.err


# --- why


def test_why_is_a_sentence_a_chain_and_what_would_overturn_it(headwater: Headwater, lab: Path) -> None:
    ended = headwater("explain", NOTICE, MODEL, "--data", lab)
    assert ended.code == 0
    sentence, *rest = ended.out.splitlines()
    assert sentence.startswith("Model A is affected (major): it was made by run fit, which was trained on data set spectra 1")
    assert "└─ trained run fit: stays stale, because it was trained on what changed" in ended.out
    assert "If any one of these 2 links is wrong, the verdict becomes 'not affected'" in ended.out
    assert rest[-1].startswith("As of ledger entry")


def test_why_of_a_thing_alone_and_of_a_supposed_change(headwater: Headwater, lab: Path) -> None:
    assert headwater("explain", MODEL, "--data", lab).out == headwater("explain", NOTICE, MODEL, "--data", lab).out
    supposed = headwater("explain", "https://lab.example/test-1", MODEL, "--change", "labels-corrected", "--data", lab)
    assert supposed.out.startswith("Model A would not be affected, because")
    assert "What held it up (1)" in supposed.out
    assert "follows from A and held out" in supposed.out


def test_why_for_scripts_in_german_and_as_sparql(headwater: Headwater, lab: Path) -> None:
    answer = headwater("explain", NOTICE, MODEL, "--json", "--language", "de", "--data", lab).json
    assert answer["sentence"].startswith("Modell A ist betroffen (schwer)")
    query = headwater("explain", NOTICE, MODEL, "--sparql", "--data", lab).out
    Path("why.rq").write_text(query)
    assert len(headwater("query", "why.rq", "--as", "csv", "--data", lab).out.splitlines()) == 3


@pytest.mark.parametrize(
    "words",
    [
        [NOTICE],
        [NOTICE, "https://lab.example/none-such"],
        [NOTICE, MODEL, "--change", "retracted"],
        [NOTICE, MODEL, "-k", "0"],
        [NOTICE, MODEL, "--language", "fr"],
        ["https://lab.example/data-1", MODEL, "--change", "retracted", "--slice", "{"],
    ],
)
def test_a_why_that_makes_no_sense_is_refused(headwater: Headwater, lab: Path, words: list[str]) -> None:
    ended = headwater("explain", *words, "--data", lab)
    assert (ended.code, ended.out) == (2, "")


def test_impact_says_how_to_ask_why(headwater: Headwater, lab: Path) -> None:
    assert f"headwater explain {NOTICE} THING" in headwater("impact", NOTICE, "--data", lab).out


def test_benefits_of_a_year_are_a_report_a_table_or_json(headwater: Headwater, lab: Path) -> None:
    asked = ("benefits", "https://lab.example/data-1", "--year", "2026", "--data", lab)
    told = headwater(*asked, "--json").json
    said = headwater(*asked)
    assert said.code == 0
    assert "WHAT CAME OF IT IN THE YEAR" in said.out
    assert f", 2026: {told['summary']['new']:,} new thing" in said.out
    rows = headwater(*asked, "--as", "csv").out.splitlines()
    assert rows[0] == "part,what,id,kind,label,value,unit,note"
    assert f"summary,total,,,,{told['summary']['total']},things," in rows


def test_benefits_can_be_written_to_a_file(headwater: Headwater, lab: Path, tmp_path: Path) -> None:
    for shape in ("table", "csv", "json"):
        path = tmp_path / f"report.{shape}"
        thing = "https://lab.example/data-1"
        ended = headwater("benefits", thing, "--year", "2026", "--as", shape, "-o", path, "--data", lab)
        assert (ended.code, ended.out, path.stat().st_size > 200) == (0, "", True)


@pytest.mark.parametrize(
    "options",
    [["--year", "9999"], ["--year", "soon"], ["--year", "2026", "--depth", "2"], ["--year", "2026", "--as-of", "2026-01-01"]],
)
def test_a_year_that_cannot_be_reported_is_refused(headwater: Headwater, lab: Path, options: list[str]) -> None:
    ended = headwater("benefits", "https://lab.example/data-1", *options, "--data", lab)
    assert (ended.code, ended.out) == (2, "")


def test_a_table_is_of_one_thing(headwater: Headwater, lab: Path) -> None:
    things = ["https://lab.example/data-1", "https://lab.example/test-1"]
    assert headwater("benefits", *things, "--as", "csv", "--data", lab).code == 2
    answers = headwater("benefits", *things, "--year", "2026", "--json", "--data", lab).json
    assert [answer["root"] for answer in answers] == things
