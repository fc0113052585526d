"""One request's outputs on their way from the pool to a response."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace

from inference.engine.messages import Embeddings, Output, Relevance
from usage.progress import Progress
from usage.record import current_record

FIRST_BEAT = 2.0  # seconds; then a response should start even if no token is there yet
BEAT = 10.0  # seconds; LibreChat's HTTP client gives up after 300 silent ones, proxies often after 60


class Generation:
    """An async iterator over the outputs of a request; the last one is terminal.

    When nothing has come for a while it yields None instead, so that the reader can send a sign of life. What a slow
    reader has not read yet becomes one output, so that no more than its text piles up.
    `describe` says then what it waits for.
    `close` may be called at any time, from any thread, and more than once: an unfinished request is aborted.
    What comes of it is noted in the record of the API request it was made for. counts_prompt: False for a further
    choice, whose prompt counts with the first one.
    """

    def __init__(self, request_id: str, counts_prompt: bool = True) -> None:
        self.request_id = request_id
        self.describe: Callable[[], str] = lambda: "keep-alive"
        self._loop = asyncio.get_running_loop()
        self._unread: deque[Output | None] = deque()
        self._has_unread = asyncio.Event()
        self._on_close: Callable[[], None] | None = None
        self._finished = False
        record = current_record.get()
        self._progress = Progress(record, counts_prompt) if record else None
        self._timer = self._loop.call_later(FIRST_BEAT, self._beat)

    def put(self, output: Output) -> None:
        """Take an output; those after the terminal one are dropped."""
        if self._finished:
            return
        if self._progress:
            _note(self._progress, output)
        last = self._unread[-1] if self._unread else None
        if last and _is_generated(output):
            self._unread[-1] = _joined(last, output)
        else:
            self._add(output)
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
        if self._finished and not self._unread:
            raise StopAsyncIteration
        await self._has_unread.wait()
        output = self._unread.popleft()
        if not self._unread:
            self._has_unread.clear()
        return output

    def _add(self, output: Output | None) -> None:
        self._unread.append(output)
        self._has_unread.set()

    def _close(self) -> None:
        if self._finished:
            return
        self._end()
        if self._progress:
            self._progress.end("abort")
        if self._on_close:
            self._on_close()

    def _end(self) -> None:
        self._finished = True
        self._timer.cancel()

    def _beat(self) -> None:
        if not self._unread:
            self._add(None)
        self._timer = self._loop.call_later(BEAT, self._beat)


async def merged(generations: Sequence[Generation]) -> AsyncGenerator[tuple[int, Output | None], None]:
    """Yield the outputs of several generations, each with its generation's number, as they come.

    Signs of life are passed on from the first one that is not finished. The generations stay the caller's to close.
    """
    if len(generations) == 1:
        async for output in generations[0]:
            yield 0, output
        return
    # With room for more, the outputs of a slow reader would pile up here rather than be joined where they come from.
    queue: asyncio.Queue[tuple[int, Output | None]] = asyncio.Queue(maxsize=1)
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
        await queue.put((number, output))


def _note(progress: Progress, output: Output) -> None:
    if start := output.start:
        progress.start(start.prompt_tokens, start.cached_tokens, start.seconds)
    if output.num_tokens:
        progress.add_tokens(output.num_tokens)
    if isinstance(output.value, (Embeddings, Relevance)):
        progress.add_prompt(output.value.prompt_tokens)
    if output.finished:
        progress.end(output.finish_reason or "")


def _is_generated(output: Output) -> bool:
    """Whether an output adds to those before it; a failure does not, since their text is still to be delivered."""
    return output.failure is None and output.value is None


def _joined(first: Output, second: Output) -> Output:
    """Return one output for two consecutive ones of a request."""
    return replace(
        second,
        text=first.text + second.text,
        num_tokens=first.num_tokens + second.num_tokens,
        logprobs=first.logprobs + second.logprobs,
        prompt_logprobs=first.prompt_logprobs + second.prompt_logprobs,
    )
