"""A rebuild leaves the store as an opening expects it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from headwater.app import Headwater
from headwater.settings import Settings


def test_a_start_after_a_rebuild_does_not_make_everything_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = tmp_path / "one.nt"
    source.write_text("<urn:a> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://w3id.org/headwater/terms#Dataset> .\n")
    settings = Settings(data=tmp_path / "data", audits="manual")
    with Headwater.open(settings) as headwater:
        headwater.import_source(source)
        headwater.rebuild()
    with caplog.at_level(logging.WARNING, "headwater"), Headwater.open(settings):
        pass
    assert "made anew" not in caplog.text
