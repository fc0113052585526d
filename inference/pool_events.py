"""The pool's changes as server-sent events."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from inference.pool import pool
from inference.streaming import comment, sse

MOST_OFTEN = 0.2  # seconds between two events, if nothing else is asked for
BEAT = 15.0  # seconds without a change until a comment says that the server is still there


async def on_every_change(
    body: Callable[[], Awaitable[dict[str, Any]]],
    pause: float = MOST_OFTEN,
    is_moving: Callable[[], bool] = lambda: False,
) -> AsyncIterator[bytes]:
    """Yield what `body` returns as an event, now and whenever anything in the pool changes, until the server stops.

    pause: seconds between two events. is_moving: whether the next event is due without a change, too.
    """
    while not pool.is_closing:
        seen = pool.changes.count
        yield sse(await body())
        await asyncio.sleep(pause)
        while pool.changes.count == seen and not is_moving():
            await pool.changes.after(seen, BEAT)
            if pool.changes.count == seen:
                yield comment("keep-alive")
