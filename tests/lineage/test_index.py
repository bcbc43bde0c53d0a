"""The index is a view of the records: whatever their history, it is as if only the present ones had been written."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.lineage.graph import LineageGraph, Rows
from headwater.lineage.index import LineageIndex
from headwater.lineage.verdict import Change, judge
from headwater.records.links import LineageRows, LinkRow, NodeRow
from headwater.terms.vocabulary import vocabulary
from tests.lineage.reference import Random, worlds
from tests.lineage.worlds import EX, World, rows, used

WORDS = vocabulary()


def facts(graph: LineageGraph) -> set[tuple[object, ...]]:
    """Everything that can be asked of a graph, by name."""
    held = graph.edges()
    links = {
        (
            graph.iris[a],
            graph.iris[b],
            WORDS.roles[r].name,
            int(e),
            graph.slices[s],
            graph.relations[q],
            graph.records[n],
        )
        for a, b, r, e, s, q, n in zip(
            *(getattr(graph, name)[held] for name in ("earlier", "later", "role", "evidence", "slice", "relation", "record")),
            strict=True,
        )
    }
    nodes = {
        (
            graph.iris[n],
            graph.kind_name(n),
            bool(graph.pinned[n]),
            str(graph.start[n]),
            str(graph.end[n]),
            bool(graph.undated[n]),
            graph.visibility(n),
        )
        for n in range(graph.size)
        if graph.present[n]
    }
    return links | nodes


@settings(max_examples=60, deadline=None)
@given(st.data(), worlds(), worlds())
def test_put_replace_and_withdraw_in_any_order_equal_a_fresh_index(data: st.DataObject, world: Random, older: Random) -> None:
    index = LineageIndex()
    records = list(world.records)
    for _ in range(data.draw(st.integers(0, 6))):
        record = data.draw(st.sampled_from([*records, "urn:record:gone"]))
        index.put(record, "internal", data.draw(st.sampled_from([None, *older.records.values()])))
        if data.draw(st.booleans()):
            index.graph()
    for record in data.draw(st.permutations(records)):
        index.put(record, world.levels[record], world.records[record])
        if data.draw(st.booleans()):
            index.put(record, world.levels[record], world.records[record])
    index.put("urn:record:gone", "public", None)
    fresh = world.fill()
    assert facts(index.graph()) == facts(fresh)
    public = frozenset({"public"})
    assert facts(index.graph(public)) == facts(world.index.graph(public))
    assert dict(index.records()) == dict(world.index.records())
    assert index.levels() == world.index.levels()


@settings(max_examples=20, deadline=None)
@given(world=worlds(), older=worlds())
def test_a_saved_index_comes_back_the_same(tmp_path_factory: pytest.TempPathFactory, world: Random, older: Random) -> None:
    folder = tmp_path_factory.mktemp("index")
    for record, said in older.records.items():
        world.index.put(record, "internal", said)
    for record, said in world.records.items():
        world.index.put(record, world.levels[record], said)
    world.index.sequence = 17
    before, words = facts(world.index.graph()), world.index.rows_as_sets()
    world.index.save(folder)
    assert facts(world.index.graph()) == before
    loaded = LineageIndex.load(folder)
    assert loaded is not None
    assert facts(loaded.graph()) == before
    assert loaded.rows_as_sets() == words
    assert loaded.sequence == 17
    loaded.put("urn:record:0", "public", None)
    assert "urn:record:0" not in dict(loaded.records())


def test_a_torn_or_foreign_file_is_no_index(tmp_path: Path) -> None:
    world = World(":run a hw:Run ; prov:used :data .")
    assert LineageIndex.load(tmp_path) is None
    assert len(world.graph.role) == 1
    world.index.save(tmp_path)
    path = tmp_path / "lineage.index"
    whole = path.read_bytes()
    for torn in (b"", whole[:20], whole[: len(whole) // 2], whole[:-30], b"no index", b"\x00" * len(whole)):
        path.write_bytes(torn)
        assert LineageIndex.load(tmp_path) is None
    damaged = bytearray(whole)
    for place in range(0, len(whole), 7):
        damaged[place] ^= 0xFF
    path.write_bytes(bytes(damaged))
    assert LineageIndex.load(tmp_path) is None
    path.write_bytes(whole)
    assert LineageIndex.load(tmp_path) is not None


def test_a_single_flipped_bit_in_what_a_saved_index_says_is_noticed(tmp_path: Path) -> None:
    world = World(":run a hw:Run ; prov:used :data .")
    world.index.save(tmp_path)
    path = tmp_path / "lineage.index"
    whole = path.read_bytes()
    place = whole.index(b"https://lab.example/data")
    path.write_bytes(whole[:place] + b"H" + whole[place + 1 :])
    assert LineageIndex.load(tmp_path) is None


def test_an_index_of_another_ontology_is_none_of_ours(tmp_path: Path) -> None:
    World(":run a hw:Run ; prov:used :data .").index.save(tmp_path)
    assert LineageIndex.load(tmp_path, dataclasses.replace(WORDS, digest="another")) is None


def test_a_reader_without_a_level_does_not_even_find_what_only_hidden_records_name() -> None:
    index = LineageIndex()
    index.put("urn:record:open", "public", rows(":run a hw:Run ; prov:used :data . :data a hw:Dataset ."))
    index.put(
        "urn:record:secret", "project:p", rows(":run prov:used :secret . :secret a hw:Dataset . :data prov:wasDerivedFrom :x .")
    )
    seen = index.graph(frozenset({"public"}))
    assert seen.find(EX + "secret") is None
    assert seen.find(EX + "data") is not None
    assert {seen.iris[node] for node in seen.upstream([seen.ids[EX + "run"]]).nodes.tolist()} == {EX + "run", EX + "data"}
    full = index.graph()
    assert full.visibility(full.ids[EX + "secret"]) == "project:p"
    assert full.visibility(full.ids[EX + "data"]) == "public"


def test_the_records_that_speak_of_a_thing_are_named() -> None:
    world = World(
        ":data a hw:Dataset .",
        ":run a hw:Run ; prov:used :data .",
        ":elsewhere a hw:Dataset .",
    )
    assert world.graph.records_about(world.id("data")) == ["urn:record:1", "urn:record:2"]
    assert world.graph.records_about(world.id("elsewhere")) == ["urn:record:3"]


# --- what stands for what


def roles(world: World) -> set[tuple[str, str, str]]:
    graph = world.graph
    return {
        (world.name(int(a)), world.name(int(b)), WORDS.roles[int(r)].name)
        for a, b, r in zip(graph.earlier, graph.later, graph.role, strict=True)
    }


def test_a_plain_use_gives_way_to_the_role_that_another_record_states() -> None:
    plain = ":run a hw:Run ; prov:used :data, :other . :data a hw:Dataset ."
    assert roles(World(plain)) == {("data", "run", "use"), ("other", "run", "use")}
    assert roles(World(plain, f":run {used(':data', 'test')} .")) == {("data", "run", "test"), ("other", "run", "use")}


def test_a_derivation_is_dropped_where_a_run_tells_the_role_and_kept_where_it_does_not() -> None:
    test_set = f"""
    :run a hw:Run ; {used(":train", "train")} ; {used(":test", "test")} ; prov:used :third .
    :model a hw:Model ; prov:wasGeneratedBy :run ; prov:wasDerivedFrom :train, :test, :third, :fourth .
    """
    world = World(test_set)
    assert {pair for pair in roles(world) if pair[2] == "derive"} == {("third", "model", "derive"), ("fourth", "model", "derive")}
    assert world.state(world.judged("labels-corrected", "test"), "model") == "not_affected"
    assert world.state(world.judged("labels-corrected", "fourth"), "model") == "affected"


def test_a_derivation_is_told_by_the_run_that_made_the_product_and_by_no_other() -> None:
    world = World(f"""
        :measuring a hw:Run ; {used(":test", "test")} . :report a hw:Dataset ; prov:wasGeneratedBy :measuring .
        :learning a hw:Run . :model a hw:Model ; prov:wasGeneratedBy :learning ; prov:wasDerivedFrom :test .
    """)
    assert ("test", "model", "derive") in roles(world)
    assert world.state(world.judged("labels-corrected", "test"), "model") == "affected"


def test_what_all_inputs_times_all_outputs_would_make_is_never_formed() -> None:
    """A run with 30,000 inputs and 30,000 outputs: the product has 900 million pairs."""
    count = 30_000
    run = 2 * count
    links = np.arange(count, dtype=np.int32)
    graph = _graph(
        size=run + 1,
        earlier=np.concatenate((links, np.full(count, run), links[:5])),
        later=np.concatenate((np.full(count, run), links + count, links[:5] + count)),
        role=["train"] * count + ["generate"] * count + ["derive"] * 5,
        kind=["dataset"] * run + ["run"],
    )
    assert not np.isin(graph.role, [graph.role_of["derive"]]).any()


def test_details_and_links_of_a_thing_to_itself_are_no_steps() -> None:
    world = World(":run a hw:Run ; mls:hasInput :setting ; prov:wasInformedBy :run . :setting a mls:HyperParameterSetting .")
    assert roles(world) == set()
    assert [world.name(node) for node in world.graph.of_kind(None).tolist()] == ["run"]


def test_the_kind_with_the_highest_priority_names_a_thing_of_several_kinds() -> None:
    world = World(":x a hw:Dataset .", ":x a hw:Model .", ":x prov:used :y .")
    assert world.graph.kind_name(world.id("x")) == "model"
    assert world.graph.kind_name(world.id("y")) == "entity"


def test_a_time_said_without_a_kind_is_kept_and_the_earliest_counts() -> None:
    world = World(
        ":model a hw:Model ; prov:wasGeneratedBy :run .",
        ':model prov:generatedAtTime "2026-03-01T00:00:00Z"^^xsd:dateTime, "2026-02-01T00:00:00Z"^^xsd:dateTime .',
    )
    assert world.graph.start[world.id("model")] == 1769904000.0


# --- size


def _graph(size: int, earlier: np.ndarray, later: np.ndarray, role: list[str] | str, kind: list[str]) -> LineageGraph:
    names = {known.name: position for position, known in enumerate(WORDS.roles)}
    kinds = {known.name: position for position, known in enumerate(WORDS.kinds)}
    count = len(earlier)
    numbers = np.full(count, names[role]) if isinstance(role, str) else np.array([names[one] for one in role])
    zero = np.zeros(count, np.int32)
    iris = [f"urn:{number}" for number in range(size)]
    return LineageGraph(
        Rows(
            iris=iris,
            ids={iri: number for number, iri in enumerate(iris)},
            relations=["urn:relation"],
            slices=[""],
            records=["urn:record"],
            levels=["public"],
            links={
                "earlier": earlier.astype(np.int32),
                "later": later.astype(np.int32),
                "relation": zero,
                "role": numbers.astype(np.int32),
                "evidence": zero + 5,
                "slice": zero,
                "link_record": zero,
            },
            nodes={
                "node": np.arange(size, dtype=np.int32),
                "kind": np.array([kinds[one] for one in kind], np.int32),
                "pinned": np.ones(size, np.int32),
                "start": np.full(size, np.nan),
                "node_record": np.zeros(size, np.int32),
            },
        ),
        WORDS,
    )


@pytest.fixture
def bounded() -> Iterator[None]:
    """A generous bound, far above what is needed, against work that grows with the square."""
    begun = time.perf_counter()
    yield
    assert time.perf_counter() - begun < 60


@pytest.mark.usefixtures("bounded")
def test_a_chain_of_ten_thousand_steps_is_followed_to_its_end() -> None:
    count = 10_000
    graph = _graph(
        size=count,
        earlier=np.arange(count - 1),
        later=np.arange(1, count),
        role=["train" if number % 2 == 0 else "generate" for number in range(count - 1)],
        kind=["dataset" if number % 2 == 0 else "run" for number in range(count)],
    )
    found = judge(graph, Change("labels-corrected", (0,)))
    assert int(found.distance[-1]) == count - 1
    assert (found.state == 0).all()
    assert len(found.path(count - 1)) == count - 1
    assert found.justification(count - 1) == "trained-on"


@pytest.mark.slow
@pytest.mark.usefixtures("bounded")
def test_a_million_runs_on_one_data_set_are_judged() -> None:
    count = 1_000_000
    graph = _graph(
        size=count + 1,
        earlier=np.zeros(count, np.int32),
        later=np.arange(1, count + 1),
        role="train",
        kind=["dataset"] + ["run"] * count,
    )
    found = judge(graph, Change("labels-corrected", (0,)))
    assert len(found.nodes) == count + 1
    assert (found.state == 0).all()


def test_rows_are_the_same_whatever_the_order_of_the_statements() -> None:
    part = 'hw:file "b", "a"'
    said = [f":run a hw:Run ; {used(':data', 'train', 'inferred', part)}", ":run prov:wasAssociatedWith :me", ":me a prov:Agent"]
    one, other = rows(" .\n".join(said) + " ."), rows(" .\n".join(reversed(said)) + " .")
    assert one == other
    assert [link.slice for link in one.links if link.role == "train"] == ['{"files":["a","b"]}']
    assert NodeRow(EX + "run", "run", False, None) in one.nodes
    assert isinstance(one, LineageRows)
    assert all(isinstance(link, LinkRow) for link in one.links)
