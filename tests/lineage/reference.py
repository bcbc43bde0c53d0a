"""Slow and plain second versions of what the lineage engine computes, to compare with; no arrays, no cleverness."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from dataclasses import dataclass, field

from hypothesis import strategies as st

from headwater.lineage.carrying import impact_edges
from headwater.lineage.graph import LineageGraph
from headwater.lineage.index import LineageIndex
from headwater.lineage.verdict import Change
from headwater.records.links import LineageRows, LinkRow, NodeRow
from headwater.terms.vocabulary import vocabulary

WORDS = vocabulary()
EFFECT = {effect.name: effect for effect in WORDS.effects}
KINDS = [kind.name for kind in WORDS.kinds]
LAID = ("evaluate", "steer")
ROLES = [role.name for role in WORDS.roles if role.name not in LAID]
FREQUENT = ["generate", "train", "test", "revise", "specialise", "predict", "document", "deploy", "control", "use", "execute"]
RULES: dict[tuple[str, str, str | None], tuple[str, str]] = {}
for _rule in WORDS.rules:
    for _effect in _rule.incoming:
        for _role in _rule.over:
            _out = _effect if _rule.outgoing == "same" else _rule.outgoing
            _perhaps = _out if _rule.perhaps is None else _effect if _rule.perhaps == "same" else _rule.perhaps
            RULES[_effect, _role, _rule.at_kind] = (_out, _perhaps)


def becomes(effect: str, role: str, kind: str, *, possible: bool) -> str:
    """What an effect becomes over a link; `nothing` as a role is a link that passes nothing."""
    if role == "nothing":
        return "none"
    found = RULES.get((effect, role, kind)) or RULES[effect, role, None]
    if not possible:
        return found[0]
    hidden = EFFECT[found[1]].may_hide
    return hidden if hidden is not None and kind in (*EFFECT[found[1]].may_hide_at, "entity") else found[1]


# --- random worlds


@dataclass
class Random:
    """Records with random links between things of random kinds, and the index made of them."""

    records: dict[str, LineageRows]
    levels: dict[str, str]
    things: list[str]
    index: LineageIndex = field(default_factory=LineageIndex)

    def fill(self, order: list[str] | None = None) -> LineageGraph:
        """The graph of these records, grown out of another one: some of its edge ids are of links that went."""
        self.index = LineageIndex()
        names, said = order or list(self.records), list(self.records.values())
        for number, record in enumerate(names):
            self.index.put(record, self.levels[record], said[number - 1])
        self.index.put("urn:record:gone", "public", said[-1])
        impact_edges(self.index.graph())
        for record in names:
            self.index.put(record, self.levels[record], self.records[record])
        impact_edges(self.index.graph())
        self.index.put("urn:record:gone", "public", None)
        return self.index.graph()


def steps_of(graph: LineageGraph) -> list[tuple[int, int, int]]:
    """Earlier end, later end and role of every link that holds."""
    held = graph.edges()
    return list(zip(graph.earlier[held].tolist(), graph.later[held].tolist(), graph.role[held].tolist(), strict=True))


def worlds(most: int = 9) -> st.SearchStrategy[Random]:
    """Up to nine things (cycles, doubled links and nonsense included) in up to three records of two levels.

    Drawn by size and seed: choosing each link by hypothesis took ten times as long and shrank no better.
    """
    return st.builds(random_world, st.integers(2, most), st.integers(0, 26), st.integers(0, 2**32))


def random_world(size: int, links: int, seed: int) -> Random:
    """The same world for the same numbers."""
    pick = random.Random(seed)
    things = [f"urn:t{number}" for number in range(size)]
    rows: dict[int, tuple[list[LinkRow], list[NodeRow]]] = {number: ([], []) for number in range(3)}
    for _ in range(links):
        role = pick.choice(pick.choice([ROLES, FREQUENT]))
        evidence = pick.choice(["observed", "observed", "declared", "inferred", "expanded"])
        part = pick.choice(["", "", '{"labels":["1"]}', '{"labels":["2"]}', '{"files":["a"]}'])
        row = LinkRow(pick.choice(things), pick.choice(things), f"urn:{role}", role, evidence, part)
        rows[pick.randrange(3)][0].append(row)
    for thing in things:
        kind = pick.choice([*KINDS, "run", "run", "run", "model", "dataset", "dataset", ""])
        start, end = pick.choice([None, 1.0, 2.0, 3.0]), pick.choice([None, None, 1.0, 2.0, 3.0])
        rows[pick.randrange(3)][1].append(NodeRow(thing, kind, pick.random() < 0.5, start, end))
    levels = {f"urn:record:{number}": pick.choice(["public", "public", "internal"]) for number in range(3)}
    return Random({f"urn:record:{number}": LineageRows(*pair) for number, pair in rows.items()}, levels, things)


@st.composite
def changes(draw: st.DrawFn, graph: LineageGraph, things: list[str]) -> Change:
    """A random change of one or two things, perhaps with mended revisions and a slice."""
    present = [node for node in map(graph.find, things) if node is not None]
    pick = random.Random(draw(st.integers(0, 2**32)))
    objects = pick.sample(present, min(len(present), pick.choice([1, 1, 1, 2])))
    mended = pick.sample(present, min(len(present), pick.choice([0, 0, 1, 2])))
    kind = pick.choice(pick.choice([sorted(WORDS.changes), ["labels-corrected", "retracted"]]))
    part = pick.choice(["", "", '{"labels":["1"]}', *TIMED])
    return Change(kind, tuple(objects), tuple(one for one in mended if one not in objects), part)


TIMED = {
    '{"after":"1970-01-01T00:00:02Z"}': (2.0, math.inf),
    '{"before":"1970-01-01T00:00:02Z"}': (-math.inf, 2.0),
    '{"after":"1970-01-01T00:00:02Z","before":"1970-01-01T00:00:03Z"}': (2.0, 3.0),
}

# --- verdicts


@dataclass
class Link:
    earlier: int
    later: int
    certain: str
    possible: str
    edge: int
    surely: tuple[int, ...] = ()


def links_of(graph: LineageGraph, change: Change) -> list[Link]:
    """The links over which effects travel, with what stands for their role for certain and possibly."""
    names = [role.name for role in WORDS.roles]
    columns = (graph.earlier, graph.later, graph.role, graph.evidence, graph.slice, graph.record)
    alive = graph.alive
    every = [
        (int(a), int(b), names[int(r)], int(e), graph.slices[int(s)], int(record), number)
        for number, (a, b, r, e, s, record) in enumerate(zip(*columns, strict=True))
        if alive[number]
    ]
    plain = [link for link in every if link[2] != "deny"]
    kind = graph.kind_name
    told = {b for _, b, role, *_ in plain if role not in ("revise", "specialise", "responsible", "cite", "derive", "influence")}
    in_use = {a for a, _, role, *_ in every if role != "specialise"}
    found = []
    for link in plain:
        a, b, role, evidence, _, _, number = link
        if role == "specialise" and b not in in_use:
            continue
        certain = possible = role
        if evidence == WORDS.evidence["expanded"] or _disputed(link, every):
            certain = "nothing"
        if role == "revise" and b in told:
            certain = possible = "nothing"
        outcome = _compared(graph, change, link, plain)
        if outcome == "no":
            certain = possible = "nothing"
        elif outcome == "unknown":
            certain = "nothing"
        faulty = {v for v, concept, r, *_ in plain if concept == a and r == "specialise"} & set(change.objects)
        found.append(Link(a, b, certain, possible, number, tuple(sorted(faulty)) if outcome == "surely" else ()))
    tests = {b for a, b, role, *_ in plain if role in ("test", "validate") and kind(a) != "model"}
    makers = {a for a, b, role, *_ in plain if role == "generate" and kind(b) == "model"}
    for a, b, role, *_ in plain:
        if kind(a) == "model" and role in ("use", "test", "validate", "predict") and b in tests and b not in makers:
            found.append(Link(b, a, "evaluate", "evaluate", -1))
        if role == "control":
            onset = _onset(graph, plain, a)
            for instrument, run, *_ in plain:
                if instrument != b or kind(run) != "run":
                    continue
                begun = float(graph.start[run])
                if begun != begun or onset is None:
                    found.append(Link(a, run, "nothing", "steer", -1))
                elif begun >= onset:
                    found.append(Link(a, run, "steer", "steer", -1))
    return found


Plain = tuple[int, int, str, int, str, int, int]
DATA = ("train", "finetune", "validate", "test", "pretrain", "preprocess", "label", "calibrate")
USING = (*DATA, "configure", "execute", "predict", "deploy", "use")
TOOLS = ("instrument", "software", "environment", "workflow")


def _disputed(link: Plain, every: list[Plain]) -> bool:
    """Whether another record denies a link, or tells of the same use in roles that exclude this one's."""
    a, b, role, evidence, part, record, _ = link
    told = next(one for one in WORDS.roles if one.name == role)
    same = [other for other in every if other[:2] == (a, b)]
    if (told.stated or role in ("use", "derive", "influence")) and any(other[2] == "deny" for other in same):
        return True
    if evidence < WORDS.evidence["asserted"] or not told.excludes:
        return False
    data_roles = {one.name for one in WORDS.roles if one.excludes}
    for by in {other[5] for other in same} - {record}:
        roles = {
            other[2]
            for other in same
            if other[5] == by and other[4] == part and other[3] >= WORDS.evidence["asserted"] and other[2] in data_roles
        }
        if role not in roles and roles & told.excludes:
            return True
    return False


def _use(graph: LineageGraph, user: int) -> tuple[float, float]:
    begun, ended = float(graph.start[user]), float(graph.end[user])
    if graph.kind_name(user) not in ("run", "deployment", "instrument", "project"):
        begun, ended = math.nan, begun
    return (math.nan, math.nan) if ended < begun else (begun, ended)


def _there(graph: LineageGraph, plain: list[Plain], thing: int) -> float:
    own = float(graph.start[thing])
    if own == own:
        return own
    makers = [float(graph.start[a]) for a, b, role, *_ in plain if b == thing and role == "generate"]
    return min(makers) if makers and all(time == time for time in makers) else math.nan


def _compared(graph: LineageGraph, change: Change, link: Plain, plain: list[Plain]) -> str:
    """Whether the change concerns this use of a changed object or of the thing it is a version of: no, unknown, yes or surely."""
    a, b, role, _, part, _, _ = link
    versions = {v for v, concept, r, *_ in plain if concept == a and r == "specialise"}
    faulty, others = versions & set(change.objects), versions - set(change.objects)
    if a not in change.objects and not faulty:
        return "yes"
    begun, ended = _use(graph, b)
    outcome = "yes"
    if change.slice:
        since, until = TIMED.get(change.slice, (None, None))
        tool = graph.kind_name(a) in TOOLS
        if since is not None and tool and role in USING:
            if ended < since or begun >= until:
                outcome = "no"
            elif not (since <= begun < until or since <= ended < until or begun < since <= ended):
                outcome = "unknown"
        else:
            if part == '{"labels":["2"]}' and change.slice == '{"labels":["1"]}':
                outcome = "no"
            elif part and part != change.slice:
                outcome = "unknown"
            grows = not tool and not graph.pinned[a] and role in USING and "after" in change.slice
            if grows and since is not None and ended < since:
                outcome = "no"
    if outcome == "no" or role not in USING or not versions:
        return outcome
    if a in change.objects and not others:
        return outcome
    if faulty and all(ended < _there(graph, plain, version) for version in faulty):
        return "no"
    none_else = bool(others) and all(ended < _there(graph, plain, version) for version in others)
    if a in change.objects:
        return outcome if none_else else "unknown"
    return "surely" if none_else and outcome == "yes" else outcome


def _onset(graph: LineageGraph, plain: list[Plain], thing: int) -> float | None:
    own = float(graph.start[thing])
    if own == own:
        return own
    made = [float(graph.start[a]) for a, b, role, *_ in plain if b == thing and role in ("generate", "deploy")]
    return min((time for time in made if time == time), default=None)


def after(graph: LineageGraph, things: set[int]) -> set[int]:
    """Revisions of `things`, and theirs."""
    seen, todo = set(things), list(things)
    while todo:
        for later in graph.later_revisions().get(todo.pop(), ()):
            if later not in seen:
                seen.add(later)
                todo.append(later)
    return seen - things


def verdicts(graph: LineageGraph, change: Change) -> dict[int, tuple[str, str]]:
    """State and effect of everything that the change leads to, by going over all links until nothing moves."""
    links = links_of(graph, change)
    objects = set(change.objects)
    names = [role.name for role in WORDS.roles]
    made_by = defaultdict(set)
    for a, b, r in steps_of(graph):
        if names[r] == "generate":
            made_by[b].add(a)
    mended = set(change.mended) - objects
    since = after(graph, mended) - objects
    mended |= {run for one in mended for run in made_by[one]} - objects
    since |= {run for one in since for run in made_by[one]} - objects
    start = WORDS.changes[change.kind].begins_with
    found: dict[bool, dict[int, str]] = {}
    for possible in (False, True):
        ends = mended if possible else mended | since
        effect = dict.fromkeys(change.objects, start)
        moved = True
        while moved:
            moved = False
            for link in links:
                if link.earlier not in effect:
                    continue
                role = link.possible if possible else link.certain
                sources = {effect[one] for one in (link.earlier, *link.surely)}
                leaving = max(sources, key=lambda one: EFFECT[one].rank)
                arriving = becomes(leaving, role, graph.kind_name(link.later), possible=possible)
                if link.later in ends:
                    arriving = "none"
                if link.later not in effect or EFFECT[arriving].rank > EFFECT[effect[link.later]].rank:
                    effect[link.later] = arriving
                    moved = True
        found[possible] = effect
    said = {}
    for node, certain in found[False].items():
        perhaps, kind = found[True][node], graph.kind_name(node)
        if _bad(certain, kind):
            said[node] = ("affected", certain)
        elif _bad(perhaps, kind):
            said[node] = ("cannot_tell", perhaps)
        else:
            said[node] = ("not_affected", certain)
    sound = _made_from(graph, mended | since) - {node for node, (state, _) in said.items() if state != "not_affected"}
    for node, (state, effect_name) in list(said.items()):
        if state != "not_affected" and node not in objects and after(graph, {node}) & sound:
            said[node] = ("resolved", effect_name)
    return said


def _bad(effect: str, kind: str) -> bool:
    return EFFECT[effect].state == "affected" and kind not in EFFECT[effect].leaves_standing


def _made_from(graph: LineageGraph, things: set[int]) -> set[int]:
    carrying = [
        i for i, role in enumerate(WORDS.roles) if role.name not in ("revise", "specialise", "responsible", "cite", "deny")
    ]
    seen, todo = set(things), list(things)
    while todo:
        node = todo.pop()
        for a, b, r in steps_of(graph):
            if a == node and r in carrying and b not in seen:
                seen.add(b)
                todo.append(b)
    return seen


# --- traversal


def distances(
    pairs: list[tuple[int, int]], start: int, *, free: frozenset[int] = frozenset(), stop: frozenset[int] = frozenset()
) -> dict[int, int]:
    """Shortest ways where entering a free node costs nothing and nothing lies beyond a stop node, by relaxing all links."""
    found = {start: 0}
    moved = True
    while moved:
        moved = False
        for a, b in pairs:
            if a in found and (a == start or a not in stop):
                far = found[a] + (0 if b in free else 1)
                if far < found.get(b, far + 1):
                    found[b] = far
                    moved = True
    return found
