"""What we restate of others' ontologies holds there, by RDFS at least, or is listed as a departure with its reason."""

from __future__ import annotations

from collections import defaultdict

import pytest
from pyoxigraph import NamedNode, RdfFormat, Triple, parse

from headwater import assets
from headwater.terms.names import DCTERMS, HW, OWL, PROV, RDF, RDFS
from tests.ontology.conftest import Original

FILES = {
    "prov": ("prov", "prov-inverses"),
    "mls": ("mls",),
    "mex": ("mex", "prov"),
    "dcat": ("dcat", "dcat-prov"),
    "schema": ("dcat-schema",),
    "reproduce-me": ("reproduce-me", "reproduce-me-core", "reproduce-me-computational", "p-plan"),
    "dmop": ("dmop",),
    "ontodm": ("ontodm",),
    "expose": ("expose",),
    "sml": ("sml",),
}
"""Our file, and the originals in which its axioms must hold."""

NOT_AT_HAND = {Triple(NamedNode("http://schema.org/ResearchProject"), RDFS.subClassOf, NamedNode("http://schema.org/Project"))}
"""Axioms of schema.org itself, which is not in the folder of originals."""

CHECKED = (RDFS.subClassOf, RDFS.subPropertyOf, RDFS.domain, RDFS.range, OWL.inverseOf, OWL.equivalentClass)


def ours(name: str) -> list[Triple]:
    data = (assets.folder("ontology") / f"{name}.ttl").read_bytes()
    return [quad.triple for quad in parse(data, format=RdfFormat.TURTLE)]


def closure(triples: list[Triple]) -> set[Triple]:
    """The schema part of RDFS, with equivalence both ways and inverses both ways."""
    known = set(triples)
    for triple in triples:
        if triple.predicate in (OWL.equivalentClass, OWL.inverseOf):
            known.add(Triple(triple.object, triple.predicate, triple.subject))  # type: ignore[arg-type]
        if triple.predicate == OWL.equivalentClass:
            known |= {Triple(triple.subject, RDFS.subClassOf, triple.object)}
            known |= {Triple(triple.object, RDFS.subClassOf, triple.subject)}  # type: ignore[arg-type]
    for predicate in (RDFS.subClassOf, RDFS.subPropertyOf):
        above = defaultdict(set)
        for triple in known:
            if triple.predicate == predicate:
                above[triple.subject].add(triple.object)
        for start in list(above):
            todo, seen = list(above[start]), set()
            while todo:
                term = todo.pop()
                if term not in seen:
                    seen.add(term)
                    todo.extend(above.get(term, ()))
            known |= {Triple(start, predicate, term) for term in seen}
    return known


def departures(triples: list[Triple]) -> set[tuple[object, object, object]]:
    """The axioms whose annotation says why they do not stand in the original."""
    said: dict[object, dict[NamedNode, object]] = defaultdict(dict)
    for triple in triples:
        said[triple.subject][triple.predicate] = triple.object
    return {
        (one[OWL.annotatedSource], one[OWL.annotatedProperty], one[OWL.annotatedTarget])
        for one in said.values()
        if one.get(RDF.type) == OWL.Axiom and HW.departs in one
    }


@pytest.mark.parametrize("name", FILES)
def test_what_the_file_restates_holds_in_the_original_or_is_a_stated_departure(name: str, original: Original) -> None:
    restated = ours(name)
    holds = closure([triple for source in FILES[name] for triple in original(source)])
    left_out = departures(restated)
    missing = [
        triple
        for triple in restated
        if triple.predicate in CHECKED
        and triple not in holds | NOT_AT_HAND
        and (triple.subject, triple.predicate, triple.object) not in left_out
    ]
    assert missing == []


@pytest.mark.parametrize("name", FILES)
def test_no_departure_is_claimed_for_what_the_original_says_after_all(name: str, original: Original) -> None:
    holds = closure([triple for source in FILES[name] for triple in original(source)])
    assert [one for one in departures(ours(name)) if Triple(*one) in holds] == []  # type: ignore[arg-type]


def test_each_chain_of_prov_restates_an_unqualified_form(original: Original) -> None:
    """PROV-O states by an annotation of the plain property which qualified one says the same."""
    pairs = {(t.subject, t.object) for t in original("prov") if t.predicate == PROV.qualifiedForm}
    triples = ours("prov")
    first = {t.subject: t.object for t in triples if t.predicate == RDF.first}
    chains = [(t.subject, first[t.object]) for t in triples if t.predicate == OWL.propertyChainAxiom]
    assert len(chains) == 8
    assert [pair for pair in chains if pair not in pairs] == []


@pytest.mark.parametrize("name", [*FILES, "fair4ml"])
def test_the_file_names_where_it_comes_from(name: str) -> None:
    header = NamedNode(f"https://w3id.org/headwater/terms/{name}")
    triples = ours(name)
    assert Triple(header, RDF.type, OWL.Ontology) in triples
    assert [t for t in triples if t.subject == header and t.predicate == DCTERMS.source]


def test_every_term_of_fair4ml_that_we_use_is_one_of_the_release(original: Original) -> None:
    known = {t.subject for t in original("fair4ml")}
    assert [
        t.subject for t in ours("fair4ml") if t.predicate == RDF.type and t.object != OWL.Ontology and t.subject not in known
    ] == []


@pytest.mark.parametrize("name", [name for name in FILES if name not in ("schema", "prov")])
def test_every_term_that_the_file_declares_exists_in_the_original(name: str, original: Original) -> None:
    known = {term for source in FILES[name] for t in original(source) for term in (t.subject, t.object)}
    declared = {t.subject for t in ours(name) if t.predicate == RDF.type and t.object not in (OWL.Ontology, OWL.Axiom)}
    assert sorted(str(term) for term in declared - known) == []
