"""Each term has an address that answers people with a page and programs with RDF."""

from __future__ import annotations

import pytest
from pyoxigraph import RdfFormat, parse

from headwater.terms.glossary import terms
from headwater.terms.names import HW, OWL, RDF, RDFS
from tests.web.conftest import Client


def test_the_list_names_every_term_and_how_vocabularies_meet(stranger: Client) -> None:
    answer = stranger.get("/terms", "text/html")
    assert answer.status_code == 200
    assert [local for local in terms() if f'href="/terms/{local}"' not in answer.text] == []
    assert "mexcore:Execution" in answer.text


def test_every_term_has_a_page(stranger: Client) -> None:
    for local, term in terms().items():
        answer = stranger.get(f"/terms/{local}", "text/html")
        assert answer.status_code == 200
        assert term.iri in answer.text


def test_a_links_page_reads_both_ways_in_both_languages(stranger: Client) -> None:
    text = stranger.get("/terms/deploys", "text/html").text
    for words in ("deploys", "is deployed by", "setzt ein", "wird eingesetzt von", "hw:Deployment"):
        assert words in text


def test_a_classs_page_shows_its_alignments_with_the_reason(stranger: Client) -> None:
    text = stranger.get("/terms/Model", "text/html").text
    assert "mls:Model" in text
    assert "both definitions are as wide" in text


@pytest.mark.parametrize("accept", ["text/turtle", "application/ld+json", "application/n-triples", "application/rdf+xml"])
def test_programs_get_the_term_as_rdf(stranger: Client, accept: str) -> None:
    answer = stranger.get("/terms/Run", accept)
    assert answer.headers["content-type"].split(";")[0] == accept
    triples = {(q.subject, q.predicate, q.object) for q in parse(answer.content, format=RdfFormat.from_media_type(accept))}
    assert (HW.Run, RDF.type, OWL.Class) in triples
    assert any(predicate == RDFS.label for _, predicate, _ in triples)


def test_without_a_term_the_whole_ontology_is_given(stranger: Client) -> None:
    triples = list(parse(stranger.get("/terms?format=ntriples").content, format=RdfFormat.N_TRIPLES))
    assert len(triples) > 1500


def test_a_term_that_is_not_there_is_not_found(stranger: Client) -> None:
    answer = stranger.get("/terms/nonsense", "application/json, text/html;q=0.1")
    assert answer.status_code == 404


def test_an_unknown_parameter_is_refused(stranger: Client) -> None:
    assert stranger.get("/terms?language=de").status_code == 422


def test_a_page_that_the_client_holds_is_not_sent_again(stranger: Client) -> None:
    held = stranger.get("/terms/Run", "text/turtle").headers["etag"]
    assert stranger.get("/terms/Run", "text/turtle", headers={"If-None-Match": held}).status_code == 304
    assert stranger.get("/terms/Run", "text/html", headers={"If-None-Match": held}).status_code == 200
