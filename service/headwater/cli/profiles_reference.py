"""The reference page of the profiles, written from `shapes/profiles/`: `python -m headwater.cli.profiles_reference`."""

from __future__ import annotations

from collections.abc import Iterator

from headwater.checking.profile_report import Requirement
from headwater.checking.profiles import Profile, profile, profile_names
from headwater.terms.vocabulary import vocabulary

_BEGINNING = """# Profiles

<!-- Written by `python -m headwater.cli.profiles_reference > docs/reference/profiles.md`; a test compares. Do not edit here. -->

The gate refuses what is wrong; a profile says what is missing for a purpose, and never stands in the way of a write. Each is a
file of `shapes/profiles/`, in SHACL: its shapes are the requirements below. Ask on the command line (`headwater validate SOURCE
--profile NAME`, for files and for identifiers of stored objects), over HTTP (`GET /api/v1/validate?id=…&profile=NAME` for a
stored object, `POST /api/v1/validate?profile=NAME` for a document), or look at a model's page.

What must be there decides whether an object conforms; what must and what should be there make up the score, each with the same
weight; hints count for nothing. What is not there meets nothing: a model without training data has none with a digest. A report
rests on what its reader may see. `--language de` or `Accept-Language: de` gives the sentences in German. `--resolve` or
`?resolve=true` also [looks whether the data are still there](../how-to/still-there.md).
"""
_FORCE = {"violation": "must", "warning": "should", "info": "hint"}


def reference() -> str:
    """The whole page in Markdown."""
    return "\n".join([_BEGINNING, *(line for name in profile_names() for line in _section(profile(name)))])


def _section(found: Profile) -> Iterator[str]:
    yield f"## `{found.name}`: {found.titles['en']}\n"
    yield f"{found.abouts['en']}\n"
    with_indicator = any(one.indicator for one in found.requirements)
    yield f"| {'indicator | ' if with_indicator else ''}asks for | force | of | if it is missing |"
    yield f"| {'--- | ' if with_indicator else ''}--- | --- | --- | --- |"
    for one in found.requirements:
        if not one.lost_next:
            yield _row(found, one, with_indicator)
    yield ""
    fragile = [one for one in found.requirements if one.lost_next]
    if fragile:
        yield "What would be lost next, the most urgent first; none of these counts in the score:\n"
        yield "| asks for | if it hangs by a thread |\n| --- | --- |"
        yield from (f"| {one.name()} | {_cell(one.said())} |" for one in fragile)
        yield ""


def _row(found: Profile, one: Requirement, with_indicator: bool) -> str:
    names = {kind.iri: kind.name for kind in vocabulary().kinds}
    # What has no class of its own is asked of all that the profile judges, once somebody went to look.
    kinds = ", ".join(sorted(names.get(cls, cls) for cls in found.asks(one))) or "with `--resolve`"
    first = f"{one.indicator} | " if with_indicator else ""
    return f"| {first}{one.name()} | {_FORCE[one.severity]} | {kinds} | {_cell(one.said())} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(reference(), end="")
