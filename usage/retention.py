"""Deleting what was kept long enough."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.models import QuerySet
from django.utils import timezone

from usage.models import Capture, CapturedExchange, RequestLog, UsageHour, UsageStep

logger = logging.getLogger(__name__)

INTERVAL = 6 * 3600.0  # seconds
BATCH = 1000  # rows deleted in one transaction, so that nobody waits for long
PAUSE = 0.05  # seconds between two, in which others may write


def prune(
    now: datetime | None = None, days: int | None = None, pause: Callable[[float], object] = time.sleep
) -> dict[str, int]:
    """Delete what the configuration says is old; return how many rows of each table that were.

    days: keep rows of the request log for so many, in the place of `usage.retention_days`.
    """
    now = now or timezone.now()
    usage = settings.CONFIG.usage
    days = usage.retention_days if days is None else days
    old = {
        "requests": RequestLog.objects.filter(at__lt=now - timedelta(days=days)),
        "captured": CapturedExchange.objects.filter(expires_at__lte=now),
        "captures": Capture.objects.filter(until__lt=now - timedelta(days=days)),
    }
    if usage.hours_retention_days is not None:
        oldest = now - timedelta(days=usage.hours_retention_days)
        old["hours"] = UsageHour.objects.filter(hour__lt=oldest)
        old["steps"] = UsageStep.objects.filter(start__lt=oldest)
    return {name: _delete(rows, pause) for name, rows in old.items()}


def _delete(rows: QuerySet, pause: Callable[[float], object]) -> int:
    """Delete rows a few at a time."""
    total = 0
    while keys := list(rows.order_by().values_list("pk", flat=True)[:BATCH]):
        total += rows.model.objects.filter(pk__in=keys).delete()[0]
        if len(keys) < BATCH:
            break
        pause(PAUSE)
    return total


class Retention:
    """Prunes between `start` and `stop`, at once and then a few times a day, in a thread of its own."""

    def __init__(self, interval: float = INTERVAL) -> None:
        self._interval = interval
        self._is_stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._is_stopping.clear()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what it is deleting at the moment may stay until the next time."""
        self._is_stopping.set()
        if self._thread:
            self._thread.join(5)

    def _run(self) -> None:
        while not self._is_stopping.is_set():
            self._prune()
            self._is_stopping.wait(self._interval)

    def _prune(self) -> None:
        try:
            counts = {name: count for name, count in prune(pause=self._is_stopping.wait).items() if count}
            if counts:
                logger.info("deleted what is old: %s", ", ".join(f"{count} {name}" for name, count in counts.items()))
        except DatabaseError as error:
            logger.warning("what is old could not be deleted: %s", error)
        finally:
            connections.close_all()
