"""How often one reader may ask, so that nobody takes the service from the others."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil

import anyio
from fastapi import Request

from headwater.errors import TooMany
from headwater.store.sandbox import Busy
from headwater.web.readers import Who, from_this_machine

_MOST_KNOWN = 20_000
_MOST_WAITING = 32


@dataclass(frozen=True, slots=True)
class Standing:
    """What one reader has left: `remaining` requests now; after `wait` seconds one more, where there is none."""

    allowed: bool
    limit: int
    remaining: int
    wait: float


class Buckets:
    """A bucket of tokens for each reader: it fills at a steady rate, a request takes one.

    >>> buckets = Buckets(per_minute=60, burst=2, clock=lambda: 0.0)
    >>> [buckets.take("ada").allowed for _ in range(3)], buckets.take("grace").allowed, buckets.take("ada").wait
    ([True, True, False], True, 1.0)
    """

    def __init__(self, per_minute: int, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = per_minute / 60
        self._burst = burst
        self._clock = clock
        self._lock = threading.Lock()
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> Standing:
        """Take one token of a reader's, if there is one."""
        with self._lock:
            now = self._clock()
            level, then = self._held.pop(key, (float(self._burst), now))
            level = min(self._burst, level + (now - then) * self._rate)
            allowed = level >= 1
            level -= allowed
            self._held[key] = (level, now)
            while len(self._held) > _MOST_KNOWN:
                # Who has not asked for longest has a bucket that is all but full.
                self._held.popitem(last=False)
        return Standing(allowed, self._burst, int(level), 0.0 if level >= 1 else (1 - level) / self._rate)


def key_of(request: Request, reader: str, scope: str) -> str | None:
    """By whom a request is counted: a token's name, or the address (of IPv6 the /64); None for programs on this machine.

    An address that a proxy forwards is not believed: whoever comes by a proxy without a token shares its address.
    """
    if scope != "none" and reader != "local":
        return f"reader {reader}"
    if from_this_machine(request):
        return None
    return network(request.client.host) if request.client is not None else "nowhere"


def network(host: str) -> str:
    """What an address counts as: itself, or its /64.

    >>> network("192.0.2.7"), network("2001:db8:1:2:3:4:5:6"), network("::ffff:192.0.2.7")
    ('192.0.2.7', '2001:db8:1:2::/64', '192.0.2.7')
    """
    try:
        address = ip_address(host)
    except ValueError:
        return "nowhere"
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, 64), strict=False))
    return str(address)


class Rates:
    """The limits of one application on how often a reader may ask, and on how much of the sandbox he may hold."""

    def __init__(self, per_minute: int, burst: int, running: int, seconds: float, threads: int, workers: int = 2) -> None:
        self._buckets = Buckets(per_minute, burst) if per_minute else None
        self._running = running
        self._seconds = seconds
        self._turns: dict[str, tuple[anyio.Semaphore, list[None]]] = {}
        # Threads of their own, so that questions which wait for a worker leave those for everything else alone.
        self.asking = anyio.CapacityLimiter(threads)
        # Who waits here for a worker that is about to be free needs no thread to wait in.
        self.small = anyio.Semaphore(workers, fast_acquire=True)

    def spend(self, request: Request, reader: Who) -> None:
        """Count a request. Raises `TooMany`."""
        key = key_of(request, reader.name, reader.scope)
        request.state.counted_as = key
        standing = self.standing(key)
        if standing is None:
            return
        request.state.rate = standing
        if not standing.allowed:
            raise TooMany("You ask more often than one reader may.")

    def standing(self, key: str | None) -> Standing | None:
        """Take one request from what a reader has left; None for who is not limited."""
        return None if key is None or self._buckets is None else self._buckets.take(key)

    def turn(self, request: Request) -> Turn:
        """A reader's turn at the sandbox, to be waited for: he may not hold all of its workers."""
        return Turn(self._turns, getattr(request.state, "counted_as", None), self._running, self._seconds)


class Turn:
    """Waits until its reader has fewer questions running than he may; those of others are not waited for."""

    def __init__(
        self, turns: dict[str, tuple[anyio.Semaphore, list[None]]], key: str | None, running: int, seconds: float
    ) -> None:
        self._turns, self._key, self._running, self._seconds = turns, key, running, seconds

    async def __aenter__(self) -> None:
        if self._key is None:
            return
        semaphore, holders = self._turns.setdefault(self._key, (anyio.Semaphore(self._running), []))
        if len(holders) >= self._running + _MOST_WAITING:
            raise TooMany(f"{len(holders)} of your questions run or wait already.", remedy="Wait for their answers.")
        holders.append(None)
        try:
            with anyio.move_on_after(self._seconds):
                await semaphore.acquire()
                return
        except BaseException:
            self._leave()
            raise
        self._leave()
        raise Busy("Your other questions took all the time that this one could wait.")

    async def __aexit__(self, *_: object) -> None:
        if self._key is not None:
            self._turns[self._key][0].release()
            self._leave()

    def _leave(self) -> None:
        assert self._key is not None
        holders = self._turns[self._key][1]
        holders.pop()
        if not holders:
            del self._turns[self._key]


def the_rates(request: Request) -> Rates:
    """The limits of the application that a request came to."""
    rates = request.app.state.rates
    assert isinstance(rates, Rates)
    return rates


async def counted(request: Request, reader: Who) -> None:
    """Counts a request to an expensive route. Raises `TooMany`."""
    the_rates(request).spend(request, reader)


def fields(standing: Standing) -> list[tuple[bytes, bytes]]:
    """The RateLimit header fields (draft-ietf-httpapi-ratelimit-headers) of an answer."""
    policy = f'"reader";q={standing.limit}'
    left = f'"reader";r={standing.remaining};t={ceil(standing.wait)}'
    return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode())]
