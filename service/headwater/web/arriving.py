"""What a connection sends: it is closed when it does not end a request, and answered at once when it asks the same again."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from headwater.web.repeated import RAW, Repeated, may_repeat


def punctual(seconds: float, repeated: Repeated) -> type[H11Protocol]:
    """uvicorn's HTTP protocol, with a limit on how long a connection may take to send the head of a request.

    What was asked before in the same bytes is answered from `repeated`.

    The time begins with the connection, and with the first byte of each further request. uvicorn limits only how long a
    connection may say nothing between two requests: one byte now and then keeps it for ever. The same holds for what is
    still sent of a body after it was answered. (The time of a body that is wanted is limited in
    `headwater.web.observing`.)
    """

    class Punctual(H11Protocol):
        _patience: asyncio.TimerHandle | None = None

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
            super().connection_lost(exc)

        def handle_events(self) -> None:
            super().handle_events()
            self._look()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._look()

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
