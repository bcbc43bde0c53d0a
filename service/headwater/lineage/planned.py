"""What a plan is made of: steps, what people have to do, what is left alone, and ways to set about it; all in node ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from headwater.lineage.budget import Choice
from headwater.lineage.costing import Cost
from headwater.lineage.ordering import Pair
from headwater.lineage.remaking import Goal, Mending, Unit

ACTIONS = {
    "withdraw": "it rests on what must no longer be used: take it out of use",
    "mend-input": "nothing says which revision of it is mended: mend it first, and announce that",
    "find-out": "what is known does not tell whether it is affected: find out",
    "make-by-hand": "no run is recorded that made it: make it again by hand",
    "put-together": "a part of it is made anew: put it together again",
    "redeploy": "put the mended model to work in its place",
    "hand-over": "let the mended model steer it",
    "correct": "check its claims against the mended results, and correct it",
    "check-terms": "check it against the changed terms of use",
    "look-after": "it rests on something affected: look after it",
}
"""What people have to do, by the word for it, in the order in which a plan lists it."""

LEFT = {
    "done-already": "a run with the same code, settings and mended inputs did it already",
    "resolved": "a later version was made from the mended input",
    "failed": "it failed, and nothing rests on it",
    "killed": "it was broken off, and nothing rests on it",
    "no-output": "it made nothing that is kept",
    "part-of-another": "it is repeated as a part of another step",
    "unused": "nothing that is wanted rests on what it made",
    "no-gain": "past pairs rule out an improvement, and nothing at work or in print rests on it",
    "metrics-not-wanted": "only its numbers are wrong, and metrics are not wanted",
    "over-budget": "it does not fit the budget, or mends less for its cost than what does",
    "cost-unknown": "what it costs is not recorded, so that it cannot be promised within a budget",
    "in-doubt": "whether it is affected cannot be told",
    "terms-only": "only terms of use changed",
    "advice-only": "nothing is wrong; the next repetition should take the newer input",
    "not-affected": "it is not affected",
}
"""Why something is not repeated, in the order in which a plan lists it."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent: hours of running time, kilowatt hours; None is without limit."""

    hours: float | None = None
    kwh: float | None = None

    @property
    def limited(self) -> bool:
        return self.hours is not None or self.kwh is not None


@dataclass(frozen=True, slots=True)
class Weights:
    """How much it counts that a thing is mended: the product of the two, by kind and by severity."""

    kinds: Mapping[str, int]
    severities: Mapping[str, int]


@dataclass(slots=True)
class Step:
    """One repetition. `after` are numbers of earlier steps; `mends` what is right once this step is done; `falls_away` the first
    of the later steps that need not be done if what this step makes is identical to what was there."""

    number: int
    unit: Unit
    cost: Cost
    gains: list[dict[str, Any]]
    improves: bool | None
    after: list[int]
    mends: list[int]
    falls_away: list[int]
    falls_away_count: int


@dataclass(frozen=True, slots=True)
class Action:
    """What people have to do: `what` it is (a word of `ACTIONS`), to which thing, after which steps and which other actions."""

    what: str
    node: int
    after: list[int]
    waits: list[int]


@dataclass(frozen=True, slots=True)
class Fix:
    """One way to set about it: mending one change (by its number), or repeating one run with all that it needs."""

    change: int | None
    run: int | None
    clears: list[int]
    weight: int
    hours: float | None
    steps: int


@dataclass(slots=True)
class Plan:
    """All of it, in node ids."""

    mending: Mending
    steps: list[Step]
    actions: list[Action]
    left: list[tuple[int, str, int | None]]
    mended: list[Goal]
    unmended: list[Goal]
    fixes: list[Fix]
    choice: Choice | None
    weight_of: Callable[[Goal], int]

    @property
    def cut(self) -> list[Pair]:
        chosen = {step.unit.run for step in self.steps}
        return [pair for pair in self.mending.cut if pair[0] in chosen and pair[1] in chosen]
