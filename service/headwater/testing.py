"""For those who bring a triplestore of their own: the test class that says whether Headwater can rely on it.

    from headwater.testing import TripleStoreConformance

    class TestMyStore(TripleStoreConformance):
        @pytest.fixture
        def store(self):
            store = MyStore(...)
            yield store
            store.close()

        def reopen(self, store):            # only for a store that outlives its process
            store.close()
            return MyStore(...)

Every test gets an empty store. Run it with pytest; it needs no network and no order. A store that passes may be registered in the
entry-point group `headwater.stores`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad, QueryResultsFormat, RdfFormat, Triple, parse, parse_query_results

from headwater.errors import BadQuery, NotAcceptable, TooLarge
from headwater.store.protocol import STATE, NoSnapshots, TripleStore

__all__ = ["TripleStoreConformance"]

A, B, C = (NamedNode(f"urn:view:{name}") for name in "abc")
S, P, Q = NamedNode("urn:s"), NamedNode("urn:p"), NamedNode("urn:q")
_TABLES = {
    "application/sparql-results+json": QueryResultsFormat.JSON,
    "application/sparql-results+xml": QueryResultsFormat.XML,
    "application/json": QueryResultsFormat.JSON,
    "application/xml": QueryResultsFormat.XML,
    "text/csv": QueryResultsFormat.CSV,
    "text/tab-separated-values": QueryResultsFormat.TSV,
}
_GRAPHS = {
    "text/turtle": RdfFormat.TURTLE,
    "application/n-triples": RdfFormat.N_TRIPLES,
    "application/rdf+xml": RdfFormat.RDF_XML,
    "application/ld+json": RdfFormat.JSON_LD,
    "application/trig": RdfFormat.TRIG,
    "application/n-quads": RdfFormat.N_QUADS,
}


def _quad(word: str, graph: NamedNode, predicate: NamedNode = P) -> Quad:
    return Quad(S, predicate, Literal(word), graph)


def _values(store: TripleStore, text: str, graphs: list[NamedNode], **options: object) -> list[str]:
    """The values of ?o in a query's answer, sorted."""
    answer = store.query(text, graphs, **options)  # type: ignore[arg-type]
    bindings = json.loads(answer.body)["results"]["bindings"]
    return sorted(row["o"]["value"] for row in bindings if "o" in row)


class TripleStoreConformance:
    """What every `headwater.store.protocol.TripleStore` has to do. Inherit from it and give the fixture `store`."""

    @pytest.fixture
    def store(self) -> Iterator[TripleStore]:
        """An empty store, closed after the test."""
        raise NotImplementedError("give a fixture 'store' that yields an empty store and closes it afterwards")

    def reopen(self, store: TripleStore) -> TripleStore | None:  # noqa: ARG002 (for those who keep something)
        """Close a store and open what it kept; None for one that keeps nothing."""
        return None

    @pytest.fixture
    def filled(self, store: TripleStore) -> TripleStore:
        """Three graphs with one statement each, and one statement that two of them share."""
        shared = [_quad("shared", A), _quad("shared", B)]
        store.change([], [_quad("in a", A), _quad("in b", B), _quad("in c", C), *shared], 5)
        return store

    # --- how far it has come

    def test_an_empty_store_stands_at_nothing(self, store: TripleStore) -> None:
        assert store.sequence() == 0
        assert store.ontology() is None
        assert list(store.quads()) == []

    def test_a_change_moves_the_sequence_number_to_what_it_says(self, store: TripleStore) -> None:
        for number in (1, 2, 7):
            store.change([], [_quad(str(number), A)], number)
            assert store.sequence() == number

    def test_a_change_without_statements_moves_it_too(self, store: TripleStore) -> None:
        store.change([], [], 3)
        store.change([], [], 4)
        assert store.sequence() == 4

    def test_there_is_one_sequence_number_at_any_time(self, store: TripleStore) -> None:
        for number in range(1, 6):
            store.change([], [_quad("x", A)], number)
        marks = [quad for quad in store.quads() if quad.graph_name == STATE]
        assert len(marks) <= 1

    # --- writing

    def test_a_change_removes_and_adds(self, filled: TripleStore) -> None:
        filled.change([_quad("in a", A)], [_quad("new", A)], 6)
        assert {str(triple.object) for triple in filled.graph(A)} == {'"new"', '"shared"'}

    def test_what_is_removed_and_added_in_one_change_stands_afterwards(self, filled: TripleStore) -> None:
        filled.change([_quad("in a", A)], [_quad("in a", A)], 6)
        assert Triple(S, P, Literal("in a")) in list(filled.graph(A))

    def test_removing_takes_a_statement_from_the_named_graph_only(self, filled: TripleStore) -> None:
        filled.change([_quad("shared", A)], [], 6)
        assert list(filled.graphs_with(Triple(S, P, Literal("shared")))) == [B]

    def test_a_change_made_twice_changes_nothing(self, filled: TripleStore) -> None:
        for _ in range(2):
            filled.change([_quad("in a", A)], [_quad("new", B)], 6)
        assert len(list(filled.graph(B))) == 3
        assert filled.sequence() == 6

    def test_removing_what_is_not_there_is_no_error(self, store: TripleStore) -> None:
        store.change([_quad("never", A)], [], 1)
        assert list(store.graph(A)) == []

    def test_a_change_that_fails_leaves_no_trace(self, filled: TripleStore) -> None:
        before = set(filled.quads())
        broken: list[Quad] = [_quad("half", A), "no statement"]  # type: ignore[list-item]
        with pytest.raises(Exception, match=r".*"):
            filled.change([_quad("in a", A)], broken, 6)
        assert set(filled.quads()) == before
        assert filled.sequence() == 5

    def test_every_sort_of_literal_comes_back(self, store: TripleStore) -> None:
        words = [
            "",
            'a "quote"',
            "line\nbreak\r\ttab",
            "back\\slash",
            "\u00e9 \U0001f600 \u0000\u000b\ufffe",
            "} ; DROP GRAPH <urn:a>",
        ]
        literals = [
            *map(Literal, words),
            Literal("hallo", language="de"),
            Literal("1", datatype=NamedNode("urn:type")),
            Literal(True),
        ]
        store.change([_quad("something", A)], [Quad(S, P, literal, A) for literal in literals], 1)
        store.change([], [_quad("by the second way", B)], 2)
        assert {triple.object for triple in store.graph(A)} == set(literals)
        store.change([Quad(S, P, literal, A) for literal in literals], [], 3)
        assert list(store.graph(A)) == []

    def test_a_load_adds_and_moves_the_sequence_number(self, filled: TripleStore) -> None:
        filled.load((_quad(str(number), A) for number in range(5000)), 9)
        assert len(list(filled.graph(A))) == 5002
        assert filled.sequence() == 9

    def test_a_load_that_is_cut_short_keeps_the_old_number(self, filled: TripleStore) -> None:
        def cut() -> Iterator[Quad]:
            yield _quad("first", A)
            raise RuntimeError("the source broke")

        with pytest.raises(RuntimeError, match="the source broke"):
            filled.load(cut(), 9)
        assert filled.sequence() == 5

    def test_clearing_leaves_nothing(self, filled: TripleStore) -> None:
        filled.remember_ontology("abc")
        filled.clear()
        assert list(filled.quads()) == []
        assert (filled.sequence(), filled.ontology()) == (0, None)
        filled.change([], [_quad("again", A)], 1)
        assert [triple.object for triple in filled.graph(A)] == [Literal("again")]

    def test_the_ontology_is_remembered_and_replaced(self, filled: TripleStore) -> None:
        for digest in ("abc", "def", "def"):
            filled.remember_ontology(digest)
            assert filled.ontology() == digest
        assert filled.sequence() == 5

    # --- reading

    def test_a_graph_holds_its_own_triples(self, filled: TripleStore) -> None:
        assert {triple.object for triple in filled.graph(A)} == {Literal("in a"), Literal("shared")}
        assert list(filled.graph(NamedNode("urn:unknown"))) == []

    def test_the_graphs_of_a_triple_are_told(self, filled: TripleStore) -> None:
        assert set(filled.graphs_with(Triple(S, P, Literal("shared")))) == {A, B}
        assert list(filled.graphs_with(Triple(S, Q, Literal("shared")))) == []

    def test_of_some_graphs_those_that_hold_a_triple_are_told(self, filled: TripleStore) -> None:
        shared = Triple(S, P, Literal("shared"))
        assert set(filled.holding(shared, [A, B, C])) == {A, B}
        assert filled.holding(shared, [B]) == [B]
        assert filled.holding(Triple(S, Q, Literal("shared")), [A, B, C]) == []

    def test_a_large_change_can_be_taken_as_a_whole(self, filled: TripleStore) -> None:
        more = [_quad(str(number), C) for number in range(25_000)]
        filled.change([_quad("in c", C)], more, 6, whole=True)
        assert len(list(filled.graph(C))) == 25_000
        filled.change([], [_quad(str(number), A) for number in range(25_000)], 7, whole=True)
        assert len(list(filled.graph(A))) == 25_002
        assert filled.sequence() == 7

    def test_what_is_said_about_a_node_is_told_from_the_given_graphs_only(self, filled: TripleStore) -> None:
        assert {triple.object.value for triple in filled.about(S, [A])} == {"in a", "shared"}  # type: ignore[union-attr]
        assert {triple.object.value for triple in filled.about(S, [A, B])} == {"in a", "in b", "shared"}  # type: ignore[union-attr]
        assert list(filled.about(S, [])) == []

    def test_a_node_may_be_sought_as_the_object(self, filled: TripleStore) -> None:
        assert [triple.subject for triple in filled.about(Literal("in b"), [B], as_object=True)] == [S]
        assert list(filled.about(Literal("in b"), [A], as_object=True)) == []
        assert list(filled.about(Literal("in b"), [B])) == []

    def test_to_be_told_what_will_be_looked_up_changes_no_answer(self, filled: TripleStore) -> None:
        absent = NamedNode("urn:absent")
        filled.change([], [Quad(Q, P, S, A), Quad(Q, Q, Literal("other"), B)], 6)
        filled.expect([S, Q, absent], [A, B], as_objects=True)
        assert {triple.object.value for triple in filled.about(S, [A, B])} == {"in a", "in b", "shared"}  # type: ignore[union-attr]
        assert [triple.object for triple in filled.about(Q, [A, B], predicate=P)] == [S]
        assert list(filled.about(Q, [A])) == [Triple(Q, P, S)]
        assert list(filled.about(S, [A, B], as_object=True)) == [Triple(Q, P, S)]
        assert list(filled.about(S, [A, B], as_object=True, predicate=Q)) == []
        assert list(filled.about(absent, [A, B])) == list(filled.about(absent, [A, B], as_object=True)) == []
        filled.change([Quad(Q, P, S, A)], [Quad(absent, P, S, A)], 7)
        assert list(filled.about(Q, [A])) == []
        assert list(filled.about(absent, [A, B])) == [Triple(absent, P, S)]

    def test_everything_can_be_read(self, filled: TripleStore) -> None:
        assert len([quad for quad in filled.quads() if quad.graph_name != STATE]) == 5

    # --- asking

    def test_a_query_sees_the_given_graphs_merged_and_nothing_else(self, filled: TripleStore) -> None:
        # DISTINCT, since Oxigraph gives a statement that stands in two of the graphs twice.
        text = "SELECT DISTINCT ?o { ?s ?p ?o }"
        assert _values(filled, text, [A]) == ["in a", "shared"]
        assert _values(filled, text, [A, B]) == ["in a", "in b", "shared"]
        assert _values(filled, text, []) == []

    @pytest.mark.parametrize(
        "text",
        [
            "SELECT ?o FROM <urn:view:b> { ?s ?p ?o }",
            "SELECT ?o FROM NAMED <urn:view:b> { GRAPH <urn:view:b> { ?s ?p ?o } }",
            "SELECT ?o FROM NAMED <urn:view:b> { GRAPH ?g { ?s ?p ?o } }",
            "SELECT ?o { GRAPH <urn:view:b> { ?s ?p ?o } }",
            "SELECT ?o { GRAPH ?g { ?s ?p ?o } }",
            f"SELECT ?o {{ GRAPH {STATE} {{ ?s ?p ?o }} }}",
            "SELECT ?o { { SELECT ?o { GRAPH ?g { ?s ?p ?o } } } }",
            "SELECT ?o { ?s ?p ?x FILTER EXISTS { GRAPH ?g { ?s ?p ?o } } }",
            "SELECT ?o { VALUES ?g { <urn:view:b> <urn:view:c> } GRAPH ?g { ?s ?p ?o } }",
        ],
    )
    def test_no_query_text_reaches_a_graph_that_was_not_given(self, text: str, filled: TripleStore) -> None:
        assert set(_values(filled, text, [A])) <= {"in a", "shared"}

    def test_only_the_named_graphs_that_are_given_can_be_named(self, filled: TripleStore) -> None:
        text = "SELECT ?o { GRAPH ?g { ?s ?p ?o } }"
        assert _values(filled, text, [A], named=[B]) == ["in b", "shared"]
        assert _values(filled, "SELECT ?o { GRAPH <urn:view:c> { ?s ?p ?o } }", [A], named=[B]) == []

    def test_bindings_give_values_and_are_never_read_as_text(self, filled: TripleStore) -> None:
        text = "SELECT ?s ?p ?o { ?s ?p ?o }"
        assert _values(filled, text, [A, B], bindings={"o": Literal("in b")}) == ["in b"]
        assert _values(filled, text, [A, B], bindings={"o": Literal('x" } UNION { ?s ?p ?o')}) == []

    def test_rows_come_in_the_order_of_the_projection(self, filled: TripleStore) -> None:
        found = list(filled.rows("SELECT ?o ?s ?none { ?s ?p ?o } ORDER BY ?o", [A]))
        assert found == [(Literal("in a"), S, None), (Literal("shared"), S, None)]
        assert list(filled.rows("SELECT ?s ?o { ?s ?p ?o }", [A, B], {"o": Literal("in b")})) == [(S, Literal("in b"))]

    @pytest.mark.parametrize("media_type", _TABLES)
    def test_a_table_comes_in_each_of_its_formats(self, media_type: str, filled: TripleStore) -> None:
        answer = filled.query("SELECT ?o { ?s ?p ?o } ORDER BY ?o", [A], accept=media_type)
        assert answer.media_type == media_type
        if media_type == "text/csv":
            assert answer.body.decode().splitlines() == ["o", "in a", "shared"]
            return
        table = parse_query_results(answer.body, format=_TABLES[media_type])
        assert [row["o"].value for row in table] == ["in a", "shared"]  # type: ignore[union-attr]

    @pytest.mark.parametrize("media_type", _TABLES)
    def test_a_yes_or_no_comes_in_each_format_of_a_table(self, media_type: str, filled: TripleStore) -> None:
        yes = filled.query("ASK { ?s ?p 'in a' }", [A], accept=media_type)
        no = filled.query("ASK { ?s ?p 'in b' }", [A], accept=media_type)
        assert (b"true" in yes.body, b"true" in no.body, b"false" in no.body) == (True, False, True)

    @pytest.mark.parametrize("media_type", _GRAPHS)
    @pytest.mark.parametrize("text", ["CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }", "DESCRIBE <urn:s>"])
    def test_a_graph_comes_in_each_of_its_formats(self, text: str, media_type: str, filled: TripleStore) -> None:
        answer = filled.query(text, [A], accept=media_type)
        assert answer.media_type == media_type
        found = {quad.object.value for quad in parse(answer.body, format=_GRAPHS[media_type])}
        assert found == {"in a", "shared"}

    def test_without_a_wish_a_form_has_its_usual_format(self, filled: TripleStore) -> None:
        assert filled.query("SELECT * {}", [A]).media_type == "application/sparql-results+json"
        assert filled.query("ASK {}", [A]).media_type == "application/sparql-results+json"
        assert filled.query("CONSTRUCT WHERE { ?s ?p ?o }", [A]).media_type == "text/turtle"

    @pytest.mark.parametrize(("text", "wish"), [("SELECT * {}", "text/turtle"), ("CONSTRUCT WHERE { ?s ?p ?o }", "text/csv")])
    def test_a_format_of_another_form_is_refused(self, text: str, wish: str, filled: TripleStore) -> None:
        with pytest.raises(NotAcceptable):
            filled.query(text, [A], accept=wish)

    @pytest.mark.parametrize("text", ["", "SELECT", "SELECT * { ?s ?p }", "DROP ALL", "INSERT DATA { <urn:x> <urn:y> 1 }"])
    def test_what_is_no_query_is_refused_and_does_nothing(self, text: str, filled: TripleStore) -> None:
        before = set(filled.quads())
        with pytest.raises(BadQuery):
            filled.query(text, [A])
        assert set(filled.quads()) == before

    @pytest.mark.parametrize("text", ["SELECT * { ?s ?p ?o . ?a ?b ?c . ?d ?e ?f }", "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }"])
    def test_an_answer_over_the_limit_is_an_error_and_no_cut(self, text: str, store: TripleStore) -> None:
        store.change([], [_quad(f"{number:04}", A) for number in range(100)], 1)
        with pytest.raises(TooLarge):
            store.query(text, [A], max_bytes=500)
        assert len(_values(store, "SELECT ?o { ?s ?p ?o } LIMIT 1", [A], max_bytes=500)) == 1

    def test_answers_within_the_limit_are_whole(self, filled: TripleStore) -> None:
        whole = filled.query("SELECT ?o { ?s ?p ?o }", [A]).body
        assert filled.query("SELECT ?o { ?s ?p ?o }", [A], max_bytes=len(whole)).body == whole

    # --- reading at length

    def test_a_snapshot_stays_as_it_was_while_the_store_goes_on(self, filled: TripleStore, tmp_path: Path) -> None:
        if not filled.snapshots:
            with pytest.raises(NoSnapshots):
                filled.snapshot(tmp_path / "snapshot")
            return
        filled.remember_ontology("abc")
        before = set(filled.quads())
        snapshot = filled.snapshot(tmp_path / "snapshot")
        try:
            filled.change([_quad("in a", A)], [_quad("later", A)], 6)
            filled.clear()
            assert (snapshot.sequence(), snapshot.ontology(), set(snapshot.quads())) == (5, "abc", before)
            assert _values(snapshot, "SELECT ?o { ?s ?p ?o }", [A]) == ["in a", "shared"]
            assert {triple.object for triple in snapshot.graph(A)} == {Literal("in a"), Literal("shared")}
        finally:
            snapshot.close()

    def test_a_snapshot_is_read_by_other_threads_and_outlives_the_store(self, filled: TripleStore, tmp_path: Path) -> None:
        if not filled.snapshots:
            pytest.skip("this store makes no snapshots")
        snapshot = filled.snapshot(tmp_path / "snapshot")
        filled.close()
        found: list[list[str]] = []
        reader = threading.Thread(target=lambda: found.append(_values(snapshot, "SELECT ?o { ?s ?p ?o }", [B])))
        reader.start()
        reader.join()
        snapshot.close()
        assert found == [["in b", "shared"]]

    def test_snapshots_do_not_disturb_each_other(self, filled: TripleStore, tmp_path: Path) -> None:
        if not filled.snapshots:
            pytest.skip("this store makes no snapshots")
        first = filled.snapshot(tmp_path / "first")
        filled.change([], [_quad("later", A)], 6)
        second = filled.snapshot(tmp_path / "second")
        first.close()
        assert second.sequence() == 6
        assert _values(second, "SELECT ?o { ?s ?p ?o }", [A]) == ["in a", "later", "shared"]
        second.close()
        assert filled.sequence() == 6

    # --- keeping it

    def test_what_was_written_is_there_after_opening_again(self, filled: TripleStore) -> None:
        filled.remember_ontology("abc")
        before = set(filled.quads())
        again = self.reopen(filled)
        if again is None:
            pytest.skip("this store keeps nothing")
        try:
            assert (again.sequence(), again.ontology(), set(again.quads())) == (5, "abc", before)
        finally:
            again.close()
