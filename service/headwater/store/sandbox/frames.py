"""How the service and its workers talk: messages of a kind, a length and a body, over pipes."""

from __future__ import annotations

import json
import os
import select
import struct
import time
from typing import Any, Final

from headwater.errors import HeadwaterError

_HEAD = struct.Struct(">cI")
ASK: Final = b"Q"
BEGIN: Final = b"B"
CHUNK: Final = b"C"
END: Final = b"E"
FAILED: Final = b"X"
READY: Final = b"R"
_LONGEST = 2**28


class Gone(Exception):
    """The process at the other end is no longer there."""


class Late(Exception):
    """Nothing came before the deadline."""


def packed(kind: bytes, body: bytes = b"") -> bytes:
    """One message as bytes."""
    return _HEAD.pack(kind, len(body)) + body


def send(descriptor: int, kind: bytes, body: bytes = b"") -> None:
    """Write one message. Raises `Gone` if nobody reads any more."""
    write(descriptor, packed(kind, body))


def write(descriptor: int, messages: bytes) -> None:
    """Write messages that are packed already. Raises `Gone` if nobody reads any more."""
    view = memoryview(messages)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except (BrokenPipeError, OSError) as error:
            raise Gone from error


def send_json(descriptor: int, kind: bytes, body: dict[str, Any]) -> None:
    """Write one message whose body is JSON."""
    send(descriptor, kind, json.dumps(body, separators=(",", ":"), default=str).encode())


class Inbox:
    """Reads messages from a pipe, waiting no longer than until a deadline (seconds of `time.monotonic`)."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._held = bytearray()
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN | select.POLLHUP | select.POLLERR)

    def take(self, deadline: float | None = None) -> tuple[bytes, bytes]:
        """The next message as (kind, body). Raises `Late` at the deadline, `Gone` if the other end is closed."""
        self._fill(_HEAD.size, deadline)
        kind, length = _HEAD.unpack_from(self._held)
        if length > _LONGEST:
            raise Gone
        self._fill(_HEAD.size + length, deadline)
        body = bytes(self._held[_HEAD.size : _HEAD.size + length])
        del self._held[: _HEAD.size + length]
        return kind, body

    @property
    def whole(self) -> bool:
        """Whether the next message is all here."""
        held = len(self._held)
        return held >= _HEAD.size and held >= _HEAD.size + int(_HEAD.unpack_from(self._held)[1])

    @property
    def descriptor(self) -> int:
        """What to watch for more."""
        return self._descriptor

    def feed(self) -> None:
        """Take in what has come, without waiting. Raises `Gone` if the other end is closed."""
        if self._poll.poll(0):
            self._read()

    def _fill(self, size: int, deadline: float | None) -> None:
        while len(self._held) < size:
            wait = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
            if not self._poll.poll(wait):
                raise Late
            self._read()

    def _read(self) -> None:
        try:
            piece = os.read(self._descriptor, 1 << 18)
        except OSError as error:
            raise Gone from error
        if not piece:
            raise Gone
        self._held += piece


def told(error: HeadwaterError) -> dict[str, Any]:
    """An error of ours as a message."""
    return {"error": type(error).__name__, "detail": error.detail, "remedy": error.remedy, "extra": error.extra}


def raised(body: bytes) -> HeadwaterError:
    """The error that a message tells of, as the same class that the worker raised.

    >>> raised(json.dumps({"error": "BadQuery", "detail": "no", "remedy": "mend it", "extra": {}}).encode()).status
    400
    """
    said = json.loads(body)
    classes = {cls.__name__: cls for cls in _tree(HeadwaterError)}
    error = classes.get(said["error"], HeadwaterError)
    return error(said["detail"], remedy=said["remedy"], **said["extra"])


def _tree(cls: type[HeadwaterError]) -> list[type[HeadwaterError]]:
    return [cls, *(below for child in cls.__subclasses__() for below in _tree(child))]


def json_of(body: bytes) -> dict[str, Any]:
    """A message's body, where it is JSON."""
    said = json.loads(body)
    if not isinstance(said, dict):
        raise Gone
    return said
