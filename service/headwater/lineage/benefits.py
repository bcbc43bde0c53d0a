"""Benefit: what each revision of a thing bought those who used it, from pairs of runs that differ in nothing else.

Two runs make a pair when one used the earlier and the other the later revision in the same role and everything else that is
recorded agrees: the other inputs, the code, the settings. The metric difference of such a pair is what the revision bought. Pairs
that differ in more are listed apart with what they differ in; no difference is claimed from them.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from statistics import fmean
from typing import Any

_RESAMPLES = 2000
_SEED = 20_260_101
_MOST_CONFOUNDED = 200
_MOST_DIFFERENCES = 3


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is recorded of one run, for comparison. `inputs` maps role to the things used in it (IRIs); inputs that were
    themselves prepared from a revision of the thing are given by what they were prepared from and how (`prepared`)."""

    iri: str
    label: str
    inputs: dict[str, frozenset[str]]
    settings: dict[str, str]
    metrics: dict[str, float]
    measured_on: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """A revision step of the thing: from the earlier to the later revision (IRIs)."""

    earlier: str
    later: str


@dataclass(frozen=True, slots=True)
class Stage:
    """How a run came by a revision: directly, or through one preprocessing run whose own facts must agree as well."""

    run: RunFacts
    role: str
    by: str
    preparation: RunFacts | None = None


def steps_bought(
    steps: Sequence[Step], stages: Callable[[str], list[Stage]], better: Callable[[str], str | None]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """For each step and metric: pairs, mean difference and its bootstrap interval; and the pairs that differ in more.

    `stages(revision)` gives the runs that used a revision; `better(metric)` says `higher`, `lower` or None. Differences are
    later minus earlier, in the metric's own units; `improvement` has the sign turned so that positive is better.
    """
    bought, confounded = [], []
    for step in steps:
        pairs, others = _match(stages(step.earlier), stages(step.later), step)
        confounded += others
        by_metric: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for one, other in pairs:
            for metric in sorted(one.run.metrics.keys() & other.run.metrics.keys()):
                if one.run.measured_on.get(metric) == other.run.measured_on.get(metric):
                    by_metric[metric].append(_pair(one.run, other.run, metric))
        for metric, found in sorted(by_metric.items()):
            bought.append(_summary(step, metric, found, better(metric)))
    return bought, confounded[:_MOST_CONFOUNDED]


def _pair(one: RunFacts, other: RunFacts, metric: str) -> dict[str, Any]:
    earlier, later = one.metrics[metric], other.metrics[metric]
    return {
        "from_run": one.iri,
        "to_run": other.iri,
        "from_label": one.label,
        "to_label": other.label,
        "from_value": earlier,
        "to_value": later,
        "delta": later - earlier,
    }


def _summary(step: Step, metric: str, pairs: list[dict[str, Any]], better: str | None) -> dict[str, Any]:
    deltas = [pair["delta"] for pair in pairs]
    low, high = interval(deltas)
    mean = fmean(deltas)
    return {
        "from": step.earlier,
        "to": step.later,
        "pairs": pairs,
        "metric": metric,
        "direction": better or "unknown",
        "mean_delta": mean,
        "ci_low": low,
        "ci_high": high,
        "n": len(deltas),
        "improved": None if better is None or mean == 0 else (mean > 0) == (better == "higher"),
    }


def interval(values: Sequence[float], level: float = 0.95) -> tuple[float | None, float | None]:
    """A percentile bootstrap interval of the mean (Efron 1979), the same for the same values; None for fewer than two.

    >>> interval([0.1])
    (None, None)
    >>> low, high = interval([0.02, 0.03, 0.05, 0.04])
    >>> 0.02 <= low < 0.035 < high <= 0.05
    True
    """
    if len(values) < 2:
        return None, None
    draw = random.Random(_SEED)
    means = sorted(fmean(draw.choices(values, k=len(values))) for _ in range(_RESAMPLES))
    tail = (1 - level) / 2
    return means[int(tail * _RESAMPLES)], means[min(int((1 - tail) * _RESAMPLES), _RESAMPLES - 1)]


def _match(earlier: list[Stage], later: list[Stage], step: Step) -> tuple[list[tuple[Stage, Stage]], list[dict[str, Any]]]:
    """Pairs that differ in the revision only (one to one, in a fixed order), and near pairs with what else they differ in."""
    pairs, taken = [], set()
    confounded: list[dict[str, Any]] = []
    candidates = sorted(product(earlier, later), key=lambda two: (two[0].run.iri, two[1].run.iri))
    differing = [(differences(one, other, step), one, other) for one, other in candidates if one.run.iri != other.run.iri]
    for found, one, other in differing:
        if not found and one.run.iri not in taken and other.run.iri not in taken:
            taken |= {one.run.iri, other.run.iri}
            pairs.append((one, other))
    for found, one, other in sorted(differing, key=lambda row: (len(row[0]), row[1].run.iri, row[2].run.iri)):
        if found and len(found) <= _MOST_DIFFERENCES and one.run.iri not in taken and other.run.iri not in taken:
            taken |= {one.run.iri, other.run.iri}
            shared = sorted(one.run.metrics.keys() & other.run.metrics.keys())
            confounded.append(
                {
                    "pair": [one.run.iri, other.run.iri],
                    "labels": [one.run.label, other.run.label],
                    "from": step.earlier,
                    "to": step.later,
                    "differs_in": found,
                    "metrics": {metric: other.run.metrics[metric] - one.run.metrics[metric] for metric in shared},
                }
            )
    return pairs, confounded


def differences(one: Stage, other: Stage, step: Step) -> list[str]:
    """What two runs differ in besides the revision: inputs by role, settings by name; of the preparation as well."""
    found = [] if one.role == other.role else ["role"]
    if (one.preparation is None) != (other.preparation is None):
        found.append("preparation")
    elif one.preparation is not None and other.preparation is not None:
        found += [
            f"preparation {what}" for what in _run_differences(one.preparation, other.preparation, {step.earlier}, {step.later})
        ]
        found += _run_differences(one.run, other.run, {one.by}, {other.by})
    else:
        found += _run_differences(one.run, other.run, {step.earlier}, {step.later})
    return found


def _run_differences(one: RunFacts, other: RunFacts, left_out: set[str], right_out: set[str]) -> list[str]:
    found = []
    for role in sorted(one.inputs.keys() | other.inputs.keys()):
        left = one.inputs.get(role, frozenset()) - left_out
        right = other.inputs.get(role, frozenset()) - right_out
        if left != right:
            found.append(f"{role} input")
    for name in sorted(one.settings.keys() | other.settings.keys()):
        if one.settings.get(name) != other.settings.get(name):
            found.append(f"setting {name}")
    return found
