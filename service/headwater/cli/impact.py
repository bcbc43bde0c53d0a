"""`headwater impact`: say what a change affects, how badly and why: for a change notice, or for a thing with --change KIND."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headwater.cli.opening import opened
from headwater.cli.options import (
    AsOf,
    Data,
    Depth,
    Direction,
    Fields,
    Identifiers,
    IgnoreAsHops,
    Include,
    Json,
    MaxNodes,
    MinEvidence,
    Roles,
    StopAt,
    Types,
    asked,
)
from headwater.errors import BadParameter

if TYPE_CHECKING:
    from headwater.cli.printing import Line

_EXAMPLE = 'Write it like {"labelClass": ["7"]}.'


def impact(
    identifiers: Identifiers,
    change: Annotated[
        str | None,
        typer.Option("--change", metavar="KIND", help="Simulate a change of this kind, such as labels-corrected, at the thing."),
    ] = None,
    slice_: Annotated[
        str | None,
        typer.Option("--slice", metavar="JSON", help='Which part changed, such as {"labelClass": ["7"]}; left out, all of it.'),
    ] = None,
    direction: Direction = None,
    depth: Depth = None,
    types: Types = None,
    roles: Roles = None,
    stop_at: StopAt = None,
    ignore_as_hops: IgnoreAsHops = None,
    as_of: AsOf = None,
    min_evidence: MinEvidence = None,
    max_nodes: MaxNodes = None,
    fields: Fields = None,
    include: Include = None,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Say what a change affects, how badly and why: for a change notice, or for a thing with --change KIND."""
    from headwater.access import LOCAL
    from headwater.cli.answers import answer_each
    from headwater.cli.impact_report import impact_lines

    parameters = asked(
        change=change,
        slice=read_slice(slice_),
        direction=direction,
        depth=depth,
        types=types,
        roles=roles,
        stop_at=stop_at,
        ignore_as_hops=ignore_as_hops,
        as_of=as_of,
        min_evidence=min_evidence,
        max_nodes=max_nodes,
        fields=fields,
        include=include,
    )
    with opened(data) as headwater:

        def told(answer: Mapping[str, Any]) -> Iterable[Line]:
            notice = None if change else headwater.describe(answer["root"], LOCAL).thing.label
            return impact_lines(answer, title=notice)

        answer_each(identifiers, as_json, lambda iri: headwater.impact(iri, LOCAL, **parameters), told)


def read_slice(text: str | None) -> str | None:
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
