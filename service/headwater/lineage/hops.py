"""The hops of a way, told one by one: in which role, on what evidence, when, and which effect became which by which rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headwater.lineage.graph import LineageGraph
from headwater.lineage.rulebook import Rulebook
from headwater.lineage.ways import Rules, Ways


@dataclass(frozen=True, slots=True)
class Hop:
    """One link of a way, in graph ids.

    `link` is its edge id, -1 for an implied one, which rests on `rests_on`; `others` are links of other records that say the
    same. `at` is in seconds since 1970. Effects, `because` and `rule` are None where nothing happened; `doubt` is the code why a
    hop is not certain.
    """

    before: int
    after: int
    link: int
    role: str
    rests_on: tuple[int, ...]
    others: tuple[int, ...]
    strength: int
    pinned: bool
    at: float | None
    cost: float
    effect_before: str | None
    effect_after: str | None
    because: str | None
    rule: str | None
    doubt: str | None

    @property
    def weakness(self) -> tuple[int, bool, bool]:
        """How little a hop can carry: first by evidence (lower is weaker), then unpinned, then without a date."""
        return (-self.strength, not self.pinned, self.at is None)


@dataclass(frozen=True, slots=True)
class Path:
    """One way from the start to the end; `weakest` is the position of its weakest hop, None for a way without hops."""

    hops: tuple[Hop, ...]
    start: int

    @property
    def cost(self) -> float:
        return sum(hop.cost for hop in self.hops)

    @property
    def weakest(self) -> int | None:
        places = range(len(self.hops))
        return max(places, key=lambda place: (self.hops[place].weakness, -place), default=None)


@dataclass(slots=True)
class Teller:
    """Says of the arcs of a network what they are."""

    ways: Ways
    book: Rulebook | None
    rules: Rules | None
    certain: NDArray[np.int8] | None = None

    def path(self, arcs: Sequence[int]) -> Path:
        start = self.ways.source[arcs[0]] if arcs else self.ways.ends[0]
        return Path(tuple(self.hop(arc) for arc in arcs), int(self.ways.thing[start]))

    def hop(self, arc: int) -> Hop:
        ways = self.ways
        graph = ways.graph
        source, target, link, row = int(ways.source[arc]), int(ways.target[arc]), int(ways.link[arc]), int(ways.row[arc])
        before, after = int(ways.thing[source]), int(ways.thing[target])
        rests_on = () if link >= 0 else _nearest(graph, ways, arc)
        told = (link,) if link >= 0 else rests_on
        role = int(graph.role[link]) if link >= 0 else row
        effects = self._effects(arc, int(ways.effect[source]), int(ways.effect[target]), row, after)
        roles = graph.words.roles
        return Hop(
            before=before,
            after=after,
            link=link,
            role=roles[role].name if role < len(roles) else _implied(graph, after),
            rests_on=rests_on,
            others=tuple(sorted({int(ways.link[other]) for other in ways.beside(arc)} - {link, -1})),
            strength=min((int(graph.evidence[one]) for one in told), default=0),
            pinned=bool(graph.pinned[before]),
            at=moment_of(graph, before, after),
            cost=int(ways.cost[arc]) / 4,
            effect_before=effects[0],
            effect_after=effects[1],
            because=effects[2],
            rule=effects[3],
            doubt=effects[4],
        )

    def _effects(
        self, arc: int, came: int, became: int, row: int, after: int
    ) -> tuple[str | None, str | None, str | None, str | None, str | None]:
        book, rules, graph = self.book, self.rules, self.ways.graph
        if book is None or rules is None:
            return None, None, None, None, None
        kind = int(graph.kind[after])
        because = book.codes[book.because[came, row, kind]]
        if rules.ends[after] and became == rules.none and came != rules.none:
            because = "mended"
        doubt = None
        if self.certain is not None:
            sure = int(self.certain[self.ways.step[arc]])
            if book.certain[came, sure, kind] != became:
                doubt = book.codes[book.because[came, sure, kind]]
        roles = graph.words.roles
        rule = _rule(graph, book.effects[came].name, roles[row].name, after) if row < len(roles) else None
        return book.effects[came].name, book.effects[became].name, because, rule, doubt


def _implied(graph: LineageGraph, after: int) -> str:
    return "steer" if graph.kind[after] == graph.kind_of["run"] else "evaluate"


def name_of(graph: LineageGraph, link: int) -> tuple[str, str, int, str, str, str]:
    """What tells links apart whatever their numbers are, so that no answer depends on the order in which records arrived."""
    return (
        graph.iris[graph.earlier[link]],
        graph.iris[graph.later[link]],
        int(graph.role[link]),
        graph.relations[graph.relation[link]],
        graph.records[graph.record[link]],
        graph.slices[graph.slice[link]],
    )


def _nearest(graph: LineageGraph, ways: Ways, arc: int) -> tuple[int, ...]:
    """The strongest stated links that an implied one rests on: one of each group of its best bundle."""

    def strength(link: int) -> int:
        return int(graph.evidence[link])

    bundles = [
        tuple(min(group, key=lambda link: (-strength(link), name_of(graph, link))) for group in bundle)
        for bundle in ways.rests_on(arc)
        if all(bundle)
    ]
    return min(bundles, key=lambda bundle: (-min(map(strength, bundle)), [name_of(graph, link) for link in bundle]), default=())


def _rule(graph: LineageGraph, effect: str, role: str, after: int) -> str | None:
    kind = graph.kind_name(after)
    fitting = [rule for rule in graph.words.rules if effect in rule.incoming and role in rule.over]
    own = [rule for rule in fitting if rule.at_kind == kind] or [rule for rule in fitting if rule.at_kind is None]
    return own[0].reason if own else None


def moment_of(graph: LineageGraph, before: int, after: int) -> float | None:
    """When a link came to be: the start of its run, else when the later thing was there."""
    run = graph.kind_of["run"]
    for thing in sorted((after, before), key=lambda one: graph.kind[one] != run):
        if not np.isnan(graph.start[thing]) and (thing == after or graph.kind[thing] == run):
            return float(graph.start[thing])
    return None
