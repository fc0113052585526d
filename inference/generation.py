"""One request's outputs on their way from the pool to a response."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from inference.engine.messages import Embeddings, Output, Relevance
from usage.progress import Progress
from usage.record import current_record

FIRST_BEAT = 2.0  # seconds; then a response should start even if no token is there yet
BEAT = 10.0  # seconds; LibreChat's HTTP client gives up after 300 silent ones, proxies often after 60


class Signal:
    """Wakes the one who waits for it. (asyncio.Event is made for many, which takes three times as many calls.)"""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None

    def set(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    def wait(self) -> "asyncio.Future[None]":
        """Return what is done with the next `set`; earlier ones do not count."""
        self._waiter = self._loop.create_future()
        return self._waiter


class Generation:
    """An async iterator over the outputs of a request; the last one is terminal.

    When nothing has come for a while it yields None instead, so that the reader can send a sign of life. What a slow
    reader has not read yet becomes one output, so that no more than its text piles up.
    `describe` says then what it waits for.
    `close` may be called at any time, from any thread, and more than once: an unfinished request is aborted, and its
    reader finds the end.
    What comes of it is noted in the record of the API request it was made for. counts_prompt: False for a further
    choice, whose prompt counts with the first one.
    """

    def __init__(self, request_id: str, counts_prompt: bool = True) -> None:
        self.request_id = request_id
        self.describe: Callable[[], str] = lambda: "keep-alive"
        self.unread: deque[Output | None] = deque()
        self.finished = False  # nothing is added any more
        self.signal = Signal()  # set with everything that is added, and when it is closed
        self._loop = asyncio.get_running_loop()
        self._on_close: Callable[[], None] | None = None
        record = current_record.get()
        self._progress = Progress(record, counts_prompt) if record else None
        self._timer = self._loop.call_later(FIRST_BEAT, self._beat)

    def put(self, output: Output) -> None:
        """Take an output; those after the terminal one are dropped."""
        if self.finished:
            return
        is_last = output.finished
        if self._progress:
            _note(self._progress, output, is_last)
        last = self.unread[-1] if self.unread else None
        if last and _is_generated(output):
            self.unread[-1] = _joined(last, output)
        else:
            self._add(output)
        if is_last:
            self._end()

    def on_close(self, callback: Callable[[], None]) -> None:
        """Say what stops the work if the reader loses interest; replaces what was said before."""
        self._on_close = callback

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._close)

    def __aiter__(self) -> "Generation":
        return self

    async def __anext__(self) -> Output | None:
        if not self.unread and not self.finished:
            await self.signal.wait()
        if not self.unread:
            raise StopAsyncIteration
        return self.unread.popleft()

    def _add(self, output: Output | None) -> None:
        self.unread.append(output)
        self.signal.set()

    def _close(self) -> None:
        if self.finished:
            return
        self._end()
        self.signal.set()
        if self._progress:
            self._progress.end("abort")
        if self._on_close:
            self._on_close()

    def _end(self) -> None:
        self.finished = True
        self._timer.cancel()

    def _beat(self) -> None:
        if not self.unread:
            self._add(None)
        self._timer = self._loop.call_later(BEAT, self._beat)


class Outputs:
    """An async iterator over the outputs of several generations, each with its generation's number, as they come.

    Signs of life are passed on from the first one that is not finished. The generations stay the caller's to close;
    nobody else may wait for one of them.
    """

    def __init__(self, generations: Sequence[Generation]) -> None:
        self._open = dict(enumerate(generations))
        self._signal = Signal()
        for generation in generations:
            generation.signal = self._signal

    def __aiter__(self) -> "Outputs":
        return self

    async def __anext__(self) -> tuple[int, Output | None]:
        while self._open:
            for number, generation in self._open.items():
                if not generation.unread:
                    if generation.finished:  # it was closed: nobody wants the rest
                        raise StopAsyncIteration
                    continue
                output = generation.unread.popleft()
                if output is None:
                    if number == min(self._open):
                        return number, None
                    continue
                del self._open[number]
                if not output.finished:
                    self._open[number] = generation  # behind those that have waited longer
                return number, output
            await self._signal.wait()
        raise StopAsyncIteration


def _note(progress: Progress, output: Output, is_last: bool) -> None:
    if start := output.start:
        progress.start(start.prompt_tokens, start.cached_tokens, start.seconds)
    if output.num_tokens:
        progress.add_tokens(output.num_tokens)
    elif isinstance(output.value, (Embeddings, Relevance)):
        progress.add_prompt(output.value.prompt_tokens)
    if is_last:
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
