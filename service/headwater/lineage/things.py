"""What is known of each thing besides its links: kind, times, whether it is pinned, and how widely it is spoken of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headwater.lineage.columns import Array, Column
from headwater.lineage.csr import BoolArray, Int32Array
from headwater.terms.vocabulary import Vocabulary

ATTRIBUTES: dict[str, type[np.generic]] = {
    "kind": np.int8,
    "pinned": np.bool_,
    "start": np.float64,
    "end": np.float64,
    "present": np.bool_,
    "node_level": np.int16,
}
NO_LEVEL = np.iinfo(np.int16).max


@dataclass(frozen=True, slots=True)
class Kinds:
    """The kinds as small integers, and those that the links of a thing depend on."""

    names: tuple[str, ...]
    part: int
    unsaid: int
    classes: NDArray[np.int8]
    """By kind: 1 for parts, 2 for tools, 3 for runs, 4 for models, else 0; links depend on no more than that."""
    pinned: BoolArray
    """By kind: whether such a thing is always the same one."""

    @classmethod
    def of(cls, words: Vocabulary) -> Kinds:
        names = (*(kind.name for kind in words.kinds), "part", "entity")
        classes = {"part": 1, "instrument": 2, "software": 2, "run": 3, "model": 4}
        return cls(
            names,
            len(names) - 2,
            len(names) - 1,
            np.array([classes.get(name, 0) for name in names], np.int8),
            np.isin(names, ("run", "agent")),
        )


def rank_of_levels(names: Sequence[str]) -> NDArray[np.int16]:
    """The widest level first: public before internal before a project's own, these by name."""
    ordered = sorted(names, key=lambda name: ({"public": 0, "internal": 1}.get(name, 2), name))
    return np.array([ordered.index(name) for name in names], np.int16)


def described(
    size: int, kinds: Kinds, nodes: Mapping[str, Array], links: Mapping[str, Array], node_ranks: Array, link_ranks: Array
) -> dict[str, Array]:
    """The attributes of `size` things from all rows that speak of them, with the rank of each row's level.

    Of several kinds the one with the highest priority counts, of several times the earliest start and the latest end.
    """
    node = nodes["node"]
    found = blank(size, kinds)
    np.minimum.at(found["kind"], node, nodes["kind"])
    np.logical_or.at(found["pinned"], node, nodes["pinned"].astype(bool, copy=False))
    np.fmin.at(found["start"], node, nodes["start"])
    if "end" in nodes:
        np.fmax.at(found["end"], node, nodes["end"])
    found["pinned"] |= kinds.pinned[found["kind"]]
    for ends, ranks in ((node, node_ranks), (links["earlier"], link_ranks), (links["later"], link_ranks)):
        found["present"][ends] = True
        if len(ranks) and int(ranks.min()) == int(ranks.max()):
            # One level for all, as in most places: a tenth of the time.
            found["node_level"][ends] = np.minimum(found["node_level"][ends], ranks[0])
        else:
            np.minimum.at(found["node_level"], ends, ranks)
    return found


def blank(size: int, kinds: Kinds) -> dict[str, Array]:
    """The attributes of things of which nothing is said."""
    values = {"kind": kinds.unsaid, "start": np.nan, "end": np.nan, "node_level": NO_LEVEL}
    return {name: np.full(size, values.get(name, False), kind) for name, kind in ATTRIBUTES.items()}


class Things:
    """The attributes of all things, as columns that grow; those of a thing known before change in copies of their own."""

    __slots__ = ("columns",)

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self.columns = dict(columns)

    @classmethod
    def of(cls, arrays: Mapping[str, Array], spare: int = 0) -> Things:
        return cls({name: Column(kind, arrays[name], spare=spare) for name, kind in ATTRIBUTES.items()})

    @property
    def size(self) -> int:
        return len(self.columns["kind"])

    def changed(self, nodes: Int32Array, values: Mapping[str, Array], size: int, kinds: Kinds) -> Things:
        """With other attributes of `nodes` (each once), and room for `size` things."""
        before = self.size
        fresh = blank(size - before, kinds)
        new = nodes >= before
        found = {}
        for name, column in self.columns.items():
            given, present = values[name], column.array
            fresh[name][nodes[new] - before] = given[new]
            known, value = nodes[~new], given[~new]
            differs = _differs(present[known], value)
            if differs.any():
                copied = np.empty(size + max(64, size // 16), present.dtype)
                copied[:before] = present
                copied[known[differs]] = value[differs]
                column = Column.over(copied, before)
            column.append(fresh[name])
            found[name] = column
        return Things(found)


def _differs(one: Array, other: Array) -> BoolArray:
    if one.dtype == np.float64:
        same: BoolArray = (one == other) | (np.isnan(one) & np.isnan(other))
        return ~same
    different: BoolArray = one != other
    return different
