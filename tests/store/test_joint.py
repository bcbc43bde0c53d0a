"""What a reader can ask is the closure of all that the records of his levels say together, however it is spread over records."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Triple, parse

from headwater.records.draft import Draft
from headwater.records.record import Record, RecordMaker
from headwater.store import views as views_room
from headwater.store.embedded import EmbeddedStore
from headwater.store.protocol import STATE
from headwater.store.spelling import triple_as_stored
from headwater.store.views import Applied, Views
from headwater.terms.minting import Mint
from headwater.terms.names import DCTERMS, HW, MEXALGO, MEXCORE, MEXPERF, MLS, PREFIXES, PROV, RDF, RDFS, XSD
from headwater.terms.rules import guarded_rules
from headwater.terms.vocabulary import axioms
from tests.records.naive import naive
from tests.records.test_entailment import by_owlrl

BASE = "https://data.example/"
HEAD = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES.items()) + "@prefix : <urn:x:> .\n"
MAKER = RecordMaker(Mint(BASE))
LEVELS = ["public", "internal", "project:one", "project:two"]

node = st.sampled_from([NamedNode(f"urn:x:{name}") for name in "abcd"])
classes = [
    *(MLS[name] for name in ("Run", "Model", "Dataset", "ModelEvaluation", "HyperParameterSetting", "Algorithm")),
    *(MEXCORE[name] for name in ("Test", "Dataset", "ExperimentConfiguration")),
    MEXPERF.PerformanceMeasure,
    MEXALGO.HyperParameter,
    HW.Dataset,
]
links = [
    *(
        PROV[n]
        for n in ("used", "wasGeneratedBy", "wasInformedBy", "qualifiedUsage", "entity", "wasStartedBy", "wasAttributedTo")
    ),
    *(MLS.specifiedBy, MLS.hasOutput, MLS.hasInput, MLS.realizes, MEXALGO.hasHyperParameter),
    *(PROV.qualifiedAssociation, PROV.agent, PROV.hadPlan),
]
texts = [RDFS.label, DCTERMS.identifier, PROV.value, MLS.hasValue, MEXPERF.accuracy]
literals = [Literal("accuracy"), Literal("1"), Literal("0.90", datatype=XSD.decimal)]
statements = st.one_of(
    st.builds(Triple, node, st.just(RDF.type), st.sampled_from(classes)),
    st.builds(Triple, node, st.sampled_from(links), node),
    st.builds(Triple, node, st.sampled_from(texts), st.sampled_from(literals)),
    st.builds(Triple, node, st.just(PROV.hadRole), st.sampled_from([HW.train, HW.test])),
)
Said = tuple[str, list[Triple]]
levels = st.sampled_from(["public", "public", "public", *LEVELS])
writes = st.tuples(st.sampled_from("pqrst"), st.one_of(st.none(), st.tuples(levels, st.lists(statements, max_size=9))))
stories = st.lists(st.lists(writes, min_size=1, max_size=4), min_size=1, max_size=5)


def made(name: str, visibility: str, triples: Iterable[Triple]) -> Record:
    return MAKER.make(Draft(f"urn:record:{name}", name, name, list(triples)), visibility, "test", "1", "declared")


def entries_of(batch: Sequence[tuple[str, Said | None]]) -> list[Applied]:
    return [Applied(f"urn:record:{name}", None if said is None else made(name, *said)) for name, said in batch]


def content(store: EmbeddedStore) -> set[Quad]:
    return {quad for quad in store.quads() if quad.graph_name != STATE}


def readers() -> list[tuple[str, ...]]:
    """The levels of a guest, of one with a token, and of the members of either project."""
    return [("public",), ("public", "internal"), ("public", "internal", "project:one"), ("public", "internal", "project:two")]


def asked(store: EmbeddedStore, views: Views, sees: tuple[str, ...]) -> set[Triple]:
    projects = [level.removeprefix("project:") for level in sees if level.startswith("project:")]
    return {triple for graph in views.graphs(internal="internal" in sees, projects=projects) for triple in store.graph(graph)}


def closure(records: Iterable[Record], sees: tuple[str, ...]) -> set[Triple]:
    said = {triple for record in records if record.visibility in sees for triple in record.asserted}
    kept = EmbeddedStore(None)  # Oxigraph spells some literals its own way
    graph = NamedNode("urn:g")
    kept.change([], [Quad(t.subject, t.predicate, t.object, graph) for t in said], 1)
    return naive(set(kept.graph(graph)), guarded_rules(), axioms())


class Story:
    """A store that is written to, and what its records say at present."""

    def __init__(self) -> None:
        self.store = EmbeddedStore(None)
        self.views = Views(self.store, BASE)
        self.present: dict[str, Record] = {}
        self.number = 0

    def write(self, entries: Sequence[Applied]) -> None:
        self.number += 1
        self.views.apply(entries, self.number)
        for entry in entries:
            self.present.pop(entry.iri, None)
            if entry.record is not None:
                self.present[entry.iri] = entry.record

    def tell(self, name: str, turtle: str, visibility: str = "public") -> None:
        said = [quad.triple for quad in parse((HEAD + turtle).encode(), format=RdfFormat.TURTLE)]
        self.write([Applied(f"urn:record:{name}", made(name, visibility, said))])

    def withdraw(self, name: str) -> None:
        self.write([Applied(f"urn:record:{name}", None)])

    def holds(self, subject: str, predicate: NamedNode, value: str, *sees: str) -> bool:
        triple = Triple(NamedNode(f"urn:x:{subject}"), predicate, NamedNode(f"urn:x:{value}"))
        return triple in asked(self.store, self.views, sees or ("public",))


STORIES = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@STORIES
@given(stories)
def test_each_reader_asks_on_the_closure_of_all_that_he_may_see(story: list[list[tuple[str, Said | None]]]) -> None:
    told = Story()
    for batch in story:
        told.write(entries_of(batch))
    for sees in readers():
        assert asked(told.store, told.views, sees) == closure(told.present.values(), sees)


def random_statement(chance: random.Random, among: list[NamedNode]) -> Triple:
    choice = chance.random()
    subject = chance.choice(among)
    if choice < 0.35:
        return Triple(subject, RDF.type, chance.choice(classes))
    if choice < 0.8:
        return Triple(subject, chance.choice(links), chance.choice(among))
    if choice < 0.92:
        return Triple(subject, chance.choice(texts), chance.choice(literals))
    return Triple(subject, PROV.hadRole, chance.choice([HW.train, HW.test]))


def random_batch(chance: random.Random, among: list[NamedNode], levels: list[str]) -> list[Applied]:
    """Some records, in a revision of up to sixteen statements each, or withdrawn: much denser than what hypothesis draws."""

    def said() -> Said:
        size = chance.randint(1, chance.choice([3, 6, 10, 16]))
        return chance.choice(levels), [random_statement(chance, among) for _ in range(size)]

    return entries_of(
        [(name, None if chance.random() < 0.25 else said()) for name in chance.sample("pqrstu", chance.randint(1, 4))]
    )


def random_world(seed: int) -> tuple[random.Random, list[NamedNode], list[str]]:
    chance = random.Random(seed)
    nodes = [NamedNode(f"urn:x:{name}") for name in "abcdef"][: chance.randint(3, 6)]
    return chance, nodes, chance.choice([["public"], ["public", "internal"], LEVELS])


@pytest.mark.parametrize("seed", range(60))
def test_dense_stories_keep_the_closure_after_every_step(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance, nodes, levels = random_world(seed)
    told = Story()
    for _ in range(chance.randint(2, 5)):
        told.write(random_batch(chance, nodes, levels))
        for sees in readers():
            assert asked(told.store, told.views, sees) == closure(told.present.values(), sees)
    # The same records in another order, and loaded in steps of any size, make the same store.
    records = list(told.present.values())
    chance.shuffle(records)
    monkeypatch.setattr(views_room, "_LOAD_AT_ONCE", chance.choice([1, 10, 10**6]))
    fresh = EmbeddedStore(None)
    Views(fresh, BASE).load(records, 1, internal=told.views.internal_live)
    assert content(fresh) == content(told.store)


class Cut(Exception):
    """The power went."""


class CutStore(EmbeddedStore):
    """A store that takes every change step by step, and in which the power goes after some steps."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(None)
        self._chance = chance
        self.left: int | None = None

    def change(self, removed: Sequence[Quad], added: Sequence[Quad], sequence: int, *, whole: bool = False) -> None:
        if whole or self.left is None:
            self._step()
            super().change(removed, added, sequence, whole=whole)
            return
        coming = {(triple_as_stored(quad.triple), quad.graph_name) for quad in added}
        for quad in self._chance.sample(added, len(added)):
            self._step()
            self._live.add(quad)
        for quad in removed:
            if (quad.triple, quad.graph_name) not in coming:
                self._step()
                self._live.remove(quad)
        super().change([], [], sequence)

    def _step(self) -> None:
        if self.left is not None:
            if self.left == 0:
                raise Cut
            self.left -= 1


@pytest.mark.parametrize("seed", range(60))
def test_a_write_that_was_cut_short_anywhere_is_made_good_by_doing_it_again(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views_room, "ATOMIC", 0)
    chance, nodes, levels = random_world(seed)
    told = Story()
    told.store = store = CutStore(chance)
    told.views = Views(store, BASE)
    for _ in range(chance.randint(2, 4)):
        entries = random_batch(chance, nodes, levels)
        store.left = chance.randint(0, chance.choice([5, 50, 300]))
        with suppress(Cut):
            told.views.apply(entries, told.number + 1)
        store.left = None
        told.views = Views(store, BASE)
        told.write(entries)
        for sees in readers():
            assert asked(store, told.views, sees) == closure(told.present.values(), sees)
    fresh = EmbeddedStore(None)
    Views(fresh, BASE).load(told.present.values(), 1, internal=told.views.internal_live)
    assert content(fresh) == content(store)


@pytest.mark.parametrize("seed", range(4))
def test_all_that_owlrl_concludes_from_the_records_together_can_be_asked(seed: int) -> None:
    chance = random.Random(seed)
    nodes = [NamedNode(f"urn:thing:{name}") for name in "abcd"]
    told = Story()
    said = [random_statement(chance, nodes) for _ in range(24)]
    told.write(entries_of([(name, ("public", said[place::3])) for place, name in enumerate("pqr")]))
    concluded = by_owlrl([triple for triple in said if not isinstance(triple.object, Literal)])
    found = asked(told.store, told.views, ("public",))
    assert concluded <= {(t.subject.value, t.predicate.value, str(getattr(t.object, "value", t.object))) for t in found}  # type: ignore[union-attr]


RUN = ":fit a mls:Run ; prov:used :data ."
DATA = ":data a mls:Dataset ."


def test_a_run_here_and_the_class_of_its_data_there_are_an_input() -> None:
    told = Story()
    told.tell("run", RUN)
    assert not told.holds("fit", MLS.hasInput, "data")
    told.tell("data", DATA)
    assert told.holds("fit", MLS.hasInput, "data")


@pytest.mark.parametrize("gone", ["run", "data"])
def test_withdrawing_either_takes_the_conclusion_away_and_its_return_brings_it_back(gone: str) -> None:
    told = Story()
    told.tell("run", RUN)
    told.tell("data", DATA)
    told.withdraw(gone)
    assert not told.holds("fit", MLS.hasInput, "data")
    assert not [quad for quad in told.store.quads() if "/joint/" in str(quad.graph_name)]
    told.tell(gone, RUN if gone == "run" else DATA)
    assert told.holds("fit", MLS.hasInput, "data")


def test_a_conclusion_with_two_supports_outlives_one_of_them() -> None:
    told = Story()
    told.tell("run", RUN)
    told.tell("data", DATA)
    told.tell("card", DATA)
    told.withdraw("data")
    assert told.holds("fit", MLS.hasInput, "data")
    told.tell("says", ":fit mls:hasInput :data .")
    told.withdraw("card")
    assert told.holds("fit", MLS.hasInput, "data"), "a record says so itself"
    told.withdraw("says")
    assert not told.holds("fit", MLS.hasInput, "data")


def test_a_usage_written_in_two_records_is_one_use() -> None:
    told = Story()
    told.tell("run", ":fit prov:qualifiedUsage :usage .")
    told.tell("usage", ":usage prov:entity :data ; prov:hadRole hw:train .")
    told.tell("data", ":data a hw:Dataset .")
    assert told.holds("fit", PROV.used, "data")
    assert told.holds("fit", MLS.hasInput, "data"), "what was used to train makes the run one of machine learning"


def test_what_follows_stands_at_the_narrowest_level_of_its_premises() -> None:
    told = Story()
    told.tell("run", RUN, "public")
    told.tell("data", DATA, "internal")
    assert not told.holds("fit", MLS.hasInput, "data", "public")
    assert told.holds("fit", MLS.hasInput, "data", "public", "internal")
    told.tell("data", DATA, "project:one")
    assert not told.holds("fit", MLS.hasInput, "data", "public", "internal")
    assert told.holds("fit", MLS.hasInput, "data", "public", "internal", "project:one")
    assert not told.holds("fit", MLS.hasInput, "data", "public", "internal", "project:two")
    told.tell("data", DATA, "public")
    assert told.holds("fit", MLS.hasInput, "data", "public")


def test_from_premises_of_two_projects_nothing_follows() -> None:
    """The one thing that is not concluded: there is no view whose readers see both, though some reader may be in both."""
    told = Story()
    told.tell("run", RUN, "project:one")
    told.tell("data", DATA, "project:two")
    assert not told.holds("fit", MLS.hasInput, "data", "public", "internal", "project:one", "project:two")


def test_one_more_record_about_a_much_used_thing_looks_at_few_places(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Story()
    told.tell("data", DATA)
    runs = [(f"run{n}", ("public", [Triple(NamedNode(f"urn:x:fit{n}"), PROV.used, NamedNode("urn:x:data"))])) for n in range(300)]
    told.write(entries_of(runs))
    looks = 0
    about = EmbeddedStore.about

    def counted(*args: Any, **named: Any) -> Iterator[Triple]:
        nonlocal looks
        for triple in about(*args, **named):
            looks += 1
            yield triple

    monkeypatch.setattr(EmbeddedStore, "about", counted)
    told.tell("another", DATA + ':data rdfs:label "much used" .')
    told.tell("fresh", ":fresh a mls:Run ; prov:used :data .")
    assert told.holds("fresh", MLS.hasInput, "data")
    assert looks < 100
