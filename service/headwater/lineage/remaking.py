"""Remaking: for each damaged thing how it can be put right, and the runs that have to be repeated for it, each once.

What takes the place of a faulty input is known (a mended revision, a later version, the outcome of a run that did the same with
sound inputs), or a run of the plan makes it, or a person has to provide it first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from headwater.lineage.damage import Damage
from headwater.lineage.ordering import Pair, in_order
from headwater.lineage.repeating import Past, Records

How = Literal["taken", "made", "waits", "kept"]
Need = Literal["repeat", "measure", "gain"]

BY_HAND = ("deployment", "publication", "instrument", "project", "agent")
"""Kinds that no run mends: a person deploys again, corrects, hands over."""
_PREPARING = frozenset({"preprocess", "label", "calibrate", "configure", "execute", "inform"})
_PASSING_NOT = ("responsible", "revise", "specialise", "cite", "deny")
_FOLDERS = ("revise", "specialise", "responsible", "deny")
_ENDED_BADLY = ("failed", "killed")


@dataclass(frozen=True, slots=True)
class Swap:
    """One faulty input and what takes its place: `new` is taken, `run` of the plan makes it, it `waits` for a person to provide
    `new`, or the old one is `kept` because a circle was cut there."""

    role: str
    old: int
    how: How
    new: int | None = None
    run: int | None = None


@dataclass(slots=True)
class Unit:
    """A run that is repeated as a whole, with the runs that were parts of it.

    `outputs` are the stale things that it makes anew, `models` what it measures again without making it; `after` the units that
    must come before; `waits` what people must provide.
    """

    run: int
    need: Need
    swaps: list[Swap]
    outputs: list[int]
    models: list[int]
    parts: list[int] = field(default_factory=list)
    after: set[int] = field(default_factory=set)
    waits: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Goal:
    """Something that is put right once the `units` are done and what it `waits` for is there; `numbers`: only a run's metrics."""

    node: int
    units: frozenset[int]
    waits: frozenset[int]
    wanted: bool
    numbers: bool = False


@dataclass(slots=True)
class Mending:
    """All that can be mended, and how. `units` by their run; `done` the runs that need no repetition because another run did it;
    `left` why other runs are not repeated (reason, and what stands for it); `cut` the links cut from circles."""

    damage: Damage
    units: dict[int, Unit]
    goals: list[Goal]
    done: dict[int, int]
    swaps: dict[int, list[Swap]]
    left: dict[int, tuple[str, int | None]]
    cut: list[Pair]
    order: list[int]
    unit_of: dict[int, int]

    def needed(self, goals: Iterable[Goal]) -> set[int]:
        """The units that these goals need, with all that those need."""
        todo = [unit for goal in goals for unit in goal.units]
        found: set[int] = set()
        while todo:
            unit = todo.pop()
            if unit not in found:
                found.add(unit)
                todo += self.units[unit].after
        return found


def mend(damage: Damage, records: Records, *, kinds: Collection[str] = (), metrics: bool = True) -> Mending:
    """Find for everything damaged how it is put right. `kinds` narrows what is wanted (all that counts as a result where empty);
    without `metrics` nothing is repeated only to measure."""
    return _Mender(damage, records, kinds, metrics).mending()


class _Mender:
    def __init__(self, damage: Damage, records: Records, kinds: Collection[str], metrics: bool) -> None:
        self.damage, self.graph, self.records = damage, damage.graph, records
        self.kinds, self.metrics = kinds, metrics
        self.nodes: list[int] = damage.damaged().tolist()
        self.inside = set(self.nodes)
        self.run_kind = self.graph.kind_of["run"]
        self.sources = self._sources()
        self.past = Past(self.graph, records, damage.sound, damage.counted)
        self.outcome: dict[int, Swap] = {}
        self.direct: dict[int, frozenset[int]] = {}
        self.waits: dict[int, frozenset[int]] = {}
        self.swaps: dict[int, list[Swap]] = {}
        self.done: dict[int, int] = {}
        self.in_place: dict[int, int] = {}
        self.outputs: dict[int, list[int]] = defaultdict(list)
        self.models: dict[int, list[int]] = {}
        self.left: dict[int, tuple[str, int | None]] = {}

    def is_run(self, node: int) -> bool:
        return int(self.graph.kind[node]) == self.run_kind

    def idle(self, node: int) -> bool:
        """Affected, but nothing about it is wrong: only terms that apply, or a model that steers it."""
        damage = self.damage
        return not (damage.repeat[node] or damage.measure[node] or damage.gain[node])

    # --- what each damaged thing rests on

    def _sources(self) -> dict[int, list[tuple[str, int, int]]]:
        """For each damaged thing the faulty things that it was made from: role, the thing as recorded, and what stands for it."""
        graph, damage = self.graph, self.damage
        nodes = np.array(self.nodes, np.int32)
        edges = graph.up.edges_of(nodes)
        roles = [position for position, role in enumerate(graph.words.roles) if role.name not in _PASSING_NOT]
        edges = edges[np.isin(graph.role[edges], roles)]
        faulty = np.zeros(graph.size, bool)
        faulty[[*(node for node in self.nodes if not self.idle(node)), *damage.seeds, *damage.replaced]] = True
        edges = edges[faulty[graph.earlier[edges]]]
        found: dict[int, dict[tuple[str, int, int], None]] = {node: {} for node in self.nodes}
        for earlier, later, role in zip(
            graph.earlier[edges].tolist(), graph.later[edges].tolist(), graph.role[edges].tolist(), strict=True
        ):
            found[later][graph.words.roles[role].name, earlier, damage.in_place_of(earlier)] = None
        for node in self.nodes:
            for row in self._measured(node):
                found[node][row] = None
            for role_name, earlier in self._unstated(node, found[node]):
                found[node][role_name, earlier, damage.in_place_of(earlier)] = None
        return {node: sorted(rows) for node, rows in found.items()}

    def _measured(self, node: int) -> list[tuple[str, int, int]]:
        """Who reports on a model rests on its numbers, too: the runs that measured it, where their numbers are wrong."""
        if not self._by_people(node):
            return []
        graph, document = self.graph, self.graph.role_of["document"]
        edges = graph.up.edges_of(np.array([node], np.int32))
        things = np.unique(graph.earlier[edges[graph.role[edges] == document]])
        things = things[self.damage.numbers[things]]
        runs = set(graph.earlier[graph.up.edges_of(things)].tolist()) | set(graph.later[graph.down.edges_of(things)].tolist())
        return [("document", run, run) for run in sorted(runs) if run in self.inside and self.damage.measure[run]]

    def _unstated(self, node: int, stated: Collection[tuple[str, int, int]]) -> list[tuple[str, int]]:
        """Where the fault came over a link that nobody states (a model steered the instrument): the last step of the proof."""
        tools = [self.graph.kind_of[name] for name in ("instrument",) if name in self.graph.kind_of]
        steered = self.is_run(node) and any(
            int(self.graph.kind[thing]) in tools
            for thing in self.graph.earlier[self.graph.up.edges_of(np.array([node], np.int32))].tolist()
        )
        number = int(self.damage.by[node])
        if (stated and not steered) or number < 0:
            return []
        path = self.damage.verdicts[number].path(node)
        if not path or (stated and path[-1][1] >= 0):
            return []
        before, edge = path[-1]
        role = self.graph.words.roles[int(self.graph.role[edge])].name if edge >= 0 else "steer"
        return [(role, before)]

    # --- from the changed objects downwards

    def mending(self) -> Mending:
        pairs = [(source, node) for node, rows in self.sources.items() for _, _, source in rows if source in self.inside]
        order, cut = in_order(self.nodes, pairs, self._key)
        for node in order:
            if self.is_run(node):
                self._run(node)
            else:
                self._thing(node)
        self._settle_runs(order)
        unit_of = self._units_of(order)
        units = self._units(order, unit_of)
        goals = self._goals(order, unit_of)
        if not self.metrics:
            measuring = {run for run, unit in units.items() if unit.need == "measure" and not unit.outputs}
            goals = [replace(goal, wanted=goal.wanted and goal.units.isdisjoint(measuring)) for goal in goals]
        run_order, more_cut = in_order(
            sorted(units), [(before, run) for run, unit in units.items() for before in unit.after], self._key
        )
        for before, run in more_cut:
            units[run].after.discard(before)
        between = {(self._unit_behind(a, unit_of), self._unit_behind(b, unit_of)) for a, b in cut}
        told = sorted({*more_cut, *((a, b) for a, b in between if a is not None and b is not None and a != b)})
        return Mending(self.damage, units, goals, self.done, self.swaps, self.left, told, run_order, unit_of)

    def _unit_behind(self, node: int, unit_of: dict[int, int]) -> int | None:
        """The repetition that makes a thing anew, or that a run belongs to."""
        run = node if self.is_run(node) else self.outcome[node].run
        return None if run is None else unit_of.get(run)

    def _key(self, node: int) -> tuple[float, int, str]:
        """What began first comes first; of what nobody knows when, the nearest to the change."""
        start = float(self.graph.start[node])
        return (start if start == start else float("inf"), int(self.damage.distance[node]), self.graph.iris[node])

    def _swap(self, role: str, old: int, source: int) -> Swap:
        if role == "inform" and self.records.status(source) in _ENDED_BADLY:
            return Swap(role, old, "kept", new=old)
        if source in self.damage.unmended:
            return Swap(role, old, "waits", new=source)
        if source not in self.inside:
            return Swap(role, old, "taken", new=source)
        known = self.outcome.get(source)
        if known is None:
            return Swap(role, old, "kept", new=old)
        return Swap(role, old, known.how, new=known.new, run=known.run)

    def _gather(self, node: int, swaps: Iterable[Swap]) -> None:
        """Which repetitions, and whom, a thing has to wait for."""
        units: set[int] = set()
        waits: set[int] = set()
        for swap in swaps:
            if swap.how == "made" and swap.run is not None:
                units.add(swap.run)
            elif swap.how == "waits" and swap.new is not None:
                waits.add(swap.new)
                units |= self.direct.get(swap.new, frozenset())
                waits |= self.waits.get(swap.new, frozenset())
        self.direct[node], self.waits[node] = frozenset(units), frozenset(waits)

    def _run(self, run: int) -> None:
        swaps = [self._swap(*row) for row in self.sources[run]]
        self.swaps[run] = swaps
        self._gather(run, swaps)
        self.outcome[run] = Swap("", run, "made", run=run)
        outdated = self._outdated(run)
        if outdated is not None:
            # All that it made has a later version: the run behind that stands for it.
            self.outcome[run] = Swap("", run, "taken", new=self._maker(outdated))
            return
        measuring = not self.damage.repeat[run] and not self.damage.gain[run]
        if measuring:
            standing = [thing for thing in sorted(self.past.made(run)) if self.graph.kind_name(thing) == "model"]
            self.models[run] = [model for model in standing if model not in self.inside and model not in self.damage.replaced]
        if any(swap.how != "taken" for swap in swaps):
            return
        instead = {swap.old: swap.new for swap in swaps if swap.new is not None}
        found = self.past.same(run, instead, measuring=measuring)
        if found is not None:
            self.done[run] = found[0]
            self.in_place |= {old: new for old, new in found[1].items() if old in self.inside}
            self.outcome[run] = Swap("", run, "taken", new=found[0])
        elif self.models.get(run) and not any(thing in self.inside for thing in self.past.made(run)):
            measured = self.past.measured(self.models[run], instead)
            if measured is not None:
                self.done[run] = measured
                self.outcome[run] = Swap("", run, "taken", new=measured)

    def _thing(self, thing: int) -> None:
        rows = self.sources[thing]
        idle = self.idle(thing) and not self._by_people(thing)
        if thing in self.in_place or idle:
            self.outcome[thing] = Swap("", thing, "taken", new=self.in_place.get(thing, thing))
            self.direct[thing] = self.waits[thing] = frozenset()
            return
        makers = [source for role, _, source in rows if role == "generate" and self.is_run(source) and source in self.inside]
        makers = [maker for maker in makers if maker not in self.done]
        if makers and self.graph.kind_name(thing) not in BY_HAND:
            maker = min(makers, key=lambda run: (self.records.status(run) in _ENDED_BADLY, self._key(run)))
            self.outcome[thing] = Swap("", thing, "made", run=maker)
            self.direct[thing], self.waits[thing] = frozenset({maker}), frozenset()
            self.outputs[maker].append(thing)
            return
        # Nobody recorded a run that made it (or people make it): it is put right by hand, from what takes its sources' place.
        self.swaps[thing] = [self._swap(*row) for row in rows]
        self._gather(thing, self.swaps[thing])
        self.outcome[thing] = Swap("", thing, "waits", new=thing)

    # --- which runs are worth it

    def _settle_runs(self, order: list[int]) -> None:
        """Say of each run without products to make anew why it is left alone, unless its numbers are wanted."""
        for run in order:
            if not self.is_run(run):
                continue
            if self.idle(run):
                self.left[run] = ("terms-only", None)
            elif outdated := self._outdated(run):
                self.left[run] = ("resolved", outdated)
            elif run in self.done:
                self.left[run] = ("done-already", self.done[run])
            elif self.records.status(run) in _ENDED_BADLY and not any(self._used(thing) for thing in self.outputs[run]):
                self.left[run] = (self.records.status(run), None)
            elif not self.outputs[run]:
                if not self.models.get(run) and not self.past.only_measures(run) and not self.damage.measure[run]:
                    self.left[run] = ("no-output", None)
                elif not self.metrics:
                    self.left[run] = ("metrics-not-wanted", None)

    def _outdated(self, run: int) -> int | None:
        """The later version of what a run made, where there is nothing else of it to make anew."""
        faulty = self._faulty_products(run)
        if any(thing in self.inside for thing in faulty):
            return None
        return next((self.damage.in_place_of(thing) for thing in faulty), None)

    def _maker(self, thing: int) -> int:
        """The run that made a thing, or the thing itself where no run is recorded."""
        graph = self.graph
        edges = graph.up.edges_of(np.array([thing], np.int32))
        makers = graph.earlier[edges[graph.role[edges] == graph.role_of["generate"]]].tolist()
        return min((run for run in makers if run not in self.inside), default=thing)

    def _used(self, thing: int) -> bool:
        """Whether anybody did anything with a thing."""
        graph = self.graph
        edges = graph.down.edges_of(np.array([thing], np.int32))
        return bool((~np.isin(graph.role[edges], [graph.role_of[name] for name in _FOLDERS])).any())

    def _units_of(self, order: list[int]) -> dict[int, int]:
        """For each run the one repeated for it: itself, or the outermost that it was a part of and that makes something."""
        found = {}
        for run in order:
            if not self.is_run(run):
                continue
            unit, seen = run, {run}
            while True:
                above = [
                    parent
                    for parent in sorted(self.records.parents(unit))
                    if parent in self.inside and parent not in seen and parent not in self.done and self.outputs[parent]
                ]
                if not above:
                    break
                unit = above[0]
                seen.add(unit)
            found[run] = unit
            if unit != run and run not in self.done:
                self.left[run] = ("part-of-another", unit)
        return found

    def _units(self, order: list[int], unit_of: dict[int, int]) -> dict[int, Unit]:
        members: dict[int, list[int]] = defaultdict(list)
        for run, whole in unit_of.items():
            members[whole].append(run)
        units: dict[int, Unit] = {}
        for run in order:
            if run not in members or run in self.done:
                continue
            parts = sorted((part for part in members[run] if part != run and part not in self.done), key=self._key)
            unit = Unit(run, self._need(run), self.swaps[run], list(self.outputs[run]), self.models.get(run, []), parts)
            for part in parts:
                unit.outputs += [thing for thing in self.outputs[part] if thing not in unit.outputs]
            for one in (run, *parts):
                unit.after |= {unit_of[before] for before in self.direct[one]} - {run}
                unit.waits |= self.waits[one]
            units[run] = unit
        return units

    def _need(self, run: int) -> Need:
        if self.damage.repeat[run]:
            return "measure" if self.past.only_measures(run) else "repeat"
        return "measure" if self.damage.measure[run] else "gain"

    # --- what is to be put right

    def _goals(self, order: list[int], unit_of: dict[int, int]) -> list[Goal]:
        goals = []
        for node in order:
            if self.is_run(node):
                # A run that is over cannot be put right itself; what counts of it are its products, or else its numbers.
                if not self._faulty_products(node) and (node in self.done or node not in self.left):
                    units = frozenset() if node in self.done else frozenset({unit_of[node]})
                    goals.append(Goal(node, units, self.waits[node], self._wants("run") and self.metrics, numbers=True))
                continue
            swap = self.outcome[node]
            if swap.how == "made" and swap.run is not None and self.left.get(swap.run, ("",))[0] in _ENDED_BADLY:
                continue
            units = frozenset({unit_of[unit] for unit in self.direct[node]})
            goals.append(Goal(node, units, self._all_waits(node, swap), self._is_result(node)))
        return goals

    def _faulty_products(self, run: int) -> list[int]:
        """What a run made that is damaged, or was and is outdated now."""
        return sorted(thing for thing in self.past.made(run) if thing in self.inside or thing in self.damage.replaced)

    def _all_waits(self, node: int, swap: Swap) -> frozenset[int]:
        return self.waits[node] | (frozenset({node}) if swap.how == "waits" and not self._by_people(node) else frozenset())

    def _by_people(self, node: int) -> bool:
        return self.graph.kind_name(node) in BY_HAND

    def _wants(self, kind: str) -> bool:
        return not self.kinds or kind in self.kinds

    def _is_result(self, thing: int) -> bool:
        """Whether a thing is wanted for itself. Prepared or recorded data are only wanted for what is made from them."""
        kind = self.graph.kind_name(thing)
        if self.kinds:
            return kind in self.kinds
        if kind != "dataset":
            return True
        roles = {role for _, _, source in self.sources[thing] if self.is_run(source) for role, _ in self.past.inputs(source)}
        if "predict" in roles:
            return True
        return not self._used(thing) and not (roles and roles <= _PREPARING)
