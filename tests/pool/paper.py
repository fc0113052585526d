"""Engines of paper, for tests of the pool."""

import asyncio
from collections.abc import Callable

from inference.client import EngineLoadError
from inference.engine.config import EngineConfig
from inference.engine.messages import (
    EngineInfo,
    EngineStats,
    Failure,
    FailureCode,
    GenerateRequest,
    Output,
    SamplingParams,
    Usage,
)
from inference.memory import Memory
from inference.pool import ModelSpec
from inference.token_counts import TokenCounts

REQUEST = GenerateRequest("r", "Hi", SamplingParams())


class PaperEngine:
    """Answers every request at once, unless told to hold on to them."""

    def __init__(self, name: str, config: EngineConfig, size: int = 0) -> None:
        self.config = config
        self.size = size
        self.info = EngineInfo(config.n_ctx, 1, 1, 0, name, "", 0.1)
        self.stats = EngineStats()
        self.token_counts = TokenCounts()
        self.pid = 1
        self.failure = None
        self.closed = False
        self.held = []
        self.holds = False
        self.death = None
        self.log_tail = ("E a last word",)
        self.num_answered = 0
        self.has_computed = False
        self.silent_for = None
        self.on_change = lambda: None
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def num_open(self) -> int:
        return len(self.held)

    def excuse(self, seconds: float) -> None:
        if self.silent_for is not None:
            self.silent_for -= seconds

    def memory(self) -> Memory:
        return Memory(self.size)

    def kill(self, reason: str) -> None:
        self.die(reason)

    def die(self, cause: str) -> None:
        self.death = cause
        self.failure = Failure(FailureCode.WORKER_DIED, cause)
        for request, generation in self.held:
            generation.put(Output(request.id, failure=self.failure))
        self.held.clear()
        self._idle.set()
        self.on_change()

    @property
    def is_alive(self) -> bool:
        return self.failure is None

    def submit(self, request, generation) -> None:
        if self.failure:
            generation.put(Output(request.id, failure=self.failure))
            return
        self.held.append((request, generation))
        self._idle.clear()
        if not self.holds:
            self.answer()

    def answer(self) -> None:
        for request, generation in self.held:
            generation.put(Output(request.id, "Hello", "stop", usage=Usage(1, 1, 0)))
        self.num_answered += len(self.held)
        self.has_computed = True
        self.held.clear()
        self._idle.set()
        self.on_change()

    async def drained(self) -> None:
        await self._idle.wait()

    async def close(self, reason: str = "") -> None:
        self.closed = True
        self.failure = Failure(FailureCode.UNLOADED, "closed")


class Factory:
    """Starts paper engines; `gate` holds them back, `error` makes them fail."""

    def __init__(self) -> None:
        self.engines: list[PaperEngine] = []
        self.num_starts = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: str | None = None
        self.on_progress: Callable[[float], None] | None = None

    async def __call__(self, name: str, config: EngineConfig, on_progress: object) -> PaperEngine:
        self.num_starts += 1
        self.on_progress = on_progress
        await self.gate.wait()
        if self.error:
            raise EngineLoadError(self.error)
        self.engines.append(PaperEngine(name, config))
        return self.engines[-1]


def spec(key: int = 1, size: int | None = None, **settings: object) -> ModelSpec:
    """Return a model; size: what it takes of the main memory as far as is known."""
    kept = {name: settings.pop(name) for name in ("pinned", "idle_seconds") if name in settings}
    config = EngineConfig(f"{key}.gguf", **{"n_ctx": 100, **settings})
    return ModelSpec(key, f"model-{key}", config, measured=None if size is None else Memory(size), **kept)


async def turns() -> None:
    """Let everybody go on who can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def outputs(generation) -> list[Output]:
    return [output async for output in generation if output]
