"""A chat completion as a stream of chunks."""

from typing import Any

from inference.bodies.chat import ChatResponse, delta, usage_body
from inference.chat.completion import Finished, KeepAlive, Logprobs
from inference.engine.messages import TokenLogprob
from inference.exceptions import APIError
from inference.streaming import DONE, KEEP_ALIVE, sse


class ChunkEncoder:
    """Makes server-sent events of a completion's events. Log probabilities go with the chunk that follows them."""

    def __init__(self, response: ChatResponse, include_usage: bool) -> None:
        self._response = response
        self._include_usage = include_usage
        self._logprobs: list[TokenLogprob] = []

    def begin(self) -> bytes:
        return sse(self._response.chunk({"role": "assistant", "content": ""}))

    def encode(self, event: Any) -> bytes:
        if isinstance(event, KeepAlive):
            return KEEP_ALIVE
        if isinstance(event, Logprobs):
            self._logprobs += event.tokens
            return b""
        if isinstance(event, Finished):
            return self._finish(event)
        return sse(self._response.chunk(delta(event), logprobs=self._take_logprobs()))

    def fail(self, error: APIError) -> bytes:
        return sse(error.body())

    def end(self) -> bytes:
        return DONE

    def _finish(self, event: Finished) -> bytes:
        """The usage always comes: on the last chunk, or in one of its own where the client asked for that."""
        last = self._response.chunk({}, event.finish_reason, self._take_logprobs())
        usage = usage_body(event.usage, event.reasoning_tokens)
        if self._include_usage:
            return sse(last) + sse(self._response.usage_chunk(usage))
        return sse({**last, "usage": usage})

    def _take_logprobs(self) -> list[TokenLogprob]:
        taken, self._logprobs = self._logprobs, []
        return taken
