"""What follows from a record's statements by the axioms and rules of `ontology/`: classes, wider and inverse properties, plain
PROV forms, and the same facts in the words of PROV-O, ML-Schema and MEX.

Entailment looks at one record at a time, so that withdrawing a record takes exactly its own conclusions with it. What follows
from several records together is kept by `headwater.store.joint`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from headwater.records.inference import Inference, RuleSet
from headwater.terms.names import RDF
from headwater.terms.rules import Rule, guarded_rules
from headwater.terms.vocabulary import Axioms, axioms

_TYPE = RDF.type
_HIDDEN_CLASSES = frozenset({"http://www.w3.org/2000/01/rdf-schema#Resource", "http://www.w3.org/2002/07/owl#Thing"})


class Entailer:
    """Closes a set of triples under the axioms and the guarded rules. The result does not depend on the order of the triples.

    >>> from headwater.terms.names import MLS, PROV
    >>> run, data = NamedNode("urn:run"), NamedNode("urn:data")
    >>> new = Entailer().entail([Triple(run, MLS.hasInput, data)])
    >>> Triple(run, PROV.used, data) in new, Triple(run, RDF.type, PROV.Activity) in new
    (True, True)
    """

    def __init__(self, tables: Axioms | None = None, rules: Iterable[Rule] | None = None) -> None:
        self._tables = tables or axioms()
        self._rules = RuleSet(guarded_rules() if rules is None else rules)
        self._nodes: dict[str, NamedNode] = {}
        self._by_predicate: dict[str, _Consequences] = {}
        self._by_class: dict[str, tuple[NamedNode, ...]] = {}

    def entail(self, triples: Iterable[Triple]) -> list[Triple]:
        """The triples that follow and were not already there, each once."""
        known: dict[Triple, bool] = dict.fromkeys(triples, False)
        asserted = len(known)
        todo = list(known)
        inference = Inference(self._rules, todo.copy())
        chains = self._tables.chains
        tails: dict[tuple[object, str], list[Triple]] = defaultdict(list)
        heads: dict[object, list[Triple]] = defaultdict(list)
        tail_predicates = {second for pairs in chains.values() for second, _ in pairs}
        while todo:
            triple = todo.pop()
            subject, predicate, value = triple.subject, triple.predicate, triple.object
            fresh: list[Triple] = []
            iri = predicate.value
            if iri != _TYPE.value:
                fresh = self._consequences(iri).apply(subject, value)
            elif isinstance(value, NamedNode) and not known[triple]:
                for cls in self._above(value.value):
                    # What is above this class is above the other, too: all of it comes here, and need not be looked up again.
                    wider = Triple(subject, _TYPE, cls)
                    if wider not in known:
                        known[wider] = True
                        todo.append(wider)
            if iri in chains and not isinstance(value, Literal):
                heads[value].append(triple)
                for second, whole in chains[iri]:
                    fresh += [Triple(subject, self._node(whole), tail.object) for tail in tails[value, second]]
            if iri in tail_predicates:
                tails[subject, iri].append(triple)
                for head in heads.get(subject, ()):
                    for second, whole in chains[head.predicate.value]:
                        if second == iri:
                            fresh.append(Triple(head.subject, self._node(whole), value))
            fresh += inference.follow(subject, iri, value)
            for new in fresh:
                if new not in known:
                    known[new] = False
                    todo.append(new)
            if not todo:
                todo = [new for new in dict.fromkeys(inference.settle()) if new not in known]
                known.update(dict.fromkeys(todo, False))
        return list(known)[asserted:]

    def _node(self, iri: str) -> NamedNode:
        node = self._nodes.get(iri)
        if node is None:
            node = self._nodes[iri] = NamedNode(iri)
        return node

    def _above(self, cls: str) -> tuple[NamedNode, ...]:
        found = self._by_class.get(cls)
        if found is None:
            above = self._tables.superclasses.get(cls, frozenset()) - _HIDDEN_CLASSES
            found = self._by_class[cls] = tuple(self._node(iri) for iri in sorted(above))
        return found

    def _consequences(self, predicate: str) -> _Consequences:
        found = self._by_predicate.get(predicate)
        if found is None:
            found = self._by_predicate[predicate] = _Consequences(predicate, self._tables)
        return found


class _Consequences:
    """What a triple with this predicate entails by itself."""

    def __init__(self, predicate: str, tables: Axioms) -> None:
        self.same = [NamedNode(iri) for iri in sorted(tables.superproperties.get(predicate, ()))]
        self.turned = [NamedNode(iri) for iri in sorted(tables.inverses.get(predicate, ()))]
        self.subject_classes = [NamedNode(iri) for iri in sorted(tables.domains.get(predicate, ()))]
        self.object_classes = [NamedNode(iri) for iri in sorted(tables.ranges.get(predicate, ()))]
        self.nothing = not (self.same or self.turned or self.subject_classes or self.object_classes)

    def apply(self, subject: NamedNode | BlankNode | Triple, value: NamedNode | BlankNode | Literal | Triple) -> list[Triple]:
        if self.nothing:
            return []
        fresh = [Triple(subject, predicate, value) for predicate in self.same]
        fresh += [Triple(subject, _TYPE, cls) for cls in self.subject_classes]
        if isinstance(value, NamedNode | BlankNode):
            fresh += [Triple(value, predicate, subject) for predicate in self.turned]
            fresh += [Triple(value, _TYPE, cls) for cls in self.object_classes]
        return fresh
