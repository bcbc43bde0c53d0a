"""The audit of a whole store: every shape asked of all that it targets, as SPARQL where that can be, by pyshacl otherwise."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, parse, serialize

from headwater import assets
from headwater.checking.compiler import Compiled, Outcome, Rows
from headwater.checking.paths import Term, UnsupportedShape
from headwater.checking.plan import BadShapes
from headwater.checking.report import GateReport, GateResult, Severity, lenient_iri
from headwater.checking.shapes import Shapes
from headwater.errors import HeadwaterError
from headwater.terms.names import RDFS, SH, curie

Everything = Callable[[], Iterable[Triple]]
"""All statements of the data graph, for pyshacl."""
Progress = Callable[[int, int | None], None]
"""Told how many shapes of how many are done."""
Cancelled = Callable[[], bool]

_SEVERITY: dict[str, Severity] = {SH.Warning.value: "warning", SH.Info.value: "info"}
_ORDER = {"violation": 0, "warning": 1, "info": 2}
MOST_OF_A_SHAPE = 10_000
"""Results of one shape that an audit keeps one by one; it counts all."""


class AuditCancelled(HeadwaterError):
    """Somebody stopped an audit; what it had found by then is not kept, because it says nothing about the rest."""

    title = "The audit was stopped"
    default_remedy = "Start it again when there is time; nothing was changed."


@dataclass(slots=True)
class Audit:
    """What an audit found.

    `counts` by severity and `by_shape` by the shape's IRI are complete; `results` holds at most `MOST_OF_A_SHAPE` of each shape.
    `uncompiled` names the shapes that pyshacl judged because they go beyond what is compiled, each with the reason.
    """

    digest: str
    results: list[GateResult] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: {"violation": 0, "warning": 0, "info": 0})
    by_shape: dict[str, int] = field(default_factory=dict)
    uncompiled: dict[str, str] = field(default_factory=dict)

    @property
    def conforms(self) -> bool:
        """True where nothing is violated; warnings and infos are hints."""
        return not self.counts["violation"]

    @property
    def complete(self) -> bool:
        """Whether `results` holds every result that was counted."""
        return len(self.results) == sum(self.counts.values())

    def report(self) -> GateReport:
        """The results as one report, for sentences and for RDF."""
        return GateReport(self.conforms, tuple(self.results))

    def as_dict(self, language: str = "en") -> dict[str, object]:
        """The audit for JSON, its findings in a language of `checking.messages`."""
        return {
            "conforms": self.conforms,
            "counts": self.counts,
            "by_shape": self.by_shape,
            "uncompiled": self.uncompiled,
            "complete": self.complete,
            "shapes": self.digest,
            "results": [result.as_dict(language) for result in self.results],
        }


class Auditor:
    """Audits data graphs against the shapes of a folder.

    >>> Auditor().audit(lambda text: iter(()), lambda: ()).conforms
    True
    """

    def __init__(self, shapes_folder: Path | None = None) -> None:
        folder = shapes_folder or assets.folder("shapes")
        self._triples = list(read_shapes(folder))
        self.shapes = Shapes(self._triples)
        self.digest = digest_of(self._triples)

    def audit(
        self, rows: Rows, everything: Everything, *, progress: Progress | None = None, cancelled: Cancelled = lambda: False
    ) -> Audit:
        """Ask every shape. `rows` answers queries of the data graph, which must not change meanwhile; `everything` hands it over
        whole, and is called only for shapes that are not compiled. Raises `AuditCancelled` soon after `cancelled` says so.
        """
        audit = Audit(self.digest)
        nodes = self.shapes.targeted_nodes()
        for done, node in enumerate(nodes):
            if progress is not None:
                progress(done, len(nodes))
            self._take(node, self.outcomes(node, rows, everything, audit.uncompiled), audit, rows, cancelled)
        if progress is not None:
            progress(len(nodes), len(nodes))
        audit.results.sort(key=_order)
        return audit

    def outcomes(
        self, node: Term, rows: Rows, everything: Everything, uncompiled: dict[str, str] | None = None
    ) -> Iterator[Outcome]:
        """What one shape finds; `uncompiled` is told where pyshacl had to be asked."""
        compiled = Compiled(self.shapes, rows)
        try:
            compiled.refuse_unsupported(node)
        except UnsupportedShape as reason:
            if uncompiled is not None:
                uncompiled[_name(node)] = reason.detail
            yield from self._by_pyshacl(node, everything)
            return
        if not compiled.has_queries(node):
            yield from compiled.outcomes(node)
            return
        try:
            # All of them, before the first is told: the next may be about a blank node, which no query can name.
            found = list(compiled.outcomes(node))
        except UnsupportedShape as reason:
            if uncompiled is not None:
                uncompiled[_name(node)] = reason.detail
            found = list(self._by_pyshacl(node, everything))
        yield from found

    def _by_pyshacl(self, node: Term, everything: Everything) -> Iterator[Outcome]:
        # Imported when it is needed: pyshacl costs 0.37 s.
        from headwater.checking.judge import Judge

        judge = Judge(self._triples)
        yield from judge.outcomes(judge.overlay(everything()), node, self.shapes)

    def standing(self, results: Iterable[GateResult], rows: Rows) -> list[GateResult]:
        """Those findings that are found also in the data graph that `rows` answers for, worded by what stands there.

        So a reader is told of a finding only what he may see: he sees a part of the graph, and a fault that shows only together
        with what others see is not found in it. Findings that pyshacl made, or about a text, are left out.
        """
        asked: dict[str, dict[NamedNode, None]] = defaultdict(dict)
        wanted = set()
        for result in results:
            focus = lenient_iri(result.focus)
            if focus.value == result.focus:
                asked[result.shape][focus] = None
                wanted.add(_key(result))
        compiled = Compiled(self.shapes, rows)
        found: dict[GateResult, None] = {}
        for node in self.shapes.targeted_nodes():
            foci = list(asked.get(_name(node), ()))
            try:
                outcomes = list(compiled.outcomes(node, foci)) if foci else []
            except UnsupportedShape:
                continue
            labels = _labels({outcome.focus for outcome in outcomes}, rows)
            found |= dict.fromkeys(self._result(node, outcome, labels) for outcome in outcomes)
        return sorted((result for result in found if _key(result) in wanted), key=_order)

    def _take(self, node: Term, found: Iterator[Outcome], audit: Audit, rows: Rows, cancelled: Cancelled) -> None:
        kept: list[Outcome] = []
        for number, outcome in enumerate(found):
            if number % 1000 == 0 and cancelled():
                raise AuditCancelled("The audit was stopped before its end.")
            severity = _SEVERITY.get(outcome.severity, "violation")
            audit.counts[severity] += 1
            audit.by_shape[_name(node)] = audit.by_shape.get(_name(node), 0) + 1
            if len(kept) < MOST_OF_A_SHAPE:
                kept.append(outcome)
        if cancelled():
            raise AuditCancelled("The audit was stopped before its end.")
        labels = _labels({outcome.focus for outcome in kept}, rows)
        audit.results += [self._result(node, outcome, labels) for outcome in kept]

    def _result(self, node: Term, outcome: Outcome, labels: dict[Term, str]) -> GateResult:
        said = self._said(node, outcome)
        value = outcome.value
        return GateResult(
            focus=_name(outcome.focus),
            path=_plain_path(outcome.path),
            value=None if isinstance(value, Triple) else value,
            severity=_SEVERITY.get(outcome.severity, "violation"),
            message=said.pop("en"),
            shape=_name(node),
            component=outcome.component,
            label=labels.get(outcome.focus, ""),
            also=tuple(sorted(said.items())),
        )

    def _said(self, node: Term, outcome: Outcome) -> dict[str, str]:
        """By language the message of the property shape that failed, or else of the shape that holds it."""
        for source in (outcome.shape, node):
            texts = [text for text in self.shapes.graph.get(source, {}).get(SH.message.value, ()) if isinstance(text, Literal)]
            said = {text.language or "en": text.value for text in texts}
            if "en" in said:
                return said
        constraint = curie(outcome.component)
        return {"en": f"It does not meet {constraint}.", "de": f"Es erfüllt {constraint} nicht."}


def _key(result: GateResult) -> tuple[object, ...]:
    return result.shape, result.focus, result.path, result.component, result.value


def _order(result: GateResult) -> tuple[object, ...]:
    return _ORDER[result.severity], result.focus, result.shape, result.path, str(result.value)


def digest_of(triples: Iterable[Triple]) -> str:
    """SHA-256 of a set of statements, by which a change of shapes is noticed; the names of blank nodes do not count.

    >>> digest_of([]) == digest_of(())
    True
    """
    lines = serialize(triples, format=RdfFormat.N_TRIPLES)
    assert lines is not None
    words = [b" ".join(b"_" if word.startswith(b"_:") else word for word in line.split(b" ")) for line in lines.splitlines()]
    return hashlib.sha256(b"\n".join(sorted(words))).hexdigest()


def read_shapes(folder: Path) -> Iterator[Triple]:
    """The shapes of a folder's Turtle files. Raises `BadShapes` for one that does not parse."""
    for path in sorted(folder.glob("*.ttl")):
        try:
            yield from (quad.triple for quad in parse(path.read_bytes(), format=RdfFormat.TURTLE, rename_blank_nodes=True))
        except SyntaxError as error:
            raise BadShapes(f"{path.name}: {error}") from error


def shapes_digest(folder: Path | None = None) -> str:
    """The digest of the shapes by which the gate judges."""
    return digest_of(read_shapes(folder or assets.folder("shapes")))


def _labels(nodes: set[Term], rows: Rows) -> dict[Term, str]:
    named = [str(node) for node in nodes if isinstance(node, NamedNode)]
    if not named:
        return {}
    text = f"SELECT ?node ?label WHERE {{ VALUES ?node {{ {' '.join(named)} }} ?node <{RDFS.label.value}> ?label }}"
    found: dict[Term, str] = {}
    for node, label in rows(text):
        if isinstance(node, NamedNode) and isinstance(label, Literal):
            found[node] = min(label.value, found.get(node, label.value))
    return found


def _name(node: Term) -> str:
    return node.value if isinstance(node, NamedNode | Literal) else str(node)


def _plain_path(path: str) -> str:
    """Alternatives of predicates as reports write them; any other path in SPARQL's spelling."""
    names = path.strip("()").split("|")
    if all(name.startswith("<") and name.endswith(">") and name.count("<") == 1 for name in names):
        return " | ".join(name[1:-1] for name in names)
    return path
