"""The lineage index by itself, at sizes where importing would take too long: filling it, readying it, and closures on it."""

from __future__ import annotations

from typing import Any

from pyoxigraph import NamedNode, Quad

from bench.closure import PATH_QUERY, bare_search, downstream, furthest_data, name_of
from bench.measure import Timing, timed
from bench.world import Link, World, make_world
from headwater.lineage.index import LineageIndex
from headwater.lineage.verdict import Change, judge
from headwater.records.links import LineageRows, LinkRow, NodeRow
from headwater.store.embedded import EmbeddedStore
from headwater.terms.names import HW, PROV

LINKS_A_RUN = 5.15
"""Links that a run brings on average, so that a world can be asked for by its number of links."""
VIEW = NamedNode("https://bench.example/view")
RELATIONS = {
    "used": ("prov:used", "", PROV.used),
    "wasGeneratedBy": ("prov:wasGeneratedBy", "generate", PROV.wasGeneratedBy),
    "wasRevisionOf": ("prov:wasRevisionOf", "revise", PROV.wasRevisionOf),
    "documents": ("hw:documents", "document", HW.documents),
    "cites": ("hw:cites", "cite", HW.cites),
    "deploys": ("hw:deploys", "deploy", HW.deploys),
    "controls": ("hw:controls", "control", HW.controls),
}


def row_of(names: list[str], link: Link) -> LinkRow:
    """A link as the index takes it."""
    relation, role, _ = RELATIONS[link.relation]
    return LinkRow(names[link.target], names[link.source], relation, link.role or role, "observed")


def fill(world: World, names: list[str]) -> LineageIndex:
    """An index of the whole world, record by record."""
    index = LineageIndex()
    by_source: dict[int, list[LinkRow]] = {}
    maker = {number: run.thing for run in world.runs for number in run.makes}
    for link in world.links():
        by_source.setdefault(maker.get(link.source, link.source), []).append(row_of(names, link))
    for thing in world.things:
        node = NodeRow(names[thing.number], thing.kind, pinned=thing.kind in ("dataset", "model", "run"), start=thing.at / 1000)
        index.put(f"urn:record:{thing.number}", "public", LineageRows(by_source.get(thing.number, []), [node]))
    return index


def path_store(world: World, names: list[str]) -> EmbeddedStore:
    """The same links as triples in an Oxigraph in memory, and nothing besides: the path query's best case."""
    nodes = [NamedNode(name) for name in names]
    store = EmbeddedStore(None)
    quads = []
    for link in world.links():
        ends = (link.target, link.source) if link.relation == "controls" else (link.source, link.target)
        quads.append(Quad(nodes[ends[0]], RELATIONS[link.relation][2], nodes[ends[1]], VIEW))
    store.load(quads, 1)
    return store


def measure_index(links: int, seed: int, repeat: int, *, with_path: bool = True) -> list[dict[str, Any]]:
    """One row for each way to the same closure, with what it costs to get ready for it."""
    world = make_world(max(1, round(links / LINKS_A_RUN)), seed)
    names = [name_of(world, number) for number in range(len(world.things))]
    matrix = downstream(world)
    root, reached = furthest_data(world, matrix)
    filled = timed(lambda: fill(world, names), repeat=1)
    index: LineageIndex = filled.result
    ready = timed(index.graph, repeat=1)
    graph = ready.result
    start = graph.find(names[root])
    assert start is not None
    walk = timed(lambda: len(graph.downstream([start]).nodes) - 1, repeat * 2)
    verdicts = timed(lambda: len(judge(graph, Change("labels-corrected", (start,))).nodes) - 1, repeat)
    bare = bare_search(matrix, root, repeat * 2)
    rows = [
        figure("filling the index", len(world.things), filled, bare),
        figure("making its arrays", len(graph.role), ready, bare),
        figure("downstream, full depth", walk.result, walk, bare),
        figure("a verdict for each of them", verdicts.result, verdicts, bare),
        figure("bare SciPy search", bare.result, bare, bare),
    ]
    if with_path:
        store = path_store(world, names)
        text = PATH_QUERY.replace("ROOT", names[root])
        path = timed(lambda: int(store.query(text, [VIEW], accept="text/csv").body.decode().split()[-1]), repeat)
        store.close()
        if path.result not in (reached, reached + 1):
            raise RuntimeError(f"the path query reached {path.result} things and the bare search {reached}: not the same links")
        rows.append(figure("SPARQL path in memory, count only", path.result, path, bare))
    return rows


def figure(what: str, count: int, timing: Timing, bare: Timing) -> dict[str, Any]:
    return {"what": what, "things": count, "seconds": timing.median, "ratio": timing.median / bare.median}
