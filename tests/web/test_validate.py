"""Profiles over HTTP: of documents, of stored objects, on the landing page; in two languages and as SHACL."""

from __future__ import annotations

from pathlib import Path

from pyoxigraph import RdfFormat, parse

from headwater.app import Headwater
from headwater.settings import Settings
from tests.web.conftest import BASE, PREFIXES, Client, load

MODEL = f"{PREFIXES}<{BASE}id/model/m> a hw:Model ; rdfs:label 'm' ; prov:wasGeneratedBy <{BASE}id/run/fit> ."
RUN = f"""{PREFIXES}<{BASE}id/run/fit> a hw:Run ; prov:used <{BASE}id/dataset/d> .
<{BASE}id/dataset/d> a hw:Dataset ; rdfs:label 'digits' ; hw:digest 'md5:0cc175b9c0f1b6a831c399e269772661' ."""


def test_a_stored_model_is_judged_with_what_lies_around_it(lab: Client) -> None:
    told = lab.get("/api/v1/validate?id=model/svm&profile=retrain-ready").json()
    assert (told["fulfilled"], told["total"]) == (4, 9)
    assert told["conforms"] is False
    assert told["score"] == 0.4444
    met = [one["name"] for one in told["met"]]
    assert met == ["the training run", "the training data", "a digest of the data", "the place of the data"]
    assert told["missing"][0]["name"] == "the code in its version"
    assert told["sentences"][0] == told["missing"][0]["message"]


def test_a_dataset_is_judged_by_what_it_needs_to_be_published(lab: Client) -> None:
    told = lab.get("/api/v1/validate?id=dataset/digits-v1&profile=publication").json()
    assert {"Identifier", "Title", "Rights"} <= {one["name"] for one in told["met"]}
    assert {"Creator", "Publisher", "PublicationYear"} <= {one["name"] for one in told["missing"]}


def test_a_report_is_json_or_a_shacl_report(lab: Client) -> None:
    turtle = lab.get("/api/v1/validate?id=model/svm&profile=retrain-ready", accept="text/turtle")
    assert turtle.headers["content-type"].startswith("text/turtle")
    types = {
        quad.object.value for quad in parse(turtle.content, format=RdfFormat.TURTLE) if quad.predicate.value.endswith("type")
    }
    assert "http://www.w3.org/ns/shacl#ValidationReport" in types
    assert lab.get("/api/v1/validate?id=model/svm&format=turtle").content.startswith(b"@prefix")
    assert lab.get("/api/v1/validate?id=model/svm&format=csv").status_code == 406


def test_a_report_speaks_what_is_asked_for_or_what_the_browser_prefers(lab: Client) -> None:
    where = "/api/v1/validate?id=model/svm&profile=retrain-ready"
    assert lab.get(where).headers["content-language"] == "en"
    by_header = lab.get(where, headers={"Accept-Language": "fr, de-DE;q=0.9, en;q=0.1"})
    by_name = lab.get(where + "&language=de")
    assert by_header.json() == by_name.json()
    assert by_name.json()["title"] == "Bereit zum Nachtrainieren"
    assert by_name.headers["content-language"] == "de"
    assert "etag" not in by_name.headers
    assert lab.get(where + "&language=tlh").status_code == 422


def test_what_a_profile_does_not_judge_is_said(lab: Client) -> None:
    wrong = lab.get("/api/v1/validate?id=dataset/digits-v1&profile=retrain-ready")
    assert wrong.status_code == 422
    assert "judges model" in wrong.json()["detail"]
    assert lab.get("/api/v1/validate?id=model/svm&profile=perfect").status_code == 422
    assert lab.get("/api/v1/validate?id=model/nobody").status_code == 404
    assert lab.get("/api/v1/validate?profile=core").status_code == 422
    assert lab.get("/api/v1/validate?id=model/svm&profil=core").status_code == 422


def test_a_hidden_object_is_not_there_to_be_judged(lab: Client, stranger: Client) -> None:
    assert lab.get("/api/v1/validate?id=dataset/secret").status_code == 200
    assert stranger.get("/api/v1/validate?id=dataset/secret").status_code == 404
    assert stranger.get("/api/v1/validate?id=model/svm&profile=retrain-ready").status_code == 200


def test_what_a_reader_may_not_see_counts_as_missing_and_is_not_named(writable: Headwater, tmp_path: Path) -> None:
    load(writable, tmp_path / "model.ttl", MODEL)
    load(writable, tmp_path / "run.ttl", RUN.replace("'digits'", "'embargoed digits'"), visibility="internal")
    where = "/api/v1/validate?id=model/m&profile=retrain-ready"
    outside = Client(writable, peer="203.0.113.9", host="lab.example").get(where)
    assert Client(writable).get(where).json()["fulfilled"] == 3
    assert outside.json()["fulfilled"] == 1
    assert "embargoed" not in outside.text


def test_a_report_follows_the_next_write(writable: Headwater, tmp_path: Path) -> None:
    load(writable, tmp_path / "model.ttl", MODEL)
    client, where = Client(writable), "/api/v1/validate?id=model/m&profile=retrain-ready"
    first = client.get(where)
    assert first.json()["fulfilled"] == 1
    assert client.get(where, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    load(writable, tmp_path / "run.ttl", RUN)
    assert client.get(where, headers={"If-None-Match": first.headers["etag"]}).json()["fulfilled"] == 3


def test_a_document_is_judged_together_with_what_is_known_here(writable: Headwater, tmp_path: Path) -> None:
    load(writable, tmp_path / "run.ttl", RUN)
    client, before = Client(writable), writable.sequence
    told = client.post("/api/v1/validate?profile=retrain-ready&language=de", MODEL, "text/turtle").json()
    assert told["profile"] == "retrain-ready"
    assert told["conforms"] is False
    (report,) = told["profiles"]
    assert report["focus"] == f"{BASE}id/model/m"
    assert report["fulfilled"] == 3
    assert report["title"] == "Bereit zum Nachtrainieren"
    assert writable.sequence == before


def test_a_document_without_a_profile_is_only_put_through_the_gate(writable: Headwater) -> None:
    told = Client(writable).post("/api/v1/validate", MODEL, "text/turtle").json()
    assert "profiles" not in told
    german = Client(writable).post("/api/v1/validate?language=de", f"{PREFIXES}<urn:c> a hw:Change .", "text/turtle").json()
    assert "Die Änderung sagt nicht, was geschehen ist." in german["sentences"][0]
    assert Client(writable).post("/api/v1/validate?profile=perfect", MODEL, "text/turtle").status_code == 422


def test_a_rejected_write_speaks_the_language_of_the_client(writable: Headwater) -> None:
    wrong = f"{PREFIXES}<urn:c> a hw:Change ."
    answer = Client(writable).post("/api/v1/records", wrong, "text/turtle", **{"Accept-Language": "de"})
    assert answer.status_code == 422
    assert "Die Änderung sagt nicht, was geschehen ist." in answer.json()["sentences"][0]


def test_a_models_page_says_whether_it_is_ready_to_retrain(lab: Client) -> None:
    page = lab.get("/object/model/svm", accept="text/html").text
    assert "Ready to retrain? 4 of 9" in page
    assert "Missing: the code in its version, the parameters" in page
    assert "Ready to retrain" not in lab.get("/object/dataset/digits-v1", accept="text/html").text


def test_the_name_that_gathers_versions_is_not_asked_whether_it_is_ready(writable: Headwater, tmp_path: Path) -> None:
    text = f"{MODEL} <{BASE}id/model/m> prov:specializationOf <{BASE}id/model/all> . <{BASE}id/model/all> a hw:Model ."
    load(writable, tmp_path / "model.ttl", text)
    assert "Ready to retrain? 1 of 9" in Client(writable).get("/object/model/m", accept="text/html").text
    assert "Ready to retrain" not in Client(writable).get("/object/model/all", accept="text/html").text


def test_whether_data_are_still_there_is_looked_up_for_writers_only(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "d.csv").write_text("a")
    settings = Settings(data=tmp_path / "data", store="memory", base_iri=BASE, resolve_folders=(tmp_path / "shared",))
    where = "/api/v1/validate?id=model/m&profile=retrain-ready&resolve=true"
    with Headwater.open(settings) as headwater:
        places = f"<{BASE}id/dataset/d> hw:location '{tmp_path}/shared/d.csv' , '{tmp_path}/elsewhere.csv' ."
        load(headwater, tmp_path / "model.ttl", MODEL)
        load(headwater, tmp_path / "run.ttl", f"{RUN} {places}")
        answer = Client(headwater).get(where)
        seen = {place["address"].rpartition("/")[2]: place for place in answer.json()["places"]}
        assert (seen["d.csv"]["state"], seen["elsewhere.csv"]["state"]) == ("resolvable", "not_checked")
        assert "resolve_folders" in seen["elsewhere.csv"]["reason"]
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers
        (tmp_path / "shared" / "d.csv").unlink()
        again = Client(headwater).get(where).json()
        assert {place["state"] for place in again["places"]} == {"gone", "not_checked"}
        assert Client(headwater).get(where.removesuffix("&resolve=true")).json()["places"] is None
        outside = Client(headwater, peer="203.0.113.9", host="lab.example")
        assert outside.get(where).status_code == 401
        token = headwater.tokens.create("eve", "read")
        assert outside.get(where, headers={"Authorization": f"Bearer {token}"}).status_code == 403


def test_only_a_profile_that_asks_for_it_is_looked_up_for(writable: Headwater, tmp_path: Path) -> None:
    load(writable, tmp_path / "model.ttl", MODEL)
    client = Client(writable)
    refused = client.get("/api/v1/validate?id=model/m&profile=core&resolve=true")
    assert (refused.status_code, refused.json()["parameter"]) == (422, "resolve")
    assert client.post("/api/v1/validate?resolve=true", MODEL, "text/turtle").status_code == 422
    document = f"{MODEL} {RUN.replace(PREFIXES, '')} <{BASE}id/dataset/d> hw:location '/nowhere/of/this/machine' ."
    told = client.post("/api/v1/validate?profile=retrain-ready&resolve=true", document, "text/turtle")
    assert [place["state"] for place in told.json()["profiles"][0]["places"]] == ["not_checked"]
