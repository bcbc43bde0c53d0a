"""The competency questions on the demonstration project; `python -m tests.competency.demo` writes the expected answers anew.

Look at the difference before keeping it: a change there is a change of what people are told.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import tomllib
from pathlib import Path

from headwater import assets
from headwater.access import LOCAL
from headwater.app import Headwater
from headwater.questions.catalogue import Question, catalogue, in_category
from headwater.settings import load

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo"
EXPECTED = assets.folder("queries") / "competency" / "expected.json"
_MODEL, _DATA = "model", "data"


def loaded(folder: Path) -> Headwater:
    """The demonstration project in a data folder of its own."""
    plan = tomllib.loads((DEMO / "demo.toml").read_text(encoding="utf-8"))
    headwater = Headwater.open(load(data=folder, base_iri=plan["base_iri"]))
    for source in plan["sources"]:
        path = DEMO / source["path"]
        parts = sorted(path.glob("*.ttl")) if path.is_dir() and source["format"] == "rdf" else [path]
        for part in parts:
            headwater.import_source(part, format=source["format"], visibility=plan["visibility"])
    return headwater


def asked(headwater: Headwater, question: Question) -> list[list[str]]:
    """The distinct rows without their IRIs, sorted. A question that needs an object is asked of each that there is."""
    needed = [parameter.name for parameter in question.parameters if parameter.required]
    if not needed:
        return _rows(headwater, question, {})
    kind = {_MODEL: "model", _DATA: "dataset"}[needed[0]]
    things = headwater.objects(LOCAL, kind=kind, per_page=1000).items
    rows = {(thing.label, *row) for thing in things for row in _rows(headwater, question, {needed[0]: thing.iri})}
    return [list(row) for row in sorted(rows)]


def _rows(headwater: Headwater, question: Question, given: dict[str, str]) -> list[list[str]]:
    kept = [name for name, kind in question.returns.items() if kind not in ("iri", "json")]
    body, _ = headwater.ask(question.name, given, LOCAL, "application/sparql-results+json")
    bindings = json.loads(body)["results"]["bindings"]
    rows = {tuple(_plain(row.get(name), question.returns[name]) for name in kept) for row in bindings}
    return [list(row) for row in sorted(rows)]


def _plain(term: dict[str, str] | None, kind: str) -> str:
    if term is None:
        return ""
    return f"{float(term['value']):.6g}" if kind == "double" else term["value"]


def questions() -> dict[str, Question]:
    return in_category(catalogue(assets.folder("queries")), "competency")


def summed_up(rows: list[list[str]]) -> dict[str, object]:
    """Rows as the expected answers keep them: how many, the first of them to read, and a digest of all."""
    return {"rows": len(rows), "sha256": hashlib.sha256(json.dumps(rows).encode()).hexdigest(), "first": rows[:8]}


def answers(headwater: Headwater) -> dict[str, list[list[str]]]:
    """The answer to every question in every vocabulary."""
    return {name: asked(headwater, question) for name, question in questions().items()}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, loaded(Path(folder)) as headwater:
        found = {name: summed_up(rows) for name, rows in answers(headwater).items()}
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(said, ensure_ascii=False)}" for name, said in sorted(found.items()))
    EXPECTED.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
