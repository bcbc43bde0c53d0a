"""Scenes: built from answers, turned into the flow's direction, folded when they grow too large."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from headwater.pictures.scene import Edge, Node, Scene


def _answer() -> dict[str, object]:
    return {
        "root": "urn:run",
        "nodes": {
            "urn:run": {"kind": "run", "label": "fit"},
            "urn:data": {"kind": "dataset", "label": "digits", "state": "affected"},
        },
        "edges": [{"source": "urn:data", "target": "urn:run", "relation": "prov:used", "role": "train"}],
    }


def test_a_use_is_drawn_from_the_data_to_the_run() -> None:
    edge = Scene.of(_answer()).edges[0]
    assert (edge.source, edge.target, edge.role) == ("urn:data", "urn:run", "train")


def test_a_link_to_a_thing_that_the_answer_does_not_hold_is_left_out() -> None:
    answer = _answer()
    answer["nodes"] = {"urn:run": {"kind": "run", "label": "fit"}}
    assert Scene.of(answer).edges == ()


def test_a_node_never_leads_to_a_script() -> None:
    answer = _answer()
    answer["nodes"] = {"urn:run": {"kind": "run", "label": "fit", "_links": {"page": "javascript:alert(1)"}}}
    assert Scene.of(answer).nodes[0].href == "/object?id=urn%3Arun"


def _star(count: int) -> Scene:
    nodes = [Node("root", "root", "dataset", "/")]
    nodes += [
        Node(f"n{i:04}", f"n{i}", "run" if i % 3 else "model", "/", "affected" if i == count - 1 else None) for i in range(count)
    ]
    return Scene("root", tuple(nodes), tuple(Edge("root", f"n{i:04}", "prov:used", "train") for i in range(count)))


def test_folding_keeps_the_root_and_what_is_affected_and_loses_no_count() -> None:
    scene = _star(400)
    small = scene.folded(30, more="/lineage")
    kept = {node.iri for node in small.nodes}
    assert len(small.nodes) <= 30
    assert {"root", "n0399"} <= kept
    assert sum(node.folded or 1 for node in small.nodes) == 401
    assert {node.href for node in small.nodes if node.folded} == {"/lineage"}


def test_folded_siblings_of_different_kinds_stay_apart() -> None:
    kinds = {node.kind for node in _star(400).folded(30).nodes if node.folded}
    assert kinds == {"run", "model"}


def test_a_chain_that_cannot_be_folded_by_siblings_is_cut_far_from_the_root() -> None:
    names = [f"c{i:04}" for i in range(500)]
    scene = Scene(
        "c0000",
        tuple(Node(n, n, "run", "/") for n in names),
        tuple(Edge(a, b, "") for a, b in pairwise(names)),
    )
    small = scene.folded(40)
    assert len(small.nodes) <= 40
    assert small.nodes[-1].folded == 500 - 39


def test_many_separate_parts_fold_too() -> None:
    scene = Scene("a", tuple(Node(name, name, "run", "/") for name in ["a", *(f"b{i}" for i in range(200))]), ())
    assert len(scene.folded(20).nodes) <= 20


def test_a_small_scene_is_left_as_it_is() -> None:
    scene = _star(10)
    assert scene.folded(30) is scene


_links = st.lists(st.tuples(st.integers(0, 24), st.integers(0, 24)), max_size=60)


@given(st.integers(2, 25), _links, st.integers(1, 24))
def test_a_scene_folds_well_at_any_size(count: int, links: list[tuple[int, int]], most: int) -> None:
    nodes = tuple(Node(f"n{i}", f"n{i}", ("run", "model", "dataset")[i % 3], "/") for i in range(count))
    edges = tuple(Edge(f"n{a}", f"n{b}", "") for a, b in links if a != b and max(a, b) < count)
    scene = Scene("n0", nodes, edges)
    small = scene.folded(most)
    names = {node.iri for node in small.nodes}
    assert len(small.nodes) <= max(most, 4), "the root, more on either side, and what hangs together with neither"
    assert "n0" in names
    assert sum(node.folded or 1 for node in small.nodes) == count
    assert not [node for node in small.nodes if node.folded == 1], "one thing is shown, not counted"
    assert all({edge.source, edge.target} <= names for edge in small.edges)
    assert scene.folded(most) == small


def test_what_is_upstream_and_what_is_downstream_is_folded_apart() -> None:
    ways = [f"{way}{i}" for way in ("in", "out") for i in range(40)]
    nodes = (Node("root", "root", "run", "/"), *(Node(name, name, "dataset", "/") for name in ways))
    edges = [Edge(f"in{i}", "root", "used") for i in range(40)] + [Edge("root", f"out{i}", "made") for i in range(40)]
    for most in (3, 4, 5, 8, 12):
        small = Scene("root", nodes, tuple(edges)).folded(most)
        more = {node.iri for node in small.nodes if node.folded}
        assert len(small.nodes) <= most
        assert len(more) == 2
        assert len({edge.source for edge in small.edges} & more) == len({edge.target for edge in small.edges} & more) == 1
