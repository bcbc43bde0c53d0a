"""The service is killed, its disk fills up, its views are made anew under its hands: no accepted write is lost."""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
from pathlib import Path

import httpx
import pytest

from headwater.access.reader import ANONYMOUS
from headwater.app import Headwater
from headwater.app.querying import Told
from headwater.errors import Unavailable
from headwater.settings import Settings
from tests.attacks.conftest import Service

pytestmark = pytest.mark.server
HW = "https://w3id.org/headwater/terms#"
COUNT = f"SELECT (COUNT(*) AS ?n) {{ ?s a <{HW}Dataset> }}"


def _write(service: Service, name: str, seconds: float = 30) -> int:
    body = f'<urn:w:{name}> a <{HW}Dataset> ; <http://www.w3.org/2000/01/rdf-schema#label> "{name}" .'
    url = f"{service.url}/sparql/store?graph=urn:w:graph:{name}"
    return httpx.put(url, content=body, headers={"Content-Type": "text/turtle"}, timeout=seconds).status_code


def _there(service: Service) -> set[str]:
    answer = service.ask(f"SELECT ?s {{ ?s a <{HW}Dataset> }}", Accept="text/csv")
    assert answer.status_code == 200, answer.text
    return {line.removeprefix("urn:w:") for line in answer.text.split()[1:]}


def _writing(service: Service, accepted: list[str], word: str, done: threading.Event) -> None:
    number = 0
    while not done.is_set():
        name = f"{word}-{number}"
        try:
            if _write(service, name) in (200, 201, 204):
                accepted.append(name)
        except httpx.HTTPError:
            return
        number += 1


def test_a_service_that_is_killed_while_it_writes_loses_no_accepted_write(own: Service) -> None:
    accepted: list[str] = []
    for round_ in range(2):
        done = threading.Event()
        threads = [threading.Thread(target=_writing, args=(own, accepted, f"r{round_}t{n}", done)) for n in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(1.5 + round_ / 3)
        own.kill()
        done.set()
        for thread in threads:
            thread.join()
        own.start()
        assert set(accepted) <= _there(own)
    assert len(accepted) > 3
    assert _write(own, "afterwards") in (200, 201, 204)


def test_a_disk_that_takes_no_more_refuses_writes_serves_readers_and_recovers(own: Service) -> None:
    accepted = [name for name in ("a", "b") if _write(own, name) in (200, 201, 204)]
    assert accepted == ["a", "b"]
    # No file of the process may grow any more: what a full disk does to whoever writes, without filling one.
    resource.prlimit(own.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    statuses = []
    for number in range(4):
        name = f"full-{number}"
        statuses.append(_write(own, name))
        if statuses[-1] in (200, 201, 204):
            accepted.append(name)
    assert set(statuses) <= {200, 201, 204, 500, 503, 507}
    assert any(status >= 500 for status in statuses)
    assert httpx.get(f"{own.url}/health/live", timeout=10).status_code == 200
    assert httpx.get(f"{own.url}/api/v1/objects", timeout=10).status_code == 200
    resource.prlimit(own.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    until = time.monotonic() + 20
    while (status := _write(own, "recovered")) not in (200, 201, 204):
        assert time.monotonic() < until, status
        time.sleep(0.3)
    own.healthy(20)
    assert {*accepted, "recovered"} <= _there(own)
    own.kill()
    own.start()
    assert {*accepted, "recovered"} <= _there(own)


def test_queries_during_a_rebuild_see_everything_or_are_errors(tmp_path: Path) -> None:
    lines = "".join(f"<urn:w:{n}> a <{HW}Dataset> .\n" for n in range(300))
    (tmp_path / "all.nt").write_text(
        lines.replace(" a ", " <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> "), encoding="utf-8"
    )
    with Headwater.open(Settings(data=tmp_path / "data", audits="manual")) as headwater:
        headwater.import_source(tmp_path / "all.nt")
        found: list[bytes] = []
        done = threading.Event()

        def asking() -> None:
            number = 0
            while not done.is_set():
                number += 1
                try:
                    answer = headwater.stream(f"{COUNT} # {number}", ANONYMOUS, "text/csv")
                except Unavailable:
                    continue  # said, and not answered with a part
                found.append(answer.body if isinstance(answer, Told) else answer.body())

        asker = threading.Thread(target=asking)
        asker.start()
        for _ in range(3):
            headwater.rebuild()
        # One more at least after the last rebuild.
        while not found:
            asker.join(0.05)
        done.set()
        asker.join()
        assert found
        assert {body.split()[1] for body in found} == {b"300"}


def test_the_service_outlives_a_terminal_that_goes_away(service: Service) -> None:
    os.kill(service.pid, signal.SIGPIPE)
    service.alive()
