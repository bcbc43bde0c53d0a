"""When the writer is gone another one takes over, and one who only seems gone does no harm when it is back."""

from __future__ import annotations

import select
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.replicas.conftest import Asking, Process, Site, graph

pytestmark = pytest.mark.servers


class Cable:
    """A connection to the ledger's server that can be pulled out: nothing passes any more, and nobody is told."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._stopped = threading.Event()
        self.pulled = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while not self._stopped.is_set():
                near, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with suppress(OSError), near, socket.create_connection(("127.0.0.1", self._to)) as far:
            while not self._stopped.is_set():
                if self.pulled.is_set():
                    time.sleep(0.05)
                    continue
                for one in select.select([near, far], [], [], 0.05)[0]:
                    piece = one.recv(65536)
                    if not piece:
                        return
                    (far if one is near else near).sendall(piece)

    def close(self) -> None:
        self._stopped.set()
        self._listener.close()


@contextmanager
def cable(site: Site) -> Iterator[tuple[Cable, str]]:
    laid = Cable(site.postgres.port)
    try:
        yield laid, site.ledger.replace(f":{site.postgres.port}/", f":{laid.port}/")
    finally:
        laid.close()


def test_a_second_writer_is_refused_with_words_that_name_the_first_and_what_to_do(site: Site) -> None:
    site.process("writer", "writer").start()
    second = site.process("second", "writer").start(wait=False)
    assert second.process is not None
    assert second.process.wait(30) == 1
    said = second.said()
    assert "has a writer: 'headwater" in said
    assert "role = 'reader'" in said
    assert site.postgres.password not in said
    assert second.command("doctor").returncode == 0


def test_a_standby_takes_over_from_a_killed_writer_and_readers_follow_it(site: Site) -> None:
    writer = site.process("writer", "writer").start()
    writer.put("0", graph(0))
    standby = site.process("standby", "standby").start()
    reader = site.process("reader", "reader").start()
    assert standby.put("1", graph(1)).status_code == 421
    with Asking(standby, reader) as asking:
        accepted = [f"v{number}" for number in range(1, 6) if writer.put(str(number), graph(number)).status_code == 201]
        writer.kill()
        standby.until(lambda: standby.put("next", "<urn:s> <urn:p> 'next' .").status_code == 201)
        seen = reader.values(**{"Headwater-At-Least": str(standby.sequence())})
    assert asking.failures == []
    assert {"v0", *accepted, "next"} <= seen
    assert standby.duty() == {"role": "standby", "writing": True}
    assert [one.client.get("/health/writer").status_code for one in (standby, reader)] == [200, 503]
    # The old one comes back, finds the ledger taken, and can be a reader.
    writer.start(wait=False)
    assert writer.process is not None
    assert writer.process.wait(30) == 1
    writer.settings["ROLE"] = "reader"
    writer.start()
    site.same(standby, reader, writer)


def test_a_writer_cut_off_from_the_ledger_writes_nothing_after_another_has_begun(site: Site) -> None:
    with cable(site) as (laid, through):
        old = site.process("old", "writer", ledger=through).start()
        old.put("0", graph(0))
        standby = site.process("standby", "standby").start()
        laid.pulled.set()
        # For the server the old writer's sessions live on; what a silent network does after seconds is done here by hand.
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%' || 'NUMBER'"
        assert old.process is not None
        site.postgres.say(site.ledger.rsplit("/", 1)[1], ended.replace("NUMBER", f" {old.process.pid}"))
        refused: list[int] = []
        writing = threading.Thread(target=lambda: refused.append(old.put("lost", "<urn:s> <urn:p> 'lost' .").status_code))
        writing.start()
        standby.until(lambda: standby.put("1", graph(1)).status_code == 201)
        laid.pulled.clear()
        writing.join()
        assert refused == [503]
        old.until(lambda: old.put("lost", "<urn:s> <urn:p> 'lost' .").json()["title"] == "Another process may be the writer now")
        # It goes along with the new writer, and takes over again when that one is gone.
        old.until(lambda: old.values() == {"v0", "v1"})
        standby.kill()
        old.until(lambda: old.put("2", graph(2)).status_code == 201)
        assert old.values() == {"v0", "v1", "v2"}


def test_a_writer_that_slept_while_another_took_over_wakes_up_harmless(site: Site) -> None:
    old = site.process("old", "writer").start()
    old.put("0", graph(0))
    standby = site.process("standby", "standby").start()
    old.signal(signal.SIGSTOP)
    assert old.process is not None
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%' || 'NUMBER'"
    site.postgres.say(site.ledger.rsplit("/", 1)[1], ended.replace("NUMBER", f" {old.process.pid}"))
    standby.until(lambda: standby.put("1", graph(1)).status_code == 201)
    old.signal(signal.SIGCONT)
    answers = [old.put("lost", "<urn:s> <urn:p> 'lost' .").status_code for _ in range(3)]
    assert answers == [503] * 3
    assert standby.values() == {"v0", "v1"}


def test_readers_on_the_same_machine_follow_a_ledger_in_sqlite_too(site: Site) -> None:
    ledger = f"sqlite:///{site.folder / 'shared.sqlite'}"
    writer = site.process("writer", "writer", ledger=ledger).start()
    writer.put("0", graph(0))
    second = site.process("second", "writer", ledger=ledger).start(wait=False)
    standby = site.process("standby", "standby", ledger=ledger).start()
    told = writer.put("1", graph(1)).headers["Headwater-Sequence"]
    assert standby.values(**{"Headwater-At-Least": told}) == {"v0", "v1"}
    assert second.process is not None
    assert second.process.wait(30) == 1
    writer.kill()
    standby.until(lambda: standby.put("2", graph(2)).status_code == 201)
    assert standby.values() == {"v0", "v1", "v2"}


def test_a_ledger_moves_from_sqlite_to_postgresql_and_back(site: Site) -> None:
    home = site.process("home", "writer", ledger="")
    home.settings.pop("LEDGER")
    home.start()
    home.put("0", graph(0))
    home.put("1", graph(1))
    home.client.delete("/api/v1/records/urn:graph:1")
    home.stop()
    assert home.command("token", "create", "ada").returncode == 0
    assert home.command("backup", str(site.folder / "a.sqlite")).returncode == 0
    moved = site.process("moved", "writer")
    restored = moved.command("restore", str(site.folder / "a.sqlite"))
    assert restored.returncode == 0, restored.stderr
    assert moved.command("verify").returncode == 0
    again = moved.command("restore", str(site.folder / "a.sqlite"))
    assert (again.returncode, "There is a ledger already" in again.stderr) == (1, True)
    assert "ada" in moved.command("token", "list").stdout
    moved.start()
    assert moved.values() == {"v0"}
    # While it is served:
    assert moved.command("backup", str(site.folder / "b.sqlite")).returncode == 0
    back = site.process("back", "writer", ledger="")
    back.settings.pop("LEDGER")
    assert back.command("restore", str(site.folder / "b.sqlite")).returncode == 0
    # Opened, store and index are made from it; `home` has the same ledger, and not one byte else.
    dumps: list[Process] = [home, back]
    assert len({process.command("dump").stdout for process in dumps}) == 1


def test_a_data_folder_of_another_ledger_is_made_anew(site: Site) -> None:
    first = site.process("first", "writer").start()
    first.put("0", graph(0))
    first.put("1", graph(1))
    first.stop()
    other = site.process("other", "writer", ledger=site.postgres.database()).start()
    for number in (5, 6, 7):
        other.put(str(number), graph(number))
    other.stop()
    first.settings["LEDGER"] = other.settings["LEDGER"]
    first.start()
    assert first.values() == {"v5", "v6", "v7"}
