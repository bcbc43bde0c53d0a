"""The options that several commands share, spelled and explained once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

_WALK = "Which way the walk goes"

Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="The data folder (default: ./headwater-data, or what HEADWATER_DATA says)."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts; errors come as problem documents on standard error.")]
Language = Annotated[str, typer.Option("--language", metavar="TAG", help="What findings speak: en or de.")]
Identifiers = Annotated[
    list[str], typer.Argument(metavar="IRI", help="An IRI, a CURIE, a PID, a digest or an external id such as mlflow:RUNID.")
]
Direction = Annotated[
    str | None, typer.Option("--direction", metavar="WAY", help="upstream, downstream or both.", rich_help_panel=_WALK)
]
Depth = Annotated[str | None, typer.Option("--depth", metavar="N|full", help="How many steps to show.", rich_help_panel=_WALK)]
Types = Annotated[
    list[str] | None,
    typer.Option("--types", metavar="KIND", help="Only show these kinds (comma-separated or repeated).", rich_help_panel=_WALK),
]
Roles = Annotated[
    list[str] | None,
    typer.Option("--roles", metavar="ROLE", help="Only follow links in these roles, such as train,test.", rich_help_panel=_WALK),
]
StopAt = Annotated[
    list[str] | None,
    typer.Option("--stop-at", metavar="KIND|IRI", help="Do not walk beyond these kinds or things.", rich_help_panel=_WALK),
]
IgnoreAsHops = Annotated[
    list[str] | None,
    typer.Option(
        "--ignore-as-hops", metavar="KIND", help="Kinds that do not count as a step, such as run.", rich_help_panel=_WALK
    ),
]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="TIME", help="The world at this time; a date means its end.", rich_help_panel=_WALK),
]
KnownAt = Annotated[
    str | None,
    typer.Option(
        "--known-at", metavar="TIME", help="What was known at this time or ledger sequence number.", rich_help_panel=_WALK
    ),
]
MinEvidence = Annotated[
    str | None,
    typer.Option(
        "--min-evidence",
        metavar="WORD",
        help="Only follow links with at least this evidence: observed, declared, asserted, inferred or expanded.",
        rich_help_panel=_WALK,
    ),
]
MaxNodes = Annotated[
    int | None,
    typer.Option("--max-nodes", metavar="N", help="At most so many things; the summary counts all.", rich_help_panel=_WALK),
]
Fields = Annotated[
    list[str] | None,
    typer.Option("--fields", metavar="NAME", help="Only these fields of each thing (for --json).", rich_help_panel=_WALK),
]
Include = Annotated[
    list[str] | None,
    typer.Option(
        "--include", metavar="PART", help="Further parts of the answer: edges, paths, statements.", rich_help_panel=_WALK
    ),
]


def asked(**given: object) -> dict[str, Any]:
    """What was said on the command line; what was not said keeps the question's own default.

    >>> asked(depth="2", roles=["train,test"], types=None)
    {'depth': '2', 'roles': ('train,test',)}
    """
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in given.items()
        if value is not None and value != []
    }
