"""However records come, change, move between levels and go: the views hold what the present records say, no more and no less."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, Triple

from headwater.records.draft import Draft
from headwater.records.record import Record, RecordMaker
from headwater.store.embedded import EmbeddedStore
from headwater.store.protocol import STATE
from headwater.store.views import Applied, Views
from headwater.terms.minting import Mint
from headwater.terms.names import HW, MLS, PROV, RDF, RDFS, XSD

BASE = "https://data.example/"
_maker = RecordMaker(Mint(BASE))
_things = [NamedNode(f"urn:thing:{letter}") for letter in "abc"]
_values = st.sampled_from(
    # Oxigraph writes some of these differently when it stores them, which must not make them stay or go.
    [Literal("x"), Literal("1.50", datatype=XSD.decimal), Literal("07", datatype=XSD.int), Literal("x", language="en")]
)
_statements = st.one_of(
    st.builds(
        Triple,
        st.sampled_from(_things),
        st.sampled_from([MLS.hasInput, PROV.used, PROV.wasGeneratedBy]),
        st.sampled_from(_things),
    ),
    st.builds(Triple, st.sampled_from(_things), st.just(RDF.type), st.sampled_from([MLS.Run, MLS.Model, PROV.Entity])),
    st.builds(Triple, st.sampled_from(_things), st.sampled_from([RDFS.label, HW.version]), _values),
)
_levels = st.sampled_from(["public", "public", "internal", "project:one", "project:two"])
_writes = st.tuples(st.sampled_from("pqrs"), st.one_of(st.none(), st.tuples(_levels, st.lists(_statements, max_size=4))))
_stories = st.lists(st.lists(_writes, min_size=1, max_size=3), min_size=1, max_size=6)


def record(name: str, visibility: str, triples: list[Triple]) -> Record:
    return _maker.make(Draft(f"urn:record:{name}", name, name, triples), visibility, "test", "1", "declared")


def applied(name: str, said: tuple[str, list[Triple]] | None) -> Applied:
    return Applied(f"urn:record:{name}", None if said is None else record(name, *said))


def content(store: EmbeddedStore) -> set[Quad]:
    return {quad for quad in store.quads() if quad.graph_name != STATE or quad.predicate == HW.visibility}


def fresh(records: Iterable[Record], *, internal: bool) -> set[Quad]:
    store = EmbeddedStore(None)
    Views(store, BASE).load(records, 1, internal=internal)
    return content(store)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_stories)
def test_any_story_of_writes_leaves_what_a_fresh_load_of_the_present_gives(story: list[list[tuple[str, object]]]) -> None:
    store = EmbeddedStore(None)
    views = Views(store, BASE)
    present: dict[str, Record] = {}
    for number, batch in enumerate(story, 1):
        entries = [applied(name, said) for name, said in batch]  # type: ignore[arg-type]
        views.apply(entries, number)
        for entry in entries:
            present.pop(entry.iri, None)
            if entry.record is not None:
                present[entry.iri] = entry.record
        assert content(store) == fresh(present.values(), internal=views.internal_live)
        assert store.sequence() == number
        assert Views(store, BASE).internal_live == views.internal_live
        assert Views(store, BASE).graphs(internal=True, projects=None) == views.graphs(internal=True, projects=None)


@settings(max_examples=50, deadline=None)
@given(_stories)
def test_entries_applied_twice_change_nothing(story: list[list[tuple[str, object]]]) -> None:
    store = EmbeddedStore(None)
    views = Views(store, BASE)
    for number, batch in enumerate(story, 1):
        entries = [applied(name, said) for name, said in batch]  # type: ignore[arg-type]
        views.apply(entries, number)
        once = content(store)
        views.apply(entries, number)
        assert content(store) == once


def _in_view(store: EmbeddedStore, view: NamedNode) -> set[Triple]:
    return set(store.graph(view))


def test_the_internal_view_appears_with_the_first_internal_record_and_holds_the_public_ones() -> None:
    store = EmbeddedStore(None)
    views = Views(store, BASE)
    said = Triple(_things[0], RDFS.label, Literal("public"))
    views.apply([applied("p", ("public", [said]))], 1)
    assert views.graphs(internal=True, projects=None) == [views.public]
    assert not _in_view(store, views.internal)
    secret = Triple(_things[1], RDFS.label, Literal("internal"))
    views.apply([applied("q", ("internal", [secret]))], 2)
    assert views.graphs(internal=True, projects=None) == [views.internal]
    assert views.graphs(internal=False, projects=[]) == [views.public]
    assert _in_view(store, views.internal) == {said, secret}
    assert _in_view(store, views.public) == {said}


def test_a_copy_of_the_public_view_that_was_cut_short_is_no_internal_view() -> None:
    store = EmbeddedStore(None)
    Views(store, BASE).apply([applied("p", ("public", [Triple(t, RDFS.label, Literal("x")) for t in _things]))], 1)
    half = Views(store, BASE)
    store.load([Quad(_things[0], RDFS.label, Literal("x"), half.internal)], 1)
    again = Views(store, BASE)
    assert again.graphs(internal=True, projects=None) == [again.public]
    again.apply([applied("q", ("internal", [Triple(_things[0], HW.version, Literal("2"))]))], 2)
    assert len(_in_view(store, again.internal)) == 4


def test_withdrawing_removes_exactly_what_no_other_record_still_says() -> None:
    store = EmbeddedStore(None)
    views = Views(store, BASE)
    run, data, model = _things
    used = Triple(run, PROV.used, data)
    views.apply([applied("p", ("public", [used, Triple(run, RDFS.label, Literal("mine"))]))], 1)
    views.apply([applied("q", ("public", [Triple(run, MLS.hasInput, data), Triple(model, RDF.type, MLS.Model)]))], 2)
    views.apply([Applied("urn:record:p", None)], 3)
    left = _in_view(store, views.public)
    assert used in left, "the other record entails it"
    assert Triple(run, RDFS.label, Literal("mine")) not in left
    views.apply([Applied("urn:record:q", None)], 4)
    assert {quad for quad in store.quads() if quad.graph_name != STATE} == set()


def test_a_record_that_becomes_internal_leaves_the_public_view_at_once() -> None:
    store = EmbeddedStore(None)
    views = Views(store, BASE)
    said = Triple(_things[0], RDFS.label, Literal("now internal"))
    views.apply([applied("p", ("public", [said]))], 1)
    views.apply([applied("p", ("internal", [said]))], 2)
    assert said not in _in_view(store, views.public)
    assert said in _in_view(store, views.internal)


def test_a_reader_gets_the_views_of_his_projects_only() -> None:
    store = EmbeddedStore(None)
    views = Views(store, BASE)
    views.apply([applied("p", ("project:one", [Triple(_things[0], RDFS.label, Literal("x"))]))], 1)
    assert views.graphs(internal=True, projects=["one", "unheard-of"]) == [views.public, views.project("one")]
    assert views.graphs(internal=True, projects=["two"]) == [views.public]
    assert views.graphs(internal=True, projects=None) == [views.public, views.project("one")]
