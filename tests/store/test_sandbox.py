"""Strangers' queries in processes of their own: limits hold, what breaks is replaced, and nobody takes a part for the whole."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from headwater.errors import BadQuery, HeadwaterError, NotAcceptable, StorageFailed, TooLarge
from headwater.store.embedded import EmbeddedStore
from headwater.store.sandbox import Busy, Limits, QueryBroke, QueryTimeout, Sandbox, scratch
from headwater.store.sandbox.process import YIELDING
from headwater.store.sandbox.spool import Spool

G, H, P = NamedNode("urn:g"), NamedNode("urn:h"), NamedNode("urn:p")
ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
COUNT = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
LONG = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"


@pytest.fixture(params=["disk", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedStore]:
    store = EmbeddedStore(tmp_path / "store" if request.param == "disk" else None)
    store.load([Quad(NamedNode(f"urn:s{number}"), P, Literal(number), G) for number in range(2000)], 1)
    yield store
    store.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[EmbeddedStore]:
    store = EmbeddedStore(tmp_path / "store")
    store.load([Quad(NamedNode(f"urn:s{number}"), P, Literal(number), G) for number in range(2000)], 1)
    yield store
    store.close()


def _box(store: EmbeddedStore, tmp_path: Path, **limits: float) -> Sandbox:
    return Sandbox(store, tmp_path / "snapshots", Limits(**{"workers": 2, **limits}))  # type: ignore[arg-type]


def _counted(box: Sandbox, graph: str = "urn:g") -> tuple[int, int]:
    stream = box.query(COUNT, [graph], accept="text/csv")
    return int(stream.body().split()[1]), stream.sequence


def _count(box: Sandbox, graph: str = "urn:g") -> int:
    return _counted(box, graph)[0]


def _timed_out(box: Sandbox) -> None:
    with pytest.raises(QueryTimeout):
        box.query(ENDLESS, ["urn:g"])


def test_a_query_sees_every_write_before_it(store: EmbeddedStore, tmp_path: Path) -> None:
    with _box(store, tmp_path) as box:
        assert _counted(box) == (2000, 1)
        for number in range(2, 6):
            store.change([], [Quad(NamedNode(f"urn:new{number}"), P, Literal(0), G)], number)
            assert _counted(box) == (1999 + number, number)


def test_a_staleness_lets_a_query_see_an_older_state(disk: EmbeddedStore, tmp_path: Path) -> None:
    with _box(disk, tmp_path, staleness=3600.0) as box:
        assert _count(box) == 2000
        disk.change([], [Quad(NamedNode("urn:new"), P, Literal(0), G)], 2)
        assert _counted(box) == (2000, 1)


def test_what_takes_too_long_is_stopped_and_the_next_query_answered(disk: EmbeddedStore, tmp_path: Path) -> None:
    with _box(disk, tmp_path, seconds=0.7, workers=1) as box:
        with pytest.raises(QueryTimeout):
            box.query(ENDLESS, ["urn:g"])
        assert box.status()["workers"] == 0
    with _box(disk, tmp_path, seconds=30.0, workers=1) as box:
        assert _count(box) == 2000


def test_a_long_answer_that_takes_too_long_ends_in_an_error_between_its_pieces(disk: EmbeddedStore, tmp_path: Path) -> None:
    with _box(disk, tmp_path, seconds=5.0) as box:
        stream = box.query(LONG, ["urn:g"], accept="text/csv")
        assert not stream.whole
        pieces = stream.pieces()
        assert next(pieces).startswith(b"a,b,c,d,e,f,g,h,i")
        with pytest.raises(QueryTimeout):
            list(pieces)


def test_memory_is_limited_and_the_service_lives_on(disk: EmbeddedStore, tmp_path: Path) -> None:
    greedy = "SELECT (GROUP_CONCAT(CONCAT(STR(?a), STR(?d))) AS ?x) { ?a ?b ?c . ?d ?e ?f }"
    with _box(disk, tmp_path, memory=64 * 2**20, slow_after=1000.0) as box:
        with pytest.raises(QueryBroke):
            box.query("SELECT * { ?a ?b ?c . ?d ?e ?f } ORDER BY DESC(?c) ?f", ["urn:g"])
        with pytest.raises(QueryBroke):
            box.query(greedy, ["urn:g"])
        assert _count(box) == 2000


def test_an_answer_is_never_longer_than_allowed(disk: EmbeddedStore, tmp_path: Path) -> None:
    with _box(disk, tmp_path, answer=10_000) as box, pytest.raises(TooLarge):
        box.query("SELECT * { ?s ?p ?o }", ["urn:g"])


def test_a_text_that_ends_the_engine_ends_one_reader_only(disk: EmbeddedStore, tmp_path: Path) -> None:
    with _box(disk, tmp_path) as box:
        with pytest.raises((QueryBroke, BadQuery)):
            box.query("SELECT * " + "{" * 20_000, ["urn:g"])
        assert _count(box) == 2000


@pytest.mark.parametrize(("text", "accept", "error"), [("SELECT nonsense", None, BadQuery), (COUNT, "image/png", NotAcceptable)])
def test_errors_come_across_as_what_they_are(
    disk: EmbeddedStore, tmp_path: Path, text: str, accept: str | None, error: type[HeadwaterError]
) -> None:
    with _box(disk, tmp_path) as box:
        with pytest.raises(error):
            box.query(text, ["urn:g"], accept=accept)
        assert box.status() == {"workers": 1, "idle": 1, "lost": 0, "most": 2}


def test_only_the_graphs_that_were_named_exist(disk: EmbeddedStore, tmp_path: Path) -> None:
    disk.change([], [Quad(NamedNode("urn:hidden"), P, Literal("secret"), H)], 2)
    with _box(disk, tmp_path) as box:
        for text in (
            "SELECT ?s { GRAPH ?g { ?s ?p 'secret' } }",
            "SELECT ?s { GRAPH <urn:h> { ?s ?p ?o } }",
            "SELECT ?s FROM <urn:h> { ?s ?p ?o }",
            "SELECT ?s FROM NAMED <urn:h> { GRAPH ?g { ?s ?p ?o } }",
        ):
            assert b"hidden" not in box.query(text, ["urn:g"], ["urn:g"], accept="text/csv").body()


def test_lists_of_graphs_that_a_reader_has_forgotten_are_told_again(disk: EmbeddedStore, tmp_path: Path) -> None:
    with _box(disk, tmp_path, workers=1) as box:
        for number in range(150):
            assert _count(box, f"urn:none{number}") == 0
        assert (_count(box), _count(box, "urn:none3")) == (2000, 0)


def test_a_query_that_nobody_waits_for_is_stopped(disk: EmbeddedStore, tmp_path: Path) -> None:
    with _box(disk, tmp_path, seconds=60.0, workers=1) as box:
        job = box.job()
        threading.Timer(0.5, job.cancel).start()
        begun = time.monotonic()
        with pytest.raises(QueryBroke, match="cancelled"):
            box.query(ENDLESS, ["urn:g"], job=job)
        assert time.monotonic() - begun < 30
        assert _count(box) == 2000


def test_more_queries_than_readers_wait_their_turn_or_are_told_so(disk: EmbeddedStore, tmp_path: Path) -> None:
    with _box(disk, tmp_path, seconds=1.5, workers=1) as box:
        _count(box)
        slow = threading.Thread(target=_timed_out, args=(box,))
        slow.start()
        time.sleep(0.3)
        impatient = box.job()
        impatient.deadline = time.monotonic() + 0.2
        with pytest.raises(Busy):
            box.query(COUNT, ["urn:g"], job=impatient)
        slow.join()
        assert _count(box) == 2000


def test_a_query_that_takes_long_makes_way_for_others(disk: EmbeddedStore, tmp_path: Path) -> None:
    with _box(disk, tmp_path, seconds=60.0, workers=1, slow_after=0.2) as box:
        _count(box)
        job = box.job()
        raised: list[HeadwaterError] = []

        def ask() -> None:
            try:
                box.query(ENDLESS, ["urn:g"], job=job)
            except HeadwaterError as error:
                raised.append(error)

        long = threading.Thread(target=ask)
        long.start()
        # There is one place, and the query that goes on and on has left it.
        assert _count(box) == 2000
        assert job._process is not None
        assert os.getpriority(os.PRIO_PROCESS, job._process.pid) == YIELDING
        assert box.status()["workers"] == 2
        job.cancel()
        long.join()
        assert [type(error) for error in raised] == [QueryBroke]
        assert _count(box) == 2000
        assert box.status()["workers"] == 1


def test_a_worker_that_made_way_takes_its_usual_priority_again_or_is_replaced(disk: EmbeddedStore, tmp_path: Path) -> None:
    with _box(disk, tmp_path, seconds=60.0, workers=1, slow_after=0.01) as box:
        _count(box)
        box.query("SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f }", ["urn:g"]).body()
        assert _count(box) == 2000
        [process] = box._alive
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == os.getpriority(os.PRIO_PROCESS, os.getpid())
        assert box.status() == {"workers": 1, "idle": 1, "lost": 0, "most": 1}


def test_a_query_is_handed_over_at_once_only_where_that_takes_no_waiting(disk: EmbeddedStore, tmp_path: Path) -> None:
    with _box(disk, tmp_path, workers=1) as box:
        assert box.begin(COUNT, ["urn:g"], job=box.job()) is None, "no worker was started yet"
        _count(box)
        begun = box.begin(COUNT, ["urn:g"], accept="text/csv", job=box.job())
        assert begun is not None
        assert box.begin(COUNT, ["urn:g"], job=box.job()) is None, "the only worker has something to do"
        assert (begun.stream().body(), begun.sequence) == (b"n\r\n2000\r\n", 1)
        disk.change([], [Quad(NamedNode("urn:t"), P, Literal(1), G)], 2)
        assert box.begin(COUNT, ["urn:g"], job=box.job()) is None, "a snapshot would have to be made"
        assert _counted(box) == (2001, 2)


def test_what_was_handed_over_at_once_fails_as_it_would_otherwise(disk: EmbeddedStore, tmp_path: Path) -> None:
    with _box(disk, tmp_path, workers=1, seconds=1.0) as box:
        _count(box)
        for text, error in (("SELECT", BadQuery), (ENDLESS, QueryTimeout)):
            begun = box.begin(text, ["urn:g"], job=box.job())
            assert begun is not None
            with pytest.raises(error):
                begun.stream()
            assert _count(box) == 2000
        process = next(iter(box._alive))
        process._process.kill()
        process._process.wait()
        begun = box.begin(COUNT, ["urn:g"], accept="text/csv", job=box.job())
        assert begun is None or begun.stream().body() == b"n\r\n2000\r\n"
        assert _count(box) == 2000


def test_a_client_that_reads_slowly_holds_no_reader(disk: EmbeddedStore, tmp_path: Path) -> None:
    with _box(disk, tmp_path, seconds=60.0, workers=1) as box:
        stream = box.query("SELECT * { ?a ?b ?c . ?d ?e ?f } LIMIT 100000", ["urn:g"], accept="text/csv")
        assert not stream.whole
        assert _count(box) == 2000
        assert sum(piece.count(b"\n") for piece in stream.pieces()) == 100_001


def test_old_snapshots_go_when_their_readers_move_on(disk: EmbeddedStore, tmp_path: Path) -> None:
    with _box(disk, tmp_path, workers=1) as box:
        for number in range(2, 8):
            disk.change([], [Quad(NamedNode(f"urn:new{number}"), P, Literal(0), G)], number)
            _count(box)
        assert len(list((tmp_path / "snapshots").iterdir())) <= 2
    assert not (tmp_path / "snapshots").exists()


def test_what_an_earlier_process_left_is_cleared_away(disk: EmbeddedStore, tmp_path: Path) -> None:
    left = tmp_path / "snapshots" / "7"
    left.mkdir(parents=True)
    (left / "junk").write_text("junk")
    with _box(disk, tmp_path) as box:
        assert _count(box) == 2000
        assert not left.exists()


def test_an_update_is_tried_out_and_changes_nothing(disk: EmbeddedStore, tmp_path: Path) -> None:
    text = "DELETE { GRAPH <urn:g> { ?s ?p 5 } } INSERT { GRAPH <urn:n> { ?s ?p 6 } } WHERE { GRAPH <urn:g> { ?s ?p 5 } }"
    with _box(disk, tmp_path) as box:
        body = box.update(text, {"": "urn:unnamed", "urn:g": "urn:g"}, 10_000).body()
        changed = {name: (there, content) for name, there, content in scratch.changes(body)}
        assert changed["urn:n"] == (True, b'<urn:s5> <urn:p> "6"^^<http://www.w3.org/2001/XMLSchema#integer> .\n')
        assert changed["urn:g"][1].count(b"\n") == 1999
        assert set(changed) == {"urn:g", "urn:n"}
        assert _count(box) == 2000
        with pytest.raises(TooLarge):
            box.update(text, {"": "urn:unnamed", "urn:g": "urn:g"}, 1000)
        with pytest.raises(BadQuery):
            box.update("DELETE nonsense", {"": "urn:unnamed"}, 1000)


def test_a_full_disk_under_a_long_answer_is_told_as_such_and_the_service_goes_on(disk: EmbeddedStore, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    with _box(disk, tmp_path) as box:
        assert _count(box) == 2000
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, before[1]))
        try:
            with pytest.raises(StorageFailed, match="temporary files") as failed:
                box.query(f"{LONG} LIMIT 200000", ["urn:g"]).body()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert str(tmp_path) not in failed.value.detail
        assert "TMPDIR" in failed.value.remedy
        assert _count(box) == 2000


def test_a_spool_hands_over_everything_in_order_while_it_comes() -> None:
    spool, sent = Spool(), [bytes([number % 256]) * 70_000 for number in range(40)]

    def put() -> None:
        for piece in sent:
            spool.put(piece)
        spool.finish()

    thread = threading.Thread(target=put)
    thread.start()
    assert b"".join(spool.pieces()) == b"".join(sent)
    thread.join()
    spool.close()
