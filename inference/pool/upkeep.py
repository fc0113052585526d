"""Looking after engines that nobody else looks after: idle for too long, hung, grown."""

import asyncio
import logging
import time
from contextvars import Context

from inference.client import EngineClient
from inference.memory import NOTHING
from inference.pool.contracts import Dismiss, Recorder
from inference.pool.resident import Resident
from inference.pool.residents import Residents
from inference.pool.room import Room

logger = logging.getLogger("inference.pool")

INTERVAL = 1.0  # seconds


class Upkeep:
    """Runs as long as there are models. step_timeout: seconds without a sign of life after which an engine is hung."""

    def __init__(
        self,
        residents: Residents,
        room: Room,
        recorder: Recorder,
        step_timeout: float,
        dismiss: Dismiss,
    ) -> None:
        self._residents = residents
        self._room = room
        self._recorder = recorder
        self._step_timeout = step_timeout
        self._dismiss = dismiss
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, unless it goes on already."""
        if self._task is None or self._task.done():
            self._task = Context().run(asyncio.create_task, self._run())  # it is no part of the request that began it

    def stop(self) -> None:
        if self._task:
            self._task.cancel()

    def look(self, late: float = 0.0) -> None:
        """Look after all engines once.

        late: seconds that this process stood still before, for want of a processor or because it was paused (`docker
        pause`). What the engines said meanwhile is still unread, so that they count for nobody's silence.
        """
        for resident in self._residents:
            if resident.engine:
                resident.engine.excuse(late)
                self._look_after(resident, resident.engine)
        self._room.shrink()

    def measure(self, resident: Resident, engine: EngineClient) -> None:
        """Record what an engine takes; before it has computed anything that is too little."""
        memory = engine.memory()
        if engine.has_computed and memory != NOTHING:
            self._recorder.measured(resident.spec, memory)

    async def _run(self) -> None:
        while list(self._residents):
            before = time.monotonic()
            await asyncio.sleep(INTERVAL)
            self.look(time.monotonic() - before - INTERVAL)

    def _look_after(self, resident: Resident, engine: EngineClient) -> None:
        silent = engine.silent_for
        if silent is not None and silent > self._step_timeout:
            engine.kill(f"hung: it has shown no sign of life for {silent:.0f} s (pool.step_timeout)")
        elif resident.is_expired and self._residents.has(resident):
            logger.info("unloading %s, idle for %.0f s", resident.spec.name, resident.idle_for)
            self._dismiss(resident, "idle")
        else:
            self.measure(resident, engine)
