"""Pages and answers over HTTP from a real server process on loopback: a bounded number of requests, one after the other."""

from __future__ import annotations

import contextlib
import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.measure import percentile
from bench.servers import free_port

PATIENCE_S = 60


@contextlib.contextmanager
def serving(data: Path) -> Iterator[int]:
    """A server on `data`, up and answering; gives its port, and ends it afterwards."""
    port = free_port()
    command = [sys.executable, "-m", "headwater", "serve", "--port", str(port), "--data", str(data)]
    log = data.parent / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        try:
            until = time.monotonic() + PATIENCE_S
            while not alive(port):
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"the server did not come up:\n{log.read_text()}")
                time.sleep(0.1)
            yield port
        finally:
            process.terminate()
            process.wait(timeout=30)


def alive(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def request_times(port: int, paths: list[str], accept: str) -> dict[str, float]:
    """Ask for each path once over one connection; the spread of the times in seconds. An answer other than 200 is an error."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    times, size = [], 0
    for path in paths:
        began = time.perf_counter()
        connection.request("GET", path, headers={"Accept": accept})
        answer = connection.getresponse()
        body = answer.read()
        times.append(time.perf_counter() - began)
        size += len(body)
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {body[:300].decode('utf-8', 'replace')}")
    connection.close()
    return {
        "requests": len(times),
        "p50": percentile(times, 0.5),
        "p95": percentile(times, 0.95),
        "max": max(times),
        "bytes": size / len(times),
    }
