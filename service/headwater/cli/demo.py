"""`headwater demo`: a small lab's real runs, and the answers to both questions about them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headwater.cli.opening import holds_data, opened, settings
from headwater.cli.options import Data, Json
from headwater.cli.serve import Host, Port, serve_opened
from headwater.errors import HeadwaterError

if TYPE_CHECKING:
    from headwater.app import Headwater
    from headwater.cli.printing import Line

_STORY = (
    "A small lab trains models that read handwritten digits. Then people look at the labels again, and some were wrong, in the",
    "training data and in the test data. What no longer holds, what is mended already, and was the correction worth it?",
)
_LISTED = 12


def demo(
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Print the answers and end.")] = False,
    host: Host = None,
    port: Port = None,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Load the demonstration project, answer both questions about it, and serve it.

    It goes into the usual data folder, or beside it where that already holds other data. Running it again changes nothing.
    """
    from headwater import assets
    from headwater.app import demonstration
    from headwater.cli.printing import show, show_json
    from headwater.web.server import listening

    plan = demonstration.plan()
    folder = data or _own_folder(settings(None).data)
    with opened(folder, create=True, base_iri=plan["base_iri"], host=host, port=port) as headwater:
        if headwater.sequence == 0 and headwater.ledger.fact(demonstration.MARK) is None:
            headwater.ledger.fix(demonstration.MARK, plan["title"])
        address = (headwater.settings.host, headwater.settings.port)
        with nullcontext() if no_serve else listening(*address):
            pass  # a port that is taken is said at once, not after the work
        answers = _load_and_ask(headwater, plan, assets.folder("demo"))
        if as_json:
            show_json({"data": str(folder), "title": plan["title"], "answers": answers})
        else:
            show(_told(headwater, plan, answers, folder))
        if not no_serve:
            serve_opened(headwater, *address, pages=_pages(plan))


def _own_folder(usual: Path) -> Path:
    """The usual data folder where it is new or the demonstration's own; one beside it where it holds other data."""
    if not holds_data(settings(usual)):
        return usual
    from headwater.app.demonstration import MARK

    with opened(usual) as headwater:
        if headwater.ledger.fact(MARK) is not None:
            return usual
    return usual.with_name(f"{usual.name}-demo")


def _load_and_ask(headwater: Headwater, plan: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    from headwater.access import LOCAL
    from headwater.cli.import_report import import_lines
    from headwater.cli.importing import take_in
    from headwater.cli.printing import show

    for source in plan["sources"]:
        report = take_in(headwater, folder / source["path"], source.get("format", "auto"), plan["visibility"])
        if not report["ok"]:
            show(import_lines({"sources": [report], "dry_run": False, "visibility": plan["visibility"]}))
            raise HeadwaterError(f"a part of the demonstration project did not come in: {source['path']}")
    ask = {"impact": headwater.impact, "benefits": headwater.benefits, "lineage": headwater.lineage}
    return [ask[question["ask"]](question["id"], LOCAL) for question in plan["questions"]]


def _told(headwater: Headwater, plan: dict[str, Any], answers: list[dict[str, Any]], folder: Path) -> Iterator[Line]:
    from headwater.access import LOCAL
    from headwater.cli.benefits_report import benefits_lines
    from headwater.cli.impact_report import impact_lines
    from headwater.cli.lineage_report import lineage_lines
    from headwater.cli.printing import counted

    yield plan["title"], "bold"
    yield "", ""
    for line in _STORY:
        yield line, ""
    yield "", ""
    yield f"Loaded from the lab's own MLflow folder and a few notes: {counted(headwater.counts(LOCAL))}.", ""
    yield f"Visible to everyone (public). The data lie in {folder}; delete that folder to be rid of them.", "dim"
    for number, (question, answer) in enumerate(zip(plan["questions"], answers, strict=True), 1):
        heading = f"{number}. {question['title']}"
        yield "", ""
        yield "─" * min(len(heading), 100), "dim"
        yield heading, "bold"
        yield f"   headwater {question['ask']} {question['id']} --data {folder}", "dim"
        yield "", ""
        if question["ask"] == "impact":
            notice = headwater.describe(answer["root"], LOCAL).thing.label
            yield from impact_lines(answer, title=notice, most=_LISTED, brief=True)
        elif question["ask"] == "benefits":
            yield from benefits_lines(answer, most=_LISTED)
        else:
            yield from lineage_lines(answer)
    yield "", ""


def _pages(plan: dict[str, Any]) -> dict[str, str]:
    from urllib.parse import quote

    pages = {"": "home: search and browse"}
    for question in plan["questions"]:
        pages[f"lineage?question={question['ask']}&id={quote(question['id'], safe='')}"] = question["title"]
    return pages | {"docs": "the REST interface", "sparql": "SPARQL"}
