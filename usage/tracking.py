"""The ASGI application in which every request to the API has its record."""

import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from usage import capture
from usage.exchange import Exchange
from usage.record import RequestRecord, note_error, recorded

REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,64}")
ID_HEADER = b"x-request-id"
TRACE_HEADERS = (b"traceparent", b"tracestate")  # https://www.w3.org/TR/trace-context/

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]


class Tracked:
    """Passes requests on to `application` and tells the observers, in their order, what has become of each.

    The answer has the request's id in the header `x-request-id`: the client's own if it has sent a sane one.
    """

    def __init__(self, application: Application, observers: Sequence[Callable[[RequestRecord], None]]) -> None:
        self._application = application
        self._observers = observers

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        record = RequestRecord(_request_id(scope), scope["method"], scope["path"], client=_address(scope))
        record.trace_headers = _trace_headers(scope)
        for observer in self._observers:
            record.on_finish(observer)
        if capture.is_on() and record.method == "POST":
            record.exchange = exchange = Exchange()
            receive, send = exchange.receiving(receive), exchange.sending(send)
        with recorded(record):
            try:
                await self._application(scope, receive, _answering(record, send))
            except Exception:
                record.status = record.status or 500
                note_error("server_error", "the server had an unexpected error")
                raise


def _request_id(scope: dict[str, Any]) -> str:
    sent = next((value for name, value in scope["headers"] if name == ID_HEADER), b"")
    return sent.decode() if REQUEST_ID.fullmatch(sent) else secrets.token_hex(16)


def _trace_headers(scope: dict[str, Any]) -> dict[str, str]:
    return {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in TRACE_HEADERS}


def _address(scope: dict[str, Any]) -> str:
    """Return the client's address; a server on a Unix socket knows none."""
    return (scope.get("client") or [""])[0]


def _answering(record: RequestRecord, send: Send) -> Send:
    """Return a `send` that adds the request's id to the answer, notes its status, and ends the record with it.

    What Django does after the last byte may wait for a thread. By then the client may ask for more, and all that this
    request has taken must have been counted.
    """

    def answer(message: Message) -> Awaitable[None]:
        is_part = message["type"] == "http.response.body" and message.get("more_body")
        return send(message) if is_part else begin_or_end(message)

    async def begin_or_end(message: Message) -> None:
        if message["type"] == "http.response.start":
            record.status = message["status"]
            message = {**message, "headers": [*message.get("headers", ()), (ID_HEADER, record.request_id.encode())]}
        await send(message)
        if message["type"] == "http.response.body":
            record.finish()

    return answer
