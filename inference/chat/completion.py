"""A chat completion in progress: the one sequence of events that both kinds of answer are made of."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from inference.chat.parser import Event, OutputParser
from inference.engine.messages import Output, Usage
from inference.exceptions import from_failure
from inference.generation import Generation


@dataclass(frozen=True)
class Finished:
    """The answer is complete. finish_reason: `stop`, `length` or `tool_calls`."""

    finish_reason: str
    usage: Usage


class KeepAlive:
    """Nothing has come for a while, but the request is alive."""


class ChatCompletion:
    """Iterates over a generation's events; the last one is Finished. Raises APIError where the engine failed.

    `close` may be called at any time and from any thread.
    """

    def __init__(self, generation: Generation, parser: OutputParser) -> None:
        self._generation = generation
        self._parser = parser

    def close(self) -> None:
        self._generation.close()

    async def __aiter__(self) -> AsyncIterator[Event | Finished | KeepAlive]:
        async for output in self._generation:
            if output is None:
                yield KeepAlive()
                continue
            for event in self._events(output):
                yield event

    def _events(self, output: Output) -> list[Event | Finished]:
        if output.failure:
            raise from_failure(output.failure)
        events: list[Event | Finished] = [*self._parser.feed(output.text)]
        if output.finish_reason:
            events += self._parser.finish()
            events.append(Finished(self._finish_reason(output), output.usage))
        return events

    def _finish_reason(self, output: Output) -> str:
        is_call = self._parser.num_calls and output.finish_reason == "stop"
        return "tool_calls" if is_call else output.finish_reason
