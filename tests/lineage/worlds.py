"""Small worlds for the tests of lineage: Turtle as a stranger writes it, read the way an import reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyoxigraph import RdfFormat, Triple, parse

from headwater.lineage.graph import Limits, LineageGraph
from headwater.lineage.index import LineageIndex
from headwater.lineage.verdict import SEVERITIES, STATES, Change, Verdicts, judge
from headwater.records.draft import Draft
from headwater.records.links import LineageRows
from headwater.records.record import RecordMaker
from headwater.terms.minting import Mint

EX = "https://lab.example/"
PREFIXES = f"""
@prefix : <{EX}> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix fair4ml: <https://w3id.org/fair4ml#> .
@prefix hw: <https://w3id.org/headwater/terms#> .
@prefix mls: <http://www.w3.org/ns/mls#> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
_MAKER = RecordMaker(Mint("https://data.example/"))


@dataclass(frozen=True)
class Said:
    """What the engine says of one thing."""

    state: str
    severity: str
    effect: str
    justification: str

    def __repr__(self) -> str:
        return f"{self.state} {self.severity} {self.effect} {self.justification}"


def rows(turtle: str, record: str = "urn:record:1", evidence: str = "declared") -> LineageRows:
    """What one document contributes to the index, by the way of every import: normalised, entailed, read."""
    triples = [
        Triple(quad.subject, quad.predicate, quad.object) for quad in parse((PREFIXES + turtle).encode(), format=RdfFormat.TURTLE)
    ]
    return _MAKER.make(Draft(record, "a.ttl", "a", triples), "public", "rdf", "1", evidence).lineage


class World:
    """A lineage graph made from documents; things are called by their local names."""

    def __init__(self, *documents: str, evidence: str = "declared") -> None:
        self.index = LineageIndex()
        for number, document in enumerate(documents, 1):
            record = f"urn:record:{number}"
            self.index.put(record, "public", rows(document, record, evidence))

    @property
    def graph(self) -> LineageGraph:
        return self.index.graph()

    def id(self, name: str) -> int:
        found = self.graph.find(EX + name)
        assert found is not None, f"{name} takes no part in this lineage"
        return found

    def name(self, node: int) -> str:
        return self.graph.iris[node].removeprefix(EX)

    def change(self, kind: str, *objects: str, mended: Sequence[str] = (), slice: str = "") -> Change:
        return Change(kind, tuple(self.id(one) for one in objects), tuple(self.id(one) for one in mended), slice)

    def judged(self, kind: str, *objects: str, limits: Limits | None = None, **more: Any) -> Verdicts:
        return judge(self.graph, self.change(kind, *objects, **more), limits)

    def said(self, verdicts: Verdicts, name: str) -> Said | None:
        """The verdict on a thing; None where the change does not lead to it at all."""
        here = [place for place, node in enumerate(verdicts.nodes) if node == self.id(name)]
        if not here:
            return None
        return Said(
            STATES[int(verdicts.state[here[0]])],
            SEVERITIES[int(verdicts.severity[here[0]])],
            verdicts.book.effects[int(verdicts.effect[here[0]])].name,
            verdicts.justification(self.id(name)),
        )

    def state(self, verdicts: Verdicts, name: str) -> str:
        """The state of a thing; what is not reached is not affected."""
        said = self.said(verdicts, name)
        return "not_affected" if said is None else said.state

    def reached(self, name: str, direction: str = "downstream", limits: Limits | None = None) -> dict[str, int]:
        """What a traversal meets besides its start, with the distances."""
        reach = getattr(self.graph, direction)([self.id(name)], limits)
        found = {self.name(node): int(far) for node, far in zip(reach.nodes.tolist(), reach.distance.tolist(), strict=True)}
        found.pop(name)
        return found


def used(thing: str, role: str, evidence: str = "observed", slice: str = "") -> str:
    """A use with a role, as DESIGN section 4 writes it; to stand after a run."""
    part = f" ; hw:slice [ {slice} ]" if slice else ""
    return (
        f"prov:used {thing} ; "
        f"prov:qualifiedUsage [ a prov:Usage ; prov:entity {thing} ; prov:hadRole hw:{role} ; hw:evidence hw:{evidence}{part} ]"
    )


def story(role: str, evidence: str = "observed", slice: str = "") -> str:
    """Data that a training run used in `role`, and what came of it: model, fine-tuned model, predictions, release, papers."""
    return f"""
    :data a hw:Dataset ; hw:version "1" .
    :other a hw:Dataset ; hw:version "1" .
    :run a hw:Run ; {used(":data", role, evidence, slice)} ; {used(":other", "train")} .
    :model a hw:Model ; prov:wasGeneratedBy :run .
    :asking a hw:Run ; {used(":model", "predict")} .
    :predictions a hw:Dataset ; prov:wasGeneratedBy :asking .
    :adapting a hw:Run ; {used(":model", "finetune")} .
    :adapted a hw:Model ; prov:wasGeneratedBy :adapting .
    :release a hw:Deployment ; hw:deploys :model .
    :paper a hw:Publication ; hw:documents :model .
    :report a hw:Publication ; hw:documents :run .
    :review a hw:Publication ; hw:cites :paper .
    """
