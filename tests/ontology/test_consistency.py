"""HermiT on the ontology and the originals together: what must hold together does, and what contradicts is refused."""

# ruff: noqa: E501  (a table of cases reads best with one case to a line)
from __future__ import annotations

from dataclasses import dataclass

import pytest
from pyoxigraph import BlankNode, RdfFormat, Triple, parse

from headwater.checking import reasoning
from headwater.terms.names import HW, MEXCORE, MEXPERF, MLS, OWL, PROV, RDF, RDFS
from tests.ontology.conftest import Original

pytestmark = pytest.mark.usefixtures("hermit")

PREFIXES = """
@prefix : <http://example.org/> .
@prefix hw: <https://w3id.org/headwater/terms#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix mls: <http://www.w3.org/ns/mls#> .
@prefix core: <http://mex.aksw.org/mex-core#> .
@prefix algo: <http://mex.aksw.org/mex-algo#> .
@prefix perf: <http://mex.aksw.org/mex-perf#> .
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dmop: <http://www.e-lico.eu/ontologies/dmo/DMOP/DMOP.owl#> .
@prefix schema: <http://schema.org/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix ontodm: <http://kt.ijs.si/panovp/OntoDM#> .
"""

AS_ACTIVITIES = {
    Triple(MEXCORE.ExperimentConfiguration, RDFS.subClassOf, PROV.Activity),
    Triple(MEXPERF.ExecutionPerformance, RDFS.subClassOf, PROV.Activity),
}
"""The two axioms of MEX that its own examples contradict."""

TABLE_MEX = """
mls:Task owl:equivalentClass core:ExperimentConfiguration . mls:Algorithm owl:equivalentClass algo:Algorithm .
mls:Software owl:equivalentClass algo:Tool . mls:HyperParameter owl:equivalentClass algo:HyperParameter .
mls:Study owl:equivalentClass core:Experiment . mls:Run owl:equivalentClass core:Execution .
mls:Data owl:equivalentClass core:Example . mls:Dataset owl:equivalentClass core:Dataset .
mls:Feature owl:equivalentClass core:Feature . mls:Model owl:equivalentClass core:Model .
mls:EvaluationMeasure owl:equivalentClass perf:PerformanceMeasure .
"""
TABLE_DMOP = """
mls:Task owl:equivalentClass dmop:DM-Task . mls:Algorithm owl:equivalentClass dmop:DM-Algorithm .
mls:Software owl:equivalentClass dmop:DM-Software . mls:Implementation owl:equivalentClass dmop:DM-Operator .
mls:HyperParameter owl:equivalentClass dmop:Parameter . mls:HyperParameterSetting owl:equivalentClass dmop:OpParameterSetting .
mls:Experiment owl:equivalentClass dmop:DM-Experiment . mls:Run owl:equivalentClass dmop:DM-Operation .
mls:Data owl:equivalentClass dmop:DM-Data . mls:Dataset owl:equivalentClass dmop:DataSet .
mls:Feature owl:equivalentClass dmop:Feature . mls:Model owl:equivalentClass dmop:DM-Hypothesis .
mls:EvaluationMeasure owl:equivalentClass dmop:ModelEvaluationMeasure .
mls:EvaluationProcedure owl:equivalentClass dmop:ModelEvaluationAlgorithm .
"""
TABLE_ONTODM = """
mls:Task owl:equivalentClass ontodm:OntoDM_000098 . mls:Algorithm owl:equivalentClass ontodm:OntoDM_000038 .
mls:Software owl:equivalentClass ontodm:OntoDM_944653 . mls:Implementation owl:equivalentClass ontodm:OntoDM_000229 .
mls:HyperParameter owl:equivalentClass ontodm:OntoDM_000130 . mls:HyperParameterSetting owl:equivalentClass ontodm:OntoDM_510989 .
mls:Run owl:equivalentClass ontodm:OntoDM_000033 . mls:Model owl:equivalentClass ontodm:OntoDM_000343 .
mls:ModelEvaluation owl:equivalentClass ontodm:OntoDM_000084 . mls:EvaluationMeasure owl:equivalentClass ontodm:OntoDM_000070 .
mls:EvaluationProcedure owl:equivalentClass ontodm:OntoDM_730934 .
"""
README_OF_MEX = ":performance a perf:ExecutionPerformance ; prov:wasGeneratedBy :execution . :execution a core:ExecutionSingle ."


def said(turtle: str) -> list[Triple]:
    return [quad.triple for quad in parse((PREFIXES + turtle).encode(), format=RdfFormat.TURTLE)]


@dataclass(frozen=True)
class Case:
    """A combination and what HermiT must find. `ours` puts the ontology in, `mended` leaves MEX's two faulty axioms out."""

    name: str
    originals: str
    says: str
    consistent: bool
    unsatisfiable: frozenset[str] = frozenset()
    ours: bool = False
    mended: bool = False


MAPPING = "mls:Process rdfs:subClassOf prov:Activity . mls:InformationEntity rdfs:subClassOf prov:Entity ."
FINE_TUNING = ":r a mls:Run ; mls:hasInput :m . :m a mls:Model ."
PREPROCESSING = ":r a mls:Run ; mls:hasOutput :d . :d a mls:Dataset ."
TWO_GUISES = ":s a mls:Software , mls:Implementation ."
CONFIGURED = ":e a core:Execution ; prov:used :c . :c a core:ExperimentConfiguration ."

ENGINE = """
:engine a schema:SoftwareApplication , prov:SoftwareAgent , prov:Activity ; prov:startedAtTime "2026-01-01T00:00:00Z"^^xsd:dateTime .
:r a mls:Run ; prov:wasAssociatedWith :engine ; prov:wasInformedBy :engine .
"""

CASES = [
    Case("01 ML-Schema under PROV-O", "prov mls", "", True, ours=True),
    Case("02 the table's MEX column without PROV-O", "mls mex", TABLE_MEX, True, mended=True),
    Case("03 the table's MEX column with PROV-O", "prov mls mex", TABLE_MEX, True, mended=True),
    Case(
        "04 the table's MEX column with ML-Schema under PROV-O", "prov mls mex", TABLE_MEX + MAPPING, True,
        frozenset({MLS.Task.value, MLS.Run.value, MLS.Study.value, MEXCORE.Execution.value, MEXCORE.Experiment.value}),
    ),
    Case("05 fine-tuning as mls:hasInput, by the file of 2020", "mls", FINE_TUNING, False),
    Case("05 fine-tuning as mls:hasInput, by the file that w3.org serves", "mls-2016", FINE_TUNING, True),
    Case("05 fine-tuning as mls:hasInput, by our restatement", "prov", FINE_TUNING, True, ours=True),
    Case("06 preprocessing as mls:hasOutput, by the file of 2020", "mls", PREPROCESSING, False),
    Case("06 preprocessing as mls:hasOutput, by the file that w3.org serves", "mls-2016", PREPROCESSING, True),
    Case("06 preprocessing as mls:hasOutput, by our restatement", "prov", PREPROCESSING, True, ours=True),
    Case("07 software in two guises, by the file of 2020", "mls", TWO_GUISES, False),
    Case("07 software in two guises, by the file that w3.org serves", "mls-2016", TWO_GUISES, True),
    Case("07 software in two guises, by our restatement", "prov", TWO_GUISES, True, ours=True),
    Case("08 an evaluation as mls:hasOutput", "prov mls", ":r a mls:Run ; mls:hasOutput :e . :e a mls:ModelEvaluation .", True, ours=True),
    Case("09 the pattern of MEX's README, by MEX", "prov mex", README_OF_MEX, False),
    Case("09 the pattern of MEX's README, by our restatement", "prov mls", README_OF_MEX, True, ours=True),
    Case("10 an execution uses a configuration, by MEX", "prov mex", CONFIGURED, False),
    Case("10 an execution uses a configuration, by our restatement", "prov mls", CONFIGURED, True, ours=True),
    Case("11 an execution uses an algorithm", "prov mls mex", ":e a core:Execution ; prov:used :a . :a a algo:Algorithm .", True, ours=True, mended=True),
    Case("12 fine-tuning as we write it", "prov mls", """
        :r a mls:Run, hw:Run ; prov:used :m ; prov:generated :n ;
            prov:qualifiedUsage [ a prov:Usage ; prov:entity :m ; prov:hadRole hw:finetune ; hw:evidence hw:observed ] .
        :m a mls:Model . :n a hw:Model ; prov:wasGeneratedBy :r .""", True, ours=True),
    Case("12 preprocessing as we write it", "prov mls", """
        :r a mls:Run ; prov:used :raw ; prov:generated :clean .
        :raw a mls:Dataset . :clean a mls:Dataset ; prov:wasGeneratedBy :r ; prov:wasDerivedFrom :raw .""", True, ours=True),
    Case("13 a run that is also a plan", "prov mls", ":r a mls:Run , prov:Plan .", False, ours=True),
    Case("14 a model published as a data set of a catalogue, with equivalence", "prov mls dcat",
         "mls:Dataset owl:equivalentClass dcat:Dataset . :m a mls:Model , dcat:Dataset .", False, ours=True),
    Case("14 a model published as a data set of a catalogue, by our bridge", "prov mls dcat", ":m a mls:Model , dcat:Dataset .", True, ours=True),
    Case("15 a feature that is also a data set", "prov mls", ":f a mls:Feature , mls:Dataset .", False, ours=True),
    Case("16 a program that acted and is software", "prov mls", ":p a prov:SoftwareAgent , mls:Software .", True, ours=True),
    Case("16 an engine that acts and is an activity itself, as CWLProv writes it, by our bridge", "prov mls dcat dcat-schema", ENGINE, True, ours=True),
    Case("16 the same, were software below prov:Entity", "prov mls", ENGINE + "hw:Software rdfs:subClassOf prov:Entity .", False, ours=True),
    Case("16 source code that a run used, and an application that it was made by", "prov mls dcat dcat-schema", """
        :r a mls:Run ; prov:used :code ; prov:wasAssociatedWith :app . :code a schema:SoftwareSourceCode , prov:Entity .
        :app a schema:SoftwareApplication , prov:SoftwareAgent ; prov:wasGeneratedBy :build . :build prov:used :code .""", True, ours=True),
    Case("17 MEX's startsAt with a plain value", "prov mex", ':c a core:ExampleCollection ; core:startsAt "1" .', True, mended=True),
    Case("matchers' proposal that the two Experiments are one", "prov mls mex", "mls:Experiment owl:equivalentClass core:Experiment .", True,
         frozenset({MLS.Experiment.value, MEXCORE.Experiment.value}), ours=True, mended=True),
    Case("OntoDM with the table's column", "mls ontodm", TABLE_ONTODM, True,
         frozenset({"http://kt.ijs.si/panovp/OntoDM#OntoDM_661861", "http://kt.ijs.si/panovp/OntoDM.owl#OntoDM_295724"})),
]  # fmt: skip


def outcome(case: Case, original: Original) -> reasoning.Outcome:
    graphs = [original(name) for name in case.originals.split()]
    if case.mended:
        graphs = [[triple for triple in graph if triple not in AS_ACTIVITIES] for graph in graphs]
    return reasoning.consistent([*graphs, said(case.says), *([reasoning.ontology()] if case.ours else [])])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_hermit_finds_what_is_expected_of(case: Case, original: Original) -> None:
    found = outcome(case, original)
    assert found.consistent == case.consistent
    # What hangs below an unsatisfiable class is so too; where nothing is expected, nothing may be found.
    assert case.unsatisfiable <= set(found.unsatisfiable)
    assert bool(case.unsatisfiable) == bool(found.unsatisfiable)


def test_the_ontology_alone_is_consistent_and_every_class_can_have_members() -> None:
    assert reasoning.consistent([reasoning.ontology()]).sound


UNION = (
    "prov mls mex dcat dcat-prov dcat-schema fair4ml p-plan reproduce-me reproduce-me-core reproduce-me-computational sml expose"
)
ALL_PATTERNS = """
:tuning a mls:Run ; prov:used :base ; prov:generated :tuned . :base a mls:Model , dcat:Dataset . :tuned a hw:Model .
:cleaning a hw:Run ; prov:used :raw ; prov:generated :clean . :raw a dcat:Dataset . :clean a mls:Dataset .
:performance a perf:ExecutionPerformance ; prov:wasGeneratedBy :execution . :execution a core:ExecutionSingle ; prov:used :configuration .
:configuration a core:ExperimentConfiguration .
:change a hw:Change ; hw:changeKind hw:labels-corrected ; hw:changedObject :raw ; hw:slice [ hw:file "a.csv" ] .
"""


def test_the_ontology_with_the_originals_and_every_pattern_of_use_is_sound(original: Original) -> None:
    graphs = [[triple for triple in original(name) if triple not in AS_ACTIVITIES] for name in UNION.split()]
    assert reasoning.consistent([reasoning.ontology(), *graphs, said(ALL_PATTERNS)]).sound


def test_ontodm_brings_only_its_own_two_faults_into_the_union(original: Original) -> None:
    found = reasoning.consistent([reasoning.ontology(), original("prov"), original("mls"), original("ontodm")])
    assert found.consistent
    assert {iri.rpartition("#")[2] for iri in found.unsatisfiable} == {"OntoDM_661861", "OntoDM_295724"}


_TERMS = {OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty}


def classes_and_properties() -> list[Triple]:
    """The ontology without its individuals, and without what is said of axioms."""
    whole = reasoning.ontology()
    kept = {t.subject for t in whole if t.predicate == RDF.type and t.object in _TERMS}
    kept |= {t.subject for t in whole if isinstance(t.subject, BlankNode)} - {
        t.subject for t in whole if t.predicate == OWL.annotatedSource or t.predicate.value.startswith(str(HW))
    }
    return [
        triple
        for triple in whole
        if triple.subject in kept and (triple.predicate != RDF.type or triple.object in _TERMS or str(OWL) in str(triple.object))
    ]


@pytest.mark.slow
def test_dmop_brings_only_its_own_faults_into_the_union(original: Original) -> None:
    # Under owlready2 HermiT also sorts every individual into every class. DMOP's 423 are needed: with its values of attributes they
    # make one of the two faults. Ours (roles, justifications, rows of tables) are in no class of DMOP: without them it takes a third.
    found = reasoning.consistent([classes_and_properties(), original("prov"), original("mls"), original("dmop")])
    assert found.consistent
    assert {iri.rpartition("#")[2] for iri in found.unsatisfiable} == {"SumOfWeights", "AverageAbsoluteFeatureCorrelation"}


@pytest.mark.slow
def test_the_tables_column_of_dmop_read_as_equivalences_is_refused(original: Original) -> None:
    found = reasoning.consistent([original("mls"), original("dmop"), said(TABLE_DMOP)])
    assert {MLS.Dataset.value, MLS.EvaluationProcedure.value} <= set(found.unsatisfiable)


def test_an_explanation_names_the_statements_that_contradict_each_other(original: Original) -> None:
    innocent = said(":d a hw:Dataset . :m a hw:Model ; prov:wasDerivedFrom :d . :q a hw:Run ; prov:used :d .")
    guilty = said(":r prov:used :m . :x prov:wasGeneratedBy :y . :y a prov:Entity .")
    blamed = reasoning.explain([*innocent, *guilty], [*reasoning.ontology(), *original("prov")])
    assert set(blamed) == set(said(":x prov:wasGeneratedBy :y . :y a prov:Entity ."))
