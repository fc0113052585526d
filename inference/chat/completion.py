"""A chat completion in progress: the one sequence of events that both kinds of answer are made of."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from inference.chat.answer import AnswerReader
from inference.chat.events import Event
from inference.engine.messages import Output, TokenLogprob, Usage
from inference.exceptions import from_failure
from inference.generation import Generation


@dataclass(frozen=True)
class Finished:
    """The answer is complete. finish_reason: `stop`, `length` or `tool_calls`."""

    finish_reason: str
    usage: Usage
    reasoning_tokens: int


@dataclass(frozen=True)
class Logprobs:
    """The log probabilities of the tokens that the following events are made of."""

    tokens: tuple[TokenLogprob, ...]


class KeepAlive:
    """Nothing has come for a while, but the request is alive."""


class ChatCompletion:
    """Iterates over a generation's events; the last one is Finished. Raises APIError where the engine failed.

    `close` may be called at any time and from any thread.
    """

    def __init__(self, generation: Generation, reader: AnswerReader) -> None:
        self._generation = generation
        self._reader = reader
        self._reasoning_tokens = 0

    def close(self) -> None:
        self._generation.close()

    async def __aiter__(self) -> AsyncIterator[Event | Logprobs | Finished | KeepAlive]:
        async for output in self._generation:
            if output is None:
                yield KeepAlive()
                continue
            for event in self._events(output):
                yield event

    def _events(self, output: Output) -> list[Event | Logprobs | Finished]:
        if output.failure:
            raise from_failure(output.failure)
        events: list[Event | Logprobs | Finished] = [Logprobs(output.logprobs)] if output.logprobs else []
        events += self._feed(output)
        if output.finish_reason:
            events += self._reader.finish()
            events.append(Finished(self._finish_reason(output), output.usage, self._reasoning_tokens))
        return events

    def _feed(self, output: Output) -> list[Event]:
        was_reasoning = self._reader.is_reasoning
        events = self._reader.feed(output.text)
        if was_reasoning or self._reader.is_reasoning:
            self._reasoning_tokens += output.num_tokens
        return events

    def _finish_reason(self, output: Output) -> str:
        is_call = self._reader.num_calls and output.finish_reason == "stop"
        return "tool_calls" if is_call else output.finish_reason
