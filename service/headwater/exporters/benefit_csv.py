"""A yearly report of benefit as rows for a spreadsheet: one fact to a row, each with the part of the report it belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

COLUMNS = ("part", "what", "id", "kind", "label", "value", "unit", "note")
Row = tuple[object, ...]


def report_rows(report: Mapping[str, Any]) -> Iterator[Row]:
    """The rows in the order of `COLUMNS`. What is not known is an empty cell, never a zero."""
    summary, sure = report["summary"], report["completeness"]
    yield "report", "of", report["root"], report["kind"], report["label"], report["year"], "year", report["as_of"]
    for name in ("total", "new", "before", "undated"):
        yield "summary", name, "", "", "", summary[name], "things", ""
    for kind, parts in summary["by_kind"].items():
        for name, count in parts.items():
            yield "by_kind", name, "", kind, "", count, "things", ""
    for part in ("by_role", "by_distance"):
        for name, count in summary[part].items():
            yield part, name, "", "", "", count, "things", ""
    yield from _users(report["users"])
    for kind, made in report["results"].items():
        yield "results", "new", "", kind, "", made["new"], "things", ""
        for thing in made["things"]:
            yield "results", "named", thing["id"], kind, thing["label"], "", "", ""
    for name in ("year", "until"):
        yield from _compute(name, report["compute"][name])
    for step in report["improvements"]:
        yield from _improvement(step)
    for row in report["uptake"]:
        latest = "latest" if row["latest"] else ""
        for name, value in (("users", row["users"]), ("downstream", row["downstream"]), ("share", row["share"])):
            yield "uptake", name, row["revision"], "", row["label"], value, "ratio" if name == "share" else "things", latest
        if not row["latest"]:
            yield "uptake", "still", row["revision"], "", row["label"], row["still"]["count"], "things", ""
            for thing in row["still"]["things"]:
                yield "uptake", "still on it", thing["id"], thing["kind"], thing["label"], "", "", row["revision"]
    for kind, told in report["credit"]["by_kind"].items():
        yield "credit", "sum of shares", "", kind, "", told["sum"], "results", f"of {told['results']}"
    for row in report["credit"]["results"]:
        yield "credit", "share", row["id"], row["kind"], row["label"], row["share"], "ratio", ""
    yield "completeness", "complete", "", "", "", "yes" if sure["complete"] else "no", "", " ".join(sure["reasons"])
    yield "completeness", "hidden", "", "", "", sure["hidden_count"], "things", ""
    yield "completeness", "coverage", "", "", "", sure["coverage"], "ratio", ""


def _users(users: Mapping[str, Any]) -> Iterator[Row]:
    for name in ("new", "returning"):
        yield "users", name, "", "agent", "", users[name]["count"], "people", ""
        for thing in users[name]["things"]:
            yield "users", f"{name}, named", thing["id"], thing["kind"], thing["label"], "", "", ""
    yield "users", "only before", "", "agent", "", users["only_before"], "people", ""
    yield "users", "runs", "", "run", "", users["runs"], "runs", ""
    yield "users", "runs without user", "", "run", "", users["runs_without_user"], "runs", ""


def _compute(when: str, told: Mapping[str, Any]) -> Iterator[Row]:
    of = f"of {told['runs']} runs"
    yield "compute", f"hours, {when}", "", "run", "", told["hours"], "h", f"recorded for {told['runs_with_hours']} {of}"
    yield "compute", f"energy, {when}", "", "run", "", told["kwh"], "kWh", f"recorded for {told['runs_with_kwh']} {of}"


def _improvement(step: Mapping[str, Any]) -> Iterator[Row]:
    label = f"{step['from_label']} → {step['to_label']}"
    yield "improvement", "adopted in the year", step["to"], "", label, step["adopted"], "things", ""
    yield "improvement", "adopted before", step["to"], "", label, step["adopted_before"], "things", ""
    for metric in step["metrics"]:
        note = f"{metric['direction']} is better" if metric["direction"] in ("higher", "lower") else "direction unknown"
        for name in ("mean_delta", "sd_delta", "min_delta", "max_delta", "ci_low", "ci_high", "n", "n_new"):
            unit = "pairs" if name.startswith("n") else metric["metric"]
            yield "improvement", f"{metric['metric']} {name}", step["to"], "", label, metric[name], unit, note
    yield (
        "improvement",
        "pairs that differ in more",
        step["to"],
        "",
        label,
        step["confounded"],
        "pairs",
        "nothing is claimed from them",
    )
