"""The comparison of SPARQL servers asks each the same, counts what is wrong as failed, and tells it in tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import endpoints
from bench.answers import bag
from bench.closed_loop import Ask, closed_loop
from bench.endpoint_queries import FAMILIES, queries, things_of
from bench.endpoint_tables import endpoints as told
from bench.servers import available

VIEW = "".join(
    f"<https://bench.example/id/{kind}/{number}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <urn:T> .\n"
    for kind in ("dataset", "model", "run")
    for number in range(3)
)


def test_the_same_seed_draws_the_same_things(tmp_path: Path) -> None:
    (tmp_path / "view.nt").write_text(VIEW)
    things = things_of(tmp_path / "view.nt")
    assert things["model"] == [f"https://bench.example/id/model/{number}" for number in range(3)]
    first, second, other = (list(queries(FAMILIES["questions"], things, 5, seed)) for seed in (1, 1, 2))
    assert first == second != other
    assert len({query.fresh(number) for number, query in enumerate(first)}) == len(first)


def test_answers_are_equal_in_any_order_and_differ_in_any_row() -> None:
    one, two, three = (
        json.dumps({"results": {"bindings": [{"n": {"type": "literal", "value": value}} for value in row]}}).encode()
        for row in (("a", "b"), ("b", "a"), ("a", "a"))
    )
    assert bag(one) == bag(two) != bag(three)
    assert bag(b"<urn:s> <urn:p> <urn:o> .\n", graph=True) == bag(b"<urn:s>  <urn:p> <urn:o>.\n", graph=True)


def test_a_server_that_is_not_there_fails_each_time() -> None:
    loop = closed_loop("http://127.0.0.1:9/", [Ask("/", "*/*")], clients=2, seconds=0.3)
    assert not loop.times
    assert loop.failures["refused"] > 1


@pytest.mark.server
@pytest.mark.slow
def test_a_small_comparison_finds_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "OUT", tmp_path / "out")
    servers = ["headwater"] + (["oxigraph"] if available("oxigraph") is None else [])
    given = ["--size", "6000", "--keep", str(tmp_path / "kept"), "--seconds", "0.3", "--pool", "2", "--clients", "2"]
    assert endpoints.main([*given, "--servers", *servers]) == 0
    [kept] = (tmp_path / "out").glob("*.json")
    figures = json.loads(kept.read_text())
    for server in figures["servers"]:
        assert "missing" not in server
        for family in FAMILIES:
            assert server[family]["failed templates"] == {}
            assert server[family]["cached 2"]["answers"] > 0
            assert server[family]["cached 2"]["failed"] == 0
            assert all(row["failed"] is None for row in server[f"cold {family}"].values())
    assert "| headwater" in told(figures)
