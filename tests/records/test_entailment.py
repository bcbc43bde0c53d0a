"""What follows from a record is what RDFS, inverses and chains of two say of our axioms, in whatever order it is said."""

from __future__ import annotations

import random

import owlrl
import rdflib
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, serialize
from rdflib.namespace import OWL, RDF, RDFS

from headwater import assets
from headwater.records.entailment import Entailer
from headwater.terms.names import MEXCORE, MLS, PROV, SCHEMA
from headwater.terms.names import RDF as RDF_TERMS

_things = [NamedNode(f"urn:thing:{letter}") for letter in "abcd"]
_properties = [
    PROV.used, PROV.wasGeneratedBy, PROV.generated, PROV.qualifiedUsage, PROV.entity, PROV.qualifiedGeneration, PROV.activity,
    PROV.wasRevisionOf, PROV.specializationOf, PROV.qualifiedAssociation, PROV.agent, MLS.hasInput, MLS.hasOutput, MLS.executes,
    MLS.implements, MLS.realizes, SCHEMA.citation, NamedNode("http://purl.org/dc/terms/references"),
]  # fmt: skip
_classes = [
    MLS.Run,
    MLS.Model,
    MLS.Dataset,
    MEXCORE.Execution,
    PROV.Person,
    PROV.Plan,
    NamedNode("http://www.w3.org/ns/dcat#Dataset"),
]
_statements = st.one_of(
    st.builds(Triple, st.sampled_from(_things), st.sampled_from(_properties), st.sampled_from(_things)),
    st.builds(Triple, st.sampled_from(_things), st.just(RDF_TERMS.type), st.sampled_from(_classes)),
    st.builds(Triple, st.sampled_from(_things), st.just(PROV.startedAtTime), st.just(Literal("2026"))),
)
_graphs = st.lists(_statements, min_size=1, max_size=7, unique=True)
_AXIOMS = {
    RDFS.subClassOf,
    RDFS.subPropertyOf,
    RDFS.domain,
    RDFS.range,
    OWL.inverseOf,
    OWL.equivalentClass,
    OWL.propertyChainAxiom,
}


def _ontology() -> rdflib.Graph:
    whole = rdflib.Graph()
    for path in sorted(assets.folder("ontology").glob("*.ttl")):
        whole.parse(path)
    kept = rdflib.Graph()
    for triple in whole:
        if triple[1] in _AXIOMS or triple[1] in (RDF.first, RDF.rest):
            kept.add(triple)
    for scalar in [
        s for s, o in kept.subject_objects(RDFS.range) if str(o).startswith(("http://www.w3.org/2001/XMLSchema#", str(RDF)))
    ]:
        kept.remove((scalar, RDFS.range, None))
    return kept


_ONTOLOGY = _ontology()


def by_owlrl(triples: list[Triple]) -> set[tuple[str, str, str]]:
    graph = rdflib.Graph()
    for triple in _ONTOLOGY:
        graph.add(triple)
    data = serialize(triples, format=RdfFormat.N_TRIPLES)
    assert data is not None
    graph.parse(data=data, format="nt")
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics, rdfs_closure=True).expand(graph)
    hidden = (RDFS.Resource, OWL.Thing)
    return {
        (str(s), str(p), str(o))
        for s, p, o in graph
        if isinstance(s, rdflib.URIRef) and s.startswith("urn:thing:") and p != OWL.sameAs and o not in hidden
    }


def _ours(triples: list[Triple]) -> set[tuple[str, str, str]]:
    # Without the guarded rules, which are no OWL; test_rules.py compares those with trying them one by one.
    every = [*triples, *Entailer(rules=()).entail(triples)]
    return {(t.subject.value, t.predicate.value, t.object.value) for t in every}  # type: ignore[union-attr]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None, derandomize=True)
@given(st.lists(_statements, min_size=12, max_size=25, unique=True))
def test_the_closure_is_the_one_that_owlrl_finds(triples: list[Triple]) -> None:
    assert _ours(triples) == by_owlrl(triples)


@given(_graphs, st.randoms(use_true_random=False))
def test_the_order_of_statements_does_not_matter(triples: list[Triple], chance: random.Random) -> None:
    mixed = triples[:]
    chance.shuffle(mixed)
    assert set(Entailer().entail(mixed)) == set(Entailer().entail(triples))


@given(_graphs)
def test_what_follows_is_new_and_said_once_and_closed(triples: list[Triple]) -> None:
    entailer = Entailer(rules=())  # some guarded rules look at asserted statements only
    follows = entailer.entail(triples)
    assert len(follows) == len(set(follows))
    assert not set(follows) & set(triples)
    assert entailer.entail([*triples, *follows]) == []


@given(_graphs, _graphs)
def test_more_statements_never_take_a_conclusion_back(one: list[Triple], two: list[Triple]) -> None:
    alone = {*one, *Entailer().entail(one)}
    together = [*dict.fromkeys([*one, *two])]
    assert alone <= {*together, *Entailer().entail(together)}
