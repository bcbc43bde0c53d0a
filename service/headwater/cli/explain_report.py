"""The answer to "why?" as a person reads it: the sentence, the paths step by step, and how much the verdict hangs on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from headwater.cli.answers import Answer, label, name
from headwater.cli.printing import Line, number, several
from headwater.terms.justifications import because, settled_by
from headwater.terms.names import curie
from headwater.terms.vocabulary import vocabulary

MOST_STEPS: Final = 30
"""Steps of a path that are printed; of a longer one the two ends."""
_MOST_LINKS: Final = 12
_STYLES: Final = {"affected": "bold red", "cannot_tell": "bold yellow", "in_triage": "bold yellow", "resolved": "bold green"}
_REASONS: Final = {
    "k": "There are more ways than are shown (-k N shows more).",
    "too_many_links": "There are more links between the two than could be looked at; the ways shown are real.",
    "min_evidence": "Links with weaker evidence than --min-evidence were left out.",
    "undated": "Of some things on the ways it is not known whether they were there at that time.",
    "undescribed": "Some things on the ways are only named by others and not described themselves.",
}


def explain_lines(answer: Answer) -> Iterator[Line]:
    """The report, line by line."""
    state = (answer["nodes"].get(answer["to"]) or {}).get("state")
    yield str(answer["sentence"]), _STYLES.get(str(state), "bold")
    for path in answer["paths"]:
        if path["hops"]:
            yield "", ""
            title = f"Way {path['rank']}" if len(answer["paths"]) > 1 else "The way"
            yield f"{title}: {several(len(path['hops']), 'step')}, cost {number(path['cost'])}", "bold"
            yield from _chain(answer, path)
    yield from _blocks(answer)
    yield from _doubts(answer)
    if answer.get("mended") and answer["mended"]["hops"]:
        yield "", ""
        yield f"How it was mended, by {name(answer, answer['mended']['by'])}", "bold"
        yield from _chain(answer, answer["mended"])
    yield from _cut(answer)
    yield "", ""
    yield from _completeness(answer)


def _chain(answer: Answer, path: Mapping[str, Any]) -> Iterator[Line]:
    hops = list(path["hops"])
    numbered = list(enumerate(hops, 1))
    yield f"  {name(answer, hops[0]['from'])}", ""
    left = len(hops) - MOST_STEPS
    for place, hop in numbered:
        if left > 0 and MOST_STEPS // 2 < place <= len(hops) - MOST_STEPS // 2:
            if place == MOST_STEPS // 2 + 1:
                yield f"   … {several(left, 'step')}; --json lists all", "dim"
            continue
        yield f"   └─ {_down(hop['role'])} {name(answer, hop['to'])}{_became(hop)}", ""
        weak = "; the weakest link" if place == path["weakest"] and len(hops) > 1 else ""
        yield f"      {_grounds(answer, hop)}{weak}", "yellow" if weak else "dim"
        if hop.get("doubt"):
            yield f"      not certain: {because(hop['doubt'])}", "yellow"


def _became(hop: Mapping[str, Any]) -> str:
    before, after = hop.get("effect_before"), hop.get("effect_after")
    if after is None:
        return ""
    change = f"stays {_effect(after)}" if before == after else f"{_effect(before)} becomes {_effect(after)}"
    return f": {change}, because {because(str(hop['because']))}"


def _grounds(answer: Answer, hop: Mapping[str, Any]) -> str:
    parts = [str(hop["evidence"])]
    if hop.get("at"):
        parts.append(str(hop["at"])[:10])
    if not hop.get("pinned", True):
        parts.append("not pinned to a version")
    if hop.get("rests_on"):
        parts.append("follows from " + " and ".join(label(answer, link["from"]) for link in hop["rests_on"]))
    text = ", ".join(parts) + f", {_record(answer, hop.get('record'))}"
    others = int(hop.get("others_count") or 0)
    return text + (f" and {several(others, 'more record')}" if others else "")


def _record(answer: Answer, iri: object) -> str:
    if not iri:
        return "no record"
    told = answer["records"].get(str(iri)) or {}
    return f'record "{told["title"]}"' if told.get("title") else f"record {curie(str(iri))}"


def _blocks(answer: Answer) -> Iterator[Line]:
    blocks = answer.get("blocks") or {"total": 0, "links": []}
    if not blocks["total"]:
        return
    yield "", ""
    yield f"What held it up ({blocks['total']:,})", "bold"
    for hop in blocks["links"]:
        yield f"  ○ {name(answer, hop['from'])} {_down(hop['role'])} {name(answer, hop['to'])}{_became(hop)}", ""
    if blocks["total"] > len(blocks["links"]):
        yield f"    … and {blocks['total'] - len(blocks['links']):,} more further away", "dim"


def _doubts(answer: Answer) -> Iterator[Line]:
    if not answer.get("doubts"):
        return
    yield "", ""
    yield "What would settle it", "bold"
    for hop in answer["doubts"]:
        yield f"  ? {name(answer, hop['from'])} {_down(hop['role'])} {name(answer, hop['to'])}: {because(hop['doubt'])}.", ""
        if settled_by(hop["doubt"]):
            yield f"      {settled_by(hop['doubt'])}", "dim"


def _cut(answer: Answer) -> Iterator[Line]:
    cut = answer.get("cut")
    if not cut or not cut["size"]:
        return
    yield "", ""
    links: Sequence[Mapping[str, Any]] = cut["each"] or cut["links"]
    if len(cut["each"]) > 1:
        when = f"any one of these {len(links)} links is wrong"
    elif cut["size"] == 1:
        when = "this one link is wrong"
    else:
        when = f"all of these {cut['size']} links are wrong"
    then = f"the verdict becomes '{cut['then'].replace('_', ' ')}'" if cut["then"] else "it no longer holds"
    yield f"If {when}, {then}", "bold"
    for link in links[:_MOST_LINKS]:
        words = f"{name(answer, link['from'])} {_down(link['role'])} {name(answer, link['to'])}"
        yield f"  · {words} ({link['evidence']}, {_record(answer, link['record'])})", ""
    if len(links) > _MOST_LINKS:
        yield f"    … and {len(links) - _MOST_LINKS:,} more; --json lists all", "dim"
    if not cut["exact"]:
        yield f"  A smaller set, of at least {cut['at_least']}, was not ruled out.", "yellow"
    records = cut["records"]
    told = ", ".join(_record(answer, one) for one in records["records"][:5])
    yield f"  {several(records['size'], 'record')} would have to be wrong: {told}.", "dim"


def _completeness(answer: Answer) -> Iterator[Line]:
    said = answer["completeness"]
    if said["complete"]:
        yield "These are all the ways, as far as the records go.", "dim"
    for reason in said["reasons"]:
        if reason == "hidden":
            count = said["hidden_count"]
            more = f" ({several(count, 'thing')} on it)" if count else ""
            yield f"There is a further way that you may not see{more}.", "yellow"
        else:
            yield _REASONS.get(reason, reason.replace("_", " ")), "yellow"
    yield f"Coverage {said['coverage']:.0%}: how fully the records say what came from what.", "dim"
    yield f"As of ledger entry {answer['sequence']}.", "dim"


def _down(role: object) -> str:
    found = vocabulary().role(str(role))
    return found.label_down if found is not None else str(role)


def _effect(effect: object) -> str:
    return next((known.label for known in vocabulary().effects if known.name == effect), str(effect))
