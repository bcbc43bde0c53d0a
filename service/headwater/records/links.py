"""Reading the steps of lineage out of a record: which thing led to which, in what role, on what evidence.

Which properties are steps, which end is the earlier one and which role a plain property stands for is said in
`ontology/roles.ttl`.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from pyoxigraph import Literal, NamedNode, Triple

from headwater.terms.names import DCAT, DCTERMS, HW, PROV, RDF, SCHEMA, curie
from headwater.terms.vocabulary import Vocabulary, vocabulary

_PINNING = {
    HW.digest.value,
    HW.version.value,
    PROV.specializationOf.value,
    PROV.wasGeneratedBy.value,
    DCAT.version.value,
    SCHEMA.version.value,
    DCTERMS.hasVersion.value,
    "http://purl.org/pav/version",
    "http://spdx.org/rdf/terms#checksum",
}
_STARTS = (PROV.startedAtTime.value, PROV.generatedAtTime.value)
_ENDS = (PROV.endedAtTime.value, PROV.invalidatedAtTime.value)
_REVISION = PROV.wasRevisionOf.value
_SLICE_WORDS = (
    ("files", HW.file),
    ("digests", HW.fileDigest),
    ("ids", HW.member),
    ("columns", HW.column),
    ("labels", HW.labelClass),
    ("after", HW.after),
    ("before", HW.before),
    ("first_run", HW.firstRun),
    ("last_run", HW.lastRun),
)
_BOUNDS = {"after": min, "before": max, "first_run": min, "last_run": max}
_WHOLE_NUMBER = re.compile(r"[+-]?\d{1,18}")

_TYPE = RDF.type.value
_DETAILS = {PROV.hadRole.value, HW.evidence.value, HW.slice.value} | {predicate.value for _, predicate in _SLICE_WORDS}


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One step of lineage from the earlier to the later thing. `slice` is JSON in a fixed order, or empty for the whole."""

    earlier: str
    later: str
    relation: str
    role: str
    evidence: str
    slice: str = ""


@dataclass(frozen=True, slots=True)
class NodeRow:
    """What a record says of a thing that lineage needs: its kind (`part` for details, empty if unsaid), and whether it is pinned.

    `start` is seconds since 1970 of when it began or was made, where known; `end` of when a run ended, so that all it made was
    there, or when a thing ceased to be. Of several times the widest span: the earliest start, the latest end.
    """

    iri: str
    kind: str
    pinned: bool
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, slots=True)
class LineageRows:
    """All that one record contributes to the lineage index."""

    links: list[LinkRow]
    nodes: list[NodeRow]


def lineage_rows(triples: Iterable[Triple], evidence: str, words: Vocabulary | None = None) -> LineageRows:
    """The rows of one record's statements (asserted and entailed). `evidence` counts where a link does not state its own.

    >>> run, data = NamedNode("urn:run"), NamedNode("urn:data")
    >>> lineage_rows([Triple(run, PROV.used, data)], "declared").links
    [LinkRow(earlier='urn:data', later='urn:run', relation='prov:used', role='use', evidence='declared', slice='')]
    """
    words = words or vocabulary()
    reading = _Reading(words, evidence)
    for triple in triples:
        reading.take(triple)
    return reading.rows()


class _Reading:
    def __init__(self, words: Vocabulary, evidence: str) -> None:
        self.words = words
        self.evidence = evidence
        self.kind_of = {kind.iri: kind for kind in words.kinds}
        self.detailing = _DETAILS | {form.through for form in words.qualified.values()}
        self.telling = {_TYPE, *words.links, *words.qualified, *_STARTS, *_ENDS, *_PINNING, _REVISION} | self.detailing
        self.plain: dict[tuple[str, str, str], None] = {}
        self.qualified: list[tuple[str, str, str]] = []
        self.details: dict[str, dict[str, list[NamedNode | Literal]]] = defaultdict(dict)
        self.kinds: dict[str, tuple[int, str]] = {}
        self.pinned: set[str] = set()
        self.starts: dict[str, float] = {}
        self.ends: dict[str, float] = {}

    def take(self, triple: Triple) -> None:
        subject, value = triple.subject, triple.object
        predicate = triple.predicate.value
        if predicate not in self.telling or not isinstance(subject, NamedNode):
            return
        name = subject.value
        if isinstance(value, NamedNode):
            if predicate == _TYPE:
                self._type(name, value.value)
            elif predicate in self.words.links:
                self.plain[name, predicate, value.value] = None
            elif predicate in self.words.qualified:
                self.qualified.append((name, predicate, value.value))
        elif isinstance(value, Literal) and (predicate in _STARTS or predicate in _ENDS):
            self._time(name, predicate, _seconds(value.value))
        if predicate in _PINNING:
            self.pinned.add(name)
        if predicate == _REVISION and isinstance(value, NamedNode):
            self.pinned.update((name, value.value))
        if predicate in self.detailing and isinstance(value, NamedNode | Literal):
            self.details[name].setdefault(predicate, []).append(value)

    def _time(self, name: str, predicate: str, moment: float | None) -> None:
        if moment is None:
            return
        if predicate in _STARTS:
            self.starts[name] = min(moment, self.starts.get(name, moment))
        else:
            self.ends[name] = max(moment, self.ends.get(name, moment))

    def _type(self, subject: str, cls: str) -> None:
        if cls == self.words.part_class:
            best = (0, "part")
        else:
            kind = self.kind_of.get(cls)
            if kind is None:
                return
            best = (kind.priority, kind.name)
        if best > self.kinds.get(subject, (-1, "")):
            self.kinds[subject] = best

    def rows(self) -> LineageRows:
        rows = [row for stated in self.qualified for row in self._qualified_rows(*stated)]
        found = {(row.earlier, row.later, row.relation): row for row in rows}
        for subject, predicate, value in self.plain:
            link = self.words.links[predicate]
            earlier, later = (value, subject) if link.flows_from == "object" else (subject, value)
            relation = curie(predicate)
            if relation == "prov:generated":
                relation = "prov:wasGeneratedBy"
            if (earlier, later, relation) not in found:
                row = LinkRow(earlier, later, relation, link.role, self.evidence)
                found[earlier, later, relation] = row
                rows.append(row)
        nodes = [
            NodeRow(iri, self.kinds.get(iri, (0, ""))[1], iri in self.pinned, self.starts.get(iri), self.ends.get(iri))
            for iri in {*self.kinds, *self.pinned, *self.starts, *self.ends}
        ]
        return LineageRows(sorted(dict.fromkeys(rows), key=_order), sorted(nodes, key=lambda node: node.iri))

    def _qualified_rows(self, subject: str, predicate: str, node: str) -> list[LinkRow]:
        """One row for each thing and each role that the relation's node states."""
        form = self.words.qualified[predicate]
        details = self.details.get(node, {})
        link = self.words.links.get(form.stands_for)
        if link is None:
            return []
        known = (self.words.role(v.value[len(HW) :]) for v in details.get(PROV.hadRole.value, []) if v.value.startswith(HW))
        roles = sorted({role.name for role in known if role is not None and role.stated}) or [link.role]
        words = {value.value.rpartition("#")[2] for value in details.get(HW.evidence.value, [])} & self.words.evidence.keys()
        # Who says two things of one link is believed the weaker one.
        evidence = min(words, key=self.words.evidence.__getitem__, default=self.evidence)
        part = self._slice(details.get(HW.slice.value, []))
        found = []
        for target in sorted({v.value for v in details.get(form.through, []) if isinstance(v, NamedNode)}):
            earlier, later = (target, subject) if link.flows_from == "object" else (subject, target)
            found += [LinkRow(earlier, later, curie(form.stands_for), role, evidence, part) for role in roles]
        return found

    def _slice(self, nodes: list[NamedNode | Literal]) -> str:
        """The slice that a link states. Of several nobody knows how they add up: that counts as the whole."""
        if len({node.value for node in nodes}) != 1:
            return ""
        return slice_json(self.details.get(nodes[0].value, {}))


def slice_json(details: dict[str, list[NamedNode | Literal]]) -> str:
    """A slice's properties as JSON with the words that `slice=` takes over HTTP, in a fixed order.

    What cannot be read (a run number that is none) is named as `unreadable`, so that nothing is said to be known of it.
    """
    found: dict[str, object] = {}
    unreadable = []
    for word, predicate in _SLICE_WORDS:
        values = sorted({value.value for value in details.get(predicate.value, [])})
        if not values:
            continue
        if word not in _BOUNDS:
            found[word] = values
            continue
        bounds = [(_integer(text) if word.endswith("run") else _seconds(text), text) for text in values]
        known = [(number, text) for number, text in bounds if number is not None]
        if len(known) < len(bounds):
            unreadable.append(word)
            continue
        # Of several bounds the widest, so that nothing is said to lie outside that may lie inside.
        number, text = _BOUNDS[word](known)
        found[word] = int(number) if word.endswith("run") else text
    if unreadable:
        found["unreadable"] = unreadable
    return json.dumps(found, sort_keys=True, separators=(",", ":"))


def _integer(text: str) -> int | None:
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else None


def _order(row: LinkRow) -> tuple[str, ...]:
    return row.earlier, row.later, row.relation, row.role, row.evidence, row.slice


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()
