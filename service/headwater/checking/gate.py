"""The gate before every write: do the records contradict themselves, each other, or what is known of the things they refer to?

Records are checked in batches over a small overlay, which holds what they say and what their neighbours are: the cost does not
depend on how much the store holds.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, parse

from headwater import assets
from headwater.checking.plan import BadShapes, ShapePlan, mentioned, plans
from headwater.checking.report import GateReport, GateResult, lenient_iri
from headwater.checking.sieve import TYPE, Facts, Statement
from headwater.records.record import Record
from headwater.terms.names import RDFS

if TYPE_CHECKING:
    from headwater.checking.judge import Judge, Verdict

Neighbours = Callable[[Collection[str]], Iterable[Triple]]
"""Asked for IRIs, answers what is already known of them (statements of which they are the subject)."""

_LABELS = (RDFS.label.value, "http://www.w3.org/2004/02/skos/core#prefLabel", "http://xmlns.com/foaf/0.1/name")
_WEIGHT = {"violation": 0, "warning": 1, "info": 2}


def nothing_known(_iris: Collection[str]) -> tuple[Triple, ...]:
    """The neighbours of a record that stands alone."""
    return ()


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
        self._sieve = sieve
        self._lock = threading.Lock()
        self._judge: Judge | None = None

    def check(self, records: Sequence[Record], neighbours: Neighbours = nothing_known) -> dict[str, GateReport]:
        """A report for each record, by the record's IRI.

        The records are seen together: what one says of a thing counts for the others. `neighbours` is asked once, for the things
        that the records refer to without describing them. A finding is laid at the door of the record that causes it alone; where
        only several together do, of each that says something about the thing.
        """
        batch = _Batch([self._relevant(r.asserted) for r in records], [self._relevant(r.entailed) for r in records])
        known = [statement for statement in self._relevant(neighbours(batch.unknown)) if statement[0] in batch.unknown]
        with self._lock:
            results = self._results(batch, known)
        reports: dict[str, list[GateResult]] = {record.iri: [] for record in records}
        for number, result in results:
            reports[records[number].iri].append(result)
        return {iri: _report(found) for iri, found in reports.items()}

    def _relevant(self, triples: Iterable[Triple]) -> list[Statement]:
        wanted = self._mentioned
        found: list[Statement] = []
        for triple in triples:
            predicate = triple.predicate.value
            if predicate in wanted:
                subject, value = triple.subject, triple.object
                # A triple term is nothing that a core constraint of SHACL 1.0 can look at.
                if isinstance(subject, NamedNode) and not isinstance(value, Triple):
                    found.append((subject.value, predicate, value, triple))
        return found

    def _results(self, batch: _Batch, known: list[Statement]) -> list[tuple[int, GateResult]]:
        own = batch.statements()
        statements = [*own, *known]
        facts = Facts.of(statements)
        known_facts, own_facts = Facts.of(known), Facts.of(own) if known else facts
        plans_by_iri = {plan.iri: plan for plan in self.plans}
        found: list[tuple[int, GateResult]] = []
        for verdict in self._verdicts(statements, facts, batch.authors, self.plans):
            plan = plans_by_iri[verdict.shape]
            described = verdict.focus not in batch.unknown
            if not described and self._verdicts(known, known_facts, [verdict.focus], [plan], only=verdict.focus):
                continue  # it was at fault before; the record that refers to it is not to blame
            result = GateResult(
                focus=verdict.focus,
                path=" | ".join(plan.path or ()),
                value=verdict.value if described or plan.path is None else None,
                severity=plan.severity,
                message=plan.message,
                shape=plan.iri,
                component=verdict.component,
                # Never from the neighbours, which the writer may not be allowed to see.
                label=_label(verdict.focus, own_facts),
            )
            authors = batch.about(verdict.focus)
            if len(authors) > 1 and plan.severity == "violation":
                authors = [n for n in authors if self._fails_alone(batch, n, known, plan, verdict.focus)] or authors
            found += [(number, result) for number in authors]
        return found

    def _fails_alone(self, batch: _Batch, number: int, known: list[Statement], plan: ShapePlan, focus: str) -> bool:
        statements = [*batch.records[number], *known]
        if number not in batch.facts:
            batch.facts[number] = Facts.of(statements)
        return bool(self._verdicts(statements, batch.facts[number], batch.subjects[number], [plan], only=focus))

    def _verdicts(
        self,
        statements: list[Statement],
        facts: Facts,
        own: Collection[str],
        asked: Iterable[ShapePlan],
        *,
        only: str | None = None,
    ) -> list[Verdict]:
        questions = []
        for plan in asked:
            nodes = plan.targets(facts, own)
            if only is not None:
                nodes = [only] if only in nodes else []
            if self._sieve:
                nodes = plan.unsure(nodes, facts)
            if nodes:
                questions.append((plan, nodes))
        if not questions:
            return []
        judge = self._engine()
        overlay = judge.overlay(statement[3] for statement in statements)
        found = []
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

    def __init__(self, asserted: list[list[Statement]], entailed: list[list[Statement]]) -> None:
        self.records = [[*said, *follows] for said, follows in zip(asserted, entailed, strict=True)]
        self.subjects = [dict.fromkeys(statement[0] for statement in statements) for statements in self.records]
        self.facts: dict[int, Facts] = {}
        self.authors: dict[str, list[int]] = defaultdict(list)
        named: set[str] = set()
        for number, statements in enumerate(self.records):
            for subject in self.subjects[number]:
                self.authors[subject].append(number)
            named.update(
                value.value for _, predicate, value, _ in statements if predicate != TYPE and isinstance(value, NamedNode)
            )
        # What follows about a thing is no description: `<run> prov:used <x>` makes the run an activity and says no more of it.
        self.unknown = (named | self.authors.keys()) - {statement[0] for said in asserted for statement in said}
        # An IRI that only a lenient parser lets through cannot be in the store, nor asked for.
        self.unknown = {iri for iri in self.unknown if lenient_iri(iri).value == iri}

    def statements(self) -> list[Statement]:
        return [statement for statements in self.records for statement in statements]

    def about(self, node: str) -> list[int]:
        """The records that state something of `node`, or else those that refer to it."""
        if node in self.authors:
            return self.authors[node]
        return [
            number
            for number, statements in enumerate(self.records)
            if any(isinstance(value, NamedNode) and value.value == node for _, _, value, _ in statements)
        ]


def _read(path: Path) -> list[Triple]:
    try:
        return [quad.triple for quad in parse(path.read_bytes(), format=RdfFormat.TURTLE, rename_blank_nodes=True)]
    except SyntaxError as error:
        raise BadShapes(f"{path.name}: {error}") from error


def _label(node: str, facts: Facts) -> str:
    for predicate in _LABELS:
        for value in facts.values.get(predicate, {}).get(node, ()):
            if isinstance(value, Literal):
                return value.value
    return ""


def _report(results: Iterable[GateResult]) -> GateReport:
    ordered = sorted(dict.fromkeys(results), key=lambda r: (_WEIGHT[r.severity], r.focus, r.shape, str(r.value)))
    return GateReport(all(result.severity != "violation" for result in ordered), tuple(ordered))
