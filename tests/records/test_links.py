"""The steps of lineage that a record states: from the earlier to the later thing, in its role, on its evidence, for its slice."""

from __future__ import annotations

import json

import pytest
from pyoxigraph import RdfFormat, parse

from headwater.records.entailment import Entailer
from headwater.records.links import LinkRow, lineage_rows

_PREFIXES = """@prefix hw: <https://w3id.org/headwater/terms#> . @prefix mls: <http://www.w3.org/ns/mls#> .
@prefix prov: <http://www.w3.org/ns/prov#> . @prefix x: <urn:> . """


def links(turtle: str, evidence: str = "declared") -> list[LinkRow]:
    said = [quad.triple for quad in parse(_PREFIXES + turtle, format=RdfFormat.TURTLE)]
    return lineage_rows([*said, *Entailer().entail(said)], evidence).links


def test_a_plain_use_runs_from_the_thing_to_the_run() -> None:
    assert links("x:run prov:used x:data .") == [LinkRow("urn:data", "urn:run", "prov:used", "use", "declared")]


def test_a_product_runs_from_the_run_to_the_thing_whichever_way_it_is_said() -> None:
    made = [LinkRow("urn:run", "urn:model", "prov:wasGeneratedBy", "generate", "observed")]
    assert links("x:model prov:wasGeneratedBy x:run .", "observed") == made
    assert links("x:run prov:generated x:model .", "observed") == made


@pytest.mark.parametrize("role", ["train", "test", "validate", "finetune", "label", "calibrate", "preprocess", "execute", "cite"])
def test_a_qualified_use_has_its_role_and_its_plain_form_is_not_counted_beside_it(role: str) -> None:
    found = links(
        f"x:run prov:used x:d ; prov:qualifiedUsage x:u . x:u a prov:Usage ; prov:entity x:d ; prov:hadRole hw:{role} ."
    )
    assert found == [LinkRow("urn:d", "urn:run", "prov:used", role, "declared")]


def test_a_qualified_use_alone_is_a_link() -> None:
    found = links("x:run prov:qualifiedUsage x:u . x:u prov:entity x:d ; prov:hadRole hw:train .")
    assert found == [LinkRow("urn:d", "urn:run", "prov:used", "train", "declared")]


def test_a_role_that_nobody_knows_is_a_plain_use() -> None:
    found = links("x:run prov:qualifiedUsage x:u . x:u prov:entity x:d ; prov:hadRole hw:nonsense, x:train .")
    assert [link.role for link in found] == ["use"]


@pytest.mark.parametrize(
    ("stated", "counted"), [("hw:observed", "observed"), ("hw:inferred", "inferred"), ("hw:nonsense", "declared")]
)
def test_evidence_is_what_the_link_says_else_what_the_importer_says(stated: str, counted: str) -> None:
    found = links(f"x:run prov:qualifiedUsage x:u . x:u prov:entity x:d ; hw:evidence {stated} .")
    assert [link.evidence for link in found] == [counted]


def test_a_slice_is_told_in_the_words_of_the_parameter_and_a_fixed_order() -> None:
    said = """x:run prov:qualifiedUsage x:u . x:u prov:entity x:d ; hw:slice x:s .
        x:s hw:file 'b', 'a' ; hw:labelClass '7' ; hw:firstRun 3 ."""
    assert [json.loads(link.slice) for link in links(said)] == [{"files": ["a", "b"], "labels": ["7"], "first_run": 3}]


def test_a_plan_that_an_association_had_is_followed_and_is_no_agent() -> None:
    said = "x:run prov:qualifiedAssociation x:a . x:a prov:agent x:ada ; prov:hadPlan x:script ."
    found = {(link.earlier, link.later): link.role for link in links(said)}
    assert found["urn:ada", "urn:run"] == "responsible"
    assert found.get(("urn:script", "urn:run")) not in (None, "responsible")


def test_what_pins_a_thing_is_told_with_its_kind_and_start() -> None:
    said = """x:d a mls:Dataset ; hw:digest 'sha256:00' . x:loose a mls:Dataset .
        x:run a mls:Run ; prov:startedAtTime "2026-01-01T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> ."""
    triples = [quad.triple for quad in parse(_PREFIXES + said, format=RdfFormat.TURTLE)]
    nodes = {node.iri: node for node in lineage_rows([*triples, *Entailer().entail(triples)], "declared").nodes}
    assert {iri: (node.kind, node.pinned) for iri, node in nodes.items()} == {
        "urn:d": ("dataset", True),
        "urn:loose": ("dataset", False),
        "urn:run": ("run", False),
    }
    assert nodes["urn:run"].start == 1767225600.0


def test_the_order_of_statements_does_not_matter() -> None:
    said = """x:run prov:used x:d, x:e ; prov:qualifiedUsage x:u . x:e a mls:Model .
        x:u prov:entity x:d ; prov:hadRole hw:train, hw:test ."""
    triples = [quad.triple for quad in parse(_PREFIXES + said, format=RdfFormat.TURTLE)]
    assert lineage_rows(triples, "declared") == lineage_rows(triples[::-1], "declared")
