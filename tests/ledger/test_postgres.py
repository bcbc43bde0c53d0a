"""A ledger in PostgreSQL: one writer at a time, no commit by one who was replaced, no doubt left unlooked at, and clear words."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import event, text

from headwater.app.following import Follower
from headwater.errors import BadInput, BadParameter, Conflict, Deposed, HeadwaterError, InDoubt, LedgerAway, StorageFailed
from headwater.ledger import ledger as ledger_room
from headwater.ledger.lease import Lease
from headwater.ledger.ledger import LONGEST_IRI, Ledger
from headwater.ledger.schema import connect_engine, expect_schema, open_engine
from headwater.ledger.tokens import TokenTable
from headwater.records.draft import Draft
from headwater.records.record import Record, RecordMaker
from headwater.terms.minting import Mint
from tests.postgres import Postgres

pytestmark = pytest.mark.servers
_maker = RecordMaker(Mint("https://data.example/"))


def record(name: str, title: str = "a title") -> Record:
    return _maker.make(Draft(f"urn:record:{name}", f"{name}.ttl", title, []), "public", "test", "1", "declared")


class Writer:
    """A process that writes, as far as the ledger sees it."""

    def __init__(self, address: str) -> None:
        self.engine = open_engine(address)
        self.lease = Lease(self.engine)
        self.ledger = Ledger(self.engine)

    def begin(self) -> bool:
        if not self.lease.take():
            return False
        self.ledger.fence = self.lease.advance()
        return True

    def close(self) -> None:
        self.lease.release()
        self.engine.dispose()


@pytest.fixture
def address(postgres: Postgres) -> str:
    return postgres.database()


@pytest.fixture
def writer(address: str) -> Iterator[Callable[[], Writer]]:
    made: list[Writer] = []

    def make() -> Writer:
        made.append(Writer(address))
        return made[-1]

    yield make
    for one in made:
        one.close()


def name_of(address: str) -> str:
    return urlsplit(address).path[1:]


def test_there_is_one_writer_and_the_next_takes_over_when_it_is_gone(writer: Callable[[], Writer]) -> None:
    first, second = writer(), writer()
    assert first.begin()
    assert not second.begin()
    assert "headwater" in second.lease.holder()
    first.lease.release()
    assert second.begin()
    assert second.ledger.fence == (first.ledger.fence or 0) + 1


def test_a_writer_whose_lock_was_lost_without_his_knowing_cannot_commit_once_another_has_begun(
    writer: Callable[[], Writer], postgres: Postgres, address: str
) -> None:
    first, second = writer(), writer()
    assert first.begin()
    first.ledger.append([record("a")], "ada")
    # The session that holds the lock ends, as in a partition; the pool's other connections live on.
    end_sessions(postgres, name_of(address), LOCK_HOLDERS)
    first.ledger.append([record("b")], "ada")  # nobody else has begun: still the one writer
    assert second.begin()
    second.ledger.append([record("c")], "bob")
    with pytest.raises(Deposed):
        first.ledger.append([record("d")], "ada")
    assert not first.lease.holds()
    assert not first.lease.take()
    assert [entry.revision.iri for entry in second.ledger.since(0)] == ["urn:record:a", "urn:record:b", "urn:record:c"]


def test_who_takes_over_waits_for_the_commit_that_is_under_way_and_sees_it(
    writer: Callable[[], Writer], postgres: Postgres, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = writer(), writer()
    assert first.begin()
    in_commit, go_on = threading.Event(), threading.Event()
    insert = ledger_room._insert

    def slowly(*given: Any) -> None:
        insert(*given)
        in_commit.set()
        assert go_on.wait(20)

    monkeypatch.setattr(ledger_room, "_insert", slowly)
    with ThreadPoolExecutor(2) as threads:
        writing = threads.submit(first.ledger.append, [record("a")], "ada")
        assert in_commit.wait(10)
        end_sessions(postgres, name_of(address), LOCK_HOLDERS)
        taking = threads.submit(second.begin)
        time.sleep(0.5)
        assert not taking.done()
        go_on.set()
        assert writing.result(10)[0].status == "created"
        assert taking.result(10)
    assert second.ledger.last_sequence() == 1


def end_sessions(postgres: Postgres, database: str, which: str) -> None:
    """End sessions, as the loss of their connections would."""
    statement = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND WHICH"
    postgres.say(database, statement.replace("WHICH", which))


LOCK_HOLDERS = "pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')"


def broken_commit(
    engine: Any, postgres: Postgres, database: str, *, after: bool, then: Callable[[], object] = lambda: None
) -> None:
    """The next commit's connection ends just before it, or just after it took place, before its answer arrives."""

    def end(connection: Any) -> None:
        raw = connection.connection.dbapi_connection
        if after:
            raw.commit()
            raw.execute("SELECT 1")  # in a transaction again, so that the driver's own commit goes to the server and fails
        end_sessions(postgres, database, f"pid = {raw.info.backend_pid}")
        time.sleep(0.2)
        then()

    event.listen(engine, "commit", end, once=True)


@pytest.mark.parametrize("took_place", [True, False])
def test_a_commit_in_which_the_connection_broke_is_looked_at_before_it_is_told(
    took_place: bool, writer: Callable[[], Writer], postgres: Postgres, address: str
) -> None:
    one = writer()
    assert one.begin()
    one.ledger.append([record("a")], "ada")
    broken_commit(one.engine, postgres, name_of(address), after=took_place)
    if took_place:
        (appended,) = one.ledger.append([record("b")], "ada")
        assert (appended.status, appended.revision.sequence) == ("created", 2)
    else:
        with pytest.raises(LedgerAway, match="does not answer"):
            one.ledger.append([record("b")], "ada")
    assert one.ledger.last_sequence() == 1 + took_place


def test_where_nobody_can_look_the_answer_is_that_nobody_knows(
    writer: Callable[[], Writer], postgres: Postgres, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = writer()
    assert one.begin()
    monkeypatch.setattr(ledger_room, "_DOUBT_S", 0.0)
    import psycopg

    blocking = psycopg.connect(
        host="127.0.0.1", port=postgres.port, user="ada", password=postgres.password, dbname=name_of(address)
    )

    def block() -> None:
        # Another session is still writing, for all that anybody can tell.
        blocking.execute("LOCK TABLE revisions IN ROW EXCLUSIVE MODE")

    with blocking:
        broken_commit(one.engine, postgres, name_of(address), after=True, then=block)
        with pytest.raises(InDoubt, match="entry 1"):
            one.ledger.append([record("a")], "ada")
    assert one.ledger.append([record("a")], "ada")[0].status == "unchanged"


def test_a_read_over_a_connection_that_was_cut_is_tried_once_more(
    writer: Callable[[], Writer], postgres: Postgres, address: str
) -> None:
    one = writer()
    one.ledger.append([record("a")], "ada")

    def cut(*_: Any) -> None:
        end_sessions(postgres, name_of(address), "datname = current_database()")
        time.sleep(0.2)

    event.listen(one.engine, "before_cursor_execute", cut, once=True)
    assert one.ledger.last_sequence() == 1


def test_two_that_start_at_once_make_one_schema(address: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        engines = list(threads.map(lambda _: open_engine(address), range(4)))
    for engine in engines:
        expect_schema(engine)
        engine.dispose()


def test_what_postgresql_cannot_keep_is_kept_otherwise_or_refused(writer: Callable[[], Writer]) -> None:
    one = writer()
    one.ledger.append([record("a", "a\0title")], "a\0da")
    entry = one.ledger.entry(1)
    assert entry is not None
    assert (entry.revision.title, entry.revision.actor) == ("a\ufffdtitle", "a\ufffdda")
    assert one.ledger.append([record("a", "a\0title")], "ada")[0].status == "unchanged"
    rest = "".join(f"{number:05}" for number in range(1000))
    one.ledger.append([record(rest[: LONGEST_IRI - 11])], "ada")
    with pytest.raises(BadInput, match="longer than"):
        one.ledger.append([record(rest[:LONGEST_IRI])], "ada")


def test_a_commit_is_on_disk_even_where_the_server_does_not_insist(postgres: Postgres, address: str) -> None:
    postgres.say("postgres", f"ALTER DATABASE {name_of(address)} SET synchronous_commit = off")
    engine = open_engine(address)
    with engine.connect() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"
    engine.dispose()


def test_a_reading_engine_writes_nothing(address: str) -> None:
    open_engine(address).dispose()
    engine = connect_engine(address, reading=True)
    with pytest.raises(HeadwaterError, match="read-only"):
        TokenTable(engine).insert("ada", "ab" * 32, "read", [])
    engine.dispose()


def test_a_reader_needs_no_right_but_to_read(postgres: Postgres, address: str, tmp_path: Path) -> None:
    writer = Writer(address)
    assert writer.begin()
    writer.ledger.fix("base_iri", "https://data.example/")
    writer.ledger.append([record("a")], "ada")
    writer.close()
    postgres.say("postgres", "CREATE ROLE viewer LOGIN PASSWORD 'viewer'")
    postgres.say(name_of(address), "GRANT SELECT ON ALL TABLES IN SCHEMA public TO viewer")
    follower = Follower(f"postgresql+psycopg://viewer:viewer@127.0.0.1:{postgres.port}/{name_of(address)}", tmp_path)
    follower.begin()
    assert (follower.copy.last_sequence(), follower.standing().behind) == (1, 0)
    follower.close()


def failing(address: str) -> HeadwaterError:
    with pytest.raises(HeadwaterError) as failed:
        open_engine(address)
    return failed.value


def test_what_keeps_a_ledger_from_being_opened_is_said_with_its_remedy_and_without_the_password(
    postgres: Postgres, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = failing(postgres.address(name_of(address), "another/secret"))
    assert "password" in wrong.remedy
    absent = failing(postgres.address("nothing_here"))
    assert "createdb" in absent.remedy
    nobody = failing(f"postgresql://ada:{'hidden'}@127.0.0.1:1/x")
    assert isinstance(nobody, LedgerAway)
    postgres.say("postgres", "CREATE ROLE guest LOGIN PASSWORD 'guest'")
    rights = failing(f"postgresql+psycopg://guest:guest@127.0.0.1:{postgres.port}/{name_of(address)}")
    assert isinstance(rights, StorageFailed)
    assert "GRANT" in rights.remedy
    latin = failing(postgres.database("ENCODING 'LATIN1' TEMPLATE template0"))
    assert isinstance(latin, Conflict)
    assert "UTF8" in latin.remedy
    driver = failing("postgresql+nothing://ada:hidden@h/x")
    assert isinstance(driver, BadParameter)
    assert "headwater[postgres]" in driver.remedy
    assert isinstance(failing("mysql://ada:hidden@h/x"), BadParameter)
    assert isinstance(failing("postgresql://ada:hidden@h:none/x"), BadParameter)
    from headwater.ledger import postgres as wanted

    monkeypatch.setattr(wanted, "_OLDEST", 99)
    assert "Upgrade" in failing(address).remedy
    for error in (wrong, absent, nobody, rights, latin, driver):
        words = f"{error.detail} {error.remedy}"
        assert not any(secret in words for secret in ("secret", "hidden", "s3cret", "guest:guest")), words
