"""How much it counts that a thing is mended: weights by kind and by severity, read from `ontology/plans.ttl`."""

from __future__ import annotations

from functools import cache

from headwater.terms.names import HW, RDF
from headwater.terms.vocabulary import ontology_files, vocabulary


@cache
def kind_weights() -> dict[str, int]:
    """The weight of each kind of object by its word; 1 where none is stated.

    >>> kind_weights()["deployment"] > kind_weights()["dataset"]
    True
    """
    stated = _stated()
    return {kind.name: stated.get(kind.iri, 1) for kind in vocabulary().kinds}


@cache
def severity_weights() -> dict[str, int]:
    """The weight of each severity by its word.

    >>> severity_weights()["critical"], severity_weights()["info"]
    (8, 1)
    """
    iris = [node.value for node in ontology_files().subjects(RDF.type, HW.SeverityLevel)]
    stated = _stated()
    return {iri.rpartition("#")[2]: stated[iri] for iri in sorted(iris)}


def _stated() -> dict[str, int]:
    return {subject.value: int(weight.value) for subject, weight in ontology_files().pairs(HW.mendingWeight)}
