"""A disk that is full, in the end of a small file system of its own: clear errors, reading goes on, nothing accepted is lost, and
all is well again by itself when there is room.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from headwater.app import Headwater
from headwater.errors import HeadwaterError
from headwater.settings import Settings
from tests.attacks.conftest import Service

pytestmark = [pytest.mark.server, pytest.mark.attacks]
HW = "https://w3id.org/headwater/terms#"
TURTLE = {"Content-Type": "text/turtle"}


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 400 MiB."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small file system takes Linux and its root")
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def cramped(small: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A service whose data, and whose temporary files, lie on it."""
    temporary = small / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    service = Service(small / "home" / "data", MIN_FREE_MB="2", AUDITS="automatic", AUDIT_PAUSE_S="0")
    service.data.parent.mkdir()
    service.log_path = small.parent / "service.log"
    service.start()
    try:
        yield service
    finally:
        service.stop()


def _fill(place: Path) -> Path:
    """A file that takes all the room that is left."""
    path = place / "ballast"
    with path.open("wb", buffering=0) as file:
        for size in (2**20, 2**12, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return path


def _put(service: Service, name: str, statements: int = 1) -> httpx.Response:
    body = f'<urn:w:{name}> a <{HW}Dataset> ; <http://www.w3.org/2000/01/rdf-schema#label> "{name}" .'
    body += "".join(f'<urn:w:{name}> <urn:p:{n}> "{n:0100}" .' for n in range(statements - 1))
    return httpx.put(f"{service.url}/sparql/store?graph=urn:w:graph:{name}", content=body, headers=TURTLE, timeout=60)


def _there(service: Service) -> set[str]:
    answer = service.ask(f"SELECT ?s {{ ?s a <{HW}Dataset> }}", Accept="text/csv")
    assert answer.status_code == 200, answer.text
    return {line.removeprefix("urn:w:") for line in answer.text.split()[1:]}


def test_a_full_disk_is_said_and_passes(cramped: Service, small: Path) -> None:
    accepted = {name for name in ("a", "b", "c") if _put(cramped, name).status_code == 201}
    assert accepted == {"a", "b", "c"}
    assert _there(cramped) == accepted
    ballast = _fill(small)
    asked: dict[str, httpx.Response] = {}
    for number in range(3):
        asked[f"write {number}"] = _put(cramped, f"full-{number}", 2000)
        if asked[f"write {number}"].status_code == 201:
            accepted.add(f"full-{number}")
    asked["update"] = httpx.post(
        f"{cramped.url}/sparql/update",
        content=f"INSERT DATA {{ GRAPH <urn:w:graph:u> {{ <urn:w:u> a <{HW}Dataset> }} }}",
        headers={"Content-Type": "application/sparql-update"},
        timeout=60,
    )
    if asked["update"].status_code == 200:
        accepted.add("u")
    asked["record"] = httpx.post(
        f"{cramped.url}/api/v1/records", content=f"<urn:w:r> a <{HW}Model> .", headers=TURTLE, timeout=60
    )
    asked["validate"] = httpx.post(f"{cramped.url}/api/v1/validate", content="<urn:x> a <urn:y> .", headers=TURTLE, timeout=60)
    asked["withdraw"] = httpx.delete(f"{cramped.url}/sparql/store?graph=urn:w:graph:a", timeout=60)
    if asked["withdraw"].status_code == 204:
        accepted.discard("a")
    asked["audit"] = httpx.post(f"{cramped.url}/api/v1/audits", timeout=60)
    asked["query"] = cramped.ask("SELECT * { ?s ?p ?o }")
    asked["long answer"] = cramped.ask("SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } LIMIT 50000")
    refused = {what: answer for what, answer in asked.items() if answer.status_code >= 400}
    assert {"write 0", "write 1", "write 2"} <= refused.keys(), {what: answer.status_code for what, answer in asked.items()}
    for what, answer in refused.items():
        told = answer.json()
        assert answer.status_code in (503, 507), (what, answer.text)
        assert told["remedy"], what
        assert "unexpected" not in told["detail"], (what, told)
    # Who only reads is served.
    assert httpx.get(f"{cramped.url}/health/live", timeout=10).status_code == 200
    for path in ("/api/v1/objects", "/", "/search?q=a", "/api/v1/lineage?id=urn:w:b"):
        assert httpx.get(f"{cramped.url}{path}", timeout=20).status_code == 200, path
    assert httpx.get(f"{cramped.url}/health/ready", timeout=10).status_code == 503
    ballast.unlink()
    until = time.monotonic() + 30
    while (answer := _put(cramped, "recovered")).status_code not in (201, 204):
        assert time.monotonic() < until, answer.text
        time.sleep(0.3)
    cramped.healthy(20)
    assert _there(cramped) == {*accepted, "recovered"}
    assert "unexpected error" not in cramped.log
    cramped.kill()
    cramped.start()
    assert _there(cramped) == {*accepted, "recovered"}
    cramped.stop()
    with Headwater.open(Settings(data=cramped.data, audits="manual")) as headwater:
        assert headwater.verify() == []


def test_a_service_that_is_killed_with_its_disk_full_starts_when_there_is_room(cramped: Service, small: Path) -> None:
    assert _put(cramped, "a").status_code == 201
    ballast = _fill(small)
    _put(cramped, "full", 2000)
    cramped.kill()
    ballast.unlink()
    cramped.start()
    assert {"a"} <= _there(cramped)
    assert _put(cramped, "b").status_code == 201


@pytest.mark.parametrize("step", ["import", "rebuild", "save"])
def test_what_a_full_disk_stops_half_way_is_done_again_from_the_ledger(small: Path, step: str) -> None:
    source = small.parent / "all.nt"
    kind = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
    with Headwater.open(Settings(data=small / "data", audits="manual")) as headwater:
        source.write_text("".join(f'<urn:w:{n}> {kind} <{HW}Dataset> .\n<urn:w:{n}> <urn:p> "{n}" .\n' for n in range(3000)))
        headwater.import_source(source, name="first.nt")
        number = headwater.ledger.last_sequence()
        ballast = _fill(small)
        if step == "import":
            source.write_text("".join(f'<urn:w:{n}> <urn:q> "{n:0200}" .\n' for n in range(20_000)))
            with pytest.raises(HeadwaterError) as told:
                headwater.import_source(source, name="second.nt")
            assert told.value.status == 507
        elif step == "rebuild":
            with pytest.raises(HeadwaterError) as told:
                headwater.rebuild()
            assert told.value.status == 507
        else:
            headwater._index.sequence += 0
            headwater._writer.save_index()
        ballast.unlink()
        if step == "rebuild":
            until = time.monotonic() + 20
            while True:
                try:
                    headwater.rebuild()
                    break
                except HeadwaterError:
                    assert time.monotonic() < until
                    time.sleep(0.3)
    with Headwater.open(Settings(data=small / "data", audits="manual")) as headwater:
        assert headwater.ledger.last_sequence() >= number
        assert headwater.verify() == []


def test_a_read_only_disk_is_said(small: Path) -> None:
    with Headwater.open(Settings(data=small / "data", audits="manual")) as headwater:
        headwater.import_source(_document(small.parent), name="one.nt")
    shutil.copytree(small / "data", small / "copy")
    subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
    try:
        with pytest.raises(HeadwaterError) as told:
            Headwater.open(Settings(data=small / "data", audits="manual")).close()
        assert told.value.status == 507
        assert told.value.remedy
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(small)], check=True)
    with Headwater.open(Settings(data=small / "data", audits="manual")) as headwater:
        assert headwater.verify() == []


def _document(folder: Path) -> Path:
    path = folder / "one.nt"
    path.write_text(f"<urn:w:1> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{HW}Dataset> .\n")
    return path
