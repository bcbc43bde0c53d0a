"""Turns what `bench.endpoints` and `bench.heavy` have kept into tables in Markdown: `python -m bench.endpoint_tables FILE...`."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

CELLS = ("uncached 1", "uncached 16", "cached 1", "cached 16")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, its first column to the left and the others to the right.

    >>> print(table(["server", "p50"], [["ours", "1 ms"]]))
    | server | p50 |
    | --- | ---: |
    | ours | 1 ms |
    """
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def endpoints(figures: Mapping[str, Any]) -> str:
    """For each family of queries, each server: answers a second, then 50th / 95th percentile, and failures."""
    pieces: list[str] = []
    servers = figures["servers"]
    for family in ("look-ups", "questions", "features"):
        if not any(family in server for server in servers):
            continue
        rows = []
        for server in servers:
            cells = server.get(family, {})
            shown = [cell(cells[name]) if name in cells else "not run" for name in CELLS]
            cold = [row["cold_s"] for row in server.get(f"cold {family}", {}).values()]
            wrong = len(cells.get("failed templates", {}))
            first = f"{1000 * statistics.median(cold):.1f} ms" if cold else "not run"
            rows.append([f"{server['server']} {server.get('version', '')}".strip(), first, *shown, str(wrong)])
        columns = [f"{name.split()[0]}, {name.split()[1]} client{'' if name.endswith(' 1') else 's'}" for name in CELLS]
        head = [family, "cold, median", *columns, "failed texts"]
        pieces.append(table(head, rows))
    return "\n\n".join(pieces)


def cell(figures: Mapping[str, Any]) -> str:
    """One closed loop in a cell.

    >>> cell({"answers": 10, "per_s": 1234.5, "p50": 0.0012, "p95": 0.25, "failed": 2})
    '1,234/s; 1.2 / 250 ms; 2 failed'
    """
    if not figures["answers"]:
        return f"none; {figures['failed']} failed"
    rate = f"{figures['per_s']:,.0f}/s" if figures["per_s"] >= 10 else f"{figures['per_s']:.1f}/s"
    failed = f"; {figures['failed']} failed" if figures["failed"] else ""
    return f"{rate}; {milliseconds(figures['p50'])} / {milliseconds(figures['p95'])} ms{failed}"


def milliseconds(seconds: float) -> str:
    """To two figures where there are few.

    >>> milliseconds(0.000071), milliseconds(0.0012), milliseconds(1.5)
    ('0.07', '1.2', '1,500')
    """
    value = 1000 * seconds
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def heavy(figures: Mapping[str, Any]) -> str:
    """The others' 95th percentile alone and beside a heavy query."""
    rows = []
    for server in figures.get("heavy", []):
        for name, row in server.items():
            if isinstance(row, dict) and "alone" in row:
                alone, loaded = row["alone"], row["beside"]
                ratio = f"{row['p95 ratio']:.1f} x" if "p95 ratio" in row else "none answered"
                spread = [milliseconds(part["p95"]) if "p95" in part else "none" for part in (alone, loaded)]
                rows.append([server["server"], name, *spread, ratio, str(loaded["failed"])])
    return table(["server", "heavy query, clients", "p95 alone, ms", "p95 beside, ms", "ratio", "failed"], rows)


def main() -> int:
    """Print the tables of each file."""
    for name in sys.argv[1:]:
        figures = json.loads(Path(name).read_text())
        print(f"## {Path(name).stem}: {figures['size']:,} statements\n")
        print(endpoints(figures) if "servers" in figures else heavy(figures), "\n")
        for row in [*figures.get("isolation", []), *figures.get("impact", [])]:
            what = row.get("what") or f"{row['family']}, {row['way']}"
            print(f"- {what}: p50 {milliseconds(row['p50'])} ms, p95 {milliseconds(row['p95'])} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
