"""What the tests of the competency questions share: the story as each source says it, and answers as plain rows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from headwater.importers.mlflow import MLflowImporter
from headwater.importers.protocol import Importer, Source
from headwater.importers.prov_json import ProvJsonImporter
from headwater.importers.rdf import RdfImporter
from headwater.importers.ro_crate import RoCrateImporter
from headwater.questions.catalogue import Question
from headwater.records.draft import Draft
from headwater.records.record import Record, RecordMaker
from headwater.store.embedded import EmbeddedStore
from headwater.terms.minting import Mint

STORY = Path(__file__).resolve().parents[1] / "fixtures" / "story"
VIEW = NamedNode("https://data.example/view/public")
MINT = Mint("https://data.example/")
SOURCES: dict[str, tuple[str, Importer]] = {
    "MLflow": ("mlruns", MLflowImporter()),
    "MEX": ("mex.ttl", RdfImporter()),
    "ML-Schema": ("ml-schema.ttl", RdfImporter()),
    "crate": ("crate", RoCrateImporter()),
    "PROV-JSON": ("prov.json", ProvJsonImporter()),
}


def records(what: str) -> list[Record]:
    """The story's records as this source gives them."""
    name, importer = SOURCES[what]
    read = importer.read(Source(STORY / name, name, 10**8, identity=name), MINT)
    maker = RecordMaker(MINT)
    return [maker.make(d, "public", importer.name, importer.version, importer.evidence) for d in read if isinstance(d, Draft)]


def stored(what: str) -> EmbeddedStore:
    """A store with the story from this source and what follows from it."""
    store = EmbeddedStore(None)
    quads = [Quad(t.subject, t.predicate, t.object, VIEW) for r in records(what) for t in [*r.asserted, *r.entailed]]
    store.change([], quads, 1)
    return store


@pytest.fixture(scope="session")
def stories() -> dict[str, EmbeddedStore]:
    """The store of each source, by what it is."""
    return {what: stored(what) for what in SOURCES}


def answer(question: Question, store: EmbeddedStore) -> list[list[str]]:
    """The distinct rows without their IRIs, which differ from source to source; sorted, numbers in one spelling."""
    kept = [(number, kind) for number, kind in enumerate(question.returns.values()) if kind != "iri"]
    rows = {tuple(_plain(row[number], kind) for number, kind in kept) for row in store.rows(question.text, [VIEW])}
    return [list(row) for row in sorted(rows)]


def _plain(term: object, kind: str) -> str:
    if term is None:
        return ""
    assert isinstance(term, Literal)
    if kind == "double":
        return str(float(term.value))
    # MLflow's data sets are labelled with their digest, too.
    return re.sub(r"^(spectra-\d|held-out) \d{8}$", r"\1", term.value)
