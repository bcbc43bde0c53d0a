"""The ontology is well made: every term is declared, labelled in both directions and languages, defined, exemplified, in use."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, parse

from headwater import assets
from headwater.terms.names import DCTERMS, HW, OWL, RDF, RDFS, SKOS, XSD
from headwater.terms.vocabulary import axioms, ontology_files

ROOT = Path(__file__).resolve().parents[2]
TRIPLES = [quad.triple for quad in ontology_files().graph]
HEADER = "https://w3id.org/headwater/terms"
PROPERTIES = {OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty}
STRENGTHS = {RDFS.subClassOf, RDFS.subPropertyOf, OWL.equivalentClass, SKOS.closeMatch}
BUILT_IN = (str(RDF), str(RDFS), str(OWL), str(XSD))


def types() -> dict[object, set[object]]:
    found: dict[object, set[object]] = defaultdict(set)
    for triple in TRIPLES:
        if triple.predicate == RDF.type:
            found[triple.subject].add(triple.object)
    return found


TYPES = types()
OURS = sorted(
    {
        t.subject.value
        for t in TRIPLES
        if isinstance(t.subject, NamedNode) and t.subject.value.startswith(str(HW)) and TYPES[t.subject]
    }
)


def values(term: str, predicate: NamedNode) -> list[Literal]:
    return [t.object for t in TRIPLES if t.subject == NamedNode(term) and t.predicate == predicate]  # type: ignore[misc]


def languages(term: str, predicate: NamedNode) -> list[str | None]:
    return sorted(value.language or "" for value in values(term, predicate))


def test_every_term_has_one_label_in_english_and_one_in_german() -> None:
    assert [term for term in OURS if languages(term, RDFS.label) != ["de", "en"]] == []


def test_every_term_has_one_definition_in_english() -> None:
    # A justification's label is its definition: it completes "because".
    wanted = [term for term in OURS if HW.Justification not in TYPES[NamedNode(term)]]
    assert [term for term in wanted if languages(term, SKOS.definition) != ["en"]] == []


def test_every_term_has_an_example() -> None:
    wanted = [term for term in OURS if HW.Justification not in TYPES[NamedNode(term)]]
    assert [term for term in wanted if len(values(term, SKOS.example)) != 1] == []


def test_every_link_has_a_label_for_the_way_back_in_both_languages() -> None:
    links = [term for term in OURS if OWL.ObjectProperty in TYPES[NamedNode(term)]]
    assert links
    assert [term for term in links if languages(term, HW.inverseLabel) != ["de", "en"]] == []


def test_every_role_has_labels_both_ways_in_both_languages() -> None:
    roles = [term for term in OURS if {HW.Role, HW.LinkRole} & TYPES[NamedNode(term)]]
    assert len(roles) > 20
    wrong = [t for t in roles if languages(t, HW.labelUp) != ["de", "en"] or languages(t, HW.labelDown) != ["de", "en"]]
    assert wrong == []


def test_no_two_terms_of_one_sort_share_a_label() -> None:
    """A class and a property may (change, kind of change): they are told apart by their sort."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for term in OURS:
        for label in values(term, RDFS.label):
            for sort in TYPES[NamedNode(term)]:
                seen[str(sort), label.language or "", label.value] += 1
    assert [one for one, count in seen.items() if count > 1] == []


def test_language_tags_are_english_or_german() -> None:
    tags = {t.object.language for t in TRIPLES if isinstance(t.object, Literal) and t.object.language}
    assert tags == {"en", "de"}


def test_every_term_that_an_axiom_names_is_declared() -> None:
    named = {
        term.value
        for t in TRIPLES
        if t.predicate in (*STRENGTHS, RDFS.domain, RDFS.range, OWL.inverseOf, RDF.first)
        for term in (t.subject, t.object)
        if isinstance(term, NamedNode) and not term.value.startswith(BUILT_IN)
    }
    named |= {t.predicate.value for t in TRIPLES if not t.predicate.value.startswith(BUILT_IN)}
    assert sorted(term for term in named if not TYPES.get(NamedNode(term))) == []


def test_every_term_of_ours_in_code_shapes_queries_examples_and_documentation_is_declared() -> None:
    known = {term.removeprefix(str(HW)) for term in OURS}
    unknown = set()
    for folder, pattern in (
        ("service", "*.py"),
        ("shapes", "*.ttl"),
        ("queries", "*.rq"),
        ("examples", "*.ttl"),
        ("ontology", "*.ttl"),
    ):
        for path in sorted((ROOT / folder).rglob(pattern)):
            text = re.sub(r'hw:because-X|HW\[f"', "", path.read_text(encoding="utf-8"))
            words = re.findall(r"\bhw:([A-Za-z][\w-]*)", text) + re.findall(r'\bHW(?:\.|\[")([A-Za-z][\w-]*)', text)
            unknown |= {(path.name, word) for word in words if word not in known}
    assert sorted(unknown) == []


def test_classes_and_properties_are_told_apart_as_owl_2_dl_demands() -> None:
    for term, sorts in TYPES.items():
        assert len(sorts & PROPERTIES) <= 1, f"{term} is declared as {sorts}"
        assert not (OWL.Class in sorts and sorts & PROPERTIES), f"{term} is a class and a property"
    for triple in TRIPLES:
        if triple.predicate == RDFS.subClassOf or triple.predicate == OWL.equivalentClass:
            assert OWL.Class in TYPES[triple.subject]
            assert OWL.Class in TYPES[triple.object]
        if triple.predicate == RDFS.subPropertyOf or triple.predicate == OWL.inverseOf:
            assert TYPES[triple.subject] & PROPERTIES == TYPES[triple.object] & PROPERTIES == {OWL.ObjectProperty}
        if triple.predicate == RDFS.domain:
            assert OWL.Class in TYPES[triple.object]
        if triple.predicate == RDFS.range and TYPES[triple.subject] & {OWL.ObjectProperty}:
            assert OWL.Class in TYPES[triple.object]
        if triple.predicate == RDFS.range and TYPES[triple.subject] & {OWL.DatatypeProperty}:
            assert triple.object.value.startswith(str(XSD))  # type: ignore[union-attr]


def test_a_property_is_used_as_it_is_declared() -> None:
    for triple in TRIPLES:
        if OWL.ObjectProperty in TYPES[triple.predicate]:
            assert isinstance(triple.object, NamedNode | BlankNode)
        if triple.predicate.value.startswith(BUILT_IN):
            continue
        assert TYPES[triple.predicate] & PROPERTIES


def test_no_term_of_the_languages_themselves_is_redefined() -> None:
    assert [t for t in TRIPLES if isinstance(t.subject, NamedNode) and t.subject.value.startswith(BUILT_IN)] == []


def test_no_class_expression_is_anonymous_so_that_the_rules_see_every_axiom() -> None:
    schema = (*STRENGTHS, RDFS.domain, RDFS.range, OWL.inverseOf)
    assert [t for t in TRIPLES if t.predicate in schema and BlankNode in (type(t.subject), type(t.object))] == []


def test_chains_are_of_two_links_and_none_leads_back_into_itself() -> None:
    """Regularity, OWL 2 Structural Specification section 11.2, in the strict form in which no chain meets another."""
    tables = axioms()
    wholes = {whole for pairs in tables.chains.values() for _, whole in pairs}
    links = set(tables.chains) | {second for pairs in tables.chains.values() for second, _ in pairs}
    below = {term for term, above in tables.superproperties.items() if above & wholes}
    assert not links & (wholes | below)
    for triple in TRIPLES:
        if triple.predicate == OWL.propertyChainAxiom:
            first_rest = [t.object for t in TRIPLES if t.subject == triple.object and t.predicate == RDF.rest]
            last = [t.object for t in TRIPLES if t.subject == first_rest[0] and t.predicate == RDF.rest]
            assert last == [RDF.nil]


@pytest.mark.parametrize("predicate", [RDFS.subClassOf, RDFS.subPropertyOf])
def test_no_term_is_below_itself(predicate: NamedNode) -> None:
    above: dict[object, set[object]] = defaultdict(set)
    for triple in TRIPLES:
        if triple.predicate == predicate:
            above[triple.subject].add(triple.object)
    for start in list(above):
        todo, seen = list(above[start]), set()
        while todo:
            term = todo.pop()
            if term not in seen:
                seen.add(term)
                todo.extend(above.get(term, ()))
        assert start not in seen


def test_no_term_stands_alone() -> None:
    """Each term of ours is pointed to by another statement, or is used by code, shapes, queries or tests."""
    pointed = {node.value for t in TRIPLES for node in (t.predicate, t.object) if isinstance(node, NamedNode)}
    text = " ".join(
        path.read_text(encoding="utf-8")
        for folder, pattern in (("service", "*.py"), ("shapes", "*.ttl"), ("queries", "*.rq"), ("examples", "*.ttl"))
        for path in sorted((ROOT / folder).rglob(pattern))
    )
    written = {t.object.value for t in TRIPLES if isinstance(t.object, Literal)} | set(re.findall(r'"([a-z][a-z-]+)"', text))
    alone = []
    for term in OURS:
        local = term.removeprefix(str(HW))
        used = re.search(rf'\b(?:hw:|HW\.|HW\["){re.escape(local)}\b', text)
        if term not in pointed and not used and local.removeprefix("because-") not in written and local not in written:
            alone.append(local)
    assert alone == []


def alignments() -> list[dict[NamedNode, list[object]]]:
    said: dict[object, dict[NamedNode, list[object]]] = defaultdict(lambda: defaultdict(list))
    data = (assets.folder("ontology") / "bridge.ttl").read_bytes()
    for quad in parse(data, format=RdfFormat.TURTLE):
        if isinstance(quad.subject, BlankNode):
            said[quad.subject][quad.predicate].append(quad.object)
    return list(said.values())


def test_every_alignment_is_asserted_once_and_has_a_source_and_a_reason() -> None:
    bridge = {quad.triple for quad in parse((assets.folder("ontology") / "bridge.ttl").read_bytes(), format=RdfFormat.TURTLE)}
    asserted = {t for t in bridge if t.predicate in STRENGTHS}
    told = set()
    for one in alignments():
        axiom = Triple(one[OWL.annotatedSource][0], one[OWL.annotatedProperty][0], one[OWL.annotatedTarget][0])  # type: ignore[arg-type]
        assert axiom not in told
        told.add(axiom)
        assert len(one[DCTERMS.source]) == 1
        assert len(one[HW.reason]) == 1
    assert told == asserted
    assert len(told) > 100


def test_alignments_of_vocabularies_that_few_use_entail_nothing_for_data_in_our_own_terms() -> None:
    """Import pays for each entailed statement, so these point from their term to ours and never back."""
    guests = (
        "http://www.e-lico.eu/",
        "http://kt.ijs.si/",
        "http://expdb.cs.kuleuven.be/",
        "http://www.semanticweb.org/",
        "https://w3id.org/reproduceme",
    )
    tables = axioms()
    for table in (tables.superclasses, tables.superproperties):
        for term, above in table.items():
            assert term.startswith(guests) or not [one for one in above if one.startswith(guests)]
