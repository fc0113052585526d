"""Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) of a streamed answer."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

from django.http import StreamingHttpResponse

from inference.chat.completion import ChatCompletion, Finished, KeepAlive, Logprobs
from inference.engine.messages import TokenLogprob
from inference.exceptions import APIError, EngineFailed
from inference.responses import ChatResponse, delta, usage_body

logger = logging.getLogger(__name__)

KEEP_ALIVE = b": keep-alive\n\n"
DONE = b"data: [DONE]\n\n"


async def stream_response(
    completion: ChatCompletion, response: ChatResponse, include_usage: bool
) -> StreamingHttpResponse:
    """Return the streaming response, once it is known how it begins.

    An error that comes before the first token, or within the first seconds, raises APIError and so becomes a proper
    HTTP status; a later one is sent as an event.
    """
    events = aiter(completion)
    try:
        first = await anext(events)
    except BaseException:
        completion.close()
        raise
    content = EventStream(completion, _chunks(first, events, ChunkEncoder(response, include_usage)))
    http = StreamingHttpResponse(content, content_type="text/event-stream; charset=utf-8")
    http["Cache-Control"] = "no-cache"
    http["X-Accel-Buffering"] = "no"  # nginx would collect the events otherwise
    return http


class EventStream:
    """The body of a streaming response.

    An object rather than a generator, because Django calls its `close` in any case, also when the client is gone
    before the body begins; a generator that was never started cannot clean up.
    """

    def __init__(self, completion: ChatCompletion, chunks: AsyncIterator[bytes]) -> None:
        self._completion = completion
        self._chunks = chunks

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._chunks

    def close(self) -> None:
        self._completion.close()


async def _chunks(first: Any, events: AsyncIterator[Any], encoder: "ChunkEncoder") -> AsyncIterator[bytes]:
    yield encoder.begin()
    try:
        if data := encoder.encode(first):
            yield data
        async for event in events:
            if data := encoder.encode(event):
                yield data
    except APIError as error:
        yield sse(error.body())
    except Exception:
        logger.exception("a stream failed")
        yield sse(EngineFailed("The server failed while it streamed this answer.").body())
    yield DONE


class ChunkEncoder:
    """Makes server-sent events of a completion's events. Log probabilities go with the chunk that follows them."""

    def __init__(self, response: ChatResponse, include_usage: bool) -> None:
        self._response = response
        self._include_usage = include_usage
        self._logprobs: list[TokenLogprob] = []

    def begin(self) -> bytes:
        return sse(self._response.chunk({"role": "assistant", "content": ""}))

    def encode(self, event: Any) -> bytes:
        """Return what is to be sent; empty while the event waits for the next one."""
        if isinstance(event, KeepAlive):
            return KEEP_ALIVE
        if isinstance(event, Logprobs):
            self._logprobs += event.tokens
            return b""
        if isinstance(event, Finished):
            return self._end(event)
        return sse(self._response.chunk(delta(event), logprobs=self._take_logprobs()))

    def _end(self, event: Finished) -> bytes:
        """The usage always comes: on the last chunk, or in one of its own where the client asked for that."""
        last = self._response.chunk({}, event.finish_reason, self._take_logprobs())
        usage = usage_body(event.usage, event.reasoning_tokens)
        if self._include_usage:
            return sse(last) + sse(self._response.usage_chunk(usage))
        return sse({**last, "usage": usage})

    def _take_logprobs(self) -> list[TokenLogprob]:
        taken, self._logprobs = self._logprobs, []
        return taken


def sse(body: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
