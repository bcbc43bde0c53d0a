"""What a connection sends: it is closed when it does not end a request in time, answered at once when it asks the same again, and
answered also when it closes its own side after the request and waits."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from headwater.errors import HeadwaterError
from headwater.web.repeated import RAW, Repeated, may_repeat


class _Unreadable(HeadwaterError):
    """What came is no HTTP, or a head longer than 64 KiB."""

    status = 400
    title = "The request cannot be read"
    default_remedy = "Send a long query by POST; the head of a request may have 64 KiB."


_STILL_THERE = b"HTTP/1.1 100 Continue\r\n\r\n"
_PROBES_S = (0.1, 0.1, 0.5, 2.0, 5.0)
"""Seconds to wait before each probe; the first is what provokes a refusal, the second finds it."""


def punctual(seconds: float, repeated: Repeated) -> type[H11Protocol]:
    """uvicorn's HTTP protocol, with a limit on how long a connection may take to send the head of a request.

    What was asked before in the same bytes is answered from `repeated`.

    The time begins with the connection, and with the first byte of each further request. uvicorn limits only how long a
    connection may say nothing between two requests: one byte now and then keeps it for ever. The same holds for what is
    still sent of a body after it was answered. (The time of a body that is wanted is limited in
    `headwater.web.observing`.)

    A client may close the side that it sends on and still wait for its answer (`nc -N`, RFC 9293 3.6); uvicorn takes that for
    leaving. From here the two look alike until something is sent: a client that left refuses it, and the connection breaks. So
    one that closes its side is sent `100 Continue` now and then, which every client of HTTP/1.1 passes over (RFC 9110 15.2.1),
    until the answer begins; it is answered if it is still there, and its question is given up if not.
    """

    class Punctual(H11Protocol):
        _patience: asyncio.TimerHandle | None = None
        _probe: asyncio.TimerHandle | None = None
        _half_closed = False

        def data_received(self, data: bytes) -> None:
            # Only between two requests, all of whose bytes are here, and while the client takes what it is sent.
            between = self.conn.their_state is h11.IDLE and self.conn.our_state is h11.IDLE and not self.conn.trailing_data[0]
            raw = bytes(data) if between and not self.flow.write_paused and may_repeat(data) else None
            if raw is not None and self.client is not None and (found := repeated.find(self.client[0], raw)) is not None:
                head, body = found
                more = b"".join(b"%b: %b\r\n" % pair for pair in self.server_state.default_headers)
                self.transport.write(b"%b%b\r\n%b" % (head, more, body))
                self.server_state.total_requests += 1
                self._end()
                self._unset_keepalive_if_required()
                self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
                return
            before = self.cycle
            super().data_received(data)
            if raw is not None and self.cycle is not None and self.cycle is not before:
                self.cycle.scope[RAW] = raw  # type: ignore[typeddict-unknown-key]

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._begin()

        def connection_lost(self, exc: Exception | None) -> None:
            self._end()
            if self._probe is not None:
                self._probe.cancel()
            super().connection_lost(exc)

        def eof_received(self) -> bool:  # type: ignore[override]
            """Whether the connection stays open for what is still to be sent."""
            whole = self.cycle is not None and not self.cycle.response_complete and self.conn.their_state is not h11.SEND_BODY
            if not whole or self.conn.their_http_version != b"1.1":
                return False
            self._half_closed = True
            self._probe = self.loop.call_later(_PROBES_S[0], self._ask, 1)
            return True

        def send_400_response(self, msg: str) -> None:
            """What cannot be read as HTTP is told in the shape of all errors."""
            if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                body = json.dumps(_Unreadable(msg).problem()).encode()
                headers = [("content-type", "application/problem+json"), ("connection", "close")]
                for event in (h11.Response(status_code=400, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
                    self.transport.write(self.conn.send(event) or b"")
            self.transport.close()

        def _ask(self, times: int) -> None:
            """Send what only a client that is still there takes."""
            if self.cycle.response_started or self.cycle.response_complete or self.transport.is_closing():
                return
            self.transport.write(_STILL_THERE)
            self._probe = self.loop.call_later(_PROBES_S[min(times, len(_PROBES_S) - 1)], self._ask, times + 1)

        def handle_events(self) -> None:
            super().handle_events()
            self._look()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._look()
            if self._half_closed and (self.cycle is None or self.cycle.response_complete):
                self._close()

        def _look(self) -> None:
            coming = self.conn.their_state is h11.IDLE and bool(self.conn.trailing_data[0])
            unwanted = self.conn.their_state is h11.SEND_BODY and self.cycle is not None and self.cycle.response_complete
            if coming or unwanted:
                if self._patience is None:
                    self._begin()
            elif self.conn.their_state is not h11.IDLE or self.cycle is not None:
                self._end()

        def _begin(self) -> None:
            self._patience = self.loop.call_later(seconds, self._close)

        def _end(self) -> None:
            if self._patience is not None:
                self._patience.cancel()
                self._patience = None

        def _close(self) -> None:
            if not self.transport.is_closing():
                self.transport.close()

    return Punctual
