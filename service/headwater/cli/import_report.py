"""What became of an import, as a person reads it: what came in, what was mended, what was not understood, what failed and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from headwater.access.levels import in_words
from headwater.cli.printing import Line, counted, several

_OUTCOMES: Final = {
    "failed": ("could not be read", "red"),
    "unmapped": ("not mapped (kept in the report, not in the graph)", "yellow"),
    "missing": ("missing", "yellow"),
    "repaired": ("repaired", ""),
}
_EXAMPLES: Final = 3
_FAILURES: Final = 10


def import_lines(whole: Mapping[str, Any]) -> Iterator[Line]:
    """The report on all sources, line by line."""
    for source in whole["sources"]:
        yield from source_lines(source)
        yield "", ""
    if len(whole["sources"]) > 1:
        done = sum(bool(source["ok"]) for source in whole["sources"])
        yield f"{done} of {len(whole['sources'])} sources came in whole: {_totals(whole['sources'])}.", "bold"
    if whole["dry_run"]:
        yield "Nothing was written: this was a dry run.", "bold"
    came_in = any(status != "rejected" and count for source in whole["sources"] for status, count in source["statuses"].items())
    if came_in:
        yield f"{'Would be visible' if whole['dry_run'] else 'Visible'} to: {in_words(whole['visibility'])}", "bold"


def _totals(sources: list[Mapping[str, Any]]) -> str:
    statuses: Counter[str] = Counter()
    for source in sources:
        statuses.update(source["statuses"])
    records = ", ".join(f"{count:,} {status}" for status, count in statuses.items() if count) or "none"
    return f"records {records}; {several(sum(source['statements'] for source in sources), 'statement')}"


def source_lines(source: Mapping[str, Any]) -> Iterator[Line]:
    """The report on one source."""
    importer = source.get("importer")
    statuses = source["statuses"]
    yield f"{source['source']}" + (f" (read as {importer})" if importer else ""), "bold"
    if any(statuses.values()):
        words = ", ".join(f"{count:,} {status}" for status, count in statuses.items() if count)
        yield f"  records: {words}", ""
    if source["kinds"]:
        yield f"  objects: {counted(source['kinds'])}; {several(source['statements'], 'statement')}", ""
    elif importer and not source["failures"] and not source["records"]:
        yield "  nothing was found in it", "yellow"
    yield from _failures(source["failures"], alone=not source["records"])
    yield from _rejected(source["records"])
    yield from _findings(source["findings"], str(source["source"]))
    if source["hints"]:
        yield f"  {several(sum(source['hints'].values()), 'hint')} of the gate:", ""
        for message, count in list(source["hints"].items())[:_EXAMPLES]:
            yield f"      {count:,} × {message}", "dim"
        yield from _more(len(source["hints"]) - _EXAMPLES)


def _failures(failures: list[Mapping[str, Any]], *, alone: bool) -> Iterator[Line]:
    if not failures:
        return
    yield (
        "  it could not be read:" if alone else f"  {several(len(failures), 'part')} could not be read; everything else was:",
        "red",
    )
    for failure in failures[:_FAILURES]:
        where = f"{failure['source']}:{failure['line']}" if failure.get("line") is not None else str(failure["source"])
        message = str(failure["message"])
        yield f"      {message}" if message.startswith(str(failure["source"])) else f"      {where}: {message}", ""
        if failure.get("remedy"):
            yield f"        {failure['remedy']}", "dim"
    yield from _more(len(failures) - _FAILURES)


def _rejected(records: list[Mapping[str, Any]]) -> Iterator[Line]:
    rejected = [record for record in records if record["status"] == "rejected"]
    if not rejected:
        return
    yield f"  {several(len(rejected), 'record')} rejected by the gate:", "red"
    for record in rejected[:_FAILURES]:
        yield f"      {record['title']} <{record['iri']}>", ""
        for sentence in sentences(record):
            yield f"        · {sentence}", ""
    yield from _more(len(rejected) - _FAILURES)


def sentences(record: Mapping[str, Any]) -> list[str]:
    """What the gate has against a record: which thing, what is wrong, how to mend it."""
    found = [result for result in (record.get("gate") or {}).get("results", ()) if result["severity"] == "violation"]
    return [
        f"{result['label'] + ' ' if result.get('label') else ''}<{result['focus']}>: {result['message']}"
        + (f" (found: {result['value']})" if result.get("value") is not None else "")
        for result in found
    ]


def _findings(findings: list[Mapping[str, Any]], source: str) -> Iterator[Line]:
    for outcome, (words, style) in _OUTCOMES.items():
        found = [entry for entry in findings if entry["outcome"] == outcome]
        if not found:
            continue
        yield f"  {words}:", style
        for entry in found:
            yield f"    {entry['count']:,} × {entry['reason']}", ""
            for example in entry["examples"][:_EXAMPLES]:
                where = str(example["where"]).removeprefix(f"{source}/")
                yield f"      {example['what']}" + (f" ({where})" if where else ""), "dim"
            yield from _more(entry["count"] - min(_EXAMPLES, len(entry["examples"])))


def _more(rest: int) -> Iterator[Line]:
    if rest > 0:
        yield f"      … and {rest:,} more", "dim"
