"""A chat completion as a stream of chunks."""

from inference.bodies.chat import ChatResponse, delta, usage_body
from inference.chat.completion import ChatEvent, Finished, KeepAlive, Logprobs
from inference.chat.events import Content
from inference.chat.legacy import legacy_delta, legacy_reason
from inference.engine.messages import TokenLogprob
from inference.exceptions import APIError
from inference.streaming import DONE, comment, sse, to_json


class ChunkEncoder:
    """Makes server-sent events of a completion's events. Log probabilities go with the chunk that follows them.

    is_legacy: calls are written as `function_call`.
    """

    def __init__(self, response: ChatResponse, num_choices: int, include_usage: bool, is_legacy: bool = False) -> None:
        self._response = response
        self._is_legacy = is_legacy
        self._include_usage = include_usage
        self._logprobs: list[list[TokenLogprob]] = [[] for _ in range(num_choices)]
        self._frames = [_content_frame(response, index) for index in range(num_choices)]

    def begin(self) -> bytes:
        """Say whose messages follow; clients want to know before anything else."""
        delta = {"role": "assistant", "content": ""}
        return b"".join(sse(self._response.chunk(index, delta)) for index in range(len(self._logprobs)))

    def encode(self, numbered: tuple[int, ChatEvent]) -> bytes:
        index, event = numbered
        if isinstance(event, KeepAlive):
            return comment(event.text)
        if isinstance(event, Logprobs):
            self._logprobs[index] += event.tokens
            return b""
        if isinstance(event, Finished):
            return self._finish(index, event)
        if isinstance(event, Content) and not self._logprobs[index]:
            before, after = self._frames[index]
            return before + to_json(event.text).encode() + after
        added = legacy_delta(delta(event)) if self._is_legacy else delta(event)
        return sse(self._response.chunk(index, added, logprobs=self._take_logprobs(index)))

    def fail(self, error: APIError) -> bytes:
        return sse(error.body())

    def end(self) -> bytes:
        return DONE

    def _finish(self, index: int, event: Finished) -> bytes:
        """The usage always comes: on the last chunk, or in one of its own where the client asked for that."""
        reason = legacy_reason(event.finish_reason) if self._is_legacy else event.finish_reason
        last = self._response.chunk(index, {}, reason, self._take_logprobs(index))
        if event.total is None:
            return sse(last)
        usage = usage_body(event.total)
        if self._include_usage:
            return sse(last) + sse(self._response.usage_chunk(usage))
        return sse({**last, "usage": usage})

    def _take_logprobs(self, index: int) -> list[TokenLogprob]:
        taken, self._logprobs[index] = self._logprobs[index], []
        return taken


def _content_frame(response: ChatResponse, index: int) -> tuple[bytes, bytes]:
    """Return what stands before and after the text in a chunk of content: nearly all chunks of an answer are such."""
    before, after = sse(response.chunk(index, {"content": ""})).split(b'"content":""')
    return before + b'"content":', after
