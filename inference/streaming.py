"""Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) of a streamed answer."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

from django.http import StreamingHttpResponse

from inference.chat.completion import ChatCompletion, Finished, KeepAlive, Logprobs
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
    content = EventStream(completion, _chunks(first, events, response, include_usage))
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


async def _chunks(
    first: Any, events: AsyncIterator, response: ChatResponse, include_usage: bool
) -> AsyncIterator[bytes]:
    yield sse(response.chunk({"role": "assistant", "content": ""}))
    try:
        yield _encode(first, response, include_usage)
        async for event in events:
            yield _encode(event, response, include_usage)
    except APIError as error:
        yield sse(error.body())
    except Exception:
        logger.exception("a stream failed")
        yield sse(EngineFailed("The server failed while it streamed this answer.").body())
    yield DONE


def _encode(event: Any, response: ChatResponse, include_usage: bool) -> bytes:
    if isinstance(event, KeepAlive):
        return KEEP_ALIVE
    if isinstance(event, Finished):
        return _encode_end(event, response, include_usage)
    if isinstance(event, Logprobs):
        return sse(response.logprobs_chunk(event.tokens))
    return sse(response.chunk(delta(event)))


def _encode_end(event: Finished, response: ChatResponse, include_usage: bool) -> bytes:
    """The usage always comes: on the last chunk, or in one of its own where the client asked for that."""
    last, usage = response.chunk({}, event.finish_reason), usage_body(event.usage, event.reasoning_tokens)
    if include_usage:
        return sse(last) + sse(response.usage_chunk(usage))
    return sse({**last, "usage": usage})


def sse(body: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
