"""The ontologies of others as they were published, read from the folder beside the checkout; never copied into it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from pyoxigraph import NamedNode, RdfFormat, Triple, parse

from headwater.checking import reasoning

_FORMATS = {".ttl": RdfFormat.TURTLE, ".owl": RdfFormat.RDF_XML, ".jsonld": RdfFormat.JSON_LD}
_MENDED = {
    "http://www.w3.org/ns/prov-o#": "http://www.w3.org/ns/prov#",
    "http://www.e-LICO.eu/ontologies/dmo/DMOP/DMOP.owl#": "http://www.e-lico.eu/ontologies/dmo/DMOP/DMOP.owl#",
}

ORIGINALS = {
    "prov": ("w3c-ns/prov-o.ttl",),
    "prov-inverses": ("w3c-ns/prov-o-inverses.ttl",),
    "mls": ("ml-schema-core/MLSchema.ttl",),
    "mls-2016": ("w3c-ns/mls.ttl",),
    "mex": ("mex/mexcore.ttl", "mex/mexalgo.ttl", "mex/mexperf.ttl"),
    "dcat": ("w3c-ns/dcat3.ttl",),
    "dcat-prov": ("w3c-ns/dcat-prov.ttl",),
    "dcat-schema": ("w3c-ns/dcat-schema.ttl",),
    "fair4ml": ("fair4ml/fair4ml-0.1.0.jsonld",),
    "p-plan": ("reproducemeon/ScientificWorkflows/p-plan.owl",),
    "reproduce-me": ("reproduce-me/reproduce-me-v1.1.owl",),
    "reproduce-me-core": ("reproduce-me/reproduceme-core.owl",),
    "reproduce-me-computational": ("reproduce-me/reproduceme-computational.owl",),
    "dmop": ("reproducemeon/ML/DMOP.owl",),
    "ontodm": ("reproducemeon/ML/OntoDM.owl",),
    "expose": ("reproducemeon/ML/expose.owl",),
    "sml": ("sml/SML_Version4.owl",),
}
"""Short name to the files. `mls` is ML-Schema's repository (2020), `mls-2016` what w3.org serves under its address."""

Original = Callable[[str], list[Triple]]


@cache
def _parsed(path: Path) -> tuple[Triple, ...]:
    data = path.read_bytes()
    found = parse(data, format=_FORMATS[path.suffix], base_iri="urn:headwater:original", rename_blank_nodes=True)
    return tuple(quad.triple for quad in found)


def mended(triple: Triple) -> Triple:
    """MEX's PROV namespace and DMOP's second spelling put right, as an import does it."""

    def right(node: object) -> object:
        for wrong, meant in _MENDED.items():
            if isinstance(node, NamedNode) and node.value.startswith(wrong):
                return NamedNode(meant + node.value[len(wrong) :])
        return node

    return Triple(right(triple.subject), right(triple.predicate), right(triple.object))  # type: ignore[arg-type]


@pytest.fixture
def original(shared: Path) -> Original:
    """The statements of an original by its short name; MEX and DMOP come with their namespaces mended."""
    folder = shared / "ontologies"

    def read(name: str) -> list[Triple]:
        paths = [folder / file for file in ORIGINALS[name]]
        if not all(path.is_file() for path in paths):
            pytest.skip(f"the original {name} is not in ../shared/ontologies")
        triples = [triple for path in paths for triple in _parsed(path)]
        return [mended(triple) for triple in triples] if name in ("mex", "dmop") else triples

    return read


@pytest.fixture
def hermit() -> None:
    """Skips where there is no reasoner."""
    missing = reasoning.available()
    if missing:
        pytest.skip(f"HermiT cannot run: {missing} (extra `reasoning`)")
