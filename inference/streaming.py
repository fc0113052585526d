"""Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) of a streamed answer."""

import json
import logging
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any, Protocol

from django.http import StreamingHttpResponse

from inference.exceptions import APIError, EngineFailed, note

logger = logging.getLogger(__name__)

DONE = b"data: [DONE]\n\n"

to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class EventSource(Protocol):
    """What is streamed: an async iterator of events that can be closed at any time and from any thread."""

    def __aiter__(self) -> AsyncIterator[Any]: ...

    def close(self) -> None: ...


class Encoder(Protocol):
    """Makes bytes of events. `encode` returns b"" for an event that waits for the next one."""

    def begin(self) -> bytes: ...

    def encode(self, event: Any) -> bytes: ...

    def fail(self, error: APIError) -> bytes: ...

    def end(self) -> bytes: ...


async def stream_response(source: EventSource, encoder: Encoder) -> StreamingHttpResponse:
    """Return the streaming response, once it is known how it begins.

    An error that comes before the first token, or within the first seconds, raises APIError and so becomes a proper
    HTTP status; a later one is sent as an event.
    """
    events = aiter(source)
    try:
        first = await anext(events)
    except BaseException:
        source.close()
        raise
    return event_stream(EventStream(source, _encoded(first, events, encoder)))


class EventResponse(StreamingHttpResponse):
    """Sends events as they are. Django's own class hands each of them through two generators, to make bytes of it."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._iterator


def event_stream(content: AsyncIterable[bytes]) -> StreamingHttpResponse:
    """Return the response that sends these events."""
    http = EventResponse(content, content_type="text/event-stream; charset=utf-8")
    http["Cache-Control"] = "no-cache"
    http["X-Accel-Buffering"] = "no"  # nginx would collect the events otherwise
    return http


class EventStream:
    """The body of a streaming response.

    An object rather than a generator, because Django calls its `close` in any case, also when the client is gone
    before the body begins; a generator that was never started cannot clean up.
    """

    def __init__(self, source: EventSource, chunks: AsyncIterator[bytes]) -> None:
        self._source = source
        self._chunks = chunks

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._chunks

    def close(self) -> None:
        self._source.close()


async def _encoded(first: Any, events: AsyncIterator[Any], encoder: Encoder) -> AsyncIterator[bytes]:
    yield encoder.begin()
    try:
        if data := encoder.encode(first):
            yield data
        async for event in events:
            if data := encoder.encode(event):
                yield data
    except APIError as error:
        note(error)
        yield encoder.fail(error)
    except Exception:
        logger.exception("a stream failed")
        failed = EngineFailed("The server failed while it streamed this answer.")
        note(failed)
        yield encoder.fail(failed)
    if data := encoder.end():
        yield data


def comment(text: str) -> bytes:
    """Return a line that clients ignore, and people who look at the stream can read."""
    return b": " + text.encode() + b"\n\n"


def sse(body: dict[str, Any]) -> bytes:
    return b"data: " + to_json(body).encode() + b"\n\n"
