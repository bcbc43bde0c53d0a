"""What pyshacl sees of a store: the terms as they are written, in the order that SPARQL gives them, and no text with statements.

pyshacl 0.40.1 reads an Oxigraph store through rdflib, which changes what the recommendation asks about: it spells literals anew
(`"2011-01-01"^^xsd:dateTime` as midnight), holds `"c"^^xsd:byte` to be well formed, and orders values of different kinds by the
names of their datatypes. The view given here repairs that from outside; nothing of rdflib or pyshacl is replaced.
"""

from __future__ import annotations

import ctypes
import datetime
import math
from collections.abc import Callable, Generator
from decimal import Decimal
from typing import Any

import rdflib
from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, QueryBoolean, QuerySolutions, Triple
from pyshacl.graph_abstraction import OxigraphDataGraph, to_ox
from rdflib.query import Result
from rdflib.term import Node

from headwater.checking.literals import is_checked, well_formed
from headwater.checking.prebinding import values, with_clause
from headwater.checking.report import lenient_iri
from headwater.terms.names import XSD

Term = NamedNode | BlankNode | Literal | Triple

_FURTHEST_ZONE = datetime.timedelta(hours=14)


class Moment(datetime.datetime):
    """A time that pyshacl compares by its literal: of a plain `datetime` it takes the value, where a zone too few raises."""


_READ: dict[str, Callable[[str], Any]] = {
    XSD.boolean.value: lambda text: text in ("true", "1"),
    XSD.integer.value: int,
    XSD.decimal.value: Decimal,
    XSD.double.value: float,
    XSD.float.value: lambda text: _single(float(text)),
    XSD.date.value: lambda text: Moment.fromisoformat(f"{text[:10]}T00:00:00{text[10:]}"),
    XSD.dateTime.value: Moment.fromisoformat,
    XSD.time.value: datetime.time.fromisoformat,
}
"""How values are read. rdflib would expand the entities of XML literals and load parsers for HTML."""
_LONGEST = 4_000
"""Longer texts are not read: Python takes its time with long numbers."""


class Spoken(str):
    """A text with a language, which SPARQL puts in no order with any other."""

    def __lt__(self, _: object) -> bool:
        return False

    __le__ = __gt__ = __ge__ = __lt__


class Written(rdflib.Literal):
    """A literal for rdflib, spelled as it was written.

    Its `value` is None where XML Schema calls the text ill formed, and comparing it follows SPARQL: only numbers with numbers,
    and otherwise values of one datatype, have an order. `term` is the literal for pyoxigraph.

    >>> Written(Literal("01", datatype=XSD.integer)).n3()
    '"01"^^<http://www.w3.org/2001/XMLSchema#integer>'
    >>> Written(Literal("c", datatype=XSD.byte)).ill_typed
    True
    """

    term: Literal
    _known: tuple[Any] | None

    def __new__(cls, term: Literal) -> Written:
        # Without a datatype, so that rdflib does not read the text.
        self: Written = super().__new__(cls, term.value)
        self.term = term
        self._known = None
        return self

    @property
    def datatype(self) -> rdflib.URIRef | None:
        return None if self.term.language else rdflib.URIRef(self.term.datatype.value)

    @property
    def language(self) -> str | None:
        return self.term.language

    @property
    def ill_typed(self) -> bool | None:
        kind = self.term.datatype.value
        return not well_formed(self.term.value, kind) if is_checked(kind) else None

    @property
    def value(self) -> Any:
        if self._known is None:
            self._known = (self._value_of(),)
        return self._known[0]

    def _value_of(self) -> Any:
        text, kind = self.term.value, self.term.datatype.value
        if self.term.language:
            return Spoken(text)
        if kind == XSD.string.value:
            return text
        read = _READ.get(kind)
        if read is None or len(text) > _LONGEST or self.ill_typed:
            return None
        try:
            return read(text)
        except ValueError:  # the year 10000, 24:00:00: well formed, and beyond Python's calendar
            return None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, rdflib.Literal) and to_pyoxigraph(other) == self.term

    def __hash__(self) -> int:
        return hash(self.term)

    def eq(self, other: Any) -> bool:
        """Whether two values are the same. Raises `TypeError` where they have no order, which pyshacl takes for a failure."""
        return self._compared(other) == 0

    def __lt__(self, other: Any) -> bool:
        return self._is(other, lambda order: order < 0)

    def __le__(self, other: Any) -> bool:
        return self._is(other, lambda order: order <= 0)

    def __gt__(self, other: Any) -> bool:
        return self._is(other, lambda order: order > 0)

    def __ge__(self, other: Any) -> bool:
        return self._is(other, lambda order: order >= 0)

    def _is(self, other: Any, wanted: Callable[[int], bool]) -> bool:
        try:
            return wanted(self._compared(other))
        except TypeError:
            return False

    def _compared(self, other: Any) -> int:
        if not isinstance(other, Written) or self.value is None or other.value is None:
            raise TypeError("one of the two has no value")
        one, two = _number(self.value), _number(other.value)
        if one is None and two is None and self.term.datatype == other.term.datatype and not self.language and not other.language:
            one, two = self.value, other.value
        if one is None or two is None:
            raise TypeError("the two are of different kinds")
        if isinstance(one, float) or isinstance(two, float):
            one, two = float(one), float(two)
            kinds = {self.term.datatype, other.term.datatype}
            if XSD.float in kinds and XSD.double not in kinds:
                one, two = _single(one), _single(two)
            if math.isnan(one) or math.isnan(two):
                raise TypeError("NaN has no order")
        if isinstance(one, Moment) and isinstance(two, Moment) and (one.tzinfo is None) is not (two.tzinfo is None):
            return _half_zoned(one, two)
        return int(one > two) - int(one < two)


def _number(value: Any) -> Any:
    return value if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else None


def _single(number: float) -> float:
    """A number in the 32 bits of an xsd:float."""
    return ctypes.c_float(number).value


def _half_zoned(one: datetime.datetime, two: datetime.datetime) -> int:
    """XML Schema orders times of which one has no zone where they lie further apart than zones do."""
    apart = _instant(one) - _instant(two)
    if abs(apart) <= _FURTHEST_ZONE:
        raise TypeError("one of the two times has no zone")
    return 1 if apart > datetime.timedelta() else -1


def _instant(time: datetime.datetime) -> datetime.datetime:
    zone = time.utcoffset()
    return time.replace(tzinfo=None) - (zone or datetime.timedelta())


_NOTHING = rdflib.Graph(bind_namespaces="none")


class DataGraph(OxigraphDataGraph):
    """pyshacl's view of an Oxigraph store, repaired.

    pyshacl writes `datagraph or sg` for every result, and Python answers that by `__len__`, which counts all triples of the
    store: 10,000 triples took 111 s instead of 0.9 s.
    """

    def __bool__(self) -> bool:
        return True

    def objects(self, subject: Any, predicate: Any, *_: object) -> Generator[Any, None, None]:  # type: ignore[override]
        """The values. A text has none: pyshacl raises there."""
        if not isinstance(subject, rdflib.Literal):
            yield from (to_rdflib(quad.object) for quad in self._quads(to_ox(subject), to_ox(predicate)))

    def predicate_objects(self, subject: Any, *_: object) -> Generator[Any, None, None]:  # type: ignore[override]
        """All that is said of a thing; of a text, nothing."""
        if not isinstance(subject, rdflib.Literal):
            yield from ((rdflib.URIRef(q.predicate.value), to_rdflib(q.object)) for q in self._quads(to_ox(subject), None))

    def subject_objects(self, predicate: Any, *_: object) -> Generator[Any, None, None]:  # type: ignore[override]
        """All pairs that a predicate links."""
        yield from ((to_rdflib(quad.subject), to_rdflib(quad.object)) for quad in self._quads(None, to_ox(predicate)))

    def subjects(self, predicate: Any, object_: Any, *_: object) -> Generator[Any, None, None]:  # type: ignore[override]
        """Who has a value."""
        value = to_ox(object_) if not isinstance(object_, Written) else object_.term
        yield from (to_rdflib(quad.subject) for quad in self._quads(None, to_ox(predicate), value))

    def quads(self, *_: object) -> Generator[Any, None, None]:
        """Where pyshacl looks up a blank node to describe it in words that nobody reads: a graph that says nothing of it."""
        yield None, None, None, _NOTHING

    def _quads(self, subject: Any, predicate: Any, value: Any = None) -> Generator[Quad, None, None]:
        graph = None if self._default_union else DefaultGraph()
        yield from self.impl.quads_for_pattern(subject, predicate, value, graph)

    def query(  # type: ignore[override]
        self,
        query_object: str,
        *_: object,
        initBindings: dict[str, Node] | None = None,
        **__: object,
    ) -> Result:
        """A query with what pyshacl binds beforehand written into each of its groups.

        Oxigraph binds variables of the projection only, and not in a FILTER, a BIND or a group of its own.
        """
        functions: dict[NamedNode, Any] = {}
        clauses = []
        for name, node in (initBindings or {}).items():
            term = to_pyoxigraph(node)
            if isinstance(term, BlankNode):
                # A blank node of the data cannot be written in a query, so that a function hands it over.
                function = NamedNode(f"urn:headwater:bound:{name}")
                functions[function] = lambda term=term: term
                clauses.append(f"BIND({function}() AS ?{name})")
            else:
                clauses.append(values([name], [[str(term)]]))
        answer = self.impl.query(with_clause(query_object, " ".join(clauses)), custom_functions=functions)
        if isinstance(answer, QueryBoolean):
            result = Result("ASK")
            result.askAnswer = bool(answer)
            return result
        assert isinstance(answer, QuerySolutions)
        result = Result("SELECT")
        result.vars = [rdflib.Variable(variable.value) for variable in answer.variables]
        result.bindings = [
            {name: to_rdflib(term) for name, term in zip(result.vars, row, strict=True) if term is not None} for row in answer
        ]
        return result


def to_rdflib(term: Term) -> Any:
    """A term as rdflib has it; a literal is `Written`."""
    if isinstance(term, NamedNode):
        return rdflib.URIRef(term.value)
    if isinstance(term, BlankNode):
        return rdflib.BNode(term.value)
    assert isinstance(term, Literal)
    return Written(term)


def to_pyoxigraph(term: Node) -> NamedNode | BlankNode | Literal:
    """A term as pyoxigraph has it.

    >>> to_pyoxigraph(rdflib.URIRef("urn:a"))
    <NamedNode value=urn:a>
    """
    if isinstance(term, Written):
        return term.term
    if isinstance(term, rdflib.URIRef):
        return lenient_iri(str(term))
    if isinstance(term, rdflib.Literal):
        if term.language:
            return Literal(str(term), language=term.language)
        return Literal(str(term), datatype=lenient_iri(str(term.datatype or XSD.string.value)))
    return BlankNode(str(term))
