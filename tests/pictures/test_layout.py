"""The layout of pictures: columns follow the flow, cards never overlap, and the same graph always looks the same."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from headwater.pictures.layout import HEIGHT, ROW_GAP, layered

graphs = st.integers(1, 14).flatmap(
    lambda n: st.tuples(st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=40))
)


def _named(graph: tuple[int, list[tuple[int, int]]]) -> tuple[list[str], list[tuple[str, str]]]:
    count, links = graph
    return [str(i) for i in range(count)], [(str(a), str(b)) for a, b in links]


@given(graphs)
def test_no_two_cards_overlap_whatever_the_graph(graph: tuple[int, list[tuple[int, int]]]) -> None:
    nodes, links = _named(graph)
    centres = layered(nodes, links).centres
    columns: dict[float, list[float]] = {}
    for x, y in centres.values():
        columns.setdefault(x, []).append(y)
    for column in columns.values():
        heights = sorted(column)
        assert all(b - a >= HEIGHT + ROW_GAP - 0.2 for a, b in pairwise(heights))


@given(graphs)
def test_a_link_runs_rightwards_unless_it_closes_a_cycle(graph: tuple[int, list[tuple[int, int]]]) -> None:
    count, links = graph
    nodes, forward = _named((count, [(min(a, b), max(a, b)) for a, b in links if a != b]))
    layout = layered(nodes, forward)
    assert all(layout.centres[a][0] < layout.centres[b][0] for a, b in forward)
    assert not any(route.back for route in layout.routes)


@given(graphs)
def test_everything_lies_inside_the_picture_and_each_link_has_a_route(graph: tuple[int, list[tuple[int, int]]]) -> None:
    nodes, links = _named(graph)
    layout = layered(nodes, links)
    assert len(layout.routes) == len(links)
    assert all(0 < x < layout.width and 0 < y < layout.height for x, y in layout.centres.values())
    assert layout == layered(nodes, links)


def test_a_cycle_keeps_all_its_nodes_and_turns_one_link_round() -> None:
    layout = layered(["a", "b", "c"], [("a", "b"), ("b", "c"), ("c", "a")])
    assert [route.back for route in layout.routes] == [False, False, True]


def test_two_crossed_pairs_are_untangled() -> None:
    layout = layered(["a", "b", "c", "d"], [("a", "d"), ("b", "c")])
    a, b, c, d = (layout.centres[name][1] for name in "abcd")
    assert (a < b) == (d < c)


def test_a_thousand_nodes_in_a_chain_and_a_thousand_in_a_star_are_laid_out() -> None:
    names = [str(i) for i in range(1000)]
    chain = layered(names, list(pairwise(names)))
    star = layered(names, [("0", name) for name in names[1:]])
    assert len({x for x, _ in chain.centres.values()}) == 1000
    assert len({y for _, y in star.centres.values()}) >= 999


def test_the_picture_of_a_large_random_graph_needs_no_recursion() -> None:
    chance = random.Random(7)
    names = [str(i) for i in range(1500)]
    links = [(str(chance.randrange(1500)), name) for name in names for _ in range(2)]
    assert len(layered(names, links).centres) == 1500
