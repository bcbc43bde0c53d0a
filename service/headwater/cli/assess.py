"""`headwater assess`: say what you know of what a change does to a thing; it stands beside the computed verdict."""

from __future__ import annotations

from typing import Annotated

import typer

from headwater.cli.opening import opened
from headwater.cli.options import Data, Json


def assess(
    identifier: Annotated[str, typer.Argument(metavar="IRI", help="The thing: an IRI, a PID, a digest, or an external id.")],
    change: Annotated[str, typer.Option("--change", metavar="IRI", help="The announced change that you speak of.")],
    state: Annotated[
        str,
        typer.Option("--state", metavar="STATE", help="affected, not_affected, in_triage (somebody looks at it) or resolved."),
    ],
    because: Annotated[str | None, typer.Option("--because", metavar="TEXT", help="Why; not_affected needs a reason.")] = None,
    justification: Annotated[
        str | None, typer.Option("--justification", metavar="CODE", help="Why, by a known code such as slice-disjoint.")
    ] = None,
    visibility: Annotated[
        str | None,
        typer.Option(
            "--visibility", metavar="LEVEL", help="public, internal or project:NAME; else no wider than thing and change."
        ),
    ] = None,
    by: Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who says so; else the one who writes here.")] = None,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Say what you know of what a change does to a thing; it stands beside the computed verdict, never instead of it."""
    from headwater.access import LOCAL
    from headwater.cli.printing import show, show_json

    with opened(data) as headwater:
        told = headwater.state(
            LOCAL,
            id=identifier,
            change=change,
            state=state,
            because=because,
            justification=justification,
            visibility=visibility,
            by=by,
        )
    if as_json:
        show_json(told)
        return
    done = {"created": "Recorded", "changed": "Recorded anew", "unchanged": "Known already"}.get(told["status"], "Recorded")
    show([(f"{done}: {told['by']} says {told['state'].replace('_', ' ')} of {told['about']}.", "")])
