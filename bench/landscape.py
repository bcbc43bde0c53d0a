"""Make-believe lineage of tens of millions of links as columns: drawn at once by arrays, where telling it run by run takes hours.

`wide` has the shape of `bench/world.py`: few data sets, programs and models are used by very many, most steps are short.
`deep` is many chains of a thousand steps from one data set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headwater.lineage.index import LineageIndex
from headwater.terms.vocabulary import vocabulary

Array = NDArray[Any]
RELATIONS = ("prov:used", "prov:wasGeneratedBy", "prov:wasRevisionOf", "hw:documents", "hw:cites", "hw:deploys", "hw:controls")
_RELATION_OF = {"generate": 1, "revise": 2, "document": 3, "cite": 4, "deploy": 5, "control": 6}
_BEGIN = 1_704_067_200.0


@dataclass(slots=True)
class Landscape:
    """Things with their kinds and times, and links by record; `root` is the data set that most rests on."""

    kind: list[str]
    kinds: NDArray[np.int8]
    start: NDArray[np.float64]
    thing_record: NDArray[np.int32]
    links: dict[str, Array]
    records: int
    root: int

    @property
    def size(self) -> int:
        return len(self.kinds)

    def name(self, number: int) -> str:
        """The IRI of a thing."""
        return f"https://bench.example/id/{self.kind[self.kinds[number]]}/thing-{number:08d}"

    def fill(self) -> LineageIndex:
        """An index of it, filled at once."""
        words = [self.kind[kind] for kind in self.kinds.tolist()]
        iris = [f"https://bench.example/id/{word}/thing-{number:08d}" for number, word in enumerate(words)]
        records = [f"https://bench.example/id/record/{number:08d}" for number in range(self.records)]
        order = np.argsort(self.thing_record, kind="stable")
        nodes: dict[str, Array] = {
            "node": order,
            "kind": self.kinds[order],
            "pinned": np.ones(self.size, bool),
            "start": self.start[order],
            "end": self.start[order] + 60,
            "record": self.thing_record[order],
        }
        index = LineageIndex()
        index.fill(records, "public", {"iris": iris, "relations": RELATIONS}, self.links, nodes)
        return index


class _Drawing:
    def __init__(self, records: int, seed: int) -> None:
        self.words = vocabulary()
        self.role_of = {role.name: position for position, role in enumerate(self.words.roles)}
        self.kind_names = [kind.name for kind in self.words.kinds]
        self.dice = np.random.default_rng(seed)
        self.records = records
        self.parts: list[tuple[Array, Array, Array, str]] = []

    def link(self, earlier: Array, later: Array, record: Array, role: str) -> None:
        self.parts.append((earlier, later, record, role))

    def done(self, kinds: Array, thing_record: Array, root: int) -> Landscape:
        record = np.concatenate([part[2] for part in self.parts]).astype(np.int32)
        order = np.argsort(record, kind="stable")
        sizes = [len(part[0]) for part in self.parts]
        role = np.repeat(np.array([self.role_of[part[3]] for part in self.parts], np.int8), sizes)
        relation = np.repeat(np.array([_RELATION_OF.get(part[3], 0) for part in self.parts], np.int16), sizes)
        evidence = np.where(self.dice.random(len(role)) < 0.05, self.words.evidence["expanded"], self.words.evidence["observed"])
        links: dict[str, Array] = {
            "earlier": np.concatenate([part[0] for part in self.parts]).astype(np.int32)[order],
            "later": np.concatenate([part[1] for part in self.parts]).astype(np.int32)[order],
            "relation": relation[order],
            "role": role[order],
            "evidence": evidence.astype(np.int8)[order],
            "slice": np.zeros(len(role), np.int32),
            "record": record[order],
        }
        start = _BEGIN + thing_record * 60.0
        return Landscape(self.kind_names, kinds.astype(np.int8), start, thing_record.astype(np.int32), links, self.records, root)


def wide(links: int, seed: int = 1) -> Landscape:
    """About so many links (within one in twenty).

    >>> world = wide(20_000)
    >>> 0.9 < len(world.links["role"]) / 20_000 < 1.1
    True
    """
    count = round(links / 4.96)
    drawing = _Drawing(count + 1, seed)
    dice, kind_of = drawing.dice, {name: number for number, name in enumerate(drawing.kind_names)}
    projects = max(2, round(count**0.5 / 3))
    founders = [("software", 5), ("environment", 3), ("instrument", projects), ("dataset", projects)]
    first_kinds = np.concatenate([np.full(many, kind_of[name]) for name, many in founders])
    data_0 = len(first_kinds) - projects
    # What each record tells: 0 training, 1 preparation, 2 evaluation, 3 prediction, 4 paper, 5 deployment.
    tells = dice.choice(6, count, p=[0.62, 0.12, 0.12, 0.08, 0.045, 0.015])
    makes = np.isin(tells, (0, 1, 3)) & (dice.random(count) < 0.95)
    main = len(first_kinds) + np.arange(count) + np.concatenate(([0], np.cumsum(makes)[:-1]))
    record = np.arange(1, count + 1)
    size = len(first_kinds) + count + int(makes.sum())
    kinds = np.empty(size, np.int8)
    kinds[: len(first_kinds)] = first_kinds
    kinds[main] = np.array([kind_of[name] for name in ("run", "run", "run", "run", "publication", "deployment")])[tells]
    kinds[main[makes] + 1] = np.where(tells[makes] == 0, kind_of["model"], kind_of["dataset"])
    thing_record = np.zeros(size, np.int32)
    thing_record[main] = record
    thing_record[main[makes] + 1] = record[makes]

    def before(nodes: Array, at: Array) -> Array:
        """For each record one of `nodes` that was there: four in ten times an early one, which all know, else a late one."""
        known = np.searchsorted(nodes, main[at])
        share = dice.random(len(at))
        early = dice.random(len(at)) < 0.4
        place = np.where(early, known * share**6, known * (1 - share**6 * 0.05))
        return nodes[np.minimum(place.astype(np.int64), np.maximum(known - 1, 0))]

    data = np.concatenate((np.arange(data_0, data_0 + projects), main[makes & (tells != 0)] + 1))
    models = main[makes & (tells == 0)] + 1
    everyone = np.flatnonzero(tells < 4)
    later = main[everyone]
    drawing.link(dice.integers(0, 5, len(everyone)), later, record[everyone], "execute")
    drawing.link(dice.integers(5, 8, len(everyone)), later, record[everyone], "configure")
    for kind, role in ((0, "train"), (0, "test"), (1, "preprocess"), (2, "test"), (3, "predict"), (4, "cite")):
        at = np.flatnonzero(tells == kind)
        drawing.link(before(data, at), main[at], record[at], role)
    ready = np.arange(count) > np.searchsorted(main, models[0]) if len(models) else np.zeros(count, bool)
    tuned = dice.random(count) < 0.2
    for kind, role in ((0, "finetune"), (2, "predict"), (3, "predict"), (4, "document"), (4, "document"), (5, "deploy")):
        at = np.flatnonzero((tells == kind) & ready & (tuned | (kind != 0)))
        drawing.link(before(models, at), main[at], record[at], role)
    at = np.flatnonzero(makes)
    drawing.link(main[at], main[at] + 1, record[at], "generate")
    at = np.flatnonzero(makes & (tells == 1) & (dice.random(count) < 0.3))
    drawing.link(before(data, at), main[at] + 1, record[at], "revise")
    instruments = np.arange(8, 8 + projects)
    at = np.flatnonzero((tells == 1) & (dice.random(count) < 0.1))
    drawing.link(dice.choice(instruments, len(at)), main[at], record[at], "calibrate")
    at = np.flatnonzero((tells == 5) & ready & (dice.random(count) < 0.01))
    drawing.link(before(models, at), dice.choice(instruments, len(at)), record[at], "control")
    return drawing.done(kinds, thing_record, data_0)


def deep(links: int, steps: int = 1_000, seed: int = 1) -> Landscape:
    """About so many links in chains of so many steps from one data set, each run of which uses one of five programs as well.

    >>> world = deep(20_000)
    >>> len(world.links["role"])
    20000
    """
    runs = steps // 2
    chains = max(1, round(links / (3 * runs)))
    drawing = _Drawing(chains * runs + 1, seed)
    kind_of = {name: number for number, name in enumerate(drawing.kind_names)}
    number = np.arange(chains * runs)
    run, made = 6 + 2 * number, 7 + 2 * number
    used = np.where(number % runs == 0, 0, made - 2)
    kinds = np.full(6 + 2 * len(number), kind_of["dataset"], np.int8)
    kinds[1:6] = kind_of["software"]
    kinds[run] = kind_of["run"]
    thing_record = np.zeros(len(kinds), np.int32)
    thing_record[run] = thing_record[made] = number + 1
    drawing.link(used, run, number + 1, "preprocess")
    drawing.link(1 + number % 5, run, number + 1, "execute")
    drawing.link(run, made, number + 1, "generate")
    short = links - 3 * len(number)
    if short > 0:
        drawing.link(np.zeros(short, np.int64), run[:short], number[:short] + 1, "label")
    return drawing.done(kinds, thing_record, 0)
