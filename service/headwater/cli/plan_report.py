"""A plan as a person reads it: the total first, then each step with its recipe, what people do, and what is left alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from headwater.cli.answers import MOST_LISTED, Answer, completeness, cut, label
from headwater.cli.benefits_report import step_words
from headwater.cli.printing import Line, counted, number, several
from headwater.lineage.costing import duration
from headwater.lineage.planned import ACTIONS, LEFT
from headwater.terms.justifications import because
from headwater.terms.names import curie

_WHAT: Final = {"measure": " (measure again)", "gain": " (nothing is wrong; for the gain)"}
_MOST_FIXES: Final = 5
_NEWS: Final = ("instead", "from_step", "waits_for")


def plan_lines(answer: Answer, *, most: int = MOST_LISTED) -> Iterator[Line]:
    """The report, line by line."""
    yield from _headline(answer)
    yield from _steps(answer, most)
    yield from _actions(answer, most)
    yield from _skipped(answer, most)
    yield from _fixes(answer)
    yield "", ""
    yield from completeness(answer)
    if answer["totals"]["hidden_stale"]:
        yield f"{several(answer['totals']['hidden_stale'], 'stale thing')} that you may not see are not planned for.", "yellow"


def _headline(answer: Answer) -> Iterator[Line]:
    totals, query = answer["totals"], answer["query"]
    names = [f"{row['label']} ({row['change'].replace('-', ' ')})" for row in query["changes"]]
    yield f"{'; '.join(names)}.", "bold"
    stale = totals["stale"]
    if not stale and not totals["steps"]:
        yield "Nothing is stale: nothing has to be repeated.", "bold"
        return
    things = {kind: count for kind, count in totals["mended_by_kind"].items() if kind != "run"}
    numbers = totals["mended_by_kind"].get("run")
    kinds = (
        ", ".join(filter(None, (counted(things), f"the numbers of {several(numbers, 'run')}" if numbers else ""))) or "nothing"
    )
    yield (
        f"{several(stale, 'thing')} are stale. {several(totals['steps'], 'run')} to repeat, {_cost(totals)}: mends {kinds}.",
        "bold",
    )
    if totals["budget"]:
        limits = [
            f"{number(value)} {unit}" for unit, value in (("h", query["hours"]), ("kWh", query["kwh"])) if value is not None
        ]
        proof = (
            "no choice mends more"
            if totals["exact"]
            else f"chosen step by step; no choice weighs more than {number(totals['bound'])}, this one {totals['weight']}"
        )
        yield f"Within {' and '.join(limits)}: {proof}. {several(totals['left_stale'], 'thing')} stay stale.", ""
    if totals["mended_without_steps"]:
        yield f"{totals['mended_without_steps']} of them need no run: what takes their place is there already.", "dim"


def _cost(totals: Mapping[str, Any]) -> str:
    if totals["hours"] is None:
        return "running time not recorded"
    text = f"{duration(totals['hours'])} in all" if not totals["hours_unknown"] else f"at least {duration(totals['hours'])}"
    if totals["hours_unknown"]:
        text += f", for {several(totals['hours_unknown'], 'run')} nobody recorded how long"
    if totals["kwh"]:
        text += f", {number(totals['kwh'])} kWh" + (" or more" if totals["kwh_unknown"] else "")
    return text


def _steps(answer: Answer, most: int) -> Iterator[Line]:
    if not answer["steps"]:
        return
    yield "", ""
    yield f"REPEAT, IN THIS ORDER ({answer['totals']['steps']:,})", "bold"
    shown, rest = cut(list(answer["steps"]), most)
    for step in shown:
        yield from _step(answer, step)
    yield from rest
    for cycle in answer["cycles"]:
        yield f"  A circle was cut: {label(answer, cycle['to'])} comes before {label(answer, cycle['from'])}.", "yellow"


def _step(answer: Answer, step: Mapping[str, Any]) -> Iterator[Line]:
    after = f", after {', '.join(map(str, step['after']))}" if step["after"] else ""
    yield f"  {step['step']:>2}. {step['label']}{_WHAT.get(step['what'], '')}: {_time(step['cost'])}{after}", ""
    recipe = step["recipe"]
    for row in (*recipe["inputs"], *recipe["code"], *recipe["environment"], *recipe["instruments"]):
        if any(row[name] for name in _NEWS):
            yield f"      {row['role']}: {_instead(answer, row)}, instead of {row['label']}", ""
    yield from _call(step)
    if recipe["instruments"]:
        tools = ", ".join(row["label"] for row in recipe["instruments"])
        yield f"      a measurement with {tools}, no computation: it takes the sample and the time for it", "yellow"
    so_far = step["so_far"]
    named = ("its numbers" if iri == step["run"] else label(answer, iri) for iri in step["mends"][:6])
    right = ", ".join(named) or "nothing by itself"
    more = f" and {len(step['mends']) - 6} more" if len(step["mends"]) > 6 else ""
    yield (
        f"      then right again: {right}{more} ({so_far['mended']} of {so_far['of']} so far)",
        "green" if step["mends"] else "dim",
    )
    for row in step["gain"]["metrics"][:3]:
        words, gain = step_words(row)
        if step["what"] == "measure":
            # Another yardstick makes no better model.
            words, gain = words.removesuffix(": better").removesuffix(": worse"), 0
        yield f"      to expect, from the past: {words}", "green" if gain > 0 else "dim"
    if step["cutoff"]["falls_away"]:
        known = step["cutoff"]["identical_to"]
        fall = _numbers(step["cutoff"]["falls_away"], step["cutoff"]["falls_away_count"])
        compared = curie(known[0]) if known else "compare the content; no digest is recorded"
        steps = "step" if step["cutoff"]["falls_away_count"] == 1 else "steps"
        yield f"      if the outcome is what it was ({compared}), {steps} {fall} can be left out", "dim"


def _call(step: Mapping[str, Any]) -> Iterator[Line]:
    """What to run; or, where something is only measured again, what is measured: running it would train it anew."""
    recipe = step["recipe"]
    code = ", ".join(row["label"] for row in recipe["code"])
    if step["measures"]:
        what = ", ".join(row["label"] for row in step["measures"])
        yield f"      measure {what} as before{f' ({code})' if code else ''}; it need not be trained again", "dim"
        return
    call = " ".join(filter(None, (recipe["command"], *(f"{name}={value}" for name, value in recipe["parameters"].items()))))
    if call or code:
        yield f"      run: {call or 'no command recorded'}{f' ({code})' if code else ''}", "dim"


def _numbers(first: list[int], count: int) -> str:
    shown = first[:8]
    return ", ".join(map(str, shown)) + (f" and {count - len(shown):,} more" if count > len(shown) else "")


def _instead(answer: Answer, row: Mapping[str, Any]) -> str:
    if row["from_step"]:
        return f"what step {row['from_step']} makes"
    if row["instead"]:
        return label(answer, row["instead"]) + (" (itself in doubt)" if row["doubtful"] else "")
    return f"{label(answer, row['waits_for'])} once it is mended"


def _time(cost: Mapping[str, Any]) -> str:
    basis = cost["hours_from"]
    if cost["hours"] is None:
        most = cost["hours_at_most"]
        return "time not recorded" if most is None else f"at most {duration(most)} (with the training it took that)"
    words = {
        "own": "as before",
        "same-settings": f"median of {several(basis['runs'], 'run')} with the same settings",
        "same-code": f"median of {several(basis['runs'], 'run')} of the same kind",
    }
    text = f"{duration(cost['hours'])} ({words[basis['basis']]})"
    return text + (f", {number(cost['kwh'])} kWh" if cost["kwh"] else "")


def _actions(answer: Answer, most: int) -> Iterator[Line]:
    if not answer["actions"]:
        return
    yield "", ""
    yield f"FOR PEOPLE TO DO ({answer['totals']['actions']:,})", "bold"
    shown, rest = cut(list(answer["actions"]), most)
    for action in shown:
        when = f"after step {', '.join(map(str, action['after']))}" if action["after"] else "at once"
        yield (
            f"  · {action['kind']} {action['label']}: {ACTIONS[action['what']]} ({when})",
            "red" if action["what"] == "withdraw" else "",
        )
        taken = [label(answer, row["instead"]) for row in action["rests_on"] if row["instead"]]
        if taken:
            yield f"      with {', '.join(taken[:4])}, which is there already", "dim"
        if action["because"] and action["what"] in ("find-out", "withdraw"):
            yield f"      because {because(action['because'])}", "dim"
        if action.get("candidates"):
            yield f"      a later revision is there: {', '.join(label(answer, iri) for iri in action['candidates'][:3])}", "dim"
    yield from rest


def _skipped(answer: Answer, most: int) -> Iterator[Line]:
    if not answer["skipped"]:
        return
    yield "", ""
    yield f"NOT REPEATED ({answer['totals']['skipped']:,})", "bold"
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in answer["skipped"]:
        groups.setdefault(row["reason"], []).append(row)
    for reason in LEFT:
        rows = groups.get(reason, [])
        if not rows:
            continue
        kinds = counted(Counter(row["kind"] for row in rows))
        yield f"  {kinds}: {LEFT[reason]}", ""
        if reason == "not-affected":
            continue
        for row in rows[: max(most // 4, 1)]:
            by = f" → {label(answer, row['by']) if row['by'] in answer['nodes'] else curie(row['by'])}" if row["by"] else ""
            yield f"      {row['label']}{by}", "dim"
        if len(rows) > max(most // 4, 1):
            yield f"      … and {len(rows) - max(most // 4, 1):,} more; --json lists all", "dim"


def _fixes(answer: Answer) -> Iterator[Line]:
    several_changes = len(answer["query"]["changes"]) > 1
    fixes = [fix for fix in answer["fixes"] if several_changes or fix["fix"] == "run"]
    if len(fixes) < 2:
        return
    yield "", ""
    yield "WHICH SINGLE FIX CLEARS THE MOST AN HOUR", "bold"
    for place, fix in enumerate(fixes[:_MOST_FIXES], 1):
        time = duration(fix["hours"]) if fix["hours"] is not None else "a time that is not recorded"
        what = "all that follows from" if fix["fix"] == "change" else "up to"
        done = f"{several(fix['clears'], 'stale thing')} in {several(fix['steps'], 'step')}, {time}"
        yield f"  {place}. {what} {fix['label']}: {done}", ""
