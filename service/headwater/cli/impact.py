"""`headwater impact`: say what a change affects, how badly and why: for a change notice, or for a thing with --change KIND."""

from __future__ import annotations

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
    KnownAt,
    MaxNodes,
    MinEvidence,
    Roles,
    StopAt,
    Types,
    asked,
)
from headwater.cli.slices import read_slice_option
from headwater.errors import BadParameter

if TYPE_CHECKING:
    from headwater.cli.printing import Line


_MOST_PASSED = 5000
"""Things on the way that are called by name; a report that long is not read to its end."""


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
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="TIME", help="Only what became different since this time: newly affected, newly resolved."
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="With --since: up to this time; left out, now.")
    ] = None,
    basis: Annotated[
        str, typer.Option("--basis", metavar="as_of|known_at", help="With --since: times of the world, or of what was known.")
    ] = "as_of",
    direction: Direction = None,
    depth: Depth = None,
    types: Types = None,
    roles: Roles = None,
    stop_at: StopAt = None,
    ignore_as_hops: IgnoreAsHops = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
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
    from headwater.cli.difference_report import difference_lines
    from headwater.cli.impact_report import impact_lines

    parameters = asked(
        change=change,
        slice=read_slice_option(slice_),
        direction=direction,
        depth=depth,
        types=types,
        roles=roles,
        stop_at=stop_at,
        ignore_as_hops=ignore_as_hops,
        as_of=as_of,
        known_at=known_at,
        min_evidence=min_evidence,
        max_nodes=max_nodes,
        fields=fields,
        include=include,
    )
    if not as_json and include is None:
        # For people: what others say of it belongs beside the verdict.
        parameters["include"] = ("edges", "statements")
    with opened(data) as headwater:
        if since is not None:
            answer_each(
                identifiers,
                as_json,
                lambda iri: headwater.impact_diff(iri, LOCAL, since=since, until=until, basis=basis, **parameters),
                difference_lines,
            )
            return
        for name, value in (("until", until), ("basis", None if basis == "as_of" else basis)):
            if value is not None:
                raise BadParameter(f"--{name} goes with --since only", parameter=name)

        def told(answer: Mapping[str, Any]) -> Iterable[Line]:
            notice = None if change else headwater.describe(answer["root"], LOCAL).thing.label
            nodes = answer["nodes"]
            # With --types or --max-nodes the things on the way are not in the answer.
            passed = {iri for node in nodes.values() for iri in node.get("via") or () if iri not in nodes}
            names = headwater.labels(sorted(passed)[:_MOST_PASSED], LOCAL)
            return impact_lines({**answer, "names": names}, title=notice)

        answer_each(identifiers, as_json, lambda iri: headwater.impact(iri, LOCAL, **parameters), told)
