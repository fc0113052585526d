"""The pool's changes as server-sent events."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from inference.pool import pool
from inference.streaming import comment, sse

MOST_OFTEN = 0.2  # seconds between two events
BEAT = 15.0  # seconds without a change until a comment says that the server is still there


async def on_every_change(body: Callable[[], Awaitable[dict[str, Any]]]) -> AsyncIterator[bytes]:
    """Yield what `body` returns as an event, now and whenever anything in the pool changes, until the server stops."""
    while not pool.is_closing:
        seen = pool.changes.count
        yield sse(await body())
        await asyncio.sleep(MOST_OFTEN)
        while pool.changes.count == seen:
            await pool.changes.after(seen, BEAT)
            if pool.changes.count == seen:
                yield comment("keep-alive")
