"""Slices: do the part that changed and the part that was used meet, surely not, or is it impossible to say?"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Literal

from headwater.errors import BadParameter

Meeting = Literal["meets", "disjoint", "unknown"]
_SETS = ("files", "digests", "ids", "columns", "labels")
_ORDERED = ("after", "before", "first_run", "last_run")
_WORDS = (*_SETS, *_ORDERED)


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
            if not isinstance(value, str) or moment(value) is None:
                raise BadParameter(f"slice: '{word}' takes a time such as 2026-01-31T00:00:00Z", parameter="slice")
            clean[word] = value
    for low, high in (("after", "before"), ("first_run", "last_run")):
        first, last = (_place(clean[word]) if word in clean else None for word in (low, high))
        if first is not None and last is not None and first > last:
            raise BadParameter(f"slice: '{low}' lies behind '{high}', so that nothing is in it", parameter="slice")
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
    comparable = all(_place(value[word]) is not None for value in (left, right) for word in _ORDERED if word in value)
    return "meets" if comparable and _properties(left) == _properties(right) else "unknown"


def moment(text: str) -> float | None:
    """Seconds since 1970 of an ISO 8601 time (UTC where no zone is stated), or None.

    >>> moment("2026-01-01T01:00:00+01:00") == moment("2026-01-01T00:00:00Z"), moment("yesterday")
    (True, None)
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()


def _place(value: Any) -> float | None:
    return moment(value) if isinstance(value, str) else float(value)


def _apart(one: dict[str, Any], other: dict[str, Any], low: str, high: str) -> bool:
    end, start = _place(one[high]) if high in one else None, _place(other[low]) if low in other else None
    return end is not None and start is not None and end < start


def _properties(value: dict[str, Any]) -> set[str]:
    return {{"after": "time", "before": "time", "first_run": "runs", "last_run": "runs"}.get(word, word) for word in value}
