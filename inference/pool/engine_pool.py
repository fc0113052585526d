"""Which models are loaded, within one memory budget, and how requests reach them."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

from inference.client import EngineClient, EngineLoadError
from inference.engine.messages import Failure, FailureCode, Output, Request
from inference.generation import Generation
from inference.memory import NOTHING, Memory
from inference.pool.changes import Changes
from inference.pool.contracts import Advise, Estimate, PoolSettings, Recorder, StartEngine, UnloadReason
from inference.pool.failures import FailureNote, Failures
from inference.pool.model_spec import EngineStatus, ModelSpec
from inference.pool.resident import Resident
from inference.pool.residents import Residents
from inference.pool.room import Room
from inference.pool.upkeep import Upkeep

logger = logging.getLogger("inference.pool")

SHUTTING_DOWN = "the server is shutting down"


class EnginePool:
    """Model key → engine. Loads on the first request, once however many arrive meanwhile.

    What does not fit beside the others waits until idle ones have made room; nobody who works is ended for that.

    All coroutines run on the event loop that `bind` named, the server's. `status`, `failure`, `failed_keys` and
    `last_error` only read and may be called from any thread, as may `run`. estimate: returns what a configuration will
    take of the memory. advise: says with which settings a model would fit into so many bytes of main memory.
    """

    def __init__(
        self,
        start_engine: StartEngine = EngineClient.start,
        *,
        estimate: Estimate | None = None,
        advise: Advise | None = None,
        settings: PoolSettings | None = None,
        recorder: Recorder | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.changes = Changes()
        self.residents = Residents()
        self.settings = settings or PoolSettings()
        self.room = Room(self.residents, self.settings.budget, self.changes, self._dismiss, advise, clock)
        self.is_closing = False
        self._start_engine = start_engine
        self._estimate = estimate
        self._recorder = recorder or Recorder()
        self._upkeep = Upkeep(self.residents, self.room, self._recorder, self.settings.step_timeout, self._dismiss)
        self._clock = clock
        self._failures = Failures()
        self._turn = asyncio.Lock()
        self._background: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_running(self) -> bool:
        """Whether this process serves; a management command has a pool that never runs."""
        return self._loop is not None and self._loop.is_running()

    def bind(self) -> None:
        """Make the running event loop the pool's."""
        self._loop = asyncio.get_running_loop()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> "Future[Any]":
        """Run one of the pool's coroutines from another thread (the admin's synchronous views)."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def call(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call one of the pool's methods from another thread."""
        self._loop.call_soon_threadsafe(function, *arguments)

    def generate(self, spec: ModelSpec, request: Request, counts_prompt: bool = True) -> Generation:
        """Start a request and return at once; loading errors arrive as its terminal output.

        counts_prompt: False for a further answer to the same prompt, whose tokens count once.
        """
        generation = Generation(request.id, counts_prompt)
        resident = self._serving(spec)
        if resident and resident.engine:
            resident.touch()
            resident.engine.submit(request, generation)
        elif self.is_closing:
            generation.put(_failed(request, FailureCode.UNLOADED, SHUTTING_DOWN))
        elif self.residents.num_queued >= self.settings.max_queue:
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
        resident = self.residents.by_key.get(key)
        if resident is None:
            return False
        await self._leave(resident, "asked", drain=False)
        logger.info("unloaded %s", resident.spec.name)
        return True

    def refresh(self, spec: ModelSpec) -> None:
        """Take over how a model is to be kept; a changed configuration waits for the next request."""
        resident = self.residents.by_key.get(spec.key)
        if resident and resident.spec.config == spec.config:
            resident.spec = spec

    def begin_closing(self) -> None:
        """Load nothing more; who watches the changes is woken for the last time."""
        self.is_closing = True
        self.changes.notify()

    async def close(self) -> None:
        """End all engines; open requests fail."""
        self.begin_closing()
        await asyncio.gather(*(self._leave(resident, "asked", drain=False) for resident in self.residents))
        self._upkeep.stop()
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)

    def status(self) -> dict[int, EngineStatus]:
        """Return a snapshot of every model that is loaded or waits for that, by its key."""
        return {key: resident.snapshot() for key, resident in list(self.residents.by_key.items())}

    def failure(self, key: int) -> FailureNote | None:
        """Return what went wrong with a model last, unless it has been loaded since."""
        return self._failures.get(key)

    def failed_keys(self) -> list[int]:
        """Return the models that went wrong last and have not been loaded since."""
        return self._failures.keys()

    def last_error(self, key: int) -> str:
        """Return why the model's engine died or could not be loaded, empty if it runs or never failed."""
        note = self._failures.get(key)
        return note.message if note else ""

    async def victims_of(self, spec: ModelSpec) -> list[str] | None:
        """Return the names of the models that loading this one would unload now; None if it had to wait.

        Nobody goes for a model that is loaded, or that cannot be loaded at all.
        """
        if spec.key in self.residents.by_key:
            return []
        try:
            need = await self._need(spec)
        except EngineLoadError:
            return []
        victims = self.room.victims(need)
        return None if victims is None else [victim.spec.name for victim in victims]

    def _describe(self, spec: ModelSpec) -> str:
        """Say in a few words what a request for a model waits for."""
        resident = self.residents.by_key.get(spec.key)
        if resident is None or resident.state not in ("waiting", "loading"):
            return "keep-alive"
        if resident.state == "loading":
            return f"loading {spec.name}, {resident.progress:.0%}"
        return f"{spec.name} waits for memory, number {self.residents.waiting.index(resident) + 1} in the queue"

    def _serving(self, spec: ModelSpec) -> Resident | None:
        """Return the resident with these settings; one with others gets no new requests and leaves."""
        resident = self.residents.by_key.get(spec.key)
        if resident is None:
            return None
        if resident.spec.config != spec.config:
            self._dismiss(resident, "changed")
            return None
        resident.spec = spec
        return resident

    def _new_resident(self, spec: ModelSpec, insist: bool) -> Resident:
        note = None if insist else self._failures.blocking(spec.key, spec.config)
        if note:
            seconds = max(1, round(note.retry_at - time.time()))
            raise EngineLoadError(f"{note.message} (it will be tried again in {seconds} s at the earliest)")
        resident = self.residents.by_key[spec.key] = Resident(spec, self._clock)
        resident.task = asyncio.create_task(self._bring_up(resident))
        resident.task.add_done_callback(lambda _: self._drop_if_failed(resident))
        self._upkeep.start()
        self.changes.notify()
        return resident

    async def _bring_up(self, resident: Resident) -> EngineClient:
        """Make room, start the engine, and say what came of it."""
        spec = resident.spec
        try:
            need = await self._need(spec)
            async with self._turn:  # first come, first served: a large model is not passed for ever by small ones
                await self.room.make(resident, need)
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

    async def _need(self, spec: ModelSpec) -> Memory:
        """Return what a model takes, as measured or else estimated. Raises EngineLoadError."""
        if spec.measured:
            return spec.measured
        return await self._estimate(spec.config) if self._estimate else NOTHING

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

    def _dismiss(self, resident: Resident, reason: UnloadReason) -> None:
        """Take a model out of service, and end its engine when its open requests are answered."""
        self._leave(resident, reason, drain=True)

    def _leave(self, resident: Resident, reason: UnloadReason, drain: bool) -> "asyncio.Task[None]":
        """Take a model out of service; with `drain` it finishes its open requests first."""
        self.residents.remove(resident)
        self.residents.leaving.add(resident)
        resident.state = "leaving"
        self._recorder.unloaded(resident.spec, reason)
        self.changes.notify()
        return self._spawn(self._end(resident, drain))

    async def _end(self, resident: Resident, drain: bool) -> None:
        try:
            engine = await self._settled(resident, drain)
            if engine and drain:
                await self._drained(resident, engine)
            if engine:
                self._upkeep.measure(resident, engine)
                await engine.close(SHUTTING_DOWN if self.is_closing else "")
        finally:
            self.residents.leaving.discard(resident)
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
        """Take notice of an engine whose queues have changed, or that has died."""
        resident.touch()
        if engine.death:
            spec = resident.spec
            log = engine.log_tail
            note = self._failures.note_death(spec.key, spec.config, engine.death, log, engine.num_answered > 0)
            self._recorder.died(spec, note)
            if self.residents.has(resident):
                self._leave(resident, "died", drain=False)
        elif resident.is_expired and self.residents.has(resident):
            self._dismiss(resident, "idle")
        self.changes.notify()

    def _drop_if_failed(self, resident: Resident) -> None:
        if resident.engine is None:
            self.residents.remove(resident)
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

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(coroutine)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task


def _failed(request: Request, code: FailureCode, message: str) -> Output:
    return Output(request.id, failure=Failure(code, message))


def _queue_full(limit: int) -> str:
    return f"{limit} requests wait for models to be loaded already, as many as may (pool.max_queue); try again later"
