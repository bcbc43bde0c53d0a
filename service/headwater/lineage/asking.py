"""How a lineage question is put: the traversal parameters of DESIGN section 5, read and checked in one place for every way in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from headwater.errors import BadParameter
from headwater.lineage import times
from headwater.lineage.graph import Limits
from headwater.terms.vocabulary import Vocabulary, vocabulary

DIRECTIONS = ("upstream", "downstream", "both")
MOST_NODES = 100_000
NODE_FIELDS = (
    "kind",
    "label",
    "distance",
    "state",
    "severity",
    "effect",
    "justification",
    "resolved_by",
    "via",
    "visibility",
    "_links",
)
INCLUDES = ("edges", "paths", "statements")


@dataclass(frozen=True, slots=True)
class Traversal:
    """A checked question. `depth` None means full. `as_of` (seconds since 1970) asks about an earlier world, `known_at` (a ledger
    sequence number, or seconds as a float) about what was known earlier. `include` may hold `edges` (default), `paths` (the
    links that prove each verdict, spelled out) and `statements` (what persons say beside it)."""

    direction: str = "upstream"
    depth: int | None = None
    types: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    stop_at: tuple[str, ...] = ()
    ignore_as_hops: tuple[str, ...] = ()
    min_evidence: str | None = None
    max_nodes: int = 10_000
    fields: tuple[str, ...] = NODE_FIELDS
    include: tuple[str, ...] = ("edges",)
    as_of: float | None = None
    known_at: int | float | None = None

    def limits(self, words: Vocabulary) -> Limits:
        strength = words.evidence[self.min_evidence] if self.min_evidence else 0
        return Limits(self.roles, strength, self.stop_at, self.ignore_as_hops)

    def echo(self) -> dict[str, Any]:
        """The question as the answer repeats it."""
        return {
            "direction": self.direction,
            "depth": "full" if self.depth is None else self.depth,
            "types": list(self.types),
            "roles": list(self.roles),
            "stop_at": list(self.stop_at),
            "ignore_as_hops": list(self.ignore_as_hops),
            "min_evidence": self.min_evidence,
            "max_nodes": self.max_nodes,
            "as_of": None if self.as_of is None else times.told(self.as_of),
            "known_at": times.told(self.known_at) if isinstance(self.known_at, float) else self.known_at,
        }


def read_traversal(given: Mapping[str, Any], direction: str = "upstream") -> Traversal:
    """Check the parameters; lists may come as lists or comma-separated. Raises `BadParameter` naming the wrong one.

    >>> read_traversal({"depth": "2", "types": "model,publication"}).types
    ('model', 'publication')
    >>> read_traversal({"depth": "-1"})
    Traceback (most recent call last):
    ...
    headwater.errors.BadParameter: depth must be 'full' or a whole number from 0 upwards, not '-1'
    """
    words = vocabulary()
    kinds = [kind.name for kind in words.kinds]
    roles = [role.name for role in words.roles if role.stated or role.name in ("generate", "derive", "use", "part", "inform")]
    known = {
        "direction",
        "depth",
        "types",
        "roles",
        "stop_at",
        "ignore_as_hops",
        "as_of",
        "known_at",
        "min_evidence",
        "max_nodes",
    }
    for name in given:
        if name not in known | {"fields", "include"}:
            raise BadParameter(f"There is no parameter '{name}' here.", parameter=name)
    found_direction = str(given.get("direction") or direction)
    if found_direction not in DIRECTIONS:
        raise BadParameter(f"direction must be one of {', '.join(DIRECTIONS)}, not '{found_direction}'", parameter="direction")
    return Traversal(
        direction=found_direction,
        depth=_depth(given.get("depth")),
        types=_among("types", given.get("types"), [*kinds, "entity"]),
        roles=_among("roles", given.get("roles"), roles),
        stop_at=_kinds_or_things("stop_at", given.get("stop_at"), kinds),
        ignore_as_hops=_kinds_or_things("ignore_as_hops", given.get("ignore_as_hops"), kinds),
        min_evidence=next(iter(_among("min_evidence", given.get("min_evidence"), list(words.evidence))), None),
        max_nodes=_count(given.get("max_nodes")),
        fields=_among("fields", given.get("fields"), list(NODE_FIELDS)) or NODE_FIELDS,
        as_of=times.as_of(given.get("as_of")),
        known_at=times.known_at(given.get("known_at")),
        include=_included(given.get("include")),
    )


def _included(value: Any) -> tuple[str, ...]:
    """Further parts of the answer: the links if nothing is said, and none of them for `none`."""
    found = _among("include", value, [*INCLUDES, "none"])
    return tuple(word for word in found if word != "none") if found else ("edges",)


def words_of(value: Any) -> tuple[str, ...]:
    """One or several words from a string, a comma-separated string or a list of either."""
    if value is None:
        return ()
    items: Iterable[Any] = [value] if isinstance(value, str) else value if isinstance(value, Iterable) else [value]
    return tuple(dict.fromkeys(word.strip() for item in items for word in str(item).split(",") if word.strip()))


def _among(name: str, value: Any, allowed: list[str]) -> tuple[str, ...]:
    found = words_of(value)
    for word in found:
        if word not in allowed:
            raise BadParameter(f"{name}: '{word}' is none of {', '.join(sorted(allowed))}", parameter=name)
    return found


def _kinds_or_things(name: str, value: Any, kinds: list[str]) -> tuple[str, ...]:
    found = words_of(value)
    for word in found:
        if word not in kinds and ":" not in word:
            raise BadParameter(f"{name}: '{word}' is neither a kind ({', '.join(sorted(kinds))}) nor an IRI", parameter=name)
    return found


def _depth(value: Any) -> int | None:
    if value is None or value in ("", "full"):
        return None
    try:
        depth = int(str(value))
    except ValueError:
        depth = -1
    if depth < 0 or isinstance(value, float | bool):
        raise BadParameter(f"depth must be 'full' or a whole number from 0 upwards, not '{value}'", parameter="depth")
    return depth


def _count(value: Any) -> int:
    if value is None or value == "":
        return 10_000
    try:
        count = int(str(value))
    except ValueError:
        count = 0
    if not 1 <= count <= MOST_NODES or isinstance(value, float | bool):
        raise BadParameter(f"max_nodes must be a whole number from 1 to {MOST_NODES}, not '{value}'", parameter="max_nodes")
    return count
