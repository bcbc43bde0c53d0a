"""The answer to "what does this change affect?" as a person reads it: a headline, then each verdict with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from headwater.cli.answers import MOST_LISTED, Answer, completeness, cut, label, name
from headwater.cli.printing import Line, counted, several
from headwater.terms.justifications import because
from headwater.terms.names import curie
from headwater.terms.vocabulary import vocabulary

_STATES: Final = {
    "affected": ("AFFECTED", "▲", "red"),
    "in_triage": ("IN TRIAGE: a person is looking at it", "◆", "yellow"),
    "cannot_tell": ("CANNOT TELL: what is known does not carry a verdict", "?", "yellow"),
    "resolved": ("MENDED SINCE", "✓", "green"),
    "not_affected": ("NOT AFFECTED", "○", ""),
}
_SEVERITIES: Final = ("critical", "major", "moderate", "minor", "info")
_LONGEST_PATH: Final = 7


def impact_lines(answer: Answer, *, title: str | None = None, most: int = MOST_LISTED, brief: bool = False) -> Iterator[Line]:
    """The report, line by line. `title` names the change; `brief` counts what is not affected instead of listing it."""
    changed = _changed(answer)
    yield headline(answer, title), "bold"
    if kinds := (answer.get("summary") or {}).get("by_kind"):
        yield f"Downstream are {counted(kinds)}.", "dim"
    nodes = {iri: node for iri, node in (answer.get("nodes") or {}).items() if iri not in changed}
    known = list(_STATES)
    for state in [*known, *sorted({str(node.get("state")) for node in nodes.values()} - {*known, "None"})]:
        found = [(iri, node) for iri, node in nodes.items() if node.get("state") == state]
        if not found:
            continue
        words, mark, style = _STATES.get(state, (state.replace("_", " ").upper(), "·", ""))
        total = ((answer.get("summary") or {}).get("by_state") or {}).get(state, len(found))
        yield "", ""
        yield f"{words} ({total:,})", f"bold {style}".strip()
        if state == "not_affected" and brief:
            yield from _counted_by_reason(found, mark)
            continue
        found.sort(key=lambda item: _rank(item[1]))
        runs = [(iri, node) for iri, node in found if brief and node.get("kind") == "run"]
        shown, rest = cut([entry for entry in found if entry not in runs], most)
        for iri, node in shown:
            yield from _verdict(answer, iri, node, mark, style, brief=brief)
        yield from rest
        yield from _counted_by_reason(runs, mark)
    yield "", ""
    if (answer.get("summary") or {}).get("total") and not brief:
        change = (answer.get("query") or {}).get("change")
        supposed = f" --change {change}" if answer.get("root") in (answer.get("nodes") or {}) and change else ""
        yield f"Why a thing is judged so: headwater explain {curie(str(answer.get('root')))} THING{supposed}", "dim"
    yield from completeness(answer)


def headline(answer: Answer, title: str | None = None) -> str:
    """What changed, and how many things it affects how badly, in one sentence."""
    summary, query = answer.get("summary") or {}, answer.get("query") or {}
    change = vocabulary().changes.get(str(query.get("change")))
    what = title or _name_of_root(answer)
    if change is not None and not set(change.label.split()) <= set(what.lower().split()):
        what += f" ({change.label})"
    total = int(summary.get("total") or 0)
    if not total:
        return f"{what}: nothing is known downstream of it."
    states = summary.get("by_state") or {}
    parts = []
    if states.get("affected"):
        bad = [f"{count:,} {severity}" for severity, count in _affected_by_severity(answer)]
        parts.append(f"{states['affected']:,} affected" + (f" ({', '.join(bad)})" if bad else ""))
    for state, words in (
        ("in_triage", "in triage"),
        ("cannot_tell", "in doubt"),
        ("resolved", "mended since"),
        ("not_affected", "not affected"),
    ):
        if states.get(state):
            parts.append(f"{states[state]:,} {words}")
    return f"{what}: of {several(total, 'thing')} downstream, {_listed(parts)}."


def _affected_by_severity(answer: Answer) -> list[tuple[str, int]]:
    nodes = [node for iri, node in (answer.get("nodes") or {}).items() if iri not in _changed(answer)]
    affected = [node for node in nodes if node.get("state") == "affected"]
    if len(affected) != ((answer.get("summary") or {}).get("by_state") or {}).get("affected"):
        return []  # the list was cut, and a count of a part would mislead
    counts = Counter(str(node.get("severity")) for node in affected)
    return [(severity, counts[severity]) for severity in _SEVERITIES if counts[severity]]


def _verdict(answer: Answer, iri: str, node: Mapping[str, Any], mark: str, style: str, *, brief: bool) -> Iterator[Line]:
    state = node.get("state")
    severity = f"{node.get('severity') or '':<9}" if state in ("affected", "in_triage", "cannot_tell") else ""
    line = f"  {mark} {severity}{name(answer, iri)}"
    yield line, style if state == "affected" and node.get("severity") in ("critical", "major") else ""
    reason = f"mended by {name(answer, node['resolved_by'])}" if node.get("resolved_by") else _reason(node)
    if reason:
        yield f"      {reason}", "dim"
    for said in node.get("statements") or ():
        yield f"      {_said(said)}", ""
    # One link is what the reason says already; a proof of several steps is worth a line.
    if state != "not_affected" and len(node.get("via") or ()) > brief:
        yield f"      by way of: {_path(answer, node['via'], iri)}", "dim"


def _said(said: Mapping[str, Any]) -> str:
    """A person's statement as one line."""
    reasons = [because(str(said["justification"])) if said.get("justification") else "", said.get("because") or ""]
    when = f" on {str(said['at'])[:10]}" if said.get("at") else ""
    told = f"{said.get('by') or 'somebody'} says{when}: {str(said.get('state')).replace('_', ' ')}"
    return "; ".join([told, *(reason for reason in reasons if reason)])


def _reason(node: Mapping[str, Any]) -> str:
    effect = next((known.label for known in vocabulary().effects if known.name == node.get("effect")), None)
    code = node.get("justification")
    parts = [effect] if effect and node.get("state") in ("affected", "in_triage") else []
    if node.get("state") == "cannot_tell" and effect:
        parts = [f"perhaps {effect}"] if node.get("effect") != "none" else []
    if code:
        parts.append(f"because {because(str(code))}" if parts else because(str(code)))
    return ", ".join(parts)


def _path(answer: Answer, via: list[str], end: str) -> str:
    steps = [label(answer, iri) for iri in [*via, end]]
    if len(steps) > _LONGEST_PATH:
        left = len(steps) - _LONGEST_PATH + 1
        steps = [*steps[:3], f"({several(left, 'step')})", *steps[-3:]]
    return " → ".join(steps)


def _counted_by_reason(found: list[tuple[str, Mapping[str, Any]]], mark: str) -> Iterator[Line]:
    groups: dict[str, Counter[str]] = {}
    for _, node in found:
        groups.setdefault(_reason(node) or "no reason given", Counter())[str(node.get("kind") or "thing")] += 1
    for reason, kinds in sorted(groups.items(), key=lambda item: (-item[1].total(), item[0])):
        yield f"  {mark} {counted(kinds)}: {reason}", ""


def _rank(node: Mapping[str, Any]) -> tuple[int, int, int, str]:
    """Severity first; then what is at work or in print before what led to it, the nearest first."""
    severity, kinds = node.get("severity"), [kind.name for kind in vocabulary().kinds]
    return (
        _SEVERITIES.index(severity) if severity in _SEVERITIES else len(_SEVERITIES),
        kinds.index(str(node.get("kind"))) if node.get("kind") in kinds else len(kinds),
        int(node.get("distance") or 0),
        str(node.get("label")),
    )


def _changed(answer: Answer) -> set[str]:
    return {iri for iri, node in (answer.get("nodes") or {}).items() if node.get("distance") == 0} | {str(answer.get("root"))}


def _name_of_root(answer: Answer) -> str:
    root = str(answer.get("root"))
    if root in (answer.get("nodes") or {}):
        return name(answer, root)
    changed = sorted(_changed(answer) - {root})
    return ", ".join(name(answer, iri) for iri in changed[:3]) or label(answer, root)


def _listed(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)
