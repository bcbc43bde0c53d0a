"""Why a verdict is what it is, or by which ways one thing rests on another, for one reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from headwater.access import Reader
from headwater.app.answering import HARMLESS, Answerer
from headwater.app.describing import Describer
from headwater.app.naming import Names
from headwater.app.notices import known
from headwater.app.sight import Sight
from headwater.app.telling import Occasion, kind_words, sentence
from headwater.errors import BadParameter
from headwater.lineage.answer import Setting
from headwater.lineage.asking import Traversal
from headwater.lineage.explained import Hidden, explained, hidden_from
from headwater.lineage.explaining import Explanation, explain_link, explain_verdict
from headwater.lineage.families import versions_of
from headwater.lineage.graph import Limits, LineageGraph
from headwater.lineage.verdict import STATES, Change, Verdicts, judge
from headwater.questions.catalogue import Question
from headwater.questions.hops import StatedHop, hops_query

Words = dict[str, Any]
MOST_PATHS = 50


@dataclass(frozen=True, slots=True)
class Wanted:
    """A checked question: `root` is a change or a thing, `to` the thing to be explained.

    `not_yet` where the change had not happened at the time that is asked about.
    """

    root: str
    to: str
    change: Change | None
    occasion: Occasion | None
    k: int
    asked: Traversal
    direction: str | None
    language: str
    not_yet: bool = False


class Explainer:
    """Puts explanations together from the reader's own graph; the whole graph only serves to count what he may not see."""

    def __init__(self, names: Names, describer: Describer, answerer: Answerer, template: Question, longest: int) -> None:
        self._names = names
        self._describer = describer
        self._answerer = answerer
        self._template = template
        self._longest = longest

    def explain(self, wanted: Wanted, sight: Sight, reader: Reader, sequence: int) -> Words:
        """The answer to a checked question."""
        end = known(wanted.to, sight.lineage)
        setting = self._answerer.setting(sight, sequence)
        if wanted.change is None:
            body = self._link(wanted, sight, known(wanted.root, sight.lineage), end, setting)
        else:
            body = self._verdict(wanted, wanted.change, sight, end, setting)
        if wanted.not_yet:
            for words in body["nodes"].values():
                words["justification"] = "not-yet"
        body["records"] = {
            note.iri: {
                "title": note.title,
                "importer": note.importer,
                "written_at": note.written_at,
                "written_by": note.written_by,
                "visibility": note.visibility,
            }
            for note in self._describer.records(_records(body), reader)
        }
        body["sentence"] = self._sentence(wanted, body, sight)
        # What was known once need not stand in the store any more.
        there = body["paths"] and sight.known_at is None
        body["sparql"] = hops_query(self._template, _stated(body), self._longest) if there else None
        return body

    # --- a verdict

    def _verdict(self, wanted: Wanted, change: Change, sight: Sight, end: int, setting: Setting) -> Words:
        graph, limits = sight.lineage, wanted.asked.limits(sight.lineage.words)
        kind = change.kind
        if wanted.not_yet:
            change = replace(change, kind=HARMLESS)
        verdicts = judge(graph, change, limits)
        found = _explained(verdicts, end, wanted.k, limits)
        whole, hidden = None, Hidden()
        if sight.full is not graph:
            whole = judge(sight.full, change, limits)
            hidden = hidden_from(graph, found, _explained(whole, end, 1, limits, brief=True))
        weaker: tuple[str, ...] = ()
        if limits.min_evidence:
            every = _explained(judge(graph, change), end, 1, Limits(), brief=True)
            weaker = _weaker(found, every)
        shown = None if found is None or _withheld(verdicts, whole, end) else found
        return explained(
            graph,
            shown,
            verdicts,
            setting,
            root=wanted.root,
            end=end,
            query=_echo(wanted) | {"change": kind, "slice": change.slice or None},
            hidden=hidden,
            whole=whole,
            reasons=weaker,
        )

    # --- two things

    def _link(self, wanted: Wanted, sight: Sight, start: int, end: int, setting: Setting) -> Words:
        graph, limits = sight.lineage, wanted.asked.limits(sight.lineage.words)
        directions = [wanted.direction] if wanted.direction in ("upstream", "downstream") else ["downstream", "upstream"]
        found, taken = None, directions[0]
        for direction in directions if start != end else ():
            ends = (start, end) if direction == "downstream" else (end, start)
            own = _linked(graph, ends, wanted.k, limits)
            if own.paths:
                found, taken = own, direction
                break
        hidden = Hidden()
        ends = (start, end) if taken == "downstream" else (end, start)
        if sight.full is not graph and start != end:
            hidden = hidden_from(graph, found, _linked(sight.full, ends, 1, limits, brief=True))
        weaker = _weaker(found, _linked(graph, ends, 1, Limits(), brief=True)) if limits.min_evidence and start != end else ()
        query = _echo(wanted) | {"direction": taken, "change": None, "slice": None}
        return explained(graph, found, None, setting, root=wanted.root, end=end, query=query, hidden=hidden, reasons=weaker)

    # --- words

    def _sentence(self, wanted: Wanted, body: Words, sight: Sight) -> str:
        verdict = body["nodes"][body["to"]]
        path = body["paths"][0] if body["paths"] else None
        hops = path["hops"] if path is not None else []
        hops = [hop for hop in hops if hop["role"]]
        language = wanted.language
        told = verdict["state"]
        if wanted.change is None:
            told = "same" if wanted.root == body["to"] else "linked" if path is not None else "unlinked"
        elif told is None:
            told = "unlinked"
        elif verdict["justification"] == "hidden-path":
            told = "hidden"
        elif path is not None and not hops:
            told = "itself"
        weakest = hops[path["weakest"] - 1] if hops and path is not None and told in ("affected", "linked", "resolved") else None
        upstream = wanted.change is None and body["query"]["direction"] == "upstream"
        thing, start = (wanted.root, body["to"]) if upstream else (body["to"], wanted.root)
        iris = {thing, start, *(hop[end] for hop in hops for end in ("from", "to"))}
        if verdict.get("resolved_by"):
            iris.add(verdict["resolved_by"])
        text = sentence(
            told,
            hops,
            thing=thing,
            start=start,
            names=self._called(iris, body, sight, language),
            verdict=verdict,
            occasion=wanted.occasion,
            weakest=weakest,
            further="hidden" in body["completeness"]["reasons"] and told != "hidden",
            language=language,
        )
        return text[:1].upper() + text[1:]

    def _called(self, iris: set[str], body: Words, sight: Sight, language: str) -> dict[str, str]:
        """What a sentence calls things: their kind and label; records by their title."""
        labels = self._names.labels(list(iris), sight.graphs)
        names = {iri: f'"{record["title"]}"' for iri, record in body["records"].items() if record["title"]}
        for iri in iris:
            node = sight.lineage.find(iri)
            kind = sight.lineage.kind_name(node) if node is not None else "entity"
            names[iri] = labels[iri] if kind in ("entity", "part") else f"{kind_words(kind, language)} {labels[iri]}"
        return names


def _explained(verdicts: Verdicts, end: int, k: int, limits: Limits, *, brief: bool = False) -> Explanation | None:
    if int(verdicts.places[end]) < 0:
        return None
    return explain_verdict(verdicts, end, k, limits, brief=brief)


def _linked(graph: LineageGraph, ends: tuple[int, int], k: int, limits: Limits, *, brief: bool = False) -> Explanation:
    start, end = ends
    return explain_link(graph, [start, *(one for one in versions_of(start, graph) if one != end)], end, k, limits, brief=brief)


def _weaker(found: Explanation | None, every: Explanation | None) -> tuple[str, ...]:
    more = (every.arrows if every is not None else frozenset()) - (found.arrows if found is not None else frozenset())
    return ("min_evidence",) if more else ()


def _withheld(verdicts: Verdicts, whole: Verdicts | None, end: int) -> bool:
    """Whether the reader's own graph would comfort him where the whole does not."""
    if whole is None or int(whole.places[end]) < 0 or end in verdicts.seeds:
        return False
    here = int(verdicts.places[end])
    own = int(verdicts.state[here]) if here >= 0 else STATES.index("not_affected")
    all_seen = int(whole.state[whole.places[end]])
    return all_seen < own and own > STATES.index("cannot_tell")


def _echo(wanted: Wanted) -> Words:
    told = replace(wanted.asked, depth=None).echo()
    kept = ("direction", "roles", "stop_at", "min_evidence", "as_of", "known_at")
    return {"ask": "explain"} | {name: told[name] for name in kept} | {"k": wanted.k, "to": wanted.to}


def _stated(body: Words) -> Sequence[StatedHop]:
    """The stated links of all paths; of an implied hop what it rests on."""
    found = []
    for path in body["paths"]:
        for number, hop in enumerate(path["hops"], 1):
            for link in [hop] if hop["relation"] else hop["rests_on"]:
                found.append(
                    StatedHop(path["rank"], number, link["from"], link["to"], link["relation"], link["evidence"], link["record"])
                )
    return found


def _records(body: Words) -> list[str]:
    """The records that an answer names."""
    hops = [hop for path in [*body["paths"], *([body["mended"]] if body["mended"] else [])] for hop in path["hops"]]
    hops += body["blocks"]["links"] if body["blocks"] else []
    links = [link for hop in hops for link in (hop, *hop["others"], *hop["rests_on"])]
    if body["cut"]:
        links += [*body["cut"]["links"], *body["cut"]["each"]]
        links += [{"record": record} for record in body["cut"]["records"]["records"]]
    return list(dict.fromkeys(link["record"] for link in links if link["record"]))


def read_k(value: object) -> int:
    """How many paths are wanted. Raises `BadParameter` for anything but a whole number from 1 to 50."""
    try:
        k = int(str(value))
    except ValueError:
        k = 0
    if not 1 <= k <= MOST_PATHS or isinstance(value, float | bool):
        raise BadParameter(f"k must be a whole number from 1 to {MOST_PATHS}, not '{value}'", parameter="k")
    return k
