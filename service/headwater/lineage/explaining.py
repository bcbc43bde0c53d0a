"""Explanations: by which ways one thing rests on another, why a verdict is what it is, and on how few statements it hangs.

For a verdict the ways are those on which the effect that decides really arrives, effect by effect and rule by rule, so that each
of them alone proves the verdict. What is not affected is explained by the links that held the effect up; what cannot be told by
the doubts; what is resolved also by the way of the mended input.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from headwater.lineage.best_ways import best_ways
from headwater.lineage.cutting import MOST_ARCS, Cut, smallest_cut
from headwater.lineage.graph import Int32Array, Limits, LineageGraph
from headwater.lineage.hops import Hop, Path, Teller, name_of
from headwater.lineage.mending import making, where_it_ends
from headwater.lineage.rulebook import Rulebook
from headwater.lineage.verdict import STATES, Verdicts, judge
from headwater.lineage.ways import HOP, UNPINNED, WEAKER, Rules, Steps, Ways, ways_between

MOST_BLOCKS = 10
"""Links that held an effect up which are named; the rest are counted."""
MOST_JUDGED_AGAIN = 300_000
"""Up to so many links a cut is put to the test: everything is judged again without it."""
_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Overturning:
    """The smallest set of links that would overturn what is explained, and of records; `then` is the state without the links
    (None where that was not tried)."""

    links: Cut
    records: Cut
    then: str | None


@dataclass(slots=True)
class Explanation:
    """What is explained and by what. `things` and `arrows` are everything on any way, not only on the `paths` that are shown;
    `bottleneck` is the weakest hop of the way whose weakest hop is strongest: no way is surer than that."""

    end: int
    paths: list[Path]
    things: Int32Array
    arrows: frozenset[tuple[int, int, int, int]]
    more: bool
    narrowed: bool
    bottleneck: Hop | None
    overturning: Overturning | None
    blocks: list[Hop] = field(default_factory=list)
    blocked: int = 0
    mended: Path | None = None


def explain_link(
    graph: LineageGraph, starts: Sequence[int], end: int, k: int, limits: Limits | None = None, *, brief: bool = False
) -> Explanation:
    """The `k` best ways from any of `starts` down to `end`, whatever happened. `brief` leaves out the cut."""
    limits = limits or Limits()
    reach = graph.downstream(list(starts), limits)
    used = np.sort(reach.edges)
    steps = Steps(graph.earlier[used], graph.later[used], used, graph.role[used].astype(np.int8))
    ways = ways_between(graph, steps, starts, end)
    teller = Teller(ways, None, None)
    return _explained(ways, ways, teller, k, lambda net: None if brief else _overturning(net, lambda _: (None, ())))


def explain_verdict(verdicts: Verdicts, node: int, k: int, limits: Limits | None = None, *, brief: bool = False) -> Explanation:
    """Why the verdict on `node` is what it is. The node must be among the verdicts; `limits` are those it was judged with."""
    graph, book = verdicts.graph, verdicts.book
    here = int(verdicts.places[node])
    effect, state = int(verdicts.effect[here]), STATES[int(verdicts.state[here])]
    surely = verdicts.surely(node)
    told = verdicts.steps()
    row = told.certain if surely else told.possible
    rules = Rules(
        book.certain if surely else book.possible,
        book.effect(graph.words.changes[verdicts.change.kind].begins_with),
        book.effect("none"),
        told.ends_certain if surely else told.ends_possible,
    )
    steps = Steps(told.earlier, told.later, told.link, row)
    near = [before for before, _ in verdicts.path(node)]
    only = np.zeros(len(book.effects), bool)
    only[effect] = True
    ways = ways_between(graph, steps, verdicts.change.objects, node, rules, only, near=near)
    bad = _bad(book, graph.kind_name(node))
    harmful = bool(bad[effect])
    whole = ways_between(graph, steps, verdicts.change.objects, node, rules, bad, near=near) if harmful else ways
    teller = Teller(ways, book, rules, None if surely else told.certain)

    def overturn(net: Ways) -> Overturning | None:
        if brief or not harmful:
            return None
        return _overturning(net, lambda links: _without(verdicts, node, links, limits))

    found = _explained(ways, whole, teller, k, overturn)
    if not harmful:
        found.blocks, found.blocked = _blocks(ways, book, teller)
    if state == "resolved":
        found.mended = _mending(verdicts, node)
    return found


def _bad(book: Rulebook, kind: str) -> NDArray[np.bool_]:
    return np.array([told.state == "affected" and kind not in told.leaves_standing for told in book.effects], bool)


def _explained(ways: Ways, whole: Ways, teller: Teller, k: int, overturn: Callable[[Ways], Overturning | None]) -> Explanation:
    best = best_ways(ways, k)
    arrows = zip(
        whole.thing[whole.source].tolist(),
        whole.effect[whole.source].tolist(),
        whole.thing[whole.target].tolist(),
        whole.effect[whole.target].tolist(),
        strict=True,
    )
    return Explanation(
        end=int(ways.thing[ways.ends[0]]),
        paths=[teller.path(arcs) for arcs in best.ways],
        things=whole.things,
        arrows=frozenset(arrows),
        more=best.more,
        narrowed=ways.narrowed or whole.narrowed or best.stopped,
        bottleneck=_bottleneck(ways, teller),
        overturning=overturn(whole),
    )


def _overturning(ways: Ways, again: Callable[[Sequence[int]], tuple[str | None, Sequence[int]]]) -> Overturning | None:
    graph = ways.graph
    links, rank = _numbered(ways)
    if len(ways.source) > MOST_ARCS:
        # The minimum cut nearest to the starts is the same whatever things are numbered by.
        records: Sequence[int] = range(len(graph.records))
        place: Mapping[int, int] | Sequence[int] = records
    else:
        records = sorted({int(graph.record[link]) for link in links}, key=lambda record: graph.records[record])
        place = {record: number for number, record in enumerate(records)}
    found = smallest_cut(ways, rank.__getitem__, lambda number: (*_doubtful(graph, links[number]), -number))
    if found is None:
        return None
    named = {place[int(graph.record[links[one]])] for one in found.labels}
    # Of several single records the one that states the named link.
    by_record = smallest_cut(ways, lambda link: place[int(graph.record[link])], lambda number: (number in named, -number))
    assert by_record is not None
    cut = _named(found, links)
    then, still = again(cut.labels)
    for _ in range(_ROUNDS):
        if not still:
            break
        # Without a link another may come to count: a revision of which nothing tells its origin any more.
        more = max(sorted(still, key=lambda link: name_of(graph, link)), key=lambda link: _doubtful(graph, link))
        cut = Cut((*cut.labels, more), exact=False, at_least=cut.at_least)
        then, still = again(cut.labels)
    return Overturning(cut, _named(by_record, records), then)


def _numbered(ways: Ways) -> tuple[Sequence[int], Mapping[int, int] | Sequence[int]]:
    """The stated links of a network by their names, so that of several smallest sets it is always the same that is named; and
    the number of each."""
    if len(ways.source) > MOST_ARCS:
        every = range(len(ways.graph.role))
        return every, every
    bundles = [bundle for arc in range(len(ways.source)) for bundle in ways.rests_on(arc)]
    links = sorted({link for bundle in bundles for group in bundle for link in group}, key=lambda link: name_of(ways.graph, link))
    return links, {link: number for number, link in enumerate(links)}


def _doubtful(graph: LineageGraph, link: int) -> tuple[int, bool]:
    return -int(graph.evidence[link]), not graph.pinned[graph.earlier[link]]


def _named(cut: Cut, names: Sequence[int]) -> Cut:
    return Cut(tuple(names[one] for one in cut.labels), cut.exact, cut.at_least, tuple(names[one] for one in cut.each))


def _without(verdicts: Verdicts, node: int, links: Sequence[int], limits: Limits | None) -> tuple[str | None, Sequence[int]]:
    """The state that a thing would have if these links were wrong, and the links by which the effect would still arrive as surely
    as now; no state where judging again would take long."""
    graph = verdicts.graph
    if len(graph.role) > MOST_JUDGED_AGAIN:
        return None, ()
    less = judge(graph.without(links), verdicts.change, limits)
    here = int(less.places[node])
    if here < 0:
        return "not_affected", ()
    state = STATES[int(less.state[here])]
    sure = state == "affected" or (state == "resolved" and less.surely(node))
    if state == "not_affected" or (verdicts.surely(node) and not sure):
        return state, ()
    return state, [edge for _, edge in less.path(node) if edge >= 0]


def _bottleneck(ways: Ways, teller: Teller) -> Hop | None:
    """The weakest hop on the way whose weakest hop is the strongest: however one goes, one crosses a hop as weak as this."""
    if not len(ways.first) or set(ways.starts) & set(ways.ends):
        return None
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order

    first, graph = ways.first, ways.graph
    before, after = ways.thing[ways.source[first]], ways.thing[ways.target[first]]
    unpinned = ~graph.pinned[before]
    weaker = (ways.cost[first] - HOP - UNPINNED * unpinned) // WEAKER
    begun = ~np.isnan(graph.start)
    dated = begun[after] | (begun[before] & (graph.kind[before] == graph.kind_of["run"]))
    weakness = 4 * weaker + 2 * unpinned + ~dated
    size = len(ways.thing)
    heads = np.append(ways.source[first], np.full(len(ways.starts), size))
    tails = np.append(ways.target[first], ways.starts)
    ranks = np.append(weakness, np.full(len(ways.starts), -1))
    for bound in np.unique(weakness).tolist():
        kept = ranks <= bound
        net = csr_array((np.ones(int(kept.sum())), (heads[kept], tails[kept])), shape=(size + 1, size + 1))
        _, came = breadth_first_order(net, size, return_predecessors=True)
        if came[ways.ends[0]] < 0:
            continue
        there, crossed = ways.ends[0], []
        while came[there] != size:
            crossed.append((int(came[there]), int(there)))
            there = int(came[there])
        pairs = {
            pair: place for place, pair in enumerate(zip(ways.source[first].tolist(), ways.target[first].tolist(), strict=True))
        }
        places = [pairs[pair] for pair in reversed(crossed)]
        return teller.hop(int(first[max(places, key=lambda place: int(weakness[place]))]))
    return None


def _blocks(ways: Ways, book: Rulebook, teller: Teller) -> tuple[list[Hop], int]:
    """Where a harmful effect became a harmless one on the ways to a thing, the nearest to it first, and how often."""
    rank = np.array([effect.rank for effect in book.effects])
    harmful = np.array([effect.state == "affected" for effect in book.effects], bool)
    came, became = ways.effect[ways.source[ways.first]], ways.effect[ways.target[ways.first]]
    found = ways.first[harmful[came] & (rank[became] < rank[came])]
    nearest = found[np.lexsort((ways.source[found], ways.cost[found], ways.togo[ways.target[found]]))]
    return [teller.hop(int(arc)) for arc in nearest[:MOST_BLOCKS]], len(found)


def _mending(verdicts: Verdicts, node: int) -> Path | None:
    """The best way from the mended input to the later revision that resolves a thing."""
    graph, successor = verdicts.graph, verdicts.resolved_by[node]
    starts = [one for ends in where_it_ends(graph, verdicts.change.objects, verdicts.change.mended) for one in ends]
    links = graph.edges()
    links = links[making(graph)[links]]
    steps = Steps(graph.earlier[links], graph.later[links], links, graph.role[links].astype(np.int8))
    ways = ways_between(graph, steps, starts, successor)
    found = best_ways(ways, 1).ways
    return Teller(ways, None, None).path(found[0]) if found else None
