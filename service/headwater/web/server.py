"""Serving the application until told to stop; prints nothing itself."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from headwater.app import Headwater
from headwater.errors import Conflict, HeadwaterError
from headwater.web.application import create_app
from headwater.web.arriving import punctual

_FILES = 16_384


def serve(headwater: Headwater, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT, let requests under way finish (ten seconds), and return, so that the caller can close.

    Meanwhile the role is kept to: a reader follows the ledger, a writer looks after its right to write. And everything is audited
    in the background whenever that is due, unless the setting `audits` says otherwise.

    Requests that fail are logged by `headwater.web`, the server's own troubles by `uvicorn.error`; whoever calls this decides
    where these go. Raises `Conflict` if the address cannot be had, `Strayed` where a reader has to begin anew.
    """
    _many_files()
    with listening(host, port) as listener, _outliving_signals():
        headwater.audits.watch()
        server = uvicorn.Server(configured(headwater))
        failed: list[HeadwaterError] = []

        def give_up(error: HeadwaterError) -> None:
            failed.append(error)
            server.should_exit = True

        headwater.duty.keep(give_up)
        server.run(sockets=[listener])
    if failed:
        raise failed[0]


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens at `host:port` (port 0: any free one). Raises `Conflict` if the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio switches Nagle's algorithm off only then; left on, every answer takes 40 ms longer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except (OSError, OverflowError) as error:
        listener.close()
        raise Conflict(
            f"cannot listen at {host}:{port}: {getattr(error, 'strerror', None) or error}",
            remedy="Stop the program that holds this port, or choose another with --port.",
        ) from error
    with listener:
        yield listener


def configured(headwater: Headwater) -> uvicorn.Config:
    """uvicorn's settings, with limits against slow and greedy clients."""
    app = create_app(headwater)
    return uvicorn.Config(
        app,
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        server_header=False,
        # A forwarded address would decide who counts as local, so it is never believed.
        proxy_headers=False,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=10,
        limit_concurrency=1024,
        http=punctual(headwater.settings.request_timeout_s, app.state.repeated),
        ws="none",
        lifespan="off",
        h11_max_incomplete_event_size=64 * 1024,
    )


def _many_files() -> None:
    """Have as many files and connections open at once as the system grants: many systems grant 1,024 until one asks."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = min(hard, _FILES) if hard != resource.RLIM_INFINITY else _FILES
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@contextmanager
def _outliving_signals() -> Iterator[None]:
    """uvicorn raises the signal that stopped it once more when it is done; that must not kill us before we have closed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
