"""The world at a time: which things were surely not there yet, and of which nobody knows.

A thing was surely not there yet at a moment when its own time is later; or when it states none and all that could have made it
(the runs that generated it; for a deployment also what it deploys) was surely not there. It surely was there when its own time
is not later; or when it states none and one of the runs that generated it was there and is not known to have gone on beyond the
moment. What is neither is there as far as anybody knows, and is marked as undated. What has ceased to be stays: what was made of
it stands.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headwater.lineage.csr import Adjacency, BoolArray, Int32Array
from headwater.lineage.graph import Rows
from headwater.terms.vocabulary import Vocabulary


def at_moment(rows: Rows, words: Vocabulary, as_of: float) -> Rows:
    """`rows` without the things that were surely not there yet at `as_of` (seconds since 1970) and without links to them."""
    size = len(rows.iris)
    node = rows.nodes["node"].astype(np.int32)
    start, end = np.full(size, np.nan), np.full(size, np.nan)
    np.fmin.at(start, node, rows.nodes["start"].astype(np.float64))
    np.fmax.at(end, node, rows.nodes["end"].astype(np.float64))
    maker, product, generated = _makings(rows, words, size)
    silent = np.isnan(start)
    absent = _absent(start > as_of, silent, maker, product, size)
    over = ~(end > as_of)
    tells = generated & over[maker] & silent[product]
    there = _spread(start <= as_of, maker[tells], product[tells], size)
    stands = ~absent[rows.links["earlier"].astype(np.int32)] & ~absent[rows.links["later"].astype(np.int32)]
    described = ~absent[node]
    return replace(
        rows,
        links={name: values[stands] for name, values in rows.links.items()},
        nodes={name: values[described] for name, values in rows.nodes.items()},
        undated=~there & ~absent,
    )


def _makings(rows: Rows, words: Vocabulary, size: int) -> tuple[Int32Array, Int32Array, BoolArray]:
    """The links that say what made a thing: its maker, the thing, and whether the maker generated it (or else is deployed)."""
    role_of = {role.name: position for position, role in enumerate(words.roles)}
    kind = np.full(size, np.iinfo(np.int32).max, np.int32)
    np.minimum.at(kind, rows.nodes["node"].astype(np.int32), rows.nodes["kind"].astype(np.int32))
    deployment = next((position for position, known in enumerate(words.kinds) if known.name == "deployment"), -1)
    role, earlier, later = (rows.links[name].astype(np.int32) for name in ("role", "earlier", "later"))
    generated = role == role_of["generate"]
    making = (generated | ((role == role_of["deploy"]) & (kind[later] == deployment))) & (earlier != later)
    return earlier[making], later[making], generated[making]


def _absent(late: BoolArray, silent: BoolArray, maker: Int32Array, product: Int32Array, size: int) -> BoolArray:
    """Proven step by step from what states a later time, so that things which only make each other stay."""
    absent = late.copy()
    asked = silent[product]
    maker, product = maker[asked], product[asked]
    makes = Adjacency(maker, size)
    open_makers = np.bincount(product, minlength=size)
    fresh = np.flatnonzero(absent).astype(np.int32)
    while len(fresh):
        gone, count = np.unique(product[makes.edges_of(fresh)], return_counts=True)
        open_makers[gone] -= count
        fresh = gone[open_makers[gone] == 0].astype(np.int32)
        absent[fresh] = True
    return absent


def _spread(seeds: BoolArray, sources: Int32Array, targets: Int32Array, size: int) -> BoolArray:
    """What can be reached from `seeds`, these with it."""
    reached: NDArray[np.bool_] = seeds.copy()
    leads = Adjacency(sources, size)
    fresh = np.flatnonzero(reached).astype(np.int32)
    while len(fresh):
        met = np.unique(targets[leads.edges_of(fresh)])
        fresh = met[~reached[met]]
        reached[fresh] = True
    return reached
