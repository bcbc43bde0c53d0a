"""The ledger takes a write whole or not at all, never changes what it holds, and says clearly when it cannot be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Triple

from headwater.errors import Conflict, StorageFailed
from headwater.ledger import schema
from headwater.ledger.ledger import Ledger
from headwater.ledger.schema import HEAD, open_engine, sqlite_address
from headwater.records.draft import Draft, Finding
from headwater.records.record import Record, RecordMaker
from headwater.terms.minting import Mint
from headwater.terms.names import RDFS

_maker = RecordMaker(Mint("https://data.example/"))


def record(name: str, label: str = "x", visibility: str = "public") -> Record:
    triple = Triple(NamedNode(f"urn:thing:{name}"), RDFS.label, Literal(label))
    draft = Draft(f"urn:record:{name}", f"{name}.ttl", name, [triple], [Finding("repaired", "why", "what", "where")])
    return _maker.make(draft, visibility, "test", "1", "declared")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    moments = (f"2026-01-01T00:00:{second:02}Z" for second in range(60))
    own = request.param == "sqlite"
    address = sqlite_address(tmp_path) if own else request.getfixturevalue("postgres").database()
    ledger = Ledger(open_engine(address), clock=lambda: next(moments))
    yield ledger
    ledger.close()


def test_a_write_is_numbered_told_and_read_back(ledger: Ledger) -> None:
    (appended,) = ledger.append([record("a")], "ada")
    assert (appended.status, appended.revision.sequence, appended.revision.number) == ("created", 1, 1)
    entry = ledger.entry(1)
    assert entry is not None
    assert (entry.revision.actor, entry.revision.written_at) == ("ada", "2026-01-01T00:00:00Z")
    assert entry.revision.findings == (Finding("repaired", "why", "what", "where"),)
    assert entry.record(_maker).asserted == record("a").asserted
    assert entry.record(_maker).digest == entry.revision.digest == record("a").digest


def test_what_is_unchanged_gets_no_revision(ledger: Ledger) -> None:
    ledger.append([record("a")], "ada")
    (again,) = ledger.append([record("a")], "bob")
    assert (again.status, again.revision.sequence, again.revision.actor) == ("unchanged", 1, "ada")
    assert ledger.last_sequence() == 1


@pytest.mark.parametrize("second", [record("a", "y"), record("a", visibility="internal")])
def test_another_statement_or_visibility_is_a_new_revision(second: Record, ledger: Ledger) -> None:
    ledger.append([record("a")], "ada")
    (changed,) = ledger.append([second], "ada")
    assert (changed.status, changed.revision.sequence, changed.revision.number, changed.before) == ("changed", 2, 2, 1)
    assert [revision.number for revision in ledger.history("urn:record:a")] == [1, 2]


def test_a_record_that_fails_takes_its_whole_write_back(ledger: Ledger) -> None:
    ledger.append([record("a")], "ada")
    broken = replace(record("c"), title=None)  # type: ignore[arg-type]
    with pytest.raises(StorageFailed, match="could not be written"):
        ledger.append([record("a", "y"), record("b"), broken, record("d")], "ada")
    assert ledger.last_sequence() == 1
    assert [ledger.head(f"urn:record:{name}") is not None for name in "abcd"] == [True, False, False, False]
    assert [entry.revision.sequence for entry in ledger.heads()] == [1]
    ledger.append([record("b")], "ada")
    assert ledger.last_sequence() == 2


def test_an_interruption_from_outside_takes_a_write_back_too(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_: Record) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(Record, "packed", stop)
    with pytest.raises(KeyboardInterrupt):
        ledger.append([record("a")], "ada")
    assert ledger.last_sequence() == 0


def test_sequence_numbers_have_no_gaps(ledger: Ledger) -> None:
    ledger.append([record("a"), record("b")], "ada")
    ledger.append([record("a"), record("b", "y"), record("c")], "ada")
    ledger.withdraw("urn:record:a", "ada", "wrong")
    ledger.append([record("a")], "ada")
    assert [entry.revision.sequence for entry in ledger.since(0)] == [1, 2, 3, 4, 5, 6]
    assert [entry.revision.sequence for entry in ledger.since(2, limit=2)] == [3, 4]
    assert [entry.revision.sequence for entry in ledger.heads()] == [3, 4, 6]


def test_one_record_twice_in_a_write_is_two_revisions(ledger: Ledger) -> None:
    done = ledger.append([record("a"), record("a", "y"), record("a", "y")], "ada")
    assert [(one.status, one.revision.number) for one in done] == [("created", 1), ("changed", 2), ("unchanged", 2)]


def test_new_and_known_records_in_one_write_keep_their_own_histories(ledger: Ledger) -> None:
    ledger.append([record("a"), record("b")], "ada")
    written = [record("c"), record("b", "y"), record("a"), record("c", "y"), record("d")]
    statuses = [appended.status for appended in ledger.append(written, "bob")]
    assert statuses == ["created", "changed", "unchanged", "changed", "created"]
    heads = ledger.latest([f"urn:record:{name}" for name in "abcde"])
    assert {iri[-1]: (head.sequence, head.number) for iri, head in heads.items()} == {
        "a": (1, 1),
        "b": (4, 2),
        "c": (5, 2),
        "d": (6, 1),
    }
    assert [revision.sequence for revision in ledger.history("urn:record:c")] == [3, 5]


def test_the_latest_revision_may_be_a_withdrawal(ledger: Ledger) -> None:
    ledger.append([record("a"), record("b")], "ada")
    ledger.withdraw("urn:record:a", "ada", "wrong")
    assert {iri: head.act for iri, head in ledger.latest(["urn:record:a", "urn:record:b"]).items()} == {
        "urn:record:a": "withdraw",
        "urn:record:b": "write",
    }
    assert list(ledger.written(["urn:record:a", "urn:record:b"])) == ["urn:record:b"]


def test_revisions_stay_as_they_were(ledger: Ledger) -> None:
    ledger.append([record("a")], "ada")
    first = ledger.entry(1)
    ledger.append([record("a", "y")], "ada")
    ledger.withdraw("urn:record:a", "bob", "wrong")
    assert ledger.entry(1) == first


def test_a_withdrawal_leaves_a_tombstone_and_the_history(ledger: Ledger) -> None:
    ledger.append([record("a"), record("b")], "ada")
    withdrawal = ledger.withdraw("urn:record:a", "bob", "consent was taken back")
    assert (withdrawal.sequence, withdrawal.number, withdrawal.act, withdrawal.statements) == (3, 2, "withdraw", 0)
    ((stands, last),) = ledger.withdrawn()
    assert (stands.reason, stands.actor) == ("consent was taken back", "bob")
    assert last.draft().triples == record("a").asserted
    assert [revision.act for revision in ledger.history("urn:record:a")] == ["write", "withdraw"]
    assert list(ledger.written(["urn:record:a", "urn:record:b", "urn:none"])) == ["urn:record:b"]
    assert ledger.visibilities() == {"public": 1}


def test_what_was_withdrawn_may_be_written_again(ledger: Ledger) -> None:
    ledger.append([record("a")], "ada")
    ledger.withdraw("urn:record:a", "ada", "a slip")
    (again,) = ledger.append([record("a")], "ada")
    assert (again.status, again.revision.number, again.before) == ("changed", 3, None)
    assert ledger.withdrawn() == []


def test_there_is_nothing_to_withdraw_twice_or_where_nothing_was(ledger: Ledger) -> None:
    ledger.append([record("a")], "ada")
    ledger.withdraw("urn:record:a", "ada", "a slip")
    for iri in ("urn:record:a", "urn:record:none"):
        with pytest.raises(Conflict, match="no record"):
            ledger.withdraw(iri, "ada", "again")


def test_a_fact_is_stated_once(ledger: Ledger) -> None:
    ledger.fix("base_iri", "https://data.example/")
    with pytest.raises(StorageFailed):
        ledger.fix("base_iri", "https://elsewhere.example/")
    assert ledger.fact("base_iri") == "https://data.example/"
    assert ledger.fact("unknown") is None


def test_a_commit_that_returned_survives_a_power_cut(ledger: Ledger) -> None:
    with ledger.engine.connect() as connection:
        if ledger.engine.dialect.name == "postgresql":
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
            assert connection.exec_driver_sql("SHOW fsync").scalar() == "on"
            return
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2, "2 is FULL"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_the_newest_migration_is_the_one_that_the_code_names() -> None:
    files = sorted(path.name for path in (Path(schema.__file__).parent / "migrations" / "versions").glob("[0-9]*.py"))
    assert files[-1].startswith(f"{HEAD}_")


def test_the_migrations_make_the_tables_that_the_code_reads(ledger: Ledger) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from headwater.ledger.tables import metadata

    with ledger.engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
    differences = [one for some in found for one in (some if isinstance(some, list) else [some])]
    assert [difference for difference in differences if difference[0] != "modify_comment"] == []


def test_a_ledger_of_a_newer_headwater_is_refused_with_words(tmp_path: Path) -> None:
    open_engine(sqlite_address(tmp_path)).dispose()
    with sqlite3.connect(tmp_path / "ledger.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(Conflict, match="version 9999") as caught:
        open_engine(sqlite_address(tmp_path))
    assert "upgrade" in caught.value.remedy


def test_a_file_that_is_no_database_is_refused_with_words(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(StorageFailed, match=r"ledger\.sqlite cannot be opened") as caught:
        open_engine(sqlite_address(tmp_path))
    assert "backup" in caught.value.remedy


def test_a_damaged_page_is_a_failure_of_the_disk_and_not_of_the_program(tmp_path: Path) -> None:
    ledger = Ledger(open_engine(sqlite_address(tmp_path)))
    ledger.append([record(f"r{number}", "long " * 300) for number in range(60)], "ada")
    ledger.close()
    with sqlite3.connect(tmp_path / "ledger.sqlite") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    path = tmp_path / "ledger.sqlite"
    content = path.read_bytes()
    path.write_bytes(content[: 4096 * 8] + b"\xff" * (len(content) - 4096 * 8))
    with pytest.raises(StorageFailed, match="ledger could not be read"):
        ledger.since(0)
    with pytest.raises(StorageFailed):
        ledger.append([record(f"s{number}", "more") for number in range(10)], "ada")
    ledger.close()
