"""A make-believe research landscape of any size: instruments, data revisions, runs, models, papers, and who used what of whom.

The shape follows what real tracking folders show: a few data sets and pretrained models are used by very many (each new use
falls on a thing in proportion to the uses it already has), data are revised and most runs do not follow at once, some runs
fail, and now and then a deployed model steers the instrument that takes its next data, so that there are cycles.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

BEGIN_MS = 1_704_067_200_000
"""1 January 2024, 00:00 UTC, in milliseconds since 1970."""


class Link(NamedTuple):
    """One lineage link by the numbers of its two things, pointing from what depends to what it depends on."""

    source: int
    target: int
    relation: str
    role: str


@dataclass(slots=True)
class Thing:
    """A digital object. `number` is its place in `World.things`; `earlier` the revision that it follows."""

    number: int
    kind: str
    key: str
    label: str
    project: int
    version: int = 1
    earlier: int | None = None
    concept: str = ""
    made_by: int | None = None
    at: int = BEGIN_MS

    def digest(self) -> str:
        """The sha256 of what its content would be."""
        return hashlib.sha256(self.key.encode()).hexdigest()


@dataclass(slots=True)
class Run:
    """What a run used, made, was set to and measured. `thing` is the number of the run as an object itself."""

    thing: int
    activity: str
    project: int
    user: str
    start: int
    end: int
    failed: bool
    commit: str
    uses: list[tuple[int, str]] = field(default_factory=list)
    makes: list[int] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, list[float]] = field(default_factory=dict)


@dataclass(slots=True)
class Change:
    """Something happened to a thing: what kind, when, and from which revision to which."""

    key: str
    kind: str
    about: int
    to: int | None
    at: int


@dataclass(slots=True)
class World:
    """All that was generated. Links between things that no run made stand in `plain`."""

    things: list[Thing] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    plain: list[Link] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    projects: int = 0

    def links(self) -> Iterator[Link]:
        """Every lineage link, once."""
        for run in self.runs:
            for number, role in run.uses:
                yield Link(run.thing, number, "used", role)
            for number in run.makes:
                yield Link(number, run.thing, "wasGeneratedBy", "")
        yield from self.plain
        for thing in self.things:
            if thing.earlier is not None:
                yield Link(thing.number, thing.earlier, "wasRevisionOf", "")


class Urn:
    """Draws things in proportion to how often they were drawn before (preferential attachment)."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._balls: list[int] = []

    def add(self, number: int) -> None:
        self._balls.append(number)

    def draw(self) -> int:
        number = self._dice.choice(self._balls)
        self._balls.append(number)
        return number

    def __bool__(self) -> bool:
        return bool(self._balls)


class Story:
    """Tells the landscape run by run from a seed; `tell` gives the world that came of it."""

    def __init__(self, runs: int, seed: int, projects: int | None = None) -> None:
        if runs < 1:
            raise ValueError(f"a world needs at least one run, not {runs}")
        self._dice = random.Random(seed)
        self._target = runs
        self._clock = BEGIN_MS
        self._projects = projects or max(1, round(math.sqrt(runs) / 3))
        self._data, self._models, self._software = Urn(self._dice), Urn(self._dice), Urn(self._dice)
        self._newest: dict[int, int] = {}
        self._own_data: list[list[int]] = []
        self._instruments: list[int] = []
        self._environments: list[int] = []
        self.world = World(projects=self._projects)

    def tell(self) -> World:
        """The whole story; the same for the same size and seed."""
        self._found_everything()
        kinds = ["train", "preprocess", "evaluate", "predict", "revise", "publish", "deploy", "release"]
        weights = [58, 10, 10, 7, 6, 4, 2, 3]
        while len(self.world.runs) < self._target:
            kind = self._dice.choices(kinds, weights)[0]
            getattr(self, "_" + kind)(self._dice.randrange(self._projects))
        return self.world

    def _thing(self, kind: str, name: str, project: int, **more: object) -> Thing:
        number = len(self.world.things)
        thing = Thing(number, kind, f"{name}-{number}", name.replace("-", " "), project, at=self._clock, **more)  # type: ignore[arg-type]
        self.world.things.append(thing)
        return thing

    def _run(self, activity: str, project: int, uses: list[tuple[int, str]]) -> Run:
        dice = self._dice
        self._clock += dice.randrange(10_000, 600_000)
        thing = self._thing("run", activity, project)
        length = int(dice.lognormvariate(11, 1.2))
        run = Run(
            thing.number,
            activity,
            project,
            user=f"scientist{project * 3 + dice.randrange(3)}",
            start=self._clock,
            end=self._clock + length,
            failed=dice.random() < 0.05,
            commit=f"{dice.getrandbits(160):040x}",
            uses=list(dict.fromkeys(uses)),
        )
        self.world.runs.append(run)
        return run

    def _make(self, run: Run, kind: str, name: str, **more: object) -> Thing:
        thing = self._thing(kind, name, run.project, made_by=run.thing, **more)
        run.makes.append(thing.number)
        return thing

    def _found_everything(self) -> None:
        for name in ("python", "numpy", "scikit-learn", "torch", "reconstruction"):
            self._software.add(self._thing("software", name, 0).number)
        self._environments = [self._thing("environment", "cluster-node", 0).number for _ in range(3)]
        for project in range(self._projects):
            self._own_data.append([])
            instrument = self._thing("instrument", f"detector-{project}", project)
            self._instruments.append(instrument.number)
            self._acquire(project)

    def _acquire(self, project: int) -> None:
        run = self._run("acquire", project, [(self._instruments[project], "calibrate"), (self._software.draw(), "execute")])
        run.failed = False
        self._add_data(self._make(run, "dataset", f"recording-{project}"))

    def _add_data(self, data: Thing) -> None:
        data.concept = data.concept or f"series-{data.number}"
        self._newest[data.number] = data.number
        self._own_data[data.project].append(data.number)
        self._data.add(data.number)

    def _pick_data(self, project: int) -> int:
        """Mostly the project's own, else what the whole field uses; one run in three goes on with an outdated revision."""
        own = self._own_data[project]
        number = self._dice.choice(own) if self._dice.random() < 0.6 else self._data.draw()
        return self._newest[number] if self._dice.random() < 0.67 else number

    def _tools(self) -> list[tuple[int, str]]:
        return [(self._software.draw(), "execute"), (self._dice.choice(self._environments), "execute")]

    def _train(self, project: int) -> None:
        data, test = self._pick_data(project), self._pick_data(project)
        uses = [(data, "train"), (test, "test"), *self._tools()]
        if self._models and self._dice.random() < 0.2:
            uses.append((self._models.draw(), "finetune"))
        run = self._run("train", project, uses)
        run.settings = {
            "learning_rate": f"{10 ** self._dice.uniform(-4, -1):.6f}",
            "max_depth": str(self._dice.randrange(2, 12)),
            "seed": str(self._dice.randrange(10)),
        }
        if run.failed:
            return
        reached = 0.7 + 0.2 * (1 - 0.6 ** self.world.things[data].version) + self._dice.gauss(0, 0.01)
        steps = self._dice.choice([1, 1, 5, 20])
        run.metrics["accuracy"] = [reached * (1 - 0.5 ** (step + 1)) if steps > 1 else reached for step in range(steps)]
        run.metrics["loss"] = [1.5 - value for value in run.metrics["accuracy"]]
        self._models.add(self._make(run, "model", f"classifier-{project}").number)

    def _evaluate(self, project: int) -> None:
        if not self._models:
            return
        run = self._run(
            "evaluate", project, [(self._models.draw(), "execute"), (self._pick_data(project), "test"), *self._tools()]
        )
        if not run.failed:
            run.metrics["accuracy"] = [0.75 + self._dice.gauss(0, 0.05)]

    def _preprocess(self, project: int) -> None:
        run = self._run("preprocess", project, [(self._pick_data(project), "preprocess"), *self._tools()])
        if not run.failed:
            self._add_data(self._make(run, "dataset", f"features-{project}"))

    def _predict(self, project: int) -> None:
        if not self._models:
            return
        run = self._run(
            "predict", project, [(self._models.draw(), "predict"), (self._pick_data(project), "predict"), *self._tools()]
        )
        if not run.failed:
            self._add_data(self._make(run, "dataset", f"predictions-{project}"))

    def _revise(self, project: int) -> None:
        """A newer revision of one of the project's data sets, and the notice that says what was done."""
        old = self.world.things[self._newest[self._dice.choice(self._own_data[project])]]
        self._clock += 60_000
        new = self._thing("dataset", "revision", old.project, version=old.version + 1, earlier=old.number, concept=old.concept)
        new.label = f"{old.concept.replace('-', ' ')}, revision {new.version}"
        for number in [number for number in self._own_data[old.project] if self._newest[number] == old.number]:
            self._newest[number] = new.number
        self._add_data(new)
        kinds = ["labels-corrected", "values-corrected", "records-added", "records-removed", "reserialised", "metadata-only"]
        kind = self._dice.choices(kinds, [5, 3, 4, 1, 1, 1])[0]
        self.world.changes.append(Change(f"change-{new.number}", kind, old.number, new.number, self._clock))

    def _release(self, project: int) -> None:
        """A new version of a program; one in four because the old one had a bug."""
        old = self.world.things[self._software.draw()]
        new = self._thing(
            "software", "release", project, version=old.version + 1, earlier=old.number, concept=old.concept or old.key
        )
        self._software.add(new.number)
        if self._dice.random() < 0.25:
            self.world.changes.append(Change(f"change-{new.number}", "bug-found", old.number, new.number, self._clock))

    def _publish(self, project: int) -> None:
        if not self._models:
            return
        paper = self._thing("publication", f"paper-{project}", project)
        for model in {self._models.draw() for _ in range(3)}:
            self.world.plain.append(Link(paper.number, model, "documents", "document"))
        self.world.plain.append(Link(paper.number, self._pick_data(project), "cites", "cite"))

    def _deploy(self, project: int) -> None:
        if not self._models:
            return
        model = self._models.draw()
        deployment = self._thing("deployment", f"service-{project}", project)
        self.world.plain.append(Link(deployment.number, model, "deploys", "deploy"))
        if self._dice.random() < 0.1:
            self.world.plain.append(Link(self._instruments[project], model, "controls", "control"))


def make_world(runs: int, seed: int = 1, projects: int | None = None) -> World:
    """A world with exactly `runs` runs, the same for the same arguments.

    >>> world = make_world(200, seed=7)
    >>> len(world.runs), world == make_world(200, seed=7)
    (200, True)
    """
    return Story(runs, seed, projects).tell()
