"""One model that is in memory, or on its way in or out."""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import replace

from inference.client import EngineClient
from inference.engine.messages import EngineStats
from inference.memory import Memory
from inference.pool.model_spec import EngineStatus, ModelSpec, State
from inference.token_counts import TokenCounts


class Resident:
    """Belongs to the pool. `task` brings the engine; it is set right after the resident was made.

    reserved: what the pool reckons with until it is measured. num_queued: requests that wait for the engine.
    """

    task: "asyncio.Task[EngineClient]"

    def __init__(self, spec: ModelSpec, clock: Callable[[], float] = time.monotonic) -> None:
        self.spec = spec
        self.state: State = "waiting"
        self.reserved = Memory()
        self.progress = 0.0
        self.num_queued = 0
        self.last_used = clock()
        self._clock = clock

    @property
    def engine(self) -> EngineClient | None:
        """The engine once it is loaded."""
        is_there = self.task.done() and not self.task.cancelled() and self.task.exception() is None
        return self.task.result() if is_there else None

    @property
    def memory(self) -> Memory:
        """What it takes, or what is set aside for it while it loads."""
        engine = self.engine
        return self.reserved.at_least(engine.memory()) if engine else self.reserved

    @property
    def taken(self) -> int:
        """Bytes of main memory that the system does not count as available because of it.

        Pages of the mapped file do not count: the system may take them back, and counts them as available.
        """
        engine = self.engine
        return self.memory.host - (engine.info.mapped_bytes if engine else 0)

    @property
    def is_busy(self) -> bool:
        """Whether anybody waits for it or for an answer of it."""
        return self.num_queued > 0 or self.engine is None or self.engine.num_open > 0

    @property
    def idle_for(self) -> float | None:
        """Seconds since it finished its last request; None while it is busy."""
        return None if self.is_busy else self._clock() - self.last_used

    @property
    def is_expired(self) -> bool:
        """Whether nobody has asked for it for as long as it may stay."""
        limit = None if self.spec.pinned else self.spec.idle_seconds
        return limit is not None and self.idle_for is not None and self.idle_for >= limit

    def touch(self) -> None:
        """Note that it is of use now."""
        self.last_used = self._clock()

    def snapshot(self) -> EngineStatus:
        engine, idle_for, spec = self.engine, self.idle_for, self.spec
        idle_since = None if idle_for is None else time.time() - idle_for
        stays = spec.pinned or idle_since is None or spec.idle_seconds in (None, math.inf)
        return EngineStatus(
            name=spec.name,
            state=self.state,
            info=engine.info if engine else None,
            stats=engine.stats if engine else EngineStats(),
            pid=engine.pid if engine else None,
            progress=1.0 if engine else self.progress,
            memory=self.memory,
            num_queued=self.num_queued,
            pinned=spec.pinned,
            idle_since=idle_since,
            unload_at=None if stays else idle_since + spec.idle_seconds,
            token_counts=replace(engine.token_counts) if engine else TokenCounts(),
        )
