"""What records say of classes and properties: which of it shapes follow, and what follows from it for the gate.

Conclusions are drawn from `ontology/` alone; a stranger's axiom in a record is kept and not used. The one exception is SHACL's
own: an instance of a class is an instance of those above it by `rdfs:subClassOf` among the data, for `sh:targetClass` and
`sh:class`. An audit asks the whole graph and sees that; the gate sees a write and what is around it, and is told here what the
rest of the hierarchy makes of the classes in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from functools import cache

from pyoxigraph import NamedNode, Triple

from headwater.checking.surroundings import Surroundings
from headwater.records.record import Record
from headwater.terms.names import OWL, RDF, RDFS

AXIOMS = frozenset(
    {
        RDFS.subClassOf,
        RDFS.subPropertyOf,
        RDFS.domain,
        RDFS.range,
        OWL.equivalentClass,
        OWL.equivalentProperty,
        OWL.inverseOf,
        OWL.propertyChainAxiom,
    }
)
"""The predicates of statements that can change what other statements mean."""


def axioms(statements: Iterable[Triple]) -> frozenset[Triple]:
    """Those of the statements that can change what others mean.

    >>> len(axioms([Triple(OWL.Thing, RDFS.subClassOf, OWL.Thing), Triple(OWL.Thing, RDF.type, OWL.Class)]))
    1
    """
    return frozenset(triple for triple in statements if triple.predicate in AXIOMS)


class Hierarchy:
    """Which classes stand above which, by the `rdfs:subClassOf` among some statements.

    >>> model, mine = NamedNode("urn:Model"), NamedNode("urn:Mine")
    >>> hierarchy = Hierarchy([Triple(mine, RDFS.subClassOf, model), Triple(model, RDFS.subClassOf, OWL.Thing)])
    >>> [triple.object.value for triple in hierarchy.types([Triple(NamedNode("urn:x"), RDF.type, mine)])]
    ['http://www.w3.org/2002/07/owl#Thing', 'urn:Model']
    """

    def __init__(self, statements: Iterable[Triple]) -> None:
        self._over: dict[NamedNode, set[NamedNode]] = defaultdict(set)
        for triple in statements:
            lower, upper = triple.subject, triple.object
            if triple.predicate == RDFS.subClassOf and isinstance(lower, NamedNode) and isinstance(upper, NamedNode):
                self._over[lower].add(upper)
        self._above = cache(self._all_above)

    def __bool__(self) -> bool:
        return bool(self._over)

    def _all_above(self, cls: NamedNode) -> tuple[NamedNode, ...]:
        found: set[NamedNode] = set()
        waiting = [cls]
        while waiting:
            more = self._over.get(waiting.pop(), set()) - found
            found |= more
            waiting += more
        return tuple(sorted(found - {cls}, key=lambda node: node.value))

    def types(self, statements: Iterable[Triple]) -> Iterator[Triple]:
        """The `rdf:type` statements that follow from those among `statements`."""
        for triple in statements:
            if triple.predicate == RDF.type and isinstance(triple.object, NamedNode):
                for cls in self._above(triple.object):
                    yield Triple(triple.subject, RDF.type, cls)

    def classified(self, record: Record) -> Record:
        """The record with these types among what follows from it, for the gate to look at and not for the ledger."""
        more = dict.fromkeys([*self.types(record.asserted), *self.types(record.entailed)])
        return replace(record, entailed=[*record.entailed, *more]) if more else record


class Classified:
    """Surroundings in which things have the types, too, that follow from the hierarchy."""

    def __init__(self, around: Surroundings, hierarchy: Hierarchy) -> None:
        self._around = around
        self._hierarchy = hierarchy

    def about(self, iri: str, predicates: Collection[str] | None, also: Collection[Triple]) -> Iterable[Triple]:
        return self._with_types(self._around.about(iri, predicates, also))

    def to(self, iri: str, predicates: Collection[str]) -> Iterable[Triple]:
        return self._around.to(iri, predicates)

    def going(self) -> Iterable[Triple]:
        return self._with_types(self._around.going())

    def _with_types(self, statements: Iterable[Triple]) -> list[Triple]:
        known = list(statements)
        return [*known, *self._hierarchy.types(known)]
