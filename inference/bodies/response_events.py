"""A response as a stream of events (https://platform.openai.com/docs/api-reference/responses-streaming)."""

from typing import Any

from inference.chat.completion import KeepAlive
from inference.exceptions import APIError
from inference.responses.answer import Answer
from inference.streaming import comment, sse


class ResponseEventEncoder:
    """Numbers an answer's events and makes server-sent ones of them. The last is the finished or failed response."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._sequence_number = 0

    def begin(self) -> bytes:
        body = self._answer.body.in_progress()
        return self._event("response.created", response=body) + self._event("response.in_progress", response=body)

    def encode(self, event: Any) -> bytes:
        return comment(event.text) if isinstance(event, KeepAlive) else self._event(**event)

    def fail(self, error: APIError) -> bytes:
        """Send what there is of the response, then the error, in the shape at which clients raise it."""
        output = self._answer.output
        closing = b"".join(self._event(**event) for event in output.close("incomplete"))
        failed = self._event("response.failed", response=self._answer.body.failed(output.items, error))
        about = {"code": error.code, "message": error.message, "param": error.param}
        return closing + failed + self._event("error", **about, **error.body())

    def end(self) -> bytes:
        return b""

    def _event(self, type: str, **fields: Any) -> bytes:  # noqa: A002 - its name on the wire
        number, self._sequence_number = self._sequence_number, self._sequence_number + 1
        return f"event: {type}\n".encode() + sse({"type": type, "sequence_number": number, **fields})
