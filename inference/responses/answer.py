"""The answer to a request for a response: it generates, shortens what is too long, and is kept before it ends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from inference.bodies.responses import ResponseBody
from inference.chat.completion import ChatCompletion, ChatEvent, Finished, KeepAlive
from inference.chat.request import prepare_chat, start_completion
from inference.exceptions import APIError, ContextLengthExceeded
from inference.pool import EnginePool
from inference.responses.conversion import renamed
from inference.responses.output import Output, StreamEvent
from inference.responses.truncation import shortened
from registry.served_model import ServedModel


class Answer:
    """Iterates over the events of a stream, the last of which holds the finished response. Raises APIError.

    `parameters` are those of a chat completion, `origins` the request's parameters that its messages come from.
    `keep` stores a response and says whether it could. `close` may be called at any time and from any thread.
    """

    def __init__(
        self,
        pool: EnginePool,
        model: ServedModel,
        parameters: dict[str, Any],
        origins: list[str],
        body: ResponseBody,
        keep: Callable[[dict[str, Any]], Awaitable[bool]],
    ) -> None:
        self.body = body
        self.output = Output(body.id)
        self._pool = pool
        self._model = model
        self._parameters = parameters
        self._origins = origins
        self._keep = keep
        self._completion: ChatCompletion | None = None

    def close(self) -> None:
        if self._completion:
            self._completion.close()

    async def __aiter__(self) -> AsyncIterator[StreamEvent | KeepAlive]:
        try:
            async for event in self._completion_events():
                if isinstance(event, KeepAlive):
                    yield event
                    continue
                is_last = isinstance(event, Finished)
                for streamed in self.output.finish(event) if is_last else self.output.feed(event):
                    yield streamed
                if is_last:
                    yield await self._finish(event)
        except APIError as error:
            raise renamed(error, self._origins) from None

    async def _completion_events(self) -> AsyncIterator[ChatEvent]:
        """Generate. With `truncation: auto`, start anew with less as long as the prompt does not fit."""
        while True:
            prepared = await asyncio.to_thread(prepare_chat, self._model, self._parameters)
            self._completion = start_completion(self._pool, self._model, prepared)
            try:
                async for _, event in self._completion:
                    yield event
                return
            except ContextLengthExceeded as error:
                if not self._shorten(error):
                    raise

    def _shorten(self, overflow: ContextLengthExceeded) -> bool:
        """Leave messages out so that the rest fits; False if that may not be, or is not enough."""
        if not self.body.truncates:
            return False
        messages = self._parameters["messages"]
        rest = shortened(messages, overflow, self._parameters.get("max_completion_tokens"))
        if rest is None:
            return False
        self._parameters = {**self._parameters, "messages": rest}
        return True

    async def _finish(self, finished: Finished) -> StreamEvent:
        """Keep the response, and only then say that it is finished: it may be continued at once."""
        body = self.body.finished(self.output.items, finished)
        if self.body.is_stored:
            body["store"] = await self._keep(body)
        return {"type": f"response.{body['status']}", "response": body}
