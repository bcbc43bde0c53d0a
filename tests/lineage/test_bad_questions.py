"""Questions that make no sense, and graphs that no person would draw: a clear error or a right answer, in bounds."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from headwater.errors import BadParameter
from headwater.lineage.answer import Setting, impact_answer
from headwater.lineage.asking import Traversal, read_traversal
from headwater.lineage.graph import LineageGraph, Rows
from headwater.lineage.slices import read_slice
from headwater.lineage.verdict import Change, judge
from headwater.terms.vocabulary import vocabulary
from tests.lineage.worlds import World, story, used

WORDS = vocabulary()


def fan(runs: int) -> LineageGraph:
    """One data set that so many runs trained on; each made nothing else than itself."""
    role = [role.name for role in WORDS.roles].index("train")
    kinds = [kind.name for kind in WORDS.kinds]
    names = ["urn:data", *(f"urn:run:{number}" for number in range(runs))]
    every, zeros = np.arange(1, runs + 1), np.zeros(runs, np.int32)
    links = {
        "earlier": zeros,
        "later": every.astype(np.int32),
        "relation": zeros,
        "role": np.full(runs, role, np.int32),
        "evidence": np.full(runs, WORDS.evidence["observed"], np.int32),
        "slice": zeros,
        "link_record": zeros,
    }
    nodes: dict[str, Any] = {
        "node": np.arange(runs + 1, dtype=np.int32),
        "kind": np.array([kinds.index("dataset"), *[kinds.index("run")] * runs], np.int32),
        "pinned": np.ones(runs + 1, np.int32),
        "start": np.full(runs + 1, np.nan),
        "end": np.full(runs + 1, np.nan),
        "node_record": np.zeros(runs + 1, np.int32),
    }
    ids = {name: number for number, name in enumerate(names)}
    return LineageGraph(Rows(names, ids, ["prov:used"], [""], ["urn:record"], ["public"], links, nodes), WORDS)


def test_a_million_users_of_one_thing_are_all_judged_in_bounded_memory() -> None:
    runs = 1_000_000
    graph = fan(runs)
    setting = Setting(
        labels=lambda iris: dict.fromkeys(iris, "label"), links=lambda _: {}, sequence=1, now="2026-01-01T00:00:00Z"
    )
    impact_answer(graph, graph, "urn:data", Change("retracted", (0,)), Traversal("downstream", max_nodes=1), setting)
    tracemalloc.start()
    asked = Traversal("downstream", max_nodes=10)
    answer = impact_answer(graph, graph, "urn:data", Change("retracted", (0,)), asked, setting)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer["summary"]["by_state"] == {"affected": runs}
    assert list(answer["nodes"]) == ["urn:data", *sorted(f"urn:run:{number}" for number in range(runs))[:10]]
    assert answer["completeness"]["frontier_count"] == runs - 10
    assert most < 300 * runs


@pytest.mark.parametrize("depth", ["-1", -1, "1.5", 1.0, True, "deep"])
def test_a_depth_that_is_none_is_refused(depth: object) -> None:
    with pytest.raises(BadParameter, match="depth"):
        read_traversal({"depth": depth})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{", "no JSON"),
        ("[1]", "JSON object"),
        ({"colour": "red"}, "'colour' is none of"),
        ({"labels": []}, "list of words"),
        ({"labels": {"a": 1}}, "list of words"),
        ({"first_run": "seven"}, "whole number"),
        ({"first_run": True}, "whole number"),
        ({"after": "yesterday"}, "takes a time"),
        ({"after": "2026-02-01T00:00:00Z", "before": "2026-01-01T00:00:00Z"}, "'after' lies behind 'before'"),
        ({"first_run": 9, "last_run": 7}, "'first_run' lies behind 'last_run'"),
    ],
)
def test_a_slice_of_the_wrong_type_is_refused_with_what_is_wrong(given: Any, said: str) -> None:
    with pytest.raises(BadParameter, match=said):
        read_slice(given)


def test_an_unknown_kind_of_change_and_a_change_of_nothing_are_refused() -> None:
    world = World(story("train"))
    with pytest.raises(BadParameter, match="'improved' is none of"):
        world.judged("improved", "data")
    with pytest.raises(BadParameter, match="nothing is named"):
        judge(world.graph, Change("retracted", ()))


def test_a_chain_of_revisions_that_refers_to_itself_ends() -> None:
    world = World(f"""
        :v1 a hw:Dataset ; prov:wasRevisionOf :v1, :v3 . :v2 a hw:Dataset ; prov:wasRevisionOf :v1 .
        :v3 a hw:Dataset ; prov:wasRevisionOf :v2 ; prov:specializationOf :v3 .
        :run a hw:Run ; {used(":v1", "train")} . :model a hw:Model ; prov:wasGeneratedBy :run ; prov:wasRevisionOf :model .
    """)
    verdicts = world.judged("labels-corrected", "v1", mended=["v2"])
    assert [world.state(verdicts, name) for name in ("model", "v2", "v3")] == ["affected", "not_affected", "not_affected"]


def test_a_change_whose_mended_revision_is_the_faulty_one_is_judged_without_it() -> None:
    world = World(story("train"))
    assert world.state(world.judged("labels-corrected", "data", mended=["data"]), "model") == "affected"
