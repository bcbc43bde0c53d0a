"""The SPARQL page: the answer as a person reads it, with links that may be followed, bounded, and safe with hostile content."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from pyoxigraph import Literal, NamedNode, Triple

from headwater.app import Headwater
from headwater.web.answer_rows import MOST_ROWS, FirstLines, cell, statements, table
from headwater.web.editor import questions
from tests.web.conftest import BASE, PREFIXES, Client, load
from tests.web.test_pages import read

SELECT = "PREFIX hw: <https://w3id.org/headwater/terms#> SELECT ?m WHERE { ?m a hw:Model }"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def _asked(client: Client, query: str, more: str = "") -> str:
    return client.get(f"/sparql?query={quote(query)}{more}", accept=BROWSER).text


def _links(page: str) -> list[dict[str, str | None]]:
    return [attrs for tag, attrs in read(page).tags if tag == "a"]


def test_a_browser_gets_the_editor_and_a_program_the_description_by_their_weights(lab: Client) -> None:
    assert "<textarea" in lab.get("/sparql", accept=BROWSER).text
    assert lab.get("/sparql", accept="text/html;q=0.4, text/turtle;q=0.5").headers["content-type"].startswith("text/turtle")
    assert lab.get("/sparql", accept="text/turtle;q=0.4, text/html;q=0.5").headers["content-type"].startswith("text/html")
    assert lab.get("/sparql?format=turtle", accept=BROWSER).headers["content-type"].startswith("text/turtle")


def test_things_of_ours_link_to_their_pages_and_terms_to_their_definitions(lab: Client) -> None:
    page = _asked(lab, SELECT.replace("?m WHERE { ", "?m ?t WHERE { BIND (hw:Model AS ?t) "))
    found = {attrs.get("href") for attrs in _links(page)}
    assert {"/object/model/svm", "/terms/Model"} <= found
    assert ">model/svm<" in page.replace("<bdi>", "").replace("</bdi>", "")


def test_types_and_languages_are_told_and_numbers_stand_to_the_right(lab: Client) -> None:
    page = _asked(lab, 'SELECT * { VALUES ?v { "Wort"@de "2025-01-01"^^<http://www.w3.org/2001/XMLSchema#date> 7 } }')
    assert '<bdi lang="de">Wort</bdi> <span class="type">de</span>' in page
    assert '<span class="type">xsd:date</span>' in page
    assert '<td class="number" title="xsd:integer">' in page


def test_yes_no_and_nothing_are_said_in_words(lab: Client) -> None:
    assert '<p class="verdict" id="truth">Yes</p>' in _asked(lab, "ASK { ?s ?p ?o }")
    assert '<p class="verdict" id="truth">No</p>' in _asked(lab, "ASK { <urn:none> ?p ?o }")
    assert "Nothing fits." in _asked(lab, "SELECT * { <urn:none> ?p ?o }")


def test_a_graph_comes_as_statements_as_turtle_and_as_a_picture(lab: Client) -> None:
    query = "PREFIX prov: <http://www.w3.org/ns/prov#> CONSTRUCT WHERE { ?run prov:used ?data }"
    page = _asked(lab, query)
    assert 'id="statements"' in page
    assert "prov:used" in page.partition('<pre id="turtle">')[2]
    picture = page[page.index("<svg") : page.index("</svg>", page.index("hw-picture"))]
    assert 'href="/object/run/fit-svm"' in picture
    assert "3 statements" in page


def test_an_answer_tells_its_rows_its_time_and_the_state_that_it_speaks_of(lab: Client) -> None:
    page = _asked(lab, SELECT + " # told")
    assert ">1 row<" in page
    assert f'<span id="sequence">{lab.headwater.sequence}</span>' in page
    assert "0.01 s" in page or " s · as of ledger entry" in page
    assert "was asked before" in _asked(lab, SELECT + " # told")


def test_every_format_is_a_download_of_the_whole_answer(lab: Client) -> None:
    for query, formats in ((SELECT, ("json", "xml", "csv", "tsv")), ("DESCRIBE <urn:x>", ("turtle", "jsonld", "ntriples"))):
        found = {attrs.get("href") or "" for attrs in _links(_asked(lab, query))}
        for format in formats:
            (link,) = {one for one in found if one.endswith(f"&format={format}")}
            assert parse_qs(urlsplit(link).query)["query"] == [query]
            assert lab.get(link, accept=BROWSER).status_code == 200
            assert not lab.get(link, accept=BROWSER).headers["content-type"].startswith("text/html")


def test_only_the_first_thousand_rows_are_shown_and_that_is_said(lab: Client) -> None:
    tens, ones = " ".join(map(str, range(50))), " ".join(map(str, range(41)))
    many = f"SELECT ?a ?b {{ VALUES ?a {{ {tens} }} VALUES ?b {{ {ones} }} }}"
    page = _asked(lab, many)
    assert "2\u202f050 rows" in page
    assert "The first 1\u202f000 of 2\u202f050 rows are shown." in page
    assert page.count("<tr>") == MOST_ROWS + 1


def test_a_long_text_is_sent_and_downloaded_by_post(lab: Client) -> None:
    query = SELECT + " # " + "x" * 8000
    page = lab.post("/sparql", f"query={quote(query)}", "application/x-www-form-urlencoded", Accept=BROWSER).text
    assert ">1 row<" in page
    assert "link to this question" not in page
    assert '<button class="quiet" name="format" value="csv">' in page
    by_post = lab.post("/sparql", f"query={quote(query)}&format=csv", "application/x-www-form-urlencoded", Accept=BROWSER)
    assert by_post.text.splitlines() == ["m", f"{BASE}id/model/svm"]


def test_the_graphs_that_were_asked_stay_asked(lab: Client) -> None:
    page = _asked(lab, "SELECT * { ?s ?p ?o }", "&default-graph-uri=urn:x&named-graph-uri=urn:y")
    assert "Nothing fits." in page
    assert '<input type="hidden" name="default-graph-uri" value="urn:x">' in page
    assert "default-graph-uri=urn%3Ax&amp;named-graph-uri=urn%3Ay&amp;format=csv" in page


@pytest.mark.parametrize("name", [name for name, one in questions().items() if one.category in ("", "competency")])
def test_a_ready_question_runs_as_it_is_filled_in(lab: Client, name: str) -> None:
    page = lab.get(f"/sparql?example={name}", accept=BROWSER)
    assert page.status_code == 200
    text = page.text.partition("<textarea")[2].partition(">\n")[2].partition("</textarea>")[0]
    query = text.replace("&lt;", "<").replace("&gt;", ">").replace("&#34;", '"').replace("&#39;", "'").replace("&amp;", "&")
    answer = lab.get(f"/sparql?query={quote(query)}", accept="application/sparql-results+json")
    assert answer.status_code == 200, answer.text


def test_a_ready_question_takes_what_the_form_was_given(lab: Client) -> None:
    page = lab.get("/sparql?example=what-trained-this-model&model=model/svm", accept=BROWSER).text
    assert f"VALUES ?model {{ &lt;{BASE}id/model/svm&gt; }}" in page
    assert "example=what-trained-this-model&amp;model=model%2Fsvm" in lab.get("/ask/what-trained-this-model?model=model/svm").text
    assert lab.get("/sparql?example=none-such", accept=BROWSER).status_code == 404
    assert lab.get("/sparql?example=failed-runs&colour=red", accept=BROWSER).status_code == 422
    assert lab.get("/sparql?example=what-trained-this-model&model=none/such", accept=BROWSER).status_code == 404


def test_a_form_offers_things_by_their_names_and_what_is_not_found_can_be_searched(lab: Client) -> None:
    page = lab.get("/ask/what-trained-this-model", accept=BROWSER).text
    assert '<option value="model/svm">digits-svm</option>' in page
    missing = lab.get("/ask/what-trained-this-model?model=digits", accept=BROWSER)
    assert (missing.status_code, "/search?q=digits" in missing.text) == (404, True)
    assert "/search?q=digits" in lab.get("/lineage?question=impact&id=digits", accept=BROWSER).text


def test_an_error_shows_its_place_and_what_to_do(lab: Client) -> None:
    answer = lab.get(f"/sparql?query={quote('SELECT * {' + chr(10) + '  ?s a hw:Model }')}", accept=BROWSER)
    assert answer.status_code == 400
    assert 'data-line="2"' in answer.text
    assert "Declare it: PREFIX hw:" in answer.text
    mended = next(attrs["href"] or "" for attrs in _links(answer.text) if attrs.get("class") == "button quiet")
    assert ">1 row<" in lab.get(mended, accept=BROWSER).text


def test_a_query_that_is_refused_before_it_is_read_keeps_its_page(lab: Client) -> None:
    answer = lab.get(f"/sparql?query={quote('SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }')}", accept=BROWSER)
    assert answer.status_code == 400
    assert "SERVICE is not allowed here" in answer.text
    assert "<textarea" in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_a_stranger_sees_on_the_page_only_what_is_public(lab: Client, stranger: Client) -> None:
    query = f"SELECT ?l {{ <{BASE}id/dataset/secret> <http://www.w3.org/2000/01/rdf-schema#label> ?l }}"
    assert "embargoed" in _asked(lab, query)
    assert "embargoed" not in _asked(stranger, query)
    named = _asked(stranger, f"SELECT ?s {{ BIND (<{BASE}id/dataset/secret> AS ?s) }}")
    assert "/object/dataset/secret" not in named
    for example in ("what-uses-this-dataset", "where-is-this-model-deployed"):
        assert "secret" not in stranger.get(f"/sparql?example={example}", accept=BROWSER).text


HOSTILE = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,%3Cscript%3Ealert(1)%3C/script%3E",
    "vbscript:msgbox(1)",
    "http://evil.example/'onmouseover='alert(1)",
    "urn:x'><script>alert(1)</script>".replace("<", "%3C").replace(">", "%3E"),
]


@pytest.mark.parametrize("iri", HOSTILE)
def test_a_hostile_iri_is_never_a_link_that_runs(lab: Client, iri: str) -> None:
    for query in (f"SELECT * {{ BIND (<{iri}> AS ?x) }}", f"CONSTRUCT {{ <{iri}> <{iri}> <{iri}> , <urn:o> }} {{}}"):
        page = _asked(lab, query)
        assert "<script>" not in page
        for attrs in _links(page):
            assert (attrs["href"] or "").startswith(("/", "#", "http://", "https://")), attrs
            assert not any(name.startswith("on") for name in attrs)
        assert read(page).wrong == []


@pytest.mark.parametrize(
    "text", ['"><script>alert(1)</script>', "</textarea><script>alert(1)</script>", "</pre><img src=x onerror=alert(1)>"]
)
def test_a_hostile_text_stays_a_text(lab: Client, text: str) -> None:
    term = json.dumps(text)
    for query in (
        f"SELECT * {{ BIND ({term} AS ?x) }}",
        f"SELECT * {{ BIND ({term}@en AS ?x) }}",
        f"SELECT * {{ BIND (STRDT({term}, <urn:{quote(text)}>) AS ?x) }}",
        f"CONSTRUCT {{ <urn:s> <http://www.w3.org/2000/01/rdf-schema#label> {term} ; <urn:p> <urn:o> }} {{}}",
        f"SELECT {text}",
    ):
        page = _asked(lab, query)
        assert "<script>" not in page
        assert "<img src=x" not in page
        assert read(page).wrong == []
        assert page.count("</textarea>") == 1


def test_a_hostile_name_of_a_thing_stays_a_name_in_the_picture(writable: Headwater, tmp_path: Path) -> None:
    name = "</svg><script>alert(1)</script>"
    load(writable, tmp_path / "h.ttl", f'{PREFIXES} <{BASE}id/run/r> a hw:Run ; rdfs:label "{name}" ; prov:used <urn:d> .')
    page = _asked(
        Client(writable),
        "CONSTRUCT WHERE { ?s <http://www.w3.org/ns/prov#used> ?o ; <http://www.w3.org/2000/01/rdf-schema#label> ?l }",
    )
    assert "hw-picture" in page
    assert "<script>" not in page


def test_a_row_too_large_for_a_page_is_counted_and_not_shown() -> None:
    lines = FirstLines(10, most_bytes=100)
    for piece in (b"?x\n", b'"' + b"a" * 500, b'"\n"b"\n'):
        lines.take(piece)
    shown = table(lines, lambda _: None, BASE)
    assert (shown.rows, shown.total) == ((), 2)


def test_statements_about_statements_are_shown_whole() -> None:
    inner = Triple(NamedNode("urn:s"), NamedNode("urn:p"), Literal("o"))
    shown = cell(inner, lambda _: None, BASE)
    assert [part.text for part in shown.parts] == ["urn:s", "urn:p", "o"]
    lines = FirstLines(10)
    lines.take(f"<urn:s> <urn:p> {inner} .\n".replace(str(inner), f"<<( {inner} )>>").encode())
    assert [part.text for part in (statements(lines, lambda _: None, BASE).rows[0][2] or shown).parts] == ["urn:s", "urn:p", "o"]


def test_the_script_and_its_words_are_ours_and_small(lab: Client) -> None:
    script = lab.get("/static/editor.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert len(script.content) < 15_000
    words = lab.get("/static/words.json").json()
    assert words["prefixes"]["hw"] == "https://w3id.org/headwater/terms#"
    assert words["terms"]["hw:Model"] == "model"
    assert "hw:labels-corrected" in words["terms"]
    assert all(":" in term for term in words["terms"])


def test_what_changes_by_itself_is_kept_by_nobody(lab: Client) -> None:
    answer = lab.get(f"/sparql?query={quote('SELECT (NOW() AS ?now) {}')}", accept="text/csv")
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers


def test_a_page_and_an_answer_are_not_sent_twice(lab: Client) -> None:
    for accept in (BROWSER, "text/csv", "application/sparql-results+json"):
        first = lab.get(f"/sparql?query={quote(SELECT)}", accept=accept)
        assert first.headers["cache-control"] == "private, no-cache"
        again = lab.get(f"/sparql?query={quote(SELECT)}", accept=accept, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["cache-control"] == "private, no-cache"
        assert {part.strip() for part in again.headers["vary"].split(",")} >= {"Accept", "Authorization"}


def test_what_everybody_may_see_may_be_kept_by_a_cache_of_several(stranger: Client) -> None:
    assert stranger.get(f"/sparql?query={quote(SELECT)}", accept="text/csv").headers["cache-control"] == "no-cache"


def test_the_method_query_has_a_validator_and_post_has_none(lab: Client) -> None:
    def ask(method: str, query: str, **headers: str) -> tuple[int, str | None]:
        sent = {"Content-Type": "application/sparql-query", "Accept": "text/csv", **headers}
        answer = lab.request(method, "/sparql", content=query, headers=sent)
        return answer.status_code, answer.headers.get("etag")

    _, etag = ask("QUERY", SELECT)
    assert etag
    assert ask("QUERY", SELECT, **{"If-None-Match": etag})[0] == 304
    assert ask("QUERY", SELECT + " LIMIT 0", **{"If-None-Match": etag})[0] == 200
    assert ask("POST", SELECT) == (200, None)
    assert ask("POST", SELECT, **{"If-None-Match": etag})[0] == 200


def test_head_tells_what_get_would(lab: Client) -> None:
    for accept in (BROWSER, "text/csv", "text/turtle"):
        address = "/sparql" if accept == "text/turtle" else f"/sparql?query={quote(SELECT)}"
        got, head = lab.get(address, accept=accept), lab.request("HEAD", address, headers={"Accept": accept})
        assert (head.status_code, head.content) == (200, b"")
        for name in ("content-type", "etag", "vary", "cache-control", "headwater-sequence"):
            assert head.headers.get(name) == got.headers.get(name)
