"""A chat completion in progress: the one sequence of events that both kinds of answer are made of."""

import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from inference.chat.answer import AnswerReader
from inference.chat.events import Event, Reasoning
from inference.engine.messages import Output, TokenLogprob, Usage
from inference.exceptions import from_failure
from inference.generation import Generation, Outputs
from usage.record import current_record


@dataclass(frozen=True)
class Finished:
    """A choice is complete. finish_reason: `stop`, `length` or `tool_calls`.

    total: with the last choice, the usage of all, which counts the prompt once.
    """

    finish_reason: str
    total: "TotalUsage | None" = None


@dataclass(frozen=True)
class TotalUsage:
    """The tokens of all choices. reasoning_tokens of the completion tokens became thinking."""

    usage: Usage
    reasoning_tokens: int


@dataclass(frozen=True)
class Logprobs:
    """The log probabilities of the tokens that the following events are made of."""

    tokens: tuple[TokenLogprob, ...]


@dataclass(frozen=True)
class KeepAlive:
    """Nothing has come for a while, but the request is alive. text: what it waits for, one line."""

    text: str = "keep-alive"


ChatEvent = Event | Logprobs | Finished | KeepAlive


class ChatCompletion:
    """Iterates over the events of its choices, each with the choice's number. Raises APIError where the engine failed.

    Every choice ends with Finished. `close` may be called at any time and from any thread.
    """

    def __init__(self, generations: Sequence[Generation], readers: Sequence[AnswerReader]) -> None:
        self._generations = generations
        self._readers = readers
        self._usages: dict[int, Usage] = {}
        self._reasoning_tokens = 0

    def close(self) -> None:
        for generation in self._generations:
            generation.close()

    async def __aiter__(self) -> AsyncIterator[tuple[int, ChatEvent]]:
        async for number, output in Outputs(self._generations):
            if output is None:
                yield number, KeepAlive(self._generations[number].describe())
                continue
            for event in self._events(number, output):
                yield number, event

    def _events(self, number: int, output: Output) -> list[ChatEvent]:
        if output.failure:
            raise from_failure(output.failure)
        events: list[ChatEvent] = [Logprobs(output.logprobs)] if output.logprobs else []
        events += self._feed(self._readers[number], output)
        if output.finish_reason:
            events += self._readers[number].finish()
            self._usages[number] = output.usage
            events.append(Finished(self._finish_reason(number, output), self._total()))
            self._note(events[-1])
        return events

    def _note(self, finished: Finished) -> None:
        """Note in the request's record what its generations do not know."""
        if record := current_record.get():
            record.finish_reason = finished.finish_reason
            record.reasoning_tokens = self._reasoning_tokens

    def _feed(self, reader: AnswerReader, output: Output) -> list[Event]:
        was_reasoning = reader.is_reasoning
        events = reader.feed(output.text)
        if was_reasoning or reader.is_reasoning or Reasoning in map(type, events):
            self._reasoning_tokens += _num_thought(events, output)
        return events

    def _finish_reason(self, number: int, output: Output) -> str:
        is_call = self._readers[number].num_calls and output.finish_reason == "stop"
        return "tool_calls" if is_call else output.finish_reason

    def _total(self) -> TotalUsage | None:
        if len(self._usages) < len(self._generations):
            return None
        first = self._usages[0]
        generated = sum(usage.completion_tokens for usage in self._usages.values())
        return TotalUsage(Usage(first.prompt_tokens, generated, first.cached_tokens), self._reasoning_tokens)


def _num_thought(events: Sequence[Event], output: Output) -> int:
    """Return how many of an output's tokens became thinking; by its share of the text if others became an answer."""
    thoughts = [event.text for event in events if isinstance(event, Reasoning)]
    if len(thoughts) == len(events):
        return output.num_tokens
    share = sum(map(len, thoughts)) / max(len(output.text), 1)
    return min(output.num_tokens, max(1, math.ceil(output.num_tokens * share)))
