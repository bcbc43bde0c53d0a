"""What the readable reports of all three questions share: names of things, roles in words, and how complete an answer is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from headwater.cli.printing import Line, several, show, show_json
from headwater.terms.names import PREFIXES, curie
from headwater.terms.vocabulary import vocabulary

Answer = Mapping[str, Any]
MOST_LISTED = 40
"""Things listed of one group before the rest is only counted: about a screen."""


def name(answer: Answer, iri: str) -> str:
    """What to call a thing: its kind and label if the answer holds them, else its IRI, shortened."""
    node = answer.get("nodes", {}).get(iri) or {}
    label = node.get("label")
    if not label or label == iri:
        return curie(iri)
    kind = node.get("kind")
    return f"{kind} {label}" if kind else str(label)


def label(answer: Answer, iri: str) -> str:
    """The label of a thing, or its IRI, shortened. `names` has those of things that the answer only passes by."""
    passed = answer.get("names") or {}
    return str((answer.get("nodes", {}).get(iri) or {}).get("label") or passed.get(iri) or curie(iri))


def link_words(edge: Mapping[str, Any], *, upstream: bool) -> str:
    """How a link reads from the thing met first to the next one, going up or down: "was trained with", "made"."""
    words = vocabulary()
    found = words.role(str(edge.get("role"))) if edge.get("role") else None
    if found is None:
        link = words.links.get(_full(str(edge.get("relation"))))
        found = words.role(link.role) if link else None
    if found is None:
        return curie(str(edge.get("relation") or "link"))
    return found.label_up if upstream else found.label_down


def _full(relation: str) -> str:
    prefix, _, local = relation.partition(":")
    return PREFIXES[prefix] + local if prefix in PREFIXES else relation


def completeness(answer: Answer) -> list[Line]:
    """How far the answer can be relied on, in one sentence or more."""
    said = answer.get("completeness") or {}
    lines: list[Line] = []
    reasons = {
        "hidden": _hidden(said.get("hidden_count")),
        "depth": "things further away than --depth are counted, not listed",
        "max_nodes": "things beyond --max-nodes are counted, not listed",
        "min_evidence": "links with weaker evidence than --min-evidence were left out",
        "undescribed": "some things are only named by others and not described themselves",
        "undated": "of some things it is not known whether they were there at that time",
    }
    if said.get("complete"):
        lines.append(("This answer is complete.", "dim"))
    for reason in said.get("reasons", ()):
        lines.append((f"Not complete: {reasons.get(str(reason), str(reason).replace('_', ' '))}.", "yellow"))
    if said.get("frontier_count"):
        lines.append((f"{several(int(said['frontier_count']), 'thing')} not listed.", "yellow"))
    if said.get("coverage") is not None:
        lines.append((f"Coverage {said['coverage']:.0%}: how fully the records say what came from what.", "dim"))
    if answer.get("sequence") is not None:
        lines.append((f"As of ledger entry {answer['sequence']}.", "dim"))
    return lines


def _hidden(count: object) -> str:
    return (
        f"{several(count, 'thing')} that you may not see are left out"
        if isinstance(count, int) and count
        else "things that you may not see are left out"
    )


def cut(items: list[Any], most: int) -> tuple[list[Any], list[Line]]:
    """The first `most` of a list, and a line about the rest."""
    rest = len(items) - most
    return items[:most], [(f"    … and {rest:,} more; --json lists all", "dim")] if rest > 0 else []


def answer_each(
    identifiers: list[str], as_json: bool, ask: Callable[[str], dict[str, Any]], report: Callable[[Answer], Iterable[Line]]
) -> None:
    """Ask about every identifier, and only then print: one JSON object for one, a list for several; or readable reports."""
    answers = [ask(identifier) for identifier in identifiers]
    if as_json:
        show_json(answers[0] if len(answers) == 1 else answers)
        return
    for position, answer in enumerate(answers):
        if position:
            show([""])
        show(report(answer))
