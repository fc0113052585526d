"""Runs the downloads of the admin inside the web process: a few at a time, each in a thread of its own."""

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from registry.download_jobs import Download, State
from registry.download_sources import DownloadError
from registry.download_tokens import token_of
from registry.download_work import DownloadWork, discard
from registry.job_progress import JobProgress, Stopped
from registry.queries import query

logger = logging.getLogger(__name__)

SAVE_EVERY = 2.0  # seconds between two notes of how far a download is
PATIENCE = 3.0  # seconds that threads get to end when the server stops


@dataclass
class Running:
    """A job that is being worked on. ends_as: its state if it is stopped."""

    job: Download
    progress: JobProgress
    ends_as: State = State.QUEUED


class DownloadRunner:
    """Begins what is queued. `running` tells how far those are that run; a failed one is no reason to stop."""

    def __init__(self, make_work: Callable[..., DownloadWork] = DownloadWork, save_every: float = SAVE_EVERY) -> None:
        self.running: dict[int, Running] = {}
        self._make_work, self._save_every = make_work, save_every
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task] = set()
        self._wake = asyncio.Event()
        self._changed = asyncio.Event()

    @property
    def is_active(self) -> bool:
        """Whether there is anybody who begins what is queued."""
        return self._loop is not None and self._loop.is_running()

    async def run(self) -> None:
        """Work until cancelled. What another process of the server was at when it ended is begun again first."""
        self._loop = asyncio.get_running_loop()
        try:
            await self._try(lambda: Download.objects.requeue(State.RUNNING))
            while True:
                self._wake.clear()
                await self._begin_waiting()
                await self._wake.wait()
        finally:
            await self._end_all()
            self._loop = None

    def wake(self) -> None:
        """Look for queued jobs; may be called from any thread."""
        self._call(self._wake.set)
        self._call(self._tell)

    def stop(self, pk: int, state: State) -> bool:
        """Let a running job end as paused or cancelled; False if it does not run here. From any thread."""
        running = self.running.get(pk)
        if running is None:
            return False
        running.ends_as = state
        running.progress.end()
        return True

    async def change(self, timeout: float) -> bool:
        """Return True when a job begins or ends, False if none does within `timeout` seconds."""
        try:
            await asyncio.wait_for(self._changed.wait(), timeout)
        except asyncio.TimeoutError:
            return False
        return True

    async def _begin_waiting(self) -> None:
        while len(self.running) < settings.CONFIG.downloads.at_once:
            job = await self._try(_claim_next)
            if job is None:
                return
            self.running[job.pk] = Running(job, JobProgress(job.total_bytes, len(job.parts)))
            task = asyncio.create_task(self._work(self.running[job.pk]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            self._tell()

    async def _work(self, running: Running) -> None:
        """Do one job and note what has become of it."""
        job, progress = running.job, running.progress
        logger.info("downloading %s to %s", job.shown_source, job.target)
        work = self._make_work(job, progress, token_of(job.started_by_id))
        future = _in_thread(work.run)
        while not (await asyncio.wait([future], timeout=self._save_every))[0]:
            await self._try(lambda: _save_progress(job.pk, progress))
        await self._try(lambda: _settle(job, progress, *_outcome(future, running)))
        del self.running[job.pk]
        self._wake.set()
        self._tell()

    async def _end_all(self) -> None:
        """End what runs; it goes on after the next start."""
        for running in self.running.values():
            running.progress.end()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=PATIENCE)

    async def _try(self, question: Callable[[], Any]) -> Any:
        """Ask the database; return None, and say so in the log, if that fails."""
        try:
            return await query(question)
        except DatabaseError as error:
            logger.error("the downloads in the database cannot be read or written: %s", error)
            return None

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _call(self, function: Callable[[], None]) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(function)


def _claim_next() -> Download | None:
    """Take the job that has waited the longest."""
    for job in Download.objects.filter(state=State.QUEUED).order_by("created_at", "pk"):
        if Download.objects.filter(pk=job.pk).claim():
            return job
    return None


def _save_progress(pk: int, progress: JobProgress) -> None:
    values = {"done_bytes": progress.done, "total_bytes": progress.total, "speed": progress.speed}
    Download.objects.filter(pk=pk, state=State.RUNNING).update(**values)


def _outcome(future: "asyncio.Future[None]", running: Running) -> tuple[State, str]:
    """Return the state and the error of a job whose thread has ended."""
    error = future.exception()
    if error is None:
        return State.DONE, ""
    if isinstance(error, Stopped):
        return running.ends_as, ""
    if isinstance(error, DownloadError):
        return State.FAILED, str(error)
    if isinstance(error, OSError):
        return State.FAILED, f"{error.filename or running.job.target}: {error.strerror or error}."
    logger.error("the download of %s failed", running.job.shown_source, exc_info=error)
    return State.FAILED, "An unexpected error; the server's log says more."


def _settle(job: Download, progress: JobProgress, state: State, error: str) -> None:
    if state == State.CANCELLED:
        discard(job)
    finished_at = timezone.now() if state in (State.DONE, State.FAILED, State.CANCELLED) else None
    values = {"done_bytes": progress.done, "total_bytes": progress.total, "finished_at": finished_at}
    Download.objects.filter(pk=job.pk).settle(state, State.RUNNING, error=error, **values)
    logger.info("the download of %s is %s%s", job.shown_source, state, f": {error}" if error else "")


def _in_thread(function: Callable[[], None]) -> "asyncio.Future[None]":
    """Run a function in a thread that does not keep the process from ending, as those of an executor do."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()

    def settle(error: BaseException | None) -> None:
        if not future.cancelled():
            future.set_exception(error) if error else future.set_result(None)

    def run() -> None:
        error = None
        try:
            function()
        except BaseException as caught:
            error = caught
        try:
            loop.call_soon_threadsafe(settle, error)
        except RuntimeError:
            return  # the loop is closed: the server has stopped meanwhile

    threading.Thread(target=run, name="download", daemon=True).start()
    return future


runner = DownloadRunner()
