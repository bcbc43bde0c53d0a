"""Readers follow the writer's ledger: soon, whole, by themselves, and whatever becomes of the writer and the ledger's server."""

from __future__ import annotations

import signal
import threading
import time

import httpx
import pytest

from tests.replicas.conftest import TURTLE, Asking, Process, Site, graph

pytestmark = pytest.mark.servers


@pytest.fixture
def three(site: Site) -> tuple[Process, Process, Process]:
    """A writer, and two readers that start with empty folders."""
    writer = site.process("writer", "writer").start()
    assert writer.put("0", graph(0)).status_code == 201
    one, two = (site.process(f"reader{number}", "reader", WRITER_URL=writer.url).start(wait=False) for number in (1, 2))
    one.ready()
    two.ready()
    return writer, one, two


def test_what_was_written_is_read_at_each_reader_by_who_names_its_number(three: tuple[Process, Process, Process]) -> None:
    writer, *readers = three
    for number in range(1, 6):
        wrote = writer.put(str(number), graph(number))
        told = wrote.headers["Headwater-Sequence"]
        for reader in readers:
            assert f"v{number}" in reader.values(**{"Headwater-At-Least": told})
            assert reader.client.get("/api/v1/objects").headers["Headwater-Sequence"] == told


def test_a_reader_refuses_writes_and_says_where_they_go(three: tuple[Process, Process, Process]) -> None:
    writer, reader, _ = three
    before = reader.sequence()
    requests = (
        ("PUT", "/sparql/store?graph=urn:g", TURTLE),
        ("POST", "/sparql/update", {"Content-Type": "application/sparql-update"}),
        ("POST", "/api/v1/records", TURTLE),
        ("DELETE", "/api/v1/records/urn:graph:0", {}),
    )
    for method, path, headers in requests:
        answer = reader.client.request(method, path, content=b"<urn:a> <urn:b> <urn:c> .", headers=headers)
        problem = answer.json()
        assert (answer.status_code, answer.headers["Content-Type"]) == (421, "application/problem+json"), answer.text
        assert problem["writer"] == writer.url + path
        assert answer.headers["Link"] == f'<{writer.url}{path}>; rel="edit"'
    checked = reader.client.post("/api/v1/validate", content=graph(7), headers=TURTLE)
    assert (checked.status_code, reader.sequence()) == (200, before)


def test_waiting_for_what_nobody_wrote_ends_with_503(site: Site) -> None:
    site.process("writer", "writer").start()
    reader = site.process("reader", "reader", AT_LEAST_WAIT_S="0.3").start()
    answer = reader.client.get("/api/v1/objects", headers={"Headwater-At-Least": "99"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert reader.client.get("/api/v1/objects", headers={"Headwater-At-Least": "soon"}).status_code == 422


def test_a_writer_killed_in_mid_import_leaves_nothing_half_written_and_no_reader_silent(
    site: Site, three: tuple[Process, Process, Process]
) -> None:
    writer, *readers = three
    accepted: list[str] = []

    def write() -> None:
        with httpx.Client(base_url=writer.url, timeout=20, trust_env=False) as client:
            for number in range(1, 10_000):
                # Two graphs in one update: both are there, or none.
                text = (
                    f"INSERT DATA {{ GRAPH <urn:graph:a{number}> {{ <urn:s> <urn:p> 'a{number}' }} "
                    f"GRAPH <urn:graph:b{number}> {{ <urn:s> <urn:p> 'b{number}' }} }}"
                )
                try:
                    answer = client.post("/sparql/update", content=text, headers={"Content-Type": "application/sparql-update"})
                except httpx.HTTPError:
                    return
                if answer.status_code == 200:
                    accepted.append(str(number))

    with Asking(*readers) as asking:
        writing = threading.Thread(target=write)
        writing.start()
        writer.until(lambda: len(accepted) >= 15, 60)
        writer.kill()
        writing.join()
        time.sleep(1.0)
        writer.start()
        assert writer.put("after", "<urn:s> <urn:p> 'after' .").status_code == 201
        told = {"Headwater-At-Least": str(writer.sequence())}
        seen = [reader.values(**told) for reader in readers]
    assert asking.failures == []
    assert asking.answers > 50
    for values in seen:
        assert {f"a{number}" for number in accepted} | {"after"} <= values
        assert {value[1:] for value in values if value[0] == "a" and value != "after"} == {v[1:] for v in values if v[0] == "b"}
    site.same(writer, *readers)


def test_a_reader_killed_while_it_catches_up_goes_on_where_it_was(site: Site) -> None:
    writer = site.process("writer", "writer").start()
    many = "".join(f"<urn:s:{number}> <urn:p> 'v{number}' .\n" for number in range(3_000))
    for part in range(8):
        assert writer.put(f"many{part}", many.replace("urn:s", f"urn:s:{part}")).status_code == 201
    reader = site.process("reader", "reader")
    for pause in (1.5, 2.5, 3.5):
        reader.start(wait=False)
        time.sleep(pause)
        reader.kill()
    reader.start()
    site.same(writer, reader)


def test_readers_answer_while_the_ledgers_server_is_gone_say_how_old_their_state_is_and_catch_up(
    site: Site, three: tuple[Process, Process, Process]
) -> None:
    writer, *readers = three
    with Asking(*readers) as asking:
        site.postgres.stop(signal.SIGQUIT)
        try:
            refused = writer.put("1", graph(1))
            assert refused.status_code == 503, refused.text
            assert "does not answer" in refused.json()["detail"]
            assert site.postgres.password not in refused.text
            readers[0].until(lambda: readers[0].duty()["ledger_reachable"] is False)
            readers[0].until(lambda: float(readers[0].client.get("/api/v1/objects").headers.get("Headwater-Age", 0)) >= 2)
            measures = readers[0].client.get("/metrics").text
            assert "headwater_ledger_reachable 0" in measures
            assert "headwater_follow_age_seconds" in measures
            assert readers[0].client.get("/health/ready").status_code == 200
            assert writer.client.get("/metrics").status_code == 200
        finally:
            site.postgres.start()
        writer.until(lambda: writer.put("1", graph(1)).status_code == 201)
        for reader in readers:
            reader.until(lambda reader=reader: "v1" in reader.values())  # type: ignore[misc]
            reader.until(lambda reader=reader: reader.duty()["ledger_reachable"] is True)  # type: ignore[misc]
    assert asking.failures == []
    site.same(writer, *readers)


def test_a_reader_started_while_the_ledger_is_gone_answers_from_its_copy(site: Site) -> None:
    writer = site.process("writer", "writer").start()
    writer.put("0", graph(0))
    reader = site.process("reader", "reader").start()
    reader.stop()
    gone = site.ledger.replace(f":{site.postgres.port}/", ":1/")
    reader.settings["LEDGER"] = gone
    reader.start()
    assert reader.values() == {"v0"}
    fresh = site.process("fresh", "reader", ledger=gone).start(wait=False)
    assert fresh.process is not None
    assert fresh.process.wait(30) == 1
    assert "cannot be opened" in fresh.said()


def test_tokens_hold_at_readers_and_are_revoked_there(three: tuple[Process, Process, Process]) -> None:
    writer, reader, _ = three
    token = writer.command("token", "create", "ada", "--scope", "read").stdout.split()[0]
    asked = {"Authorization": f"Bearer {token}"}
    reader.until(lambda: reader.client.get("/api/v1/objects", headers=asked).status_code == 200, 5)
    writer.command("token", "revoke", "ada")
    reader.until(lambda: reader.client.get("/api/v1/objects", headers=asked).status_code == 401, 5)


def test_a_ledger_put_back_from_an_older_state_makes_readers_begin_anew(site: Site) -> None:
    writer = site.process("writer", "writer").start()
    writer.put("0", graph(0))
    copy = site.folder / "monday.sqlite"
    writer.stop()
    assert writer.command("backup", str(copy)).returncode == 0
    writer.start()
    writer.put("1", graph(1))
    reader = site.process("reader", "reader").start()
    assert reader.values() == {"v0", "v1"}
    writer.stop()
    older = site.postgres.database()
    restored = site.process("restored", "writer", ledger=older)
    assert restored.command("restore", str(copy)).returncode == 0
    restored.start()
    restored.put("2", graph(2))
    reader.stop()
    reader.settings["LEDGER"] = older
    reader.start()
    assert reader.values() == {"v0", "v2"}
    site.same(restored, reader)
