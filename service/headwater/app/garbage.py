"""Holding back Python's search for garbage while a batch of records is made: it would look at every term of it again and again.

Every IRI, literal and triple is an object that the collector tracks, and a batch holds hundreds of thousands, none of them in a
cycle: reference counting frees them. Searching them for cycles took a quarter of an import's time.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_held = 0
_was_on = False


@contextmanager
def held_back() -> Iterator[None]:
    """No search for cycles in this process until the block ends; blocks may overlap, in any number of threads.

    >>> before = gc.isenabled()
    >>> with held_back():
    ...     gc.isenabled()
    False
    >>> gc.isenabled() == before
    True
    """
    global _held, _was_on
    with _lock:
        if not _held:
            _was_on = gc.isenabled()
            gc.disable()
        _held += 1
    try:
        yield
    finally:
        with _lock:
            _held -= 1
            last = not _held
            if last and _was_on:
                gc.enable()
        if not last:
            # With imports in several threads there may never be a moment without one: the young objects are looked through here.
            gc.collect(0)
