"""The gate before every write: do the records contradict themselves, each other, or what is known of the things they refer to?

Records are checked in batches over a small overlay, which holds what they say and what others say of the same things: the cost
does not depend on how much the store holds. What a write makes wrong elsewhere is traced by the footprints of the shapes.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, parse

from headwater import assets
from headwater.checking.footprint import Glance
from headwater.checking.plan import BadShapes, ShapePlan, forgettable, mentioned, plans
from headwater.checking.report import GateReport, GateResult
from headwater.checking.sieve import TYPE, Facts, Statement, Term
from headwater.checking.surroundings import Alone, Neighbourhood, Relevant, Sight, Surroundings, stated, subjects
from headwater.checking.verdict import Verdict
from headwater.records.record import Record
from headwater.store.spelling import as_stored
from headwater.terms.names import RDFS

if TYPE_CHECKING:
    from headwater.checking.judge import Judge

_LABELS = (RDFS.label.value, "http://www.w3.org/2004/02/skos/core#prefLabel", "http://xmlns.com/foaf/0.1/name")
_WEIGHT = {"violation": 0, "warning": 1, "info": 2}


class Gate:
    """Checks records against the shapes of a folder. Thread-safe; shapes are parsed once.

    `sieve=False` asks the engine about every target, which is slower and gives the same answers. Raises `BadShapes` for a folder
    without shapes, or with some that do not parse or cannot be judged soundly.

    >>> from headwater.records.draft import Draft
    >>> from headwater.records.record import RecordMaker
    >>> from headwater.terms.minting import Mint
    >>> from headwater.terms.names import HW, RDF
    >>> draft = Draft("urn:record", "a.ttl", "a", [Triple(NamedNode("urn:c"), RDF.type, HW.Change)])
    >>> record = RecordMaker(Mint("https://data.example/")).make(draft, "public", "rdf", "1", "declared")
    >>> report = Gate().check([record])["urn:record"]
    >>> report.conforms, report.sentences()[0][:48]
    (False, '<urn:c>: The change does not say what happened. ')
    """

    def __init__(self, shapes_folder: Path | None = None, *, sieve: bool = True) -> None:
        folder = shapes_folder or assets.folder("shapes")
        self._shapes = [triple for path in sorted(folder.glob("*.ttl")) for triple in _read(path)]
        self.plans: tuple[ShapePlan, ...] = tuple(plans(self._shapes))
        if not self.plans:
            # A gate without shapes would let everything through.
            raise BadShapes(f"{folder} holds no shapes.", remedy="Reinstall Headwater, or name the right folder.")
        self._mentioned = mentioned(self._shapes)
        self._closed = tuple(plan for plan in self.plans if plan.closed)
        self._glances = tuple(dict.fromkeys(glance for plan in self.plans for glance in plan.glances))
        seen = {glance.predicate for glance in self._glances if not glance.as_object} | {TYPE, RDFS.subClassOf.value}
        alone = forgettable(self.plans)
        # What closed shapes see besides is asked for when it is known what they target.
        self._sight = Sight(self._relevant, tuple(sorted(seen - alone - {""})), alone)
        self._sieve = sieve
        self._lock = threading.Lock()
        self._judge: Judge | None = None

    def check(self, records: Sequence[Record], around: Surroundings | None = None) -> dict[str, GateReport]:
        """A report for each record, by the record's IRI.

        The records are seen together: what one says of a thing counts for the others, and so does what others in the store say,
        which `around` is asked for. A fault is laid at the door of the record that causes it alone; where only several together
        do, of each that says something about the thing. A fault that stood before, and stands without the records, too, is not
        held against them. Records may make things wrong that they say nothing of; of these only violations are looked for.
        """
        batch = _Batch([(record.asserted, record.entailed) for record in records], self._relevant)
        with self._lock:
            results = self._results(batch, Neighbourhood(around or Alone(), self._sight, batch.statements()))
        reports: dict[str, list[GateResult]] = {record.iri: [] for record in records}
        for number, result in results:
            reports[records[number].iri].append(result)
        return {iri: _report(found) for iri, found in reports.items()}

    def losses(self, around: Surroundings) -> GateReport:
        """What becomes wrong by what goes, where nothing comes: a withdrawal."""
        batch = _Batch([((), ())], self._relevant)
        with self._lock:
            results = self._results(batch, Neighbourhood(around, self._sight, ()))
        return _report(result for _, result in results)

    def _relevant(self, triples: Iterable[Triple], rest: list[Triple]) -> list[Statement]:
        wanted = self._mentioned
        found: list[Statement] = []
        for triple in triples:
            predicate = triple.predicate.value
            if predicate in wanted:
                subject, value = triple.subject, triple.object
                # A triple term is nothing that a core constraint of SHACL 1.0 can look at.
                if isinstance(subject, NamedNode) and not isinstance(value, Triple):
                    found.append((subject.value, predicate, value, triple))
            elif self._closed:
                rest.append(triple)
        return found

    def _results(self, batch: _Batch, near: Neighbourhood) -> list[tuple[int, GateResult]]:
        own = batch.statements()
        foci = self._foci(batch, near)
        statements = [*own, *near.known]
        facts = Facts.of(statements)
        if self._closed and (targets := {node for plan in self._closed for node in plan.targets(facts, foci[plan.iri])}):
            batch.open(targets)
            near.open(targets)
            own = batch.statements()
            statements = [*own, *near.known]
            facts = Facts.of(statements)
        known = near.known
        plans_by_iri = {plan.iri: plan for plan in self.plans}
        verdicts = self._verdicts(statements, facts, foci, self.plans)
        before = self._before(verdicts, batch, plans_by_iri, near)
        # Never from the neighbours, which the writer may not be allowed to see.
        labels = _labels(own)
        found: list[tuple[int, GateResult]] = []
        for verdict in verdicts:
            plan = plans_by_iri[verdict.shape]
            described = verdict.focus in batch.described
            if (plan.severity == "violation" or not described) and verdict in before:
                continue  # it was at fault before; the record that refers to it is not to blame
            if plan.severity != "violation" and verdict.focus not in batch.authors:
                continue
            says = batch.says(verdict, near)
            result = GateResult(
                focus=verdict.focus,
                path=" | ".join(plan.path or ((verdict.path,) if says else ())),
                value=verdict.value if says or (plan.path is None and not verdict.path) else None,
                severity=plan.severity,
                message=plan.message,
                shape=plan.iri,
                component=verdict.component,
                label=labels.get(verdict.focus, ""),
            )
            authors = batch.about(verdict.focus)
            if len(authors) > 1 and plan.severity == "violation":
                authors = [n for n in authors if self._fails_alone(batch, n, known, plan, verdict.focus)] or authors
            found += [(number, result) for number in authors]
        return found

    def _before(
        self, verdicts: list[Verdict], batch: _Batch, plans_by_iri: dict[str, ShapePlan], near: Neighbourhood
    ) -> set[Verdict]:
        """Those of the verdicts that stood before the write and stand without it: nothing that comes or goes brought them."""
        foci: dict[str, dict[str, None]] = defaultdict(dict)
        for verdict in verdicts:
            if verdict.focus not in batch.described or plans_by_iri[verdict.shape].severity == "violation":
                foci[verdict.shape][verdict.focus] = None
        if not foci or not (near.known or near.gone):
            return set()
        asked = [plans_by_iri[iri] for iri in foci]
        without = set(self._verdicts(near.known, Facts.of(near.known), foci, asked))
        if not near.gone:
            return without
        stood = [*near.known, *near.gone]
        return without & set(self._verdicts(stood, Facts.of(stood), foci, asked))

    def _foci(self, batch: _Batch, near: Neighbourhood) -> dict[str, Collection[str]]:
        """For each shape the things to judge: what is described, and what may become wrong elsewhere. Loads what they need."""
        near.ask(batch.authors)
        near.ask(batch.named)
        gone = near.gone
        here = {**batch.authors, **dict.fromkeys(statement[0] for statement in gone)}
        bare = (batch.barely_described | near.barely_gone) - here.keys() if self._closed else set()
        near.ask(bare)
        changed: dict[str, list[Statement]] | None = None
        foci: dict[str, Collection[str]] = {}
        elsewhere: set[str] = set()
        near.complete(here, self._glances)
        for plan in self.plans:
            foci[plan.iri] = here
            if plan.closed and bare:
                near.complete(bare, plan.glances)
                foci[plan.iri] = {**here, **dict.fromkeys(bare)}
            tracing = [glance for glance in plan.glances if glance.as_object or glance.way is not None]
            if plan.severity != "violation" or not tracing:
                continue
            if changed is None:
                changed = defaultdict(list)
                for statement in (*batch.statements(), *gone):
                    changed[statement[1]].append(statement)
            traced = self._traced(tracing, changed, near) - here.keys()
            if traced:
                near.complete(traced, plan.glances)
                elsewhere |= traced
                foci[plan.iri] = dict.fromkeys([*foci[plan.iri], *traced])
        return foci

    def _traced(self, tracing: list[Glance], changed: Mapping[str, list[Statement]], near: Neighbourhood) -> set[str]:
        found: set[str] = set()
        for glance in tracing:
            ends = set()
            for subject, _, value, _ in changed.get(glance.predicate, ()):
                if not glance.as_object:
                    ends.add(subject)
                elif isinstance(value, NamedNode):
                    ends.add(value.value)
            for end in ends:
                found |= near.beginnings(glance.way, end)
        return found

    def _fails_alone(self, batch: _Batch, number: int, known: list[Statement], plan: ShapePlan, focus: str) -> bool:
        statements = [*batch.records[number], *known]
        if number not in batch.facts:
            batch.facts[number] = Facts.of(statements)
        return bool(self._verdicts(statements, batch.facts[number], {plan.iri: (focus,)}, [plan]))

    def _verdicts(
        self, statements: list[Statement], facts: Facts, foci: Mapping[str, Collection[str]], asked: Iterable[ShapePlan]
    ) -> list[Verdict]:
        questions = []
        found: list[Verdict] = []
        for plan in asked:
            nodes = plan.targets(facts, foci[plan.iri])
            if self._sieve:
                known, nodes = plan.sifted(nodes, facts)
                found += known
            if nodes:
                questions.append((plan, nodes))
        if not questions:
            return found
        judge = self._engine()
        overlay = judge.overlay(statement[3] for statement in statements)
        for plan, nodes in questions:
            few = plan.covers(nodes, facts) if self._sieve else nodes
            failures = judge.failures(overlay, plan.iri, few)
            if failures and len(few) < len(nodes):
                failures = judge.failures(overlay, plan.iri, nodes)
            found += failures
        return found

    def _engine(self) -> Judge:
        if self._judge is None:
            # Imported at the first question: pyshacl costs 0.37 s, which a command that only reads need not pay.
            from headwater.checking.judge import Judge

            self._judge = Judge(self._shapes)
        return self._judge


class _Batch:
    """The statements of several records that matter to the shapes, and who says something about what."""

    def __init__(self, records: Sequence[tuple[Iterable[Triple], Iterable[Triple]]], relevant: Relevant) -> None:
        self._rest: list[tuple[list[Triple], list[Triple]]] = [([], []) for _ in records]
        asserted = [relevant(said, rest) for (said, _), (rest, _) in zip(records, self._rest, strict=True)]
        entailed = [relevant(follows, rest) for (_, follows), (_, rest) in zip(records, self._rest, strict=True)]
        self.records = [[*said, *follows] for said, follows in zip(asserted, entailed, strict=True)]
        self.facts: dict[int, Facts] = {}
        self.authors: dict[str, list[int]] = defaultdict(list)
        self.named: dict[str, None] = {}
        for number, statements in enumerate(self.records):
            for subject in dict.fromkeys(statement[0] for statement in statements):
                self.authors[subject].append(number)
            for _, predicate, value, _ in statements:
                if predicate != TYPE and isinstance(value, NamedNode):
                    self.named[value.value] = None
        # What follows about a thing is no description: `<run> prov:used <x>` makes the run an activity and says no more of it.
        self.described = {statement[0] for said in asserted for statement in said}
        self._values: set[Term] | None = None

    @property
    def barely_described(self) -> set[str]:
        """The things of which something is said that matters to closed shapes only."""
        return {thing for rests in self._rest for rest in rests for thing in subjects(rest)}

    def open(self, things: Collection[str]) -> None:
        """Count what matters to closed shapes only, too, about these things."""
        for number, (said, follows) in enumerate(self._rest):
            more = stated(said, things)
            self.described |= {statement[0] for statement in more}
            more += stated(follows, things)
            self.records[number] += more
            for thing in dict.fromkeys(statement[0] for statement in more):
                if number not in self.authors[thing]:
                    self.authors[thing].append(number)

    def says(self, verdict: Verdict, near: Neighbourhood) -> bool:
        """Whether the value at fault stands in the records themselves."""
        if verdict.focus not in near.said or verdict.value is None:
            return True
        if verdict.path:
            return any(
                subject == verdict.focus and predicate == verdict.path and _stored(value) == verdict.value
                for subject, predicate, value, _ in self.statements()
            )
        if self._values is None:
            self._values = {_stored(statement[2]) for statement in self.statements()}
        return verdict.value in self._values

    def statements(self) -> list[Statement]:
        return [statement for statements in self.records for statement in statements]

    def about(self, node: str) -> list[int]:
        """The records that state something of `node`, or else those that refer to it, or else all: they made it wrong."""
        if node in self.authors:
            return self.authors[node]
        referring = [
            number
            for number, statements in enumerate(self.records)
            if any(isinstance(value, NamedNode) and value.value == node for _, _, value, _ in statements)
        ]
        return referring or list(range(len(self.records)))


def _stored(value: Term) -> Term:
    return as_stored(value) if isinstance(value, Literal) else value


def _read(path: Path) -> list[Triple]:
    try:
        return [quad.triple for quad in parse(path.read_bytes(), format=RdfFormat.TURTLE, rename_blank_nodes=True)]
    except SyntaxError as error:
        raise BadShapes(f"{path.name}: {error}") from error


def _labels(statements: Iterable[Statement]) -> dict[str, str]:
    """What things are called, by the first of the predicates for that."""
    found: dict[str, tuple[int, str]] = {}
    for subject, predicate, value, _ in statements:
        if predicate in _LABELS and isinstance(value, Literal):
            rank = _LABELS.index(predicate)
            if subject not in found or rank < found[subject][0]:
                found[subject] = (rank, value.value)
    return {subject: label for subject, (_, label) in found.items()}


def _report(results: Iterable[GateResult]) -> GateReport:
    ordered = sorted(dict.fromkeys(results), key=lambda r: (_WEIGHT[r.severity], r.focus, r.shape, str(r.value)))
    return GateReport(all(result.severity != "violation" for result in ordered), tuple(ordered))
