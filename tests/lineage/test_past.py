"""Graphs of the past: what the ledger knew at a sequence number, and the world at a time."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.lineage.graph import LineageGraph
from headwater.lineage.index import LineageIndex
from headwater.records.links import LineageRows, LinkRow, NodeRow
from tests.lineage.reference import random_world
from tests.lineage.test_index import facts
from tests.lineage.worlds import EX, rows

PUBLIC = frozenset({"public"})
some = settings(max_examples=60, deadline=None)


@dataclass(frozen=True)
class Entry:
    """One entry of a ledger."""

    number: int
    record: str
    level: str
    rows: LineageRows | None


def histories() -> st.SearchStrategy[list[Entry]]:
    """Up to twelve entries of up to four records: written, revised, withdrawn, written again, at changing levels."""
    return st.builds(_history, st.integers(1, 12), st.integers(0, 2**32))


def _history(length: int, seed: int) -> list[Entry]:
    pick = random.Random(seed)
    found = []
    for number in range(1, length + 1):
        world = random_world(6, pick.randrange(8), pick.randrange(2**32))
        said = pick.choice([None, *world.records.values()])
        found.append(Entry(number, f"urn:record:{pick.randrange(4)}", pick.choice(["public", "internal"]), said))
    return found


def replayed(entries: list[Entry]) -> LineageIndex:
    index = LineageIndex()
    index.follow([(entry.record, entry.level, entry.rows, entry.number) for entry in entries], len(entries))
    return index


def as_it_was(entries: list[Entry], known_at: int, levels: frozenset[str] | None) -> LineageGraph:
    """The graph of an index that was filled then and heard no more; and of nothing that the reader may not see then or now."""
    index = LineageIndex()
    for record in sorted({entry.record for entry in entries}):
        own = [entry for entry in entries if entry.record == record]
        known = [entry for entry in own if entry.number <= known_at]
        if known and (levels is None or {own[-1].level, known[-1].level} <= levels):
            index.put(record, known[-1].level, known[-1].rows)
    return index.graph()


@some
@given(histories(), st.sampled_from([None, PUBLIC, frozenset({"internal"})]))
def test_what_was_known_then_is_what_an_index_filled_then_would_say(entries: list[Entry], levels: frozenset[str] | None) -> None:
    index = replayed(entries)
    for known_at in range(len(entries) + 2):
        assert facts(index.graph(levels, known_at=known_at)) == facts(as_it_was(entries, known_at, levels))


@some
@given(histories(), st.randoms())
def test_a_ledger_replayed_in_any_order_gives_the_same_graphs(entries: list[Entry], pick: random.Random) -> None:
    shuffled = pick.sample(entries, len(entries))
    index, again = replayed(entries), replayed(shuffled)
    assert again.rows_as_sets() == index.rows_as_sets()
    for known_at in (None, *range(len(entries))):
        for levels in (None, PUBLIC):
            now = index.graph(levels, known_at=known_at, as_of=2.0), again.graph(levels, known_at=known_at, as_of=2.0)
            assert facts(now[0]) == facts(now[1])


@some
@given(histories(), st.sampled_from([None, PUBLIC]), st.sampled_from([0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0]))
def test_the_world_at_a_time_is_the_graph_of_only_what_was_there(
    entries: list[Entry], levels: frozenset[str] | None, as_of: float
) -> None:
    index = replayed(entries)
    heads = {entry.record: entry for entry in entries}.values()
    present = [entry for entry in heads if levels is None or entry.level in levels]
    absent, undated = naively([entry.rows for entry in present if entry.rows is not None], as_of)
    left = LineageIndex()
    for entry in present:
        if entry.rows is not None:
            links = [link for link in entry.rows.links if not {link.earlier, link.later} & absent]
            left.put(entry.record, entry.level, LineageRows(links, [row for row in entry.rows.nodes if row.iri not in absent]))
    found = index.graph(levels, as_of=as_of)
    assert {fact for fact in facts(found) if not _of_thing(fact)} == {fact for fact in facts(left.graph()) if not _of_thing(fact)}
    expected = {(*fact[:5], fact[0] in undated, fact[6]) for fact in facts(left.graph()) if _of_thing(fact)}
    assert {fact for fact in facts(found) if _of_thing(fact)} == expected


def _of_thing(fact: tuple[object, ...]) -> bool:
    return isinstance(fact[5], bool)


def naively(said: list[LineageRows], as_of: float) -> tuple[set[str], set[str]]:
    """What was surely not there, and what is there only because nobody knows, by going over all links until nothing moves."""
    links = [link for rows in said for link in rows.links if link.earlier != link.later]
    nodes = [row for rows in said for row in rows.nodes]
    things = {end for rows in said for link in rows.links for end in (link.earlier, link.later)} | {row.iri for row in nodes}
    starts = {iri: min(times) for iri in things if (times := [n.start for n in nodes if n.iri == iri and n.start is not None])}
    ends = {iri: max(times) for iri in things if (times := [n.end for n in nodes if n.iri == iri and n.end is not None])}
    index = LineageIndex()
    for number, one in enumerate(said):
        index.put(f"urn:{number}", "public", one)
    graph = index.graph()
    deployments = {iri for iri in things if graph.kind_name(graph.ids[iri]) == "deployment"}
    generated = {(link.later, link.earlier) for link in links if link.role == "generate"}
    makers = generated | {(link.later, link.earlier) for link in links if link.role == "deploy" and link.later in deployments}
    absent: set[str] = set()
    there: set[str] = set()
    moved = True
    while moved:
        moved = False
        for iri in things:
            own = [maker for product, maker in makers if product == iri]
            late = starts[iri] > as_of if iri in starts else bool(own) and all(maker in absent for maker in own)
            by = [maker for product, maker in generated if product == iri and maker in there]
            known = starts[iri] <= as_of if iri in starts else any(ends.get(maker, as_of) <= as_of for maker in by)
            if (late and iri not in absent) or (known and iri not in there):
                moved = True
                absent |= {iri} if late else set()
                there |= {iri} if known else set()
    return absent, things - absent - there


# --- by example


def test_a_model_made_later_and_all_that_came_of_it_is_not_there_yet() -> None:
    index = LineageIndex()
    index.put(
        "urn:record:1",
        "public",
        rows("""
            :old a hw:Run ; prov:startedAtTime "2026-01-01T00:00:00Z"^^xsd:dateTime ; prov:used :data .
            :new a hw:Run ; prov:startedAtTime "2026-03-01T00:00:00Z"^^xsd:dateTime ; prov:used :data .
            :first a hw:Model ; prov:wasGeneratedBy :old .
            :second a hw:Model ; prov:wasGeneratedBy :new ; prov:wasRevisionOf :first .
            :service a hw:Deployment ; hw:deploys :second .
            :paper a hw:Publication ; hw:documents :second .
        """),
    )
    february = index.graph(as_of=1769904000.0)
    there = {february.iris[node].removeprefix(EX) for node in february.of_kind(None).tolist()}
    assert there == {"old", "first", "paper"}
    assert february.find(EX + "data") is not None
    undated = {february.iris[node].removeprefix(EX) for node in range(february.size) if february.undated[node]}
    assert undated == {"data", "paper"}
    assert february.as_of == 1769904000.0
    assert not index.graph().undated.any()


def test_what_ceased_to_be_stays_with_its_end() -> None:
    index = LineageIndex()
    said = ':service a hw:Deployment ; hw:deploys :model ; prov:invalidatedAtTime "2026-02-01T00:00:00Z"^^xsd:dateTime .'
    index.put("urn:record:1", "public", rows(said))
    graph = index.graph(as_of=1772323200.0)
    assert graph.end[graph.ids[EX + "service"]] == 1769904000.0
    assert len(graph.role) == 1


def test_the_outputs_of_a_run_that_went_on_then_are_undated() -> None:
    index = LineageIndex()
    nodes = [NodeRow("urn:run", "run", True, 1.0, 3.0), NodeRow("urn:model", "model", True)]
    index.put("urn:record", "public", LineageRows([LinkRow("urn:run", "urn:model", "x", "generate", "observed")], nodes))
    model = index.graph().ids["urn:model"]
    assert [bool(index.graph(as_of=time).undated[model]) for time in (2.0, 3.0)] == [True, False]
    assert index.graph(as_of=0.5).find("urn:model") is None


def test_a_record_narrowed_or_withdrawn_since_is_not_seen_in_the_past_by_those_who_may_not_see_it_now() -> None:
    index = LineageIndex()
    index.follow([("urn:a", "public", rows(":run prov:used :data ."), 1)], 1)
    index.follow([("urn:a", "project:p", rows(":run prov:used :data ."), 2)], 2)
    index.follow([("urn:a", "project:p", None, 3)], 3)
    assert index.graph(PUBLIC, known_at=1).find(EX + "data") is None
    assert index.levels(known_at=1) == {"public", "project:p"}
    everything = frozenset({"public", "project:p"})
    assert index.graph(everything, known_at=1).find(EX + "data") is not None
    assert index.graph(everything).find(EX + "data") is None
    assert index.levels() == set()


def test_few_graphs_of_the_past_are_kept_and_new_entries_leave_them_standing() -> None:
    index = LineageIndex()
    for number in range(1, 8):
        index.follow([(f"urn:{number}", "public", rows(":run prov:used :data ."), number)], number)
    first = index.graph(known_at=1)
    assert index.graph(known_at=1) is first
    index.follow([("urn:8", "public", rows(":run prov:used :other ."), 8)], 8)
    assert index.graph(known_at=1) is first, "what was known then does not change"
    assert index.graph(known_at=8) is index.graph()
    for number in range(2, 6):
        index.graph(known_at=number)
    assert index.graph(known_at=1) is not first


def test_the_past_survives_saving(tmp_path: Path) -> None:
    entries = _history(12, 3)
    index = replayed(entries)
    before = [facts(index.graph(known_at=number)) for number in range(13)]
    index.save(tmp_path)
    loaded = LineageIndex.load(tmp_path)
    assert loaded is not None
    assert [facts(loaded.graph(known_at=number)) for number in range(13)] == before
    loaded.follow([("urn:record:0", "public", None, 13)], 13)
    assert facts(loaded.graph(known_at=12)) == before[12]


@pytest.mark.parametrize("known_at", [-1, 0])
def test_before_the_first_entry_nothing_was_known(known_at: int) -> None:
    graph = replayed(_history(5, 1)).graph(known_at=known_at)
    assert len(graph.role) == 0
    assert not graph.present.any()
