"""A service as a process of its own, for tests that try to harm it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

SOURCE = Path(__file__).resolve().parents[2] / "service"
_LIMITS = {
    "QUERY_TIMEOUT_S": "2",
    "QUERY_MEMORY_MB": "256",
    "REQUEST_TIMEOUT_S": "2",
    "AUDITS": "manual",
    "MAX_UPLOAD_MB": "8",
}


class Service:
    """`headwater serve` on a data folder; it can be killed and started again."""

    def __init__(self, data: Path, **limits: str) -> None:
        self.data = data
        self.limits = {**_LIMITS, **limits}
        self.log_path = data.parent / "service.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> float:
        """Start it; returns the seconds until it was ready."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        paths = os.pathsep.join(filter(None, [str(SOURCE), os.environ.get("PYTHONPATH", "")]))
        began = time.monotonic()
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "headwater", "serve", "--port", str(self.port), "--data", str(self.data)],
                env={**os.environ, **{f"HEADWATER_{name}": value for name, value in self.limits.items()}, "PYTHONPATH": paths},
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        self.healthy(60)
        return time.monotonic() - began

    def healthy(self, seconds: float) -> None:
        """Wait until it says that it is ready. Fails after `seconds`."""
        until = time.monotonic() + seconds
        said = ""
        while time.monotonic() < until:
            assert self.process is not None
            assert self.process.poll() is None, self.log[-2000:]
            try:
                answer = httpx.get(f"{self.url}/health/ready", timeout=5)
                if answer.status_code == 200:
                    return
                said = answer.text
            except httpx.HTTPError as error:
                said = repr(error)
            time.sleep(0.1)
        pytest.fail(f"not ready after {seconds} seconds: {said}")

    def ask(self, text: str, seconds: float = 30, **headers: str) -> httpx.Response:
        """Ask a query."""
        return httpx.post(f"{self.url}/sparql", data={"query": text}, headers=headers, timeout=seconds)

    def alive(self, seconds: float = 15) -> None:
        """It still answers everybody: a query, a question about lineage, and its health."""
        assert self.ask("ASK {}", seconds).json()["boolean"] is True
        assert httpx.get(f"{self.url}/api/v1/objects", timeout=seconds).status_code == 200
        self.healthy(seconds)

    @property
    def log(self) -> str:
        """What it wrote to its log."""
        return self.log_path.read_text(errors="replace")

    def processes(self, word: str) -> list[int]:
        """The processes that it started and whose command line has the word."""
        found = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
        rows = [line.split(None, 2) for line in found.splitlines()[1:]]
        return [int(pid) for pid, parent, args in rows if int(parent) == self.pid and word in args]

    def workers(self) -> list[int]:
        """The processes that answer queries."""
        return self.processes("sandbox.worker")

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Ask it to end."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for all attacks that leave it standing: it has to stand them one after the other."""
    served = Service(tmp_path_factory.mktemp("service") / "data")
    served.start()
    body = "".join(f"<urn:t:s{n}> <urn:t:p> <urn:t:s{n // 2}> .\n" for n in range(1500))
    answer = httpx.put(
        f"{served.url}/sparql/store?graph=urn:t:graph", content=body, headers={"Content-Type": "text/turtle"}, timeout=60
    )
    assert answer.status_code in (200, 201, 204), answer.text
    try:
        yield served
    finally:
        served.stop()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Service]:
    """A service that a test may kill."""
    served = Service(tmp_path / "data")
    served.start()
    try:
        yield served
    finally:
        served.stop()
