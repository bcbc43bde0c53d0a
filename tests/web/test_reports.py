"""The yearly report over HTTP: JSON, CSV and a page in two languages, with the same numbers; and what is refused."""

from __future__ import annotations

import csv
import io

import pytest

from headwater.web.report_words import WORDS
from tests.web.conftest import BASE, HOSTILE, SECRET, Client

DATA = "dataset/digits-v1"
ASKED = f"/api/v1/benefits/report?id={DATA}&year=2025"


def test_the_report_tells_of_its_year(lab: Client) -> None:
    told = lab.get(ASKED).json()
    assert (told["root"], told["year"], told["label"]) == (f"{BASE}id/{DATA}", 2025, "digits, first labels")
    assert told["results"]["model"]["things"] == [{"id": f"{BASE}id/model/svm", "kind": "model", "label": "digits-svm"}]
    assert lab.get(told["_links"]["self"]).json()["summary"] == told["summary"]
    assert lab.get(told["_links"]["html"]).status_code == 200


def test_the_table_holds_the_same_numbers(lab: Client) -> None:
    told = lab.get(ASKED).json()
    answer = lab.get(f"{ASKED}&format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "headwater-benefits-2025.csv" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    found = {(row["part"], row["what"], row["kind"]): row["value"] for row in rows if row["what"] != "named"}
    for name in ("total", "new", "before", "undated"):
        assert found["summary", name, ""] == str(told["summary"][name])
    assert found["results", "new", "model"] == "1"
    assert found["compute", "hours, year", "run"] == ""
    assert [row["id"] for row in rows if (row["part"], row["what"], row["kind"]) == ("results", "named", "model")] == [
        f"{BASE}id/model/svm"
    ]


@pytest.mark.parametrize("address", [f"/report?id={DATA}&year=2025", f"/report/{DATA}?year=2025"])
def test_the_page_speaks_english_and_german(lab: Client, address: str) -> None:
    english, german = lab.get(address), lab.get(f"{address}&language=de")
    assert (english.headers["content-language"], german.headers["content-language"]) == ("en", "de")
    assert "Computing time and energy" in english.text
    assert "Rechenzeit und Energie" in german.text
    assert '<article lang="de">' in german.text
    assert lab.get(address, headers={"Accept-Language": "de-AT"}).headers["content-language"] == "de"
    assert "digits-svm" in german.text


def test_without_a_thing_the_page_is_a_form(lab: Client) -> None:
    for address in ("/report", "/report?id=&year="):
        answer = lab.get(address)
        assert (answer.status_code, 'name="year"' in answer.text) == (200, True)


def test_a_browser_that_asks_the_interface_is_sent_to_the_page(lab: Client) -> None:
    answer = lab.get(ASKED, accept="text/html")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/report?id=")
    assert lab.get(answer.headers["location"]).status_code == 200


@pytest.mark.parametrize("year", ["", "abc", "24", "9999", "0000", "2025-01", "1e3", "%F0%9F%98%80"])
def test_a_year_that_is_none_is_refused_by_name(lab: Client, year: str) -> None:
    answer = lab.get(f"/api/v1/benefits/report?id={DATA}&year={year}")
    assert (answer.status_code, answer.json()["parameter"]) == (422, "year")


def test_an_unknown_parameter_and_a_missing_year_are_refused(lab: Client) -> None:
    for more in ("&year=2025&depth=2", "", "&year=2025&as_of=2025-01-01"):
        assert lab.get(f"/api/v1/benefits/report?id={DATA}{more}").status_code == 422


def test_the_page_says_what_is_wrong(lab: Client) -> None:
    answer = lab.get(f"/report?id={DATA}&year=9999")
    assert answer.status_code == 422
    assert "9999 has not begun" in answer.text
    assert lab.get("/report?id=dataset/none&year=2025").status_code == 404


def test_hostile_names_stay_text_on_the_page(lab: Client) -> None:
    page = lab.get("/report?id=dataset/hostile&year=2025&language=de")
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "\u202e" not in page.text
    assert "<script>alert" not in lab.get("/report", params={"id": HOSTILE[:200], "year": "2025"}).text


def test_a_stranger_learns_nothing_of_what_is_hidden(stranger: Client) -> None:
    secret = SECRET.split(">")[0].removeprefix("<")
    for address in ("/api/v1/benefits/report", "/report"):
        assert stranger.get(address, params={"id": secret, "year": "2025"}).status_code == 404


def test_what_a_client_holds_is_not_sent_again(lab: Client) -> None:
    etag = lab.get(ASKED).headers["etag"]
    assert lab.get(ASKED, headers={"If-None-Match": etag}).status_code == 304


def test_both_languages_have_a_word_for_everything() -> None:
    assert WORDS["en"].keys() == WORDS["de"].keys()
    for name, words in WORDS["en"].items():
        assert ("{n}" in words, "{of}" in words) == ("{n}" in WORDS["de"][name], "{of}" in WORDS["de"][name])


def test_the_benefits_page_leads_to_the_report(lab: Client) -> None:
    assert f'href="/report?id={DATA.replace("/", "%2F")}"' in lab.get(f"/lineage?question=benefits&id={DATA}").text
