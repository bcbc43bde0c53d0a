"""SPARQL, a stranger's own or a question of `queries/`, on what a reader may see."""

from __future__ import annotations

from collections.abc import Mapping

from pyoxigraph import NamedNode

from headwater.access import Reader
from headwater.app.opened import Opened
from headwater.questions.catalogue import bind, find
from headwater.store.guard import guard


class Querying(Opened):
    """Queries of the graph."""

    def query(self, text: str, reader: Reader, media_type: str | None = None) -> tuple[bytes, str]:
        """Answer a stranger's SPARQL query on what the reader may see. Raises `BadQuery`, `TooLarge`, `NotAcceptable`."""
        words = guard(text, self.settings.max_query_length)
        named: list[NamedNode] = []
        if words & {"GRAPH", "NAMED"}:
            named = [NamedNode(record) for record in self._visible_records(reader)]
        graphs = self.views.graphs(internal=reader.internal, projects=reader.projects)
        answer = self._store.query(text, graphs, named=named, accept=media_type, max_bytes=self.settings.max_answer_mb * 2**20)
        return answer.body, answer.media_type

    def _visible_records(self, reader: Reader) -> list[str]:
        return [iri for iri, visibility in self._index.records() if reader.sees(visibility)]

    def ask(self, name: str, params: Mapping[str, str], reader: Reader, media_type: str | None = None) -> tuple[bytes, str]:
        """Answer a question of `queries/`. Parameters that name things may be any identifier."""
        question = find(self.questions, name)
        given = bind(question, params, lambda identifier: self.resolve(identifier, reader))
        graphs = self.views.graphs(internal=reader.internal, projects=reader.projects)
        answer = self._store.query(question.text, graphs, accept=media_type, bindings=given)
        return answer.body, answer.media_type
