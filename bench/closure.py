"""Everything downstream of one thing, three ways on the same links: impact, a SPARQL property path, a bare SciPy search."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order

from bench.measure import Timing, timed
from bench.world import World
from bench.write_rdf import iri

if TYPE_CHECKING:
    from headwater.access import Reader
    from headwater.app import Headwater

PATH_QUERY = """
PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX hw: <https://w3id.org/headwater/terms#>
SELECT (COUNT(DISTINCT ?x) AS ?count) WHERE {
  <ROOT> (^prov:used|^prov:wasGeneratedBy|^prov:wasRevisionOf|^hw:documents|^hw:cites|^hw:deploys|hw:controls)+ ?x
}
"""


def downstream(world: World) -> csr_array:
    """The links of a world as a matrix whose rows lead downstream."""
    links = list(world.links())
    size = len(world.things)
    sources = np.fromiter((link.source for link in links), dtype=np.int32, count=len(links))
    targets = np.fromiter((link.target for link in links), dtype=np.int32, count=len(links))
    return csr_array((np.ones(len(links), dtype=np.int8), (targets, sources)), shape=(size, size))


def furthest_data(world: World, matrix: csr_array, candidates: int = 50) -> tuple[int, int]:
    """The data set with the most things downstream, of those used most; its number, and how many things."""
    uses = Counter(number for run in world.runs for number, _ in run.uses if world.things[number].kind == "dataset")
    reached = {number: len(breadth_first_order(matrix, number)[0]) - 1 for number, _ in uses.most_common(candidates)}
    best = max(reached, key=lambda number: (reached[number], -number))
    return best, reached[best]


def bare_search(matrix: csr_array, root: int, repeat: int) -> Timing:
    """SciPy's breadth-first search alone; returns how many things it reached."""
    return timed(lambda: len(breadth_first_order(matrix, root, return_predecessors=False)) - 1, repeat)


def by_path(app: Headwater, reader: Reader, root: str, repeat: int) -> Timing:
    """The same closure as a SPARQL property path over Headwater's own store."""
    text = PATH_QUERY.replace("ROOT", root)

    def ask() -> int:
        body, _ = app.query(text, reader, "text/csv")
        return int(body.decode().split()[-1])

    return timed(ask, repeat)


def by_impact(app: Headwater, reader: Reader, root: str, repeat: int, max_nodes: int = 1) -> Timing:
    """Full closure with a verdict for each thing. Summary and verdicts count all, however few nodes are written out."""
    return timed(lambda: app.impact(root, reader, change="labels-corrected", max_nodes=max_nodes), repeat)


def name_of(world: World, number: int) -> str:
    """A thing's IRI."""
    return iri(world.things[number])[1:-1]
