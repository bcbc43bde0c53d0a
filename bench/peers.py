"""Everything downstream of one thing as other engines find it, on the same links: run by any Python that has them.

`python bench/peers.py links.npz [--with-mlmd]` prints one line of JSON for each engine. Needs NumPy and nothing of Headwater;
DuckDB and ml-metadata are measured where they can be imported, SQLite comes with Python.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import sqlite3
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

CLOSURE = """
WITH RECURSIVE reached(thing) AS (
  SELECT {root} UNION SELECT link.later FROM reached JOIN link ON link.earlier = reached.thing
) SELECT count(*) - 1 FROM reached
"""


def timed(action: Callable[[], int], repeat: int) -> tuple[int, float]:
    """What `action` gives, and the median of its times; not repeated where it takes long."""
    seconds: list[float] = []
    result = 0
    while len(seconds) < repeat and sum(seconds) < 20:
        began = time.perf_counter()
        result = action()
        seconds.append(time.perf_counter() - began)
    return result, sorted(seconds)[len(seconds) // 2]


def by_sqlite(earlier: Any, later: Any, root: int, repeat: int) -> dict[str, Any]:
    """A recursive common-table expression over an indexed table in memory."""
    began = time.perf_counter()
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE link (earlier INTEGER, later INTEGER)")
    database.executemany("INSERT INTO link VALUES (?, ?)", zip(earlier.tolist(), later.tolist(), strict=True))
    database.execute("CREATE INDEX link_by_earlier ON link (earlier, later)")
    filled = time.perf_counter() - began
    text = CLOSURE.format(root=int(root))
    things, seconds = timed(lambda: int(database.execute(text).fetchone()[0]), repeat)
    return {"what": f"SQLite {sqlite3.sqlite_version}, recursive CTE", "things": things, "seconds": seconds, "filled": filled}


def by_duckdb(earlier: Any, later: Any, root: int, repeat: int) -> dict[str, Any]:
    """The same over a column store."""
    duckdb = importlib.import_module("duckdb")
    began = time.perf_counter()
    database = duckdb.connect()
    database.register("given", {"earlier": earlier, "later": later})
    database.execute("CREATE TABLE link AS SELECT * FROM given")
    filled = time.perf_counter() - began
    text = CLOSURE.format(root=int(root))
    things, seconds = timed(lambda: int(database.execute(text).fetchone()[0]), repeat)
    return {"what": f"DuckDB {duckdb.__version__}, recursive CTE", "things": things, "seconds": seconds, "filled": filled}


def by_mlmd(earlier: Any, later: Any, runs: Any, root: int) -> dict[str, Any]:
    """ml-metadata's lineage sub-graph, from an SQLite database in memory. Links between two things get a run of their own."""
    ml_metadata = importlib.import_module("ml_metadata")
    metadata_store = importlib.import_module("ml_metadata.metadata_store.metadata_store")
    pb = importlib.import_module("ml_metadata.proto.metadata_store_pb2")
    config = pb.ConnectionConfig()
    config.fake_database.SetInParent()
    began = time.perf_counter()
    store = metadata_store.MetadataStore(config)
    thing_type = store.put_artifact_type(pb.ArtifactType(name="thing"))
    run_type = store.put_execution_type(pb.ExecutionType(name="run"))
    size = int(max(earlier.max(), later.max())) + 1
    is_run = np.zeros(size, bool)
    is_run[runs] = True
    known = np.zeros(size, np.int64)
    for first in range(0, size, 10_000):
        some = np.arange(first, min(first + 10_000, size))
        things, executions = some[~is_run[some]], some[is_run[some]]
        known[things] = store.put_artifacts([pb.Artifact(type_id=thing_type) for _ in things]) if len(things) else []
        known[executions] = store.put_executions([pb.Execution(type_id=run_type) for _ in executions]) if len(executions) else []
    between = np.flatnonzero(~is_run[earlier] & ~is_run[later])
    steps = dict(zip(between.tolist(), store.put_executions([pb.Execution(type_id=run_type) for _ in between]), strict=True))
    events = []
    for number, (one, other) in enumerate(zip(earlier.tolist(), later.tolist(), strict=True)):
        if is_run[one] and is_run[other]:
            continue
        run = steps.get(number) or int(known[one] if is_run[one] else known[other])
        if not is_run[one]:
            events.append(pb.Event(artifact_id=int(known[one]), execution_id=run, type=pb.Event.INPUT))
        if not is_run[other]:
            events.append(pb.Event(artifact_id=int(known[other]), execution_id=run, type=pb.Event.OUTPUT))
    unique = {(event.artifact_id, event.execution_id, event.type): event for event in events}
    events = list(unique.values())
    for first in range(0, len(events), 10_000):
        store.put_events(events[first : first + 10_000])
    filled = time.perf_counter() - began
    options = pb.LineageSubgraphQueryOptions(
        starting_artifacts=pb.LineageSubgraphQueryOptions.StartingNodes(filter_query=f"id = {int(known[root])}"),
        max_num_hops=100,
        direction=pb.LineageSubgraphQueryOptions.DOWNSTREAM,
    )

    def ask() -> int:
        found = store.get_lineage_subgraph(options, ["artifacts", "executions"])
        return len(found.artifacts) + len(found.executions) - 1

    reached, seconds = timed(ask, 3)
    return {"what": f"ml-metadata {ml_metadata.__version__}, sub-graph", "things": reached, "seconds": seconds, "filled": filled}


def main() -> int:
    """Measure what can be imported."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("links", help="an .npz with earlier, later, runs, root")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--with-mlmd", action="store_true", help="ml-metadata as well (it takes long to fill)")
    chosen = parser.parse_args()
    with np.load(chosen.links) as held:
        earlier, later, runs, root = (held[name] for name in ("earlier", "later", "runs", "root"))
    given = earlier, later, int(root), chosen.repeat
    print(json.dumps(by_sqlite(*given)), flush=True)
    with contextlib.suppress(ImportError):
        print(json.dumps(by_duckdb(*given)), flush=True)
    if chosen.with_mlmd:
        with contextlib.suppress(ImportError):
            print(json.dumps(by_mlmd(earlier, later, runs, int(root))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
