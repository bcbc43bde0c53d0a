"""Guarded rules conclude what they say, never what ML-Schema's ranges forbid, and the same in whatever order it was said."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, parse

from headwater.records.entailment import Entailer
from headwater.terms.names import DCTERMS, HW, MEXALGO, MEXCORE, MEXPERF, MLS, PREFIXES, PROV, RDF, RDFS
from headwater.terms.rules import Minted, Variable, guarded_rules
from headwater.terms.vocabulary import Axioms

from .naive import naive

HEAD = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES.items()) + "@prefix : <urn:x:> .\n"
ENTAILER = Entailer()
NO_AXIOMS = Axioms({}, {}, {}, {}, {}, {})


def x(name: str) -> NamedNode:
    return NamedNode(f"urn:x:{name}")


def closed(turtle: str) -> set[Triple]:
    said = [quad.triple for quad in parse((HEAD + turtle).encode(), format=RdfFormat.TURTLE)]
    return {*said, *ENTAILER.entail(said)}


def test_what_prov_says_of_a_training_can_be_asked_in_ml_schema() -> None:
    found = closed(
        ":fit a prov:Activity ; prov:used :data . :data a mls:Dataset . :model a mls:Model ; prov:wasGeneratedBy :fit ."
    )
    assert Triple(x("fit"), RDF.type, MLS.Run) in found
    assert Triple(x("fit"), RDF.type, MEXCORE.Execution) in found
    assert Triple(x("fit"), MLS.hasInput, x("data")) in found
    assert Triple(x("fit"), MLS.hasOutput, x("model")) in found


@pytest.mark.parametrize(
    "turtle",
    [
        ":fit a mls:Run ; prov:used :base . :base a mls:Model .",
        ":fit a mls:Run ; prov:used :paper . :paper a hw:Publication .",
        ":prepare a mls:Run . :data a mls:Dataset ; prov:wasGeneratedBy :prepare .",
        ":tidy a prov:Activity ; prov:used :data . :data a mls:Dataset .",
    ],
    ids=["a model is no input", "a paper is no input", "data are no output", "an activity that is no run has no input"],
)
def test_what_ml_schema_holds_for_a_contradiction_is_not_concluded(turtle: str) -> None:
    assert not [t for t in closed(turtle) if t.predicate in (MLS.hasInput, MLS.hasOutput)]


def test_a_setting_is_a_mex_hyperparameter_with_its_value() -> None:
    found = closed(
        ':fit mls:hasInput :s . :s a mls:HyperParameterSetting ; mls:specifiedBy :p ; mls:hasValue 3 . :p rdfs:label "C" .'
    )
    assert {Triple(x("s"), RDF.type, MEXALGO.HyperParameter), Triple(x("s"), DCTERMS.identifier, Literal("C"))} <= found
    assert Triple(x("s"), PROV.value, Literal(3)) in found
    assert Triple(x("fit"), PROV.used, x("s")) in found


def test_an_evaluation_carries_the_mex_property_of_its_measure() -> None:
    found = closed(
        ':e a mls:ModelEvaluation ; mls:specifiedBy :k ; mls:hasValue 0.9 . :k rdfs:label "acc" . :fit mls:hasOutput :e .'
    )
    assert [t.object.value for t in found if t.predicate == MEXPERF.accuracy] == ["0.9"]
    assert Triple(x("e"), RDF.type, MEXPERF.ClassificationMeasure) in found
    assert Triple(x("e"), PROV.wasGeneratedBy, x("fit")) in found


def test_a_measure_that_mex_does_not_know_keeps_its_own_name() -> None:
    found = closed(':e a mls:ModelEvaluation ; mls:specifiedBy :k ; mls:hasValue 0.9 . :k rdfs:label "wasserstein" .')
    assert Triple(x("e"), DCTERMS.identifier, Literal("wasserstein")) in found
    assert not [t for t in found if t.predicate.value.startswith(str(MEXPERF))]


def test_each_value_of_a_mex_measure_is_an_evaluation_of_its_own() -> None:
    found = closed(":m a mexperf:ClassificationMeasure ; mexperf:accuracy 0.9 ; mexperf:recall 0.8 ; prov:wasGeneratedBy :e .")
    values = {t.object.value for t in found if t.predicate == MLS.hasValue}
    outputs = {t.object for t in found if t.predicate == MLS.hasOutput and t.subject == x("e")}
    assert values == {"0.9", "0.8"}
    assert outputs == {x("m#accuracy"), x("m#recall")}
    assert len({t.subject for t in found if t.object == MLS.ModelEvaluation}) == 2


def test_data_that_mex_gives_to_a_configuration_reach_the_execution_with_the_role_of_its_phase() -> None:
    found = closed(
        ":e a mexcore:Execution ; prov:wasInformedBy :c ; prov:used :phase . :phase a mexcore:Test . "
        ":c a mexcore:ExperimentConfiguration ; prov:used :d . :d a mexcore:Dataset ."
    )
    assert Triple(x("e"), PROV.used, x("d")) in found
    assert Triple(x("e"), MLS.hasInput, x("d")) in found
    usage = [t.object for t in found if t.predicate == PROV.qualifiedUsage]
    assert len(usage) == 1
    assert Triple(usage[0], PROV.hadRole, HW.test) in found  # type: ignore[arg-type]


def test_what_a_rule_mints_is_called_the_same_again() -> None:
    turtle = ":m a mexperf:PerformanceMeasure ; mexperf:error 0.1 ; prov:wasGeneratedBy :e ."
    assert closed(turtle) == closed(turtle)
    assert x("m#error") in {t.subject for t in closed(turtle)}


NODES = [x(name) for name in "abcd"]
CLASSES = [
    *(MLS[name] for name in ("Run", "Model", "Dataset", "ModelEvaluation", "HyperParameterSetting")),
    *(MEXCORE[name] for name in ("Test", "Dataset", "ExperimentConfiguration")),
    MEXPERF.PerformanceMeasure,
    MEXALGO.HyperParameter,
]
LINKS = [
    *(PROV[name] for name in ("used", "wasGeneratedBy", "wasInformedBy", "qualifiedUsage", "entity")),
    *(MLS.specifiedBy, MLS.hasOutput, MEXALGO.hasHyperParameter),
]
TEXTS = [RDFS.label, DCTERMS.identifier, PROV.value, MLS.hasValue, MEXPERF.accuracy]
node = st.sampled_from(NODES)
graphs = st.lists(
    st.one_of(
        st.builds(Triple, node, st.just(RDF.type), st.sampled_from(CLASSES)),
        st.builds(Triple, node, st.sampled_from(LINKS), node),
        st.builds(Triple, node, st.sampled_from(TEXTS), st.sampled_from([Literal("accuracy"), Literal("1")])),
        st.builds(Triple, node, st.just(PROV.hadRole), st.sampled_from([HW.train, HW.test])),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(graphs)
def test_the_closure_is_that_of_trying_every_rule_until_nothing_is_new(said: list[Triple]) -> None:
    rules = guarded_rules()
    found = {*said, *Entailer(NO_AXIOMS, rules).entail(said)}
    assert found == naive(set(said), rules)


@settings(max_examples=60, deadline=None)
@given(graphs, st.randoms())
def test_the_order_of_statements_makes_no_difference(said: list[Triple], random: object) -> None:
    shuffled = list(said)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert set(ENTAILER.entail(said)) == set(ENTAILER.entail(shuffled))


def test_every_rule_says_why_and_concludes_only_what_its_conditions_bind() -> None:
    for rule in guarded_rules():
        assert rule.reason.endswith((".", ")"))
        bound = {place for pattern, place in product(rule.body, (0, 1)) for place in [(pattern.subject, pattern.object)[place]]}
        for made in rule.head:
            for place in (made.subject, made.predicate, made.object):
                needed = [place.of, *([place.by] if place.by else [])] if isinstance(place, Minted) else [place]
                assert all(one in bound for one in needed if isinstance(one, Variable)), rule.reason
