"""`headwater explain`: say why a verdict is what it is, or how two things are linked."""

from __future__ import annotations

from typing import Annotated

import typer

from headwater.cli.opening import opened
from headwater.cli.options import AsOf, Data, Direction, Json, KnownAt, MinEvidence, Roles, StopAt, asked
from headwater.cli.slices import read_slice_option


def explain(
    identifier: Annotated[
        str,
        typer.Argument(metavar="IRI", help="A change notice, or a thing: an IRI, a CURIE, a PID, a digest or an external id."),
    ],
    to: Annotated[
        str | None,
        typer.Argument(
            metavar="[TO]",
            help="The thing whose verdict is explained; left out, the worst that an announced change does to IRI.",
            show_default=False,
        ),
    ] = None,
    change: Annotated[
        str | None,
        typer.Option("--change", metavar="KIND", help="Suppose a change of this kind, such as labels-corrected, at IRI."),
    ] = None,
    slice_: Annotated[
        str | None,
        typer.Option("--slice", metavar="JSON", help='Which part changed, such as {"labels": ["7"]}; left out, all of it.'),
    ] = None,
    k: Annotated[int, typer.Option("-k", "--paths", metavar="N", help="How many paths, the best first.")] = 3,
    language: Annotated[str, typer.Option("--language", metavar="TAG", help="What the sentence speaks: en or de.")] = "en",
    direction: Direction = None,
    roles: Roles = None,
    stop_at: StopAt = None,
    min_evidence: MinEvidence = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    sparql: Annotated[bool, typer.Option("--sparql", help="Print only the SPARQL query that shows the same.")] = False,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Say why a change affects a thing (or does not), or with two things and no change how they are linked."""
    from headwater.access import LOCAL
    from headwater.cli.explain_report import explain_lines
    from headwater.cli.printing import show, show_json

    parameters = asked(
        to=to,
        change=change,
        slice=read_slice_option(slice_),
        k=k,
        language=language,
        direction=direction,
        roles=roles,
        stop_at=stop_at,
        min_evidence=min_evidence,
        as_of=as_of,
        known_at=known_at,
    )
    with opened(data) as headwater:
        answer = headwater.explain(identifier, LOCAL, **parameters)
    if as_json:
        show_json(answer)
    elif sparql:
        show((answer["sparql"] or "").splitlines())
    else:
        show(explain_lines(answer))
