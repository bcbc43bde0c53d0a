"""A graph brought up to date by a few records is the one that all rows would make; who reads the earlier one is not disturbed."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.lineage import index as index_module
from headwater.lineage.carrying import ImpactEdges, impact_edges
from headwater.lineage.columns import difference
from headwater.lineage.coverage import coverage
from headwater.lineage.csr import Adjacency, Grown
from headwater.lineage.graph import LineageGraph
from headwater.lineage.index import LineageIndex
from headwater.lineage.verdict import Change, judge
from headwater.records.links import LineageRows, LinkRow, NodeRow
from headwater.terms.vocabulary import vocabulary
from tests.lineage.reference import KINDS, random_world
from tests.lineage.test_index import facts
from tests.lineage.test_past import PUBLIC

WORDS = vocabulary()
some = settings(max_examples=80, deadline=None)


def carried(graph: LineageGraph) -> Counter[tuple[object, ...]]:
    """Everything that effects travel over, by name and as often as it stands there."""
    edges = impact_edges(graph)
    assert isinstance(edges, ImpactEdges)
    found = edges.adjacency.edges_of(np.arange(graph.size, dtype=np.int32))
    return Counter(
        (
            graph.iris[edges.earlier[e]],
            graph.iris[edges.later[e]],
            int(edges.certain[e]),
            int(edges.possible[e]),
            _said(graph, edges.real[e]),
        )
        for e in found.tolist()
    )


def _said(graph: LineageGraph, edge: int) -> tuple[object, ...]:
    if edge < 0:
        return ()
    return graph.slices[graph.slice[edge]], graph.records[graph.record[edge]], int(graph.evidence[edge])


def both_ways(graph: LineageGraph) -> list[Counter[tuple[object, ...]]]:
    """The links as they are found from either end, as often as they stand there."""
    every = np.arange(graph.size, dtype=np.int32)
    return [
        Counter(
            (
                graph.iris[graph.earlier[e]],
                graph.iris[graph.later[e]],
                int(graph.role[e]),
                graph.relations[graph.relation[e]],
                _said(graph, e),
            )
            for e in side.edges_of(every).tolist()
        )
        for side in (graph.down, graph.up)
    ]


def whole(graph: LineageGraph) -> list[object]:
    """All that can be asked of a graph."""
    about = {graph.iris[node]: set(graph.records_about(node)) for node in range(graph.size) if graph.present[node]}
    revised = {(graph.iris[one], graph.iris[later]) for one, after in graph.later_revisions().items() for later in after}
    return [facts(graph), both_ways(graph), carried(graph), round(coverage(graph), 12), revised, about]


def said(pick: random.Random) -> LineageRows | None:
    """What a record says at random: little or much, of eight things, details and tools among them."""
    if pick.random() < 0.15:
        return None
    rows = pick.choice(list(random_world(8, pick.choice([0, 1, 3, 12, 26]), pick.randrange(2**32)).records.values()))
    nodes = [row for row in rows.nodes if pick.random() < 0.5]
    if pick.random() < 0.2:
        nodes.append(NodeRow(f"urn:t{pick.randrange(8)}", pick.choice(["part", "instrument", "run", *KINDS]), True))
    return LineageRows(rows.links, nodes)


@some
@given(st.integers(0, 2**32), st.integers(2, 14))
def test_whatever_came_and_went_the_graph_is_that_of_the_rows_that_hold(seed: int, steps: int) -> None:
    pick = random.Random(seed)
    index, last = LineageIndex(), dict[str, tuple[str, LineageRows | None]]()
    shown: list[tuple[LineageGraph, list[object]]] = []
    for number in range(1, steps + 1):
        for _ in range(pick.choice([1, 1, 2, 3])):
            record, level, rows = f"urn:record:{pick.randrange(5)}", pick.choice(["public", "public", "internal"]), said(pick)
            if rows is not None and pick.random() < 0.3 and record in last:
                rows = last[record][1]
            index.put(record, level, rows, at=number)
            last[record] = level, rows
        index.sequence = number
        if pick.random() < 0.7:
            graph = index.graph(pick.choice([None, PUBLIC]))
            if pick.random() < 0.7:
                impact_edges(graph)
            shown.append((graph, whole(graph)))
    fresh = LineageIndex()
    for record, (level, rows) in last.items():
        fresh.put(record, level, rows)
    for levels in (None, PUBLIC):
        assert whole(index.graph(levels)) == whole(fresh.graph(levels))
    for graph, before in shown:
        assert whole(graph)[:5] == before[:5], "who reads an earlier graph is not disturbed"


def test_the_graph_in_use_grows_and_is_not_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    index = LineageIndex()
    for number in range(20):
        index.put(f"urn:{number}", "public", _run(number))
    impact_edges(index.graph())
    monkeypatch.setattr(LineageIndex, "_rows", None)
    index.put("urn:20", "public", _run(20))
    graph = index.graph()
    assert len(graph.downstream([graph.ids["urn:data"]]).nodes) == 1 + 2 * 21
    assert graph.impact_edges is not None
    assert isinstance(graph.down, Grown)
    assert graph.down.later_edges == 2
    index.put("urn:3", "public", None)
    graph = index.graph()
    assert len(graph.downstream([graph.ids["urn:data"]]).nodes) == 1 + 2 * 20
    assert len(graph.edges()) == 40
    assert len(judge(graph, Change("labels-corrected", (graph.ids["urn:data"],))).nodes) == 41


def _run(number: int) -> LineageRows:
    run, model = f"urn:run:{number}", f"urn:model:{number}"
    links = [
        LinkRow("urn:data", run, "prov:used", "train", "observed"),
        LinkRow(run, model, "prov:wasGeneratedBy", "generate", "observed"),
    ]
    return LineageRows(
        links, [NodeRow("urn:data", "dataset", True), NodeRow(run, "run", True, 1.0), NodeRow(model, "model", True)]
    )


def test_a_record_written_again_with_the_same_links_changes_no_link() -> None:
    index = LineageIndex()
    index.put("urn:1", "public", _run(1))
    before = index.graph()
    index.put("urn:1", "public", _run(1))
    after = index.graph()
    assert after.links.changes == 0
    assert facts(after) == facts(before)


def test_when_much_came_the_links_are_put_in_order_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "_APART", 30)
    index, fresh = LineageIndex(), LineageIndex()
    for number in range(40):
        index.put(f"urn:{number % 30}", "public", _run(number))
        graph = index.graph()
        impact_edges(graph)
        assert graph.links.changes <= 30
    for number in range(10, 40):
        fresh.put(f"urn:{number % 30}", "public", _run(number))
    assert whole(index.graph()) == whole(fresh.graph())


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_an_index_saved_in_two_files_grows_on_as_if_it_had_never_been_closed(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    folder, pick = tmp_path_factory.mktemp("index"), random.Random(seed)
    index, kept = LineageIndex(), LineageIndex()
    for number in range(1, 13):
        record, level, rows = f"urn:record:{pick.randrange(5)}", pick.choice(["public", "internal"]), said(pick)
        for one in (index, kept):
            one.follow([(record, level, rows, number)], number)
        if pick.random() < 0.5:
            impact_edges(index.graph(pick.choice([None, PUBLIC])))
        if pick.random() < 0.6:
            index.save(folder)
            loaded = LineageIndex.load(folder)
            assert loaded is not None
            index = loaded
    assert index.sequence == kept.sequence
    assert index.rows_as_sets() == kept.rows_as_sets()
    for levels in (None, PUBLIC):
        assert whole(index.graph(levels)) == whole(kept.graph(levels))
        assert facts(index.graph(levels, known_at=7, as_of=2.0)) == facts(kept.graph(levels, known_at=7, as_of=2.0))


def test_what_was_torn_of_the_latest_writes_is_left_out_and_the_index_stands_before_them(tmp_path: Path) -> None:
    index = LineageIndex()
    index.follow([("urn:1", "public", _run(1), 1)], 1)
    index.save(tmp_path)
    index.follow([("urn:2", "public", _run(2), 2)], 2)
    index.save(tmp_path)
    since = tmp_path / "lineage.since"
    data = since.read_bytes()
    loaded = LineageIndex.load(tmp_path)
    assert loaded is not None
    assert loaded.sequence == 2
    for torn in (data[:-1], data[:100], b"", data[:4096] + bytes([data[4096] ^ 1]) + data[4097:]):
        since.write_bytes(torn)
        loaded = LineageIndex.load(tmp_path)
        assert loaded is not None
        assert loaded.sequence == 1
        assert dict(loaded.records()) == {"urn:1": "public"}


# --- the parts


@some
@given(st.integers(0, 2**32))
def test_rows_grown_by_and_by_lead_where_rows_made_at_once_lead(seed: int) -> None:
    pick = np.random.default_rng(seed)
    size = int(pick.integers(1, 6))
    ends = pick.integers(0, size, int(pick.integers(0, 12))).astype(np.int32)
    grown = Grown.over(Adjacency(ends, size), ends)
    gone: set[int] = set()
    for _ in range(int(pick.integers(0, 5))):
        before, size = len(ends), size + int(pick.integers(0, 3))
        ends = np.concatenate((ends, pick.integers(0, size, int(pick.integers(0, 4))).astype(np.int32)))
        went = np.flatnonzero(pick.random(before) < 0.2).astype(np.int32)
        gone |= set(went.tolist())
        grown = grown.grown(ends, before, size, grown.gone.more(went, before))
        nodes = pick.permutation(size)[: int(pick.integers(0, size + 1))].astype(np.int32)
        expected = sorted(edge for edge, end in enumerate(ends.tolist()) if end in nodes.tolist() and edge not in gone)
        assert sorted(grown.edges_of(nodes).tolist()) == expected
        assert sorted(grown.first_of(nodes, 1_000).tolist()) == expected
        assert int(grown.counts(nodes).sum()) >= len(expected)
        settled = [grown.order[grown.start[node] : grown.start[node + 1]].tolist() for node in nodes.tolist()]
        assert sorted(edge for edges in settled for edge in edges) == expected


@some
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1))), st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1))))
def test_what_two_tables_differ_in_is_counted_row_by_row(new: list[tuple[int, int]], old: list[tuple[int, int]]) -> None:
    tables = [{name: np.array([row[place] for row in rows], np.int32) for place, name in enumerate("ab")} for rows in (new, old)]
    more, less = difference(*tables)
    assert Counter(new[place] for place in more) == Counter(new) - Counter(old)
    assert Counter(old[place] for place in less) == Counter(old) - Counter(new)
