"""A slice as it is given on the command line: which part of a thing changed."""

from __future__ import annotations

import json

from headwater.errors import BadParameter

_EXAMPLE = 'Write it like {"labels": ["7"]}.'


def read_slice_option(text: str | None) -> str | None:
    """The text, if it is a JSON object; said here in the command line's words."""
    if text is None:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadParameter(f"--slice is not JSON: {error}", parameter="slice", remedy=_EXAMPLE) from error
    if not isinstance(found, dict):
        raise BadParameter("--slice must be a JSON object", parameter="slice", remedy=_EXAMPLE)
    return text
