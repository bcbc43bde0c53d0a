"""What the tests of the whole share: a data folder of one's own, and small documents to write into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headwater.app import Headwater
from headwater.settings import Settings

BASE = "https://data.example/"
PREFIXES = """@prefix hw: <https://w3id.org/headwater/terms#> .
@prefix mls: <http://www.w3.org/ns/mls#> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix x: <https://lab.example/> .
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def opened(folder: Path) -> Iterator[Callable[..., Headwater]]:
    """Opens the data folder; what a test leaves open is closed after it."""
    there: list[Headwater] = []

    def opening(**settings: object) -> Headwater:
        given = {"data": folder, "base_iri": BASE} | settings
        there.append(Headwater.open(Settings(**given)))  # type: ignore[arg-type]
        return there[-1]

    yield opening
    for headwater in there:
        headwater.close()


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., object]:
    """Imports a few lines of Turtle under a name; the same name again is a revision of the same record."""

    def writing(headwater: Headwater, name: str, turtle: str, **options: object) -> object:
        path = tmp_path / f"{name}.ttl"
        path.write_text(PREFIXES + turtle, encoding="utf-8")
        return headwater.import_source(path, **options)  # type: ignore[arg-type]

    return writing
