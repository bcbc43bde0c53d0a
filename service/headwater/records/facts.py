"""Writing down facts in Headwater's model: things, uses with their roles, what was made, settings and measures.

Importers speak in these sentences instead of in triples, so that the modelling stands in one place. In RDF a use with a role
is a PROV qualified usage with the plain `prov:used` beside it (DESIGN section 4); settings and measures are ML-Schema's.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal as OneOf

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from headwater.terms.minting import Mint, short_hash, slug
from headwater.terms.names import DCTERMS, FOAF, HW, MLS, PROV, RDF, RDFS, XSD

Evidence = OneOf["observed", "declared", "asserted", "inferred", "expanded"]

# ML-Schema's class where there is one: the bridge entails Headwater's, PROV's and MEX's from it, not the other way round.
_KIND_CLASS = {
    "dataset": MLS.Dataset,
    "model": MLS.Model,
    "run": MLS.Run,
    "workflow": HW.Workflow,
    "software": MLS.Software,
    "environment": HW.Environment,
    "publication": HW.Publication,
    "instrument": HW.Instrument,
    "project": HW.Project,
    "agent": PROV.Agent,
    "deployment": HW.Deployment,
}
_MAX_SERIES = 1000
"""Points of a metric's history that are kept in the graph; a longer one is thinned evenly and the report says so."""


def when(milliseconds: float) -> Literal:
    """Milliseconds since 1970 (UTC) as `xsd:dateTime`.

    >>> when(1759334522787)
    <Literal value=2025-10-01T16:02:02.787Z datatype=<NamedNode value=http://www.w3.org/2001/XMLSchema#dateTime>>
    """
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    text = moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    return Literal(text.replace("+00:00", "Z"), datatype=XSD.dateTime)


class Facts:
    """Collects the triples of one record.

    >>> facts = Facts(Mint("https://data.example/"))
    >>> run = facts.thing("run", "r1", label="first try")
    >>> data = facts.thing("dataset", "digits-v1", label="digits, first labels")
    >>> facts.used(run, data, role="train")
    >>> sorted({t.predicate.value.rpartition("#")[2] for t in facts.triples})
    ['entity', 'hadRole', 'label', 'qualifiedUsage', 'type', 'used']
    """

    def __init__(self, mint: Mint) -> None:
        self.mint = mint
        self._triples: dict[Triple, None] = {}

    @property
    def triples(self) -> list[Triple]:
        """What was said so far, each statement once, in the order said."""
        return list(self._triples)

    def say(self, subject: NamedNode | BlankNode, predicate: NamedNode, value: NamedNode | BlankNode | Literal) -> None:
        """State one triple as it is."""
        self._triples[Triple(subject, predicate, value)] = None

    def thing(self, kind: str, key: str, *, label: str | None = None, iri: str | None = None) -> NamedNode:
        """A digital object of one of the kinds of DESIGN section 4, named `{base}id/{kind}/{key}` unless `iri` is given."""
        node = NamedNode(iri or self.mint.thing(kind, key))
        self.say(node, RDF.type, _KIND_CLASS[kind])
        if label:
            self.say(node, RDFS.label, Literal(label))
        return node

    def text(self, subject: NamedNode, predicate: NamedNode, value: str | None) -> None:
        """A plain string, where there is one."""
        if value:
            self.say(subject, predicate, Literal(value))

    def identifier(self, subject: NamedNode, identifier: str) -> None:
        """An external identifier with its scheme: `mlflow:RUNID`, `doi:10.…`, `swhid:…`, `git:COMMIT`."""
        self.say(subject, DCTERMS.identifier, Literal(identifier))

    def digest(self, subject: NamedNode, algorithm: str, value: str) -> None:
        """A content digest, which pins the thing: `sha256:…`, `md5:…`, `mlflow:…` (MLflow's eight characters)."""
        self.say(subject, HW.digest, Literal(f"{algorithm}:{value}"))

    def version(self, subject: NamedNode, version: str) -> None:
        self.say(subject, HW.version, Literal(version))

    def used(
        self,
        run: NamedNode,
        thing: NamedNode,
        *,
        role: str | None = None,
        evidence: Evidence | None = None,
        at: Literal | None = None,
    ) -> None:
        """`run` used `thing`, in a role of `ontology/roles.ttl`; without a role only the plain link is stated."""
        self.say(run, PROV.used, thing)
        if role is None and evidence is None and at is None:
            return
        usage = part(run, f"usage-{short_hash(thing.value, role or '')}")
        self.say(run, PROV.qualifiedUsage, usage)
        self.say(usage, RDF.type, PROV.Usage)
        self.say(usage, PROV.entity, thing)
        if role is not None:
            self.say(usage, PROV.hadRole, HW[role])
        if evidence is not None:
            self.say(usage, HW.evidence, HW[evidence])
        if at is not None:
            self.say(usage, PROV.atTime, at)

    def generated(self, run: NamedNode, thing: NamedNode, *, at: Literal | None = None) -> None:
        """`run` made `thing`."""
        self.say(thing, PROV.wasGeneratedBy, run)
        if at is not None:
            self.say(thing, PROV.generatedAtTime, at)

    def span(self, run: NamedNode, start: Literal | None, end: Literal | None) -> None:
        """When a run began and ended, as far as known."""
        if start is not None:
            self.say(run, PROV.startedAtTime, start)
        if end is not None:
            self.say(run, PROV.endedAtTime, end)

    def energy(self, run: NamedNode, kilowatt_hours: float) -> None:
        """The electric energy that the run used, in kilowatt hours."""
        self.say(run, HW.energy, number(kilowatt_hours))

    def status(self, run: NamedNode, status: OneOf["finished", "failed", "running", "killed", "scheduled"]) -> None:
        """How the run ended; failed runs are objects too."""
        self.say(run, HW.status, Literal(status))

    def agent(self, run: NamedNode, key: str, name: str) -> NamedNode:
        """Somebody (a user name is enough) who is responsible for the run."""
        person = self.thing("agent", key, label=name)
        self.say(person, FOAF.name, Literal(name))
        self.say(run, PROV.wasAssociatedWith, person)
        return person

    def setting(self, run: NamedNode, name: str, value: str) -> None:
        """A hyperparameter and the value it had in this run (`mls:HyperParameterSetting`)."""
        node = part(run, f"setting-{slug(name)}")
        parameter = NamedNode(self.mint.thing("parameter", slug(name)))
        self.say(run, MLS.hasInput, node)
        self.say(node, RDF.type, MLS.HyperParameterSetting)
        self.say(node, MLS.specifiedBy, parameter)
        self.say(node, MLS.hasValue, Literal(value))
        self.say(parameter, RDF.type, MLS.HyperParameter)
        self.say(parameter, RDFS.label, Literal(name))

    def measure(
        self,
        run: NamedNode,
        name: str,
        value: float,
        *,
        step: int | None = None,
        at: Literal | None = None,
        series: Sequence[tuple[int, float, int]] = (),
        about: Iterable[NamedNode] = (),
        on: NamedNode | None = None,
        key: str | None = None,
    ) -> int:
        """A metric's last value (`mls:ModelEvaluation`), with the history where it has more than one point.

        `series` is `(step, value, milliseconds)` in order; `about` the models that the value speaks of; `on` the data set
        it was measured on. `key` tells values of one name apart within a run (accuracy of two models, or on two data sets); it is
        the name where there is one value. Returns how many points of the history were thinned out.
        """
        node = part(run, f"measure-{slug(key or name)}")
        kind = NamedNode(self.mint.thing("measure", slug(name)))
        self.say(run, MLS.hasOutput, node)
        self.say(node, RDF.type, MLS.ModelEvaluation)
        self.say(node, MLS.specifiedBy, kind)
        self.say(node, MLS.hasValue, number(value))
        self.say(kind, RDF.type, MLS.EvaluationMeasure)
        self.say(kind, RDFS.label, Literal(name))
        if step is not None:
            self.say(node, HW.step, Literal(step))
        if at is not None:
            self.say(node, PROV.generatedAtTime, at)
        for model in about:
            self.say(node, HW.evaluates, model)
        if on is not None:
            self.say(node, HW.measuredOn, on)
        if len(series) < 2:
            return 0
        kept = series
        if len(series) > _MAX_SERIES:
            stride = (len(series) - 1) / (_MAX_SERIES - 1)
            kept = [series[round(i * stride)] for i in range(_MAX_SERIES)]
        points = [[s, v if math.isfinite(v) else str(v), t] for s, v, t in kept]
        self.say(node, HW.series, Literal(json.dumps(points, separators=(",", ":")), datatype=RDF.JSON))
        self.say(node, HW.points, Literal(len(series)))
        return len(series) - len(kept)


def part(of: NamedNode, name: str) -> NamedNode:
    """The name of a detail of a thing: a fragment of the thing's own, also where that has a fragment already.

    >>> part(NamedNode("urn:run"), "setting-lr").value, part(NamedNode("urn:crate#run"), "setting-lr").value
    ('urn:run#setting-lr', 'urn:crate#run-setting-lr')
    """
    return NamedNode(f"{of.value}{'-' if '#' in of.value else '#'}{name}")


def number(value: float) -> Literal:
    """A double as `xsd:double` in XSD's spelling, also for infinities and NaN.

    >>> number(float("inf")).value, number(0.93).value
    ('INF', '0.93')
    """
    if math.isnan(value):
        return Literal("NaN", datatype=XSD.double)
    if math.isinf(value):
        return Literal("INF" if value > 0 else "-INF", datatype=XSD.double)
    return Literal(repr(value), datatype=XSD.double)
