"""What the gate looks up for a run does not grow with the store, and the measurement of it runs from end to end."""

from __future__ import annotations

from pathlib import Path

from bench.gate import by_pyshacl, measure_store


def test_a_run_is_looked_up_in_as_many_places_in_a_store_of_any_size(tmp_path: Path) -> None:
    small, large = (measure_store(size, tmp_path, minutes=0) for size in (3_000, 20_000))
    assert large["statements"] > 4 * small["statements"]
    assert abs(large["lookups_a_run"] - small["lookups_a_run"]) < 2
    assert large["rows_a_run"] < 1.5 * small["rows_a_run"]
    assert large["lookups_a_run"] < 110


def test_pyshacl_judges_the_whole_store_or_is_cut_off(tmp_path: Path) -> None:
    whole = measure_store(500, tmp_path, minutes=5)
    assert whole["pyshacl_finished"]
    assert whole["gate_ratio"] > 0
    cut_off = by_pyshacl(tmp_path / "500.nq", 0.0001, whole)
    assert not cut_off["pyshacl_finished"]
    assert cut_off["pyshacl_s"] == 0
