"""Work for a client that may go away: it is stopped when nobody waits for its answer any more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio
from anyio import CapacityLimiter, to_thread
from fastapi import Request

_Result = TypeVar("_Result")


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
