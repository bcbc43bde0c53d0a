"""RDF exports: the same statements in every syntax, and an honest refusal where a syntax cannot say them."""

from __future__ import annotations

import pytest
from pyoxigraph import Literal, NamedNode, Triple, parse

from headwater.errors import NotAcceptable
from headwater.exporters.rdf import Syntax, jsonld, nquads, ntriples, rdfxml, trig, turtle
from headwater.questions.description import Description

SYNTAXES = [turtle, ntriples, rdfxml, jsonld, trig, nquads]


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda s: s.name)
def test_every_syntax_gives_back_the_same_statements(syntax: Syntax, full: Description) -> None:
    read = {quad.triple for quad in parse(syntax.render(full), format=syntax.format)}
    assert read == set(full.triples)


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda s: s.name)
def test_the_order_of_statements_does_not_change_the_document(syntax: Syntax, full: Description) -> None:
    first = syntax.render(full)
    full.triples.reverse()
    assert syntax.render(full) == first


def test_turtle_uses_the_prefixes_that_people_know(full: Description) -> None:
    assert "prov:wasGeneratedBy" in turtle.render(full).decode()


def test_a_property_that_xml_cannot_name_is_refused_and_not_written_broken(full: Description) -> None:
    full.triples.append(Triple(NamedNode("urn:a"), NamedNode("http://example.org/property/31"), Literal("x")))
    with pytest.raises(NotAcceptable, match="XML name"):
        rdfxml.render(full)
    assert b"property/31" in ntriples.render(full)


def test_a_control_character_is_refused_in_xml_only(full: Description) -> None:
    full.triples.append(Triple(NamedNode("urn:a"), NamedNode("http://example.org/note"), Literal("a\x00b")))
    with pytest.raises(NotAcceptable, match="control character"):
        rdfxml.render(full)
    assert b"\\u0000" in turtle.render(full)
