"""Writes what has become of requests to the database, in a thread of its own, many at a time."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, connections, transaction

from usage import capture
from usage.metrics import ROWS_DROPPED
from usage.models import CapturedExchange, RequestLog
from usage.record import UNAUTHORIZED, RequestRecord
from usage.rows import add_to_hours, existing_keys, hours_of, log_row
from usage.samples import Samples
from usage.steps import add_to_steps, steps_of

logger = logging.getLogger(__name__)

LIMIT = 10_000  # requests that may wait to be written; about a kilobyte each
BODY_LIMIT = 64 * 2**20  # bytes of captured bodies that may wait
BATCH = 500  # requests written in one transaction
INTERVAL = 0.5  # seconds in which requests gather
RETRY = 5.0  # seconds until what the database has refused is tried again
COMPLAINT = 60.0  # seconds between two lines of the log about dropped requests
TURNED_AWAY_PER_HOUR = 10  # rows of each key and reason


class LogWriter:
    """`add` takes finished requests and never blocks; a thread between `start` and `stop` writes them.

    What the database does not take waits and is tried again. More than `limit` do not wait: the oldest are dropped
    and counted. keeps_rows: whether each request becomes a row, or only part of the sums by the hour.

    Of requests that are turned away, some become rows, and none part of the sums: a client that does not stop could
    fill the database with them. Those of strangers become none, or scanners would bury what concerns the keys.
    """

    def __init__(
        self, keeps_rows: bool = True, limit: int = LIMIT, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.num_dropped = 0
        self._keeps_rows = keeps_rows
        self._limit = limit
        self._clock = clock
        self._turned_away = Samples(TURNED_AWAY_PER_HOUR, 3600.0, clock)
        self._waiting: deque[RequestRecord] = deque()
        self._num_told = 0
        self._told_at = -COMPLAINT
        self._has_work = threading.Event()
        self._is_stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, record: RequestRecord) -> None:
        """Take a finished request, if a model was to answer it or if it was turned away."""
        if not (record.is_for_model or self._is_sample(record)):
            return
        if record.exchange and sum(each.exchange.num_bytes for each in self._waiting if each.exchange) > BODY_LIMIT:
            record.exchange = None
            logger.warning("the bodies of request %s are not kept: too many wait to be written", record.request_id)
        self._waiting.append(record)
        self._drop_oldest()
        self._has_work.set()

    def _is_sample(self, record: RequestRecord) -> bool:
        is_stranger = record.status == UNAUTHORIZED and not record.key_prefix
        if not record.is_turned_away or is_stranger:
            return False
        return self._turned_away.number((record.key_prefix, record.error_code)) > 0

    def start(self) -> None:
        self._is_stopping.clear()
        self._thread = threading.Thread(target=self._run, name="request-log", daemon=True)
        self._thread.start()

    def stop(self, seconds: float = 10.0) -> None:
        """Write what is waiting and end the thread; give up after so many seconds."""
        self._is_stopping.set()
        self._has_work.set()
        if self._thread:
            self._thread.join(seconds)
        if self._waiting:
            logger.error("%d requests could not be written to the request log", len(self._waiting))

    def write(self) -> bool:
        """Write all that is waiting; False if the database refuses."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            try:
                self._write(batch)
            except (OperationalError, InterfaceError) as error:
                logger.warning("%d rows of the request log could not be written yet: %s", len(batch), error)
                self._waiting.extendleft(reversed(batch))
                self._drop_oldest()
                return False
            except Exception:
                logger.exception("%d rows of the request log are lost", len(batch))
        return True

    def _run(self) -> None:
        try:
            while not self._is_stopping.is_set():
                self._has_work.wait()
                self._is_stopping.wait(INTERVAL)
                self._has_work.clear()
                while not self.write() and not self._is_stopping.wait(RETRY):
                    pass
            self.write()
        finally:
            connections.close_all()

    def _write(self, records: list[RequestRecord]) -> None:
        exchanges = [row for record in records if (row := capture.row_of(record))]
        with transaction.atomic():
            keys = existing_keys(records)
            if self._keeps_rows:
                RequestLog.objects.bulk_create([log_row(record, keys) for record in records])
            CapturedExchange.objects.bulk_create(exchanges)
            hours = hours_of([record for record in records if record.is_for_model], keys)
            add_to_hours(hours)
            add_to_steps(steps_of(hours))

    def _drop_oldest(self) -> None:
        while len(self._waiting) > self._limit:
            self._waiting.popleft()
            self.num_dropped += 1
            ROWS_DROPPED.inc()
        if self.num_dropped > self._num_told and self._clock() >= self._told_at + COMPLAINT:
            logger.error(
                "%d rows of the request log were dropped: the database takes them too slowly",
                self.num_dropped - self._num_told,
            )
            self._num_told, self._told_at = self.num_dropped, self._clock()
