"""Clients that ask an HTTP server one request after the other, many at once, from a process of their own, at little cost.

The clients share the machine with the server, so what they spend is taken from it: an answer is read, its end is found, its
length and status are compared with what was expected, and nothing else is done with it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from bench.measure import percentile


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: its target up to where a number may be added, and the length that its answer has (None: any)."""

    target: str
    accept: str
    length: int | None = None
    numbered: bool = False
    """Whether a number is added to the target, another one each time, so that no two texts are equal."""


@dataclass(slots=True)
class Loop:
    """What came of a closed loop: seconds of each good answer, failures by reason, seconds that it went on."""

    times: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def figures(self) -> dict[str, float | dict[str, int]]:
        """Answers a second, percentiles in seconds, failures."""
        figures: dict[str, float | dict[str, int]] = {
            "answers": len(self.times),
            "per_s": len(self.times) / self.seconds if self.seconds else 0.0,
            "failed": sum(self.failures.values()),
            "why": dict(self.failures),
        }
        if self.times:
            figures |= {"p50": percentile(self.times, 0.5), "p95": percentile(self.times, 0.95)}
        return figures


class Broken(Exception):
    """An answer that is cut, or none."""


class Connection:
    """One connection that is kept open; asks one thing at a time."""

    def __init__(self, address: str, source: str | None = None) -> None:
        parts = urlsplit(address)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._source = (source, 0) if source else None
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, target: str, accept: str, more: str = "") -> tuple[int, int]:
        """Status and length of the body's bytes. Raises `Broken` where the answer is not whole, OSError where there is none."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port, limit=1 << 20, local_addr=self._source)
        reader, writer = self._streams
        try:
            head = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nAccept: {accept}\r\n{more}\r\n"
            writer.write(head.encode())
            return await self._answer(reader)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            self.close()
            raise Broken from error
        except BaseException:
            self.close()
            raise

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[int, int]:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        status = int(head[9:12])
        size = 0
        if b"transfer-encoding: chunked" in head:
            while length := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
                await reader.readexactly(length + 2)
                size += length
            await reader.readuntil(b"\r\n")
        elif (place := head.find(b"content-length:")) >= 0:
            size = int(head[place + 15 : head.index(b"\r\n", place)])
            await reader.readexactly(size)
        elif status not in (204, 304):
            size = len(await reader.read())
            self.close()
        if b"connection: close" in head:
            self.close()
        return status, size

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def target_of(query_url: str, text: str) -> str:
    """The path and query of a request by GET."""
    return f"{urlsplit(query_url).path}?query={quote(text, safe='')}"


async def _client(
    address: str, asks: Sequence[Ask], until: float, patience: float, number: int, loop: Loop, source: str | None, more: str
) -> None:
    draw = random.Random(number)
    connection = Connection(address, source)
    asked = 0
    while (began := time.perf_counter()) < until:
        ask = draw.choice(asks)
        asked += 1
        target = f"{ask.target}{quote(chr(10))}%23%20{number}.{asked}.{time.time_ns()}" if ask.numbered else ask.target
        try:
            status, size = await asyncio.wait_for(connection.ask(target, ask.accept, more), patience)
        except TimeoutError:
            loop.failures["time-out"] += 1
            connection.close()
            continue
        except (Broken, OSError) as error:
            loop.failures["broken" if isinstance(error, Broken) else "refused"] += 1
            connection.close()
            await asyncio.sleep(0.05)
            continue
        if status != 200:
            loop.failures[f"status {status}"] += 1
        elif ask.length is not None and size != ask.length:
            loop.failures["other answer"] += 1
        else:
            loop.times.append(time.perf_counter() - began)
    connection.close()


async def _loop(
    address: str, asks: Sequence[Ask], clients: int, seconds: float, patience: float, strangers: bool, first: int
) -> Loop:
    loop = Loop()
    began = time.perf_counter()
    # As strangers, each client has an address of its own, and says that it comes by way of another machine.
    more = "X-Forwarded-For: 192.0.2.1\r\n" if strangers else ""
    sources = [f"127.0.1.{first + number + 1}" if strangers else None for number in range(clients)]
    every = (
        _client(address, asks, began + seconds, patience, first + number, loop, source, more)
        for number, source in enumerate(sources)
    )
    await asyncio.gather(*every)
    loop.seconds = time.perf_counter() - began
    return loop


def _work(sender: multiprocessing.connection.Connection, arguments: tuple) -> None:  # type: ignore[type-arg]
    sender.send(asyncio.run(_loop(*arguments)))


def closed_loop(
    address: str,
    asks: Sequence[Ask],
    *,
    clients: int,
    seconds: float,
    patience: float = 10.0,
    strangers: bool = False,
    first: int = 0,
    meanwhile: Callable[[], None] | None = None,
) -> Loop:
    """Have `clients` ask for `seconds`, drawing from `asks` at random; what takes longer than `patience` is a failure.

    `meanwhile` is called here while they ask. `first` numbers the clients, so that two loops at once differ.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(sender, (address, list(asks), clients, seconds, patience, strangers, first)))
    process.start()
    # Held open here, it would have `recv` wait for ever for a process that ended early.
    sender.close()
    try:
        if meanwhile is not None:
            meanwhile()
        loop = receiver.recv()
        assert isinstance(loop, Loop)
        return loop
    finally:
        process.join()
