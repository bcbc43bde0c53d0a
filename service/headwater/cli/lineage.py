"""`headwater lineage`: show where a thing comes from, or with --direction downstream what came of it."""

from __future__ import annotations

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


def lineage(
    identifiers: Identifiers,
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
    """Show where a thing comes from, or with --direction downstream what came of it."""
    from headwater.access import LOCAL
    from headwater.cli.answers import answer_each
    from headwater.cli.lineage_report import lineage_lines

    parameters = asked(
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
    with opened(data) as headwater:
        answer_each(identifiers, as_json, lambda iri: headwater.lineage(iri, LOCAL, **parameters), lineage_lines)
