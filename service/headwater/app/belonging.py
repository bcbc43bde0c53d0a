"""What a question about benefit is about: a thing with its revisions and versions, a project with all that belongs to it."""

from __future__ import annotations

from collections.abc import Iterable

from pyoxigraph import NamedNode

from headwater.app.sight import Sight
from headwater.lineage.families import family_of, versions_of
from headwater.store.protocol import TripleStore
from headwater.terms.names import DCTERMS, SCHEMA

_BELONGING = (DCTERMS.isPartOf, SCHEMA.isPartOf)


def together(node: int, sight: Sight, store: TripleStore) -> frozenset[int]:
    """The ids of what is asked about together with `node`, itself among them.

    To a project belongs what is said to be part of it, or of a part of it, and the versions of that. People do not count: what a
    member does elsewhere is no benefit of the project.
    """
    lineage = sight.lineage
    if lineage.kind_name(node) != "project":
        return family_of(node, lineage)
    found, todo = {node}, [node]
    while todo:
        for member in _members(todo.pop(), sight, store):
            if member not in found and lineage.kind_name(member) != "agent":
                found.add(member)
                todo.append(member)
    return frozenset(found | {version for member in found for version in versions_of(member, lineage)})


def _members(whole: int, sight: Sight, store: TripleStore) -> Iterable[int]:
    lineage = sight.lineage
    iri = NamedNode(lineage.iris[whole])
    if sight.known_at is not None:
        # The store only holds the present. What was said then is read from the ledger, thing by thing.
        for node in lineage.of_kind(None).tolist():
            if any(said.predicate in _BELONGING and said.object == iri for said in sight.about(NamedNode(lineage.iris[node]))):
                yield node
        return
    for predicate in _BELONGING:
        for triple in store.about(iri, sight.graphs, as_object=True, predicate=predicate):
            node = lineage.find(triple.subject.value) if isinstance(triple.subject, NamedNode) else None
            if node is not None:
                yield node
