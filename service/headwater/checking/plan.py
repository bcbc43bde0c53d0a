"""What each shape with targets asks of which things."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pyoxigraph import Literal, NamedNode, Triple

from headwater.checking.footprint import Glance, footprint
from headwater.checking.paths import UnsupportedShape
from headwater.checking.report import Severity, lenient_iri
from headwater.checking.shapes import Shapes
from headwater.checking.sieve import BY_LOOKS, BY_VALUE, SAYS_NOTHING, TYPE, Facts, Sieve, Term
from headwater.checking.verdict import Verdict
from headwater.errors import HeadwaterError
from headwater.terms.names import RDF, RDFS, SH

_SEVERITIES: dict[Term, Severity] = {SH.Violation: "violation", SH.Warning: "warning", SH.Info: "info"}
_UNSOUND = frozenset(SH[name].value for name in ("sparql", "target", "js", "expression", "rule", "deactivated"))


class BadShapes(HeadwaterError):
    """A file of `shapes/` asks for something that the gate does not do soundly."""

    title = "The shapes cannot be used"
    default_remedy = "Write the constraint with SHACL's core vocabulary; see shapes/."


@dataclass(frozen=True, slots=True, eq=False)
class ShapePlan:
    """A shape with targets.

    `path` holds alternatives of plain predicates; it is None for a node shape and empty for a path of another form. `by_value`
    says that each value is judged by itself. `closed` says that all statements about the thing count, whatever their predicate.
    `glances` is the shape's footprint.
    """

    iri: str
    severity: Severity
    message: str
    path: tuple[str, ...] | None
    classes: tuple[str, ...]
    subjects_of: tuple[str, ...]
    objects_of: tuple[str, ...]
    by_value: bool
    by_looks: bool
    closed: bool
    sieve: Sieve
    glances: tuple[Glance, ...]

    def targets(self, facts: Facts, own: Collection[str]) -> list[str]:
        """The target nodes among `own`."""
        found: dict[str, None] = {}
        for cls in self.classes:
            found.update(dict.fromkeys(node for node in facts.instances.get(cls, ()) if node in own))
        for predicate in self.subjects_of:
            found.update(dict.fromkeys(node for node in facts.values.get(predicate, ()) if node in own))
        for predicate in self.objects_of:
            for values in facts.values.get(predicate, {}).values():
                iris = (value.value for value in values if isinstance(value, NamedNode))
                found.update((iri, None) for iri in iris if iri in own)
        return sorted(found)

    def unsure(self, nodes: list[str], facts: Facts) -> list[str]:
        """The nodes that are not known to conform."""
        return self.sieve.doubtful(NamedNode(self.iri), nodes, facts)

    def judges_alone(self, predicate: str) -> bool:
        """Whether each value by `predicate` is judged by itself, whatever else is said of the thing or of the value.

        A statement that was made before and stays then has the same result before a write and after it.
        """
        path = self.path or ()
        targeted = not (self.classes or self.objects_of) and {predicate, *path} <= {*self.subjects_of}
        return self.severity == "violation" and self.by_looks and targeted and predicate in path

    def sifted(self, nodes: list[str], facts: Facts) -> tuple[list[Verdict], list[str]]:
        """What some of the nodes are known to fail, and the nodes about which the engine has to be asked."""
        shape = NamedNode(self.iri)
        verdicts: list[Verdict] = []
        open_questions = []
        for node in self.unsure(nodes, facts):
            term = facts.term(node)
            failed = None if term is None else self.sieve.lacks(shape, term, facts)
            if failed is None:
                open_questions.append(node)
                continue
            # Without a path the value is the thing itself; of what is missing there is none.
            value = lenient_iri(node) if self.path is None else None
            verdicts += [Verdict(self.iri, node, value, component) for component in failed]
        return verdicts, open_questions

    def covers(self, nodes: list[str], facts: Facts) -> list[str]:
        """A few of `nodes` that have all values of the others between them; all of `nodes` where values are not judged alone."""
        if not self.path or not self.by_value or len(nodes) < 3:
            return nodes
        seen: set[Term] = set()
        chosen = []
        for node in nodes:
            new = set(facts.at(node, self.path)) - seen
            if new:
                chosen.append(node)
                seen |= new
        return chosen


def plans(shapes: Iterable[Triple]) -> list[ShapePlan]:
    """The shapes that have targets, in the order of their IRIs.

    Raises `BadShapes` for what the gate cannot do soundly (SPARQL constraints, shapes that close the values of a path), and for
    targeted shapes that have no IRI or gather property shapes: one shape with targets is one question with one message.
    """
    read = Shapes(shapes)
    frozen = read.graph
    if read.components:
        raise BadShapes(f"{read.components[0]} is a constraint component in SPARQL, which the gate does not judge.")
    sieve = Sieve(frozen)
    found = []
    for node, about in frozen.items():
        for predicate in _UNSOUND & about.keys():
            raise BadShapes(f"{node} uses <{predicate}>, which the gate does not judge.")
        classes, subjects, objects = (
            tuple(sorted(_iri(value, node) for value in about.get(SH[name].value, ())))
            for name in ("targetClass", "targetSubjectsOf", "targetObjectsOf")
        )
        if not (classes or subjects or objects):
            if SH.targetNode.value in about:
                raise BadShapes(f"{node} targets a single node; the gate asks about records.")
            continue
        if SH.property.value in about:
            raise BadShapes(f"{node} gathers property shapes; give each of them targets, an IRI and a message of its own.")
        glances = _glances(node, read)
        if any(not glance.predicate and glance.way is not None for glance in glances):
            # All that is said of all things at the end of a path would have to be loaded for each write.
            raise BadShapes(f"{node} closes the values of a path.", remedy="Let the closed shape target these things itself.")
        messages = [m.value for m in about.get(SH.message.value, ()) if isinstance(m, Literal) and m.language in ("en", None)]
        found.append(
            ShapePlan(
                iri=_iri(node, node),
                severity=_SEVERITIES[next(iter(about.get(SH.severity.value, ())), SH.Violation)],
                message=messages[0] if messages else "",
                path=sieve.path(node),
                classes=classes,
                subjects_of=subjects,
                objects_of=objects,
                closed=any(not glance.predicate for glance in glances),
                by_value=about.keys() - SAYS_NOTHING <= BY_VALUE,
                by_looks=about.keys() - SAYS_NOTHING <= BY_LOOKS,
                sieve=sieve,
                glances=glances,
            )
        )
    return sorted(found, key=lambda plan: plan.iri)


def _glances(node: Term, shapes: Shapes) -> tuple[Glance, ...]:
    try:
        return footprint(shapes.shape(node), shapes)
    except UnsupportedShape as error:
        raise BadShapes(f"{node}: {error.detail}") from error


def mentioned(shapes: Iterable[Triple]) -> frozenset[str]:
    """Every IRI that the shapes name: no other predicate can matter to them, save to closed ones, to which all do.

    What closed shapes only let pass is not among them.
    """
    triples = list(shapes)
    rests = {triple.subject: triple.object for triple in triples if triple.predicate == RDF.rest}
    let_pass: set[Term] = set()
    for triple in triples:
        cell: Term | None = triple.object if triple.predicate == SH.ignoredProperties else None
        while cell is not None and cell not in let_pass:
            let_pass.add(cell)
            cell = rests.get(cell)  # type: ignore[arg-type]
    named = {t.object.value for t in triples if isinstance(t.object, NamedNode) and t.subject not in let_pass}
    return frozenset(named | {TYPE, RDFS.subClassOf.value})


def forgettable(plans: Iterable[ShapePlan]) -> frozenset[str]:
    """The predicates by which a statement that stands already changes nothing: no shape sees more in it than its own value.

    `prov:generated` is the important one: it follows from `prov:wasGeneratedBy`, so that a run has one for each thing it made.
    """
    looked_at: dict[str, list[bool]] = {}
    for plan in plans:
        for glance in plan.glances:
            alone = glance.way is None and not glance.as_object and plan.judges_alone(glance.predicate)
            looked_at.setdefault(glance.predicate, []).append(alone)
    return frozenset(predicate for predicate, alone in looked_at.items() if all(alone))


def _iri(term: Term, shape: Term) -> str:
    if not isinstance(term, NamedNode):
        raise BadShapes(f"{shape} has targets, but it or its target has no IRI.")
    return term.value
