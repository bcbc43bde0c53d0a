"""Coverage: how fully the records say what came from what, and how exactly.

Nobody can see a link that nobody recorded. What can be said is how much room the records leave for one. The doubt about a thing
is the doubt that something else went into it than what is stated: it begins at 1 for what must have come from something (a run, a
model, a deployment, a publication) and at 1/4 for what may be a beginning (recorded data, an instrument, a program); each stated
link into it from something pinned to a version or digest takes half of it away, each other link a quarter. Coverage is one minus
the mean doubt: of all things that the reader sees where the question goes downstream, since any of them may have used the thing
in a way that no record tells; of the things met where it goes upstream.

So a run without stated inputs counts as wholly unknown, and a link that is taken away always lowers the coverage: what is not
affected only because a link is missing is never told with the same confidence.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

_MUST_COME_FROM_SOMETHING = ("run", "model", "deployment", "publication")
MAY_BEGIN, PINNED, LOOSE = 0.25, 0.5, 0.75


def doubts(
    kind: NDArray[np.int8], kind_names: Collection[str], later: NDArray[np.int32], firm: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """The doubt about each thing, by its kind and the links into it; `firm` links come from something pinned.

    >>> kind = np.array([0, 1], np.int8)
    >>> doubts(kind, ("dataset", "run"), np.array([1, 1], np.int32), np.array([True, False])).tolist()
    [0.25, 0.375]
    """
    base = np.array([1.0 if name in _MUST_COME_FROM_SOMETHING else MAY_BEGIN for name in kind_names])
    into = np.bincount(later, minlength=len(kind))
    pinned = np.bincount(later[firm], minlength=len(kind))
    found: NDArray[np.float64] = base[kind] * PINNED**pinned * LOOSE ** (into - pinned)
    return found


def coverage(doubt: NDArray[np.float64]) -> float:
    """One minus the mean doubt of some things; 1 where there are none.

    >>> coverage(np.array([0.5, 0.25, 0.0])), coverage(np.zeros(0))
    (0.75, 1.0)
    """
    return 1.0 - float(doubt.mean()) if len(doubt) else 1.0
