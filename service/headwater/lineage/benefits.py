"""Benefit: what each revision of a thing bought those who used it, from pairs of runs that differ in nothing else.

Two runs make a pair when one used the earlier and the other the later revision in the same role and everything else that is
recorded agrees: the other inputs by their content (so the test set's digest), the slices that were used of them (the split), the
version of the code, the settings (the seed among them). The metric difference of such a pair is what the revision bought. Pairs
that differ in more are listed apart with what they differ in; no difference is claimed from them. What neither run of a pair
records agrees as far as anybody knows; each step says for how many of its pairs that holds of the code, the seed or the test set.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Any

_RESAMPLES = 2000
_DRAW = 20_260_101
MOST_CONFOUNDED = 200
"""Runs without a pair that one step looks for the nearest of."""
_MOST_DIFFERENCES = 3


Measured = tuple[str, str | None]
"""A metric's name, and the data set that it was measured on (IRI; None where that is not recorded)."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is recorded of one run, for comparison. `inputs` maps role to the things used in it (IRIs), `settings` name to
    value, `metrics` name and data set to the last value; `names` gives labels of those data sets.

    `contents` gives the digest of an input's content, by which two IRIs of the same data are the same; `slices` the part that was
    used, by role and input, where it was not the whole.
    """

    iri: str
    label: str
    inputs: dict[str, frozenset[str]]
    settings: dict[str, str]
    metrics: dict[Measured, float]
    status: str = ""
    names: dict[str, str] = field(default_factory=dict)
    contents: dict[str, str] = field(default_factory=dict)
    slices: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)


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
    """For each step and metric: pairs, mean difference, its spread and bootstrap interval; and the pairs that differ in more.

    `stages(revision)` gives the runs that used a revision; `better(metric)` says `higher`, `lower` or None. Differences are
    later minus earlier, in the metric's own units; `improvement` has the sign turned so that positive is better.
    """
    bought, confounded = [], []
    for step in steps:
        pairs, others = _match(stages(step.earlier), stages(step.later), step)
        confounded += others
        by_metric: dict[str, list[dict[str, Any]]] = defaultdict(list)
        silent: dict[str, Counter[str]] = defaultdict(Counter)
        for one, other in pairs:
            for metric, (before, after) in _common(one, other, step).items():
                by_metric[metric].append(_pair(one.run, other.run, before, after))
                silent[metric].update(unrecorded(one))
        for metric, found in sorted(by_metric.items()):
            told = _summary(step, metric, found, better(metric.partition(" on ")[0]))
            bought.append(told | {"unrecorded": dict(sorted(silent[metric].items()))})
    return bought, confounded


_SEED = re.compile(r"(^|[^a-z])(seeds?|random_?state|rng)([^a-z]|$)|seed$", re.IGNORECASE)


def unrecorded(stage: Stage) -> list[str]:
    """Of code, seed and test set those that the record of a run does not tell. In a pair both runs are silent about the same.

    >>> run = RunFacts("urn:a", "a", {"train": frozenset({"urn:v1"})}, {"random_state": "0"}, {})
    >>> unrecorded(Stage(run, "train", "urn:v1"))
    ['code', 'test set']
    """
    run = stage.run
    tested = {"test", "validate"} & set(run.inputs) or any(on is not None for _, on in run.metrics)
    told = {"code": "execute" in run.inputs, "seed": any(_SEED.search(name) for name in run.settings), "test set": bool(tested)}
    return sorted(what for what, there in told.items() if not there)


def _common(one: Stage, other: Stage, step: Step) -> dict[str, tuple[float, float]]:
    """Metrics that both runs have, measured on the same thing: earlier and later value by the metric's name.

    Where the revision itself is the yardstick (a test set that was corrected), each run's own revision counts as the same.
    """
    sides = []
    for stage, revision in ((one, step.earlier), (other, step.later)):
        own = {revision, stage.by}
        found: dict[Measured, tuple[float, str]] = {}
        for (name, on), value in stage.run.metrics.items():
            same = None if on is None else stage.run.contents.get(on, on)
            found[name, "" if on in own else same] = (value, stage.run.names.get(on or "", on or ""))
        sides.append(found)
    left, right = sides
    times = Counter(name for name, _ in left.keys() & right.keys())
    return {
        name if times[name] == 1 else f"{name} on {right[name, on][1] or 'what is not recorded'}": (
            left[name, on][0],
            right[name, on][0],
        )
        for name, on in sorted(left.keys() & right.keys(), key=lambda key: (key[0], key[1] or ""))
    }


def _pair(one: RunFacts, other: RunFacts, earlier: float, later: float) -> dict[str, Any]:
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
        "sd_delta": stdev(deltas) if len(deltas) > 1 else None,
        "min_delta": min(deltas),
        "max_delta": max(deltas),
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
    draw = random.Random(_DRAW)
    means = sorted(fmean(draw.choices(values, k=len(values))) for _ in range(_RESAMPLES))
    tail = (1 - level) / 2
    return means[int(tail * _RESAMPLES)], means[min(int((1 - tail) * _RESAMPLES), _RESAMPLES - 1)]


def _match(earlier: list[Stage], later: list[Stage], step: Step) -> tuple[list[tuple[Stage, Stage]], list[dict[str, Any]]]:
    """Pairs that differ in the revision only (one to one, in a fixed order); and for each run without such a pair the nearest
    on the other side, with what else they differ in."""
    sides = [
        [(_told(stage, step), stage) for stage in sorted(side, key=lambda stage: (stage.run.iri, stage.role, stage.by))]
        for side in (earlier, later)
    ]
    alike: dict[frozenset[_Item], list[Stage]] = defaultdict(list)
    for told, stage in sides[1]:
        alike[told].append(stage)
    pairs, taken = [], set()
    for told, one in sides[0]:
        if one.run.iri in taken:
            continue
        for other in alike[told]:
            if other.run.iri not in taken and other.run.iri != one.run.iri:
                taken |= {one.run.iri, other.run.iri}
                pairs.append((one, other))
                break
    near: dict[tuple[str, str], tuple[Stage, Stage, list[str]]] = {}
    for number, side in enumerate(sides):
        for told, stage in side:
            if stage.run.iri in taken or len(near) > MOST_CONFOUNDED:
                continue
            found = [
                (_named(told, facing), candidate)
                for facing, candidate in sides[1 - number]
                if candidate.run.iri != stage.run.iri and len(told ^ facing) <= 2 * _MOST_DIFFERENCES
            ]
            if not found:
                continue
            differs_in, nearest = min(found, key=lambda row: (len(row[0]), row[1].run.iri))
            if 0 < len(differs_in) <= _MOST_DIFFERENCES:
                one, other = (stage, nearest) if number == 0 else (nearest, stage)
                near.setdefault((one.run.iri, other.run.iri), (one, other, differs_in))
    rows = sorted(near.values(), key=lambda row: (len(row[2]), row[0].run.iri, row[1].run.iri))
    return pairs, [_confounded(one, other, differs_in, step) for one, other, differs_in in rows]


def _confounded(one: Stage, other: Stage, differs_in: list[str], step: Step) -> dict[str, Any]:
    return {
        "pair": [one.run.iri, other.run.iri],
        "labels": [one.run.label, other.run.label],
        "from": step.earlier,
        "to": step.later,
        "differs_in": differs_in,
        "metrics": {metric: after - before for metric, (before, after) in _common(one, other, step).items()},
    }


_Item = tuple[str, str | frozenset[str]]


def differences(one: Stage, other: Stage, step: Step) -> list[str]:
    """What two runs differ in besides the revision: inputs by role, settings by name, how they ended; of the preparation as well.

    >>> run = RunFacts("urn:a", "a", {"train": frozenset({"urn:v1"})}, {"depth": "3"}, {})
    >>> later = RunFacts("urn:b", "b", {"train": frozenset({"urn:v2"})}, {"depth": "4"}, {})
    >>> differences(Stage(run, "train", "urn:v1"), Stage(later, "train", "urn:v2"), Step("urn:v1", "urn:v2"))
    ['setting depth']
    """
    return _named(_told(one, step), _told(other, step))


def _named(left: frozenset[_Item], right: frozenset[_Item]) -> list[str]:
    return sorted({what for what, _ in left ^ right}, key=lambda what: (what != "role", "preparation" not in what, what))


def _told(stage: Stage, step: Step) -> frozenset[_Item]:
    """All that must agree in a pair, as items to compare; the revision itself is left out."""
    revisions = {step.earlier, step.later}
    found: set[_Item] = {("role", stage.role)}
    if stage.preparation is None:
        return frozenset(found | _items(stage.run, revisions))
    found.add(("preparation", "one"))
    found |= {(f"preparation {what}", value) for what, value in _items(stage.preparation, revisions)}
    # A program that both prepared the data and trained on them changed in both places, and still is one thing that changed.
    return frozenset(found | _items(stage.run, {stage.by} | revisions))


def _items(run: RunFacts, left_out: set[str]) -> set[_Item]:
    found: set[_Item] = {(f"setting {name}", value) for name, value in run.settings.items()}
    for role, things in run.inputs.items():
        others = things - left_out
        if others:
            found.add((f"{role} input", frozenset(run.contents.get(thing, thing) for thing in others)))
        for thing in things:
            part = run.slices.get((role, thing))
            if part:
                what = "the revision" if thing in left_out else run.contents.get(thing, thing)
                found.add((f"{role} slice", frozenset({what, *part})))
    if run.status:
        found.add(("status", run.status))
    return found
