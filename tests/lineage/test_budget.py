"""What a limited budget is spent on: the best choice where it is searched for, a bound that holds where it is not."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.lineage import budget
from headwater.lineage.budget import Purse, bits, choose
from headwater.lineage.ordering import in_order


@st.composite
def problems(draw: st.DrawFn) -> tuple[dict[int, int], Purse, list[int]]:
    """Steps in a random order of precedence, things that need some of them, one or two limits."""
    count = draw(st.integers(1, 8))
    closures = []
    for number in range(count):
        mask = 1 << number
        for before in draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else ():
            mask |= closures[before]
        closures.append(mask)
    needs: dict[int, int] = {}
    for _ in range(draw(st.integers(0, 9))):
        mask = 0
        for one in draw(st.sets(st.integers(0, count - 1), max_size=3)):
            mask |= closures[one]
        needs[mask] = needs.get(mask, 0) + draw(st.integers(0, 12))
    cost = st.one_of(st.none(), st.sampled_from([0.0, 0.1, 0.5, 1.0, 2.0, 3.5]))
    limits = draw(st.lists(st.sampled_from([0.0, 0.3, 1.0, 2.5, 6.0, 100.0]), min_size=1, max_size=2))
    costs = tuple(tuple(draw(st.lists(cost, min_size=count, max_size=count))) for _ in limits)
    return needs, Purse(costs, tuple(limits)), closures


def best(needs: dict[int, int], purse: Purse, closures: list[int]) -> int:
    """The most that any set of steps mends, by trying all that are closed under what must come before."""
    most = 0
    for chosen in product((False, True), repeat=len(closures)):
        steps = sum(1 << number for number, taken in enumerate(chosen) if taken)
        if any(steps >> number & 1 and closures[number] & ~steps for number in range(len(closures))):
            continue
        spent = purse.cost(steps)
        if spent is not None and purse.allows(spent):
            most = max(most, sum(weight for mask, weight in needs.items() if mask & ~steps == 0))
    return most


@settings(max_examples=300, deadline=None)
@given(problems())
def test_the_choice_is_the_best_that_trying_all_finds(problem: tuple[dict[int, int], Purse, list[int]]) -> None:
    needs, purse, closures = problem
    choice = choose(needs, purse)
    assert choice.exact
    assert choice.weight == best(needs, purse, closures) == choice.bound
    assert choice.weight == sum(weight for mask, weight in needs.items() if mask & ~choice.steps == 0)
    spent = purse.cost(choice.steps)
    assert spent is not None
    assert purse.allows(spent)
    assert all(closures[number] & ~choice.steps == 0 for number in bits(choice.steps))


@settings(max_examples=150, deadline=None)
@given(problems())
def test_without_a_search_the_bound_still_holds(problem: tuple[dict[int, int], Purse, list[int]]) -> None:
    needs, purse, closures = problem
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(budget, "MOST_EXACT", -1)
        choice = choose(needs, purse)
    most = best(needs, purse, closures)
    assert choice.weight <= most <= choice.bound + 1e-6
    if choice.exact:
        assert choice.weight == most
    spent = purse.cost(choice.steps)
    assert spent is not None
    assert purse.allows(spent)


def test_many_things_are_chosen_greedily_in_bounded_time() -> None:
    needs = {1 << number | 1 << (number % 7): 1 + number % 5 for number in range(10, 400)}
    purse = Purse((tuple(1.0 + number % 3 for number in range(400)),), (60.0,))
    choice = choose(needs, purse)
    assert not choice.exact
    assert 0 < choice.weight <= choice.bound
    assert choice.weight >= choice.bound / 2


def test_what_costs_an_unknown_time_is_never_promised() -> None:
    choice = choose({0b01: 5, 0b10: 1}, Purse(((None, 1.0),), (10.0,)))
    assert (bin(choice.steps), choice.weight) == ("0b10", 1)


def test_nothing_to_choose_from_is_an_empty_choice() -> None:
    assert choose({}, Purse(((),), (1.0,))).steps == 0


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=24))
def test_work_is_put_in_order_and_only_circles_are_cut(pairs: list[tuple[int, int]]) -> None:
    order, cut = in_order(range(8), pairs, key=lambda item: item)
    assert sorted(order) == list(range(8))
    kept = {pair for pair in pairs if pair[0] != pair[1]} - set(cut)
    assert all(order.index(a) < order.index(b) for a, b in kept)
    reach = {item: {item} for item in range(8)}
    for _ in range(8):
        for a, b in pairs:
            reach[a] |= reach[b]
    assert all(a in reach[b] for a, b in cut), "what was cut lay in a circle"
