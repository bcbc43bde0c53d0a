"""An explanation in one sentence, in English or German, from the best way and the labels of the ontology."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from pyoxigraph import NamedNode

from headwater.terms.justifications import because, settled_by
from headwater.terms.names import HW
from headwater.terms.vocabulary import ontology_files, vocabulary

MOST_STEPS: Final = 6
"""Steps that a sentence goes through; of a longer way it tells the two ends."""
_WORDS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "affected": "{thing} is affected ({severity}){way}.",
        "affected?": "{thing} would be affected ({severity}){way}.",
        "cannot_tell": "Whether {thing} is affected cannot be told, because {because}{way}.",
        "cannot_tell?": "Whether {thing} would be affected cannot be told, because {because}{way}.",
        "not_affected": "{thing} is not affected, because {because}{way}.",
        "not_affected?": "{thing} would not be affected, because {because}{way}.",
        "resolved": "{thing} was affected and is mended since by {successor}{way}.",
        "resolved?": "{thing} would be affected, and {successor} is mended already{way}.",
        "hidden": "Whether {thing} is affected cannot be told, because {because}.",
        "itself": "{thing} is what changed ({change}).",
        "unlinked": "Nothing that is recorded leads from {start} to {thing}.",
        "same": "{start} and {thing} are the same thing.",
        "linked": "{thing} goes back to {start}{way}.",
        "first": "it {up} {before}",
        "next": ", which {up} {before}",
        "left": ", which goes back over {count} more steps to {before}",
        "on": "{change} on {day}",
        "supposed": "supposed: {change}",
        "weakest": "weakest link: {evidence} in record {record}",
        "further": " There is a further way that you may not see.",
    },
    "de": {
        "affected": "{thing} ist betroffen ({severity}){way}.",
        "affected?": "{thing} wäre betroffen ({severity}){way}.",
        "cannot_tell": "Ob {thing} betroffen ist, lässt sich nicht sagen, weil {because}{way}.",
        "cannot_tell?": "Ob {thing} betroffen wäre, lässt sich nicht sagen, weil {because}{way}.",
        "not_affected": "{thing} ist nicht betroffen, weil {because}{way}.",
        "not_affected?": "{thing} wäre nicht betroffen, weil {because}{way}.",
        "resolved": "{thing} war betroffen und ist inzwischen berichtigt durch {successor}{way}.",
        "resolved?": "{thing} wäre betroffen, und {successor} ist schon berichtigt{way}.",
        "hidden": "Ob {thing} betroffen ist, lässt sich nicht sagen, weil {because}.",
        "itself": "{thing} ist das, was sich änderte ({change}).",
        "unlinked": "Nichts Aufgezeichnetes führt von {start} zu {thing}.",
        "same": "{start} und {thing} sind dasselbe.",
        "linked": "{thing} geht zurück auf {start}{way}.",
        "first": "{after} {up} {before}",
        "next": "; {after} {up} {before}",
        "left": "; {after} geht über {count} weitere Schritte zurück auf {before}",
        "on": "{change} am {day}",
        "supposed": "angenommen: {change}",
        "weakest": "schwächste Verbindung: {evidence} in Aufzeichnung {record}",
        "further": " Es gibt einen weiteren Weg, den Sie nicht sehen dürfen.",
    },
}
_SEVERITIES: Final[dict[str, dict[str, str]]] = {
    "en": {},
    "de": {"critical": "kritisch", "major": "schwer", "moderate": "mittel", "minor": "gering", "info": "zur Kenntnis"},
}


@dataclass(frozen=True, slots=True)
class Occasion:
    """What happened: the kind of change, the day where one is known, and whether it is only supposed."""

    kind: str
    day: str | None
    supposed: bool


def sentence(
    told: str,
    path: Sequence[Mapping[str, Any]],
    *,
    thing: str,
    start: str,
    names: Mapping[str, str],
    verdict: Mapping[str, Any],
    occasion: Occasion | None,
    weakest: Mapping[str, Any] | None,
    further: bool,
    language: str = "en",
) -> str:
    """The sentence. `told` says which: a state, or `itself unlinked same linked hidden`.

    `path` holds the hops of an answer, `names` what to call each thing and record, `verdict` the thing's state and reasons.
    """
    words = _WORDS[language]
    change = None if occasion is None else _change(occasion, language)
    form = f"{told}?" if occasion is not None and occasion.supposed and f"{told}?" in words else told
    way = _way(path, names, words, language) if path else ""
    notes = [change] if change is not None and path else []
    if weakest is not None:
        record = str(weakest.get("record"))
        notes.append(
            words["weakest"].format(evidence=_term(HW[str(weakest["evidence"])], language), record=names.get(record, record))
        )
    way += f" ({'; '.join(notes)})" if notes else ""
    code = str(verdict.get("justification") or "not-certain")
    text = words[form].format(
        thing=names[thing],
        start=names.get(start, start),
        way=way,
        change=change,
        because=because(code, language),
        severity=_SEVERITIES[language].get(str(verdict.get("severity")), verdict.get("severity")),
        successor=names.get(str(verdict.get("resolved_by")), str(verdict.get("resolved_by"))),
    )
    if told in ("cannot_tell", "hidden") and settled_by(code, language):
        text += f" {settled_by(code, language)}"
    return text + (words["further"] if further else "")


def _way(path: Sequence[Mapping[str, Any]], names: Mapping[str, str], words: Mapping[str, str], language: str) -> str:
    """The way from its end back to its start."""
    hops = list(reversed(path))
    left = len(hops) - MOST_STEPS
    if left > 0:
        hops = hops[:MOST_STEPS]
    parts = []
    for number, hop in enumerate(hops):
        parts.append(
            words["next" if number else "first"].format(
                after=names[hop["to"]], up=_up(str(hop["role"]), language), before=names[hop["from"]]
            )
        )
    if left > 0:
        parts.append(words["left"].format(after=names[hops[-1]["from"]], count=left, before=names[path[0]["from"]]))
    return f": {''.join(parts)}"


def _change(occasion: Occasion, language: str) -> str:
    words = _WORDS[language]
    kind = vocabulary().changes.get(occasion.kind)
    text = _term(NamedNode(kind.iri), language) if kind is not None else occasion.kind
    text = words["on"].format(change=text, day=occasion.day) if occasion.day else text
    return words["supposed"].format(change=text) if occasion.supposed else text


@cache
def _up(role: str, language: str) -> str:
    return ontology_files().label(HW[role], HW.labelUp, language) or role


@cache
def _term(term: NamedNode, language: str) -> str:
    return ontology_files().label(term, language=language) or term.value.rpartition("#")[2]


def kind_words(kind: str, language: str) -> str:
    """The word for a kind of thing.

    >>> kind_words("dataset", "de"), kind_words("entity", "en")
    ('Datensatz', 'entity')
    """
    known = next((one for one in vocabulary().kinds if one.name == kind), None)
    return _term(NamedNode(known.iri), language) if known is not None else kind
