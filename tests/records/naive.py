"""Rules tried one by one on everything, until nothing is new: slow, and plain enough to be believed."""

from __future__ import annotations

from collections.abc import Iterator

from pyoxigraph import NamedNode, Triple

from headwater.records.facts import part
from headwater.terms.minting import short_hash
from headwater.terms.names import OWL, RDF, RDFS
from headwater.terms.rules import Minted, Pattern, Rule, Variable, background
from headwater.terms.vocabulary import Axioms


def naive(said: set[Triple], rules: tuple[Rule, ...], tables: Axioms | None = None) -> set[Triple]:
    """The closure by trying every rule, and every axiom of the tables, on everything until nothing is new."""
    known = set(said)
    while True:
        new = {conclusion for rule in rules for conclusion in fits(rule, known, said)}
        if tables is not None:
            new |= {conclusion for triple in known for conclusion in alone(triple, tables)}
            new |= set(chained(known, tables))
        if new <= known:
            return known
        known |= new


def alone(triple: Triple, tables: Axioms) -> Iterator[Triple]:
    """What the axioms say of one statement."""
    subject, predicate, value = triple.subject, triple.predicate.value, triple.object
    if triple.predicate == RDF.type:
        for name in tables.superclasses.get(getattr(value, "value", ""), ()):
            if name not in (RDFS.Resource.value, OWL.Thing.value):
                yield Triple(subject, RDF.type, NamedNode(name))
    for name in tables.superproperties.get(predicate, ()):
        yield Triple(subject, NamedNode(name), value)
    for name in tables.domains.get(predicate, ()):
        yield Triple(subject, RDF.type, NamedNode(name))
    if isinstance(value, NamedNode):
        for name in tables.inverses.get(predicate, ()):
            yield Triple(value, NamedNode(name), subject)
        for name in tables.ranges.get(predicate, ()):
            yield Triple(value, RDF.type, NamedNode(name))


def chained(known: set[Triple], tables: Axioms) -> Iterator[Triple]:
    """What the chains of two properties say."""
    for first in known:
        for second_name, whole in tables.chains.get(first.predicate.value, ()):
            for second in known:
                if second.predicate.value == second_name and second.subject == first.object:
                    yield Triple(first.subject, NamedNode(whole), second.object)


def fits(rule: Rule, known: set[Triple], said: set[Triple]) -> list[Triple]:
    solutions: list[dict[Variable, object]] = [{}]
    for pattern in rule.body:
        solutions = [further for bound in solutions for further in matches(pattern, bound, known, said)]
    found = []
    for bound in solutions:
        for made in rule.head:
            left, middle, right = (fill(place, bound) for place in (made.subject, made.predicate, made.object))
            if isinstance(left, NamedNode):
                found.append(Triple(left, middle, right))  # type: ignore[arg-type]
    return found


def matches(
    pattern: Pattern, bound: dict[Variable, object], known: set[Triple], said: set[Triple]
) -> list[dict[Variable, object]]:
    if pattern.among == "ontology":
        pairs = [(subject, value) for value, subjects in background(pattern.predicate).items() for subject in subjects]
    else:
        among = said if pattern.among == "said" else known
        pairs = [(t.subject, t.object) for t in among if t.predicate == pattern.predicate]  # type: ignore[misc]
    found = []
    for pair in pairs:
        further = dict(bound)
        if all(
            further.setdefault(place, term) == term if isinstance(place, Variable) else place == term
            for place, term in zip((pattern.subject, pattern.object), pair, strict=True)
        ):
            found.append(further)
    return found


def fill(place: object, bound: dict[Variable, object]) -> object:
    if isinstance(place, Variable):
        return bound[place]
    if isinstance(place, Minted):
        of = bound[place.of]
        word = place.word if place.by is None else f"{place.word}-{short_hash(str(bound[place.by]))}"
        return part(of, word) if isinstance(of, NamedNode) else None
    return place
