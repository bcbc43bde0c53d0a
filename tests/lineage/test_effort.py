"""Computing time and energy: the sum of what is recorded, nothing twice, nothing made up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headwater.lineage.effort import effort


def alone(_: int) -> tuple[int, ...]:
    return ()


def test_the_sum_is_over_what_is_recorded_and_the_rest_is_told() -> None:
    told = effort([1, 2, 3, 4], {1: 2.0, 2: 0.5}.get, {3: 0.1}.get, alone).as_dict()
    assert told == {
        "runs": 4,
        "hours": 2.5,
        "runs_with_hours": 2,
        "share_without_hours": 0.5,
        "kwh": 0.1,
        "runs_with_kwh": 1,
        "share_without_kwh": 0.75,
    }


def test_nothing_recorded_is_unknown_and_not_zero() -> None:
    told = effort([1], {}.get, {}.get, alone).as_dict()
    assert (told["hours"], told["kwh"], told["share_without_hours"]) == (None, None, 1.0)
    assert effort([], {}.get, {}.get, alone).as_dict()["share_without_hours"] is None


def test_no_time_at_all_is_a_time_that_is_known() -> None:
    assert effort([1], {1: 0.0}.get, {}.get, alone).hours == 0.0


def test_runs_within_a_run_are_not_counted_beside_it() -> None:
    parents = {2: (1,), 3: (1,), 4: (3,)}
    told = effort([1, 2, 3, 4], {1: 10.0, 2: 4.0, 3: 5.0, 4: 5.0}.get, {}.get, lambda run: parents.get(run, ()))
    assert (told.hours, told.timed) == (10.0, 4)
    side_by_side = effort([1, 2, 3], {1: 5.0, 2: 4.0, 3: 4.0}.get, {}.get, lambda run: parents.get(run, ()))
    assert side_by_side.hours == 8.0


def test_a_parent_that_is_not_among_the_runs_holds_nothing_back() -> None:
    assert effort([2, 3], {2: 1.0, 3: 1.0}.get, {}.get, lambda _: (1,)).hours == 2.0


@given(st.dictionaries(st.integers(0, 6), st.integers(0, 6)), st.dictionaries(st.integers(0, 6), st.floats(0, 100)))
def test_whatever_parents_are_stated_the_sum_lies_between_the_longest_run_and_the_sum_of_all(
    parents: dict[int, int], hours: dict[int, float]
) -> None:
    told = effort(range(7), hours.get, {}.get, lambda run: (parents[run],) if run in parents else ())
    if not hours:
        assert told.hours is None
    else:
        assert told.hours is not None
        assert max(hours.values()) <= told.hours + 1e-9
        assert told.hours <= sum(hours.values()) + 1e-9
    assert told.timed == len(hours)
