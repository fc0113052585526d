"""Waiting until something in the pool has changed."""

import asyncio


class Changes:
    """Counts changes, so that nobody misses one between looking and waiting."""

    def __init__(self) -> None:
        self.count = 0
        self._next: asyncio.Future[None] | None = None

    def notify(self) -> None:
        self.count += 1
        if self._next and not self._next.done():
            self._next.set_result(None)

    async def after(self, count: int, timeout: float | None = None) -> None:
        """Return when there are more changes than `count`, or after `timeout` seconds."""
        if self.count > count:
            return
        if self._next is None or self._next.done():
            self._next = asyncio.get_running_loop().create_future()
        await asyncio.wait([self._next], timeout=timeout)
