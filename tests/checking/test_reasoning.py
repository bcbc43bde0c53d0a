"""The reasoner for notebooks: it says what is missing, reads what it can, blames the fewest statements, and shows no secrets."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, parse

from headwater.app import Headwater
from headwater.checking import reasoning
from headwater.errors import BadInput, NotFound, Unavailable
from headwater.settings import Settings
from headwater.terms.names import HW, OWL, PROV, RDF, RDFS, XSD

BASE = "http://127.0.0.1:8321/"
PROJECT = f"""
@prefix hw: <https://w3id.org/headwater/terms#> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@base <{BASE}id/> .
<project/digits> a hw:Project ; rdfs:label "digits" .
<run/fit> a hw:Run ; rdfs:label "fit" ; dcterms:isPartOf <project/digits> ; prov:used <dataset/train> ;
    prov:qualifiedUsage [ a prov:Usage ; prov:entity <dataset/train> ; prov:hadRole hw:train ] .
<dataset/train> a hw:Dataset ; rdfs:label "train" .
<model/svm> a hw:Model ; rdfs:label "svm" ; prov:wasGeneratedBy <run/fit> .
<dataset/other> a hw:Dataset ; rdfs:label "of another project" .
"""
THING = NamedNode("urn:x")


@pytest.fixture
def headwater(tmp_path: Path) -> Iterator[Headwater]:
    with Headwater.open(Settings(data=tmp_path / "data", store="memory", base_iri=BASE)) as opened:
        for name, text, level in (
            ("open.ttl", PROJECT, "public"),
            ("secret.ttl", f"<{BASE}id/dataset/train> <{RDFS.comment.value}> 'embargoed' .", "internal"),
        ):
            (tmp_path / name).write_text(text)
            opened.import_source(tmp_path / name, visibility=level)
        yield opened


@pytest.fixture
def owlready() -> None:
    pytest.importorskip("owlready2", reason="the extra `reasoning` is not installed")


@pytest.fixture
def hermit() -> None:
    missing = reasoning.available()
    if missing:
        pytest.skip(f"HermiT cannot run: {missing} (extra `reasoning`)")


def test_without_owlready2_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "owlready2", None)
    with pytest.raises(Unavailable) as caught:
        reasoning.consistent([[]])
    assert "headwater[reasoning]" in caught.value.remedy
    assert "owlready2" in (reasoning.available() or "")


@pytest.mark.usefixtures("owlready")
def test_without_java_the_error_names_the_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(Unavailable) as caught:
        reasoning.consistent([[]])
    assert "default-jre-headless" in caught.value.remedy


def test_headers_imports_and_annotations_of_axioms_are_left_out() -> None:
    note = BlankNode()
    header = NamedNode("urn:ontology")
    said = [
        Triple(header, RDF.type, OWL.Ontology),
        Triple(header, OWL.imports, NamedNode("urn:elsewhere")),
        Triple(note, RDF.type, OWL.Axiom),
        Triple(note, OWL.annotatedSource, THING),
    ]
    assert reasoning.readable(said) == []


def test_a_property_declared_in_two_ways_keeps_the_first() -> None:
    said = [Triple(THING, RDF.type, OWL.AnnotationProperty), Triple(THING, RDF.type, OWL.ObjectProperty)]
    assert reasoning.readable(said) == [Triple(THING, RDF.type, OWL.ObjectProperty)]


@pytest.mark.parametrize("name", ["date", "gYear", "duration", "time"])
def test_a_datatype_outside_owl_2_counts_as_text(name: str) -> None:
    [triple] = reasoning.readable([Triple(THING, HW.version, Literal("x", datatype=XSD[name]))])
    assert triple.object == Literal("x")


@given(st.sets(st.integers(0, 30), min_size=1, max_size=4), st.integers(31, 60))
def test_an_explanation_is_exactly_the_statements_that_contradict(guilty: set[int], count: int) -> None:
    triples = [Triple(NamedNode(f"urn:{n}"), RDF.type, OWL.Thing) for n in range(count)]
    blamed = {triples[n] for n in guilty}
    found = reasoning.explain(triples, [], lambda kept: blamed <= set(kept))
    assert set(found) == blamed


@pytest.mark.usefixtures("hermit")
def test_nothing_at_all_is_consistent() -> None:
    assert reasoning.consistent([[]]).sound


def test_nothing_is_blamed_where_nothing_contradicts() -> None:
    assert reasoning.explain([Triple(THING, RDF.type, OWL.Thing)], [], lambda _: False) == []


def test_an_ontology_that_contradicts_itself_is_not_blamed_on_the_data() -> None:
    with pytest.raises(BadInput):
        reasoning.explain([Triple(THING, RDF.type, OWL.Thing)], [], lambda _: True)


@pytest.mark.usefixtures("owlready")
def test_a_projects_world_holds_its_runs_with_what_they_used_and_made(headwater: Headwater) -> None:
    world = reasoning.world(headwater, project="project/digits")
    assert world[f"{BASE}id/run/fit"] is not None
    assert world[f"{BASE}id/model/svm"] is not None
    assert world[f"{BASE}id/dataset/train"] is not None
    assert world[f"{BASE}id/dataset/other"] is None
    assert world[PROV.Activity.value] is not None


@pytest.mark.usefixtures("owlready")
def test_a_world_holds_the_role_in_which_something_was_used(headwater: Headwater) -> None:
    world = reasoning.world(headwater, project="project/digits")
    [usage] = world[f"{BASE}id/run/fit"].qualifiedUsage
    assert [role.iri for role in usage.hadRole] == [HW.train.value]
    assert [thing.iri for thing in usage.entity] == [f"{BASE}id/dataset/train"]


@pytest.mark.usefixtures("owlready")
def test_an_unknown_thing_is_not_found(headwater: Headwater) -> None:
    with pytest.raises(NotFound):
        reasoning.world(headwater, ["dataset/nowhere"])


@pytest.mark.usefixtures("owlready", "hermit")
def test_a_new_class_gets_its_members_by_reasoning(headwater: Headwater) -> None:
    import owlready2

    world = reasoning.world(headwater, project="project/digits")
    used, activity = world[PROV.used.value], world[PROV.Activity.value]
    with world.get_ontology("urn:mine#"):
        learnt = type("RunOnTrainingData", (owlready2.Thing,), {})
        learnt.equivalent_to = [activity & used.value(world[f"{BASE}id/dataset/train"])]
    assert reasoning.classify(world).sound
    assert [one.iri for one in learnt.instances()] == [f"{BASE}id/run/fit"]


@pytest.mark.usefixtures("hermit")
def test_what_the_bridge_concludes_the_reasoner_concludes_too() -> None:
    """A fact in MEX contradicts its negation in PROV-O, so it entails it there."""
    text = """
    @prefix core: <http://mex.aksw.org/mex-core#> . @prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix : <urn:> .
    @prefix prov: <http://www.w3.org/ns/prov#> .
    :e a core:ExecutionSingle , [ a owl:Class ; owl:complementOf prov:Activity ] ."""
    said = [quad.triple for quad in parse(text.encode(), format=RdfFormat.TURTLE)]
    assert not reasoning.consistent([reasoning.ontology(), said]).consistent


@pytest.mark.usefixtures("hermit")
def test_what_cannot_be_read_is_said() -> None:
    said = [Triple(THING, HW.step, Literal("many", datatype=XSD.integer))]
    with pytest.raises(BadInput):
        reasoning.consistent([said])
