"""What MLflow tracked, in plain values: the same whether it came from a folder or from a database."""

from __future__ import annotations

import hashlib
import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import overload

from headwater.records.draft import Failure, Finding
from headwater.terms.minting import short_hash

Point = tuple[int, float, int]
"""A metric's value at one moment: step, value, milliseconds since 1970 (UTC)."""

Dataset = tuple[str, str]
"""A data set as metrics name it: name and digest."""


class Series(Sequence[Point]):
    """The history of one metric, 24 bytes a point, so that a metric of ten million points fits in memory.

    >>> series = Series([(1, 0.5, 20), (0, 0.4, 10)])
    >>> series.latest(), list(series.in_order())
    ((1, 0.5, 20), [(0, 0.4, 10), (1, 0.5, 20)])
    """

    __slots__ = ("_steps", "_times", "_values")

    def __init__(self, points: Iterable[Point] = ()) -> None:
        self._steps = array("q")
        self._values = array("d")
        self._times = array("q")
        for step, value, time in points:
            self.add(step, value, time)

    def add(self, step: int, value: float, time: int) -> None:
        """One more point. Raises OverflowError where a step or a time does not fit 64 bits; nothing is added then."""
        array("q", (step, time))
        self._steps.append(step)
        self._values.append(value)
        self._times.append(time)

    def __len__(self) -> int:
        return len(self._steps)

    @overload
    def __getitem__(self, index: int) -> Point: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Point]: ...
    def __getitem__(self, index: int | slice) -> Point | Sequence[Point]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return self._steps[index], self._values[index], self._times[index]

    def latest(self) -> Point:
        """What MLflow itself calls the latest value: the largest by step, then time, then value (not-a-number last)."""
        return max(self, key=lambda p: (p[0], p[2], -math.inf if math.isnan(p[1]) else p[1]))

    def in_order(self) -> Series:
        """The same points by step, then time: a run that was resumed may have written them in another order."""
        steps, times = self._steps, self._times
        if all((steps[i - 1], times[i - 1]) <= (steps[i], times[i]) for i in range(1, len(steps))):
            return self
        return Series(self[i] for i in sorted(range(len(steps)), key=lambda i: (steps[i], times[i])))


@dataclass(slots=True)
class Metric:
    """One metric's history; `run_id` is the run that measured it, `dataset` what it was measured on, where that is said."""

    name: str
    series: Series
    run_id: str
    dataset: Dataset | None = None


@dataclass(frozen=True, slots=True)
class Environment:
    """The files beside a model that say what it ran with (`conda.yaml`, `python_env.yaml`, `requirements.txt`).

    >>> Environment((("requirements.txt", "numpy==2.3.3"),)).digest[:8]
    '388853d4'
    """

    files: tuple[tuple[str, str], ...]
    python: str | None = None
    mlflow: str | None = None

    @property
    def digest(self) -> str:
        """SHA-256 over names and contents, so that two runs with the same files share one environment."""
        content = "\x1e".join(f"{name}\x1f{text}" for name, text in self.files)
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(slots=True)
class PackagedModel:
    """A model as its `MLmodel` file or the tag `mlflow.log-model.history` describe it (MLflow 1 and 2)."""

    path: str
    flavors: tuple[str, ...] = ()
    model_id: str | None = None
    environment: Environment | None = None


@dataclass(slots=True)
class LoggedModel:
    """A model of MLflow 3, which has an identity of its own (`m-…`)."""

    model_id: str
    where: str
    name: str | None = None
    experiment_id: str | None = None
    source_run_id: str | None = None
    status: str | None = None
    model_type: str | None = None
    created: str | None = None
    location: str | None = None
    deleted: bool = False
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    metrics: list[Metric] = field(default_factory=list)
    packaged: PackagedModel | None = None
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DatasetInput:
    """A data set that a run logged as its input; `context` is what the run said it was for (`training`, …)."""

    name: str
    digest: str
    context: str | None = None
    source_type: str | None = None
    source: str | None = None
    schema: str | None = None
    profile: str | None = None
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class TrackedRun:
    """One run. Times are text as MLflow wrote them (milliseconds since 1970), because real ones are not always numbers."""

    run_id: str
    where: str
    experiment_id: str
    name: str | None = None
    status: str | None = None
    start: str | None = None
    end: str | None = None
    user: str | None = None
    artifact_uri: str | None = None
    entry_point: str | None = None
    deleted: bool = False
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    metrics: list[Metric] = field(default_factory=list)
    datasets: list[DatasetInput] = field(default_factory=list)
    model_inputs: list[str] = field(default_factory=list)
    model_outputs: list[tuple[str, int | None]] = field(default_factory=list)
    packaged: list[PackagedModel] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


@dataclass(slots=True)
class Experiment:
    """A group of runs under one name."""

    experiment_id: str
    where: str
    name: str | None = None
    location: str | None = None
    created: str | None = None
    deleted: bool = False
    tags: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def key(self) -> str:
        """What stands for the experiment wherever its folder is moved to."""
        return short_hash(self.experiment_id, self.location or "", self.created or "")


@dataclass(slots=True)
class RegisteredVersion:
    """A numbered version of a registered model: a pointer to a model that some run made."""

    version: int
    where: str
    run_id: str | None = None
    model_id: str | None = None
    source: str | None = None
    stage: str | None = None
    status: str | None = None
    description: str | None = None
    created: str | None = None
    user: str | None = None
    aliases: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class RegisteredModel:
    """A name in the model registry, with its versions by number."""

    name: str
    where: str
    description: str | None = None
    created: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    versions: list[RegisteredVersion] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


@dataclass(slots=True)
class TrackedStore:
    """All that one folder or database holds. `runs` is read as it is asked for, one run at a time; the rest is small."""

    name: str
    experiments: list[Experiment]
    registered: list[RegisteredModel]
    models: dict[str, LoggedModel]
    run_ids: frozenset[str]
    runs: Iterator[TrackedRun | Failure]
    failures: list[Failure] = field(default_factory=list)
    identity: str = ""
    close: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.identity = identity(self.experiments) or short_hash("mlflow-store", self.name)


def identity(experiments: Iterable[Experiment]) -> str | None:
    """What tells one store from another and survives moving it: its oldest experiment, as it was created.

    >>> identity([Experiment("0", "mlruns/0", "Default", "file:///a/mlruns/0")])
    'cfac7b5590f3'
    """
    oldest = min(experiments, key=lambda e: (_moment(e.created), e.experiment_id), default=None)
    return None if oldest is None else short_hash("mlflow-store", oldest.key)


def _moment(created: str | None) -> float:
    try:
        return float(created or 0)
    except ValueError:
        return 0.0
