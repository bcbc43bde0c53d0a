"""Whether what should be repeated was done already: a run with the same code, settings and inputs, the mended ones among them.

As in a build system that remembers: a step is known by what goes into it. Two runs are only called the same where the code and at
least one setting are recorded of both; otherwise nobody can know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np

from headwater.lineage.graph import LineageGraph

Input = tuple[str, int]
"""The role in which a thing was used, and the thing."""

_Pattern = tuple[frozenset[str], frozenset[int]]
"""The roles in which a run used things, and the kinds of what it made."""

_NO_INPUT = ("responsible", "generate", "cite", "document", "revise", "specialise", "evaluate", "steer", "deny")
_MEASURING = ("test", "validate", "predict", "use")
_LEARNING = ("train", "finetune", "pretrain")
_ENDED_BADLY = ("failed", "killed", "running", "scheduled")
_MOST_COMPARED = 2_000
"""Users of one thing that are looked at; behind a very popular one not every run is read."""


class Records(Protocol):
    """What is recorded of runs besides their links, by node id. Nothing is guessed: what is not recorded is None or empty."""

    def status(self, run: int) -> str:
        """How it ended: finished, failed, killed, running, scheduled; empty where nobody says."""

    def hours(self, run: int) -> float | None:
        """How long it took."""

    def kwh(self, run: int) -> float | None:
        """The electric energy it used, in kilowatt hours."""

    def parents(self, run: int) -> Sequence[int]:
        """The runs that it was a part of."""

    def settings(self, run: int) -> Mapping[str, str]:
        """Its parameters by name."""

    def command(self, run: int) -> str:
        """The entry point or command line that was called."""


class Past:
    """The runs that there are, to be asked whether one of them did a piece of work already, or did the like."""

    def __init__(
        self, graph: LineageGraph, records: Records, sound: Callable[[int], bool], counted: Callable[[int], bool]
    ) -> None:
        """`sound`: whether nothing is wrong with what a run made, or with a thing; `counted`: whether a run's numbers hold."""
        self._graph = graph
        self._records = records
        self._sound = sound
        self._counted = counted
        self._inputs: dict[int, frozenset[Input]] = {}
        self._made: dict[int, frozenset[int]] = {}
        self._by_pattern: dict[int, dict[_Pattern | None, list[int]]] = {}
        self._by_inputs: dict[int, dict[frozenset[Input], list[int]]] = {}
        self._codes = [graph.kind_of[name] for name in ("software", "workflow")]

    def inputs(self, run: int) -> frozenset[Input]:
        """What a run used, with the roles; who was responsible is no input."""
        if run not in self._inputs:
            graph = self._graph
            edges = graph.up.edges_of(np.array([run], np.int32))
            pairs = zip(graph.role[edges].tolist(), graph.earlier[edges].tolist(), strict=True)
            named = ((graph.words.roles[role].name, thing) for role, thing in pairs)
            self._inputs[run] = frozenset(pair for pair in named if pair[0] not in _NO_INPUT)
        return self._inputs[run]

    def made(self, run: int) -> frozenset[int]:
        """What a run made."""
        if run not in self._made:
            graph = self._graph
            edges = graph.down.edges_of(np.array([run], np.int32))
            self._made[run] = frozenset(graph.later[edges[graph.role[edges] == graph.role_of["generate"]]].tolist())
        return self._made[run]

    def code(self, run: int) -> frozenset[int]:
        """The software and workflows that a run executed."""
        return frozenset(thing for role, thing in self.inputs(run) if role == "execute" and self._is_code(thing))

    def only_measures(self, run: int) -> bool:
        """Whether a run put something to the test and made neither models nor data, nor learnt anything."""
        roles = {role for role, _ in self.inputs(run)}
        return not self.made(run) and not roles.isdisjoint(("test", "validate")) and roles.isdisjoint(_LEARNING)

    def same(self, run: int, instead: Mapping[int, int], *, measuring: bool) -> tuple[int, dict[int, int]] | None:
        """A run that did what `run` would do with its inputs swapped by `instead`, and what of it takes the place of what.

        Unless it is for `measuring`, what they were only tested on may differ: it does not enter what they made.
        """
        if not instead or not self.code(run) or not self._records.settings(run):
            return None
        wanted = frozenset((role, instead.get(thing, thing)) for role, thing in self.inputs(run))
        for anchor in sorted({instead[thing] for _, thing in self.inputs(run) if thing in instead}):
            users = self._users_by_inputs(anchor).get(_making(wanted), ())
            for other in sorted(users, key=lambda user: self.inputs(user) != wanted):
                if other == run or not self._sound(other):
                    continue
                if measuring and not (self.inputs(other) == wanted and self._counted(other)):
                    continue
                swapped = self._in_place(run, other)
                if swapped is not None and all(map(self._sound, swapped.values())) and self._alike(run, other):
                    return other, swapped
        return None

    def measured(self, models: Iterable[int], instead: Mapping[int, int]) -> int | None:
        """A sound run that measured all of `models` on what is to be used instead."""
        for new in sorted(set(instead.values())):
            for other in self._all(new):
                tested = {thing for role, thing in self.inputs(other) if role in _MEASURING}
                if tested >= {new, *models} and self._sound(other) and self._counted(other) and self._ended_well(other):
                    return other
        return None

    def like(self, run: int, *, measuring: bool) -> list[int]:
        """Finished runs that executed the same code with the same roles of inputs and the same kinds of outputs.

        Where `measuring`, the runs that did nothing but measure with that code.
        """
        pattern = None if measuring else self._pattern(run)
        found = {other for code in self.code(run) for other in self._users_by_pattern(code).get(pattern, ())}
        return sorted(found - {run})

    def with_same_settings(self, run: int, others: Iterable[int]) -> list[int]:
        """Those of `others` that ran with the settings of `run`."""
        own = dict(self._records.settings(run))
        return [other for other in others if own and dict(self._records.settings(other)) == own]

    # --- comparing

    def _alike(self, run: int, other: int) -> bool:
        return (
            self._ended_well(other)
            and self._records.command(run) == self._records.command(other)
            and dict(self._records.settings(run)) == dict(self._records.settings(other))
        )

    def _ended_well(self, run: int) -> bool:
        return self._records.status(run) not in _ENDED_BADLY

    def _in_place(self, run: int, other: int) -> dict[int, int] | None:
        """What each made, paired by kind; None where several of one kind cannot be told apart."""
        sides: list[dict[int, int]] = []
        for one in (run, other):
            made = self.made(one)
            kinds = {int(self._graph.kind[thing]): thing for thing in made}
            if len(kinds) < len(made):
                return None
            sides.append(kinds)
        before, after = sides
        if before.keys() - after.keys():
            return None
        return {before[kind]: after[kind] for kind in before}

    def _users_by_inputs(self, thing: int) -> dict[frozenset[Input], list[int]]:
        """The runs that used a thing, by all that went into what they made."""
        if thing not in self._by_inputs:
            users: dict[frozenset[Input], list[int]] = {}
            for run in self._all(thing):
                users.setdefault(_making(self.inputs(run)), []).append(run)
            self._by_inputs[thing] = users
        return self._by_inputs[thing]

    def _users_by_pattern(self, code: int) -> dict[_Pattern | None, list[int]]:
        """The finished runs of a piece of code by their pattern; those that only measure also under None."""
        if code not in self._by_pattern:
            users: dict[_Pattern | None, list[int]] = {}
            for run in self._all(code):
                if self._ended_well(run):
                    users.setdefault(self._pattern(run), []).append(run)
                    if self.only_measures(run):
                        users.setdefault(None, []).append(run)
            self._by_pattern[code] = users
        return self._by_pattern[code]

    def _all(self, thing: int) -> list[int]:
        graph = self._graph
        edges = graph.down.edges_of(np.array([thing], np.int32))
        users = graph.later[edges]
        return sorted(set(users[graph.kind[users] == graph.kind_of["run"]].tolist()))[:_MOST_COMPARED]

    def _pattern(self, run: int) -> _Pattern:
        roles = frozenset(role for role, _ in self.inputs(run))
        return roles, frozenset(int(self._graph.kind[thing]) for thing in self.made(run))

    def _is_code(self, thing: int) -> bool:
        return int(self._graph.kind[thing]) in self._codes


def _making(inputs: frozenset[Input]) -> frozenset[Input]:
    """What enters what a run makes: not what it was only tested on."""
    return frozenset((role, thing) for role, thing in inputs if role != "test")
