"""Real documents of other projects pass the gate: completeness is no business of its violations."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyoxigraph import RdfFormat, parse

from headwater.checking.gate import Gate
from headwater.records.draft import Draft
from headwater.records.record import RecordMaker
from headwater.terms.minting import Mint

_FORMATS = {".ttl": RdfFormat.TURTLE, ".nt": RdfFormat.N_TRIPLES, ".jsonld": RdfFormat.JSON_LD, ".json": RdfFormat.JSON_LD}


@pytest.mark.parametrize("field", ["mex", "ml-schema", "croissant", "cwlprov", "openml", "jupyter", "huggingface"])
def test_a_strangers_document_passes(field: str, shared: Path, gate: Gate) -> None:
    maker = RecordMaker(Mint("https://data.example/"))
    checked = 0
    for path in sorted((shared / "realdata" / field).rglob("*")):
        if path.suffix not in _FORMATS or not path.is_file():
            continue
        try:
            quads = list(parse(path.read_bytes(), format=_FORMATS[path.suffix], base_iri="https://a.example/", lenient=True))
        except (SyntaxError, ValueError):
            continue  # some samples are cut, or need a context from the network; the importer reports these
        if quads:
            draft = Draft("urn:record", path.name, path.name, [quad.triple for quad in quads])
            report = gate.check([maker.make(draft, "public", "rdf", "1", "declared")])["urn:record"]
            assert report.violations == (), path
            checked += 1
    if not checked:
        pytest.skip(f"no sample of {field} is RDF that can be read offline")
