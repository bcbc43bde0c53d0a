"""What a validation found, as a person reads it, and as a flat list of findings for the formats that machines read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from headwater.cli.import_report import source_lines
from headwater.cli.printing import Line, several

_OBJECTS: Final = 30
_GAPS: Final = 12
_PLACES: Final = 30

Whole = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `rule` is the shape's local name, or `unreadable`; `source` a path, or None for a stored object."""

    rule: str
    shape: str | None
    severity: str
    message: str
    source: str | None
    line: int | None = None
    focus: str | None = None


def report_lines(whole: Whole) -> Iterator[Line]:
    """The whole report, line by line."""
    for source in whole["sources"]:
        yield from source_lines(source)
        yield "", ""
    for told in whole["objects"][:_OBJECTS]:
        yield from _object_lines(told)
        yield "", ""
    if len(whole["objects"]) > _OBJECTS:
        yield f"… and {several(len(whole['objects']) - _OBJECTS, 'object')} more; --as json lists all.", "dim"
    if whole["objects"]:
        met = sum(bool(told["conforms"]) for told in whole["objects"])
        yield f"{met} of {several(len(whole['objects']), 'object')} {'has' if met == 1 else 'have'} all that must be there.", ""
    elif whole["profile"]:
        yield nothing_judged(whole), "red"
    yield "It conforms." if whole["conforms"] else "It does not conform: mend what is named above.", "bold"


def nothing_judged(whole: Whole) -> str:
    """Why a profile that found nothing to judge does not pass."""
    return f"Nothing in these sources is of a kind that the profile {whole['profile']} judges."


def _object_lines(told: Mapping[str, Any]) -> Iterator[Line]:
    name = f"{told['label']} <{told['focus']}>" if told["label"] else f"<{told['focus']}>"
    yield f"{told['title']}: {told['fulfilled']} of {told['total']}  {name}", "bold"
    for gap in told["missing"][:_GAPS]:
        yield f"  {'-' if gap['severity'] == 'violation' else '~'} {gap['name']}: {gap_text(gap)}", ""
    for gap in told["lost_next"][:_GAPS]:
        yield f"  ! would be lost next: {gap_text(gap)}", "yellow"
    for place in (told["places"] or ())[:_PLACES]:
        found = {"resolvable": "still there", "gone": "gone", "not_checked": "not checked"}[place["state"]]
        digest = {"same": ", the digest is the same", "differs": ", BUT THE DIGEST DIFFERS", "not_compared": ""}[place["digest"]]
        why = "" if place["state"] == "resolvable" else f": {place['reason']}"
        yield f"  @ {place['label'] or place['id']} at {place['address']}: {found}{digest}{why}", ""
    if not told["complete"]:
        yield "  Not all that lies around it was looked at.", "yellow"


def gap_text(gap: Mapping[str, Any]) -> str:
    """A gap's message with the things that it is about."""
    about = ", ".join(str(thing["label"] or thing["id"]) for thing in gap["about"][:5])
    more = f", +{len(gap['about']) - 5}" if len(gap["about"]) > 5 else ""
    return f"{gap['message']} ({about}{more})" if about else str(gap["message"])


def problems(whole: Whole) -> Iterator[Problem]:
    """Every finding of a report, in the order of the sources."""
    for source in whole["sources"]:
        path = str(source["source"])
        for failure in source["failures"]:
            text = " ".join(part for part in (failure["message"], failure.get("remedy")) if part)
            yield Problem("unreadable", None, "violation", text, path, failure.get("line"))
        for record in source["records"]:
            for result in (record.get("gate") or {}).get("results", ()):
                found = f" (found: {result['value']})" if result.get("value") is not None else ""
                name = f"{result['label']} " if result.get("label") else ""
                text = f"{name}<{result['focus']}>: {result['message']}{found}"
                yield Problem(_rule(result["shape"]), result["shape"], result["severity"], text, path, None, result["focus"])
    for told in whole["objects"]:
        name = f"{told['label']} " if told["label"] else ""
        for gap in (*told["missing"], *told["hints"], *told["lost_next"]):
            text = f"{name}<{told['focus']}>: {gap_text(gap)}"
            yield Problem(_rule(gap["shape"]), gap["shape"], gap["severity"], text, told["source"], None, told["focus"])
    if whole["profile"] and not whole["objects"]:
        yield Problem("nothing-to-judge", None, "violation", nothing_judged(whole), None)


def _rule(shape: str) -> str:
    return shape.rpartition("#")[2] or shape
