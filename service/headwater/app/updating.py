"""Writing by SPARQL: updates and whole graphs, which are records like any other: through the gate, into the ledger.

A named graph is the record of its IRI, and the unnamed graph is a record too. What a text would change is worked out in the
sandbox on copies of the graphs that it names; the graphs that come out different are then written in one transaction.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property

from pyoxigraph import NamedNode, RdfFormat, Triple, parse

from headwater import __version__
from headwater.access import Reader
from headwater.access.levels import level
from headwater.app.querying import Querying
from headwater.app.report import RecordOutcome
from headwater.app.writing import Importing, Overtaken
from headwater.errors import BadParameter, BadQuery, Conflict, Forbidden, HeadwaterError, NotFound
from headwater.ledger.ledger import Revision
from headwater.records.draft import Draft
from headwater.store.guard import guard
from headwater.store.reading import Clauses
from headwater.store.rewriting import footprint, using
from headwater.store.sandbox import scratch
from headwater.terms.minting import is_entailed

_ATTEMPTS = 20
_LONGEST_S = 3600.0
"""How long, at most, the addresses hold that stand for what an update asks elsewhere: it may have to be worked out again."""
_EVIDENCE = "asserted"


@dataclass(frozen=True, slots=True)
class Written:
    """What a write by SPARQL did: the ledger's sequence number afterwards, and what became of each graph."""

    sequence: int
    outcomes: Sequence[RecordOutcome]

    def as_dict(self) -> dict[str, object]:
        return {"sequence": self.sequence, "graphs": [outcome.as_dict() for outcome in self.outcomes]}


class Updating(Querying):
    """SPARQL 1.1 Update and the operations of the Graph Store Protocol."""

    @property
    def unnamed_graph(self) -> str:
        """The record that is the unnamed graph of updates and of the graph store."""
        return f"{self.mint.base}graph/unnamed"

    @cached_property
    def _updating(self) -> threading.Lock:
        return threading.Lock()

    def update(
        self,
        text: str,
        writer: Reader,
        *,
        dataset: Clauses | None = None,
        base: str = "",
        visibility: str | None = None,
    ) -> Written:
        """Carry out a SPARQL update, all of it or nothing.

        Raises `BadQuery` for a text that does not parse or may not be run, `RejectedByGate` where the gate refuses what would
        come of it, `Forbidden` where the writer's scope does not reach so far, `TooLarge` where it may touch too much.
        """
        words = guard(text, self.settings.max_update_length, self.federation.words)
        named = footprint(text, base)
        if named.everything and not writer.may("admin"):
            raise Forbidden(
                "Clearing all graphs needs a token with scope 'admin'.",
                remedy="Name the graphs, or use a token with scope 'admin'.",
            )
        text = using(text, dataset) if dataset else text
        touched = named.iris | {*(dataset.default if dataset else ()), *(dataset.named if dataset else ())}
        if "LOAD" in words:
            self._parses(text, base)
            text = self.federation.loaded(text, base)
        text, lease = self.federation.lent(text, base, time.monotonic() + _LONGEST_S)
        # One at a time: what others would work out meanwhile would be overtaken.
        with self._updating, closing(lease):
            for _ in range(_ATTEMPTS):
                copied, most = self._copied(touched, named.any_graph, writer), self.settings.max_update_statements
                try:
                    stream = self.sandbox.update(text, copied, most, base=base)
                    self._standing(stream.sequence)
                    changed = list(scratch.changes(stream.body()))
                except HeadwaterError as error:
                    raise lease.meant(error) from None
                try:
                    return self._write(changed, writer, visibility, after=stream.sequence)
                except Overtaken:
                    # An import came in between: once more, on what is there now.
                    continue
        raise Overtaken(
            f"The update was worked out {_ATTEMPTS} times, and each time somebody else had written before it was done.",
            remedy="Try again when there is less writing.",
        )

    def _parses(self, text: str, base: str) -> None:
        """Raises `BadQuery` for a text that does not parse, before anything is fetched for it."""
        text, lease = self.federation.lent(self.federation.loaded(text, base, blank=True), base, 0.0)
        lease.close()
        try:
            self.sandbox.update(text, {}, 0, base=base).body()
        except BadQuery as error:
            # What it asks of nobody, and finds in no graph, may well fail.
            if error.detail.startswith("The update does not parse"):
                raise

    def _copied(self, touched: frozenset[str], any_graph: bool, writer: Reader) -> dict[str, str]:
        """The graphs that an update works on, by the names that it knows them by."""
        seen = self.visible_graphs(writer)
        names = set(seen) if any_graph else touched & seen.keys()
        views = {graph.value for graph in self.views.graphs(internal=writer.internal, projects=writer.projects)}
        names |= touched & (views | {self.views.public.value})
        return {"": self.unnamed_graph} | {name: name for name in names if name != self.unnamed_graph}

    def _write(
        self, changed: Sequence[tuple[str, bool, bytes]], writer: Reader, visibility: str | None, *, after: int | None
    ) -> Written:
        drafts, gone = [], []
        for name, there, body in changed:
            iri = name or self.unnamed_graph
            self._not_ours(iri)
            head = self.ledger.head(iri)
            present = head is not None and head.act == "write" and writer.sees(head.visibility)
            if there and body:
                triples = [quad.triple for quad in parse(body, format=RdfFormat.N_TRIPLES)]
                drafts.append(self._draft(iri, triples, head, writer, visibility))
            elif present:
                gone.append(iri)
        by = self._by("sparql", writer)
        outcomes = self._writer.commit(drafts, gone, by, "emptied by a SPARQL update", after)
        self._tombstones.forget()
        return Written(self.sequence, outcomes)

    def _not_ours(self, iri: str) -> None:
        if self.views.is_view(NamedNode(iri)) or is_entailed(iri):
            raise BadParameter(
                f"<{iri}> is made by Headwater from what records say, and cannot be written.",
                parameter="graph",
                remedy="Write the graph of a record; the views follow.",
            )

    def _draft(
        self, iri: str, triples: list[Triple], head: Revision | None, writer: Reader, visibility: str | None
    ) -> tuple[Draft, str]:
        if head is not None and not writer.sees(head.visibility):
            # Said without its visibility: that is not his to know.
            raise Conflict(f"The name <{iri}> is taken.", remedy="Give the graph another name.")
        if visibility is None:
            known = head is not None and head.act == "write"
            visibility = head.visibility if known and head is not None else self.settings.default_visibility
        word = level(visibility)
        if not writer.sees(word):
            raise Forbidden(f"Records with the visibility '{word}' are not yours to write.")
        title = "the unnamed graph" if iri == self.unnamed_graph else head.title if head is not None else iri
        return Draft(iri, iri, title, triples), word

    @staticmethod
    def _by(way: str, writer: Reader) -> Importing:
        return Importing(way, __version__, _EVIDENCE, writer.name, writer.sees)

    # --- whole graphs

    def graph_head(self, name: str | None, reader: Reader) -> Revision | None:
        """The present revision of a graph (None: the unnamed one), or None where the reader sees none."""
        head = self.ledger.head(name or self.unnamed_graph)
        return head if head is not None and head.act == "write" and reader.sees(head.visibility) else None

    def graph_statements(self, head: Revision) -> list[Triple]:
        """What a graph asserts, as the ledger holds it."""
        entry = self.ledger.entry(head.sequence)
        return [] if entry is None else entry.draft().triples

    def put_graph(
        self,
        name: str | None,
        triples: list[Triple],
        writer: Reader,
        *,
        merge: bool = False,
        visibility: str | None = None,
        expected: str | None = None,
    ) -> RecordOutcome:
        """Replace a graph by `triples`, or `merge` them into it. `expected` is the digest that the graph must have.

        Raises `Overtaken` where it has another one, and what `update` raises.
        """
        iri = name or self.unnamed_graph
        self._not_ours(iri)
        for _ in range(_ATTEMPTS):
            after = self.ledger.last_sequence()
            head = self.graph_head(iri, writer)
            if expected is not None and (head is None or head.digest != expected):
                raise Overtaken(f"The graph <{iri}> is not in the state that the request expects.")
            whole = triples
            if merge and head is not None:
                whole = list(dict.fromkeys([*self.graph_statements(head), *triples]))
            draft = self._draft(iri, whole, self.ledger.head(iri), writer, visibility)
            try:
                outcome = self._writer.commit([draft], [], self._by("graph-store", writer), "", after)[0]
            except Overtaken:
                continue
            self._tombstones.forget()
            # A graph that was withdrawn and is written again is new to whoever asks for it.
            return outcome if head is not None else replace(outcome, status="created")
        raise Overtaken(f"The graph <{iri}> was written by others {_ATTEMPTS} times in a row.", remedy="Try again.")

    def drop_graph(self, name: str | None, writer: Reader, *, expected: str | None = None) -> RecordOutcome:
        """Withdraw a graph's record. Raises `NotFound` where the writer sees none, `Overtaken` as `put_graph` does."""
        iri = name or self.unnamed_graph
        self._not_ours(iri)
        head = self.graph_head(iri, writer)
        if head is None:
            raise NotFound(f"There is no graph <{iri}>.", remedy="Ask for the graphs with SELECT DISTINCT ?g { GRAPH ?g { } }.")
        if expected is not None and head.digest != expected:
            raise Overtaken(f"The graph <{iri}> is not in the state that the request expects.")
        outcome = self._writer.commit([], [iri], self._by("graph-store", writer), "deleted through the graph store", None)[0]
        self._tombstones.forget()
        return outcome
