"""Which value of a metric speaks of which model and data set: MLflow writes one value for the run and again for the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pyoxigraph import NamedNode

from headwater.importers.mlflow_names import Names
from headwater.importers.mlflow_times import point_in_time
from headwater.importers.mlflow_tracked import Dataset, LoggedModel, Metric, TrackedRun
from headwater.records.draft import Finding
from headwater.records.facts import Facts

Measured = tuple[Metric, str]
"""A metric and the id of the logged model that it was measured of."""


def measures(
    facts: Facts,
    node: NamedNode,
    run: TrackedRun,
    of_models: Sequence[Measured],
    spoken_of: Sequence[NamedNode],
    model: Callable[[str], NamedNode],
    dataset: Callable[[str, str], NamedNode],
    findings: list[Finding],
) -> None:
    """States the run's metrics, those of several models or data sets under one name each with a key of its own.

    `of_models` are the values that MLflow 3 also keeps with a model; of the others `spoken_of` are the models they speak of.
    """

    def state(metric: Metric, about: Sequence[NamedNode], on: Dataset | None, key: str | None = None) -> None:
        step, value, time = metric.series.latest()
        thinned = facts.measure(
            node,
            metric.name,
            value,
            step=step,
            at=point_in_time(time),
            series=metric.series,
            about=about,
            on=dataset(*on) if on else None,
            key=key,
        )
        if thinned:
            what = f"{metric.name}: {thinned} of {len(metric.series)} points of the history were thinned out evenly"
            findings.append(Finding("repaired", "thinned-history", what, run.where))

    only_model = len(spoken_of) == 1 and len({model_id for _, model_id in of_models}) == 1
    own: dict[str, list[Metric]] = {}
    for metric in run.metrics:
        own.setdefault(metric.name, []).append(metric)
    special: dict[str, list[Measured]] = {}
    for metric, model_id in of_models:
        special.setdefault(metric.name, []).append((metric, model_id))
    for name in own | special:
        mine, theirs = own.get(name, []), special.get(name, [])
        if len(mine) <= 1 and not theirs:
            state(mine[0], spoken_of, mine[0].dataset)
            continue
        if (
            len(mine) <= 1
            and len(theirs) == 1
            and (not mine or _same(mine[0], theirs[0][0]) or (only_model and _early(mine[0], theirs[0][0])))
        ):
            metric, model_id = theirs[0]
            longer = mine[0] if mine and len(mine[0].series) > len(metric.series) else metric
            state(longer, [model(model_id)], metric.dataset or (mine[0].dataset if mine else None))
            continue
        for metric in mine:
            if not any(_same(metric, other) and metric.dataset == other.dataset for other, _ in theirs):
                about = [] if theirs else spoken_of
                state(metric, about, metric.dataset, _key(name, None, metric.dataset))
        for metric, model_id in theirs:
            state(metric, [model(model_id)], metric.dataset, _key(name, model_id, metric.dataset))


def measured_elsewhere(
    facts: Facts, names: Names, node: NamedNode, model: LoggedModel, run_ids: frozenset[str], findings: list[Finding]
) -> None:
    """States what was measured of a model by runs that are not in the store: there is no record of theirs to say it in."""
    absent: dict[str, NamedNode] = {}
    for metric in model.metrics:
        if metric.run_id in run_ids or not metric.run_id:
            continue
        if metric.run_id not in absent:
            absent[metric.run_id] = facts.thing("run", names.run(metric.run_id))
            what = f"run {metric.run_id}, which measured {model.model_id}, is not in the store"
            findings.append(Finding("missing", "absent-run", what, model.where))
        on = None
        if metric.dataset is not None:
            on = facts.thing("dataset", names.dataset(*metric.dataset))
            facts.digest(on, "mlflow", metric.dataset[1])
        step, value, time = metric.series.latest()
        facts.measure(
            absent[metric.run_id],
            metric.name,
            value,
            step=step,
            at=point_in_time(time),
            series=metric.series,
            about=[node],
            on=on,
            key=_key(metric.name, model.model_id, metric.dataset),
        )


def _same(first: Metric, second: Metric) -> bool:
    mine, theirs = first.series.latest(), second.series.latest()
    return (
        mine[0] == theirs[0]
        and mine[2] == theirs[2]
        and (mine[1] == theirs[1] or (mine[1] != mine[1] and theirs[1] != theirs[1]))
    )


def _early(history: Metric, copied: Metric) -> bool:
    """Whether a model's values are but points of the run's history. MLflow logs a model at step 0 unless told otherwise, and
    copies the run's values of that step to it: what the only model of a run reached is the history's end, not its beginning."""
    return history.dataset == copied.dataset and set(copied.series) <= set(history.series)


def _key(name: str, model_id: str | None, dataset: Dataset | None) -> str:
    of_model = f" of {model_id}" if model_id else ""
    on_dataset = f" on {dataset[0]} {dataset[1]}" if dataset else ""
    return name + of_model + on_dataset
