"""The pages: well-formed, readable without a script, free of other hosts, and safe with hostile names."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from headwater.app import Headwater
from tests.web.conftest import BASE, PREFIXES, Client, load

PAGES = [
    "/",
    "/search",
    "/search?q=digits&kind=dataset",
    "/search?q=nothing-of-this-name",
    "/object/dataset/digits-v1",
    "/object/model/svm",
    "/object/run/fit-svm",
    "/object/publication/paper",
    "/object?id=https://w3id.org/headwater/terms%23Model",
    "/object/dataset/hostile",
    "/object/run/victim",
    "/lineage",
    "/lineage?id=model/svm",
    "/lineage?question=impact&id=dataset/digits-v1&change=labels-corrected&direction=&types=",
    "/lineage?question=benefits&id=dataset/digits-v1",
    "/lineage?id=dataset/hostile&direction=both",
    "/lineage?question=explain&id=model/svm",
    "/lineage?question=explain&id=dataset/digits-v1&to=publication/paper&change=retracted&direction=&types=",
    "/lineage?question=explain&id=dataset/hostile&to=run/victim",
    "/lineage?question=explain&id=dataset/held-out&to=model/svm&change=labels-corrected",
    "/lineage?question=explain&id=dataset/digits-v1&to=%22%3E%3Cscript%3E",
    "/lineage?id=none-such",
    "/sparql",
    "/sparql?query=SELECT%20*%20%7B%3Fs%20%3Fp%20%3Fo%7D%20LIMIT%205",
    "/sparql?query=CONSTRUCT%20WHERE%20%7B%3Fs%20%3Fp%20%3Fo%7D%20LIMIT%205",
    "/sparql?query=%3C%2Ftextarea%3E%3Cscript%3E",
    "/ask",
    "/ask/failed-runs",
    "/docs",
    "/audits",
    "/terms",
    "/no-such-page",
    "/search?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "/lineage?id=%22%3E%3Cscript%3E",
]
VOID = {"meta", "link", "input", "img", "br", "hr"}


class Checked(HTMLParser):
    """Collects what a page holds, and complains about tags that do not close."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.ids: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"</{tag}> closes {self.open[-1:]}")
        elif tag not in VOID:
            self.open.pop()


def read(text: str) -> Checked:
    page = Checked()
    page.feed(text)
    page.close()
    return page


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_well_formed_and_accessible(lab: Client, path: str) -> None:
    answer = lab.get(path, accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = read(answer.text)
    assert (page.wrong, page.open) == ([], [])
    assert len(page.ids) == len(set(page.ids))
    tags = [tag for tag, _ in page.tags]
    assert tags.count("h1") == 1
    assert tags.count("main") == 1
    assert ("html", {"lang": "en"}) in page.tags
    assert ("a", {"class": "skip", "href": "#content"}) in page.tags
    labelled = {attrs.get("for") for tag, attrs in page.tags if tag == "label"}
    for tag, attrs in page.tags:
        if tag in ("select", "textarea") or (tag == "input" and attrs.get("type") != "hidden"):
            assert attrs.get("aria-label") or attrs.get("id") in labelled
        if tag == "th":
            assert attrs.get("scope") in ("col", "row")
        if tag == "img":
            assert "alt" in attrs


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_nothing_from_another_host_and_runs_no_script_but_the_editors_own(lab: Client, path: str) -> None:
    answer = lab.get(path, accept="text/html")
    for tag, attrs in read(answer.text).tags:
        if tag in ("link", "img", "form", "iframe", "object", "embed", "use"):
            address = attrs.get("href") or attrs.get("src") or attrs.get("action") or ""
            assert not re.match(r"(?i)(https?:)?//|javascript:|data:", address), (tag, attrs)
        if tag == "script":
            editor = {"src": "/static/editor.js", "defer": None} if path.startswith("/sparql") else None
            assert attrs in ({"type": "application/ld+json"}, editor)
        if tag == "a":
            assert re.match(r"[/#?]|https?://", attrs.get("href") or ""), attrs
        assert not any(name.startswith("on") for name in attrs)
        assert "style" not in attrs
        assert tag != "style"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert ("script-src 'self';" if path.startswith("/sparql") else "script-src 'none';") in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", [path for path in PAGES if "hostile" in path or "victim" in path or "%3C" in path])
def test_a_hostile_name_stays_a_name(lab: Client, path: str) -> None:
    text = lab.get(path, accept="text/html").text
    assert "<script>" not in text
    assert "<img src=x" not in text
    assert len(text) < 100_000


def test_pages_stay_small(lab: Client) -> None:
    for path in PAGES:
        assert len(lab.get(path, accept="text/html").content) <= 100_000, path


def test_the_page_of_a_hub_stays_a_page(writable: Headwater, tmp_path: Path) -> None:
    label = "a run with a name as long as names of runs become when people put every setting into them, " * 2
    runs = "".join(f'<{BASE}id/run/r{i}> a hw:Run ; rdfs:label "{i} {label}" ; prov:used :d . ' for i in range(400))
    load(
        writable, tmp_path / "hub.ttl", f'{PREFIXES} @prefix : <{BASE}id/dataset/> . :d a hw:Dataset ; rdfs:label "hub" . {runs}'
    )
    page = Client(writable).get("/object/dataset/d", accept="text/html")
    assert "40 of 400 are shown" in page.text
    assert "more" in page.text
    assert len(page.content) < 100_000


def test_the_landing_page_says_what_is_known(lab: Client) -> None:
    text = lab.get("/object/dataset/digits-v1", accept="text/html").text
    for expected in (
        "digits, first labels",
        "There is a newer version",
        "digits, corrected labels",
        "10.1234/digits.v1",
        "fit svm",
    ):
        assert expected in text
    assert 'href="/object/run/fit-svm"' in text
    assert "Labelled by two students." in text


def test_a_model_under_a_change_carries_the_banner(lab: Client) -> None:
    text = lab.get("/object/model/svm", accept="text/html").text
    assert "Upstream changed" in text
    assert "labels corrected after an audit" in text
    assert "Upstream changed" not in lab.get("/object/dataset/held-out", accept="text/html").text


def test_the_banner_leads_to_the_explanation(lab: Client) -> None:
    text = lab.get("/object/model/svm", accept="text/html").text
    led = re.search(r'href="(/lineage\?question=explain[^"]*)"', text)
    assert led is not None
    why = lab.get(led[1].replace("&amp;", "&"), accept="text/html").text
    assert "Model digits-svm is affected (major)" in why
    assert "<strong>trained</strong>" in why
    assert "the weakest link on this path" in why
    assert "If any one of these 2 links is wrong, the verdict becomes: not affected." in why


def test_each_verdict_on_the_page_of_impact_leads_to_its_explanation(lab: Client) -> None:
    text = lab.get("/lineage?question=impact&id=dataset/digits-v1&change=retracted&roles=train,document", accept="text/html").text
    led = [found.replace("&amp;", "&") for found in re.findall(r'href="(/lineage\?question=explain[^"]*)"', text)]
    assert len(led) == 3
    for address in led:
        assert "change=retracted&roles=train%2Cdocument" in address
        assert lab.get(address, accept="text/html").status_code == 200


def test_a_change_has_a_page_that_leads_to_what_it_affects(lab: Client) -> None:
    answer = lab.get(f"/object?id={BASE}id/change/relabelled", accept="text/html")
    text = lab.get(answer.headers["location"], accept="text/html").text
    assert "See all that it affects" in text
    assert "/search?kind=part" not in text


def test_signposting_tells_machines_where_to_look(lab: Client) -> None:
    link = lab.get("/object/dataset/digits-v1", accept="text/html").headers["link"]
    assert '<https://doi.org/10.1234/digits.v1>; rel="cite-as"' in link
    assert 'rel="describedby"; type="text/turtle"' in link
    assert '<https://schema.org/Dataset>; rel="type"' in link
    assert '<https://spdx.org/licenses/CC-BY-4.0.html>; rel="license"' in link
    assert "\n" not in link


def test_the_schema_org_block_is_json_that_cannot_end_itself(lab: Client) -> None:
    for path, name in (("digits-v1", "digits, first labels"), ("hostile", None)):
        text = lab.get(f"/object/dataset/{path}", accept="text/html").text
        block = re.search(r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL)
        assert block is not None
        said = json.loads(block[1])
        assert said["@id"] == f"{BASE}id/dataset/{path}"
        assert name is None or said["name"] == name


def test_head_answers_like_get_without_a_body(lab: Client) -> None:
    got = lab.get("/object/dataset/digits-v1", accept="text/html")
    head = lab.request("HEAD", "/object/dataset/digits-v1", headers={"Accept": "text/html"})
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["link"] == got.headers["link"]
    assert head.headers["content-length"] == got.headers["content-length"]


def test_a_landing_page_asked_for_data_gives_data(lab: Client) -> None:
    assert lab.get("/object/dataset/digits-v1", accept="text/turtle").headers["content-type"].startswith("text/turtle")
    assert lab.get("/object/dataset/digits-v1").headers["content-type"].startswith("text/html")


def test_search_gives_the_same_list_as_data(lab: Client) -> None:
    page = lab.get("/search?q=digits&kind=dataset", accept="text/html").text
    found = lab.get("/search?q=digits&kind=dataset", accept="application/json").json()
    assert found["total"] >= 2
    assert all(item["label"] in page for item in found["items"] if len(item["label"]) < 100)


def test_static_files_are_served_and_nothing_else(lab: Client) -> None:
    assert lab.get("/static/style.css").headers["content-type"].startswith("text/css")
    assert lab.get("/static/picture.css").status_code == 200
    assert lab.get("/static/icon.svg").headers["content-type"] == "image/svg+xml"
    for name in ("secret.txt", "..%2Fserver.py", "%2e%2e%2f%2e%2e%2fapp.py"):
        assert lab.get(f"/static/{name}").status_code == 404
