"""Writes have a line of their own: bounded, fair, and in nobody's way."""

from __future__ import annotations

import threading
from collections.abc import Callable

import anyio
import httpx
import pytest

from headwater.app import Headwater
from headwater.errors import TooMany
from headwater.web import create_app
from headwater.web.write_line import LineFull, WriteLine

TURTLE = b'<urn:x> <http://www.w3.org/2000/01/rdf-schema#label> "x" .'
TTL = {"Content-Type": "text/turtle"}


def _held(line: WriteLine, key: str | None, others: Callable[[WriteLine], None]) -> None:
    """Run `others` while the line's only thread is taken and one write of `key` waits."""
    release = threading.Event()

    async def run() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(line.run, release.wait)
            await anyio.sleep(0.05)
            group.start_soon(line.run, lambda: None, key)
            await anyio.sleep(0.05)
            try:
                others(line)
            finally:
                release.set()

    anyio.run(run)


def test_a_full_line_says_so_at_once() -> None:
    def full(line: WriteLine) -> None:
        assert line.waiting == 1
        with pytest.raises(LineFull, match="1 writes wait already"):
            line.room()

    _held(WriteLine(at_once=1, waiting=1), None, full)


def test_one_reader_fills_half_of_the_line_and_leaves_the_rest_to_others() -> None:
    def half(line: WriteLine) -> None:
        with pytest.raises(TooMany, match="1 of your writes"):
            line.room("reader ada")
        line.room("reader grace")

    _held(WriteLine(at_once=1, waiting=2), "reader ada", half)


def test_a_write_that_waits_too_long_is_told_and_not_done() -> None:
    done = []
    release = threading.Event()

    async def run() -> None:
        line = WriteLine(at_once=1, waiting=4, seconds=0.1)
        async with anyio.create_task_group() as group:
            group.start_soon(line.run, release.wait)
            await anyio.sleep(0.05)
            with pytest.raises(LineFull, match=r"waited for 0\.1 seconds"):
                await line.run(lambda: done.append(1))
            release.set()
        assert await line.run(lambda: 7) == 7
        assert line.waiting == 0

    anyio.run(run)
    assert done == []


def test_writes_that_are_held_up_keep_no_reader_waiting_and_the_next_is_sent_away(writable: Headwater) -> None:
    """Forty writes would take every thread that pages and questions run in, had they none of their own."""
    app = create_app(writable)
    release = threading.Event()
    import_source = writable.import_source

    def slow(*arguments: object, **more: object) -> object:
        release.wait(20)
        return import_source(*arguments, **more)  # type: ignore[arg-type]

    writable.import_source = slow  # type: ignore[method-assign, assignment]
    app.state.writes = WriteLine(at_once=2, waiting=48, seconds=20)
    statuses: list[int] = []

    async def run() -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("127.0.0.1", 50000))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8321") as client:

            async def write() -> None:
                statuses.append((await client.post("/api/v1/records", content=TURTLE, headers=TTL)).status_code)

            async with anyio.create_task_group() as group:
                for _ in range(50):
                    group.start_soon(write)
                while app.state.writes.waiting < 48:
                    await anyio.sleep(0.02)
                with anyio.fail_after(5):
                    assert (await client.get("/api/v1/objects")).status_code == 200
                    refused = await client.post("/api/v1/records", content=TURTLE, headers=TTL)
                assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
                assert refused.json()["title"] == "Too many writes at once"
                assert "Nothing was written" in refused.json()["remedy"]
                release.set()

    anyio.run(run)
    assert sorted(statuses) == [200] * 49 + [201]
