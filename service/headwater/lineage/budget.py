"""What to do with limited hours or energy: the set of repetitions that mends the most, with all that it needs beforehand.

A thing is mended when every step that it needs is done; steps are shared, and a step counts once. That is a knapsack with
precedence (set-union knapsack; Goldschmidt, Nehme and Yu 1994), which is NP-hard. Up to `MOST_EXACT` groups of things it is
solved by branch and bound; beyond, or where the search takes too many nodes, greedily by weight per cost, with an upper bound
that no plan within the budget can exceed: each step's cost is shared out among the things that need it, and a fractional knapsack
filled (Dantzig 1957); whatever is chosen pays at least its shares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor

MOST_EXACT = 48
"""Groups of things with the same needs, up to which the best choice is searched for."""
_MOST_NODES = 60_000
_ADAPTIVE = 300
"""Groups up to which the greedy choice is weighed anew after each step; beyond, once."""
_EXACTNESS = 1e-9


@dataclass(frozen=True, slots=True)
class Choice:
    """The steps chosen (a set of bits), the weight that they mend, whether that is proved to be the most, and the upper bound."""

    steps: int
    weight: int
    exact: bool
    bound: float


@dataclass(frozen=True, slots=True)
class Purse:
    """Costs of the steps by number, and limits, for each thing that is limited (hours, kilowatt hours).

    A step whose cost is None is not known to fit any limit, and cannot be chosen.
    """

    costs: tuple[tuple[float | None, ...], ...]
    limits: tuple[float, ...]

    def cost(self, steps: int) -> tuple[float, ...] | None:
        """The cost of a set of steps; None where one of them is unknown."""
        totals = [0.0] * len(self.limits)
        for number in bits(steps):
            for place, costs in enumerate(self.costs):
                cost = costs[number]
                if cost is None:
                    return None
                totals[place] += cost
        return tuple(totals)

    def allows(self, totals: Sequence[float]) -> bool:
        return all(total <= limit * (1 + _EXACTNESS) for total, limit in zip(totals, self.limits, strict=True))

    def share(self, totals: Sequence[float]) -> float:
        """The largest part of any limit that a cost takes up; infinite where a limit of zero is exceeded."""
        parts = [0.0]
        for total, limit in zip(totals, self.limits, strict=True):
            if total > 0:
                parts.append(total / limit if limit > 0 else float("inf"))
        return max(parts)


def choose(needs: Mapping[int, int], purse: Purse) -> Choice:
    """The steps that mend the most within the purse.

    `needs` maps sets of steps (bits, closed under what comes before) to the weight of the things that need exactly them.

    >>> purse = Purse(costs=((1.0, 2.0, 2.0),), limits=(3.0,))
    >>> best = choose({0b001: 1, 0b011: 4, 0b101: 4, 0b100: 3}, purse)
    >>> bin(best.steps), best.weight, best.exact
    ('0b101', 8, True)
    """
    free = needs.get(0, 0)
    costs = {mask: purse.cost(mask) for mask in needs if mask}
    groups = [_Group(mask, needs[mask], cost) for mask, cost in costs.items() if cost is not None and purse.allows(cost)]
    groups.sort(key=lambda group: (purse.share(group.cost) / group.weight if group.weight else float("inf"), group.mask))
    groups = [group for group in groups if group.weight > 0]
    greedy = _greedy(groups, purse)
    bound = _bound(groups, 0, purse, (0.0,) * len(purse.limits))
    best, done = greedy, False
    if len(groups) <= MOST_EXACT:
        search = _Search(groups, purse, greedy)
        done = search.run()
        best = search.best
    weight = _weight(best, groups)
    done = done or weight >= bound - _EXACTNESS
    return Choice(best, weight + free, done, float(weight + free) if done else bound + free)


@dataclass(frozen=True, slots=True)
class _Group:
    mask: int
    weight: int
    cost: tuple[float, ...]


def _weight(steps: int, groups: Sequence[_Group]) -> int:
    return sum(group.weight for group in groups if group.mask & ~steps == 0)


def _greedy(groups: Sequence[_Group], purse: Purse) -> int:
    """Take again and again what mends the most for what it adds to the cost; or the single best thing, if that is more."""
    adaptive = len(groups) <= _ADAPTIVE
    taken, spent = 0, (0.0,) * len(purse.limits)
    left = list(groups)[::-1]
    while left:
        place = min(range(len(left)), key=lambda number: _rate(left[number], taken, purse)) if adaptive else -1
        group = left.pop(place)
        total = tuple(one + other for one, other in zip(spent, purse.cost(group.mask & ~taken) or spent, strict=True))
        if purse.allows(total):
            taken, spent = taken | group.mask, total
    if groups:
        single = max(groups, key=lambda group: (_weight(group.mask, groups) if adaptive else group.weight, -group.mask))
        if _weight(single.mask, groups) > _weight(taken, groups):
            return single.mask
    return taken


def _rate(group: _Group, taken: int, purse: Purse) -> tuple[float, int]:
    """What a group adds to the cost for each unit of weight, and its steps to tell groups apart."""
    return purse.share(purse.cost(group.mask & ~taken) or ()) / group.weight, group.mask


def _bound(groups: Sequence[_Group], taken: int, purse: Purse, spent: Sequence[float]) -> float:
    """No choice that contains `taken` mends more of `groups` than this."""
    rest = [limit - used for limit, used in zip(purse.limits, spent, strict=True)]
    return upper_bound([(bits(group.mask & ~taken), group.weight) for group in groups], purse, rest)


def upper_bound(rows: Sequence[tuple[Sequence[int], int]], purse: Purse, rest: Sequence[float]) -> float:
    """The most weight that what is left of each limit can pay for, if each step's cost is shared out among those who need it.

    `rows` are the numbers of the steps that a thing needs (all of them, or only some: the bound is looser then), and its weight.
    """
    sharing: dict[int, int] = {}
    for numbers, _ in rows:
        for number in numbers:
            sharing[number] = sharing.get(number, 0) + 1
    best = float(sum(weight for _, weight in rows))
    for place, limit in enumerate(rest):
        costs = purse.costs[place]
        left = limit + purse.limits[place] * _EXACTNESS
        priced = sorted(
            ((sum((costs[number] or 0.0) / sharing[number] for number in numbers), weight) for numbers, weight in rows if weight),
            key=lambda row: row[0] / row[1],
        )
        filled = 0.0
        for cost, weight in priced:
            if cost > left:
                filled += weight * max(left, 0.0) / cost
                break
            left -= cost
            filled += weight
        best = min(best, filled)
    return best


class _Search:
    """Branch and bound, depth first: each group is either wanted (with all its steps) or not counted."""

    def __init__(self, groups: Sequence[_Group], purse: Purse, first: int) -> None:
        self._groups, self._purse = groups, purse
        self.best = first
        self._most = _weight(first, groups)
        self._cheapest = purse.share(purse.cost(first) or ())
        self._visited = 0

    def run(self) -> bool:
        """Search; False where it was given up."""
        todo: list[tuple[int, int, int]] = [(0, 0, 0)]
        while todo:
            place, taken, weight = todo.pop()
            self._visited += 1
            if self._visited > _MOST_NODES:
                return False
            spent = self._purse.cost(taken)
            assert spent is not None
            if not self._purse.allows(spent):
                continue
            self._note(taken, weight, spent)
            if place == len(self._groups):
                continue
            rest = [group for group in self._groups[place:] if group.mask & ~taken]
            free = sum(group.weight for group in self._groups[place:]) - sum(group.weight for group in rest)
            # Weights are whole numbers: what cannot reach one more than the best so far is not looked at.
            if floor(weight + free + _bound(rest, taken, self._purse, spent) + _EXACTNESS) <= self._most:
                continue
            group = self._groups[place]
            if group.mask & ~taken:
                todo.append((place + 1, taken, weight))
            todo.append((place + 1, taken | group.mask, weight + group.weight))
        return True

    def _note(self, taken: int, weight: int, spent: Sequence[float]) -> None:
        share = self._purse.share(spent)
        if weight > self._most or (weight == self._most and (share, taken) < (self._cheapest, self.best)):
            self.best, self._most, self._cheapest = taken, weight, share


def bits(mask: int) -> list[int]:
    """The numbers of the bits that are set.

    >>> bits(0b1011)
    [0, 1, 3]
    """
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found
