"""Where things come from and what came of them: distances, limits and both directions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.errors import BadParameter
from headwater.lineage.answer import Setting, lineage_answer
from headwater.lineage.asking import Traversal, read_traversal
from headwater.lineage.graph import Limits, LineageGraph
from tests.lineage.reference import KINDS, Random, distances, worlds
from tests.lineage.worlds import EX, World, used

some = settings(max_examples=80, deadline=None)

CHAIN = f"""
:raw a hw:Dataset . :clean a hw:Dataset .
:preparing a hw:Run ; {used(":raw", "preprocess")} . :clean prov:wasGeneratedBy :preparing .
:learning a hw:Run ; {used(":clean", "train")} ; {used(":heldout", "test")} ; {used(":code", "execute", "inferred")} .
:heldout a hw:Dataset . :code a hw:Software . :model a hw:Model ; prov:wasGeneratedBy :learning .
:release a hw:Deployment ; hw:deploys :model . :paper a hw:Publication ; hw:documents :model .
"""


def pairs(graph: LineageGraph, limits: Limits) -> list[tuple[int, int]]:
    mask = limits.edge_mask(graph)
    keep = [edge for edge in graph.edges().tolist() if mask is None or mask[edge]]
    return [(int(graph.earlier[edge]), int(graph.later[edge])) for edge in keep]


def named(graph: LineageGraph, names: list[str]) -> frozenset[int]:
    return frozenset(node for node in range(graph.size) if graph.kind_name(node) in names or graph.iris[node] in names)


@some
@given(st.data(), worlds())
def test_distances_are_those_of_the_slow_reference_in_both_directions(data: st.DataObject, world: Random) -> None:
    graph = world.fill()
    words = st.lists(st.sampled_from([*KINDS, *world.things]), max_size=3, unique=True)
    free, stop = data.draw(words), data.draw(words)
    limits = Limits(
        roles=tuple(data.draw(st.lists(st.sampled_from(["train", "test", "predict", "document"]), max_size=2, unique=True))),
        min_evidence=data.draw(st.integers(0, 5)),
        stop_at=tuple(stop),
        ignore_as_hops=tuple(free),
    )
    start = data.draw(st.integers(0, graph.size - 1))
    for direction in ("downstream", "upstream"):
        reach = getattr(graph, direction)([start], limits)
        found = dict(zip(reach.nodes.tolist(), reach.distance.tolist(), strict=True))
        links = pairs(graph, limits)
        if direction == "upstream":
            links = [(b, a) for a, b in links]
        assert found == distances(links, start, free=named(graph, free), stop=named(graph, stop))
        assert len(found) == len(reach.nodes)
        assert reach.distance.tolist() == sorted(reach.distance.tolist())


@some
@given(worlds())
def test_upstream_holds_what_has_it_downstream_and_nothing_else(world: Random) -> None:
    graph = world.fill()
    down = {(a, b) for a in range(graph.size) for b in graph.downstream([a]).nodes.tolist()}
    up = {(b, a) for a in range(graph.size) for b in graph.upstream([a]).nodes.tolist()}
    assert down == up


@some
@given(st.data(), worlds())
def test_what_is_shown_never_changes_the_summary_of_a_lineage(data: st.DataObject, world: Random) -> None:
    graph = world.fill()
    root = data.draw(st.integers(0, graph.size - 1))
    direction = data.draw(st.sampled_from(["upstream", "downstream", "both"]))

    def ask(**more: Any) -> dict[str, Any]:
        setting = Setting(labels=lambda iris: dict.fromkeys(iris, ""), links=lambda _: {}, sequence=1, now="")
        return lineage_answer(graph, graph, root, Traversal(direction=direction, **more), setting)

    whole = ask()
    cut = ask(depth=data.draw(st.integers(0, 2)), max_nodes=data.draw(st.integers(1, 3)), fields=("kind", "distance"))
    assert cut["summary"] == whole["summary"]
    assert all(cut["nodes"][iri].items() <= whole["nodes"][iri].items() for iri in cut["nodes"])
    assert len(cut["nodes"]) + cut["completeness"]["frontier_count"] == len(whole["nodes"])
    assert {edge["source"] for edge in cut["edges"]} | {edge["target"] for edge in cut["edges"]} <= cut["nodes"].keys()


def test_distance_counts_links_and_the_direction_is_as_asked() -> None:
    world = World(CHAIN)
    assert world.reached("raw") == {"preparing": 1, "clean": 2, "learning": 3, "model": 4, "release": 5, "paper": 5}
    assert world.reached("model", "upstream") == {
        "learning": 1,
        "clean": 2,
        "heldout": 2,
        "code": 2,
        "preparing": 3,
        "raw": 4,
    }


def test_runs_that_do_not_count_as_hops_stand_where_their_input_stands() -> None:
    found = World(CHAIN).reached("raw", limits=Limits(ignore_as_hops=("run",)))
    assert found == {"preparing": 0, "clean": 1, "learning": 1, "model": 2, "release": 3, "paper": 3}


def test_beyond_a_thing_to_stop_at_nothing_is_met_unless_it_is_where_one_starts() -> None:
    world = World(CHAIN)
    assert world.reached("raw", limits=Limits(stop_at=(EX + "clean",))) == {"preparing": 1, "clean": 2}
    assert set(world.reached("clean", limits=Limits(stop_at=("dataset",)))) == {"learning", "model", "release", "paper"}
    both = Limits(stop_at=("run",), ignore_as_hops=("run",))
    assert world.reached("raw", limits=both) == {"preparing": 0}


def test_a_question_about_roles_goes_through_what_has_no_role_and_not_through_other_roles() -> None:
    world = World(CHAIN)
    assert set(world.reached("clean", limits=Limits(roles=("train",)))) == {"learning", "model"}
    assert world.reached("heldout", limits=Limits(roles=("train",))) == {}
    assert set(world.reached("model", "upstream", Limits(roles=("train", "preprocess")))) == {
        "learning",
        "clean",
        "preparing",
        "raw",
    }


def test_weaker_evidence_is_left_out_and_the_answer_says_that_something_was() -> None:
    world = World(CHAIN)
    strength = world.graph.words.evidence
    assert world.reached("code", limits=Limits(min_evidence=strength["asserted"])) == {}
    setting = Setting(labels=lambda iris: dict.fromkeys(iris, ""), links=lambda _: {}, sequence=1, now="")
    asked = Traversal(direction="upstream", min_evidence="asserted")
    answer = lineage_answer(world.graph, world.graph, world.id("model"), asked, setting)
    assert answer["completeness"]["reasons"] == ["min_evidence"]
    assert answer["completeness"]["complete"] is False


@pytest.mark.parametrize(
    ("given", "parameter"),
    [
        ({"depth": "-1"}, "depth"),
        ({"depth": "2.5"}, "depth"),
        ({"depth": True}, "depth"),
        ({"max_nodes": 0}, "max_nodes"),
        ({"max_nodes": "many"}, "max_nodes"),
        ({"roles": "training"}, "roles"),
        ({"types": "models"}, "types"),
        ({"direction": "sideways"}, "direction"),
        ({"min_evidence": "sure"}, "min_evidence"),
        ({"stop_at": "nowhere"}, "stop_at"),
        ({"fields": "colour"}, "fields"),
        ({"include": "weather"}, "include"),
        ({"depht": "3"}, "depht"),
        ({"as_of": "yesterday"}, "as_of"),
        ({"known_at": "2026-13-01"}, "known_at"),
    ],
)
def test_a_wrong_parameter_is_named(given: dict[str, Any], parameter: str) -> None:
    with pytest.raises(BadParameter, match=parameter) as caught:
        read_traversal(given)
    assert caught.value.extra["parameter"] == parameter
