"""Credit on random graphs, cycles among them: it sums to one over all sources, and splitting steps changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from headwater.lineage.credit import shares
from headwater.lineage.graph import LineageGraph
from tests.lineage.worlds import World, used

ROLES = ("train", "finetune", "test", "validate", "preprocess", "label", "execute", "calibrate")
Use = tuple[int, str, int]
"""A data set, the role in which it was used, and the run that used it; run n makes data set n."""

graphs = st.integers(2, 7).flatmap(
    lambda size: st.lists(
        st.tuples(st.integers(0, size - 1), st.sampled_from(ROLES), st.integers(0, size - 1)),
        min_size=1,
        max_size=16,
        unique=True,
    ).map(lambda uses: (size, uses))
)
some = settings(max_examples=40, deadline=None)


def turtle(size: int, uses: list[Use]) -> str:
    lines = [f":d{n} a hw:Dataset ." for n in range(size)]
    for run in sorted({run for _, _, run in uses}):
        told = " ; ".join(used(f":d{data}", role) for data, role, at in uses if at == run)
        lines.append(f":r{run} a hw:Run ; {told} . :d{run} prov:wasGeneratedBy :r{run} .")
    return "\n".join(lines)


def ends(graph: LineageGraph) -> list[list[int]]:
    """The things at which credit stays: what nothing leads to, and the circles that nothing leads into."""
    links = csr_array((np.ones(len(graph.later)), (graph.later, graph.earlier)), shape=(graph.size, graph.size))
    count, group = connected_components(links, directed=True, connection="strong")
    leaving = {int(group[a]) for a, b in zip(graph.later.tolist(), graph.earlier.tolist(), strict=True) if group[a] != group[b]}
    return [np.flatnonzero(group == one).tolist() for one in range(count) if one not in leaving]


@some
@given(graphs)
def test_the_shares_of_all_sources_add_up_to_one_for_everything(drawn: tuple[int, list[Use]]) -> None:
    graph = World(turtle(*drawn)).graph
    there = np.flatnonzero(graph.present)
    total = sum(shares(graph, sources)[there] for sources in ends(graph) if graph.present[sources[0]])
    assert total == pytest.approx(np.ones(len(there)), abs=1e-8)


@some
@given(graphs, st.data())
def test_a_share_lies_between_zero_and_one_and_a_larger_family_never_has_less(
    drawn: tuple[int, list[Use]], data: st.DataObject
) -> None:
    graph = World(turtle(*drawn)).graph
    there = np.flatnonzero(graph.present).tolist()
    family = data.draw(st.lists(st.sampled_from(there), min_size=1, unique=True))
    one, more = shares(graph, family[:1]), shares(graph, family)
    assert one.min() >= 0
    assert more.max() <= 1
    assert (more - one).min() >= -1e-9


@some
@given(graphs, st.data())
def test_splitting_a_step_in_two_changes_no_share_of_anything(drawn: tuple[int, list[Use]], data: st.DataObject) -> None:
    size, uses = drawn
    data_set, role, run = data.draw(st.sampled_from(uses))
    rest = [use for use in uses if use != (data_set, role, run)]
    through = data.draw(st.sampled_from(ROLES))
    split = f":between a hw:Dataset ; prov:wasGeneratedBy :step . :step a hw:Run ; {used(f':d{data_set}', through)} .\n"
    split += f":r{run} a hw:Run ; {used(':between', role)} . :d{run} prov:wasGeneratedBy :r{run} ."
    before, after = World(turtle(size, uses)), World(turtle(size, rest) + "\n" + split)
    named = [n for n in range(size) if before.graph.find(f"https://lab.example/d{n}") is not None]
    for source in named:
        one, other = (shares(world.graph, [world.id(f"d{source}")]) for world in (before, after))
        told = {n: float(one[before.id(f"d{n}")]) for n in named}
        assert {n: float(other[after.id(f"d{n}")]) for n in named} == pytest.approx(told, abs=1e-8)
