"""The process-wide pool: which models are loaded, and how requests reach them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal

from inference.client import EngineClient, EngineLoadError
from inference.engine.config import EngineConfig
from inference.engine.messages import EngineInfo, EngineStats, Failure, FailureCode, Output, Request
from inference.generation import Generation

logger = logging.getLogger("inference.pool")

StartEngine = Callable[[str, EngineConfig], Awaitable[EngineClient]]


@dataclass(frozen=True)
class ModelSpec:
    """What the pool needs to know of a registration. `key` stays the same when it is renamed."""

    key: int
    name: str
    config: EngineConfig


@dataclass(frozen=True)
class EngineStatus:
    """A snapshot of one engine, for the admin and `/v1/health`. `info` None while it loads."""

    name: str
    state: Literal["loading", "ready"]
    info: EngineInfo | None
    stats: EngineStats
    pid: int | None


@dataclass
class _Entry:
    spec: ModelSpec
    task: "asyncio.Task[EngineClient]"
    num_waiting: int = 0

    @property
    def engine(self) -> EngineClient | None:
        is_ready = self.task.done() and not self.task.cancelled() and self.task.exception() is None
        return self.task.result() if is_ready else None

    @property
    def is_dead(self) -> bool:
        return self.engine is not None and not self.engine.is_alive


class EnginePool:
    """Model key → engine. Loads on the first request, once however many arrive meanwhile.

    All coroutines run on the event loop that `bind` named, the server's. `status` and `last_error` only read and
    may be called from any thread, as may `run`.
    """

    def __init__(self, start_engine: StartEngine = EngineClient.start) -> None:
        self._start_engine = start_engine
        self._entries: dict[int, _Entry] = {}
        self._errors: dict[int, str] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_running(self) -> bool:
        """Whether this process serves; a management command has a pool that never runs."""
        return self._loop is not None

    def bind(self) -> None:
        """Make the running event loop the pool's."""
        self._loop = asyncio.get_running_loop()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> "Future[Any]":
        """Run one of the pool's coroutines from another thread (the admin's synchronous views)."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def generate(self, spec: ModelSpec, request: Request) -> Generation:
        """Start a request and return at once; loading errors arrive as its terminal output."""
        generation = Generation(request.id)
        engine = self._current(spec)
        if engine:
            engine.submit(request, generation)
        else:
            task = self._spawn(self._load_and_submit(spec, request, generation))
            generation.on_close(task.cancel)
        return generation

    async def load(self, spec: ModelSpec) -> EngineClient:
        """Return the model's engine, starting it if need be. Raises EngineLoadError."""
        engine = self._current(spec)
        if engine:
            return engine
        entry = self._entries.get(spec.key)
        if entry is None:
            entry = _Entry(spec, asyncio.create_task(self._start(spec)))
            self._entries[spec.key] = entry
            entry.task.add_done_callback(lambda _: self._drop_if_failed(entry))
        # Shielded: one impatient client must not cancel the load that others wait for.
        entry.num_waiting += 1
        try:
            return await asyncio.shield(entry.task)
        finally:
            entry.num_waiting -= 1

    async def unload(self, key: int) -> bool:
        """End a model's engine, or its loading; open requests fail. False if it was not loaded."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return False
        entry.task.cancel()
        if entry.engine:
            await entry.engine.close()
            logger.info("unloaded %s", entry.spec.name)
        return True

    async def close(self) -> None:
        """End all engines."""
        await asyncio.gather(*(self.unload(key) for key in list(self._entries)))
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)

    def status(self) -> dict[int, EngineStatus]:
        """Return a snapshot of every loaded or loading model by its key; a dead engine is not loaded."""
        return {key: self._snapshot(entry) for key, entry in list(self._entries.items()) if not entry.is_dead}

    def last_error(self, key: int) -> str:
        """Return why the model's engine died or could not be loaded, empty if it runs or never failed."""
        entry = self._entries.get(key)
        return entry.engine.failure.message if entry and entry.is_dead else self._errors.get(key, "")

    def _current(self, spec: ModelSpec) -> EngineClient | None:
        """Return the engine if it is ready, alive and runs with these settings; retire it otherwise."""
        entry = self._entries.get(spec.key)
        if entry is None:
            return None
        if entry.spec.config != spec.config:
            self._retire(entry)
            return None
        if entry.is_dead:
            self._retire(entry)
            return None
        return entry.engine

    def _retire(self, entry: _Entry) -> None:
        """Take an engine out of service; it ends when its open requests have finished."""
        del self._entries[entry.spec.key]
        self._spawn(self._close_when_drained(entry))

    async def _close_when_drained(self, entry: _Entry) -> None:
        try:
            engine = await entry.task
        except EngineLoadError:
            return
        # Woken by the same load, they submit within the next turns of the loop.
        while entry.num_waiting:  # noqa: ASYNC110
            await asyncio.sleep(0)
        try:
            await engine.drained()
        finally:
            await engine.close()

    async def _start(self, spec: ModelSpec) -> EngineClient:
        logger.info("loading %s from %s", spec.name, spec.config.model_path)
        try:
            engine = await self._start_engine(spec.name, spec.config)
        except EngineLoadError as error:
            logger.error("%s could not be loaded: %s", spec.name, error)
            self._errors[spec.key] = str(error)
            raise
        self._errors.pop(spec.key, None)
        logger.info("loaded %s in %.1f s (%s)", spec.name, engine.info.load_seconds, engine.info.description)
        return engine

    def _drop_if_failed(self, entry: _Entry) -> None:
        if entry.engine is None and self._entries.get(entry.spec.key) is entry:
            del self._entries[entry.spec.key]

    async def _load_and_submit(self, spec: ModelSpec, request: Request, generation: Generation) -> None:
        try:
            engine = await self.load(spec)
        except EngineLoadError as error:
            message = f"model `{spec.name}` could not be loaded: {error}"
            generation.put(Output(request.id, failure=Failure(FailureCode.LOAD_FAILED, message)))
        except asyncio.CancelledError:
            message = f"model `{spec.name}` was unloaded while it was loading"
            generation.put(Output(request.id, failure=Failure(FailureCode.UNLOADED, message)))
        else:
            engine.submit(request, generation)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(coroutine)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    @staticmethod
    def _snapshot(entry: _Entry) -> EngineStatus:
        engine = entry.engine
        if engine is None:
            return EngineStatus(entry.spec.name, "loading", None, EngineStats(), None)
        return EngineStatus(entry.spec.name, "ready", engine.info, engine.stats, engine.pid)


pool = EnginePool()
