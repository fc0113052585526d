"""A load client: several chats at once, each streaming, with the times at which its tokens arrive."""

import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

WORDS = [
    "river",
    "stone",
    "lamp",
    "winter",
    "garden",
    "paper",
    "engine",
    "music",
    "window",
    "bread",
    "harbour",
    "silver",
    "letter",
    "forest",
    "coffee",
    "bridge",
    "mirror",
    "planet",
    "candle",
    "ladder",
    "blanket",
    "thunder",
    "island",
    "copper",
    "pencil",
    "meadow",
    "rocket",
    "velvet",
    "pepper",
    "anchor",
]


class BenchError(Exception):
    """A request failed; figures without it would be worthless."""


@dataclass(frozen=True)
class Workload:
    """What every client sends: prompts of `prompt_words` random words, answers of exactly `max_tokens` tokens.

    With a `schema`, answers follow it; none that fits may be shorter.
    """

    model: str
    prompt_words: int = 80
    max_tokens: int = 64
    seed: int = 0
    schema: dict[str, Any] | None = None

    @property
    def answer_options(self) -> dict[str, Any]:
        """The fields of a request by which answers reach their length."""
        if self.schema is None:
            return {"ignore_eos": True}
        described = {"name": "bench", "schema": self.schema, "strict": True}
        return {"response_format": {"type": "json_schema", "json_schema": described}}

    def prompts(self, count: int) -> list[str]:
        generator = random.Random(self.seed)  # noqa: S311 - reproducible, not secret
        return [" ".join(generator.choices(WORDS, k=self.prompt_words)) for _ in range(count)]

    def body(self, prompt: str) -> dict[str, Any]:
        return {
            "model": self.model,
            "messages": [{"role": "user", "content": prompt}],
            "max_tokens": self.max_tokens,
            "temperature": 0.8,
            "stream": True,
            "stream_options": {"include_usage": True},
            **self.answer_options,
        }


@dataclass
class Timing:
    """One request: when it was sent, when text arrived (seconds of the monotonic clock), and its token counts."""

    started: float
    arrivals: list[float] = field(default_factory=list)
    prompt_tokens: int = 0
    completion_tokens: int = 0


async def run_load(base_url: str, workload: Workload, clients: int, requests: int) -> tuple[list[Timing], float]:
    """Send `requests` chats from `clients` clients; return their timings and the seconds it took in all.

    Raises BenchError at the first failure.
    """
    prompts = iter(workload.prompts(requests))
    timings: list[Timing] = []
    async with _open(base_url) as http:

        async def client() -> None:
            for prompt in prompts:
                timings.append(await _chat(http, workload.body(prompt)))

        started = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(clients)))
        return timings, time.perf_counter() - started


async def run_beside(base_url: str, workload: Workload, clients: int, other: Workload) -> tuple[list[Timing], float]:
    """Run one chat of each client and, once all of them generate, another request; return the clients' timings.

    Raises BenchError.
    """
    timings = [Timing(time.perf_counter()) for _ in range(clients)]
    async with _open(base_url) as http:
        bodies = map(workload.body, workload.prompts(clients))
        chats = [_chat(http, body, timing) for body, timing in zip(bodies, timings, strict=True)]
        await asyncio.gather(*chats, _chat_once_all_run(http, timings, other))
        return timings, max(timing.arrivals[-1] for timing in timings) - timings[0].started


async def _chat_once_all_run(http: httpx.AsyncClient, timings: list[Timing], workload: Workload) -> None:
    while not all(len(timing.arrivals) > 4 for timing in timings):  # noqa: ASYNC110 - a poll is precise enough
        await asyncio.sleep(0.01)
    await _chat(http, workload.body(workload.prompts(1)[0]))


def _open(base_url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=base_url, timeout=600, limits=httpx.Limits(max_connections=None))


async def _chat(http: httpx.AsyncClient, body: dict[str, Any], timing: Timing | None = None) -> Timing:
    """Send one chat; note its times in `timing`, if given."""
    timing = timing or Timing(time.perf_counter())
    try:
        async with http.stream("POST", "chat/completions", json=body) as response:
            if response.status_code != httpx.codes.OK:
                raise BenchError(f"{response.status_code}: {(await response.aread()).decode(errors='replace')}")
            async for line in response.aiter_lines():
                _read_event(line, timing)
    except httpx.TransportError as error:
        raise BenchError(f"{http.base_url}: {error or type(error).__name__}") from error
    return timing


def _read_event(line: str, timing: Timing) -> None:
    data = line.removeprefix("data: ")
    if data in (line, "[DONE]"):
        return
    event = json.loads(data)
    if "error" in event:
        raise BenchError(event["error"]["message"])
    if event.get("usage"):
        timing.prompt_tokens = event["usage"]["prompt_tokens"]
        timing.completion_tokens = event["usage"]["completion_tokens"]
    if any(choice["delta"].get("content") for choice in event["choices"]):
        timing.arrivals.append(time.perf_counter())
