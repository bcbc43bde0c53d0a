"""The registry: every entry point loads and keeps to the protocol, and a wrong name is answered with the right ones."""

from __future__ import annotations

import pytest

from headwater.errors import NotAcceptable
from headwater.exporters.registry import exporter, exporters, fitting
from headwater.questions.description import Description


@pytest.mark.parametrize("name", sorted(exporters()))
def test_every_exporter_writes_a_model_or_says_that_it_does_not_fit(name: str, full: Description) -> None:
    found = exporters()[name]
    assert found.name == name
    assert found.title
    assert "/" in found.media_type
    assert found.extension
    assert isinstance(found.render(full), bytes)


def test_a_model_is_offered_no_dataset_card() -> None:
    names = [found.name for found in fitting("model")]
    assert "model-card" in names
    assert "dataset-card" not in names


def test_an_unknown_format_is_answered_with_the_list() -> None:
    with pytest.raises(NotAcceptable) as caught:
        exporter("docx")
    assert "turtle" in caught.value.extra["formats"]
