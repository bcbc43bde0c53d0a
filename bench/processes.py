"""What a service and its processes hold at a moment, as Linux tells it: memory, open files, threads, and room on the disk."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def children(pid: int) -> list[tuple[int, str]]:
    """The processes that were started by `pid`, or by one of these, each with its command line."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError, IndexError):
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                parents.setdefault(parent, []).append(int(folder.name))
    found, waiting = [], [pid]
    while waiting:
        for child in parents.get(waiting.pop(), []):
            waiting.append(child)
            with suppress(OSError):
                found.append((child, (Path("/proc") / str(child) / "cmdline").read_bytes().replace(b"\0", b" ").decode()))
    return found


def measures(pid: int) -> dict[str, float]:
    """Of the process and all that it started: `memory_mib` (pages that several share are counted once), `rss_mib` of all and
    `service_mib` of the process alone, open `files`, `threads`, and how many `processes` there are.
    """
    found = {"memory_mib": 0.0, "rss_mib": 0.0, "service_mib": 0.0, "files": 0.0, "threads": 0.0, "processes": 0.0}
    for one in (pid, *(child for child, _ in children(pid))):
        folder = Path("/proc") / str(one)
        # It may end while it is looked at.
        with suppress(OSError):
            rolled = {line.split()[0]: line.split()[1] for line in (folder / "smaps_rollup").read_text().splitlines()[1:]}
            status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
            rss = int(rolled["Rss:"]) / 1024
            found["files"] += len(os.listdir(folder / "fd"))  # noqa: PTH208
            found["threads"] += int(status["Threads"])
            found["memory_mib"] += int(rolled["Pss:"]) / 1024
            found["rss_mib"] += rss
            found["service_mib"] += rss if one == pid else 0.0
            found["processes"] += 1
    return {name: round(value, 2) for name, value in found.items()}


def size_of(data: Path) -> dict[str, float]:
    """MiB of a data folder's parts; `snapshots_mib` are mostly the same files as the store's."""
    found = {"ledger_mib": 0, "store_mib": 0, "index_mib": 0, "snapshots_mib": 0, "logs_mib": 0}
    for folder, _, files in os.walk(data):
        part = Path(folder).relative_to(data).parts
        for name in files:
            what = f"{part[0] if part else 'ledger' if name.startswith('ledger') else 'other'}_mib"
            with suppress(OSError):
                found[what] = found.get(what, 0) + (Path(folder) / name).stat().st_size
    return {what: round(size / 2**20, 2) for what, size in found.items()}
