"""Which models are loaded, within one memory budget, and how requests reach them."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

from inference.client import EngineClient, EngineLoadError
from inference.engine.config import EngineConfig
from inference.engine.messages import Failure, FailureCode, Output, Request
from inference.generation import Generation
from inference.memory import Limit, Memory, shown, total
from inference.pool.budget import Budget
from inference.pool.changes import Changes
from inference.pool.failures import FailureNote, Failures
from inference.pool.model_spec import EngineStatus, ModelSpec
from inference.pool.resident import Resident
from inference.pool.victims import choose_victims

logger = logging.getLogger("inference.pool")

TEND_SECONDS = 1.0  # between two looks at engines that may be idle for too long, hang or have grown
SHUTTING_DOWN = "the server is shutting down"
PATIENCE = 10.0  # seconds that a model waits for others to fall idle before they get no new requests


class StartEngine(Protocol):
    """Starts a worker; `on_progress` is called with the part that is loaded, 0 to 1. Raises EngineLoadError."""

    def __call__(
        self, name: str, config: EngineConfig, on_progress: Callable[[float], None]
    ) -> Awaitable[EngineClient]: ...


class Recorder(Protocol):
    """Keeps what the pool finds out about a model for the next time. Called from the event loop; must not block."""

    def loaded(self, spec: ModelSpec) -> None: ...

    def failed(self, spec: ModelSpec, note: FailureNote) -> None: ...

    def measured(self, spec: ModelSpec, memory: Memory) -> None: ...


class NoRecorder:
    def loaded(self, spec: ModelSpec) -> None: ...

    def failed(self, spec: ModelSpec, note: FailureNote) -> None: ...

    def measured(self, spec: ModelSpec, memory: Memory) -> None: ...


@dataclass(frozen=True)
class PoolSettings:
    """max_queue: requests that may wait for models to be loaded.

    step_timeout, load_timeout: seconds without a sign of life after which an engine with open requests, or one that is
    loading, counts as hung.
    """

    budget: Budget = field(default_factory=Budget)
    max_queue: int = 256
    step_timeout: float = 300.0
    load_timeout: float = 600.0


class EnginePool:
    """Model key → engine. Loads on the first request, once however many arrive meanwhile.

    What does not fit beside the others waits until idle ones have made room; nobody who works is ended for that.

    All coroutines run on the event loop that `bind` named, the server's. `status`, `failure` and `last_error` only read
    and may be called from any thread, as may `run`. estimate: returns what a configuration will take of the memory.
    advise: says with which settings a model would fit into so many bytes of main memory.
    """

    def __init__(
        self,
        start_engine: StartEngine = EngineClient.start,
        *,
        estimate: Callable[[EngineConfig], Awaitable[Memory]] | None = None,
        advise: Callable[[EngineConfig, int], Awaitable[str]] | None = None,
        settings: PoolSettings | None = None,
        recorder: Recorder | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.changes = Changes()
        self.is_closing = False
        self.settings = settings or PoolSettings()
        self._start_engine = start_engine
        self._estimate = estimate
        self._advise = advise
        self._recorder = recorder or NoRecorder()
        self._clock = clock
        self._residents: dict[int, Resident] = {}
        self._leaving: set[Resident] = set()
        self._failures = Failures()
        self._turn = asyncio.Lock()
        self._background: set[asyncio.Task[Any]] = set()
        self._tending: asyncio.Task[None] | None = None
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

    def call(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call one of the pool's methods from another thread."""
        self._loop.call_soon_threadsafe(function, *arguments)

    def generate(self, spec: ModelSpec, request: Request) -> Generation:
        """Start a request and return at once; loading errors arrive as its terminal output."""
        generation = Generation(request.id)
        resident = self._serving(spec)
        if resident and resident.engine:
            resident.touch()
            resident.engine.submit(request, generation)
        elif self.is_closing:
            generation.put(_failed(request, FailureCode.UNLOADED, SHUTTING_DOWN))
        elif self.num_queued >= self.settings.max_queue:
            generation.put(_failed(request, FailureCode.QUEUE_FULL, _queue_full(self.settings.max_queue)))
        else:
            task = self._spawn(self._load_and_submit(spec, request, generation))
            generation.on_close(task.cancel)
            generation.describe = lambda: self._describe(spec)
        return generation

    async def load(self, spec: ModelSpec, insist: bool = False) -> EngineClient:
        """Return the model's engine, starting it if need be. Raises EngineLoadError.

        insist: try also if it has only just failed.
        """
        resident = self._serving(spec) or self._new_resident(spec, insist)
        # Shielded: one impatient client must not cancel the load that others wait for.
        resident.num_queued += 1
        try:
            return await asyncio.shield(resident.task)
        finally:
            resident.num_queued -= 1
            resident.touch()

    async def unload(self, key: int) -> bool:
        """End a model's engine, or its loading; open requests fail. False if it was not loaded."""
        resident = self._residents.get(key)
        if resident is None:
            return False
        await self._leave(resident, drain=False)
        logger.info("unloaded %s", resident.spec.name)
        return True

    def refresh(self, spec: ModelSpec) -> None:
        """Take over how a model is to be kept; a changed configuration waits for the next request."""
        resident = self._residents.get(spec.key)
        if resident and resident.spec.config == spec.config:
            resident.spec = spec

    def begin_closing(self) -> None:
        """Load nothing more; who watches the changes is woken for the last time."""
        self.is_closing = True
        self.changes.notify()

    async def close(self) -> None:
        """End all engines; open requests fail."""
        self.begin_closing()
        everybody = [*self._residents.values(), *self._leaving]
        await asyncio.gather(*(self._leave(resident, drain=False) for resident in everybody))
        for task in (*self._background, *filter(None, [self._tending])):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)

    @property
    def num_queued(self) -> int:
        """Requests that wait for a model to be loaded."""
        return sum(resident.num_queued for resident in self._residents.values())

    @property
    def used(self) -> Memory:
        """What all models take, those that are leaving included."""
        return total(resident.memory for resident in (*self._residents.values(), *self._leaving))

    def status(self) -> dict[int, EngineStatus]:
        """Return a snapshot of every model that is loaded or waits for that, by its key."""
        return {key: resident.snapshot() for key, resident in list(self._residents.items())}

    def failure(self, key: int) -> FailureNote | None:
        """Return what went wrong with a model last, unless it has been loaded since."""
        return self._failures.get(key)

    def last_error(self, key: int) -> str:
        """Return why the model's engine died or could not be loaded, empty if it runs or never failed."""
        note = self._failures.get(key)
        return note.message if note else ""

    async def victims_of(self, spec: ModelSpec) -> list[str] | None:
        """Return the names of the models that loading this one would unload now; None if it had to wait.

        Nobody goes for a model that is loaded, or that cannot be loaded at all.
        """
        if spec.key in self._residents:
            return []
        try:
            need, used = spec.measured or await self._need(spec.config), self.used
        except EngineLoadError:
            return []
        victims = choose_victims(used, need, self.settings.budget.limit(used), self._idle())
        return None if victims is None else [victim.spec.name for victim in victims]

    def _describe(self, spec: ModelSpec) -> str:
        """Say in a few words what a request for a model waits for."""
        resident = self._residents.get(spec.key)
        if resident is None or resident.state not in ("waiting", "loading"):
            return "keep-alive"
        if resident.state == "loading":
            return f"loading {spec.name}, {resident.progress:.0%}"
        waiting = [each for each in self._residents.values() if each.state == "waiting"]
        return f"{spec.name} waits for memory, number {waiting.index(resident) + 1} in the queue"

    def _serving(self, spec: ModelSpec) -> Resident | None:
        """Return the resident with these settings; one with others gets no new requests and leaves."""
        resident = self._residents.get(spec.key)
        if resident is None:
            return None
        if resident.spec.config != spec.config:
            self._leave(resident, drain=True)
            return None
        resident.spec = spec
        return resident

    def _new_resident(self, spec: ModelSpec, insist: bool) -> Resident:
        note = None if insist else self._failures.blocking(spec.key, spec.config)
        if note:
            seconds = max(1, round(note.retry_at - time.time()))
            raise EngineLoadError(f"{note.message} (it will be tried again in {seconds} s at the earliest)")
        resident = self._residents[spec.key] = Resident(spec, self._clock)
        resident.task = asyncio.create_task(self._bring_up(resident))
        resident.task.add_done_callback(lambda _: self._drop_if_failed(resident))
        self._tend_from_now_on()
        self.changes.notify()
        return resident

    async def _bring_up(self, resident: Resident) -> EngineClient:
        """Make room, start the engine, and say what came of it."""
        spec = resident.spec
        try:
            need = spec.measured or await self._need(spec.config)
            async with self._turn:  # first come, first served: a large model is not passed for ever by small ones
                await self._make_room(resident, need)
            engine = await self._load(resident)
        except EngineLoadError as error:
            logger.error("%s could not be loaded: %s", spec.name, error)
            note = self._failures.note_load(spec.key, spec.config, str(error), error.log)
            self._recorder.failed(spec, note)
            raise
        self._failures.clear(spec.key)
        self._recorder.loaded(spec)
        engine.on_change = lambda: self._engine_changed(resident, engine)
        logger.info("loaded %s in %.1f s (%s)", spec.name, engine.info.load_seconds, engine.info.description)
        resident.state = "ready"
        self.changes.notify()
        return engine

    async def _need(self, config: EngineConfig) -> Memory:
        return await self._estimate(config) if self._estimate else Memory()

    async def _load(self, resident: Resident) -> EngineClient:
        spec = resident.spec
        logger.info("loading %s from %s", spec.name, spec.config.model_path)
        resident.state = "loading"
        self.changes.notify()

        def on_progress(fraction: float) -> None:
            resident.progress = fraction
            self.changes.notify()

        starting = asyncio.ensure_future(self._start_engine(spec.name, spec.config, on_progress))
        try:
            return await self._unless_stuck(resident, starting)
        finally:
            if not starting.done():
                starting.cancel()
                await asyncio.gather(starting, return_exceptions=True)

    async def _unless_stuck(self, resident: Resident, starting: "asyncio.Future[EngineClient]") -> EngineClient:
        patience = self.settings.load_timeout
        while True:
            before = resident.progress
            done, _ = await asyncio.wait([starting], timeout=patience)
            if done:
                return starting.result()
            if resident.progress == before:
                raise EngineLoadError(f"no progress for {patience:.0f} s (pool.load_timeout)")

    async def _make_room(self, resident: Resident, need: Memory) -> None:
        """Set memory aside for a model, as soon as there is enough. Raises EngineLoadError if there never can be."""
        waiting_since = self._clock()
        while True:
            seen, used = self.changes.count, self.used
            limit = self.settings.budget.limit(used)
            await self._refuse_hopeless(resident.spec, need, limit)
            if limit.allows(used + need):
                resident.reserved = need
                return
            is_patient = self._clock() - waiting_since < PATIENCE
            candidates = self._idle() if is_patient else self._movable()
            staying = used - total(each.memory for each in self._leaving)
            for victim in choose_victims(staying, need, limit, candidates) or ():
                logger.info("unloading %s to make room for %s", victim.spec.name, resident.spec.name)
                self._leave(victim, drain=True)
            await self.changes.after(seen, TEND_SECONDS)

    async def _refuse_hopeless(self, spec: ModelSpec, need: Memory, limit: Limit) -> None:
        """Raise EngineLoadError for what would not even fit if all but the pinned models were gone."""
        pinned = [each for each in self._residents.values() if each.spec.pinned and each.spec.key != spec.key]
        kept = total(each.memory for each in pinned)
        if not limit.allows(kept + need):
            names = ", ".join(each.spec.name for each in pinned)
            beside = f", of which the pinned models ({names}) keep {shown(kept)}" if pinned else ""
            numbers = f"it needs {shown(need)} of memory, the models may take {shown(limit)}{beside}"
            advice = await self._advise(spec.config, (limit.host or 0) - kept.host) if self._advise else ""
            raise EngineLoadError(f"{numbers}; {advice}" if advice else numbers)

    def _idle(self) -> list[Resident]:
        return [each for each in self._movable() if not each.is_busy]

    def _movable(self) -> list[Resident]:
        """Return the loaded models that may be unloaded at all."""
        return [each for each in self._residents.values() if each.engine and not each.spec.pinned]

    def _leave(self, resident: Resident, drain: bool) -> "asyncio.Task[None]":
        """Take a model out of service; with `drain` it finishes its open requests first."""
        if self._residents.get(resident.spec.key) is resident:
            del self._residents[resident.spec.key]
        self._leaving.add(resident)
        resident.state = "leaving"
        self.changes.notify()
        return self._spawn(self._end(resident, drain))

    async def _end(self, resident: Resident, drain: bool) -> None:
        try:
            engine = await self._settled(resident, drain)
            if engine and drain:
                await self._drained(resident, engine)
            if engine:
                self._measure(resident, engine)
                await engine.close(SHUTTING_DOWN if self.is_closing else "")
        finally:
            self._leaving.discard(resident)
            self.changes.notify()

    @staticmethod
    async def _settled(resident: Resident, drain: bool) -> EngineClient | None:
        """Return the engine once it is loaded; without `drain`, its loading is given up."""
        if not drain:
            resident.task.cancel()
        try:
            return await asyncio.shield(resident.task)
        except (EngineLoadError, asyncio.CancelledError):
            return None

    @staticmethod
    async def _drained(resident: Resident, engine: EngineClient) -> None:
        # Woken by the same load, those that waited for it submit within the next turns of the loop.
        while resident.num_queued:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await engine.drained()

    def _engine_changed(self, resident: Resident, engine: EngineClient) -> None:
        """Take notice of an engine that has finished its open requests, or has died."""
        resident.touch()
        if engine.death:
            spec = resident.spec
            log = engine.log_tail
            note = self._failures.note_death(spec.key, spec.config, engine.death, log, engine.num_answered > 0)
            self._recorder.failed(spec, note)
            if self._residents.get(spec.key) is resident:
                self._leave(resident, drain=False)
        elif resident.is_expired and resident not in self._leaving:
            self._leave(resident, drain=True)
        self.changes.notify()

    def _drop_if_failed(self, resident: Resident) -> None:
        if resident.engine is None and self._residents.get(resident.spec.key) is resident:
            del self._residents[resident.spec.key]
        self.changes.notify()

    async def _load_and_submit(self, spec: ModelSpec, request: Request, generation: Generation) -> None:
        try:
            engine = await self.load(spec)
        except EngineLoadError as error:
            message = f"model `{spec.name}` could not be loaded: {error}"
            generation.put(_failed(request, FailureCode.LOAD_FAILED, message))
        except asyncio.CancelledError:
            message = SHUTTING_DOWN if self.is_closing else f"model `{spec.name}` was unloaded while it was loading"
            generation.put(_failed(request, FailureCode.UNLOADED, message))
        else:
            engine.submit(request, generation)

    def _tend_from_now_on(self) -> None:
        if self._tending is None or self._tending.done():
            self._tending = asyncio.create_task(self._tend())

    async def _tend(self) -> None:
        """Look after the engines as long as there are any."""
        while self._residents or self._leaving:
            await asyncio.sleep(TEND_SECONDS)
            self._look_after_all()

    def _look_after_all(self) -> None:
        for resident in [*self._residents.values(), *self._leaving]:
            if resident.engine:
                self._look_after(resident, resident.engine)
        self._shrink()

    def _look_after(self, resident: Resident, engine: EngineClient) -> None:
        silent = engine.silent_for
        if silent is not None and silent > self.settings.step_timeout:
            engine.kill(f"hung: it has shown no sign of life for {silent:.0f} s (pool.step_timeout)")
        elif resident.is_expired and resident not in self._leaving:
            logger.info("unloading %s, idle for %.0f s", resident.spec.name, resident.idle_for)
            self._leave(resident, drain=True)
        else:
            self._measure(resident, engine)

    def _shrink(self) -> None:
        """Unload idle models if they have grown beyond the budget together."""
        used = self.used
        limit = self.settings.budget.limit(used)
        if not limit.allows(used) and not self._leaving:
            for victim in choose_victims(used, Memory(), limit, self._idle()) or ():
                logger.warning("unloading %s: the models have outgrown the memory budget", victim.spec.name)
                self._leave(victim, drain=True)

    def _measure(self, resident: Resident, engine: EngineClient) -> None:
        memory = engine.memory()
        if engine.num_answered and memory != Memory():
            self._recorder.measured(resident.spec, memory)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(coroutine)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task


def _failed(request: Request, code: FailureCode, message: str) -> Output:
    return Output(request.id, failure=Failure(code, message))


def _queue_full(limit: int) -> str:
    return f"{limit} requests wait for models to be loaded already, as many as may (pool.max_queue); try again later"
