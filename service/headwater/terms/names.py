"""The namespaces and the few IRIs that code must know by name; everything else is read from `ontology/`."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from pyoxigraph import NamedNode


class Namespace(str):
    """A namespace whose terms are had by attribute or by item.

    >>> PROV.used
    <NamedNode value=http://www.w3.org/ns/prov#used>
    >>> HW["labels-corrected"].value
    'https://w3id.org/headwater/terms#labels-corrected'
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> NamedNode:
        if name.startswith("__"):
            raise AttributeError(name)
        return _node(self, name)

    def __getitem__(self, name: str) -> NamedNode:  # type: ignore[override]
        return _node(self, name)


@lru_cache(maxsize=4096)
def _node(namespace: str, name: str) -> NamedNode:
    return NamedNode(f"{namespace!s}{name}")


HW: Final = Namespace("https://w3id.org/headwater/terms#")
RDF: Final = Namespace("http://www.w3.org/1999/02/22-rdf-syntax-ns#")
RDFS: Final = Namespace("http://www.w3.org/2000/01/rdf-schema#")
OWL: Final = Namespace("http://www.w3.org/2002/07/owl#")
XSD: Final = Namespace("http://www.w3.org/2001/XMLSchema#")
SKOS: Final = Namespace("http://www.w3.org/2004/02/skos/core#")
PROV: Final = Namespace("http://www.w3.org/ns/prov#")
MLS: Final = Namespace("http://www.w3.org/ns/mls#")
MEXCORE: Final = Namespace("http://mex.aksw.org/mex-core#")
MEXALGO: Final = Namespace("http://mex.aksw.org/mex-algo#")
MEXPERF: Final = Namespace("http://mex.aksw.org/mex-perf#")
DCTERMS: Final = Namespace("http://purl.org/dc/terms/")
DCAT: Final = Namespace("http://www.w3.org/ns/dcat#")
FOAF: Final = Namespace("http://xmlns.com/foaf/0.1/")
SCHEMA: Final = Namespace("http://schema.org/")
FAIR4ML: Final = Namespace("https://w3id.org/fair4ml#")
SPDX: Final = Namespace("http://spdx.org/rdf/terms#")
SH: Final = Namespace("http://www.w3.org/ns/shacl#")

PREFIXES: Final[dict[str, str]] = {
    "hw": HW,
    "rdf": RDF,
    "rdfs": RDFS,
    "owl": OWL,
    "xsd": XSD,
    "skos": SKOS,
    "prov": PROV,
    "mls": MLS,
    "mexcore": MEXCORE,
    "mexalgo": MEXALGO,
    "mexperf": MEXPERF,
    "dcterms": DCTERMS,
    "dcat": DCAT,
    "foaf": FOAF,
    "schema": SCHEMA,
    "fair4ml": FAIR4ML,
    "sh": SH,
}
"""The prefixes that CURIEs, queries and serialised answers use."""


def curie(iri: str) -> str:
    """The IRI in its short form where a known prefix fits, for people to read.

    >>> curie("http://www.w3.org/ns/prov#used")
    'prov:used'
    >>> curie("https://example.org/x")
    'https://example.org/x'
    """
    for prefix, namespace in PREFIXES.items():
        if iri.startswith(namespace) and len(iri) > len(namespace):
            return f"{prefix}:{iri[len(namespace) :]}"
    return iri
