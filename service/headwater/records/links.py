"""Reading the steps of lineage out of a record: which thing led to which, in what role, on what evidence.

Which properties are steps, which end is the earlier one and which role a plain property stands for is said in
`ontology/roles.ttl`.
"""

from __future__ import annotations

import json
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

    `start` is seconds since 1970 of when it began or was made, where known.
    """

    iri: str
    kind: str
    pinned: bool
    start: float | None = None


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
        self.telling = {_TYPE, *words.links, *words.qualified, *_STARTS, *_PINNING, _REVISION} | self.detailing
        self.plain: dict[tuple[str, str, str], None] = {}
        self.qualified: list[tuple[str, str, str]] = []
        self.details: dict[str, dict[str, list[NamedNode | Literal]]] = defaultdict(dict)
        self.kinds: dict[str, tuple[int, str]] = {}
        self.pinned: set[str] = set()
        self.starts: dict[str, str] = {}

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
        elif isinstance(value, Literal) and predicate in _STARTS:
            self.starts[name] = value.value
        if predicate in _PINNING:
            self.pinned.add(name)
        if predicate == _REVISION and isinstance(value, NamedNode):
            self.pinned.update((name, value.value))
        if predicate in self.detailing and isinstance(value, NamedNode | Literal):
            self.details[name].setdefault(predicate, []).append(value)

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
        links = [self._qualified_row(*row) for row in self.qualified]
        found = {(row.earlier, row.later, row.relation): row for row in links if row is not None}
        rows = [row for row in links if row is not None]
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
            NodeRow(iri, self.kinds.get(iri, (0, ""))[1], iri in self.pinned, _seconds(self.starts.get(iri)))
            for iri in {*self.kinds, *self.pinned}
        ]
        return LineageRows(sorted(dict.fromkeys(rows), key=_order), sorted(nodes, key=lambda node: node.iri))

    def _qualified_row(self, subject: str, predicate: str, node: str) -> LinkRow | None:
        form = self.words.qualified[predicate]
        details = self.details.get(node, {})
        target = next((v for v in details.get(form.through, []) if isinstance(v, NamedNode)), None)
        link = self.words.links.get(form.stands_for)
        if target is None or link is None:
            return None
        role = link.role
        for value in details.get(PROV.hadRole.value, []):
            known = self.words.role(value.value.rpartition("#")[2]) if value.value.startswith(HW) else None
            if known is not None and known.stated:
                role = known.name
        stated = details.get(HW.evidence.value)
        evidence = stated[0].value.rpartition("#")[2] if stated else self.evidence
        if evidence not in self.words.evidence:
            evidence = self.evidence
        slices = details.get(HW.slice.value, [])
        earlier, later = (target.value, subject) if link.flows_from == "object" else (subject, target.value)
        return LinkRow(earlier, later, curie(form.stands_for), role, evidence, self._slice(slices))

    def _slice(self, nodes: list[NamedNode | Literal]) -> str:
        if not nodes:
            return ""
        return slice_json(self.details.get(nodes[0].value, {}))


def slice_json(details: dict[str, list[NamedNode | Literal]]) -> str:
    """A slice's properties as JSON with the words that `slice=` takes over HTTP, in a fixed order."""
    found: dict[str, object] = {}
    for word, predicate in _SLICE_WORDS:
        values = sorted(value.value for value in details.get(predicate.value, []))
        if not values:
            continue
        if word in ("after", "before"):
            found[word] = values[0]
        elif word in ("first_run", "last_run"):
            found[word] = int(values[0])
        else:
            found[word] = values
    return json.dumps(found, sort_keys=True, separators=(",", ":"))


def _order(row: LinkRow) -> tuple[str, str, str, str]:
    return row.earlier, row.later, row.relation, row.role


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
