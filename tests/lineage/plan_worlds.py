"""Plans for the tests: small worlds with what is recorded of their runs, told in local names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headwater.lineage.damage import damage
from headwater.lineage.planned import Budget, Plan, Weights
from headwater.lineage.plans import make_plan
from headwater.lineage.verdict import judge
from headwater.terms.weights import kind_weights, severity_weights
from tests.lineage.worlds import World

WEIGHTS = Weights(kind_weights(), severity_weights())


@dataclass
class Book:
    """What is recorded of runs, by local name."""

    world: World
    hours_of: Mapping[str, float] = field(default_factory=dict)
    kwh_of: Mapping[str, float] = field(default_factory=dict)
    status_of: Mapping[str, str] = field(default_factory=dict)
    settings_of: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    parents_of: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def status(self, run: int) -> str:
        return self.status_of.get(self.world.name(run), "finished")

    def hours(self, run: int) -> float | None:
        return self.hours_of.get(self.world.name(run))

    def kwh(self, run: int) -> float | None:
        return self.kwh_of.get(self.world.name(run))

    def parents(self, run: int) -> list[int]:
        return [self.world.id(name) for name in self.parents_of.get(self.world.name(run), ())]

    def settings(self, run: int) -> Mapping[str, str]:
        return self.settings_of.get(self.world.name(run), {})

    def command(self, run: int) -> str:
        del run
        return "train.py"


@dataclass
class Lengths:
    """Runs of which only the hours are recorded, by node id."""

    hours_of: Mapping[int, float | None]

    def status(self, run: int) -> str:
        del run
        return "finished"

    def hours(self, run: int) -> float | None:
        return self.hours_of.get(run)

    def kwh(self, run: int) -> float | None:
        del run
        return None

    def parents(self, run: int) -> tuple[int, ...]:
        del run
        return ()

    def settings(self, run: int) -> Mapping[str, str]:
        del run
        return {}

    def command(self, run: int) -> str:
        del run
        return ""


@dataclass
class Told:
    """A plan in local names."""

    world: World
    plan: Plan

    @property
    def steps(self) -> list[str]:
        return [self.world.name(step.unit.run) for step in self.plan.steps]

    @property
    def needs(self) -> list[str]:
        return [step.unit.need for step in self.plan.steps]

    @property
    def left(self) -> dict[str, tuple[str, str | None]]:
        return {
            self.world.name(node): (reason, None if by is None else self.world.name(by)) for node, reason, by in self.plan.left
        }

    @property
    def actions(self) -> dict[str, str]:
        return {self.world.name(action.node): action.what for action in self.plan.actions}

    def inputs(self, run: str) -> dict[str, str | None]:
        """What each faulty input of a step is replaced by: a thing, `step of RUN`, or `waits for THING`."""
        step = next(step for step in self.plan.steps if step.unit.run == self.world.id(run))
        found = {}
        for swap in step.unit.swaps:
            new = None if swap.new is None else self.world.name(swap.new)
            words = {"taken": new, "waits": f"waits for {new}", "kept": None}
            made = None if swap.run is None else f"step of {self.world.name(swap.run)}"
            found[self.world.name(swap.old)] = made if swap.how == "made" else words[swap.how]
        return found

    def mends(self, run: str) -> set[str]:
        step = next(step for step in self.plan.steps if step.unit.run == self.world.id(run))
        return {self.world.name(node) for node in step.mends}


def planned(
    world: World,
    *found: tuple[str, str, Sequence[str]],
    budget: Budget | None = None,
    gains: Any = None,
    book: Book | None = None,
    **more: Any,
) -> Told:
    verdicts = [judge(world.graph, world.change(kind, thing, mended=mended)) for kind, thing, mended in found]
    done = damage(world.graph, verdicts)
    return Told(world, make_plan(done, book or Book(world), gains or (lambda *_: []), WEIGHTS, budget, **more))


MENDED = ':data2 a hw:Dataset ; hw:version "2" ; prov:wasRevisionOf :data .\n'
CORRECTED = ("labels-corrected", "data", ["data2"])
