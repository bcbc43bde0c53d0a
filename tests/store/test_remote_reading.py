"""What is read from a SPARQL server: whole or an error, in the spelling of the embedded store, whatever way it comes."""

from __future__ import annotations

import json
from typing import cast

import pytest
from pyoxigraph import Literal, NamedNode, QuerySolutions

from headwater.errors import BadQuery
from headwater.store.remote import answers, spelling, wording
from headwater.store.remote.connection import Reply, StoreRefused
from headwater.terms.names import XSD


class Given:
    """A reply that comes in pieces of a few bytes."""

    def __init__(self, body: bytes, piece: int = 7, media_type: str = answers.TABLE) -> None:
        self._body, self._piece, self.media_type = body, piece, media_type
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            given, self._body = self._body, b""
        else:
            given, self._body = self._body[: min(size, self._piece)], self._body[min(size, self._piece) :]
        return given

    def close(self) -> None:
        self.closed = True


def _reply(body: bytes, **options: object) -> Reply:
    return cast(Reply, Given(body, **options))  # type: ignore[arg-type]


def _table(*values: Literal) -> bytes:
    rows = [{"o": {"type": "literal", "value": value.value, "datatype": value.datatype.value}} for value in values]
    return json.dumps({"head": {"vars": ["o"]}, "results": {"bindings": rows}}).encode()


@pytest.mark.parametrize("piece", [1, 13, 64, 199, 5000])
def test_a_datatype_of_ours_is_taken_back_wherever_a_long_answer_is_cut(piece: int) -> None:
    exact = [spelling.written(Literal(f"0.{number:030}", datatype=XSD.decimal), True) for number in range(1, 40)]
    assert all("exact-" in value.datatype.value for value in exact)
    found = answers.solutions(_reply(_table(*exact), piece=piece), "server", exact=True, respell=False)
    assert {row[0].datatype for row in found} == {XSD.decimal}


def test_a_text_that_looks_like_a_datatype_of_ours_is_left_alone() -> None:
    text = '"datatype":"https://w3id.org/headwater/terms#exact-decimal"'
    found = answers.solutions(_reply(_table(Literal(text))), "server", exact=True, respell=False)
    assert [row[0].value for row in found] == [text]


def test_values_come_in_the_spelling_of_the_embedded_store() -> None:
    spelled = [
        Literal("1", datatype=XSD.boolean),
        Literal("0.1e0", datatype=XSD.double),
        Literal("a"),
        Literal("b", language="de"),
    ]
    body = json.dumps(
        {
            "head": {"vars": ["o", "none"]},
            "results": {
                "bindings": [
                    {"o": {"type": "typed-literal", "value": one.value, "datatype": one.datatype.value}}
                    if not one.language
                    else {"o": {"type": "literal", "value": one.value, "xml:lang": "de"}}
                    for one in spelled
                ]
            },
        }
    ).encode()
    found = answers.solutions(_reply(body), "server", exact=True, respell=True)
    assert isinstance(found, QuerySolutions)
    assert [row[0].value for row in found] == ["true", "0.1", "a", "b"]


@pytest.mark.parametrize("exact", [True, False])
def test_a_long_answer_is_whole_though_it_is_not_spelled_anew(exact: bool) -> None:
    values = [Literal(f"{number:0100}") for number in range(40_000)]
    found = answers.solutions(_reply(_table(*values), piece=50_000), "server", exact=exact, respell=True)
    assert sum(row[0] == value for row, value in zip(found, values, strict=True)) == len(values)


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b'{"head":{"vars":["o"]},"results":{"bindings":[{"o":{"type":"lit', b'{"boolean": 1']
)
def test_what_is_no_answer_is_an_error_and_no_empty_table(body: bytes) -> None:
    with pytest.raises(StoreRefused):
        answers.rows(_reply(body), "server")
    with pytest.raises(StoreRefused):
        answers.truth(_reply(body), "server")
    with pytest.raises(StoreRefused):
        list(answers.streamed(_reply(body), "server"))


def test_virtuosos_yes_is_a_yes() -> None:
    def said(value: str) -> bytes:
        rows = [{"__ASK_RETVAL": {"type": "literal", "value": value}}]
        return json.dumps({"head": {"vars": ["__ASK_RETVAL"]}, "results": {"bindings": rows}}).encode()

    assert answers.truth(_reply(said("1")), "server") is True
    assert answers.truth(_reply(said("0")), "server") is False


def test_triples_come_whole_however_their_lines_are_cut() -> None:
    body = "".join(f'<urn:s> <urn:p> "line {number} \\n {"é" * 5}" .\n' for number in range(50)).encode()
    reply = Given(body, piece=11, media_type=answers.GRAPH)
    assert len(set(answers.triples(cast(Reply, reply), "server"))) == 50
    assert reply.closed


def test_a_graph_in_another_form_is_refused() -> None:
    with pytest.raises(StoreRefused, match="text/html"):
        list(answers.triples(_reply(b"<html>", media_type="text/html"), "server"))


@pytest.mark.parametrize(
    "text",
    [
        "SELECT ?o { ?s <bif:contains> ?o }",
        "PREFIX b: <bif:> SELECT (b:file_to_string('x') AS ?o) {}",
        "SELECT (<java:java.lang.System.exit>(0) AS ?o) {}",
        "SELECT ?o { GRAPH <urn:x-arq:UnionGraph> { ?s ?p ?o } }",
        "PREFIX a: <http://jena.apache.org/ARQ/property#> SELECT ?o { ?s a:strSplit ?o }",
        "SELECT ?o { ?s <SQL:x> ?o }",
    ],
)
def test_what_is_a_servers_own_is_not_passed_on(text: str) -> None:
    with pytest.raises(BadQuery, match="server's own"):
        wording.asked(text)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("SELECT * FROM <urn:a> FROM NAMED <urn:b> WHERE {}", "SELECT *     WHERE {}"),
        ("PREFIX x: <urn:> ASK FROM x:a { ?s ?p 'FROM <urn:c>' }", "PREFIX x: <urn:> ASK   { ?s ?p 'FROM <urn:c>' }"),
        ("SELECT ?from { ?from ?p <urn:FROM> } # FROM <urn:x>", "SELECT ?from { ?from ?p <urn:FROM> } # FROM <urn:x>"),
        ("CONSTRUCT FROM <urn:a> WHERE { ?s ?p ?o }", "CONSTRUCT   WHERE { ?s ?p ?o }"),
    ],
)
def test_the_dataset_is_taken_out_of_a_text_and_nothing_else(text: str, sent: str) -> None:
    assert wording.asked(text).text == sent


@pytest.mark.parametrize(
    "text",
    [
        "SELECT ?s WHERE { ?s ?p ?o }",
        "SELECT (EXISTS { ?s ?p ?o } AS ?e) { ?s ?p ?o }",
        "ASK { ?s ?p ?o }",
        "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }",
        "CONSTRUCT WHERE { ?s ?p ?o }",
        "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o } LIMIT 3",
    ],
)
def test_graphs_that_go_into_a_text_stand_where_the_grammar_has_them(text: str) -> None:
    sent = wording.with_graphs(text, ["urn:a"], ["urn:b"])
    assert wording.asked(sent).text.split() == text.split()


def test_a_parameter_is_never_read_as_text() -> None:
    sent = wording.with_values("SELECT ?o { ?s ?p ?o }", {"o": Literal('" } } DROP ALL #'), "s": NamedNode("urn:x")}, False)
    assert wording.asked(sent).form == "SELECT"
    with pytest.raises(TypeError):
        wording.with_values("SELECT ?o { ?s ?p ?o }", {"o": "text"}, False)
