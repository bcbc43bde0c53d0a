"""Headwaters that share one ledger, each a process of its own: a writer, readers, a standby; they can be killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.postgres import Postgres

SOURCE = Path(__file__).resolve().parents[2] / "service"
TURTLE = {"Content-Type": "text/turtle"}


_PATHS = ("/sparql?query=ASK%20%7B%7D", "/api/v1/objects", "/api/v1/lineage?id=urn:thing:0&direction=both")


class Process:
    """`headwater serve` in one role, with a data folder of its own."""

    def __init__(self, name: str, folder: Path, ledger: str, role: str, **settings: str) -> None:
        self.name = name
        self.data = folder / name
        self.log = folder / f"{name}.log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = {"LEDGER": ledger, "ROLE": role, "AUDITS": "manual", "MIN_FREE_MB": "0"} | settings
        self.process: subprocess.Popen[bytes] | None = None
        # No proxy of the environment stands between a test and its own processes.
        self.client = httpx.Client(base_url=self.url, timeout=20, trust_env=False)

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join(filter(None, [str(SOURCE), os.environ.get("PYTHONPATH", "")]))
        return {**os.environ, **{f"HEADWATER_{name}": value for name, value in self.settings.items()}, "PYTHONPATH": path}

    def start(self, *, wait: bool = True) -> Process:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "headwater", "serve", "--port", str(self.port), "--data", str(self.data)],
                env=self.environment,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        if wait:
            self.ready()
        return self

    def ready(self, seconds: float = 60) -> None:
        self.until(lambda: self.client.get("/health/ready").status_code == 200, seconds)

    def until(self, true: Callable[[], bool], seconds: float = 30) -> float:
        """Wait until something holds; the seconds that it took. Fails after `seconds`, or when the process has ended."""
        began = time.monotonic()
        while time.monotonic() < began + seconds:
            assert self.process is not None
            assert self.process.poll() is None, f"{self.name} ended: {self.said()}"
            with suppress(httpx.HTTPError):
                if true():
                    return time.monotonic() - began
            time.sleep(0.02)
        pytest.fail(f"{self.name}: not so after {seconds} seconds; {self.said()}")

    def said(self) -> str:
        return self.log.read_text()[-3000:] if self.log.exists() else ""

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command of the program with these settings."""
        return subprocess.run(
            [sys.executable, "-m", "headwater", *arguments, "--data", str(self.data)],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def put(self, name: str, text: str) -> httpx.Response:
        """Write a graph."""
        return self.client.put("/sparql/store", params={"graph": f"urn:graph:{name}"}, content=text, headers=TURTLE)

    def values(self, **headers: str) -> set[str]:
        """The values of `urn:p` in everything that is here."""
        answer = self.client.post("/sparql", data={"query": "SELECT ?o { ?s <urn:p> ?o }"}, headers=headers)
        answer.raise_for_status()
        return {row["o"]["value"] for row in answer.json()["results"]["bindings"]}

    def duty(self) -> dict[str, Any]:
        found = self.client.get("/health/ready").json()["duty"]
        assert isinstance(found, dict)
        return found

    def sequence(self) -> int:
        return int(self.client.get("/api/v1/objects").headers["Headwater-Sequence"])

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


class Asking:
    """Somebody who asks processes without a pause, and notes each answer that is none."""

    def __init__(self, *asked: Process) -> None:
        self._asked = asked
        self._stop = threading.Event()
        self.failures: list[str] = []
        self.answers = 0
        self.slowest = 0.0
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Asking:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        with httpx.Client(timeout=20, trust_env=False) as client:
            while not self._stop.is_set():
                for process in self._asked:
                    for path in (
                        "/sparql?query=ASK%20%7B%7D",
                        "/api/v1/objects",
                        "/api/v1/lineage?id=urn:thing:0&direction=both",
                    ):
                        began = time.monotonic()
                        try:
                            answer = client.get(process.url + path)
                        except httpx.HTTPError as error:
                            self.failures.append(f"{process.name} {path}: {error!r}")
                            continue
                        self.answers += 1
                        self.slowest = max(self.slowest, time.monotonic() - began)
                        if answer.status_code != 200:
                            self.failures.append(f"{process.name} {path}: {answer.status_code} {answer.text[:300]}")
                time.sleep(0.02)


class Site:
    """Everything that serves one ledger."""

    def __init__(self, folder: Path, postgres: Postgres) -> None:
        self.folder = folder
        self.postgres = postgres
        self.ledger = postgres.database()
        self.processes: list[Process] = []

    def process(self, name: str, role: str, ledger: str | None = None, **settings: str) -> Process:
        made = Process(name, self.folder, ledger or self.ledger, role, **settings)
        self.processes.append(made)
        return made

    def same(self, *processes: Process) -> None:
        """Their answers are the same, and they are what the ledger says."""
        last = max(process.sequence() for process in processes)
        for process in processes:
            process.until(lambda process=process: process.sequence() >= last)  # type: ignore[misc]
        values = [process.values() for process in processes]
        assert all(found == values[0] for found in values)
        objects = [process.client.get("/api/v1/objects").json() for process in processes]
        assert all(found == objects[0] for found in objects)
        for process in processes:
            assert process.stop() == 0, process.said()
            verified = process.command("verify")
            assert verified.returncode == 0, verified.stdout + verified.stderr


@pytest.fixture
def site(tmp_path: Path, postgres: Postgres) -> Iterator[Site]:
    made = Site(tmp_path, postgres)
    try:
        yield made
    finally:
        for process in made.processes:
            with suppress(ProcessLookupError):
                if process.process is not None:
                    process.signal(signal.SIGCONT)
            process.kill()
            process.client.close()


def graph(number: int, of: int = 3) -> str:
    """A small document: a run that used a thing, with values by which it is found."""
    thing = f"<urn:thing:{number % of}>"
    return (
        "@prefix prov: <http://www.w3.org/ns/prov#> .\n"
        f"<urn:run:{number}> a prov:Activity ; prov:used {thing} . {thing} a prov:Entity ; <urn:p> 'v{number}' .\n"
    )
