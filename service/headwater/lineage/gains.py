"""What a repetition may be expected to gain, by what the same revision bought others before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from headwater.lineage.graph import LineageGraph
from headwater.lineage.mending import revisions_after
from headwater.lineage.remaking import Unit

Gains = Callable[[int, int, str], list[dict[str, Any]]]
"""What past pairs say of a revision step in a role: rows as in benefits (`metric direction mean_delta ci_low ci_high n`)."""

_IN_THE_MAKING = ("train", "finetune", "pretrain", "preprocess", "label", "calibrate", "configure", "execute", "use")


def expected(unit: Unit, graph: LineageGraph, gains: Gains) -> list[dict[str, Any]]:
    """What past pairs say of the revisions that a repetition would take up.

    For what is made anew only those that go into the making count; for what is only measured again, those it is measured with.
    """
    rows: list[dict[str, Any]] = []
    for role, old, new in sorted(
        {(swap.role, swap.old, swap.new) for swap in unit.swaps if swap.how == "taken" and swap.new is not None}
    ):
        if (role in _IN_THE_MAKING) != (unit.need == "measure") and new in revisions_after(graph, [old]):
            rows += gains(old, new, role)
    return rows


def improves(rows: Sequence[Mapping[str, Any]]) -> bool | None:
    """Whether past pairs rule an improvement in or out: True, False, or None where they do neither.

    A metric speaks where its direction is known and it has an interval (two pairs or more). False takes that every metric that
    speaks lies on the side of "no better" with its whole interval.

    >>> improves([{"direction": "higher", "ci_low": -0.03, "ci_high": -0.01}])
    False
    >>> improves([{"direction": "lower", "ci_low": -0.2, "ci_high": 0.1}]) is None
    True
    """
    sides = []
    for row in rows:
        sign = {"higher": 1, "lower": -1}.get(str(row.get("direction")))
        low, high = row.get("ci_low"), row.get("ci_high")
        if sign is not None and low is not None and high is not None:
            least, most = sorted((sign * low, sign * high))
            sides.append(1 if least > 0 else -1 if most <= 0 else 0)
    if sides and all(side < 0 for side in sides):
        return False
    return True if 1 in sides and -1 not in sides else None
