"""The measurements run on a small world and agree with each other on what they measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import run
from bench.closure import bare_search, downstream, furthest_data
from bench.index_only import measure_index
from bench.landscape import wide
from bench.measure import percentile
from bench.world import make_world


@pytest.mark.parametrize("shape", ["wide", "deep"])
def test_the_index_the_path_query_and_the_bare_search_reach_the_same_things(shape: str) -> None:
    measured = measure_index(3_000, seed=2, repeat=1, shape=shape, pythons=[sys.executable])
    rows = {row["what"].split(" 3")[0]: row["things"] for row in measured.closures}
    reached = rows["bare SciPy search"]
    assert reached > 100
    assert rows["downstream, with distances and links"] == reached
    assert rows["downstream, after these writes"] > reached
    assert rows["SPARQL path in memory, count only"] in (reached, reached + 1)
    assert rows["SQLite"] == reached
    assert measured.costs["MiB after verdicts"] >= measured.costs["MiB opened"]


def test_a_landscape_has_about_as_many_links_as_asked_for_and_the_index_holds_them_all() -> None:
    world = wide(20_000, seed=3)
    index = world.fill()
    assert abs(len(world.links["role"]) - 20_000) < 1_000
    assert len(index.records()) == world.records
    assert index.graph().iris[world.root] == world.name(world.root)


def test_the_data_set_asked_about_is_the_one_with_most_downstream() -> None:
    world = make_world(150, seed=2)
    matrix = downstream(world)
    best, reached = furthest_data(world, matrix)
    assert world.things[best].kind == "dataset"
    assert bare_search(matrix, best, repeat=1).result == reached


@pytest.mark.parametrize("share", [0.01, 0.5, 0.95, 1.0])
def test_a_percentile_is_one_of_the_values_and_that_share_is_not_above_it(share: float) -> None:
    values = [float(value) for value in range(1, 21)]
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)


@pytest.mark.slow
@pytest.mark.server
def test_one_small_run_measures_everything_and_keeps_its_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "OUT", tmp_path / "bench" / "out")
    (tmp_path / "bench").mkdir()
    assert run.main(["--runs", "40", "--repeat", "1", "--requests", "5", "--links", "500"]) == 0
    (kept,) = (tmp_path / "bench" / "out").glob("run-40-*.json")
    figures = json.loads(kept.read_text())
    assert {"at", "machine", "world", "import", "closure", "http", "index-500"} == figures.keys()
    assert [row["what"] for row in figures["import"]] == ["MLflow folder", "one N-Triples file", "Turtle, one by one"]
    assert all(row["statements_per_s"] > 0 for row in figures["import"])


def test_the_plot_of_costs_shows_the_figures_of_the_tables() -> None:
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, root / "scripts" / "cost-plot", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
