"""The rules of `ontology/impact-rules.ttl` as look-up tables over small integers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from headwater.errors import HeadwaterError
from headwater.terms.vocabulary import Effect, Vocabulary, vocabulary

Int8Array = NDArray[np.int8]
BLOCKS = ("slice-disjoint", "own-origin", "slice-unknown", "expanded-only", "steered-when-unknown")
"""Reasons for which a link passes nothing (or nothing for certain) in one question; they stand in the place of its role."""


class IncompleteRules(HeadwaterError):
    """The table in ontology/ does not say what happens somewhere."""

    title = "The rules of impact are not complete"
    default_remedy = "Mend ontology/impact-rules.ttl."


@dataclass(frozen=True, eq=False)
class Rulebook:
    """`certain[effect, role, kind]` is the effect at the far end, `possible` what it may be besides; `because` why.

    The role axis holds the vocabulary's roles and then `BLOCKS`; the kind axis its kinds, then parts, then "not described".
    """

    effects: tuple[Effect, ...]
    kinds: tuple[str, ...]
    certain: Int8Array
    possible: Int8Array
    because: NDArray[np.int16]
    codes: tuple[str, ...]

    def effect(self, name: str) -> int:
        return next(position for position, effect in enumerate(self.effects) if effect.name == name)

    @cached_property
    def vague_roles(self) -> NDArray[np.bool_]:
        """The roles over which more may come than surely does, for most effects; the others are vague for a few effects at most."""
        return (self.certain != self.possible).any(axis=2).mean(axis=0) > 0.5

    @cached_property
    def vague_effects(self) -> NDArray[np.bool_]:
        """The effects that may become more than they surely do over a role that is not vague altogether."""
        return (self.certain != self.possible).any(axis=2)[:, ~self.vague_roles].any(axis=1)


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
        codes.append(block)
        row = len(roles) + number
        certain[:, row], possible[:, row], because[:, row] = position["none"], position["none"], len(codes) - 1
    gaps = np.argwhere(certain < 0)
    if len(gaps):
        source, row, _ = gaps[0]
        raise IncompleteRules(f"No row says what '{effects[source].name}' becomes over '{roles[row]}'.")
    return Rulebook(effects, (*kinds, "part", "entity"), certain, possible, because, tuple(codes))
