"""When each key was used last, written to the database beside the event loop."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import DatabaseError, connections
from django.utils import timezone

from access.models import APIKey

logger = logging.getLogger("access")

INTERVAL = 60.0  # seconds between two writes for a key


class LastUsed:
    """Notes that keys are used. Nobody waits for it; what cannot be written is logged.

    write: writes the time for a key's id; it is called in a thread of its own.
    """

    def __init__(self, write: Callable[[int], None] | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write or _write
        self._clock = clock
        self._noted: dict[int, float] = {}
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="last-used")

    def note(self, key_id: int) -> None:
        """Take a request of this key into account."""
        now = self._clock()
        if now - self._noted.get(key_id, -INTERVAL) >= INTERVAL:
            self._noted[key_id] = now
            self._writer.submit(self._write, key_id)

    def flush(self) -> None:
        """Wait until everything is written."""
        self._writer.submit(int).result()


def _write(key_id: int) -> None:
    try:
        APIKey.objects.filter(pk=key_id).update(last_used_at=timezone.now())
    except DatabaseError as error:
        logger.warning("the last use of API key %d could not be written: %s", key_id, error)
    finally:
        connections.close_all()


last_used = LastUsed()
