"""Links that records contradict each other on: used or not used, trained on or only tested on.

Two records contradict each other where one says that a run did not use a thing (`hw:didNotUse`) and another that it did; and
where both tell of a use of the same part of a thing by the same run, in roles that exclude each other (`hw:excludes` in
ontology/roles.ttl). One record that tells of two roles means both. What was only concluded or multiplied out contradicts nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from headwater.terms.vocabulary import Vocabulary

Column = NDArray[np.integer]
DENIAL = "deny"
_DENIABLE = ("use", "derive", "influence")
"""Links without a stated role that a denial speaks of too."""


def contradicted(links: Mapping[str, Column], words: Vocabulary) -> NDArray[np.int64]:
    """The positions of contradicted links among `links` (columns `earlier later role evidence slice record`), in order.

    >>> from headwater.terms.vocabulary import vocabulary
    >>> words = vocabulary()
    >>> train, test = (([role.name for role in words.roles].index(name)) for name in ("train", "test"))
    >>> two = {"earlier": [0, 0], "later": [1, 1], "role": [train, test], "evidence": [4, 4], "slice": [0, 0], "record": [1, 2]}
    >>> contradicted({name: np.array(values) for name, values in two.items()}, words).tolist()
    [0, 1]
    """
    role_of = {role.name: position for position, role in enumerate(words.roles)}
    role = links["role"]
    denials = np.flatnonzero(role == role_of[DENIAL])
    excluding = np.array([bool(told.excludes) for told in words.roles])
    strong = excluding[role] & (links["evidence"] >= words.evidence["asserted"])
    found = _of_two_minds(links, np.flatnonzero(strong), words)
    if len(denials):
        deniable = np.array([told.stated or told.name in _DENIABLE for told in words.roles])
        facing = np.zeros(int(links["later"].max()) + 1, bool)
        facing[links["later"][denials]] = True
        denied = set(zip(links["earlier"][denials].tolist(), links["later"][denials].tolist(), strict=True))
        some = np.flatnonzero(deniable[role] & facing[links["later"]])
        pairs = zip(links["earlier"][some].tolist(), links["later"][some].tolist(), strict=True)
        found |= {place for place, pair in zip(some.tolist(), pairs, strict=True) if pair in denied}
    return np.array(sorted(found), np.int64)


def _of_two_minds(links: Mapping[str, Column], strong: NDArray[np.int64], words: Vocabulary) -> set[int]:
    """Links in a role that another record's roles for the same use exclude."""
    if not len(strong):
        return set()
    # Most runs are told of by one record: only those that two tell of are looked at, each found by who wrote last.
    later, record = links["later"][strong], links["record"][strong]
    last = np.zeros(int(later.max()) + 1, record.dtype)
    last[later] = record
    several = np.zeros(len(last), bool)
    several[later[last[later] != record]] = True
    suspects = strong[several[later]]
    told: dict[tuple[int, int, int], dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    rows = list(zip(*(links[name][suspects].tolist() for name in ("earlier", "later", "slice", "record", "role")), strict=True))
    for one, other, part, by, role in rows:
        told[one, other, part][by].add(words.roles[role].name)
    found = set()
    for place, (one, other, part, by, role) in zip(suspects.tolist(), rows, strict=True):
        name, excludes = words.roles[role].name, words.roles[role].excludes
        others = (roles for record, roles in told[one, other, part].items() if record != by)
        if any(name not in roles and roles & excludes for roles in others):
            found.add(place)
    return found
