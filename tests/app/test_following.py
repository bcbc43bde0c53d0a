"""One process writes a ledger, others follow it from folders of their own: here in one process and in SQLite."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from headwater.access import LOCAL
from headwater.app import Headwater
from headwater.app.following import Strayed
from headwater.errors import BadParameter, HeadwaterError, LedgerBusy, ReaderOnly, StorageFailed
from headwater.settings import Settings

Opening = Callable[..., Headwater]


@pytest.fixture
def opening(tmp_path: Path) -> Iterator[Opening]:
    """Opens a Headwater in a role, on the ledger that all share."""
    with ExitStack() as opened:

        def open_(name: str, role: str = "reader", **more: object) -> Headwater:
            ledger = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
            settings = Settings(data=tmp_path / name, role=role, ledger=ledger, audits="manual", **more)  # type: ignore[arg-type]
            return opened.enter_context(Headwater.open(settings))

        yield open_


def write(headwater: Headwater, tmp_path: Path, name: str) -> int:
    path = tmp_path / f"{name}.ttl"
    path.write_text(f"<urn:{name}> a <http://www.w3.org/ns/prov#Activity> ; <urn:p> '{name}' .")
    report = headwater.import_source(path)
    assert report.ok
    return headwater.sequence


def names(headwater: Headwater) -> set[str]:
    body, _ = headwater.query("SELECT ?o { ?s <urn:p> ?o }", LOCAL, "text/csv")
    return set(body.decode().split()[1:])


def soon(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not true():
        assert time.monotonic() < until, "not so after 20 seconds"
        time.sleep(0.01)


def test_a_reader_starts_with_all_that_there_is_and_follows_from_there(opening: Opening, tmp_path: Path) -> None:
    writer = opening("writer", "writer")
    write(writer, tmp_path, "a")
    reader = opening("reader", base_iri="http://elsewhere.example/")
    assert (reader.mint.base, names(reader)) == (writer.mint.base, {"a"})
    reader.duty.keep(lambda error: pytest.fail(str(error)))
    last = write(writer, tmp_path, "b")
    record = writer.ledger.recent(1)[0].iri
    soon(lambda: reader.sequence == last)
    assert names(reader) == {"a", "b"}
    assert reader.record(record, LOCAL) == writer.record(record, LOCAL)
    writer.withdraw(record, LOCAL, by="ada", reason="a mistake")
    soon(lambda: names(reader) == {"a"})
    assert (reader.verify(), reader.duty.status()["behind"]) == ([], 0)


@pytest.mark.parametrize("role", ["reader", "standby"])
def test_who_follows_keeps_a_store_of_its_own(opening: Opening, role: str) -> None:
    opening("writer", "writer")
    with pytest.raises(BadParameter, match=f"a {role} keeps a store of its own"):
        opening("other", role, store="sparql+http://127.0.0.1:9/query")


def test_a_reader_writes_nothing_but_looks_over_what_would_be_written(opening: Opening, tmp_path: Path) -> None:
    writer = opening("writer", "writer")
    write(writer, tmp_path, "a")
    reader = opening("reader", writer_url="https://write.example")
    with pytest.raises(ReaderOnly) as refused:
        write(reader, tmp_path, "b")
    assert refused.value.extra["writer"] == "https://write.example"
    assert reader.import_source(tmp_path / "b.ttl", dry_run=True).ok
    for forbidden in (
        lambda: reader.withdraw(writer.ledger.recent(1)[0].iri, LOCAL, by="ada", reason=""),
        lambda: reader.update("INSERT DATA { <urn:s> <urn:p> 'x' }", LOCAL),
        lambda: reader.put_graph("urn:g", [], LOCAL),
    ):
        with pytest.raises(ReaderOnly):
            forbidden()
    assert (names(writer), names(reader)) == ({"a"}, {"a"})


def test_a_ledger_has_one_writer_also_from_another_folder(opening: Opening) -> None:
    opening("writer", "writer")
    with pytest.raises(LedgerBusy, match="has a writer") as refused:
        opening("second", "writer")
    assert "reader" in refused.value.remedy


def test_a_standby_writes_once_the_writer_has_closed(opening: Opening, tmp_path: Path) -> None:
    writer = opening("writer", "writer")
    write(writer, tmp_path, "a")
    standby = opening("standby", "standby")
    standby.duty.keep(lambda error: pytest.fail(str(error)))
    time.sleep(0.2)
    assert not standby.duty.writing
    writer.close()
    soon(lambda: standby.duty.writing)
    write(standby, tmp_path, "b")
    assert (names(standby), standby.verify()) == ({"a", "b"}, [])


def test_a_reader_goes_on_while_the_ledger_is_gone_and_after_a_restart(opening: Opening, tmp_path: Path) -> None:
    writer = opening("writer", "writer")
    write(writer, tmp_path, "a")
    writer.close()
    opening("reader").close()
    (tmp_path / "ledger.sqlite").rename(tmp_path / "away.sqlite")
    (tmp_path / "ledger.sqlite").mkdir()
    assert names(opening("reader")) == {"a"}
    with pytest.raises(StorageFailed, match="cannot be opened"):
        opening("another")


def test_a_reader_says_when_the_ledger_is_another_one_and_begins_anew_at_its_next_start(opening: Opening, tmp_path: Path) -> None:
    writer = opening("writer", "writer")
    write(writer, tmp_path, "a")
    reader = opening("reader")
    writer.close()
    for left in tmp_path.glob("ledger.sqlite*"):
        left.unlink()
    other = opening("other", "writer")
    for name in ("x", "y"):
        write(other, tmp_path, name)
    failed: list[HeadwaterError] = []
    reader.duty.keep(failed.append)
    # The open file is still the old one for this reader; what it sees after a restart is what counts.
    reader.close()
    assert all(isinstance(error, Strayed) for error in failed)
    assert names(opening("reader")) == {"x", "y"}


def test_a_reader_without_the_address_of_a_ledger_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadParameter, match="does not name it"):
        Headwater.open(Settings(data=tmp_path, role="reader"))


def test_a_reader_whose_state_is_older_than_is_wanted_says_that_it_is_not_ready(opening: Opening, tmp_path: Path) -> None:
    writer = opening("writer", "writer")
    write(writer, tmp_path, "a")
    assert opening("calm", min_free_mb=0).readiness()["ready"]
    strict = opening("strict", max_age_s=0.1, min_free_mb=0)
    time.sleep(0.2)
    (reason,) = strict.readiness()["reasons"]
    assert "last reached" in reason
