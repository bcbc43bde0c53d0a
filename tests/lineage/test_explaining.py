"""Explanations against slow and plain ones: every way is real and proves its verdict, the cheapest come first, cuts cut."""

from __future__ import annotations

import dataclasses
import random
from itertools import combinations
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.lineage import cutting, explaining
from headwater.lineage import ways as network
from headwater.lineage.cutting import smallest_hitting_set
from headwater.lineage.explaining import Explanation, explain_link, explain_verdict
from headwater.lineage.graph import LineageGraph
from headwater.lineage.verdict import STATES, Change, Verdicts, judge
from tests.lineage.reference import EFFECT, WORDS, after, becomes, changes, links_of, random_world, worlds
from tests.lineage.worlds import World, story, used

some = settings(max_examples=60, deadline=None)
State = tuple[int, str]


# --- plain second versions


def cost_of(graph: LineageGraph, earlier: int, later: int, edge: int) -> int:
    """Quarters: a hop, its evidence below the strongest, and whether the earlier thing is pinned."""
    strength = int(graph.evidence[edge]) if edge >= 0 else implied_strength(graph, earlier, later)
    return 4 + (5 - strength) + (0 if graph.pinned[earlier] else 2)


def implied_strength(graph: LineageGraph, earlier: int, later: int) -> int:
    """An implied link is as strong as the weaker of the two that it rests on, each at its strongest."""
    role = [WORDS.roles[int(r)].name for r in graph.role]
    stated = list(zip(graph.earlier.tolist(), graph.later.tolist(), role, graph.evidence.tolist(), strict=True))
    if graph.kind_name(later) == "run":
        found = []
        for instrument in range(graph.size):
            steering = [e for a, b, r, e in stated if (a, b, r) == (earlier, instrument, "control")]
            using = [e for a, b, _, e in stated if (a, b) == (instrument, later)]
            if steering and using:
                found.append(min(max(steering), max(using)))
        return int(max(found))
    measuring = [e for a, b, r, e in stated if (a, b) == (later, earlier) and r in ("use", "test", "validate", "predict")]
    tests = [e for a, b, r, e in stated if b == earlier and r in ("test", "validate") and graph.kind_name(a) != "model"]
    return int(min(max(measuring), max(tests)))


def arrows(graph: LineageGraph, change: Change, *, possible: bool) -> dict[State, dict[State, int]]:
    """From each state (thing and effect) the states one hop on with the least cost, by the rules one at a time."""
    objects = set(change.objects)
    made_by = {
        (int(b), int(a))
        for a, b, r in zip(graph.earlier, graph.later, graph.role, strict=True)
        if WORDS.roles[int(r)].name == "generate"
    }
    mended = set(change.mended) - objects
    since = after(graph, mended) - objects
    mended |= {run for one, run in made_by if one in mended} - objects
    since |= {run for one, run in made_by if one in since} - objects
    ends = mended if possible else mended | since
    found: dict[State, dict[State, int]] = {}
    for link in links_of(graph, change):
        for effect in EFFECT:
            role = link.possible if possible else link.certain
            if role != "nothing" and (effect, role) not in ALLOWED:
                continue
            became = "none" if link.later in ends else becomes(effect, role, graph.kind_name(link.later), possible=possible)
            for source in (link.earlier, *link.surely):
                cost = cost_of(graph, source, link.later, link.edge)
                out = found.setdefault((source, effect), {})
                out[link.later, became] = min(cost, out.get((link.later, became), cost))
    return found


ALLOWED = {(effect, role) for rule in WORDS.rules for effect in rule.incoming for role in rule.over}


def simple_ways(net: dict[State, dict[State, int]], starts: list[State], end: State) -> list[int]:
    """The costs of all ways that meet no state twice, the cheapest first."""
    costs: list[int] = []

    def walk(here: State, met: frozenset[State], cost: int) -> None:
        if here == end:
            costs.append(cost)
            return
        for there, more in net.get(here, {}).items():
            if there not in met:
                walk(there, met | {there}, cost + more)

    for start in starts:
        walk(start, frozenset({start}), 0)
    return sorted(costs)


def bad(verdicts: Verdicts, node: int) -> bool:
    told = verdicts.book.effects[int(verdicts.effect[verdicts.places[node]])]
    return told.state == "affected" and verdicts.graph.kind_name(node) not in told.leaves_standing


def stands(verdicts: Verdicts, node: int, *, surely: bool) -> bool:
    """Whether a harmful effect arrives: for sure, or at least possibly."""
    here = int(verdicts.places[node])
    if here < 0 or not bad(verdicts, node):
        return False
    return (
        STATES[int(verdicts.state[here])] == "affected"
        or not surely
        or (STATES[int(verdicts.state[here])] == "resolved" and verdicts.surely(node))
    )


# --- properties


@some
@given(st.data())
def test_the_ways_of_a_verdict_are_real_cheapest_first_and_as_many_as_there_are(data: st.DataObject) -> None:
    world = data.draw(worlds(7))
    graph = world.fill()
    change = data.draw(changes(graph, world.things))
    verdicts = judge(graph, change)
    k = data.draw(st.integers(1, 4))
    start = WORDS.changes[change.kind].begins_with
    for node in verdicts.nodes.tolist():
        found = explain_verdict(verdicts, node, k)
        effect = verdicts.book.effects[int(verdicts.effect[verdicts.places[node]])].name
        net = arrows(graph, change, possible=not verdicts.surely(node))
        starts = [(one, start) for one in sorted(set(change.objects))]
        for path in found.paths:
            here = (path.hops[0].before, start) if path.hops else (node, effect)
            assert here in starts
            met = {here}
            for hop in path.hops:
                there = (hop.after, str(hop.effect_after))
                assert (hop.before, hop.effect_before) == here
                assert hop.cost * 4 == net[here][there]
                assert there not in met
                met.add(there)
                here = there
            assert here == (node, effect)
        plain = simple_ways(net, starts, (node, effect))
        assert [path.cost * 4 for path in found.paths] == plain[:k]
        assert found.more == (len(plain) > k)


def test_a_use_of_a_part_that_may_be_another_is_no_way_from_a_version() -> None:
    graph = random_world(6, 26, 238586).fill()
    part = '{"after":"1970-01-01T00:00:02Z","before":"1970-01-01T00:00:03Z"}'
    verdicts = judge(graph, Change("deprecated", (5,), (1,), part))
    [path] = explain_verdict(verdicts, 3, 1).paths
    assert [(hop.before, hop.after, hop.role) for hop in path.hops] == [(5, 3, "use")]


@some
@given(st.data())
def test_the_ways_between_two_things_are_the_cheapest_of_all(data: st.DataObject) -> None:
    world = data.draw(worlds(8))
    graph = world.fill()
    present = [node for node in map(graph.find, world.things) if node is not None]
    start, end = data.draw(st.sampled_from(present)), data.draw(st.sampled_from(present))
    net: dict[State, dict[State, int]] = {}
    for edge, (a, b) in enumerate(zip(graph.earlier.tolist(), graph.later.tolist(), strict=True)):
        if graph.role[edge] != graph.role_of["deny"]:
            out = net.setdefault((a, ""), {})
            out[b, ""] = min(cost_of(graph, a, b, edge), out.get((b, ""), 99))
    found = explain_link(graph, [start], end, 5)
    assert [path.cost * 4 for path in found.paths] == simple_ways(net, [(start, "")], (end, ""))[:5]
    if found.overturning is not None and found.paths:
        gone = graph.without(found.overturning.links.labels)
        assert end not in gone.downstream([start]).nodes
        for fewer in combinations(range(len(graph.role)), len(found.overturning.links.labels) - 1):
            assert end in graph.without(fewer).downstream([start]).nodes


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 7), st.integers(0, 14), st.integers(0, 2**32), st.data())
def test_without_the_links_of_a_cut_the_effect_is_gone_and_no_smaller_set_does_it(
    size: int, links: int, seed: int, data: st.DataObject
) -> None:
    world = random_world(size, links, seed)
    graph = world.fill()
    change = data.draw(changes(graph, world.things))
    verdicts = judge(graph, change)
    for node in verdicts.nodes.tolist():
        overturning = explain_verdict(verdicts, node, 1).overturning
        if overturning is None:
            continue
        cut, surely = overturning.links, verdicts.surely(node)
        less = judge(graph.without(cut.labels), change)
        assert not stands(less, node, surely=surely)
        if not cut.exact:
            assert cut.at_least <= len(cut.labels)
            continue
        for one in cut.each:
            if not bad_by_absence(graph):
                assert not stands(judge(graph.without([one]), change), node, surely=surely)
        if bad_by_absence(graph):
            continue
        for fewer in combinations(range(len(graph.role)), min(len(cut.labels) - 1, 2)):
            assert stands(judge(graph.without(fewer), change), node, surely=surely)


def bad_by_absence(graph: LineageGraph) -> bool:
    """Whether links count here that tell something besides passing effects: from when on a model steers, what a revision comes
    from, which run made a model, which versions there were, what contradicts others."""
    told = {WORDS.roles[int(role)] for role in graph.role}
    names = {role.name for role in told}
    disputed = any(role.excludes & names for role in told)
    return disputed or bool(names & {"control", "revise", "specialise", "deny"}) or bool(_TESTING & names and "generate" in names)


_TESTING = {"test", "validate"}


@some
@given(st.data())
def test_in_a_network_too_large_to_search_the_cut_by_flow_cuts_and_claims_no_more_than_it_knows(data: st.DataObject) -> None:
    world = data.draw(worlds(8))
    graph = world.fill()
    change = data.draw(changes(graph, world.things))
    verdicts = judge(graph, change)
    for node in verdicts.nodes.tolist():
        exact = explain_verdict(verdicts, node, 1).overturning
        with patch.object(cutting, "MOST_ARCS", 0), patch.object(explaining, "MOST_ARCS", 0):
            large = explain_verdict(verdicts, node, 1).overturning
        assert (exact is None) == (large is None)
        if exact is None or large is None:
            continue
        assert not stands(judge(graph.without(large.links.labels), change), node, surely=verdicts.surely(node))
        for one, other in ((exact.links, large.links), (exact.records, large.records)):
            if one.exact:
                assert other.at_least <= len(one.labels) <= len(other.labels)
                assert not other.exact or len(other.labels) == len(one.labels)


@some
@given(st.data())
def test_records_that_overturn_leave_nothing_of_the_effect(data: st.DataObject) -> None:
    world = data.draw(worlds(7))
    graph = world.fill()
    change = data.draw(changes(graph, world.things))
    verdicts = judge(graph, change)
    for node in verdicts.nodes.tolist():
        overturning = explain_verdict(verdicts, node, 1).overturning
        if overturning is None or not overturning.records.exact or bad_by_absence(graph):
            continue
        gone = [edge for edge in range(len(graph.role)) if int(graph.record[edge]) in overturning.records.labels]
        assert not stands(judge(graph.without(gone), change), node, surely=verdicts.surely(node))
        assert len(overturning.records.labels) <= len({int(graph.record[one]) for one in overturning.links.labels})


@some
@given(st.data())
def test_the_order_in_which_records_arrive_changes_no_explanation(data: st.DataObject) -> None:
    world = data.draw(worlds(8))
    graph = world.fill()
    change = data.draw(changes(graph, world.things))
    order = list(world.records)
    random.Random(data.draw(st.integers(0, 99))).shuffle(order)
    again = world.fill(order)
    moved = dataclasses.replace(
        change,
        objects=tuple(again.ids[graph.iris[one]] for one in change.objects),
        mended=tuple(again.ids[graph.iris[one]] for one in change.mended),
    )
    before, later = judge(graph, change), judge(again, moved)
    for node in before.nodes.tolist():
        assert told(graph, explain_verdict(before, node, 3)) == told(
            again, explain_verdict(later, again.ids[graph.iris[node]], 3)
        )


def told(graph: LineageGraph, found: Explanation) -> object:
    def link(edge: int) -> tuple[object, ...]:
        ends = graph.iris[graph.earlier[edge]], graph.iris[graph.later[edge]]
        return (*ends, int(graph.role[edge]), graph.records[graph.record[edge]])

    def hop(one: object) -> tuple[object, ...]:
        assert one is not None
        return (
            graph.iris[one.before],  # type: ignore[attr-defined]
            graph.iris[one.after],  # type: ignore[attr-defined]
            one.role,  # type: ignore[attr-defined]
            one.because,  # type: ignore[attr-defined]
            sorted(link(edge) for edge in (one.link, *one.rests_on) if edge >= 0),  # type: ignore[attr-defined]
        )

    cut = found.overturning
    return (
        [[hop(one) for one in path.hops] for path in found.paths],
        found.more,
        None if found.bottleneck is None else found.bottleneck.weakness,
        None if cut is None else (sorted(map(link, cut.links.labels)), cut.links.exact, cut.then),
        None if cut is None else sorted(graph.records[one] for one in cut.records.labels),
        found.blocked,
    )


@some
@given(st.data())
def test_no_way_is_surer_than_the_bottleneck(data: st.DataObject) -> None:
    world = data.draw(worlds(7))
    graph = world.fill()
    change = data.draw(changes(graph, world.things))
    verdicts = judge(graph, change)
    for node in verdicts.nodes.tolist():
        found = explain_verdict(verdicts, node, 50)
        if found.bottleneck is not None and not found.more:
            weakest = [path.hops[path.weakest].weakness for path in found.paths if path.weakest is not None]
            assert found.bottleneck.weakness == min(weakest)


@given(st.lists(st.frozensets(st.integers(0, 6), min_size=1, max_size=4), max_size=7))
def test_a_hitting_set_hits_all_and_is_the_smallest(clauses: list[frozenset[int]]) -> None:
    found, proven = smallest_hitting_set(clauses, 99)
    assert proven
    assert all(clause & found for clause in clauses)
    for fewer in combinations(range(7), len(found) - 1) if found else ():
        assert not all(clause & set(fewer) for clause in clauses)


# --- cases


def ways(world: World, found: Explanation) -> list[list[str]]:
    return [[world.name(hop.before) for hop in path.hops] + [world.name(found.end)] for path in found.paths]


def explained(world: World, name: str, kind: str = "labels-corrected", *objects: str, k: int = 3, **more: object) -> Explanation:
    return explain_verdict(world.judged(kind, *(objects or ("data",)), **more), world.id(name), k)  # type: ignore[arg-type]


def test_a_stale_model_is_explained_hop_by_hop() -> None:
    world = World(story("train"))
    found = explained(world, "paper")
    assert ways(world, found) == [["data", "run", "model", "paper"]]
    hops = found.paths[0].hops
    assert [(hop.role, hop.effect_before, hop.effect_after, hop.because) for hop in hops] == [
        ("train", "stale", "stale", "trained-on"),
        ("generate", "stale", "stale", "made-by"),
        ("document", "stale", "claims-unsupported", "reports"),
    ]
    assert hops[0].rule == "Weights are what the training data made of them."


def test_a_model_that_was_only_tested_on_the_data_is_explained_by_the_link_that_held_the_effect_up() -> None:
    world = World(story("test"))
    found = explained(world, "model")
    assert [(world.name(hop.before), hop.because, hop.effect_after) for hop in found.blocks] == [
        ("data", "tested-only", "metrics-invalid")
    ]
    assert found.overturning is None


def test_the_mended_revision_holds_the_effect_up() -> None:
    text = f"""
    :data a hw:Dataset ; hw:version "1" . :better a hw:Dataset ; hw:version "2" ; prov:wasRevisionOf :data .
    :run a hw:Run ; {used(":better", "train")} . :model a hw:Model ; prov:wasGeneratedBy :run .
    """
    world = World(text)
    found = explained(world, "model", mended=["better"])
    assert [hop.because for hop in found.blocks] == ["mended"]


def test_what_was_mended_since_is_explained_by_the_fault_and_by_the_way_of_the_mended_input() -> None:
    text = f"""
    :better a hw:Dataset ; hw:version "2" ; prov:wasRevisionOf :data .
    :again a hw:Run ; {used(":better", "train")} . :model2 a hw:Model ; prov:wasGeneratedBy :again ; prov:wasRevisionOf :model .
    """
    world = World(story("train"), text)
    found = explained(world, "model", mended=["better"])
    assert ways(world, found) == [["data", "run", "model"]]
    assert found.mended is not None
    assert [world.name(hop.before) for hop in found.mended.hops] == ["better", "again"]


def test_a_doubt_stands_at_the_hop_that_has_it() -> None:
    world = World(story("train", evidence="expanded"))
    hops = explained(world, "paper").paths[0].hops
    assert [hop.doubt for hop in hops] == ["expanded-only", None, None]


def test_two_records_that_say_the_same_are_one_way_and_both_must_be_wrong() -> None:
    again = f":run a hw:Run ; {used(':data', 'train', 'declared')} ."
    world = World(story("train"), again)
    found = explained(world, "run")
    assert ways(world, found) == [["data", "run"]]
    hop = found.paths[0].hops[0]
    assert (world.graph.evidence_name(hop.link), len(hop.others)) == ("observed", 1)
    assert found.overturning is not None
    assert len(found.overturning.links.labels) == 2
    assert found.overturning.then == "not_affected"
    assert len(found.overturning.records.labels) == 2


def test_of_several_links_that_would_do_alone_the_weakest_is_named() -> None:
    world = World(story("train"), evidence="inferred")
    cut = explained(world, "paper").overturning
    assert cut is not None
    assert len(cut.links.each) == 3
    assert world.graph.evidence_name(cut.links.labels[0]) == "inferred"


def test_a_cut_may_lie_where_a_mild_and_a_severe_way_meet() -> None:
    text = f"""
    :run {used(":data", "test")} .
    """
    world = World(story("train"), text)
    found = explained(world, "paper")
    assert found.overturning is not None
    assert found.overturning.links.exact
    assert len(found.overturning.links.labels) == 1


def test_an_implied_link_names_what_it_rests_on() -> None:
    text = f"""
    :data a hw:Dataset ; hw:version "1" . :model a hw:Model ; hw:version "1" .
    :scoring a hw:Run ; {used(":data", "test")} ; {used(":model", "predict", "declared")} .
    :paper a hw:Publication ; hw:documents :model .
    """
    world = World(text)
    found = explained(world, "paper")
    back = found.paths[0].hops[1]
    assert (back.role, back.link, back.because) == ("evaluate", -1, "tested-only")
    assert {world.name(int(world.graph.earlier[edge])) for edge in back.rests_on} == {"data", "model"}
    assert world.graph.words.evidence["declared"] == back.strength


def test_a_circle_is_gone_round_once_where_only_that_makes_it_bad() -> None:
    text = f"""
    :data a hw:Dataset ; hw:version "1" .
    :run a hw:Run ; {used(":data", "train")} ; {used(":frames", "train")} . :model a hw:Model ; prov:wasGeneratedBy :run .
    :asking a hw:Run ; {used(":model", "predict")} . :frames a hw:Dataset ; prov:wasGeneratedBy :asking .
    """
    world = World(text)
    found = explained(world, "frames")
    assert ways(world, found) == [["data", "run", "model", "asking", "frames"]]
    assert not found.more


@pytest.mark.parametrize("count", [3000])
def test_a_hub_with_thousands_of_ways_is_explained_by_the_cheapest(count: int) -> None:
    """Three thousand preparations of one data set, all of which went into one model."""
    from headwater.lineage.index import LineageIndex
    from headwater.records.links import LineageRows, LinkRow, NodeRow

    links = [LinkRow("urn:d", f"urn:r{n}", "prov:used", "preprocess", "declared") for n in range(count)]
    links += [LinkRow(f"urn:r{n}", f"urn:p{n}", "prov:wasGeneratedBy", "generate", "declared") for n in range(count)]
    links += [LinkRow(f"urn:p{n}", "urn:run", "prov:used", "train", "observed" if n == 7 else "declared") for n in range(count)]
    links += [LinkRow("urn:run", "urn:m", "prov:wasGeneratedBy", "generate", "observed")]
    nodes = [NodeRow("urn:d", "dataset", True), NodeRow("urn:run", "run", True), NodeRow("urn:m", "model", True)]
    nodes += [NodeRow(f"urn:p{n}", "dataset", True) for n in range(count)]
    index = LineageIndex()
    index.put("urn:rec", "public", LineageRows(links, nodes))
    graph = index.graph()
    verdicts = judge(graph, Change("labels-corrected", (graph.ids["urn:d"],)))
    found = explain_verdict(verdicts, graph.ids["urn:m"], 3)
    assert [graph.iris[hop.before] for hop in found.paths[0].hops] == ["urn:d", "urn:r7", "urn:p7", "urn:run"]
    assert found.more
    assert len(found.paths) == 3
    assert found.overturning is not None
    assert [graph.iris[graph.earlier[one]] for one in found.overturning.links.labels] == ["urn:run"]


def test_where_more_lies_between_than_can_be_looked_at_real_ways_are_shown_and_it_is_said() -> None:
    between = "".join(
        f":r{n} a hw:Run ; {used(':data', 'preprocess')} . :p{n} a hw:Dataset ; prov:wasGeneratedBy :r{n} ."
        f" :fit {used(f':p{n}', 'train')} ."
        for n in range(30)
    )
    world = World(":data a hw:Dataset . :fit a hw:Run . :model a hw:Model ; prov:wasGeneratedBy :fit ." + between)
    with patch.object(network, "MOST_LINKS", 20):
        found = explained(world, "model")
    assert found.narrowed
    assert all(len(path.hops) == 4 for path in found.paths)
    assert found.paths
    assert not explained(world, "model").narrowed


def test_a_chain_of_a_thousand_steps_has_one_way() -> None:
    steps = "".join(
        f":s{n} a hw:Run ; {used(f':d{n}', 'preprocess')} . :d{n + 1} a hw:Dataset ; prov:wasGeneratedBy :s{n} ."
        for n in range(500)
    )
    world = World(":d0 a hw:Dataset . " + steps)
    found = explained(world, "d500", "labels-corrected", "d0")
    assert len(found.paths) == 1
    assert len(found.paths[0].hops) == 1000
    assert not found.more
