"""The gate's report in its three forms."""

from __future__ import annotations

import json

from pyoxigraph import BlankNode, RdfFormat, parse

from headwater.checking.gate import Gate
from headwater.terms.names import RDF, SH


def test_the_turtle_is_a_shacl_report_with_one_node_for_each_result(gate: Gate, record) -> None:  # type: ignore[no-untyped-def]
    report = gate.check([record(':c a hw:Change ; dcterms:identifier "doi:x" .')])["urn:record"]
    quads = list(parse(report.turtle(), format=RdfFormat.TURTLE))
    assert sum(quad.predicate == SH.result for quad in quads) == len(report.results) == 4
    assert {quad.object.value for quad in quads if quad.predicate == SH.conforms} == {"false"}
    shapes = {quad.object.value for quad in quads if quad.predicate == SH.sourceShape}
    assert shapes == {result.shape for result in report.results}
    paths = [quad.object for quad in quads if quad.predicate == SH.resultPath]
    alternatives = [quad for quad in quads if quad.predicate == SH.alternativePath]
    assert len(paths) == 4
    assert [quad.subject for quad in alternatives] == [path for path in paths if isinstance(path, BlankNode)]
    assert sum(quad.predicate == RDF.first for quad in quads) == 2


def test_a_report_without_findings_conforms(gate: Gate, record) -> None:  # type: ignore[no-untyped-def]
    report = gate.check([record(":a rdfs:label 'a' .")])["urn:record"]
    assert report.conforms
    assert b"sh:conforms true" in report.turtle()
    assert report.as_dict() == {"conforms": True, "results": []}


def test_the_dictionary_goes_through_json(gate: Gate, record) -> None:  # type: ignore[no-untyped-def]
    report = gate.check([record(':d rdfs:label "d" ; hw:digest "x" .')])["urn:record"]
    (result,) = [one for one in json.loads(json.dumps(report.as_dict()))["results"] if one["shape"].endswith("digest-form")]
    assert result["focus"] == "urn:example:d"
    assert result["label"] == "d"
    assert result["value"] == "x"
    assert result["severity"] == "violation"
    assert result["path"].endswith("#digest")


def test_violations_come_before_hints_and_alone_in_the_sentences(gate: Gate, record) -> None:  # type: ignore[no-untyped-def]
    report = gate.check([record(":d a mls:Dataset . :c a hw:Change .")])["urn:record"]
    assert [result.severity for result in report.results] == sorted(
        (result.severity for result in report.results), key=["violation", "warning", "info"].index
    )
    assert len(report.sentences()) == len(report.violations) == 2
    assert {hint.severity for hint in report.hints} == {"warning", "info"}


def test_a_report_speaks_german_where_it_is_asked_to(gate: Gate, record) -> None:  # type: ignore[no-untyped-def]
    report = gate.check([record(':r rdfs:label "erster Versuch" ; hw:status "fertig" .')])["urn:record"]
    assert report.sentences("de") == [
        "erster Versuch <urn:example:r>: Diesen hw:status kennt Headwater nicht. "
        'Schreiben Sie finished, failed, killed, running oder scheduled. (gefunden: "fertig")'
    ]
    assert report.as_dict("de")["results"][0]["message"].startswith("Diesen hw:status")
    assert b"@de" in report.turtle()
    assert b"@en" in report.turtle()
