"""The answer to "who benefits from this?" as a person reads it: who builds on it, and what each improvement bought them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from headwater.cli.answers import MOST_LISTED, Answer, completeness, cut, label, name
from headwater.cli.printing import Line, counted, number, several
from headwater.lineage.costing import duration
from headwater.terms.vocabulary import vocabulary

_BETTER: Final = {"higher": 1, "maximise": 1, "lower": -1, "minimise": -1}
_MOST_CREDITED: Final = 15


def benefits_lines(answer: Answer, *, title: str | None = None, most: int = MOST_LISTED) -> Iterator[Line]:
    """The report, line by line."""
    summary = answer.get("summary") or {}
    total = int(summary.get("total") or 0)
    what = title or name(answer, str(answer.get("root")))
    if not total:
        yield f"{what}: nothing is known to build on it.", "bold"
    else:
        yield f"{what}: {several(total, 'thing')} build on it: {counted(summary.get('by_kind') or {})}.", "bold"
    if summary.get("by_role"):
        words = [
            f"{count:,} × {_role(role)}"
            for role, count in sorted(summary["by_role"].items(), key=lambda item: (-item[1], item[0]))
        ]
        yield f"How: {', '.join(words)}.", ""
    if summary.get("by_distance"):
        away = [f"{count:,} {several(int(steps), 'step')} away" for steps, count in summary["by_distance"].items()]
        yield f"How near: {', '.join(away)}.", ""
    yield from _steps(answer, most)
    yield from _confounded(answer, most)
    yield from _others(answer, most)
    yield "", ""
    yield from completeness(answer)


def _steps(answer: Answer, most: int) -> Iterator[Line]:
    steps = list(answer.get("steps") or ())
    yield "", ""
    if not steps:
        yield (
            "WHAT IMPROVEMENTS BOUGHT: no two runs are known that differ in its revision only and share a metric.",
            "bold",
        )
        return
    yield "WHAT IMPROVEMENTS BOUGHT", "bold"
    shown, rest = cut(steps, most)
    before = None
    for step in shown:
        ends = (step.get("from"), step.get("to"))
        if ends != before:
            names = [step.get(f"{end}_label") or label(answer, str(step.get(end))) for end in ("from", "to")]
            yield f"  {names[0]} → {names[1]}", ""
            before = ends
        text, gain = step_words(step)
        yield f"    {text}", "green" if gain > 0 else "red" if gain < 0 else ""
    yield from rest


def step_words(step: Mapping[str, Any]) -> tuple[str, int]:
    """One step in a sentence, and whether it was a gain (1), a loss (-1) or neither that is known (0).

    >>> step_words({"metric": "loss", "direction": "lower", "n": 2, "mean_delta": -0.5, "ci_low": -0.6, "ci_high": -0.4})
    ('loss fell by 0.5 on average in 2 comparable pairs (95 % interval -0.6 to -0.4): better', 1)
    """
    delta = step.get("mean_delta")
    pairs = step.get("pairs")
    count = int(step.get("n") or (len(pairs) if isinstance(pairs, list) else pairs or 0))
    if delta is None:
        return f"{step.get('metric')}: no mean, from {several(count, 'comparable pair')}", 0
    sign = (delta > 0) - (delta < 0)
    moved = {1: f"rose by {number(delta)}", -1: f"fell by {number(-delta)}", 0: "stayed the same"}[sign]
    average = " on average" if count != 1 else ""
    text = f"{step.get('metric')} {moved}{average} in {several(count, 'comparable pair')}"
    low, high = step.get("ci_low"), step.get("ci_high")
    if low is not None and high is not None:
        text += f" (95 % interval {number(low)} to {number(high)}{_spread(step)})"
    elif count == 1:
        text += " (one pair gives no interval)"
    better = _BETTER.get(str(step.get("direction")), 0)
    if not better:
        return text + "; which way is better is not known", 0
    if not sign:
        return text, 0
    gain = better * sign
    text += ": better" if gain > 0 else ": worse"
    if low is not None and high is not None and low <= 0 <= high:
        text += ", but the interval includes no change"
    return text, gain


def _spread(step: Mapping[str, Any]) -> str:
    """How far the pairs lie apart, after the interval."""
    if step.get("sd_delta") is None:
        return ""
    return f"; pairs from {number(step['min_delta'])} to {number(step['max_delta'])}, sd {number(step['sd_delta'])}"


def _confounded(answer: Answer, most: int) -> Iterator[Line]:
    confounded = list(answer.get("confounded") or ())
    if not confounded:
        return
    yield "", ""
    count = ((answer.get("summary") or {}).get("pairs") or {}).get("confounded", len(confounded))
    yield f"NOT COMPARABLE ({count:,}): more than the revision differs", "bold"
    shown, rest = cut(confounded, most)
    for entry in shown:
        pair = entry.get("labels") or [label(answer, str(iri)) for iri in entry.get("pair") or ()]
        differs = entry.get("differs_in") or ()
        words = differs if isinstance(differs, str) else ", ".join(str(each) for each in differs)
        yield f"  {' and '.join(pair)}: differ in {words}", ""
    yield from rest


def _others(answer: Answer, most: int) -> Iterator[Line]:
    uptake = [entry for entry in answer.get("uptake") or () if entry.get("users") or entry.get("latest")]
    if uptake:
        yield "", ""
        yield "WHO USES WHICH REVISION", "bold"
    shown, rest = cut(uptake, most)
    for entry in shown:
        users = counted(entry.get("by_kind") or {}) or "nobody"
        models = f", from which {several(entry['models'], 'model')} came" if entry.get("models") else ""
        yield (
            f"  {entry.get('label') or entry.get('revision')}{' (the latest)' if entry.get('latest') else ''}: {users}{models}",
            "",
        )
        yield from still_lines(entry)
    yield from rest
    credit = [entry for entry in answer.get("credit") or () if entry.get("share")]
    if credit:
        yield "", ""
        yield "HOW MUCH RESTS ON IT: its share of the credit for what was made downstream", "bold"
    shown, rest = cut(credit, min(most, _MOST_CREDITED))
    for entry in shown:
        yield f"  {entry['share']:>6.1%}  {entry.get('kind') or ''} {entry.get('label') or entry.get('id')}", ""
    yield from rest
    if answer.get("compute", {}).get("runs"):
        yield "", ""
        yield "COMPUTING DOWNSTREAM", "bold"
        yield f"  {effort_words(answer['compute'])}", ""


def still_lines(entry: Mapping[str, Any], most: int = 5) -> Iterator[Line]:
    """Who is still on a revision that has later ones: counted in full, the first named."""
    still = entry.get("still") or {}
    if entry.get("latest") or not still.get("count"):
        return
    names = [f"{thing['kind']} {thing['label']}" for thing in still["things"][:most]]
    more = f" and {still['count'] - len(names):,} more" if still["count"] > len(names) else ""
    yield f"    still on it: {counted(still['by_kind'])} ({'; '.join(names)}{more})", "yellow"


def effort_words(told: Mapping[str, Any]) -> str:
    """Computing time and energy in a sentence, with how many runs say nothing.

    >>> effort_words({"runs": 3, "hours": 2.5, "runs_with_hours": 2, "kwh": None, "runs_with_kwh": 0})
    '2.5 h, recorded for 2 of 3 runs; no run records its energy'
    """
    runs = several(told["runs"], "run")
    if told["hours"] is None:
        time = f"of {runs} none records how long it took"
    else:
        time = f"{duration(told['hours'])}, recorded for {told['runs_with_hours']:,} of {runs}"
    energy = "no run records its energy"
    if told["kwh"] is not None:
        energy = f"{number(told['kwh'])} kWh, recorded for {told['runs_with_kwh']:,}"
    return f"{time}; {energy}"


def _role(role: str) -> str:
    known = vocabulary().role(role)
    return known.label_down if known else role
