"""Audits that begin by themselves: when, how often, what is kept of them, what each reader is told, and how they end."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pyoxigraph import NamedNode, Quad, RdfFormat

from headwater import assets
from headwater.access import LOCAL, Reader
from headwater.app import Headwater, audit_worker, auditing
from headwater.app.audit_book import SNAPSHOTS
from headwater.checking.audit import Audit, AuditCancelled
from headwater.errors import Conflict, StorageFailed
from headwater.store.embedded import EmbeddedStore
from headwater.terms.names import PROV, RDF
from tests.app.conftest import PREFIXES

Opening = Callable[..., Headwater]

FAULT = "x:c a hw:Change . "
WHOLE = "x:c hw:changeKind hw:bug-found ; hw:changedObject x:s . "


def write(headwater: Headwater, folder: Path, turtle: str, name: str = "a", visibility: str = "public") -> str:
    path = folder / f"{name}.ttl"
    path.write_text(PREFIXES + turtle)
    outcome = headwater.import_source(path, format="rdf", visibility=visibility).records[0]
    assert outcome.status != "rejected", outcome.as_dict()
    return outcome.iri


def spoil(headwater: Headwater, folder: Path) -> None:
    """A withdrawal that leaves two faults at x:c."""
    first = write(headwater, folder, WHOLE, "whole")
    write(headwater, folder, FAULT, "fault")
    headwater.withdraw(first, LOCAL, by="ada", reason="a mistake")


def rest(headwater: Headwater, seconds: float = 60) -> dict[str, object]:
    """Wait until no audit runs or is to begin."""
    until = time.monotonic() + seconds
    while (status := headwater.audits.status())["state"] != "idle":
        assert time.monotonic() < until, status
        time.sleep(0.02)
    return status


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[threading.Event]:
    """Audits in the background wait until their event is set; one event is made for each that begins."""
    begun: list[threading.Event] = []
    real = auditing.audit_store

    def held(store, base, progress, cancelled):  # type: ignore[no-untyped-def]
        begun.append(threading.Event())
        progress(3, 10)
        while not begun[-1].wait(0.02):
            if cancelled():
                raise AuditCancelled("The audit was stopped before its end.")
        return real(store, base, progress, cancelled)

    monkeypatch.setattr(auditing, "audit_store", held)
    return begun


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_withdrawal_that_leaves_faults_starts_an_audit_in_a_process_of_its_own(opened: Opening, tmp_path: Path) -> None:
    headwater = opened()
    headwater.audits.watch()
    spoil(headwater, tmp_path)
    status = rest(headwater)
    assert (status["due"], status["failure"], status["counts"]) == (False, None, {"violation": 2, "warning": 0, "info": 1})
    report = headwater.audit_report(LOCAL).as_dict("de")
    assert report["last"]["sequence"] == 3
    assert {finding["focus"] for finding in report["last"]["results"]} == {"https://lab.example/c"}
    assert "Die Änderung sagt nicht, was geschehen ist." in [
        one["message"].partition(" Geben")[0] for one in report["last"]["results"]
    ]
    assert list((tmp_path / "data").glob(f"{SNAPSHOTS}*/")) == []


def test_it_is_known_after_a_restart(opened: Opening, tmp_path: Path) -> None:
    first = opened()
    spoil(first, tmp_path)
    first.audit()
    told = first.audit_report(LOCAL)
    first.close()
    again = opened().audit_report(LOCAL)
    assert again.as_dict("de")["last"] == told.as_dict("de")["last"]
    assert again.last == told.last


def test_nothing_is_audited_where_nobody_watches_or_it_is_switched_off(opened: Opening, tmp_path: Path) -> None:
    headwater = opened()
    spoil(headwater, tmp_path)
    assert (headwater.audits.status()["state"], headwater.audits.status()["due"]) == ("idle", True)
    headwater.close()
    headwater = opened(audits="manual")
    headwater.audits.watch()
    assert (headwater.audits.status()["state"], headwater.audits.status()["automatic"]) == ("idle", False)
    headwater.audits.request()
    assert rest(headwater)["due"] is False


def test_an_audit_that_was_due_before_begins_when_the_service_does(opened: Opening, tmp_path: Path) -> None:
    headwater = opened()
    spoil(headwater, tmp_path)
    headwater.close()
    headwater = opened()
    headwater.audits.watch()
    assert rest(headwater)["due"] is False


def test_other_shapes_start_one(opened: Opening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    headwater = opened()
    write(headwater, tmp_path, "x:r a mls:Run .")
    headwater.close()
    other = tmp_path / "shapes"
    other.mkdir()
    (other / "a.ttl").write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix mls: <http://www.w3.org/ns/mls#> . "
        '<urn:S> sh:targetClass mls:Run ; sh:path mls:none ; sh:minCount 1 ; sh:message "None."@en , "Keins."@de .'
    )
    real = assets.folder
    monkeypatch.setattr(assets, "folder", lambda name: other if name == "shapes" else real(name))
    headwater = opened()
    headwater.audits.watch()
    assert rest(headwater)["counts"]["violation"] == 1  # type: ignore[index]
    found = headwater.audit_report(LOCAL)
    assert [result.sentence("de") for result in found.shown] == ["<https://lab.example/r>: Keins."]


def test_one_runs_at_a_time_and_a_reason_meanwhile_makes_one_more(
    opened: Opening, tmp_path: Path, counted: list[threading.Event]
) -> None:
    headwater = opened(store="memory", audit_pause_s=0)
    headwater.audits.watch()
    spoil(headwater, tmp_path)
    until(lambda: len(counted) == 1)
    status = headwater.audits.status()
    assert (status["state"], status["progress"]["done"], status["progress"]["total"]) == ("running", 3, 10)
    with pytest.raises(Conflict, match="under way"):
        headwater.audit()
    headwater.audits.note("Something else happened.")
    headwater.audits.note("And once more.")
    counted[0].set()
    until(lambda: len(counted) == 2)
    assert headwater.audits.status()["reasons"] == ["Something else happened.", "And once more."]
    counted[1].set()
    assert rest(headwater)["due"] is False
    assert len(counted) == 2


def test_audits_that_begin_by_themselves_keep_their_distance_and_those_asked_for_do_not(
    opened: Opening, counted: list[threading.Event]
) -> None:
    headwater = opened(store="memory", audit_pause_s=3600)
    headwater.audits.watch()
    headwater.audits.note("One.")
    until(lambda: len(counted) == 1)
    counted[0].set()
    rest(headwater)
    headwater.audits.note("Two.")
    assert headwater.audits.status()["state"] == "waiting"
    headwater.audits.request()
    until(lambda: len(counted) == 2)
    counted[1].set()
    assert rest(headwater)["due"] is False


@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize("store", ["memory", "embedded"])
def test_closing_stops_an_audit_which_is_due_again(
    store: str, opened: Opening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The process hangs where the thread waits.
    monkeypatch.setattr(audit_worker, "_BEGIN", 'import time; print(\'{"done": 3, "total": 10}\', flush=True); time.sleep(600)')
    headwater = opened(store=store)
    headwater.audits.watch()
    headwater.audits.note("One.")
    until(lambda: (headwater.audits.status()["progress"] or {}).get("done") == 3)
    headwater.close()
    status = headwater.audits.status()
    assert (status["state"], status["due"], status["failure"]) == ("idle", True, None)
    assert list((tmp_path / "data").glob(f"{SNAPSHOTS}*/")) == []
    with pytest.raises(Conflict):
        headwater.audits.request()
    if store == "embedded":
        assert json.loads((tmp_path / "data" / "audit.json").read_text())["due"] == ["One."]


@pytest.mark.parametrize("begin", ["import os; os.abort()", "raise SystemExit('no memory left')", "print('{\"error')"])
def test_an_audit_that_fails_is_logged_and_told_and_still_due(
    begin: str, opened: Opening, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(audit_worker, "_BEGIN", begin)
    headwater = opened()
    headwater.audits.watch()
    headwater.audits.note("One.")
    status = rest(headwater)
    assert status["reasons"] == ["One."]
    assert str(status["failure"]["detail"]).startswith("The process of the audit ended with code")  # type: ignore[index]
    assert "an audit failed" in caplog.text
    headwater.close()
    monkeypatch.undo()
    headwater = opened()
    assert headwater.audits.status()["failure"] == status["failure"]
    headwater.audit()
    assert headwater.audits.status()["failure"] is None


def test_an_error_of_the_store_reaches_us_from_the_other_process(tmp_path: Path) -> None:
    with pytest.raises(audit_worker.AuditFailed, match="cannot be read"):
        audit_worker.audit_apart(tmp_path / "nothing", "https://data.example/", lambda _done, _total: None, threading.Event())


def test_an_unexpected_error_is_told_too(
    opened: Opening, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> Audit:
        raise ZeroDivisionError("no digits")

    monkeypatch.setattr(auditing, "audit_store", broken)
    headwater = opened(store="memory")
    headwater.audits.request()
    assert "ZeroDivisionError" in rest(headwater)["failure"]["detail"]  # type: ignore[index]
    assert "Traceback" in caplog.text


def test_a_snapshot_that_a_killed_process_left_is_cleared_away(opened: Opening, tmp_path: Path) -> None:
    left = tmp_path / "data" / f"{SNAPSHOTS}abc" / "store"
    left.mkdir(parents=True)
    (left / "file").write_text("x")
    opened()
    assert not left.parent.exists()


def test_a_store_without_snapshots_is_audited_as_it_stands_and_that_is_said(
    opened: Opening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EmbeddedStore, "snapshots", False)
    headwater = opened()
    spoil(headwater, tmp_path)
    headwater.audits.request()
    rest(headwater)
    report = headwater.audit_report(LOCAL)
    assert report.as_dict()["last"]["live_store"] is True
    assert b"makes no snapshots" in report.rdf(RdfFormat.TURTLE)


def test_a_snapshot_is_never_made_in_the_middle_of_a_rebuild(opened: Opening, tmp_path: Path) -> None:
    headwater = opened()
    spoil(headwater, tmp_path)
    done = threading.Event()
    with headwater._writer.paused():
        thread = threading.Thread(target=lambda: (headwater.audit(), done.set()))
        thread.start()
        assert not done.wait(0.3)
    thread.join()
    assert done.is_set()


@pytest.fixture
def guarded(opened: Opening, tmp_path: Path) -> Headwater:
    """Faults that are public, internal, of a project, and one that shows only with what is hidden."""
    headwater = opened(store="memory")
    for name, visibility in (("open", "public"), ("inner", "internal"), ("beam", "project:beam")):
        whole = write(
            headwater, tmp_path, f"x:{name} hw:changeKind hw:bug-found ; hw:changedObject x:s .", f"w{name}", visibility
        )
        write(headwater, tmp_path, f'x:{name} a hw:Change ; rdfs:label "the {name} one" .', f"f{name}", visibility)
        headwater.withdraw(whole, LOCAL, by="ada", reason="a mistake")
    both, views = NamedNode("https://lab.example/both"), headwater.views
    known = [Quad(both, RDF.type, PROV.Activity, view) for view in (views.public, views.internal)]
    headwater._store.change([], [*known, Quad(both, RDF.type, PROV.Entity, views.internal)], headwater.sequence)
    headwater.audit()
    return headwater


def test_a_reader_is_told_what_he_may_see_and_of_the_rest_the_number(guarded: Headwater) -> None:
    def told(reader: Reader) -> tuple[set[str], int]:
        found = guarded.audit_report(reader).as_dict()
        assert found["last"]["counts"] == guarded.audit_report(LOCAL).as_dict()["last"]["counts"]
        assert found["last"]["hidden_count"] + len(found["last"]["results"]) == sum(found["last"]["counts"].values())
        return {one["focus"].rpartition("/")[2] for one in found["last"]["results"]}, found["last"]["hidden_count"]

    everything, none = told(LOCAL)
    assert ({"open", "inner", "beam", "both"} <= everything, none) == (True, 0)
    stranger, hidden = told(Reader("anonymous", "none", frozenset()))
    assert stranger == {"open"}, "what shows only together with what is hidden is hidden, too"
    assert hidden > 0
    member, _ = told(Reader("eve", "read", frozenset({"beam"})))
    assert {"open", "inner", "beam"} <= member
    guest, _ = told(Reader("bob", "read", frozenset()))
    assert "beam" not in guest
    assert "inner" in guest


def test_no_word_of_a_hidden_finding_reaches_a_stranger(guarded: Headwater) -> None:
    report = guarded.audit_report(Reader("anonymous", "none", frozenset()))
    for text in (json.dumps(report.as_dict()), report.rdf(RdfFormat.TURTLE).decode()):
        assert "the open one" in text or "lab.example/open" in text
        assert "inner" not in text
        assert "beam" not in text


def test_a_finding_goes_with_what_it_is_about(guarded: Headwater) -> None:
    stranger = Reader("anonymous", "none", frozenset())
    assert guarded.audit_report(stranger).shown
    record = next(iri for iri, level in guarded._index.records() if level == "public")
    guarded.withdraw(record, LOCAL, by="ada", reason="wrong")
    assert "open" not in {result.focus.rpartition("/")[2] for result in guarded.audit_report(stranger).shown}


def test_a_disk_that_refuses_the_note_refuses_the_withdrawal(
    opened: Opening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    headwater = opened()
    first = write(headwater, tmp_path, WHOLE, "whole")
    write(headwater, tmp_path, FAULT, "fault")

    def full(_reason: str) -> None:
        raise StorageFailed("The disk is full.")

    monkeypatch.setattr(headwater._writer, "audit_due", full)
    with pytest.raises(StorageFailed):
        headwater.withdraw(first, LOCAL, by="ada", reason="a mistake")
    assert headwater.record(first, LOCAL)["act"] == "write"
