"""Traversal parameters: one spelling, several values either way, and no guessing."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from headwater.web.parameters import Impact, Traversal
from headwater.web.uploads import file_name


def test_repeated_and_comma_separated_values_mean_the_same() -> None:
    assert Traversal(id="x", roles=["train,test"]).asked() == Traversal(id="x", roles=["train", "test"]).asked()


def test_only_what_was_said_is_handed_on() -> None:
    assert Traversal(id="x").asked() == {}
    assert Traversal.model_validate({"id": "x", "depth": "full", "max_nodes": 5}).asked() == {"depth": "full", "max_nodes": 5}


@pytest.mark.parametrize("depth", ["-1", "1.5", "deep", "", "٣", "99999999999", True])
def test_a_depth_that_is_no_depth_is_refused(depth: object) -> None:
    with pytest.raises(ValidationError):
        Traversal.model_validate({"id": "x", "depth": depth})


@pytest.mark.parametrize("slice", ["[]", "1", "{", "[" * 100_000])
def test_a_slice_that_is_no_object_is_refused(slice: str) -> None:
    with pytest.raises(ValidationError):
        Impact.model_validate({"id": "x", "slice": slice})


def test_a_slice_is_read_from_json_or_taken_as_it_is() -> None:
    said = {"labels": ["7"]}
    assert Impact.model_validate({"id": "x", "slice": '{"labels": ["7"]}'}).slice == said
    assert Impact.model_validate({"id": "x", "slice": said}).slice == said


@pytest.mark.parametrize(
    ("disposition", "media_type", "expected"),
    [
        (None, None, "upload"),
        (None, "text/turtle", "upload.ttl"),
        (None, "application/ld+json", "upload.jsonld"),
        (None, "application/json", "upload.json"),
        (None, "application/zip", "upload.zip"),
        ("attachment; filename=runs.nt", "text/turtle", "runs.nt"),
        ('attachment; filename="..\\\\..\\\\x.ttl"', None, "x.ttl"),
        ('attachment; filename="../.."', "text/turtle", "upload.ttl"),
        ('attachment; filename="a\x00b.ttl"', None, "a_b.ttl"),
    ],
)
def test_an_upload_is_named_without_folders(disposition: str | None, media_type: str | None, expected: str) -> None:
    assert file_name(disposition, media_type) == expected
