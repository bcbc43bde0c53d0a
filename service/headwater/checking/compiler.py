"""SHACL's core compiled to SPARQL, so that a whole store is checked by a few flat queries for each shape.

Each constraint becomes one query that yields only what fails, wherever SPARQL can say it exactly; what it cannot say (patterns in
Python's notation, ill-formed texts) is judged here on the values it hands over. Nested shapes are not nested queries: the set of
things that fail a nested shape is found first, over a sub-select of the things it meets, and the outer shape combines such sets.
That keeps every query flat: a `FILTER NOT EXISTS` of two or more triples is quadratic in Oxigraph (2,000 models: 3.8 s, against
0.02 s for the forms used here).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from headwater.checking.asked import Asked, asked_of
from headwater.checking.footprint import nested_shapes
from headwater.checking.order import out_of_order, unordered
from headwater.checking.paths import Path, Term, UnsupportedShape
from headwater.checking.plan import BadShapes
from headwater.checking.shapes import CONSTRAINTS, SUBCLASS, TYPE, Shape, Shapes
from headwater.checking.values import failing_values, filter_for
from headwater.terms.names import SH, XSD

Rows = Callable[[str], Iterator[tuple[object, ...]]]
"""Asks a trusted SELECT of the data graph and answers its solutions as tuples of terms."""
Pair = tuple[Term, Term]
Times = Callable[[Term], int]

_SHACL = str(SH)
_TRUE = Literal("true", datatype=XSD.boolean)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One result of checking: which thing, by which path (SPARQL's spelling, empty for the thing itself), which value, how bad
    (`severity` and `component` are IRIs), and which shape found it."""

    focus: Term
    path: str
    value: Term | None
    severity: str
    component: str
    shape: Term


@dataclass(frozen=True, slots=True)
class Domain:
    """The things that a shape is asked about: a graph pattern that binds `var`.

    `subjects_of` are predicates whose subjects are all among them.
    """

    pattern: str
    var: str
    subjects_of: frozenset[str] = frozenset()

    def deeper(self, path: Path | None) -> Domain:
        """The things at the end of a path from these, as a sub-select."""
        if path is None:
            return self
        pairs, var = self.pairs(path)
        return Domain(f"{{ SELECT DISTINCT {var} WHERE {{ {pairs} }} }}", var)

    def pairs(self, path: Path | None) -> tuple[str, str]:
        """A pattern that binds each of these together with each of its values, and the name of the values' variable."""
        if path is None:
            return self.pattern, self.var
        var = f"?n{int(self.var[2:]) + 1}"
        if (plain := path.plain()) and all(step.iri in self.subjects_of for step in plain):
            return path.triple(self.var, var), var  # whatever has a value is meant; half the time of a join
        walked = f"{self.pattern} {path.triple(self.var, var)}"
        if not path.may_stay:
            return walked, var
        # SPARQL lets a path of no length begin only at what the graph mentions; SHACL lets it begin anywhere.
        return f"{{ {walked} }} UNION {{ {self.pattern} BIND({self.var} AS {var}) }}", var


class Compiled:
    """Checks a data graph, given as a function that answers queries, against shapes.

    >>> from pyoxigraph import Quad, Store
    >>> store, me = Store(), NamedNode("urn:me")
    >>> store.add(Quad(me, NamedNode("urn:age"), Literal("old")))
    >>> shape = NamedNode("urn:shape")
    >>> said = [(SH.targetSubjectsOf, NamedNode("urn:age")), (SH.path, NamedNode("urn:age")), (SH.maxCount, Literal(0))]
    >>> shapes = Shapes(Triple(shape, predicate, value) for predicate, value in said)
    >>> [outcome.focus.value for outcome in Compiled(shapes, lambda text: map(tuple, store.query(text))).outcomes(shape)]
    ['urn:me']
    """

    def __init__(self, shapes: Shapes, rows: Rows) -> None:
        self._shapes = shapes
        self._rows = rows
        self._below: dict[str, set[str]] | None = None
        self._asked: dict[Term, list[Asked]] = {}

    def refuse_unsupported(self, node: Term) -> None:
        """Raises `UnsupportedShape` where this shape, or one that it rests on, cannot be compiled."""
        self._walk(node, ())

    def has_queries(self, node: Term) -> bool:
        """Whether a shape, or one that it rests on, brings queries of its own. Raises `UnsupportedShape`."""
        shape = self._shapes.shape(node)
        return bool(self._queries(shape)) or any(map(self.has_queries, nested_shapes(shape, self._shapes)))

    def outcomes(self, node: Term, only: Sequence[Term] | None = None) -> Iterator[Outcome]:
        """What the targets of a shape fail, or those of `only` among them. Raises `UnsupportedShape`."""
        self.refuse_unsupported(node)
        shape = self._shapes.shape(node)
        if not shape.deactivated:
            yield from self._report(shape, self.domain(shape, only), lambda _: 1)

    def domain(self, shape: Shape, only: Sequence[Term] | None = None) -> Domain:
        """The targets of a shape, or those among `only`."""
        targets, parts = shape.targets, []
        if targets.nodes:
            if any(isinstance(node, BlankNode | Triple) for node in targets.nodes):
                raise UnsupportedShape(f"{shape.node} targets a blank node.")
            parts.append(f"VALUES ?n0 {{ {_terms(targets.nodes)} }}")
        for cls in targets.classes:
            classes = sorted(self._subclasses(cls))
            parts += [f"?n0 <{TYPE}> <{classes[0]}> ." if len(classes) == 1 else _any_of(classes)]
        parts += [f"?n0 <{predicate}> ?target ." for predicate in targets.subjects_of]
        parts += [f"?target <{predicate}> ?n0 ." for predicate in targets.objects_of]
        chosen = "" if only is None else f"VALUES ?n0 {{ {_terms(only)} }} "
        if len(parts) == 1 and (targets.nodes or len(targets.classes) == 1) and "VALUES ?class" not in parts[0]:
            return Domain(chosen + parts[0], "?n0")
        union = " UNION ".join(f"{{ {chosen}{part} }}" for part in parts)
        meant = frozenset(targets.subjects_of) if only is None else frozenset()
        return Domain(f"{{ SELECT DISTINCT ?n0 WHERE {{ {union} }} }}", "?n0", meant)

    # --- results and failures

    def _report(self, shape: Shape, domain: Domain, times: Times) -> Iterator[Outcome]:
        """What the things of a domain fail; each result as often as `times` says that its focus is met."""
        if shape.deactivated:
            return
        path = shape.path.sparql() if shape.path else ""
        for component, focus, value, other in self._failures(shape, domain):
            outcome = Outcome(focus, other or path, value, shape.severity, component, shape.node)
            yield from (outcome for _ in range(times(focus)))
        for nested in shape.values("property"):
            met = times if shape.path is None else self._times(shape, domain, times)
            yield from self._report(self._shapes.shape(nested), domain.deeper(shape.path), met)

    def _times(self, shape: Shape, domain: Domain, times: Times) -> Times:
        """How often each value is met: a shape on a value is asked once for each thing that has it."""

        @cache
        def counted() -> Counter[Term]:
            count: Counter[Term] = Counter()
            for this, value in self._pairs(shape, domain):
                count[value] += times(this)
            return count

        return lambda value: counted()[value]

    def _failing(self, node: Term, domain: Domain) -> set[Term]:
        """The things of a domain that do not conform to a shape."""
        shape = self._shapes.shape(node)
        if shape.deactivated:
            return set()
        found = {focus for _, focus, _, _ in self._failures(shape, domain)}
        for nested in shape.values("property"):
            wrong = self._failing(nested, domain.deeper(shape.path))
            if wrong:
                found |= wrong if shape.path is None else {this for this, value in self._pairs(shape, domain) if value in wrong}
        return found

    def _failures(self, shape: Shape, domain: Domain) -> Iterator[tuple[str, Term, Term | None, str]]:
        """Component, focus, value and, where it is not the shape's, the path."""
        for asked in self._queries(shape):
            for focus, value, path in self._answered(asked, shape, domain):
                yield asked.component, focus, value, path
        for parameter in shape.asks:
            if parameter in CONSTRAINTS and parameter not in (SH.property.value, SH.sparql.value):
                name = parameter.removeprefix(_SHACL)
                component = f"{_SHACL}{name[0].upper()}{name[1:]}ConstraintComponent"
                for focus, value, path in self._failures_of(name, shape, domain):
                    yield component, focus, value, path

    def _failures_of(self, name: str, shape: Shape, domain: Domain) -> Iterator[tuple[Term, Term | None, str]]:
        pairs, var = domain.pairs(shape.path)
        asked = shape.values(name)
        if name in ("minCount", "maxCount"):
            yield from ((this, None, "") for limit in asked for this in self._miscounted(name, _number(limit), shape, domain))
        elif name == "uniqueLang":
            if shape.is_true(name):
                spoken = f'{{ {pairs} FILTER(isLiteral({var}) && LANG({var}) != "") }}'
                each = f"SELECT DISTINCT {domain.var} {var} (LCASE(LANG({var})) AS ?language) WHERE {spoken}"
                grouped = f"GROUP BY {domain.var} ?language HAVING(COUNT({var}) > 1)"
                text = f"SELECT {domain.var} ?language WHERE {{ {each} }} {grouped}"
                yield from ((this, None, "") for this, _ in self._terms(text))
        elif name == "hasValue":
            for term in asked:
                yield from ((this, None, "") for this in self._without_value(term, shape, domain))
        elif name in ("equals", "disjoint", "lessThan", "lessThanOrEquals"):
            for other in asked:
                yield from ((this, value, "") for this, value in self._against(name, f"<{_iri(other)}>", shape, domain))
        elif name == "closed":
            yield from self._beyond(shape, domain) if shape.is_true(name) else ()
        elif name in ("not", "and", "or", "xone", "node"):
            for term in asked:
                yield from ((this, value, "") for this, value in self._combined(name, term, shape, domain))
        elif name in ("qualifiedMinCount", "qualifiedMaxCount"):
            # Without a shape, or on a thing that has no path, the parameters make no constraint.
            asked = asked if shape.path is not None and shape.values("qualifiedValueShape") else ()
            yield from ((this, None, "") for limit in asked for this in self._qualified(name, _number(limit), shape, domain))
        else:
            yield from ((this, value, "") for this, value in self._values(name, shape, pairs, domain.var, var))

    # --- constraints on each value

    def _values(self, name: str, shape: Shape, pairs: str, this: str, var: str) -> Iterator[Pair]:
        select = f"SELECT DISTINCT {_both(this, var)} WHERE"
        if name == "class":
            for cls in shape.values(name):
                tests = "".join(f" FILTER NOT EXISTS {{ {var} <{TYPE}> <{c}> }}" for c in sorted(self._subclasses(_iri(cls))))
                yield from self._two(f"{select} {{ {pairs}{tests} }}")
            return
        lists = self._shapes.members(shape.values(name)[0]) if name in ("in", "languageIn") else ()
        for asked in (lists,) if name in ("in", "languageIn") else shape.values(name):
            condition = filter_for(name, asked, var)
            found = self._two(f"{select} {{ {pairs}{condition} }}")
            yield from failing_values(name, asked, shape.values("flags"), found)

    def _without_value(self, term: Term, shape: Shape, domain: Domain) -> Iterator[Term]:
        if isinstance(term, BlankNode | Triple):
            having = {this for this, value in self._pairs(shape, domain) if value == term}
            yield from (this for this in self._all(domain) if this not in having)
            return
        if shape.path is None:
            text = f"SELECT DISTINCT {domain.var} WHERE {{ {domain.pattern} FILTER(!sameTerm({domain.var}, {term})) }}"
        elif plain := shape.path.plain():
            # No literal is a subject, nor may one stand there in SPARQL's grammar.
            possible = [step for step in plain if step.kind == "predicate" or isinstance(term, NamedNode)]
            absent = "".join(f" FILTER NOT EXISTS {{ {step.triple(domain.var, str(term))} }}" for step in possible)
            text = f"SELECT DISTINCT {domain.var} WHERE {{ {domain.pattern}{absent} }}"
        else:
            pairs, var = domain.pairs(shape.path)
            text = (
                f"SELECT DISTINCT {domain.var} WHERE {{ {domain.pattern} MINUS {{ {pairs} FILTER(sameTerm({var}, {term})) }} }}"
            )
        yield from (row[0] for row in self._terms(text))

    # --- constraints on the set of values

    def _miscounted(self, name: str, limit: int, shape: Shape, domain: Domain) -> Iterator[Term]:
        assert shape.path is not None
        plain = shape.path.plain()
        if name == "minCount" and limit == 1 and plain:
            absent = "".join(f" FILTER NOT EXISTS {{ {step.triple(domain.var, '?any')} }}" for step in plain)
            yield from (row[0] for row in self._terms(f"SELECT DISTINCT {domain.var} WHERE {{ {domain.pattern}{absent} }}"))
            return
        if name == "minCount" and limit <= 0:
            return
        pairs, var = domain.pairs(shape.path)
        counted = f"SELECT {domain.var} WHERE {{ {pairs} }} GROUP BY {domain.var} HAVING(COUNT(DISTINCT {var})"
        if name == "maxCount":
            yield from (row[0] for row in self._terms(f"{counted} > {limit})"))
        else:
            enough = {row[0] for row in self._terms(f"{counted} >= {limit})")}
            yield from (this for this in self._all(domain) if this not in enough)

    def _qualified(self, name: str, limit: int, shape: Shape, domain: Domain) -> Iterator[Term]:
        wanted = shape.values("qualifiedValueShape")[0]
        deeper = domain.deeper(shape.path)
        wrong = self._failing(wanted, deeper)
        siblings = self._shapes.siblings(shape) if shape.is_true("qualifiedValueShapesDisjoint") else []
        others = [self._failing(sibling, deeper) for sibling in siblings]
        count: Counter[Term] = Counter()
        for this, value in self._pairs(shape, domain):
            count[this] += value not in wrong and all(value in failing for failing in others)
        if name == "qualifiedMaxCount":
            yield from (this for this, number in count.items() if number > limit)
        else:
            yield from (this for this in self._all(domain) if count[this] < limit)

    def _against(self, name: str, other: str, shape: Shape, domain: Domain) -> Iterator[Pair]:
        pairs, var = domain.pairs(shape.path)
        this, select = domain.var, f"SELECT DISTINCT {_both(domain.var, var)}"
        if name == "disjoint":
            yield from self._two(f"{select} WHERE {{ {pairs} FILTER EXISTS {{ {this} {other} {var} }} }}")
        elif name == "equals":
            yield from self._two(f"{select} WHERE {{ {pairs} FILTER NOT EXISTS {{ {this} {other} {var} }} }}")
            if shape.path is None:
                beside = f"{domain.pattern} {this} {other} ?other . FILTER(!sameTerm({this}, ?other))"
                yield from self._two(f"SELECT DISTINCT {this} ?other WHERE {{ {beside} }}")
            else:
                yield from self._two(f"{select} WHERE {{ {domain.pattern} {this} {other} {var} . MINUS {{ {pairs} }} }}")
        else:
            sign = "<" if name == "lessThan" else "<="
            late = f"{pairs} {this} {other} ?other . FILTER({unordered(var, sign, '?other')})"
            found = self._terms(f"{select} ?other WHERE {{ {late} }}")
            yield from ((focus, value) for focus, value, than in found if out_of_order(value, sign, than))

    def _beyond(self, shape: Shape, domain: Domain) -> Iterator[tuple[Term, Term | None, str]]:
        pairs, var = domain.pairs(shape.path)
        graph = self._shapes.graph
        known = [path for held in shape.values("property") for path in graph.get(held, {}).get(SH.path.value, ())]
        known += [item for head in shape.values("ignoredProperties") for item in self._shapes.members(head)]
        allowed = ", ".join(sorted({str(path) for path in known if isinstance(path, NamedNode)}))
        test = f"FILTER(?predicate NOT IN ({allowed}))" if allowed else ""
        text = f"SELECT DISTINCT {domain.var} ?predicate ?value WHERE {{ {pairs} {var} ?predicate ?value . {test} }}"
        yield from ((this, value, str(predicate)) for this, predicate, value in self._terms(text))

    # --- queries of the shapes' own

    def _queries(self, shape: Shape) -> list[Asked]:
        if shape.node not in self._asked:
            self._asked[shape.node] = asked_of(shape, self._shapes)
        return self._asked[shape.node]

    def _answered(self, asked: Asked, shape: Shape, domain: Domain) -> Iterator[tuple[Term, Term | None, str]]:
        about: list[tuple[Term, ...]]
        about = list(self._pairs(shape, domain)) if asked.holds else [(this,) for this in self._all(domain)]
        for text, some in asked.queries(about):
            solutions = list(self._rows(text))
            if asked.holds:
                right = set(solutions)
                yield from ((this, value, "") for this, value in some if (this, value) not in right)
            else:
                for solution in solutions:
                    yield self._wrong(solution, shape, some[0][0])

    def _wrong(self, solution: Sequence[object], shape: Shape, only: Term) -> tuple[Term, Term | None, str]:
        this, path, value, failure = solution
        if failure == _TRUE:
            raise BadShapes(f"The query of {shape.node} reports a failure.", remedy="See what the query says of $failure.")
        focus = this or only
        otherwise = focus if shape.path is None else None
        return focus, value or otherwise, str(path) if isinstance(path, NamedNode) else ""  # type: ignore[return-value]

    # --- logic

    def _combined(self, name: str, term: Term, shape: Shape, domain: Domain) -> Iterator[Pair]:
        deeper = domain.deeper(shape.path)
        if name in ("node", "and"):
            wrong = {
                value
                for member in (self._shapes.members(term) if name == "and" else (term,))
                for value in self._failing(member, deeper)
            }
            yield from self._among(wrong, shape, domain)
        elif name == "or":
            left: set[Term] | None = None
            for member in self._shapes.members(term):
                failing = self._failing(member, deeper) if left is None or left else left
                left = failing if left is None else left & failing
            if left is None:
                yield from self._pairs(shape, domain)
            else:
                yield from self._among(left, shape, domain)
        elif name == "not":
            wrong = self._failing(term, deeper)
            yield from ((this, value) for this, value in self._pairs(shape, domain) if value not in wrong)
        else:
            failing_sets = [self._failing(member, deeper) for member in self._shapes.members(term)]
            for this, value in self._pairs(shape, domain):
                if sum(value not in failing for failing in failing_sets) != 1:
                    yield this, value

    def _among(self, wrong: set[Term], shape: Shape, domain: Domain) -> Iterator[Pair]:
        if wrong and shape.path is None:
            yield from ((this, this) for this in wrong)
        elif wrong:
            yield from ((this, value) for this, value in self._pairs(shape, domain) if value in wrong)

    # --- asking

    def _pairs(self, shape: Shape, domain: Domain) -> Iterator[Pair]:
        pairs, var = domain.pairs(shape.path)
        yield from self._two(f"SELECT DISTINCT {_both(domain.var, var)} WHERE {{ {pairs} }}")

    def _all(self, domain: Domain) -> Iterator[Term]:
        yield from (row[0] for row in self._terms(f"SELECT DISTINCT {domain.var} WHERE {{ {domain.pattern} }}"))

    def _two(self, text: str) -> Iterator[Pair]:
        for row in self._terms(text):
            yield row[0], row[-1]

    def _terms(self, text: str) -> Iterator[tuple[Term, ...]]:
        yield from self._rows(text)  # type: ignore[misc]

    def _subclasses(self, cls: str) -> set[str]:
        if self._below is None:
            self._below = defaultdict(set)
            for lower, upper in self._terms(f"SELECT ?lower ?upper WHERE {{ ?lower <{SUBCLASS}> ?upper }}"):
                if isinstance(lower, NamedNode) and isinstance(upper, NamedNode):
                    self._below[upper.value].add(lower.value)
        found, waiting = {cls}, [cls]
        while waiting:
            more = self._below.get(waiting.pop(), set()) - found
            found |= more
            waiting += more
        return found

    def _walk(self, node: Term, above: tuple[Term, ...]) -> None:
        if node in above:
            raise UnsupportedShape(f"{node} rests on itself.")
        shape = self._shapes.shape(node)
        if shape.path is None and any(shape.values(name) for name in ("minCount", "maxCount", "uniqueLang", "lessThan")):
            raise UnsupportedShape(f"{node} counts or compares values, but has no path.")
        self._queries(shape)
        for inner in nested_shapes(shape, self._shapes):
            self._walk(inner, (*above, node))


def _both(this: str, var: str) -> str:
    """The two variables of a projection; a node shape's value is the thing itself."""
    return this if this == var else f"{this} {var}"


def _terms(terms: Iterable[Term]) -> str:
    return " ".join(map(str, terms))


def _any_of(classes: Sequence[str]) -> str:
    return f"VALUES ?class {{ {' '.join(f'<{cls}>' for cls in classes)} }} ?n0 <{TYPE}> ?class ."


def _number(term: Term) -> int:
    if not isinstance(term, Literal):
        raise UnsupportedShape(f"{term} is no number.")
    return int(term.value)


def _iri(term: Term) -> str:
    if not isinstance(term, NamedNode):
        raise UnsupportedShape(f"{term} is no IRI.")
    return term.value
