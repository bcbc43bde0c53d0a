"""What a reader can ask is the closure of all that the records of his levels say together, however it is spread over records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Triple, parse

from headwater.records.draft import Draft
from headwater.records.record import Record, RecordMaker
from headwater.store.embedded import EmbeddedStore
from headwater.store.protocol import STATE
from headwater.store.views import Applied, Views
from headwater.terms.minting import Mint
from headwater.terms.names import DCTERMS, HW, MEXALGO, MEXCORE, MEXPERF, MLS, PREFIXES, PROV, RDF, RDFS, XSD
from headwater.terms.rules import guarded_rules
from headwater.terms.vocabulary import axioms
from tests.records.naive import naive

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


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(stories)
def test_each_reader_asks_on_the_closure_of_all_that_he_may_see(story: list[list[tuple[str, Said | None]]]) -> None:
    told = Story()
    for batch in story:
        told.write(entries_of(batch))
    for sees in readers():
        assert asked(told.store, told.views, sees) == closure(told.present.values(), sees)
