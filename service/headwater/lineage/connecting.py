"""Which of the links that documents state count: details and repetitions in general words give way to what says more.

Left out are links of a part or of a thing to itself; a general link ("used") where a special one ("trained on") stands between
the same two things; and a derivation where a run that made the product tells, with a role, how the one went into the other.
Whether a link counts depends on the links into its later end and into the runs that made that, and on nothing else; so the same
lines serve for all links and for those around a few things.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headwater.lineage.csr import Adjacency, BoolArray, Int32Array, among, spans
from headwater.lineage.things import Kinds
from headwater.terms.vocabulary import Vocabulary

Int8Array = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class RoleWords:
    """Roles as small integers, and which of them do what."""

    of: dict[str, int]
    general: BoolArray
    stated: BoolArray

    @classmethod
    def of_words(cls, words: Vocabulary) -> RoleWords:
        roles = words.roles
        return cls(
            {role.name: position for position, role in enumerate(roles)},
            np.array([role.general for role in roles], bool),
            np.array([role.stated for role in roles], bool),
        )


def counting(
    earlier: Int32Array, later: Int32Array, role: Int8Array, kind: Int8Array, kinds: Kinds, roles: RoleWords
) -> tuple[BoolArray, Int8Array]:
    """Which links count, and in which role, of links between things of these kinds.

    An instrument or software that a run is associated with did the work; a person or group was responsible for it.
    """
    classes = kinds.classes[kind]
    earlier_class, later_class = classes[earlier], classes[later]
    keep = (earlier_class != 1) & (later_class != 1) & (earlier != later)
    working = (role == roles.of["responsible"]) & (earlier_class == 2)
    role = np.where(working, np.int8(roles.of["execute"]), role)
    general = np.flatnonzero(keep & roles.general[role])
    if len(general):
        size = len(kind)
        facing = np.zeros(size, bool)
        facing[later[general]] = True
        # That somebody denies a use says nothing of how the thing was used: where it is stated, both stand.
        special = np.flatnonzero(keep & ~roles.general[role] & (role != roles.of["deny"]) & facing[later])
        keep[general[among(_pair(earlier, later, general, size), _pair(earlier, later, special, size))]] = False
        derive = general[(role[general] == roles.of["derive"]) & keep[general]]
        if len(derive):
            keep[derive[_through_runs(earlier, later, role, keep, later_class, derive, size, roles)]] = False
    return keep, role


def _pair(earlier: Int32Array, later: Int32Array, which: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    return earlier[which].astype(np.int64) * size + later[which]


def _through_runs(
    earlier: Int32Array,
    later: Int32Array,
    role: Int8Array,
    keep: BoolArray,
    later_class: Int8Array,
    derive: NDArray[np.int64],
    size: int,
    roles: RoleWords,
) -> NDArray[np.int64]:
    """Those of the derivations (by position among them) for which a run tells, with a role, how the one went into the other.

    Goes from each derivation to the runs that made its product, never through all inputs times all outputs of a run.
    """
    uses = np.flatnonzero(keep & roles.stated[role] & (later_class == 3))
    products = np.zeros(size, bool)
    products[later[derive]] = True
    makes = np.flatnonzero(keep & (role == roles.of["generate"]) & products[later])
    makers = Adjacency(later[makes], size)
    product = later[derive]
    first, counts = makers.start[product], makers.counts(product)
    position = np.repeat(np.arange(len(product)), counts)
    run = earlier[makes[makers.order[spans(first, counts)]]].astype(np.int64)
    source = earlier[derive][position].astype(np.int64)
    return np.unique(position[among(source * size + run, _pair(earlier, later, uses, size))])
