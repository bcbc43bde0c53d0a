"""What docs/explanation/ontology.md says of the ontology is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from headwater.app.demonstration import open_demonstration
from headwater.importers.protocol import Source
from headwater.importers.registry import choose
from headwater.records.draft import Draft
from headwater.records.record import Record, RecordMaker
from headwater.terms.minting import Mint
from headwater.terms.names import OWL, RDFS, curie
from headwater.terms.vocabulary import ontology_files

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "explanation" / "ontology.md").read_text(encoding="utf-8")
SAID = re.search(r"add ([\d.]+) statements to each asserted one on the MLflow fixture of the tests, and ([\d.]+) on the", PAGE)


def ratio(records: list[Record]) -> float:
    return round(sum(len(r.entailed) for r in records) / sum(len(r.asserted) for r in records), 2)


def test_so_much_follows_from_the_mlflow_fixture() -> None:
    assert SAID is not None
    path = ROOT / "tests" / "fixtures" / "mlflow" / "mlruns"
    mint = Mint("https://data.example/")
    source = Source(path, str(path), 2**30, None, str(path))
    importer, maker = choose(source, "mlflow"), RecordMaker(mint)
    drafts = [item for item in importer.read(source, mint) if isinstance(item, Draft)]
    records = [maker.make(draft, "public", importer.name, importer.version, importer.evidence) for draft in drafts]
    assert ratio(records) == float(SAID[1])


def test_so_much_follows_from_the_demonstration_and_nothing_from_several_records(tmp_path: Path) -> None:
    assert SAID is not None
    with open_demonstration(tmp_path / "data") as headwater:
        assert ratio(list(headwater._writer.present_records())) == float(SAID[2])
        assert list(headwater._store.graph(headwater.views.joint("public"))) == [], (
            "importers say with each run all that its rules need"
        )


def test_the_table_of_axioms_is_all_that_the_files_use() -> None:
    graph = ontology_files().graph
    said_of_terms = {"label", "comment", "annotatedSource", "annotatedProperty", "annotatedTarget", "versionInfo"}
    used = {
        curie(quad.predicate.value)
        for quad in graph
        if quad.predicate.value.startswith((str(OWL), str(RDFS))) and quad.predicate.value.rpartition("#")[2] not in said_of_terms
    }
    table = set(re.findall(r"(?:owl|rdfs):\w+", PAGE.partition("| from | and | follows |")[2].partition("\n\n")[0]))
    assert used == table


@pytest.mark.parametrize("file", sorted(path.name for path in (ROOT / "ontology").glob("*.ttl")))
def test_every_file_of_the_ontology_is_named(file: str) -> None:
    assert f"`{file}`" in PAGE
