"""What a person who knows the runs would answer: the verdicts by hand, the gains in plain Python.

This reading is independent of Headwater's rules and code: it is what Headwater's answers are compared with. Names are the
story's (`model svm-v1`), as `story.py` resolves them to IRIs.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

PAIRS = ("logreg", "forest", "svm", "knn", "boosting", "tree")
"""Trained twice with the same code, settings, seed and test set: only the revision of digits-train differs."""
STEPPED_PAIR = "mlp"
"""The same, but through a preprocessing step (digits-train-scaled)."""
CONFOUNDED = {
    ("forest-v1", "forest-large"): ["setting n_estimators"],
    ("logreg-v1", "logreg-tuned"): ["setting C", "validation data"],
    ("knn-v1", "knn-v2-test-v2"): ["test set"],
}
"""Pairs of runs that look alike but differ in more than the training revision, and in what."""

_FIRST = [*(f"{a}-v1" for a in PAIRS), "mlp-v1", "online-v1"]
_SECOND = [*(f"{a}-v2" for a in PAIRS), "mlp-v2", "forest-large", "logreg-tuned", "online-v2"]

TRAIN_LABELS: dict[str, Any] = {
    "affected": [
        *(f"run {r}" for r in _FIRST),
        "run bayes-failed",  # it failed for another reason, but it was given the wrong labels
        "run scale-v1",
        "run predict-v1",
        "model knn-v1",  # digits-knn has no second version
        "model boosting-v1",  # trained again, but not registered: nothing says that the newer model replaces it
        "model tree-v1",
        "model mlp-v1",
        "model online-v1",  # its second version was fine-tuned from it
        "thing acquisition-feeder",  # online-v1 chose the pages
        "dataset queue",
        "run online-v2",
        "model online-v2",
        "run student",  # half of what it learned from is pseudo-labels of svm-v1
        "model student",
        "thing kiosk-1.0",
        "thing feeder-control-2.0",
        "paper digits-lab.workshop",
    ],
    "resolved": {
        "model logreg-v1": "model logreg-tuned",
        "model forest-v1": "model forest-v2",
        "model svm-v1": "model svm-v2",
        "dataset scaled-v1": "dataset scaled-v2",
        "dataset pseudo-v1": "dataset pseudo-v2",
        "thing form-reader-1.0": "thing form-reader-1.1",
        "paper digits-lab.preprint.v1": "paper digits-lab.preprint.v2",
    },
    "not_affected": [
        *(f"run {r}" for r in _SECOND if r != "online-v2"),
        *(f"model {m}" for m in _SECOND if m != "online-v2"),
        "run scale-v2",
        "run predict-v2",
        "run sweep",
        "run sweep-0.0003",
        "run sweep-0.001",
        "run sweep-0.003",
        "run svm-peeked",
        "model svm-peeked",
        "run knn-v2-test-v2",
        "model knn-v2-test-v2",
        "run evaluate-forest-v2",
        "run evaluate-svm-v2",
        "dataset scaled-v2",
        "dataset pseudo-v2",
        "thing form-reader-1.1",
        "paper digits-lab.preprint.v2",
        "paper digits-lab.comparison",
    ],
    # The review only cites what is affected; the feeder is steered by a stale model but is itself in order, and when it was
    # calibrated nobody wrote down.
    "debatable": {
        "paper digits-lab.review": "affected",
        "thing scanner-feeder": "affected",
        "thing calibration-s2": "affected",
        "thing grey-table-s2": "affected",
    },
}
TEST_LABELS: dict[str, Any] = {
    "affected": [
        *(f"run {r}" for r in (*_FIRST, *_SECOND)),
        "run svm-peeked",
        "model svm-peeked",  # its settings were chosen by the wrong labels
        "paper digits-lab.preprint.v1",
        "paper digits-lab.preprint.v2",  # its accuracy was measured on the first test set, too
        "paper digits-lab.workshop",
    ],
    "resolved": {},
    "not_affected": [
        *(f"model {m}" for m in (*_FIRST, *_SECOND)),
        "run predict-v1",
        "run predict-v2",
        "dataset pseudo-v1",
        "dataset pseudo-v2",
        "run student",
        "model student",
        "run knn-v2-test-v2",
        "model knn-v2-test-v2",
        "run evaluate-forest-v2",
        "run evaluate-svm-v2",
        "thing form-reader-1.0",
        "thing form-reader-1.1",
        "thing kiosk-1.0",
        "thing feeder-control-2.0",
        "thing scanner-feeder",
        "thing acquisition-feeder",
        "thing calibration-s2",
        "thing grey-table-s2",
        "dataset queue",
    ],
    # The report's own numbers stand; it cites a preprint whose numbers do not. The review cites two of those.
    "debatable": {"paper digits-lab.comparison": "affected", "paper digits-lab.review": "affected"},
}
FEEDER_CALIBRATION: dict[str, Any] = {
    "affected": [
        "thing acquisition-feeder",
        "dataset queue",
        "run online-v2",
        "model online-v2",
        "thing feeder-control-2.0",
    ],
    "resolved": {},
    "not_affected": [
        "model online-v1",
        *(f"model {m}" for m in _FIRST if m != "online-v1"),
        "model student",
        "thing form-reader-1.1",
        "thing kiosk-1.0",
        "paper digits-lab.preprint.v2",
        "paper digits-lab.workshop",
    ],
    # What calibrated the scanner before is upstream of the change or beside it, not made with the wrong tables.
    "debatable": {"thing calibration-s2": "affected", "thing grey-table-s2": "affected"},
}
CHANGES = {
    "change-train-labels": ("labels-corrected", "dataset train-v1", TRAIN_LABELS),
    "change-test-labels": ("labels-corrected", "dataset test-v1", TEST_LABELS),
    "change-feeder-calibration": ("calibration-changed", "thing scanner-feeder", FEEDER_CALIBRATION),
}
READING = (
    "States that a person who knows the runs would give. An object that an answer does not list counts as not_affected. "
    "'debatable' objects have no single right state; the one given is the more cautious. The changed object is left out."
)


def metric(mlruns: Path, run_id: str, name: str) -> float:
    """The last value of a metric of a run, from MLflow's own file (`milliseconds value step …` per line)."""
    (path,) = mlruns.glob(f"*/{run_id}/metrics/{name}")
    return float(path.read_text(encoding="utf-8").splitlines()[-1].split()[1])


def gain(mlruns: Path, runs: dict[str, str], iri: dict[str, str], before: str, after: str, name: str) -> dict[str, Any]:
    """What one pair of runs says: the metric before and after, and the difference."""
    old, new = metric(mlruns, runs[before], name), metric(mlruns, runs[after], name)
    return {"before_run": iri[f"run {before}"], "after_run": iri[f"run {after}"], "before": old, "after": new, "delta": new - old}


def gains(mlruns: Path, runs: dict[str, str], iri: dict[str, str]) -> dict[str, Any]:
    """The benefits of both corrections by the IRI of the data set's concept; differences of fractions, not percent."""

    def step(older: str, newer: str, pairs: list[tuple[str, str]]) -> dict[str, Any]:
        measures = {}
        for name in ("accuracy", "macro_f1"):
            listed = [gain(mlruns, runs, iri, before, after, name) for before, after in pairs]
            measures[name] = {
                "direction": "maximise",
                "n": len(listed),
                "mean_delta": statistics.fmean(pair["delta"] for pair in listed),
                "pairs": listed,
            }
        return {"from": iri[f"dataset {older}"], "to": iri[f"dataset {newer}"], "metrics": measures}

    confounded = [
        {"before_run": iri[f"run {before}"], "after_run": iri[f"run {after}"], "differs_in": differs}
        for (before, after), differs in CONFOUNDED.items()
    ]
    direct = [(f"{a}-v1", f"{a}-v2") for a in PAIRS]
    stepped = (f"{STEPPED_PAIR}-v1", f"{STEPPED_PAIR}-v2")
    return {
        iri["concept digits-train"]: {
            "direct": step("train-v1", "train-v2", direct),
            "through_one_preprocessing_step": step("train-v1", "train-v2", [stepped]),
            "all": step("train-v1", "train-v2", [*direct, stepped]),
            "confounded": confounded,
        },
        iri["concept digits-test"]: {
            "direct": step("test-v1", "test-v2", [("knn-v2", "knn-v2-test-v2")]),
        },
    }


def expected(mlruns: Path, runs: dict[str, str], iri: dict[str, str]) -> dict[str, Any]:
    """The whole of expected.json."""
    changes = {}
    for change, (kind, changed, verdicts) in CHANGES.items():
        states = {iri[name]: state for state in ("affected", "not_affected") for name in verdicts[state]}
        states |= {iri[name]: "resolved" for name in verdicts["resolved"]}
        changes[iri[f"thing {change}"]] = {
            "kind": kind,
            "object": iri[changed],
            "states": states,
            "resolved_by": {iri[old]: iri[new] for old, new in verdicts["resolved"].items()},
            "debatable": {iri[name]: state for name, state in verdicts["debatable"].items()},
        }
    return {"reading": READING, "names": iri, "changes": changes, "benefits": gains(mlruns, runs, iri)}
