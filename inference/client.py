"""The web process's side of one engine: starts its worker process and talks to it without blocking."""

import asyncio
import logging
import signal
import time
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any

from inference.engine.config import EngineConfig
from inference.engine.framing import FramingError
from inference.engine.machine import anonymous_memory
from inference.engine.messages import (
    AbortRequest,
    CloseRequest,
    EngineInfo,
    EngineStats,
    Failure,
    FailureCode,
    LoadFailed,
    LoadProgress,
    Output,
    Ready,
    Request,
    StepOutputs,
)
from inference.generation import Generation
from inference.last_words import ending, last_words
from inference.memory import Memory
from inference.token_counts import TokenCounts
from inference.worker_process import WorkerProcess

logger = logging.getLogger("inference.engine")

LOG_LEVELS = {"E": logging.ERROR, "W": logging.WARNING, "I": logging.DEBUG}
LOG_TAIL = 30  # lines of a worker's log kept to explain its death
AMX_HINT = (
    " (this llama.cpp was built with AMX kernels, which crash when GCC compiles them; build it again with"
    " CFLAGS=-mno-amx-int8 CXXFLAGS=-mno-amx-int8, as `make install` does)"
)


class EngineLoadError(Exception):
    """The worker could not load its model; the message says why. `log`: the last lines of the worker's log."""

    def __init__(self, message: str, log: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.log = log


class EngineClient:
    """One loaded model. Use `await EngineClient.start(...)`; all methods belong to the event loop's thread.

    A worker that dies ends its open requests with a failure; `is_alive` turns false and stays so, and `failure` says
    why. `on_change` is called when its queues have changed, when its last open request has ended, and when the worker
    has died; `death` says then how.
    """

    def __init__(self, name: str, config: EngineConfig, on_progress: Callable[[float], None]) -> None:
        self.name = name
        self.config = config
        self.stats = EngineStats()
        self.token_counts = TokenCounts()
        self.failure: Failure | None = None
        self.info: EngineInfo | None = None
        self.death: str | None = None
        self.num_answered = 0
        self.has_computed = False
        self.on_change: Callable[[], None] = lambda: None
        self._last_heard = time.monotonic()
        self._kill_reason: str | None = None
        self._largest = 0  # bytes without what is saved beside the KV cache
        self._process: WorkerProcess | None = None
        self._on_progress = on_progress
        self._loaded: asyncio.Future[Ready | LoadFailed | None] = asyncio.get_running_loop().create_future()
        self._death_report: asyncio.Task[None] | None = None
        self._generations: dict[str, Generation] = {}
        self._log_tail: deque[str] = deque(maxlen=LOG_TAIL)
        self._idle = asyncio.Event()
        self._idle.set()

    @classmethod
    async def start(
        cls, name: str, config: EngineConfig, on_progress: Callable[[float], None] = lambda fraction: None
    ) -> "EngineClient":
        """Start a worker and wait until its model is loaded. Raises EngineLoadError.

        on_progress: gets the fraction of the weights that is loaded, about ten times a second while it grows.
        """
        client = cls(name, config, on_progress)
        client._process = await WorkerProcess.start(client._take, client._log, client._lose)
        try:
            await client._load()
        except BaseException:
            await client.close()
            raise
        return client

    @property
    def is_alive(self) -> bool:
        return self.failure is None

    @property
    def num_open(self) -> int:
        """Requests that wait for their terminal output."""
        return len(self._generations)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log_tail(self) -> tuple[str, ...]:
        """The last lines of the worker's log."""
        return tuple(self._log_tail)

    @property
    def silent_for(self) -> float | None:
        """Seconds since the worker's last sign of life; None if nobody waits for one."""
        return time.monotonic() - self._last_heard if self._generations else None

    def excuse(self, seconds: float) -> None:
        """Leave seconds, in which this process could not listen, out of the time since the last sign of life."""
        self._last_heard = min(self._last_heard + seconds, time.monotonic())

    def memory(self) -> Memory:
        """Return what the worker takes at most of the memory when it saves as much as it does now."""
        self._largest = max(self._largest, self.measured_bytes() or 0)
        return Memory(self._largest + self.stats.saved_bytes, self.info.device_bytes)

    def measured_bytes(self) -> int | None:
        """Return the main memory that the worker takes at the moment, without what its host cache holds.

        It is what the process has asked for and touched, plus the weights that it reads from the mapped file, resident
        or not: the system may take their pages back, but the next token brings them in again. Two engines of one file
        each count all of it. None where the system does not say (only Linux does), or the process is gone.
        """
        num_bytes = anonymous_memory(self.pid)
        if num_bytes is None or self.info is None:
            return None
        return num_bytes + self.info.mapped_bytes - self.stats.saved_bytes

    def kill(self, reason: str) -> None:
        """End a worker that does not answer; its open requests fail with the reason."""
        self._kill_reason = reason
        self._process.kill()

    def submit(self, request: Request, generation: Generation) -> None:
        """Send a request; its outputs go to `generation`, whose `close` aborts it."""
        if not self.is_alive:
            generation.put(Output(request.id, failure=self.failure))
            return
        if not self._generations:
            self._last_heard = time.monotonic()
        self._generations[request.id] = generation
        self._idle.clear()
        generation.on_close(lambda: self._abort(request.id))
        self._process.send(request)

    async def drained(self) -> None:
        """Wait until no request is open."""
        await self._idle.wait()

    async def close(self, reason: str = "") -> None:
        """End the worker; open requests fail with the reason. Returns when the process is gone."""
        if self.is_alive:
            self._end(FailureCode.UNLOADED, reason or f"model `{self.name}` was unloaded")
        self._process.send(CloseRequest())
        await self._process.close()
        if self._death_report:
            await self._death_report

    async def _load(self) -> None:
        self._process.send(self.config)
        message = await self._loaded
        if message is None:
            raise EngineLoadError(f"the engine process {await self._exit_cause(' while loading')}", self.log_tail)
        if isinstance(message, LoadFailed):
            await self._process.exit_code()
            reason = self._with_last_words(message.message or "the engine gave no reason")
            raise EngineLoadError(reason, self.log_tail)

    def _take(self, message: Any) -> None:
        """Take a message from the worker: while it loads, how far it is; then what its steps have come to."""
        if isinstance(message, StepOutputs):
            self._take_outputs(message)
        elif isinstance(message, LoadProgress):
            self._on_progress(message.fraction)
        else:
            self.info = message.info if isinstance(message, Ready) else None
            self._loaded.set_result(message)

    def _take_outputs(self, message: StepOutputs) -> None:
        """Hand every output to its request."""
        self._last_heard = time.monotonic()
        before, self.stats = self.stats, message.stats
        for output in message.outputs:
            self.token_counts.add(output)
            self._route(output)
        if (before.waiting, before.running) != (self.stats.waiting, self.stats.running):
            self.on_change()

    def _lose(self, error: FramingError | None) -> None:
        """Find that the worker says no more, which is its end, or that what it says makes no sense."""
        if error:
            self.kill(f"talks nonsense ({error})")
        if self._loaded.done():
            self._death_report = Context().run(asyncio.create_task, self._report_death())
        else:
            self._loaded.set_result(None)

    def _route(self, output: Output) -> None:
        generation = self._generations.get(output.request_id)
        if generation is None:
            return
        self.has_computed = True
        if output.finished:
            self.num_answered += 1
            self._forget(output.request_id)
        generation.put(output)

    async def _report_death(self) -> None:
        cause = await self._exit_cause()
        if not self.is_alive:  # it was told to end
            return
        extra = {"model": self.name}
        logger.error("the engine process %s with %d open requests", cause, self.num_open, extra=extra)
        self.death = f"the engine of model `{self.name}` {cause}"
        self._end(FailureCode.WORKER_DIED, f"{self.death}; the next request starts it anew")
        self.on_change()

    def _end(self, code: FailureCode, message: str) -> None:
        """Fail the open requests and those that still come."""
        self.failure = Failure(code, message)
        for request_id, generation in list(self._generations.items()):
            self._forget(request_id)
            generation.put(Output(request_id, failure=self.failure))

    def _abort(self, request_id: str) -> None:
        if request_id in self._generations:
            self._forget(request_id)
            self._process.send(AbortRequest(request_id))

    def _forget(self, request_id: str) -> None:
        del self._generations[request_id]
        if not self._generations:
            self._idle.set()
            if self.is_alive:
                self.on_change()

    def _log(self, line: str) -> None:
        """Pass a line of the log on; native code marks each with a level letter, Python's tracebacks do not."""
        text = line.rstrip()
        letter, _, rest = text.partition(" ")
        level = LOG_LEVELS.get(letter)
        if text:
            self._log_tail.append(text)
            logger.log(level or logging.WARNING, "%s", rest if level else text, extra={"model": self.name})

    async def _exit_cause(self, moment: str = "") -> str:
        code = await self._process.exit_code()
        if self._kill_reason:
            return self._kill_reason
        is_crash = code < 0 and self.info is not None  # while it loads, an error is the best guess
        return self._with_last_words(f"{ending(code)}{moment}{self._crash_hint(code)}", is_crash)

    def _crash_hint(self, exit_code: int) -> str:
        has_amx = self.info is not None and "AMX_INT8 = 1" in self.info.system_info
        return AMX_HINT if has_amx and exit_code == -signal.SIGSEGV else ""

    def _with_last_words(self, message: str, is_crash: bool = False) -> str:
        reason = last_words(self._log_tail, is_crash)
        return f"{message}: {reason}" if reason else message
