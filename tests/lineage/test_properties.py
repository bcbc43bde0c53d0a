"""What holds of verdicts in every world, cycles and nonsense included."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from headwater.lineage.answer import Setting, impact_answer
from headwater.lineage.asking import NODE_FIELDS, Traversal
from headwater.lineage.graph import LineageGraph
from headwater.lineage.origins import origins
from headwater.lineage.verdict import SEVERITIES, STATES, Change, Verdicts, judge
from headwater.records.links import LineageRows, LinkRow, NodeRow
from tests.lineage.reference import WORDS, Random, becomes, changes, links_of, verdicts, worlds

some = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def told(found: Verdicts) -> dict[str, tuple[str, str, int]]:
    """State, effect and distance by name."""
    return {
        found.graph.iris[node]: (STATES[state], found.book.effects[effect].name, int(far))
        for node, state, effect, far in zip(
            found.nodes.tolist(), found.state.tolist(), found.effect.tolist(), found.distance.tolist(), strict=True
        )
    }


def setting() -> Setting:
    return Setting(labels=lambda iris: dict.fromkeys(iris, "label"), links=lambda _: {}, sequence=1, now="2026-01-01T00:00:00Z")


def impact(graph: LineageGraph, full: LineageGraph, change: Change, **asked: Any) -> dict[str, Any]:
    return impact_answer(graph, full, "urn:change", change, Traversal(direction="downstream", **asked), setting())


@some
@given(st.data())
def test_the_verdict_is_that_of_the_slow_reference(data: st.DataObject) -> None:
    world = data.draw(worlds())
    graph = world.fill()
    change = data.draw(changes(graph, world.things))
    found = {graph.ids[iri]: (state, effect) for iri, (state, effect, _) in told(judge(graph, change)).items()}
    assert found == verdicts(graph, change)


@some
@given(st.data())
def test_whatever_a_change_meets_has_it_among_its_origins(data: st.DataObject) -> None:
    world = data.draw(worlds())
    graph = world.fill()
    change = data.draw(changes(graph, world.things))
    for node in judge(graph, change).nodes.tolist():
        assert origins(graph, node)[list(change.objects)].any(), graph.iris[node]


def reasons(found: Verdicts) -> dict[str, object]:
    """Justification, proof and successor by name."""
    graph = found.graph
    return {
        graph.iris[node]: (
            found.justification(node),
            [(graph.iris[before], graph.records[graph.record[edge]] if edge >= 0 else "") for before, edge in found.path(node)],
            graph.iris[found.resolved_by[node]] if node in found.resolved_by else None,
        )
        for node in found.nodes.tolist()
    }


@some
@given(st.data())
def test_the_order_of_records_never_matters(data: st.DataObject) -> None:
    world = data.draw(worlds())
    graph = world.fill()
    change = data.draw(changes(graph, world.things))
    before = judge(graph, change)
    said = reasons(before)
    again = world.fill(data.draw(st.permutations(list(world.records))))
    moved = dataclasses.replace(
        change,
        objects=tuple(again.ids[graph.iris[one]] for one in change.objects),
        mended=tuple(again.ids[graph.iris[one]] for one in change.mended),
    )
    after = judge(again, moved)
    assert told(after) == told(before)
    assert reasons(after) == said


@some
@given(st.data())
def test_limits_of_what_is_shown_never_change_summary_or_verdicts(data: st.DataObject) -> None:
    world = data.draw(worlds())
    graph = world.fill()
    change = data.draw(changes(graph, world.things))
    whole = impact(graph, graph, change)
    fields = data.draw(st.lists(st.sampled_from(NODE_FIELDS), min_size=1, unique=True))
    cut = impact(
        graph,
        graph,
        change,
        depth=data.draw(st.integers(0, 3)),
        max_nodes=data.draw(st.integers(1, 4)),
        fields=tuple(fields),
        include=data.draw(st.sampled_from([("edges",), ("paths",), ("edges", "paths")])),
    )
    assert cut["summary"] == whole["summary"]
    for iri, node in cut["nodes"].items():
        assert {name: whole["nodes"][iri][name] for name in fields} == {name: node[name] for name in fields}
    assert len(cut["nodes"]) + cut["completeness"]["frontier_count"] == len(whole["nodes"])
    assert cut["completeness"]["coverage"] == whole["completeness"]["coverage"]


@some
@given(st.data())
def test_a_witness_path_exists_begins_at_a_changed_object_and_proves_the_effect(data: st.DataObject) -> None:
    world = data.draw(worlds())
    graph = world.fill()
    change = data.draw(changes(graph, world.things))
    found = judge(graph, change)
    links = links_of(graph, change)
    for here, node in enumerate(found.nodes.tolist()):
        path = found.path(node)
        possible = bool(not found.surely(node))
        nodes = [before for before, _ in path] + [node]
        assert nodes[0] in change.objects
        effects = {WORDS.changes[change.kind].begins_with}
        for (before, edge), after in zip(path, nodes[1:], strict=True):
            between = [
                link for link in links if before in (link.earlier, *link.surely) and (link.later, link.edge) == (after, edge)
            ]
            assert between, "the path follows links that exist"
            kind = graph.kind_name(after)
            effects = {
                becomes(effect, link.possible if perhaps else link.certain, kind, possible=perhaps)
                for perhaps in {possible, False}
                for effect in effects
                for link in between
            }
            if found._ends(after):
                effects.add("none")
        assert found.book.effects[int(found.effect[here])].name in effects


@some
@given(st.data())
def test_paths_in_an_answer_spell_out_what_via_names(data: st.DataObject) -> None:
    world = data.draw(worlds())
    graph = world.fill()
    change = data.draw(changes(graph, world.things))
    answer = impact(graph, graph, change, include=("paths", "edges"))
    for iri, node in answer["nodes"].items():
        assert [step["from"] for step in node["path"]] == node["via"]
        assert (node["via"] == []) == (graph.ids[iri] in change.objects and node["distance"] == 0) or node["via"]
        if node["via"]:
            assert graph.ids[node["via"][0]] in change.objects


@some
@given(st.data())
def test_fewer_levels_never_give_a_more_reassuring_verdict(data: st.DataObject) -> None:
    world = data.draw(worlds())
    full = world.fill()
    less = world.index.graph(frozenset({"public"}))
    if not any(less.find(thing) is not None for thing in world.things):
        return
    change = data.draw(changes(less, world.things))
    whole, told_less = impact(full, full, change), impact(less, full, change)
    for iri, node in whole["nodes"].items():
        if less.find(iri) is None:
            assert iri not in told_less["nodes"]
        elif less.ids[iri] not in change.objects:
            shown = told_less["nodes"].get(iri, {"state": "not_affected", "severity": "info"})
            less_certain = shown["state"] == "cannot_tell"
            assert less_certain or STATES.index(shown["state"]) <= STATES.index(node["state"])
            if node["state"] in ("affected", "cannot_tell"):
                assert SEVERITIES.index(shown["severity"]) <= SEVERITIES.index(node["severity"])
    assert (told_less["completeness"]["hidden_count"] > 0) == any(less.find(iri) is None for iri in whole["nodes"])


def split(world: Random, data: st.DataObject) -> Random | None:
    """One link of a data set to a run becomes two, with a preparing run and what it made between."""
    nodes_of = {row.iri: row for rows in world.records.values() for row in rows.nodes}
    pairs = Counter((link.earlier, link.later) for rows in world.records.values() for link in rows.links)
    # What several statements say of one use, contradicting each other perhaps, is not one step that could be split.
    choices = [
        (record, link)
        for record, rows in world.records.items()
        for link in rows.links
        if link.evidence != "expanded" and not link.slice and pairs[link.earlier, link.later] == 1
        if (nodes_of[link.earlier].kind, nodes_of[link.later].kind) == ("dataset", "run") and link.role in INPUTS
    ]
    if not choices:
        return None
    record, link = data.draw(st.sampled_from(choices))
    rows = world.records[record]
    between = [
        LinkRow(link.earlier, "urn:prepare", "prov:used", "preprocess", link.evidence),
        LinkRow("urn:prepare", "urn:prepared", "prov:wasGeneratedBy", "generate", link.evidence),
        LinkRow("urn:prepared", link.later, link.relation, link.role, link.evidence),
    ]
    kept = [one for one in rows.links if one is not link]
    run = nodes_of[link.later]
    prepare = NodeRow("urn:prepare", "run", True, run.start, run.end)
    nodes = [*rows.nodes, prepare, NodeRow("urn:prepared", "dataset", True)]
    return Random({**world.records, record: LineageRows([*kept, *between], nodes)}, world.levels, world.things)


INPUTS = ("train", "finetune", "pretrain", "validate", "test", "label", "calibrate", "configure", "predict", "preprocess")


@some
@given(st.data())
def test_splitting_a_step_in_two_changes_no_verdict_of_the_others(data: st.DataObject) -> None:
    world = data.draw(worlds())
    graph = world.fill()
    change = dataclasses.replace(data.draw(changes(graph, world.things)), slice="")
    two = split(world, data)
    if two is None:
        return
    before = told(judge(graph, change))
    again = two.fill()
    moved = dataclasses.replace(
        change,
        objects=tuple(again.ids[graph.iris[one]] for one in change.objects),
        mended=tuple(again.ids[graph.iris[one]] for one in change.mended),
    )
    after = told(judge(again, moved))
    states = {iri: (state, effect) for iri, (state, effect, _) in after.items() if iri in world.things}
    assert states == {iri: (state, effect) for iri, (state, effect, _) in before.items()}


@some
@given(
    st.sampled_from(["deploy", "finetune"]),
    st.sampled_from(sorted(WORDS.changes)),
    st.sampled_from(["train", "test", "validate"]),
)
def test_a_copy_of_a_model_between_changes_no_verdict_of_the_others(role: str, kind: str, learnt: str) -> None:
    later = {"deploy": "deployment", "finetune": "run"}[role]
    nodes = [("urn:d", "dataset"), ("urn:r", "run"), ("urn:m", "model"), ("urn:x", later), ("urn:p", "publication")]
    rows = [NodeRow(iri, word, True) for iri, word in nodes]
    first = [("urn:d", "urn:r", learnt), ("urn:r", "urn:m", "generate"), ("urn:x", "urn:p", "document")]

    def said(more: list[tuple[str, str, str]], extra: list[NodeRow]) -> dict[str, Any]:
        links = [LinkRow(a, b, f"urn:{r}", r, "observed") for a, b, r in [*first, *more]]
        graph = Random({"urn:1": LineageRows(links, [*rows, *extra])}, {"urn:1": "public"}, []).fill()
        found = told(judge(graph, Change(kind, (graph.ids["urn:d"],))))
        return {iri: value[:2] for iri, value in found.items() if iri != "urn:copy"}

    copied = [("urn:m", "urn:copy", "derive"), ("urn:copy", "urn:x", role)]
    assert said([("urn:m", "urn:x", role)], []) == said(copied, [NodeRow("urn:copy", "model", True)])


@some
@given(st.data())
def test_taking_a_link_away_never_comforts_anybody_without_lowering_the_coverage(data: st.DataObject) -> None:
    world = data.draw(worlds())
    graph = world.fill()
    change = data.draw(changes(graph, world.things))
    pairs = sorted({(link.earlier, link.later) for rows in world.records.values() for link in rows.links if counts(link, graph)})
    assume(pairs and graph.described.any())
    earlier, later = data.draw(st.sampled_from(pairs))
    every = [link for rows in world.records.values() for link in rows.links]
    made = {link.later for link in every if link.earlier == later and link.role == "generate"}
    less = {record: without(rows, earlier, later, made) for record, rows in world.records.items()}
    fewer = Random(less, world.levels, world.things).fill()
    whole = impact(graph, graph, change)
    cut = impact(fewer, fewer, on(fewer, graph, change))
    assert cut["completeness"]["coverage"] < whole["completeness"]["coverage"]
    comforted = [
        iri
        for iri, node in whole["nodes"].items()
        if node["state"] == "affected" and cut["nodes"].get(iri, {"state": "not_affected"})["state"] == "not_affected"
    ]
    assert not comforted or cut["completeness"]["coverage"] < whole["completeness"]["coverage"]


def counts(link: LinkRow, graph: LineageGraph) -> bool:
    """Whether a link is a step of lineage between two different things."""
    parts = graph.part in (graph.kind[graph.ids[link.earlier]], graph.kind[graph.ids[link.later]])
    return link.earlier != link.later and link.role != "deny" and not parts


def without(rows: LineageRows, earlier: str, later: str, made: set[str]) -> LineageRows:
    """Rows that tell nothing of one thing going into another, nor (in general words) into what the other `made`."""
    kept = [
        link
        for link in rows.links
        if (link.earlier, link.later) != (earlier, later)
        and not (link.role == "derive" and link.earlier == earlier and link.later in made)
    ]
    return LineageRows(kept, rows.nodes)


def on(graph: LineageGraph, before: LineageGraph, change: Change) -> Change:
    """The same change on another graph."""
    return dataclasses.replace(
        change,
        objects=tuple(graph.ids[before.iris[one]] for one in change.objects),
        mended=tuple(graph.ids[before.iris[one]] for one in change.mended),
    )
