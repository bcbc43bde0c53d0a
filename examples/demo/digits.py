"""The handwritten digits of scikit-learn, cut into the demonstration's data sets, each in its revisions.

The images and their true labels are real (`sklearn.datasets.load_digits`). What is made here is the campaign's mistake: a
seeded share of labels is swapped between digits that look alike, as a tired reader would swap them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

SEED = 8321
LOOK_ALIKE = {3: 8, 8: 3, 4: 9, 9: 4, 1: 7, 7: 1}
"""Which digit a tired reader takes for which."""
TRAIN_SHARE_WRONG = 0.12
TEST_SHARE_WRONG = 0.03

Array = NDArray[np.generic]


@dataclass(frozen=True)
class Digits:
    """Images, `float32` of shape `(n, 64)` with grey values 0 to 16, and labels 0 to 9 of shape `(n,)`, where there are any."""

    images: Array
    labels: Array | None = None


def with_wrong_labels(labels: Array, share: float, seed: int) -> Array:
    """`labels` with `share` of them (of all, rounded) swapped between look-alike digits."""
    generator = np.random.default_rng(seed)
    swappable = np.flatnonzero(np.isin(labels, list(LOOK_ALIKE)))
    chosen = generator.choice(swappable, size=round(share * len(labels)), replace=False)
    wrong = labels.copy()
    wrong[chosen] = [LOOK_ALIKE[int(label)] for label in labels[chosen]]
    return wrong


def cut() -> dict[str, Digits]:
    """The data sets by name: `raw train-v1 train-v2 valid test-v1 test-v2 unlabelled pool` (`pool` keeps its true labels).

    900 images to train on, 200 to validate, 397 to test, 150 without labels and 150 that wait in the feeder of the second
    scanner; `raw` is what the first scanner delivered: all but the last.
    """
    whole = load_digits()
    order = np.random.default_rng(SEED).permutation(len(whole.target))
    images, labels = whole.data[order].astype("float32"), whole.target[order]
    train, valid, test, unlabelled, pool = np.split(np.arange(len(labels)), [900, 1100, 1497, 1647])
    return {
        "raw": Digits(images[:1647]),
        "train-v1": Digits(images[train], with_wrong_labels(labels[train], TRAIN_SHARE_WRONG, SEED + 1)),
        "train-v2": Digits(images[train], labels[train]),
        "valid": Digits(images[valid], labels[valid]),
        "test-v1": Digits(images[test], with_wrong_labels(labels[test], TEST_SHARE_WRONG, SEED + 2)),
        "test-v2": Digits(images[test], labels[test]),
        "unlabelled": Digits(images[unlabelled]),
        "pool": Digits(images[pool], labels[pool]),
    }
