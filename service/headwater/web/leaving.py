"""Work for a client that may go away: it is stopped when nobody waits for its answer any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import anyio
from anyio import CapacityLimiter, to_thread
from fastapi import Request

_Result = TypeVar("_Result")


async def soon(descriptor: int, look: Callable[[], bool], seconds: float) -> bool:
    """Call `look` whenever there is something to read, until it says that all is here (True) or `seconds` have gone by (False).

    No thread takes part, which is what most of a look-up's time went into. Where the loop cannot watch a pipe, False.
    """
    loop = asyncio.get_running_loop()
    over: asyncio.Future[bool] = loop.create_future()

    def ready() -> None:
        try:
            if look() and not over.done():
                over.set_result(True)
        except BaseException as error:
            if not over.done():
                over.set_exception(error)

    try:
        loop.add_reader(descriptor, ready)
    except NotImplementedError:
        return False
    late = loop.call_later(seconds, lambda: None if over.done() else over.set_result(False))
    try:
        return await over
    finally:
        late.cancel()
        loop.remove_reader(descriptor)


async def until_gone(
    request: Request, work: Callable[[], _Result], cancel: Callable[[], None], limiter: CapacityLimiter | None = None
) -> _Result:
    """Do `work` in a thread (of those that `limiter` counts); `cancel` is called, from another, if the client leaves early.

    The body of the request must have been read. Raises what `work` raises.
    """
    outcome: list[_Result] = []
    failed: list[Exception] = []

    def guarded() -> None:
        try:
            outcome.append(work())
        except Exception as error:
            # Carried across the task group, which would wrap it.
            failed.append(error)

    async with anyio.create_task_group() as group:

        async def watch() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                continue
            await to_thread.run_sync(cancel)

        group.start_soon(watch)
        await to_thread.run_sync(guarded, limiter=limiter)
        group.cancel_scope.cancel()
    if failed:
        raise failed[0]
    return outcome[0]
