"""One request's outputs on their way from the pool to a response."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

from inference.engine.messages import Output

FIRST_BEAT = 2.0  # seconds; then a response should start even if no token is there yet
BEAT = 10.0  # seconds; LibreChat's HTTP client gives up after 300 silent ones, proxies often after 60


class Generation:
    """An async iterator over the outputs of a request; the last one is terminal.

    When nothing has come for a while it yields None instead, so that the reader can send a sign of life.
    `close` may be called at any time, from any thread, and more than once: an unfinished request is aborted.
    """

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Output | None] = asyncio.Queue()
        self._on_close: Callable[[], None] | None = None
        self._finished = False
        self._timer = self._loop.call_later(FIRST_BEAT, self._beat)

    def put(self, output: Output) -> None:
        """Take an output; those after the terminal one are dropped."""
        if self._finished:
            return
        self._queue.put_nowait(output)
        if output.finished:
            self._end()

    def on_close(self, callback: Callable[[], None]) -> None:
        """Say what stops the work if the reader loses interest; replaces what was said before."""
        self._on_close = callback

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._close)

    def __aiter__(self) -> "Generation":
        return self

    async def __anext__(self) -> Output | None:
        if self._finished and self._queue.empty():
            raise StopAsyncIteration
        return await self._queue.get()

    def _close(self) -> None:
        if self._finished:
            return
        self._end()
        if self._on_close:
            self._on_close()

    def _end(self) -> None:
        self._finished = True
        self._timer.cancel()

    def _beat(self) -> None:
        if self._queue.empty():
            self._queue.put_nowait(None)
        self._timer = self._loop.call_later(BEAT, self._beat)


async def merged(generations: Sequence[Generation]) -> AsyncGenerator[tuple[int, Output | None], None]:
    """Yield the outputs of several generations, each with its generation's number, as they come.

    Signs of life are passed on from the first one that is not finished. The generations stay the caller's to close.
    """
    queue: asyncio.Queue[tuple[int, Output | None]] = asyncio.Queue()
    pumps = [asyncio.create_task(_pump(number, each, queue)) for number, each in enumerate(generations)]
    unfinished = set(range(len(generations)))
    try:
        while unfinished:
            number, output = await queue.get()
            if output is not None or number == min(unfinished):
                yield number, output
            if output is not None and output.finished:
                unfinished.remove(number)
    finally:
        for pump in pumps:
            pump.cancel()


async def _pump(number: int, generation: Generation, queue: "asyncio.Queue[tuple[int, Output | None]]") -> None:
    async for output in generation:
        queue.put_nowait((number, output))
