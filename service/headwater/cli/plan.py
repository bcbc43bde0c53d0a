"""`headwater plan`: say what to repeat after changes, in which order and at what cost, and what to leave alone."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from headwater.cli.opening import opened
from headwater.cli.options import Data, Json, MaxNodes, MinEvidence, Roles, StopAt, asked
from headwater.cli.slices import read_slice_option


class As(StrEnum):
    """How a plan is written."""

    table = "table"
    json = "json"
    csv = "csv"
    snakefile = "snakefile"


def plan(
    identifiers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[IRI]",
            help="Change notices, or things with --change: one plan for all of them. Without any, all announced changes.",
        ),
    ] = None,
    change: Annotated[
        str | None,
        typer.Option("--change", metavar="KIND", help="Suppose a change of this kind, such as labels-corrected, at each thing."),
    ] = None,
    slice_: Annotated[
        str | None,
        typer.Option("--slice", metavar="JSON", help='Which part changed, such as {"labels": ["7"]}; left out, all of it.'),
    ] = None,
    hours: Annotated[float | None, typer.Option("--hours", metavar="H", help="At most so many hours of running time.")] = None,
    kwh: Annotated[float | None, typer.Option("--kwh", metavar="K", help="At most so many kilowatt hours.")] = None,
    metrics: Annotated[
        bool, typer.Option("--metrics/--no-metrics", help="Whether to repeat what would only be measured again.")
    ] = True,
    types: Annotated[
        list[str] | None,
        typer.Option("--types", metavar="KIND", help="Only mend things of these kinds, with all that they need."),
    ] = None,
    roles: Roles = None,
    stop_at: StopAt = None,
    min_evidence: MinEvidence = None,
    max_nodes: MaxNodes = None,
    shape: Annotated[As, typer.Option("--as", metavar="table|json|csv|snakefile", help="How to write the plan.")] = As.table,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where to write it; otherwise it is printed.")
    ] = None,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Say what to repeat after changes, in which order and at what cost, and what to leave alone."""
    from headwater.access import LOCAL
    from headwater.cli.printing import note, write_bytes
    from headwater.cli.writing import write_file

    given = asked(
        change=change,
        slice=read_slice_option(slice_),
        hours=hours,
        kwh=kwh,
        types=types,
        roles=roles,
        stop_at=stop_at,
        min_evidence=min_evidence,
        max_nodes=max_nodes,
    )
    with opened(data) as headwater:
        answer = headwater.plan(identifiers or [], LOCAL, metrics=metrics, **given)
    body = written(answer, As.json if as_json else shape)
    if output is None:
        write_bytes(body) if body is not None else _print(answer)
        return
    write_file(output, body if body is not None else _text(answer))
    note(f"Wrote {output}.")


def written(answer: dict[str, Any], shape: As) -> bytes | None:
    """The plan in a form for machines; None for the one for people."""
    import json

    from headwater.exporters.snakefile import snakefile
    from headwater.web.statements import plan_table

    if shape is As.json:
        return json.dumps(answer, indent=2, ensure_ascii=False).encode("utf-8", "replace")
    if shape is As.csv:
        return plan_table(answer)
    return snakefile(answer).encode() if shape is As.snakefile else None


def _print(answer: dict[str, Any]) -> None:
    from headwater.cli.plan_report import plan_lines
    from headwater.cli.printing import show

    show(plan_lines(answer))


def _text(answer: dict[str, Any]) -> bytes:
    from headwater.cli.plan_report import plan_lines
    from headwater.cli.printing import printable

    return "".join(f"{printable(line)}\n" for line, _ in plan_lines(answer)).encode("utf-8", "replace")
