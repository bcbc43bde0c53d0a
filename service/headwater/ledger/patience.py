"""Reading once more where a connection broke: one that was cut while it lay idle says nothing about the next."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from headwater.errors import LedgerAway

_Asked = ParamSpec("_Asked")
_Answer = TypeVar("_Answer")


def reading_again(read: Callable[_Asked, _Answer]) -> Callable[_Asked, _Answer]:
    """`read`, tried a second time where the first ends in `LedgerAway`. Only for what changes nothing."""

    @wraps(read)
    def reading(*args: _Asked.args, **named: _Asked.kwargs) -> _Answer:
        try:
            return read(*args, **named)
        except LedgerAway:
            return read(*args, **named)

    return reading
