"""What clients send, and how many of them at once."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from inference.bench.client import Address, BenchError, ChatClient, Timing
from inference.bench.words import sentence, source

HAS_STARTED = 5  # arrivals after which a stream generates steadily


@dataclass(frozen=True)
class Workload:
    """Prompts of `prompt_words` random words, answers of exactly `max_tokens` tokens.

    With a `schema`, answers follow it; none that fits may be shorter. A `system` message comes first, if there is one.
    """

    prompt_words: int = 80
    max_tokens: int = 64
    seed: int = 0
    schema: dict[str, Any] | None = None
    system: str = ""
    temperature: float = 0.8

    @property
    def answer_options(self) -> dict[str, Any]:
        """The fields of a request by which answers reach their length."""
        if self.schema is None:
            return {"ignore_eos": True}
        described = {"name": "bench", "schema": self.schema, "strict": True}
        return {"response_format": {"type": "json_schema", "json_schema": described}}

    def prompts(self, count: int) -> list[str]:
        generator = source(self.seed)
        return [sentence(generator, self.prompt_words) for _ in range(count)]

    def body(self, prompt: str) -> dict[str, Any]:
        system = [{"role": "system", "content": self.system}] if self.system else []
        return {
            "messages": [*system, {"role": "user", "content": prompt}],
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            **self.answer_options,
        }

    def bodies(self, count: int) -> list[dict[str, Any]]:
        return [self.body(prompt) for prompt in self.prompts(count)]


@dataclass(frozen=True)
class Load:
    """All requests of one measurement, and the seconds they took together."""

    timings: list[Timing]
    seconds: float


def run_load(address: Address, bodies: Iterable[dict[str, Any]], clients: int) -> Load:
    """Send the chats, as many at once as there are clients. Raises BenchError at the first failure."""
    return asyncio.run(_run_load(address, bodies, clients))


async def _run_load(address: Address, bodies: Iterable[dict[str, Any]], clients: int) -> Load:
    waiting = iter(bodies)
    timings: list[Timing] = []
    async with ChatClient(address) as client:

        async def chat_in_turn() -> None:
            for body in waiting:
                timings.append(await client.chat(body))

        whole = Timing()
        await asyncio.gather(*(chat_in_turn() for _ in range(clients)))
        return Load(timings, Timing().started - whole.started)


@dataclass(frozen=True)
class Intrusion:
    """Seconds between the tokens of each stream while another request ran beside them, and that request."""

    gaps: list[float]
    intruder: Timing


def intrude(address: Address, streams: list[dict[str, Any]], intruder: dict[str, Any]) -> Intrusion:
    """Start the streams, send another chat once all of them generate, and end the streams when it has its answer.

    Raises BenchError if anything fails, or if a stream ends before the intruder's first token.
    """
    return asyncio.run(_intrude(address, streams, intruder))


async def _intrude(address: Address, streams: list[dict[str, Any]], intruder: dict[str, Any]) -> Intrusion:
    timings = [Timing() for _ in streams]
    async with ChatClient(address) as client:
        tasks = [asyncio.create_task(client.chat(*stream)) for stream in zip(streams, timings, strict=True)]
        try:
            await _all_generate(tasks, timings)
            answer = await client.chat(intruder)
            _check_streams(tasks, timings, answer)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    beside = [gap for timing in timings for gap in _gaps_beside(timing, answer)]
    return Intrusion(beside, answer)


async def _all_generate(tasks: list[asyncio.Task], timings: list[Timing]) -> None:
    while any(len(timing.arrivals) < HAS_STARTED for timing in timings):
        for task in tasks:
            if task.done():
                task.result()
                raise BenchError("a stream ended before all of them had begun: it needs more tokens (--stream-tokens)")
        await asyncio.sleep(0.01)  # a poll is precise enough


def _check_streams(tasks: list[asyncio.Task], timings: list[Timing], intruder: Timing) -> None:
    for task, timing in zip(tasks, timings, strict=True):
        if task.done():
            task.result()
            if timing.arrivals[-1] < intruder.started + intruder.first_token:
                raise BenchError(
                    f"a stream of {timing.completion_tokens} tokens ended before the first token of the request beside"
                    " it: it needs more (--stream-tokens), or the server ignores ignore_eos"
                )


def _gaps_beside(timing: Timing, intruder: Timing) -> list[float]:
    """Return the gaps of a stream that ended after the intruder came."""
    return [gap for gap, end in zip(timing.gaps, timing.arrivals[1:], strict=True) if end > intruder.started]
