"""A year of benefit as a person reads it in a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from headwater.cli.answers import MOST_LISTED, Answer, completeness, cut
from headwater.cli.benefits_report import effort_words, step_words, still_lines
from headwater.cli.printing import Line, counted, several

_MOST_NAMED = 10


def report_lines(report: Answer, *, most: int = MOST_LISTED) -> Iterator[Line]:
    """The report, line by line."""
    summary = report["summary"]
    yield f"{report['kind']} {report['label']}, {report['year']}: {several(summary['new'], 'new thing')} built on it.", "bold"
    if not report["whole_year"]:
        yield "The year is not over: this is what has been recorded so far.", "yellow"
    yield f"Before the year there were {summary['before']:,}; of {summary['undated']:,} nobody knows the time.", ""
    yield from _users(report)
    yield "", ""
    yield "WHAT CAME OF IT IN THE YEAR", "bold"
    made = {kind: told for kind, told in report["results"].items() if told["new"]}
    if not made:
        yield "  Nothing new is recorded.", ""
    for kind, told in made.items():
        names = [str(thing["label"]) for thing in told["things"][:_MOST_NAMED]]
        yield f"  {several(told['new'], kind)}: {_listed(names, told['new'])}", ""
    yield from _improvements(report, most)
    yield from _credit(report, most)
    yield "", ""
    yield "COMPUTING", "bold"
    yield f"  in the year: {effort_words(report['compute']['year'])}", ""
    yield f"  until its end: {effort_words(report['compute']['until'])}", ""
    if report["compute"]["undated_runs"]:
        yield f"  {several(report['compute']['undated_runs'], 'run')} without beginning and end: in no year.", ""
    yield "", ""
    yield from completeness(report)


def _listed(names: list[str], count: int) -> str:
    more = f" and {count - len(names):,} more" if count > len(names) else ""
    # Labels hold commas themselves ("Kiosk, release 1.0").
    return "; ".join(names) + more


def _users(report: Answer) -> Iterator[Line]:
    users = report["users"]
    yield "", ""
    yield "WHO USED IT", "bold"
    if not users["new"]["count"] and not users["returning"]["count"]:
        yield "  Nobody is recorded.", ""
    for name, words in (("new", "for the first time"), ("returning", "had used it before")):
        if users[name]["count"]:
            names = [str(thing["label"]) for thing in users[name]["things"][:_MOST_NAMED]]
            yield f"  {words} ({users[name]['count']:,}): {_listed(names, users[name]['count'])}", ""
    if users["runs_without_user"]:
        yield f"  {users['runs_without_user']:,} of {several(users['runs'], 'run')} name nobody who ran them.", ""


def _improvements(report: Answer, most: int) -> Iterator[Line]:
    if not report["improvements"]:
        return
    yield "", ""
    yield "IMPROVEMENTS TAKEN UP", "bold"
    shown, rest = cut(list(report["improvements"]), most)
    for step in shown:
        by = f" ({counted(step['adopted_by_kind'])})" if step["adopted"] else ""
        yield (
            f"  {step['from_label']} → {step['to_label']}: by {step['adopted']:,}{by}; before, by {step['adopted_before']:,}",
            "",
        )
        for metric in step["metrics"]:
            text, gain = step_words(metric)
            yield f"    {text}", "green" if gain > 0 else "red" if gain < 0 else ""
        if step["confounded"]:
            yield f"    {several(step['confounded'], 'further pair')} not comparable: more than the revision differs", ""
    yield from rest
    for row in report["uptake"]:
        for text, style in still_lines(row):
            yield f"  {row['label']}: {text.strip()}", style


def _credit(report: Answer, most: int) -> Iterator[Line]:
    if not report["credit"]["by_kind"]:
        return
    yield "", ""
    yield "ITS SHARE IN WHAT CAME (of each paper, model and deployment the shares of all sources add up to 1)", "bold"
    for kind, told in report["credit"]["by_kind"].items():
        yield f"  {several(told['results'], kind)}: {told['sum']:.2f} in all", ""
    shown, rest = cut(list(report["credit"]["results"]), min(most, _MOST_NAMED))
    for row in shown:
        yield f"  {row['share']:>6.1%}  {row['kind']} {row['label']}", ""
    yield from rest
