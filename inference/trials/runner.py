"""The runs of this process: one at a time, so that none spoils another's figures."""

import asyncio
import logging
from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.db import DatabaseError
from django.db.models import QuerySet

from access.identity import Identity, current_identity
from inference.exceptions import InvalidRequest
from inference.pool import EnginePool, pool
from inference.trials.run import TestRun
from registry.model_kinds import Kind
from registry.model_tests import ModelTest, TestState
from registry.models import RegisteredModel
from registry.served_model import ServedModel
from usage.record import current_record

logger = logging.getLogger(__name__)

TESTS = Identity("tests")
BEAT = 15.0  # seconds without news until `follow` gives a sign of life


class TrialRunner:
    """Starts, cancels and remembers the last run of each model. Coroutines belong to the event loop."""

    def __init__(self, pool: EnginePool) -> None:
        self._pool = pool
        self._runs: dict[int, TestRun] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._turn: asyncio.Lock | None = None

    def last(self, key: int) -> TestRun | None:
        """Return the run of a model that is going on or was the last in this process. From any thread."""
        return self._runs.get(key)

    async def start(self, model: ServedModel) -> TestRun:
        """Begin a run in the background, or return the one that is going on. Raises InvalidRequest for other kinds."""
        if model.kind != Kind.CHAT:
            raise InvalidRequest(f"The model `{model.name}` is of the kind {model.kind}; only chat models are tested.")
        key = model.registration.pk
        known = self._runs.get(key)
        if known and not known.has_ended:
            return known
        run = self._runs[key] = TestRun(model)
        self._tasks[key] = asyncio.create_task(self._run(run))
        return run

    def start_all(self, models: QuerySet) -> int:
        """Begin a run for each enabled chat model among registrations; they take turns. From another thread."""
        names = list(models.enabled().filter(kind=Kind.CHAT).values_list("name", flat=True))
        for name in names:
            self._pool.run(self.start(ServedModel(RegisteredModel.objects.for_api(name)))).result()
        return len(names)

    async def cancel(self, key: int) -> bool:
        """End the run of a model; False if there is none."""
        run = self._runs.get(key)
        if run is None or run.has_ended:
            return False
        self._tasks[key].cancel()
        await asyncio.wait([self._tasks[key]])
        return True

    async def _run(self, run: TestRun) -> None:
        current_record.set(None)  # the task has inherited those of the request that has begun the run
        current_identity.set(TESTS)
        self._turn = self._turn or asyncio.Lock()
        try:
            async with self._turn:
                await run.run(self._pool)
        finally:
            if not run.has_ended:  # cancelled while it waited for its turn
                run.end(TestState.CANCELLED)
            await _keep(run)


async def follow(run: TestRun) -> AsyncIterator[TestRun]:
    """Yield the run now, whenever anything happens to it, and every BEAT seconds; the last time when it has ended."""
    while True:
        seen = run.changes.count
        yield run
        if run.has_ended:
            return
        await run.changes.after(seen, BEAT)


async def _keep(run: TestRun) -> None:
    """Write an ended run to the database; one that never began has nothing to tell."""
    if run.started_at is None:
        return
    try:
        await sync_to_async(_save)(run)
    except DatabaseError as error:
        logger.warning("the test of %s could not be written: %s", run.model.name, error)


def _save(run: TestRun) -> None:
    key = run.model.registration.pk
    if RegisteredModel.objects.filter(pk=key).exists():
        run.as_row().save()
        ModelTest.objects.prune(key)


runner = TrialRunner(pool)
