"""What the files of `ontology/` say, as plain tables: kinds, roles, lineage properties, evidence, changes, effects and rules.

Python reads these facts and states none of them: to change what counts as a step of lineage, or how an effect travels, change the
Turtle.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pyoxigraph import Dataset, Literal, NamedNode, RdfFormat, parse

from headwater import assets
from headwater.terms.names import HW, OWL, RDF, RDFS

Flow = str
"""`subject` or `object`: the end of a property that is the earlier one in lineage."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object: the word for it, and its rank where a thing has several kinds."""

    name: str
    iri: str
    priority: int
    label: str


@dataclass(frozen=True, slots=True)
class Role:
    """A role of a link with its labels both ways. A `general` role gives way to a special one between the same two things.

    `excludes` are the roles that one use of a thing does not have besides this one.
    """

    name: str
    iri: str
    label_up: str
    label_down: str
    general: bool
    weight: float
    stated: bool
    excludes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LinkProperty:
    """A property that is a step of lineage: which end is the earlier one, and the role it stands for by itself."""

    iri: str
    flows_from: Flow
    role: str


@dataclass(frozen=True, slots=True)
class Qualified:
    """A PROV qualified relation: from its node `through` leads to the thing; it stands for the plain property."""

    through: str
    stands_for: str


@dataclass(frozen=True, slots=True)
class ChangeKind:
    """What can happen to an object: the effect it begins with, and the justification where that effect is harmless."""

    name: str
    iri: str
    label: str
    begins_with: str
    because: str | None


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change does to an object. `rank` grows along a chain; `leaves_standing` names kinds that stay not affected.

    At things of the kinds `may_hide_at`, and where no kind is known, it may amount to the worse effect `may_hide`.
    """

    name: str
    label: str
    definition: str
    rank: int
    worse_than: str | None
    state: str
    severity: str
    because: str | None
    leaves_standing: frozenset[str]
    may_hide: str | None = None
    may_hide_at: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ImpactRule:
    """One row of the table: these effects over these roles (at this kind) become `outgoing`, perhaps `perhaps`."""

    incoming: frozenset[str]
    over: frozenset[str]
    at_kind: str | None
    outgoing: str
    perhaps: str | None
    because: str
    reason: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All tables, read once. Lists are in a fixed order, so that positions can serve as small integers."""

    kinds: tuple[Kind, ...]
    roles: tuple[Role, ...]
    links: dict[str, LinkProperty]
    qualified: dict[str, Qualified]
    evidence: dict[str, int]
    changes: dict[str, ChangeKind]
    effects: tuple[Effect, ...]
    rules: tuple[ImpactRule, ...]
    metric_words: dict[str, str]
    part_class: str
    digest: str

    def kind_of_class(self, iri: str) -> Kind | None:
        return next((kind for kind in self.kinds if kind.iri == iri), None)

    def role(self, name: str) -> Role | None:
        return next((role for role in self.roles if role.name == name), None)

    def better(self, metric: str) -> str | None:
        """`higher` or `lower` by the words in a metric's name; None where no word is known, or words disagree.

        >>> vocabulary().better("test_accuracy"), vocabulary().better("val-loss"), vocabulary().better("epochs")
        ('higher', 'lower', None)
        >>> vocabulary().better("accuracy_loss") is None
        True
        """
        words = "".join(c.lower() if c.isalnum() else " " for c in metric).split()
        found = {self.metric_words[word] for word in words if word in self.metric_words}
        return found.pop() if len(found) == 1 else None


class OntologyFiles:
    """The triples of `ontology/*.ttl` with a few ways to look into them."""

    def __init__(self, folder: Path) -> None:
        self.graph = Dataset()
        digest = hashlib.sha256()
        for path in sorted(folder.glob("*.ttl")):
            data = path.read_bytes()
            digest.update(path.name.encode() + b"\0" + data)
            for quad in parse(data, format=RdfFormat.TURTLE, rename_blank_nodes=True):
                self.graph.add(quad)
        self.digest = digest.hexdigest()

    def subjects(self, predicate: NamedNode, value: NamedNode) -> list[NamedNode]:
        return [q.subject for q in self.graph.quads_for_object(value) if q.predicate == predicate]  # type: ignore[misc]

    def values(self, subject: object, predicate: NamedNode) -> list[NamedNode | Literal]:
        return [q.object for q in self.graph.quads_for_subject(subject) if q.predicate == predicate]  # type: ignore[misc, arg-type]

    def value(self, subject: object, predicate: NamedNode) -> str | None:
        return next((value.value for value in self.values(subject, predicate)), None)

    def label(self, subject: object, predicate: NamedNode = RDFS.label, language: str = "en") -> str:
        """The label in a language, else the English one, or any, or nothing."""
        labels = [value for value in self.values(subject, predicate) if isinstance(value, Literal)]
        wanted = [value.value for value in labels if value.language == language and language != "en"]
        english = [value.value for value in labels if value.language in ("en", None)]
        return (wanted or english or [value.value for value in labels] or [""])[0]

    def pairs(self, predicate: NamedNode) -> Iterator[tuple[NamedNode, NamedNode | Literal]]:
        for quad in self.graph.quads_for_predicate(predicate):
            yield quad.subject, quad.object  # type: ignore[misc]


def _local(iri: str) -> str:
    return iri.rpartition("#")[2]


def _kinds(files: OntologyFiles) -> tuple[Kind, ...]:
    found = [
        Kind(name.value, subject.value, int(files.value(subject, HW.kindPriority) or 0), files.label(subject) or name.value)
        for subject, name in files.pairs(HW.kindName)
    ]
    return tuple(sorted(found, key=lambda kind: -kind.priority))


def _roles(files: OntologyFiles) -> tuple[Role, ...]:
    found = []
    excluding = {(_local(one.value), _local(other.value)) for one, other in files.pairs(HW.excludes)}
    excluding |= {(other, one) for one, other in excluding}
    for cls, stated in ((HW.Role, True), (HW.LinkRole, False)):
        for node in files.subjects(RDF.type, cls):
            found.append(
                Role(
                    name=_local(node.value),
                    iri=node.value,
                    label_up=files.label(node, HW.labelUp),
                    label_down=files.label(node, HW.labelDown),
                    general=files.value(node, HW.general) == "true",
                    weight=float(files.value(node, HW.creditWeight) or 0),
                    stated=stated,
                    excludes=frozenset(other for one, other in excluding if one == _local(node.value)),
                )
            )
    return tuple(sorted(found, key=lambda role: (not role.stated, role.name)))


def _effects(files: OntologyFiles) -> tuple[Effect, ...]:
    nodes = {_local(node.value): node for node in files.subjects(RDF.type, HW.Effect)}
    kind_names = {kind.iri: kind.name for kind in _kinds(files)}
    below = {name: files.value(node, HW.worseThan) for name, node in nodes.items()}

    def rank(name: str) -> int:
        lower = below[name]
        return 0 if lower is None else rank(_local(lower)) + 1

    found = [
        Effect(
            name=name,
            label=files.label(node),
            definition=files.value(node, NamedNode("http://www.w3.org/2004/02/skos/core#definition")) or "",
            rank=rank(name),
            worse_than=_local(below[name] or "") or None,
            state=files.value(node, HW.state) or "not_affected",
            severity=files.value(node, HW.severity) or "info",
            because=files.value(node, HW.because),
            leaves_standing=frozenset(kind_names[v.value] for v in files.values(node, HW.leavesStanding)),
            may_hide=_local(files.value(node, HW.mayHide) or "") or None,
            may_hide_at=frozenset(kind_names[v.value] for v in files.values(node, HW.mayHideAt)),
        )
        for name, node in nodes.items()
    ]
    return tuple(sorted(found, key=lambda effect: (effect.rank, effect.name)))


def _rules(files: OntologyFiles) -> tuple[ImpactRule, ...]:
    kind_names = {kind.iri: kind.name for kind in _kinds(files)}
    rules = []
    for node in files.subjects(RDF.type, HW.ImpactRule):
        at_kind = files.value(node, HW.atKind)
        perhaps = files.value(node, HW.perhaps)
        rules.append(
            ImpactRule(
                incoming=frozenset(_local(v.value) for v in files.values(node, HW.incoming)),
                over=frozenset(_local(v.value) for v in files.values(node, HW.over)),
                at_kind=kind_names[at_kind] if at_kind else None,
                outgoing=_local(files.value(node, HW.outgoing) or ""),
                perhaps=_local(perhaps) if perhaps else None,
                because=files.value(node, HW.because) or "",
                reason=files.label(node, RDFS.comment),
            )
        )
    return tuple(sorted(rules, key=lambda rule: (rule.because, sorted(rule.over), sorted(rule.incoming))))


def _metric_words(files: OntologyFiles) -> dict[str, str]:
    words = {}
    for family in files.subjects(RDF.type, HW.MetricFamily):
        better = files.value(family, HW.better)
        for word in files.values(family, HW.metricWord):
            words[word.value] = better or ""
    return words


@cache
def ontology_files() -> OntologyFiles:
    """The parsed files of `ontology/`, once per process."""
    return OntologyFiles(assets.folder("ontology"))


@cache
def vocabulary() -> Vocabulary:
    """The tables of `ontology/`, once per process.

    >>> [kind.name for kind in vocabulary().kinds][:3]
    ['deployment', 'publication', 'model']
    >>> vocabulary().links["http://www.w3.org/ns/prov#used"].role
    'use'
    """
    files = ontology_files()
    links = {
        subject.value: LinkProperty(subject.value, _local(end.value), _local(files.value(subject, HW.inRole) or ""))
        for subject, end in files.pairs(HW.flowsFrom)
    }
    qualified = {
        subject.value: Qualified(through.value, files.value(subject, HW.standsFor) or "")
        for subject, through in files.pairs(HW.through)
    }
    changes: dict[str, ChangeKind] = {}
    for node in files.subjects(RDF.type, HW.ChangeKind):
        name = _local(node.value)
        begins = _local(files.value(node, HW.beginsWith) or "")
        changes[name] = ChangeKind(name, node.value, files.label(node), begins, files.value(node, HW.because))
    return Vocabulary(
        kinds=_kinds(files),
        roles=_roles(files),
        links=links,
        qualified=qualified,
        evidence={_local(node.value): int(strength.value) for node, strength in files.pairs(HW.strength)},
        changes=changes,
        effects=_effects(files),
        rules=_rules(files),
        metric_words=_metric_words(files),
        part_class=HW.Part.value,
        digest=files.digest,
    )


@dataclass(frozen=True, slots=True)
class Axioms:
    """The closed tables that entailment reads: what follows from one triple by its predicate or class alone.

    `superclasses[C]` and `superproperties[P]` hold everything above, without the term itself; `inverses[P]` the properties whose
    triple stands the other way round; `domains`/`ranges` the classes of the two ends; `chains` pairs of properties that together
    make a third.
    """

    superclasses: dict[str, frozenset[str]]
    superproperties: dict[str, frozenset[str]]
    inverses: dict[str, frozenset[str]]
    domains: dict[str, frozenset[str]]
    ranges: dict[str, frozenset[str]]
    chains: dict[str, tuple[tuple[str, str], ...]]


def _closure(above: dict[str, set[str]]) -> dict[str, frozenset[str]]:
    closed: dict[str, frozenset[str]] = {}
    for start in above:
        seen: set[str] = set()
        todo = list(above[start])
        while todo:
            term = todo.pop()
            if term not in seen:
                seen.add(term)
                todo.extend(above.get(term, ()))
        closed[start] = frozenset(seen - {start})
    return closed


@cache
def axioms() -> Axioms:
    """The rule subset that is materialised: RDFS without its axiomatic triples, `owl:inverseOf`, equivalence, chains of two.

    >>> "http://www.w3.org/ns/prov#Activity" in axioms().superclasses["http://mex.aksw.org/mex-core#Execution"]
    True
    """
    files = ontology_files()
    classes: dict[str, set[str]] = defaultdict(set)
    properties: dict[str, set[str]] = defaultdict(set)
    inverses: dict[str, set[str]] = defaultdict(set)
    domains: dict[str, set[str]] = defaultdict(set)
    ranges: dict[str, set[str]] = defaultdict(set)
    chains: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for lower, upper in files.pairs(RDFS.subClassOf):
        classes[lower.value].add(upper.value)
    for left, right in files.pairs(OWL.equivalentClass):
        classes[left.value].add(right.value)
        classes[right.value].add(left.value)
    for lower, upper in files.pairs(RDFS.subPropertyOf):
        properties[lower.value].add(upper.value)
    for left, right in files.pairs(OWL.inverseOf):
        inverses[left.value].add(right.value)
        inverses[right.value].add(left.value)
    for term, cls in files.pairs(RDFS.domain):
        domains[term.value].add(cls.value)
    for term, cls in files.pairs(RDFS.range):
        if not cls.value.startswith(("http://www.w3.org/2001/XMLSchema#", RDF)):
            ranges[term.value].add(cls.value)
    for term, head in files.pairs(OWL.propertyChainAxiom):
        first = files.value(head, RDF.first) or ""
        rest = files.values(head, RDF.rest)[0]
        second = files.value(rest, RDF.first) or ""
        chains[first].append((second, term.value))
    return Axioms(
        superclasses=_closure(classes),
        superproperties=_closure(properties),
        inverses={term: frozenset(found) for term, found in inverses.items()},
        domains={term: frozenset(found) for term, found in domains.items()},
        ranges={term: frozenset(found) for term, found in ranges.items()},
        chains={term: tuple(found) for term, found in chains.items()},
    )
