"""What a SPARQL server can do, tried out when it is opened, in scratch graphs that are emptied afterwards.

Servers differ in what they make of the standard: some cut answers without a word, some change literals, some carry out the first
half of an update that fails. What makes answers wrong or lets hidden statements through is a reason not to start; what costs
something is said in the log, by `headwater doctor` and in `/health/ready`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from pyoxigraph import Literal, NamedNode, Triple

from headwater.errors import HeadwaterError, Unavailable
from headwater.store.remote import answers, ops, spelling
from headwater.store.remote.addresses import Addresses
from headwater.store.remote.connection import Connections, StoreRefused, StoreUnreachable
from headwater.store.remote.talking import Talk
from headwater.terms.names import XSD

_SCRATCH: Final = "urn:headwater:probe:"
_PROBE_S: Final = 30.0
_OPERATION: Final = 6_000
_CAREFUL_OPERATION: Final = 1_000
_GRAPHS: Final = 1_000
_FEW_GRAPHS: Final = 400
_LEAKS: Final = "does not keep to the graphs that go with a request (default-graph-uri), so that hidden statements could be read"
_TEXTS: Final = (
    "",
    'a "quote" and a \\ backslash',
    "line\nbreak\r\ttab",
    "\u00e9 \U0001f600",
    "a\u0000b\u0001c\u000bd\ufffe",
    "x" * 100_000,
    "  blanks  ",
    "} ; DROP ALL",
)


class StoreUnfit(Unavailable):
    """The SPARQL server cannot hold Headwater's graphs: answers would be wrong, or show what is hidden."""

    title = "The triplestore is not fit for this"
    default_remedy = (
        "Use another server, or another version of it; docs/how-to/another-triplestore.md names those that were tried."
    )


@dataclass(slots=True)
class Capabilities:
    """What the probe found. `lacks` are sentences for people, `server` is what it calls itself."""

    server: str = ""
    query: str = ""
    update: str = ""
    atomic: bool = True
    """Whether an update of several operations is carried out as a whole or not at all."""
    exact: bool = True
    """Whether literals come back as the values that they are; otherwise some are kept under a datatype of our own."""
    respells: bool = False
    """Whether some values come back spelled in another way."""
    paths: bool = True
    """Whether an endless path over several predicates is answered."""
    operation: int = 20_000
    """How many statements one operation may have."""
    lacks: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """For `headwater doctor` and `/health/ready`: no secrets are in it."""
        return {
            "server": self.server,
            "query": self.query,
            "update": self.update,
            "atomic": self.atomic,
            "exact": self.exact,
            "paths": self.paths,
            "lacks": list(self.lacks),
        }


def probed(addresses: Addresses, connections: Connections) -> tuple[Talk, Capabilities]:
    """Find a server's addresses and try it out. Raises `StoreUnfit`, `StoreRefused`, `StoreUnreachable`."""
    found = Capabilities()
    query = _answering(addresses, connections, found)
    probe = _Probe(connections, query, found)
    try:
        probe.find_update(addresses)
        probe.try_all()
    finally:
        probe.tidy()
    found.query, found.update = probe.talk.query_address, probe.talk.update_address
    return probe.talk, found


def _answering(addresses: Addresses, connections: Connections, found: Capabilities) -> str:
    """The address that answers queries. The first refusal is the one to tell: it is of the address that was named."""
    first: HeadwaterError | None = None
    for address in addresses.queries():
        talk = Talk(connections, address, address)
        try:
            reply = talk.ask("ASK {}", None, deadline=time.monotonic() + _PROBE_S)
            if not answers.truth(reply, address):
                raise StoreUnfit(f"{address} says no to 'ASK {{}}'.")
        except StoreUnreachable:
            raise
        except HeadwaterError as error:
            first = first or error
            if isinstance(error, StoreRefused) and error.status_there in (401, 403):
                raise
            continue
        found.server = reply.headers.get("server", "") or ("Apache Jena Fuseki" if "fuseki-request-id" in reply.headers else "")
        return address
    assert first is not None
    raise first


class _Probe:
    def __init__(self, connections: Connections, query: str, found: Capabilities) -> None:
        self.found = found
        self.talk = Talk(connections, query, query)
        name = secrets.token_hex(8)
        self.a, self.b, self.c = (NamedNode(f"{_SCRATCH}{name}:{letter}") for letter in "abc")
        self.s, self.p, self.q = (NamedNode(f"{_SCRATCH}{letter}") for letter in "spq")
        self.name = name
        self._wrote = False

    # --- updates

    def find_update(self, addresses: Addresses) -> None:
        first: HeadwaterError | None = None
        for address in addresses.updates(self.talk.query_address):
            self.talk.update_address = address
            try:
                self._insert(
                    [(Literal("in a"), self.a), (Literal("both"), self.a), (Literal("both"), self.b), (Literal("in b"), self.b)]
                )
                self._wrote = True
                if self._values("SELECT ?o { ?s ?p ?o }", [self.a]) == ["both", "in a"]:
                    return
                if self.talk.rows(f"SELECT ?o {{ GRAPH {self.a} {{ ?s ?p ?o }} }}", None):
                    raise StoreUnfit(f"{self._who()} {_LEAKS}.")
                raise StoreRefused(f"{address} took an update, and {self.talk.query_address} does not show it.")
            except (StoreUnreachable, StoreUnfit):
                raise
            except HeadwaterError as error:
                denied = isinstance(error, StoreRefused) and error.status_there in (401, 403)
                first = error if first is None or (denied and first is not error) else first
        assert first is not None
        raise StoreRefused(
            f"No address was found that takes updates. {first.detail}",
            remedy=(
                "Let the server take updates (oxigraph serve and not serve-read-only, fuseki --update, in Virtuoso "
                "'grant SPARQL_UPDATE to \"SPARQL\"'), and name their address in store_update."
            ),
        ) from first

    def _insert(self, values: list[tuple[Literal, NamedNode]], predicate: NamedNode | None = None) -> None:
        quads = [(Triple(self.s, predicate or self.p, value), graph) for value, graph in values]
        self.talk.update(" ;\n".join(ops.data("INSERT", quads, 1_000)), seconds=_PROBE_S)

    def _values(self, text: str, graphs: list[NamedNode], named: list[NamedNode] | None = None) -> list[str]:
        found = self.talk.rows(text, [graph.value for graph in graphs], [graph.value for graph in named or []])
        return sorted(str(getattr(row[0], "value", "")) for row in found)

    def tidy(self) -> None:
        """Empty the scratch graphs, whatever was found."""
        if self._wrote:
            with suppress(HeadwaterError):
                self.talk.update(
                    " ;\n".join(f"DROP SILENT GRAPH {graph}" for graph in (self.a, self.b, self.c)), seconds=_PROBE_S
                )

    # --- what is tried

    def try_all(self) -> None:
        if "Fuseki" in self.found.server:
            self.talk.manner.timeout = "timeout"
        for shown in chain(self._datasets(), self._language()):
            raise StoreUnfit(f"{self._who()} {shown}.")
        self._whole_answers()
        self._literals()
        self._atomicity()
        self._paths()
        self._lists_of_graphs()

    def _who(self) -> str:
        return f"{self.found.server} at {self.talk.query_address}" if self.found.server else self.talk.query_address

    def _datasets(self) -> Iterator[str]:
        """Whatever way there is to a graph that was not given."""
        say = _LEAKS
        if self._values("SELECT ?o { ?s ?p ?o }", [self.a, self.b]) not in (
            ["both", "in a", "in b"],
            ["both", "both", "in a", "in b"],
        ):
            yield "does not merge the graphs that go with a request (default-graph-uri)"
        if self._values("SELECT ?o { ?s ?p ?o }", []):
            yield say
        if self._values("SELECT ?o { GRAPH ?g { ?s ?p ?o } }", [self.a], [self.b]) != ["both", "in b"]:
            yield "does not keep to the named graphs that go with a request (named-graph-uri)"
        for way in (
            f"GRAPH {self.b} {{ ?s ?p ?o }}",
            "GRAPH ?g { ?s ?p ?o }",
            "{ SELECT ?o { GRAPH ?g { ?s ?p ?o } } }",
            "?s ?p ?x FILTER EXISTS { GRAPH ?g { ?a ?b 'in b' } } BIND('in b' AS ?o)",
            f"VALUES ?g {{ {self.b} }} GRAPH ?g {{ ?s ?p ?o }}",
            f"OPTIONAL {{ GRAPH {self.b} {{ ?s ?p ?o }} }}",
            f"{self.s} ?p ?x MINUS {{ GRAPH ?g {{ ?s ?p ?x }} }} BIND('kept' AS ?o)",
        ):
            shown = set(self._values(f"SELECT ?o {{ {way} }}", [self.a])) - {"in a", "both", "", "kept"}
            if shown:
                yield say
        if self.talk.truth("ASK { ?s ?p 'in b' }", [self.a.value]) or not self.talk.truth("ASK { ?s ?p 'in a' }", [self.a.value]):
            yield say
        text = "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }"
        if {str(triple.object) for triple in self.talk.triples(text, [self.a.value])} != {'"in a"', '"both"'}:
            yield say

    def _language(self) -> Iterator[str]:
        """The parts of SPARQL 1.1 that Headwater's own questions use."""
        for part, text, expected in (
            (
                "EXISTS",
                "SELECT ?o { ?s ?p ?o FILTER EXISTS { ?s ?p 'in a' } FILTER NOT EXISTS { ?s ?p 'in b' } }",
                ["both", "in a"],
            ),
            ("NOT EXISTS", "SELECT ?o { ?s ?p ?o FILTER NOT EXISTS { ?s ?p ?x FILTER(STR(?x) < STR(?o)) } }", ["both"]),
            ("VALUES", "SELECT ?o { VALUES ?o { 'in a' 'none' } ?s ?p ?o }", ["in a"]),
            ("BIND", "SELECT ?v { ?s ?p ?o BIND(STRLEN(?o) + 1 AS ?v) }", ["5", "5"]),
            ("GROUP BY", "SELECT (COUNT(?o) AS ?n) { ?s ?p ?o } GROUP BY ?s", ["2"]),
            ("OPTIONAL", "SELECT ?o { ?s ?p ?o OPTIONAL { ?o ?s ?none } FILTER(!BOUND(?none)) }", ["both", "in a"]),
        ):
            try:
                right = self._values(text, [self.a]) == expected
            except HeadwaterError:
                right = False
            if not right:
                yield f"does not answer {part} rightly"
        # Virtuoso finds nothing where the variable stands in the pattern as well as in the filter.
        text = "SELECT ?o { ?s ?p ?o FILTER NOT EXISTS { ?s ?p ?o FILTER(?o = 'both') } }"
        if self._values(text, [self.a]) != ["in a"]:
            self.found.lacks.append("It answers EXISTS wrongly where a FILTER within looks at a variable from outside.")

    def _whole_answers(self) -> None:
        numbers = " ".join(str(number) for number in range(120))
        found = self.talk.rows(f"SELECT ?a ?b {{ VALUES ?a {{ {numbers} }} VALUES ?b {{ {numbers} }} }}", [self.a.value])
        if len(found) != 120 * 120:
            raise StoreUnfit(
                f"{self._who()} gives {len(found)} of {120 * 120:,} rows and does not say so.",
                remedy="Raise the server's limit on rows (in Virtuoso ResultSetMaxRows), and start again.",
            )

    def _literals(self) -> None:
        strings = [Literal(text) for text in _TEXTS] + [
            Literal("hallo", language="de"),
            Literal("1", datatype=NamedNode("urn:type")),
        ]
        values = [
            Literal("123456789012345678901234", datatype=XSD.integer),
            Literal("x", datatype=XSD.integer),
            Literal("0.123456789012345678", datatype=XSD.decimal),
            Literal("2020-01-02T03:04:05.123456789Z", datatype=XSD.dateTime),
            Literal("yesterday", datatype=XSD.dateTime),
            Literal("P1D", datatype=XSD.dayTimeDuration),
        ]
        plain = [Literal(True), Literal("0.1", datatype=XSD.double), Literal("1.0E-7", datatype=XSD.double)]
        everything = [*strings, *values, *plain]
        stored = self._stored(everything)
        changed = [one for one in everything if spelling.read(stored.get(one)) != spelling.read(one)]
        lost = [one for one in changed if one in strings]
        if lost:
            self.found.lacks.append(f"It changes texts (such as {lost[0].value[:20]!r}).")
        self.found.exact = changed == lost
        self.found.respells = any(stored.get(one) != spelling.read(one) for one in plain)
        if not self.found.exact:
            self.found.lacks.append(
                "It changes or refuses some values (long integers and decimals, parts of a microsecond, malformed ones): they "
                "are kept under datatypes of our own (…#exact-decimal and the like), and a SPARQL text finds them only by STR()."
            )

    def _stored(self, literals: list[Literal]) -> dict[Literal, object]:
        """Literals as they come back, in the server's own spelling; those that it refuses are not among them."""
        by_name = {NamedNode(f"{_SCRATCH}literal:{number}"): one for number, one in enumerate(literals)}
        quads = [(Triple(self.s, name, one), self.c) for name, one in by_name.items()]
        try:
            self.talk.update(next(ops.data("INSERT", quads, len(quads))), seconds=_PROBE_S)
        except StoreRefused:
            for quad in quads:
                with suppress(StoreRefused):
                    self.talk.update(next(ops.data("INSERT", [quad], 1)), seconds=_PROBE_S)
        reply = self.talk.ask(f"SELECT ?p ?o {{ {self.s} ?p ?o }}", [self.c.value])
        rows = [tuple(row) for row in answers.solutions(reply, self.talk.query_address, exact=False, respell=False)]
        return {by_name[name]: value for name, value in rows if name in by_name}

    def _atomicity(self) -> None:
        """Whether what stands before a failing operation is taken back; and how much one operation may hold."""
        many = [(Triple(self.s, self.q, Literal(f"number {number}")), self.c) for number in range(_OPERATION)]
        try:
            self.talk.update(next(ops.data("INSERT", many, _OPERATION)), seconds=_PROBE_S)
        except StoreRefused:
            self.found.operation = _CAREFUL_OPERATION
            self.found.lacks.append(
                f"It takes only some thousand statements at a time: writes go in lists of {_CAREFUL_OPERATION:,}."
            )
        mark = Triple(self.s, self.p, Literal("half"))
        text = " ;\n".join(
            [*ops.data("INSERT", [(mark, self.c)], 1), f"LOAD <http://127.0.0.1:9/{self.name}> INTO GRAPH {self.c}"]
        )
        try:
            self.talk.update(text, seconds=_PROBE_S)
            failed = False
        except StoreRefused:
            failed = True
        # One that fetches nothing and says nothing is not known to take anything back either.
        self.found.atomic = failed and not self.talk.truth("ASK { ?s ?p 'half' }", [self.c.value])
        if not self.found.atomic:
            self.found.lacks.append(
                "An update that fails keeps its first half: writes go in an order that the next start can mend, and readers may "
                "see one that is under way."
            )

    def _paths(self) -> None:
        """A diamond and a circle: paths come together again, and never end."""
        nodes = [NamedNode(f"{_SCRATCH}n{number}") for number in range(40)]
        quads = []
        for number in range(0, 36, 3):
            top, left, right, below = nodes[number : number + 4]
            quads += [
                (Triple(top, self.p, left), self.c),
                (Triple(top, self.q, right), self.c),
                (Triple(left, self.q, below), self.c),
                (Triple(right, self.p, below), self.c),
            ]
        quads.append((Triple(nodes[36], self.p, nodes[0]), self.c))
        self.talk.update(" ;\n".join(ops.data("INSERT", quads, 1_000)), seconds=_PROBE_S)
        try:
            text = f"SELECT DISTINCT ?o {{ {nodes[0]} ({self.p}|{self.q})+ ?o FILTER(ISIRI(?o)) }}"
            reply = self.talk.ask(text, [self.c.value], deadline=time.monotonic() + 10.0)
            self.found.paths = len(answers.rows(reply, self.talk.query_address)) == 37
        except HeadwaterError:
            self.found.paths = False
        if not self.found.paths:
            self.found.lacks.append(
                "It does not answer endless paths over several predicates rightly: ask for lineage by hw:upstreamOf and its kin, "
                "which the index answers."
            )

    def _lists_of_graphs(self) -> None:
        names = [f"{_SCRATCH}{self.name}:graph:{number}" for number in range(_GRAPHS)]
        try:
            reply = self.talk.ask(
                "SELECT ?o { GRAPH ?g { ?s ?p ?o } }", [self.a.value], [*names, self.b.value], deadline=time.monotonic() + 5.0
            )
            taken = len(answers.rows(reply, self.talk.query_address)) == 2
        except HeadwaterError:
            taken = False
        if not taken:
            self.talk.manner.most_graphs = _FEW_GRAPHS
            self.found.lacks.append(
                f"It takes no long lists of graphs beside a query: from {_FEW_GRAPHS} records on, queries with GRAPH are slow."
            )
