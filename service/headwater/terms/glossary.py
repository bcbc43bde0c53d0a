"""Each term of `ontology/` as a person looks it up: labels, definition, example, axioms, and how it meets other vocabularies."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, parse

from headwater import assets
from headwater.terms.names import DCTERMS, HW, OWL, PREFIXES, RDF, RDFS, SKOS
from headwater.terms.vocabulary import ontology_files

SORTS = {
    OWL.Class.value: "class",
    OWL.ObjectProperty.value: "link",
    OWL.DatatypeProperty.value: "value",
    OWL.AnnotationProperty.value: "annotation",
    HW.Role.value: "role",
    HW.LinkRole.value: "role of a plain link",
    HW.Evidence.value: "evidence",
    HW.ChangeKind.value: "kind of change",
    HW.Effect.value: "effect",
    HW.Justification.value: "justification",
    HW.MetricFamily.value: "metric family",
}
"""What a term is, by its class, in the order in which lists show them."""
OTHER = "other"

_STRENGTHS = {
    OWL.equivalentClass: "the same as",
    RDFS.subClassOf: "a kind of",
    RDFS.subPropertyOf: "a narrower form of",
    SKOS.closeMatch: "close to",
}
_TURNED = {
    OWL.equivalentClass: "the same as",
    RDFS.subClassOf: "wider than",
    RDFS.subPropertyOf: "wider than",
    SKOS.closeMatch: "close to",
}
_AXIOMS = {RDFS.domain: "said of", RDFS.range: "points to", OWL.inverseOf: "the way back of", RDF.type: "is a", **_STRENGTHS}


@dataclass(frozen=True, slots=True)
class Alignment:
    """How a term meets one of another vocabulary: `words` reads from the term to `other`; who stated it, and why."""

    words: str
    other: str
    strength: str
    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Term:
    """A term of ours. Labels go by language. A link reads as `forth` from subject to object and as `back` the other way; a role
    reads as `forth` from the later thing to the earlier one. Other terms have neither."""

    iri: str
    local: str
    sort: str
    labels: dict[str, str]
    forth: dict[str, str]
    back: dict[str, str]
    definition: str
    example: str
    axioms: tuple[tuple[str, str], ...]
    alignments: tuple[Alignment, ...]

    @property
    def label(self) -> str:
        return self.labels.get("en", self.local)


@cache
def terms() -> dict[str, Term]:
    """All terms of our namespace by their local name, sorted by sort and name.

    >>> terms()["deploys"].label, terms()["deploys"].back["en"], terms()["train"].sort
    ('deploys', 'is deployed by', 'role')
    """
    graph = ontology_files().graph
    named = {quad.subject for quad in graph if isinstance(quad.subject, NamedNode) and quad.subject.value.startswith(HW)}
    aligned = _alignments()
    found = [_term(node, aligned.get(node, [])) for node in named if ontology_files().value(node, RDF.type)]
    order = [*SORTS.values(), OTHER]
    return {term.local: term for term in sorted(found, key=lambda term: (order.index(term.sort), term.local.lower()))}


def _term(node: NamedNode, aligned: list[Alignment]) -> Term:
    files = ontology_files()
    sorts = [value.value for value in files.values(node, RDF.type)]
    back = _by_language(node, HW.inverseLabel)
    across = {one.other for one in aligned}
    axioms = [
        (words, value.value)
        for predicate, words in _AXIOMS.items()
        for value in files.values(node, predicate)
        if isinstance(value, NamedNode) and value.value not in SORTS and value.value not in across
        if value != OWL.NamedIndividual
    ]
    return Term(
        iri=node.value,
        local=node.value.removeprefix(HW),
        sort=next((words for iri, words in SORTS.items() if iri in sorts), OTHER),
        labels=_by_language(node, RDFS.label),
        forth=_by_language(node, HW.labelUp) or (_by_language(node, RDFS.label) if back else {}),
        back=back or _by_language(node, HW.labelDown),
        definition=files.value(node, SKOS.definition) or files.label(node),
        example=files.value(node, SKOS.example) or "",
        axioms=tuple(sorted(axioms)),
        alignments=tuple(aligned),
    )


def _by_language(node: NamedNode, predicate: NamedNode) -> dict[str, str]:
    values = [value for value in ontology_files().values(node, predicate) if isinstance(value, Literal)]
    return {value.language or "en": value.value for value in sorted(values, key=lambda value: value.language or "", reverse=True)}


def _alignments() -> dict[NamedNode, list[Alignment]]:
    """From both ends: what the bridge says of our terms, and of others' terms to ours."""
    found: dict[NamedNode, list[Alignment]] = defaultdict(list)
    for axiom in alignments():
        if axiom.subject.startswith(HW):
            found[NamedNode(axiom.subject)].append(_seen(axiom, _STRENGTHS, axiom.object))
        if axiom.object.startswith(HW):
            found[NamedNode(axiom.object)].append(_seen(axiom, _TURNED, axiom.subject))
    return found


def _seen(axiom: Axiom, words: dict[NamedNode, str], other: str) -> Alignment:
    return Alignment(words[axiom.strength], other, axiom.strength.value, axiom.source, axiom.reason)


@dataclass(frozen=True, slots=True)
class Axiom:
    """One alignment as `bridge.ttl` states and annotates it; `strength` is its property."""

    subject: str
    strength: NamedNode
    object: str
    source: str
    reason: str


@cache
def alignments() -> tuple[Axiom, ...]:
    """All alignments of the bridge, sorted.

    >>> [a.reason[:38] for a in alignments() if a.subject.endswith("Process") and a.object.endswith("Activity")][0]
    'A process of DMOP unfolds in time.'
    """
    files = ontology_files()
    found = []
    for node in files.subjects(RDF.type, OWL.Axiom):
        reason = files.value(node, HW.reason)
        if reason is not None:
            ends = [files.value(node, OWL[end]) or "" for end in ("annotatedSource", "annotatedTarget")]
            strength = NamedNode(files.value(node, OWL.annotatedProperty) or "")
            found.append(Axiom(ends[0], strength, ends[1], files.value(node, DCTERMS.source) or "", reason))
    return tuple(sorted(found, key=lambda axiom: (axiom.subject, axiom.object)))


def statements(local: str | None = None) -> list[Triple]:
    """What `ontology/` says of a term of ours, its alignments and their annotations included; without a name, all that it says.

    >>> len(statements("deploys")) > 5
    True
    """
    graph = ontology_files().graph
    if local is None:
        return [quad.triple for quad in graph]
    term = HW[local]
    nodes: set[object] = {term}
    for end in (OWL.annotatedSource, OWL.annotatedTarget):
        nodes |= {quad.subject for quad in graph.quads_for_object(term) if quad.predicate == end}
    said = [quad.triple for quad in graph if quad.subject in nodes]
    ends = {(t.subject, t.predicate): t.object for t in said if isinstance(t.subject, BlankNode)}
    axioms = [
        Triple(ends[node, OWL.annotatedSource], ends[node, OWL.annotatedProperty], ends[node, OWL.annotatedTarget])
        for node in nodes
        if isinstance(node, BlankNode)
    ]
    return list(dict.fromkeys([*said, *axioms]))


@cache
def prefixes() -> dict[str, str]:
    """The prefixes of all files of `ontology/`, for people to read its terms by.

    >>> prefixes()["dmop"]
    'http://www.e-lico.eu/ontologies/dmo/DMOP/DMOP.owl#'
    """
    found: dict[str, str] = {}
    for path in sorted(assets.folder("ontology").glob("*.ttl")):
        reading = parse(path.read_bytes(), format=RdfFormat.TURTLE)
        for _ in reading:
            pass
        found.update(reading.prefixes)
    return found | {prefix: str(namespace) for prefix, namespace in PREFIXES.items()}


def short(iri: str) -> str:
    """The IRI with a prefix of `prefixes` where one fits.

    >>> short("http://kt.ijs.si/panovp/OntoDM#OntoDM_000144")
    'ontodm:OntoDM_000144'
    """
    fitting = [(prefix, start) for prefix, start in prefixes().items() if iri.startswith(start) and len(iri) > len(start)]
    if not fitting:
        return iri
    prefix, start = max(fitting, key=lambda one: len(one[1]))
    return f"{prefix}:{iri[len(start) :]}"
