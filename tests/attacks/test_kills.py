"""Any process may be killed at any time: nothing accepted is lost, nothing is there by half, and the service is well again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from headwater.app import Headwater
from headwater.settings import Settings
from tests.attacks.conftest import SOURCE, Service

pytestmark = pytest.mark.server
HW = "https://w3id.org/headwater/terms#"


def _killed(tmp_path: Path, *arguments: str) -> str:
    """What the program that kills a writer again and again says; it fails where something was amiss."""
    root = SOURCE.parent
    ended = subprocess.run(
        [sys.executable, "-m", "tests.attacks.killed", str(tmp_path / "data"), *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(SOURCE), str(root)])},
        cwd=root,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-1000:]
    return ended.stdout


def test_a_writer_that_is_killed_loses_nothing_that_was_accepted(tmp_path: Path) -> None:
    assert " 0 faults" in _killed(tmp_path, "--rounds", "6", "--seed", "7")


@pytest.mark.attacks
def test_a_writer_that_is_killed_sixty_times_loses_nothing_that_was_accepted(tmp_path: Path) -> None:
    said = _killed(tmp_path, "--rounds", "60", "--seed", "8")
    assert int(said.split(" kills, ")[1].split(" ")[0]) > 60


@pytest.mark.attacks
def test_a_writer_that_is_killed_before_and_after_each_step_of_a_write_loses_nothing_that_was_accepted(tmp_path: Path) -> None:
    assert " 0 faults" in _killed(tmp_path, "--at", "all")


def _put(service: Service, number: int) -> bool:
    body = f'<urn:w:{number}> a <{HW}Dataset> ; <http://www.w3.org/2000/01/rdf-schema#label> "{number}" .'
    url = f"{service.url}/sparql/store?graph=urn:w:graph:{number}"
    return httpx.put(url, content=body, headers={"Content-Type": "text/turtle"}, timeout=30).status_code in (201, 204)


def test_a_service_that_is_killed_while_it_makes_snapshots_is_whole_again_and_leaves_none(own: Service) -> None:
    accepted: list[int] = []
    for round_ in range(2):
        done = threading.Event()

        def works(first: int, done: threading.Event = done) -> None:
            number = first
            # Each query after a write needs a new snapshot.
            with suppress(httpx.HTTPError):
                while not done.is_set():
                    number += 1
                    if _put(own, number):
                        accepted.append(number)
                    own.ask(f"ASK {{ <urn:w:{number}> ?p ?o }}")

        threads = [threading.Thread(target=works, args=((2 * round_ + n) * 10_000,)) for n in range(2)]
        for thread in threads:
            thread.start()
        time.sleep(2 + round_ / 7)
        orphans = own.workers()
        own.kill()
        done.set()
        for thread in threads:
            thread.join()
        began = time.monotonic()
        while any(Path(f"/proc/{pid}").exists() for pid in orphans):
            assert time.monotonic() - began < 10, "readers of a killed service live on"
            time.sleep(0.1)
        own.start()
        answer = own.ask(f"SELECT ?s {{ ?s a <{HW}Dataset> }}", Accept="text/csv")
        assert {f"urn:w:{number}" for number in accepted} <= set(answer.text.split()[1:])
        assert len(list((own.data / "snapshots").iterdir())) == 1
    own.stop()
    with Headwater.open(Settings(data=own.data, audits="manual")) as headwater:
        assert headwater.verify() == []
    assert len(accepted) > 3


def test_an_audit_whose_process_is_killed_is_an_error_of_that_audit_alone(own: Service) -> None:
    assert _put(own, 1)
    body = "".join(f"<urn:a:{n}> a <{HW}Run> ; <http://www.w3.org/ns/prov#used> <urn:a:{n // 2}> .\n" for n in range(4000))
    url = f"{own.url}/sparql/store?graph=urn:a:graph"
    assert httpx.put(url, content=body, headers={"Content-Type": "text/turtle"}, timeout=60).status_code == 201
    assert httpx.post(f"{own.url}/api/v1/audits", timeout=10).status_code == 202
    until = time.monotonic() + 30
    while not (auditors := own.processes("-P -c")):
        assert time.monotonic() < until
        time.sleep(0.02)
    for pid in auditors:
        os.kill(pid, signal.SIGKILL)
    while (status := httpx.get(f"{own.url}/api/v1/audits", timeout=10).json())["state"] != "idle":
        assert time.monotonic() < until, status
        time.sleep(0.1)
    assert status["failure"] is not None
    assert status["due"]
    own.alive()
    assert not list(own.data.glob("audit-*"))
    assert httpx.post(f"{own.url}/api/v1/audits", timeout=10).status_code == 202
    while (status := httpx.get(f"{own.url}/api/v1/audits", timeout=10).json())["state"] != "idle" or status["due"]:
        assert time.monotonic() < until + 60, status
        time.sleep(0.1)
    assert status["failure"] is None
