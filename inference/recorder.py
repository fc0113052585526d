"""Writes what the pool finds out about models to the database, beside the event loop."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any

from django.db import DatabaseError, connections

from inference.memory import NOTHING, Memory
from inference.pool.contracts import Recorder
from inference.pool.failures import FailureNote
from inference.pool.fingerprint import fingerprint
from inference.pool.model_spec import ModelSpec
from registry.models import Observation, RegisteredModel

logger = logging.getLogger("inference.pool")

GROWTH = 1.05  # a measurement is written again when it is so much larger


class DatabaseRecorder(Recorder):
    """Writes to the models' observations. Nobody waits for it; what cannot be written is logged."""

    def __init__(self) -> None:
        self._written: dict[int, tuple[str, Memory]] = {}
        self._tasks: set[asyncio.Future[None]] = set()
        self._writer = ThreadPoolExecutor(max_workers=1)  # one: what was found out last is written last

    def loaded(self, spec: ModelSpec) -> None:
        """Forget the last error."""
        self._spawn(spec, lambda: _forget_error(spec.key))

    def failed(self, spec: ModelSpec, note: FailureNote) -> None:
        """Keep the error, with the end of the log."""
        at = datetime.fromtimestamp(note.at, timezone.utc)
        self._write(spec, error=note.message, error_log="\n".join(note.log), error_at=at)

    def died(self, spec: ModelSpec, note: FailureNote) -> None:
        """Keep the error as that of a failed load."""
        self.failed(spec, note)

    def measured(self, spec: ModelSpec, memory: Memory) -> None:
        """Keep the largest measurement of each configuration."""
        known = self._written.get(spec.key)
        key = fingerprint(spec.config)
        before = known[1] if known and known[0] == key else spec.measured or NOTHING
        grown = memory.at_least(before)
        if grown.host <= before.host * GROWTH and grown.devices == before.devices:
            return
        self._written[spec.key] = key, grown
        values = {"measured_host": grown.host, "measured_devices": list(grown.devices), "measured_with": key}
        self._write(spec, measured_at=datetime.now(timezone.utc), **values)

    async def flush(self) -> None:
        """Wait until everything is written."""
        await asyncio.gather(*self._tasks)

    def _write(self, spec: ModelSpec, **values: Any) -> None:
        self._spawn(spec, lambda: _update(spec.key, values))

    def _spawn(self, spec: ModelSpec, write: Callable[[], None]) -> None:
        task = asyncio.get_running_loop().run_in_executor(self._writer, _in_thread, write, spec.name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _update(key: int, values: dict[str, Any]) -> None:
    if RegisteredModel.objects.filter(pk=key).exists():
        Observation.objects.update_or_create(model_id=key, defaults=values)


def _forget_error(key: int) -> None:
    """Write only if there is an error: loading is no reason to read all registrations again."""
    known = Observation.objects.filter(model_id=key).exclude(error="")
    if known.exists():
        known.update(error="", error_log="", error_at=None)


def _in_thread(write: Callable[[], None], name: str) -> None:
    try:
        write()
    except DatabaseError as error:
        logger.warning("what was found out about %s could not be written: %s", name, error)
    finally:
        connections.close_all()
