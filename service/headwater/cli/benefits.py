"""`headwater benefits`: say who builds on a thing, and what each improvement of it bought them; or report a year of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
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
from headwater.errors import BadParameter

if TYPE_CHECKING:
    from headwater.cli.answers import Answer
    from headwater.cli.printing import Line

_OF_A_YEAR = ("known_at", "min_evidence")


class As(StrEnum):
    """How the answer is written."""

    table = "table"
    json = "json"
    csv = "csv"


def benefits(
    identifiers: Identifiers,
    year: Annotated[
        str | None,
        typer.Option("--year", metavar="YEAR", help="Report this year, as a funder asks for it, told as it was at its end."),
    ] = None,
    shape: Annotated[As, typer.Option("--as", metavar="table|json|csv", help="How to write the answer.")] = As.table,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where to write it; otherwise it is printed.")
    ] = None,
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
    """Say who builds on a thing, and what each improvement of it bought them."""
    from headwater.access import LOCAL
    from headwater.cli.answers import answer_each
    from headwater.cli.benefits_report import benefits_lines
    from headwater.cli.printing import note, write_bytes
    from headwater.cli.writing import write_file
    from headwater.cli.yearly_report import report_lines

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
    shape = As.json if as_json else shape
    if shape is As.csv and len(identifiers) > 1:
        raise BadParameter("--as csv: a table is of one thing", parameter="as", remedy="Ask for one thing at a time.")
    if year is not None:
        for name in parameters:
            if name not in _OF_A_YEAR:
                raise BadParameter(f"{name}: a report of a year does not take this", parameter=name)
    lines = report_lines if year is not None else benefits_lines
    with opened(data) as headwater:

        def ask(iri: str) -> dict[str, Any]:
            if year is not None:
                return headwater.benefit_report(iri, LOCAL, year=year, **parameters)
            return headwater.benefits(iri, LOCAL, **parameters)

        if shape is not As.csv and output is None:
            answer_each(identifiers, shape is As.json, ask, lines)
            return
        answers = [ask(iri) for iri in identifiers]
    body = _csv(answers[0], yearly=year is not None) if shape is As.csv else _text(answers, shape, lines)
    if output is None:
        write_bytes(body)
        return
    write_file(output, body)
    note(f"Wrote {output}.")


def _csv(answer: dict[str, Any], *, yearly: bool) -> bytes:
    from headwater.exporters.benefit_csv import COLUMNS, report_rows
    from headwater.web.statements import nodes_table, table

    return table(COLUMNS, report_rows(answer)) if yearly else nodes_table(answer)


def _text(answers: list[dict[str, Any]], shape: As, lines: Callable[[Answer], Iterable[Line]]) -> bytes:
    from headwater.cli.printing import printable

    if shape is As.json:
        body = json.dumps(answers[0] if len(answers) == 1 else answers, indent=2, ensure_ascii=False)
        return f"{body}\n".encode("utf-8", "replace")
    pieces = ("".join(f"{printable(line)}\n" for line, _ in lines(answer)) for answer in answers)
    return "\n".join(pieces).encode("utf-8", "replace")
