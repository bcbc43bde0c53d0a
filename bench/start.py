"""How long `headwater serve` takes on a data folder until it answers: `python -m bench.start FOLDER... [--times 5]`.

Each start is a new process; the clock runs from before it exists. The first start after the machine's own is slower, because the
files come from the disk: it is told apart.
"""

from __future__ import annotations

import argparse
import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

from bench.measure import duration

_ASKED = (
    ("live", "/health/live"),
    ("ready", "/health/ready"),
    ("a page", "/"),
    ("SPARQL", "/sparql?query=" + quote("SELECT ?s { ?s a <https://w3id.org/headwater/terms#Model> } LIMIT 1")),
)


def main(arguments: list[str] | None = None) -> int:
    """Start and stop, and print a row for each folder."""
    parser = argparse.ArgumentParser(prog="python -m bench.start", description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+", help="data folders, made by 'headwater import'")
    parser.add_argument("--times", type=int, default=5, help="how many starts of each (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    print("folder | imports alone |", " | ".join(name for name, _ in _ASKED), "| processor until live")
    for folder in chosen.folders:
        started = [one_start(folder) for _ in range(chosen.times)]
        print(f"{folder} first:", *(duration(seconds) for seconds in started[0]), sep=" | ")
        print(f"{folder} median:", *(duration(statistics.median(column)) for column in zip(*started, strict=True)), sep=" | ")
    return 0


def one_start(folder: Path) -> tuple[float, ...]:
    """Seconds for imports alone; until each of `_ASKED` is answered, one after the other; and of processor until the first."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import headwater.cli.program, headwater.web.server"], check=True)
    imports = time.perf_counter() - began
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    spent = 0.0
    began = time.perf_counter()
    command = [sys.executable, "-m", "headwater", "serve", "--data", str(folder), "--port", str(port)]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=os.environ | {"HEADWATER_AUDITS": "manual"})
    try:
        times = []
        for _, path in _ASKED:
            while not _answers(port, path):
                if server.poll() is not None:
                    raise SystemExit(f"headwater serve ended with {server.returncode}")
                time.sleep(0.002)
            times.append(time.perf_counter() - began)
            spent = spent or _processor(server.pid)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
    return (imports, *times, spent)


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _processor(process: int) -> float:
    """Seconds of processor that a process has used so far, where Linux says it."""
    status = Path(f"/proc/{process}/stat")
    if not status.is_file():
        return float("nan")
    user, system = status.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
