"""What was judged is kept as long as it holds, and no longer."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater.app import Headwater
from headwater.app.judged import Judged
from headwater.lineage.verdict import Change
from headwater.settings import Settings
from tests.app.test_announced_changes import DATA, change
from tests.lineage.worlds import EX, PREFIXES, World, used

CHAIN = f":r a hw:Run ; {used(':d', 'train')} . :d a hw:Dataset . :m a hw:Model ; prov:wasGeneratedBy :r ."


@pytest.fixture
def headwater(tmp_path: Path) -> Iterator[Headwater]:
    with Headwater.open(Settings(data=tmp_path / "data", store="memory")) as opened:
        yield opened


def write(headwater: Headwater, folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(PREFIXES + text, encoding="utf-8")
    assert headwater.import_source(path, format="rdf").ok


def test_a_verdict_is_made_once_for_a_state_of_the_ledger() -> None:
    world, judged = World(CHAIN), Judged()
    asked = world.change("labels-corrected", "d")
    assert judged.on(asked, world.graph, 1) is judged.on(asked, world.graph, 1)
    assert judged.on(Change("retracted", asked.objects), world.graph, 1).change.kind == "retracted"
    assert len(judged) == 2


def test_verdicts_and_their_graph_go_when_the_ledger_goes_on(tmp_path: Path, headwater: Headwater) -> None:
    reader = headwater.reader(None, loopback=True)
    write(headwater, tmp_path, "data.ttl", DATA)
    write(headwater, tmp_path, "change.ttl", change("hw:changedObject :v1 ; hw:toRevision :v2"))
    graphs = []
    for number in range(12):
        write(headwater, tmp_path, "more.ttl", f':more a hw:Dataset ; rdfs:label "take {number}" .')
        assert [banner.state for banner in headwater.changes_touching(f"{EX}m1", reader)] == ["affected"]
        graphs.append(weakref.ref(headwater._index.graph()))
    gc.collect()
    assert sum(graph() is not None for graph in graphs) == 1


def test_an_older_question_does_not_bring_back_what_was_let_go_of() -> None:
    world, judged = World(CHAIN), Judged()
    asked = world.change("labels-corrected", "d")
    judged.on(asked, world.graph, 2)
    judged.on(Change("retracted", asked.objects), world.graph, 1)
    assert len(judged) == 1


def test_no_more_is_kept_than_allowed_and_the_newest_always() -> None:
    world, judged = World(CHAIN), Judged(most_bytes=1)
    for kind in ("labels-corrected", "retracted", "labels-added"):
        asked = world.change(kind, "d")
        assert judged.on(asked, world.graph, 1) is judged.on(asked, world.graph, 1)
        assert len(judged) == 1


def test_only_changes_that_may_bear_on_a_thing_are_judged_for_it(tmp_path: Path, headwater: Headwater) -> None:
    write(headwater, tmp_path, "data.ttl", DATA)
    write(headwater, tmp_path, "change.ttl", change("hw:changedObject :v2"))
    reader = headwater.reader(None, loopback=True)
    judged = headwater._answerer._judged
    assert headwater.changes_touching(f"{EX}m1", reader) == []
    assert len(judged) == 0
    assert len(headwater.changes_touching(f"{EX}m2", reader)) == 1
    assert len(judged) == 1


def test_announced_changes_are_read_once_for_a_state_of_the_ledger_and_anew_after_a_write(
    tmp_path: Path, headwater: Headwater, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(headwater, tmp_path, "data.ttl", DATA)
    write(headwater, tmp_path, "change.ttl", change("hw:changedObject :v1"))
    reader, read = headwater.reader(None, loopback=True), []
    every = headwater._answerer.notices.all
    monkeypatch.setattr(headwater._answerer.notices, "all", lambda sight: read.append(sight) or every(sight))
    for name in ("m1", "m2", "m1"):
        headwater.changes_touching(f"{EX}{name}", reader)
    assert len(read) == 1
    write(headwater, tmp_path, "change.ttl", change("hw:changedObject :v2"))
    assert [len(headwater.changes_touching(f"{EX}{name}", reader)) for name in ("m1", "m2")] == [0, 1]
    assert len(read) == 2
