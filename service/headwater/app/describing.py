"""Gathering all that a reader may know of one object, from his views of the graph and the lineage around it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from pyoxigraph import Literal, NamedNode

from headwater.access import Reader
from headwater.app.naming import Names, tail
from headwater.ledger.ledger import Ledger
from headwater.lineage.graph import LineageGraph
from headwater.questions.description import Description, Fact, Link, Measure, RecordNote, Setting, Thing
from headwater.store.protocol import TripleStore
from headwater.terms.names import DCAT, DCTERMS, FOAF, HW, MLS, PROV, RDF, RDFS, SCHEMA, SKOS, curie
from headwater.terms.vocabulary import ontology_files

_TEXT = (DCTERMS.description, SCHEMA.description, SKOS.definition, RDFS.comment, DCTERMS.abstract)
_LICENCE = (DCTERMS.license, SCHEMA.license, DCTERMS.rights)
_ISSUED = (DCTERMS.issued, SCHEMA.datePublished, DCTERMS.created, PROV.generatedAtTime, SCHEMA.dateCreated)
_IDENTIFIERS = (DCTERMS.identifier, SCHEMA.identifier)
_CREATORS = (DCTERMS.creator, SCHEMA.creator, SCHEMA.author, PROV.wasAttributedTo, PROV.wasAssociatedWith, DCTERMS.contributor)
_PROJECTS = (DCTERMS.isPartOf, SCHEMA.isPartOf)
_VERSION = (HW.version, DCAT.version, SCHEMA.version)
_NAMES = (RDFS.label, SKOS.prefLabel, DCTERMS["title"], SCHEMA.name, FOAF.name)
_SHOWN_ELSEWHERE = {
    node.value
    for node in (
        *_TEXT, *_LICENCE, *_ISSUED, *_IDENTIFIERS, *_CREATORS, *_PROJECTS, *_VERSION, *_NAMES, HW.digest, HW.status,
        PROV.startedAtTime, PROV.endedAtTime, RDF.type, MLS.hasInput, MLS.hasOutput, PROV.used, PROV.generated,
        PROV.wasGeneratedBy, PROV.wasDerivedFrom, PROV.wasRevisionOf, PROV.specializationOf, PROV.alternateOf,
        PROV.qualifiedUsage, PROV.qualifiedGeneration, PROV.qualifiedDerivation, PROV.qualifiedAssociation,
        PROV.qualifiedAttribution, HW.deploys, HW.documents, HW.cites, HW.controls, HW.followedPlan, MLS.executes,
    )
}  # fmt: skip
_MOST_LINKS = 2_000
_MADE_BY_RUNS = ("model", "dataset")


class Describer:
    """Makes descriptions; what the reader may not see is neither in the graphs nor in the lineage that it reads."""

    def __init__(self, store: TripleStore, names: Names, ledger: Ledger) -> None:
        self._store = store
        self._names = names
        self._ledger = ledger

    def describe(self, iri: str, graph: LineageGraph, graphs: Sequence[NamedNode], reader: Reader) -> Description:
        """All that is known of `iri` within `graphs`."""
        triples = list(dict.fromkeys(self._store.about(NamedNode(iri), graphs)))
        self._store.expect([triple.object for triple in triples if isinstance(triple.object, NamedNode)], graphs)
        thing = self._names.thing(iri, graph, graphs)
        node = graph.find(iri)
        values: dict[str, list[NamedNode | Literal]] = defaultdict(list)
        for triple in triples:
            if isinstance(triple.object, NamedNode | Literal):
                values[triple.predicate.value].append(triple.object)
        found = Description(thing=thing, visibility=graph.visibility(node) if node is not None else "public", triples=triples)
        found.types = sorted(curie(value.value) for value in values[RDF.type.value])
        found.identifiers = _texts(values, _IDENTIFIERS)
        found.digests = _texts(values, (HW.digest,))
        found.version = _first(values, _VERSION)
        found.text = _first(values, _TEXT)
        found.licence = _first(values, _LICENCE)
        found.issued = _first(values, _ISSUED)
        found.started = _first(values, (PROV.startedAtTime,))
        found.ended = _first(values, (PROV.endedAtTime,))
        found.status = _first(values, (HW.status,))
        found.creators = self._things(values, _CREATORS, graph, graphs)
        found.projects = [
            project for project in self._things(values, _PROJECTS, graph, graphs) if project.kind in ("project", "entity", "run")
        ]
        found.facts = self._facts(values, graphs)
        if node is not None:
            self._links(found, node, graph, graphs)
            self._measured(found, node, graph, graphs)
            found.records = self.records(graph.records_about(node), reader)
        return found

    def _things(
        self,
        values: dict[str, list[NamedNode | Literal]],
        predicates: Sequence[NamedNode],
        graph: LineageGraph,
        graphs: Sequence[NamedNode],
    ) -> list[Thing]:
        iris = [value.value for name in predicates for value in values[name.value] if isinstance(value, NamedNode)]
        return [self._names.thing(iri, graph, graphs) for iri in dict.fromkeys(iris)]

    def _facts(self, values: dict[str, list[NamedNode | Literal]], graphs: Sequence[NamedNode]) -> list[Fact]:
        facts = []
        for predicate, found in sorted(values.items()):
            if predicate in _SHOWN_ELSEWHERE:
                continue
            label = ontology_files().label(NamedNode(predicate)) or tail(predicate)
            for value in found:
                if isinstance(value, NamedNode):
                    name = self._names.labels([value.value], graphs)[value.value]
                    facts.append(Fact(curie(predicate), label, name, iri=value.value))
                else:
                    facts.append(Fact(curie(predicate), label, value.value, language=value.language))
        return sorted(facts, key=lambda fact: (fact.label, fact.value))

    def _links(self, found: Description, node: int, graph: LineageGraph, graphs: Sequence[NamedNode]) -> None:
        for upwards in (True, False):
            side, far = (graph.up, graph.earlier) if upwards else (graph.down, graph.later)
            seen: set[tuple[int, str]] = set()
            for edge in side.edges_of(np.array([node], np.int32)).tolist():
                role = graph.words.roles[int(graph.role[edge])]
                other = int(far[edge])
                if (other, role.name) in seen:
                    continue
                seen.add((other, role.name))
                if len(seen) > _MOST_LINKS:
                    found.unlisted += 1
                    continue
                thing = self._names.things([other], graph, graphs)[0]
                if role.name == "revise":
                    (found.earlier if upwards else found.later).append(thing)
                elif role.name == "specialise":
                    (found.later if upwards else found.concepts).append(thing)
                elif role.name == "responsible" and upwards:
                    if thing not in found.creators:
                        found.creators.append(thing)
                else:
                    (found.up if upwards else found.down).append(_link(thing, edge, graph, upwards))
                    if found.thing.kind in _MADE_BY_RUNS and thing.kind == "run":
                        self._through(found, other, edge, graph, graphs, upwards)
        for links in (found.up, found.down):
            links.sort(key=lambda link: (link.phrase, link.thing.label, link.thing.iri))

    def _through(
        self, found: Description, run: int, first: int, graph: LineageGraph, graphs: Sequence[NamedNode], upwards: bool
    ) -> None:
        """What the run that made a thing used; or what a run made of it: the role is the one towards the run."""
        side, far = (graph.up, graph.earlier) if upwards else (graph.down, graph.later)
        made = graph.role_of["generate"]
        if upwards != (int(graph.role[first]) == made):
            return
        links = found.up if upwards else found.down
        for edge in side.edges_of(np.array([run], np.int32)).tolist():
            telling = edge if upwards else first
            if not graph.words.roles[int(graph.role[telling])].stated or (not upwards and int(graph.role[edge]) != made):
                continue
            if len(links) >= _MOST_LINKS:
                found.unlisted += 1
                continue
            thing = self._names.things([int(far[edge])], graph, graphs)[0]
            link = _link(thing, telling, graph, upwards)
            if link not in links:
                links.append(link)

    def _measured(self, found: Description, node: int, graph: LineageGraph, graphs: Sequence[NamedNode]) -> None:
        """Settings and measures of a run; for a model those of the run that made it, and what any run measured about it."""
        runs = [node] if found.thing.kind == "run" else []
        if found.thing.kind == "model":
            edges = graph.up.edges_of(np.array([node], np.int32))
            runs = sorted(set(graph.earlier[edges[graph.role[edges] == graph.role_of["generate"]]].tolist()))
        model = NamedNode(found.thing.iri)
        seen: set[str] = set()
        for run in runs:
            thing = self._names.things([run], graph, graphs)[0]
            for detail in self._details(graph.iris[run], graphs):
                seen.add(detail.value)
                self._detail(found, detail, thing, graph, graphs, about=model if found.thing.kind == "model" else None)
        for triple in self._store.about(model, graphs, as_object=True):
            if triple.predicate == HW.evaluates and isinstance(triple.subject, NamedNode) and triple.subject.value not in seen:
                seen.add(triple.subject.value)
                run_iri = triple.subject.value.partition("#")[0]
                self._detail(found, triple.subject, self._names.thing(run_iri, graph, graphs), graph, graphs, about=model)
        found.settings.sort(key=lambda setting: (setting.name, setting.run.label))
        found.measures.sort(key=lambda measure: (measure.name, measure.run.label))

    def _details(self, run: str, graphs: Sequence[NamedNode]) -> list[NamedNode]:
        found = {
            triple.object: None
            for triple in self._store.about(NamedNode(run), graphs)
            if triple.predicate in (MLS.hasInput, MLS.hasOutput) and isinstance(triple.object, NamedNode)
        }
        self._store.expect(found, graphs)
        return list(found)

    def _detail(
        self,
        found: Description,
        detail: NamedNode,
        run: Thing,
        graph: LineageGraph,
        graphs: Sequence[NamedNode],
        about: NamedNode | None,
    ) -> None:
        values: dict[NamedNode, list[NamedNode | Literal]] = defaultdict(list)
        for triple in dict.fromkeys(self._store.about(detail, graphs)):
            if isinstance(triple.object, NamedNode | Literal):
                values[triple.predicate].append(triple.object)
        specified, value = values.get(MLS.specifiedBy), values.get(MLS.hasValue)
        if not specified or not value:
            return
        name = self._names.labels([specified[0].value], graphs)[specified[0].value]
        types = values[RDF.type]
        if MLS.HyperParameterSetting in types:
            found.settings.append(Setting(name, value[0].value, run))
        elif MLS.ModelEvaluation in types:
            evaluated = values.get(HW.evaluates, [])
            if about is not None and evaluated and about not in evaluated:
                return
            measured_on = values.get(HW.measuredOn)
            step = values.get(HW.step)
            found.measures.append(
                Measure(
                    name=name,
                    value=_number(value[0].value),
                    run=run,
                    on=self._names.thing(measured_on[0].value, graph, graphs) if measured_on else None,
                    step=int(step[0].value) if step else None,
                )
            )

    def records(self, iris: list[str], reader: Reader) -> list[RecordNote]:
        """Where these records came from, as far as the reader may see them."""
        return [
            RecordNote(
                iri=iri,
                title=revision.title,
                source=revision.source,
                importer=f"{revision.importer} {revision.importer_version}",
                written_at=revision.written_at,
                written_by=revision.actor,
                visibility=revision.visibility,
            )
            for iri, revision in self._ledger.written(iris).items()
            if reader.sees(revision.visibility)
        ]


def _link(thing: Thing, edge: int, graph: LineageGraph, upwards: bool) -> Link:
    role = graph.words.roles[int(graph.role[edge])]
    return Link(
        thing=thing,
        relation=graph.relations[int(graph.relation[edge])],
        phrase=role.label_up if upwards else role.label_down,
        role=role.name if role.stated else None,
        evidence=graph.evidence_name(edge),
        record=graph.records[int(graph.record[edge])],
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _texts(values: dict[str, list[NamedNode | Literal]], predicates: Sequence[NamedNode]) -> list[str]:
    return sorted({value.value for name in predicates for value in values[name.value]})


def _first(values: dict[str, list[NamedNode | Literal]], predicates: Sequence[NamedNode]) -> str | None:
    for name in predicates:
        found = values[name.value]
        if found:
            english = [v.value for v in found if not isinstance(v, Literal) or v.language in (None, "en")]
            return min(english or [value.value for value in found])
    return None
