"""A saved index opened by a process that does nothing else: `python -m bench.index_opened FOLDER IRI` prints times and memory."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from headwater.lineage.index import LineageIndex
from headwater.lineage.verdict import Change, judge
from headwater.terms.vocabulary import vocabulary


def resident() -> float:
    """The memory in use, in MiB, pages of mapped files included; where Linux says it."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return float("nan")
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
    return int(lines["VmRSS"].split()[0]) / 1024


def main(folder: str, iri: str) -> int:
    """Open, ask for everything downstream, and then for a verdict on each."""
    vocabulary()
    told: dict[str, float] = {"before_mib": resident()}
    began = time.perf_counter()
    index = LineageIndex.load(Path(folder))
    if index is None:
        raise SystemExit(f"{folder} holds no index")
    graph = index.graph()
    root = graph.ids[iri]
    told |= {"open_s": time.perf_counter() - began, "opened_mib": resident()}
    began = time.perf_counter()
    things = len(graph.downstream([root]).nodes) - 1
    told |= {"downstream_s": time.perf_counter() - began, "downstream_mib": resident(), "things": things}
    began = time.perf_counter()
    judged = len(judge(graph, Change("labels-corrected", (root,))).nodes) - 1
    told |= {"verdicts_s": time.perf_counter() - began, "verdicts_mib": resident(), "judged": judged}
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
