"""Lists and lineage answers in the other formats: CSV for a spreadsheet, RDF for a graph."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, serialize

from headwater.questions.description import Thing
from headwater.terms.names import PREFIXES, PROV, RDF, RDFS
from headwater.terms.vocabulary import vocabulary

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
NODE_COLUMNS = ("id", "kind", "label", "distance", "state", "severity", "effect", "justification", "resolved_by", "visibility")

HOP_COLUMNS = (
    "path",
    "hop",
    "from",
    "to",
    "relation",
    "role",
    "evidence",
    "record",
    "at",
    "pinned",
    "cost",
    "effect_before",
    "effect_after",
    "because",
    "doubt",
)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """CSV as RFC 4180 has it. A text that a spreadsheet would run as a formula gets an apostrophe in front.

    >>> table(("id", "label"), [("urn:x", "=1+1")])
    b"id,label\\r\\nurn:x,'=1+1\\r\\n"
    """
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return written.getvalue().encode("utf-8", "replace")


def nodes_table(answer: Mapping[str, Any]) -> bytes:
    """The nodes of an answer as CSV, in the answer's own order."""
    rows = ((iri, *(node.get(column) for column in NODE_COLUMNS[1:])) for iri, node in answer["nodes"].items())
    return table(NODE_COLUMNS, rows)


PLAN_COLUMNS = (
    "part",
    "number",
    "id",
    "kind",
    "label",
    "what",
    "why",
    "after",
    "hours",
    "hours_from",
    "kwh",
    "command",
    "code",
    "inputs",
    "mends",
    "mended_so_far",
    "gain",
    "by",
)


def plan_table(answer: Mapping[str, Any]) -> bytes:
    """A plan as CSV: its steps in order, then what people do, then what is left alone (`part` says which)."""
    rows: list[dict[str, Any]] = []
    for step in answer["steps"]:
        recipe, cost = step["recipe"], step["cost"]
        rows.append(
            {
                "part": "step",
                "number": step["step"],
                "id": step["run"],
                "kind": "run",
                "label": step["label"],
                "what": step["what"],
                "why": step["because"],
                "after": step["after"],
                "hours": cost["hours"],
                "hours_from": cost["hours_from"]["basis"],
                "kwh": cost["kwh"],
                "command": recipe["command"],
                "code": [row["identifier"] or row["id"] for row in recipe["code"]],
                "inputs": [_swapped(row) for row in recipe["inputs"]],
                "mends": step["mends"],
                "mended_so_far": step["so_far"]["mended"],
                "gain": [f"{row['metric']} {row['mean_delta']:+.4g}" for row in step["gain"]["metrics"]],
            }
        )
    for action in answer["actions"]:
        rows.append({"part": "action", **{name: action[name] for name in ("id", "kind", "label", "what", "why", "after")}})
    for left in answer["skipped"]:
        row = {name: left[name] for name in ("id", "kind", "label", "why", "by")}
        rows.append({"part": "skipped", "what": left["reason"], **row})
    return table(PLAN_COLUMNS, ([row.get(column) for column in PLAN_COLUMNS] for row in rows))


def _swapped(row: Mapping[str, Any]) -> str:
    """An input as it goes into the repetition: its role, and the thing or the step that it comes from."""
    source = f"step:{row['from_step']}" if row["from_step"] else row["instead"] or row["waits_for"] or row["id"]
    return f"{row['role']}={source}"


def hops_table(answer: Mapping[str, Any]) -> bytes:
    """The hops of an explanation's paths as CSV, path by path."""
    rows = (
        (path["rank"], number, *(hop.get(column) for column in HOP_COLUMNS[2:]))
        for path in answer["paths"]
        for number, hop in enumerate(path["hops"], 1)
    )
    return table(HOP_COLUMNS, rows)


def differences_table(answer: Mapping[str, Any]) -> bytes:
    """What became different between two times as CSV."""
    columns = ("id", "kind", "label", "difference", "state_before", "severity_before", "state_after", "severity_after")

    def verdict(told: Mapping[str, str] | None) -> tuple[str | None, str | None]:
        return (told["state"], told["severity"]) if told else (None, None)

    rows = (
        (iri, node["kind"], node["label"], node["difference"], *verdict(node["before"]), *verdict(node["after"]))
        for iri, node in answer["nodes"].items()
    )
    return table(columns, rows)


def things_rdf(things: Iterable[Thing], syntax: RdfFormat) -> bytes:
    """Things with their kinds and labels as RDF."""
    triples = []
    for thing in things:
        node = NamedNode(thing.iri)
        triples.append(Triple(node, RDF.type, _class(thing.kind)))
        triples.append(Triple(node, RDFS.label, Literal(thing.label)))
    return _written(triples, syntax)


def answer_rdf(answer: Mapping[str, Any], syntax: RdfFormat) -> bytes:
    """The nodes of an answer with kinds and labels, and `prov:wasInfluencedBy` from each later thing to the earlier one.

    The exact relations stand in the objects' own RDF; here it is the walk that is said.
    """
    triples = []
    for iri, node in answer["nodes"].items():
        triples.append(Triple(NamedNode(iri), RDF.type, _class(str(node.get("kind") or ""))))
        if node.get("label"):
            triples.append(Triple(NamedNode(iri), RDFS.label, Literal(str(node["label"]))))
    for edge in answer["edges"]:
        triples.append(Triple(NamedNode(edge["target"]), PROV.wasInfluencedBy, NamedNode(edge["source"])))
    return _written(triples, syntax)


def _class(kind: str) -> NamedNode:
    return next((NamedNode(known.iri) for known in vocabulary().kinds if known.name == kind), PROV.Entity)


def _written(triples: list[Triple], syntax: RdfFormat) -> bytes:
    prefixes = {prefix: str(namespace) for prefix, namespace in PREFIXES.items()}
    written = serialize(dict.fromkeys(triples), format=syntax, prefixes=prefixes)
    assert written is not None  # serialize only returns None when it is handed a file to write to
    return written


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, dict | list):
        value = " ".join(str(one) for one in value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value
