"""`headwater query`: ask in SPARQL, or one of the questions that come with Headwater."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headwater.cli.opening import opened
from headwater.cli.options import Data, Json
from headwater.errors import BadParameter, UnreadableSource

if TYPE_CHECKING:
    from headwater.app import Headwater


class As(StrEnum):
    """How an answer is printed."""

    table = "table"
    json = "json"
    csv = "csv"
    turtle = "turtle"


_MEDIA = {As.json: "application/sparql-results+json", As.csv: "text/csv", As.turtle: "text/turtle"}


def query(
    question: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE.rq|NAME]",
            help="A file, or the name of a question; without any, they are listed (and with competency, those).",
        ),
    ] = None,
    text: Annotated[str | None, typer.Option("-e", "--execute", metavar="TEXT", help="The SPARQL text itself.")] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", metavar="K=V", help="A parameter of the question; may be repeated.")
    ] = None,
    shape: Annotated[As, typer.Option("--as", metavar="table|json|csv|turtle", help="How to print the answer.")] = As.table,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Ask in SPARQL, or ask one of the questions by its name."""
    from headwater.cli.printing import write_bytes

    given = _given(param or [])
    shape = As.json if as_json else shape
    if text is not None and question is not None:
        raise BadParameter("give either a question or a text with -e, not both")
    if text is None and (question is None or question in _categories()):
        _list(as_json, question or "")
        return
    with opened(data) as headwater:
        body, media_type = _ask(headwater, question, text, given, _MEDIA.get(shape))
    if shape is As.table and "json" in media_type:
        _table(json.loads(body))
    else:
        write_bytes(body)


def _given(params: list[str]) -> dict[str, str]:
    given = {}
    for param in params:
        name, equals, value = param.partition("=")
        if not equals or not name:
            raise BadParameter(f"--param needs NAME=VALUE, not {param!r}", parameter="param")
        given[name] = value
    return given


def _ask(
    headwater: Headwater, question: str | None, text: str | None, given: Mapping[str, str], media_type: str | None
) -> tuple[bytes, str]:
    from headwater.access import LOCAL

    if question is not None and not question.endswith(".rq"):
        return headwater.ask(question, given, LOCAL, media_type)
    if given:
        raise BadParameter(
            "only the named questions take parameters",
            remedy="Put the file into queries/ with a header, or write the value into it.",
        )
    return headwater.query(_read(Path(question)) if question is not None else text or "", LOCAL, media_type)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableSource(f"{path}: SPARQL is written in UTF-8; byte {error.start} is not") from error
    except OSError as error:
        raise UnreadableSource(f"{path}: {error.strerror}") from error


def _categories() -> list[str]:
    from headwater import assets
    from headwater.questions.catalogue import catalogue

    return sorted({question.category for question in catalogue(assets.folder("queries")).values() if question.category})


def _list(as_json: bool, category: str) -> None:
    from headwater import assets
    from headwater.cli.printing import note, show_json, table
    from headwater.questions.catalogue import catalogue, in_category

    known = catalogue(assets.folder("queries"))
    questions = in_category(known, category).values()
    if as_json:
        show_json([question.as_dict() for question in questions])
        return
    table(["question", "asks", "takes"], [[q.name, q.summary, ", ".join(p.name for p in q.parameters)] for q in questions])
    for other in _categories() if not category else ():
        note(f"{len(in_category(known, other))} more with: headwater query {other}")


def _table(results: dict[str, Any]) -> None:
    from headwater.cli.printing import note, show, table
    from headwater.terms.names import curie

    if "boolean" in results:
        show(["yes" if results["boolean"] else "no"])
        return
    columns, rows = results["head"]["vars"], results["results"]["bindings"]
    if not rows:
        note("No rows: nothing in the graph fits.")
        return

    def cell(term: dict[str, Any] | None) -> str:
        if term is None:
            return ""
        return curie(str(term["value"])) if term["type"] == "uri" else str(term["value"])

    table(columns, [[cell(row.get(column)) for column in columns] for row in rows])
