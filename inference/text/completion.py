"""A text completion in progress: all candidates of all prompts, generated together."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

from inference.chat.completion import KeepAlive
from inference.engine.messages import Failure, Output, TokenLogprob, Usage
from inference.exceptions import APIError, InvalidRequest, from_failure
from inference.generation import Generation, Outputs
from usage.record import current_record


@dataclass(frozen=True)
class Part:
    """What was added to one candidate; they are numbered prompt by prompt.

    usage: of the whole request, with the last part of all.
    """

    number: int
    output: Output
    usage: Usage | None = None


class TextCompletion:
    """Iterates over the parts of all candidates as they come. Raises APIError where the engine failed.

    is_empty: nothing is to be generated; the one token that the engine draws is dropped. `close` may be called at any
    time and from any thread.
    """

    def __init__(
        self, generations: Sequence[Generation], num_candidates: int, model_name: str, is_empty: bool = False
    ) -> None:
        self._generations = generations
        self._num_candidates = num_candidates
        self._model_name = model_name
        self._is_empty = is_empty
        self._usages: dict[int, Usage] = {}

    def close(self) -> None:
        for generation in self._generations:
            generation.close()

    async def __aiter__(self) -> AsyncIterator[Part | KeepAlive]:
        async for number, output in Outputs(self._generations):
            is_beat = output is None
            yield KeepAlive(self._generations[number].describe()) if is_beat else self._part(number, output)

    def _part(self, number: int, output: Output) -> Part:
        if output.failure:
            raise self._error(output.failure)
        if self._is_empty:
            _uncount(output)
            output = _without_text(output)
        if output.usage:
            self._usages[number] = output.usage
        is_last = len(self._usages) == len(self._generations)
        return Part(number, output, self._total() if is_last else None)

    def _total(self) -> Usage:
        """Count each prompt once, and what was generated for all candidates."""
        prompts = [self._usages[number] for number in range(0, len(self._generations), self._num_candidates)]
        return Usage(
            sum(usage.prompt_tokens for usage in prompts),
            sum(usage.completion_tokens for usage in self._usages.values()),
            sum(usage.cached_tokens for usage in prompts),
        )

    def _error(self, failure: Failure) -> APIError:
        if failure.param == "suffix":
            message = f"Invalid `suffix` for model `{self._model_name}`: {failure.message}."
            return InvalidRequest(message, param="suffix")
        return from_failure(failure, param="prompt")


@dataclass
class Candidate:
    """A completion, collected from its parts."""

    text: str = ""
    finish_reason: str | None = None
    prompt_logprobs: list[TokenLogprob] = field(default_factory=list)
    logprobs: list[TokenLogprob] = field(default_factory=list)

    def add(self, output: Output) -> None:
        self.text += output.text
        self.finish_reason = output.finish_reason
        self.prompt_logprobs += output.prompt_logprobs
        self.logprobs += output.logprobs

    @property
    def score(self) -> float:
        """The mean log probability of its tokens; the worst one if it has none."""
        if not self.logprobs:
            return float("-inf")
        return sum(token.logprob for token in self.logprobs) / len(self.logprobs)


def chosen(candidates: Sequence[Candidate], num_candidates: int, n: int) -> list[Candidate]:
    """Return the best `n` of each prompt's candidates, the best first; all of them in their order if `n` is all."""
    if n == num_candidates:
        return list(candidates)
    groups = [candidates[start : start + num_candidates] for start in range(0, len(candidates), num_candidates)]
    return [each for group in groups for each in sorted(group, key=lambda each: each.score, reverse=True)[:n]]


def _uncount(output: Output) -> None:
    """Take back from the request's record what nobody gets."""
    if record := current_record.get():
        record.completion_tokens -= output.num_tokens


def _without_text(output: Output) -> Output:
    usage = output.usage and replace(output.usage, completion_tokens=0)
    return replace(output, text="", logprobs=(), num_tokens=0, finish_reason="length", usage=usage)
