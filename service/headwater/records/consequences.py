"""What follows from one statement by itself, and the other way about: from what sort of statement a given one may so follow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from pyoxigraph import NamedNode, Triple

from headwater.records.entailment import Entailer
from headwater.records.inference import key
from headwater.terms.names import RDF
from headwater.terms.vocabulary import Axioms, axioms

_LEFT, _RIGHT = NamedNode("urn:left"), NamedNode("urn:right")


class Consequences:
    """Subclasses, wider and inverse properties, domains and ranges, looked up both ways.

    >>> from headwater.terms.names import MLS, PROV
    >>> run, data = NamedNode("urn:run"), NamedNode("urn:data")
    >>> given = Triple(run, MLS.hasInput, data)
    >>> found = Consequences.of_ontology().of(given)
    >>> Triple(run, PROV.used, data) in found, Triple(run, RDF.type, PROV.Activity) in found
    (True, True)
    >>> given in list(Consequences.of_ontology().sources(Triple(run, PROV.used, data)))
    True
    """

    def __init__(self, tables: Axioms) -> None:
        self._entailer = Entailer(tables, rules=())
        self._after: dict[str, tuple[Triple, ...]] = {}
        self._before: dict[str, list[tuple[Triple, Triple]]] = defaultdict(list)
        properties = {*tables.superproperties, *tables.inverses, *tables.domains, *tables.ranges}
        samples = [Triple(_LEFT, NamedNode(iri), _RIGHT) for iri in sorted(properties)]
        samples += [Triple(_LEFT, RDF.type, NamedNode(iri)) for iri in sorted(tables.superclasses)]
        for sample in samples:
            found = self._after[key(sample.predicate.value, sample.object)] = tuple(self._entailer.entail([sample]))
            for follows in found:
                self._before[key(follows.predicate.value, follows.object)].append((sample, follows))

    @staticmethod
    @cache
    def of_ontology() -> Consequences:
        """The tables of `ontology/`, once per process."""
        return Consequences(axioms())

    def of(self, triple: Triple) -> list[Triple]:
        """What follows from this statement alone."""
        ends = {_LEFT: triple.subject, _RIGHT: triple.object}
        found = []
        for sample in self._after.get(key(triple.predicate.value, triple.object), ()):
            subject, value = ends[sample.subject], ends.get(sample.object, sample.object)  # type: ignore[index, arg-type]
            if isinstance(subject, NamedNode):
                found.append(Triple(subject, sample.predicate, value))
        return found

    def sources(self, triple: Triple) -> Iterator[Triple | tuple[NamedNode, NamedNode, bool]]:
        """The statements from which it would follow: whole ones, or a node with a predicate, True where the node is the value."""
        for sample, follows in self._before.get(key(triple.predicate.value, triple.object), ()):
            ends = {follows.subject: triple.subject, follows.object: triple.object}
            left, right = ends.get(_LEFT), ends.get(_RIGHT, sample.object if sample.predicate == RDF.type else None)
            if isinstance(left, NamedNode) and right is not None:
                yield Triple(left, sample.predicate, right)
            elif isinstance(left, NamedNode):
                yield left, sample.predicate, False
            elif isinstance(right, NamedNode):
                yield right, sample.predicate, True
