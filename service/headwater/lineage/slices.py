"""Slices: do the part that changed and the part that was used meet, surely not, or is it impossible to say?"""

from __future__ import annotations

import json
from typing import Any, Literal

from headwater.errors import BadParameter

Meeting = Literal["meets", "disjoint", "unknown"]
_SETS = ("files", "digests", "ids", "columns", "labels")
_WORDS = (*_SETS, "after", "before", "first_run", "last_run")


def read_slice(given: str | dict[str, Any]) -> str:
    """A slice as people hand it in (JSON, as text or read already), checked and in the fixed order that comparison needs.

    >>> read_slice('{"labels": ["3", "8"]}')
    '{"labels":["3","8"]}'
    >>> read_slice('{"label": 3}')  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    headwater.errors.BadParameter: slice: 'label' is none of files, digests, ids, columns, labels, after, before, ...
    """
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError) as error:
            raise BadParameter(f"slice: is no JSON ({error})", parameter="slice") from error
    if not isinstance(given, dict):
        raise BadParameter("slice: must be a JSON object", parameter="slice")
    clean: dict[str, Any] = {}
    for word, value in given.items():
        if word not in _WORDS:
            raise BadParameter(f"slice: '{word}' is none of {', '.join(_WORDS)}", parameter="slice")
        if word in _SETS:
            values = value if isinstance(value, list) else [value]
            if not values or any(isinstance(v, dict | list) or v is None for v in values):
                raise BadParameter(f"slice: '{word}' takes a list of words", parameter="slice")
            clean[word] = sorted(str(v) for v in values)
        elif word in ("first_run", "last_run"):
            if isinstance(value, bool) or not isinstance(value, int):
                raise BadParameter(f"slice: '{word}' takes a whole number", parameter="slice")
            clean[word] = value
        else:
            if not isinstance(value, str):
                raise BadParameter(f"slice: '{word}' takes a time such as 2026-01-31T00:00:00Z", parameter="slice")
            clean[word] = value
    return json.dumps(clean, sort_keys=True, separators=(",", ":"))


def meeting(changed: str, used: str) -> Meeting:
    """How two slices (JSON in the fixed order; empty for the whole) meet.

    The whole meets everything. Slices are disjoint when one property that both state excludes the other; they are known to
    meet when they state the same properties and each overlaps; otherwise nobody can tell.

    >>> meeting('{"labels":["3","8"]}', '{"labels":["1"]}'), meeting('{"labels":["3"]}', "")
    ('disjoint', 'meets')
    >>> meeting('{"ids":["a"]}', '{"columns":["x"]}')
    'unknown'
    """
    if not changed or not used or changed == used:
        return "meets"
    left, right = json.loads(changed), json.loads(used)
    if not left or not right:
        return "meets"
    for word in _SETS:
        if word in left and word in right and not set(left[word]) & set(right[word]):
            return "disjoint"
    for low, high in (("after", "before"), ("first_run", "last_run")):
        if _apart(left, right, low, high) or _apart(right, left, low, high):
            return "disjoint"
    return "meets" if _properties(left) == _properties(right) else "unknown"


def _apart(one: dict[str, Any], other: dict[str, Any], low: str, high: str) -> bool:
    return high in one and low in other and bool(one[high] < other[low])


def _properties(value: dict[str, Any]) -> set[str]:
    return {{"after": "time", "before": "time", "first_run": "runs", "last_run": "runs"}.get(word, word) for word in value}
