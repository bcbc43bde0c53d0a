"""The importer of a source is the one that was named, or else the one that is surest; a tie is the user's to decide."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from headwater.errors import UnknownFormat
from headwater.importers.protocol import Sniff, Source
from headwater.importers.registry import choose


@dataclass
class Sure:
    """An importer that is as sure as it is told to be."""

    name: str
    confidence: float | None
    version: str = "1"
    title: str = "a fake: no real importers can be made to tie"
    evidence: str = "declared"

    def sniff(self, _source):
        return None if self.confidence is None else Sniff(self.confidence, f"it smells of {self.name}")

    def size(self, _source):
        return None

    def read(self, _source, _mint):
        return iter(())


@pytest.fixture
def source(tmp_path):
    return Source(tmp_path, "trial", 10**9)


def test_the_surest_importer_is_chosen(source):
    assert choose(source, known=[Sure("a", 0.2), Sure("b", 0.9), Sure("c", None)]).name == "b"


def test_a_tie_of_the_surest_lists_the_candidates_with_confidence_and_reason(source):
    with pytest.raises(UnknownFormat) as refused:
        choose(source, known=[Sure("b", 0.9), Sure("a", 0.9), Sure("c", 0.1)])
    assert "a (0.90: it smells of a); b (0.90: it smells of b); c (0.10" in refused.value.detail
    assert [candidate["format"] for candidate in refused.value.extra["candidates"]] == ["a", "b", "c"]
    assert "--format" in refused.value.remedy


def test_a_source_that_nobody_knows_lists_the_formats(source):
    with pytest.raises(UnknownFormat, match="no importer recognises trial; known formats are: a, b"):
        choose(source, known=[Sure("b", None), Sure("a", None)])


def test_a_named_format_is_taken_without_asking_how_sure_it_is(source):
    assert choose(source, "c", known=[Sure("a", 0.9), Sure("c", None)]).name == "c"


def test_an_unknown_name_lists_the_known_ones(source):
    with pytest.raises(UnknownFormat, match="there is no format 'wandb2'; known are: a, b"):
        choose(source, "wandb2", known=[Sure("b", 1), Sure("a", 1)])


def test_the_installed_mlflow_importer_is_found_by_its_entry_point(source):
    assert choose(source, "mlflow").title == "MLflow tracking folder or SQLite database"
