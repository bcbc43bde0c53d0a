"""The rules of `ontology/impact-rules.ttl` as look-up tables over small integers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from headwater.errors import HeadwaterError
from headwater.terms.vocabulary import Effect, Vocabulary, vocabulary

Int8Array = NDArray[np.int8]
BLOCKS = (
    "slice-disjoint",
    "own-origin",
    "slice-unknown",
    "expanded-only",
    "steered-when-unknown",
    "contradicted",
    "fault-not-there",
    "time-unknown",
    "unversioned-use",
    "undated",
)
"""Reasons for which a link passes nothing (or nothing for certain) in one question; they stand in the place of its role."""


_HIDDEN = "wrong-numbers"
"""Why more may arrive than surely does, where an effect may hide a worse one."""


SURE_BLOCKS = ("slice-disjoint", "own-origin", "fault-not-there")
"""Those of them that leave no doubt."""


class IncompleteRules(HeadwaterError):
    """The table in ontology/ does not say what happens somewhere."""

    title = "The rules of impact are not complete"
    default_remedy = "Mend ontology/impact-rules.ttl."


@dataclass(frozen=True, eq=False)
class Rulebook:
    """`certain[effect, role, kind]` is the effect at the far end, `possible` what it may be besides; `because` why, `doubt` why
    it may be more.

    The role axis holds the vocabulary's roles and then `BLOCKS`; the kind axis its kinds, then parts, then "not described".
    """

    effects: tuple[Effect, ...]
    kinds: tuple[str, ...]
    certain: Int8Array
    possible: Int8Array
    because: NDArray[np.int16]
    doubt: NDArray[np.int16]
    codes: tuple[str, ...]

    def effect(self, name: str) -> int:
        return next(position for position, effect in enumerate(self.effects) if effect.name == name)

    @cached_property
    def vague(self) -> NDArray[np.bool_]:
        """For each cell of the flattened table: whether more may come than surely does, or the link itself is in doubt."""
        found = self.certain != self.possible
        first = self.certain.shape[1] - len(BLOCKS)
        found[:, [first + number for number, block in enumerate(BLOCKS) if block not in SURE_BLOCKS]] = True
        flat: NDArray[np.bool_] = found.ravel()
        return flat


@cache
def rulebook() -> Rulebook:
    """The rules of the shipped ontology.

    >>> book = rulebook()
    >>> words = vocabulary()
    >>> test = [role.name for role in words.roles].index("test")
    >>> run = [kind.name for kind in words.kinds].index("run")
    >>> book.effects[book.certain[book.effect("stale"), test, run]].name
    'metrics-invalid'
    """
    return compile_rules(vocabulary())


def compile_rules(words: Vocabulary) -> Rulebook:
    """Build the tables; raises `IncompleteRules` naming the first gap, or the first pair of rows that contradict each other."""
    effects = words.effects
    position = {effect.name: number for number, effect in enumerate(effects)}
    roles = [role.name for role in words.roles]
    kinds = [kind.name for kind in words.kinds]
    shape = (len(effects), len(roles) + len(BLOCKS), len(kinds) + 2)
    certain = np.full(shape, -1, np.int8)
    possible = np.full(shape, -1, np.int8)
    because = np.zeros(shape, np.int16)
    codes: list[str] = []
    # Rows for one kind come last, so that they go over the rows for all.
    for rule in sorted(words.rules, key=lambda rule: rule.at_kind is not None):
        if rule.because not in codes:
            codes.append(rule.because)
        code = codes.index(rule.because)
        at = slice(None) if rule.at_kind is None else slice(kinds.index(rule.at_kind), kinds.index(rule.at_kind) + 1)
        for incoming in rule.incoming:
            source = position[incoming]
            outgoing = source if rule.outgoing == "same" else position[rule.outgoing]
            perhaps = outgoing if rule.perhaps is None else source if rule.perhaps == "same" else position[rule.perhaps]
            for role in rule.over:
                row = roles.index(role)
                if rule.at_kind is None and (certain[source, row] >= 0).any():
                    raise IncompleteRules(f"Two rows say what '{incoming}' becomes over '{role}'.")
                certain[source, row, at] = outgoing
                possible[source, row, at] = perhaps
                because[source, row, at] = code
    for number, block in enumerate(BLOCKS):
        codes += [] if block in codes else [block]
        row = len(roles) + number
        certain[:, row], possible[:, row], because[:, row] = position["none"], position["none"], codes.index(block)
    gaps = np.argwhere(certain < 0)
    if len(gaps):
        source, row, _ = gaps[0]
        raise IncompleteRules(f"No row says what '{effects[source].name}' becomes over '{roles[row]}'.")
    every_kind = (*kinds, "part", "entity")
    doubt = because.copy()
    codes.append(_HIDDEN)
    for effect in effects:
        # The worst first would do as well: what may be hidden hides nothing itself, which the test of the table proves.
        if effect.may_hide is not None:
            hiding = (possible == position[effect.name]) & np.isin(every_kind, [*effect.may_hide_at, "entity"])
            possible[hiding], doubt[hiding] = position[effect.may_hide], len(codes) - 1
    return Rulebook(effects, every_kind, certain, possible, because, doubt, tuple(codes))
