"""What the list of downloads shows of each, when it is made and while it is open."""

from collections.abc import AsyncIterator
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from inference.pool import pool
from inference.streaming import comment, sse
from registry.download_jobs import Download, State
from registry.download_runner import runner
from registry.formatting import human_bytes
from registry.queries import query

MOST_SHOWN = 100  # what one page of the list has
TICK = 1.0  # seconds between two events while anything runs
SLICE = 2.0  # seconds after which it is seen that the server stops
SLICES = 7  # until a comment says that the server is still there

# What may be done in each state.
ACTIONS: dict[str, tuple[str, ...]] = {
    State.QUEUED: ("pause", "cancel"),
    State.RUNNING: ("pause", "cancel"),
    State.PAUSED: ("resume", "cancel"),
    State.FAILED: ("resume", "cancel"),
    State.DONE: (),
    State.CANCELLED: (),
}


def status_of(job: Download) -> dict[str, Any]:
    """Return state, bytes and words of a download; those of a running one are of this moment."""
    running = runner.running.get(job.pk) if job.state == State.RUNNING else None
    progress = running.progress if running else job
    done, total = (progress.done, progress.total) if running else (job.done_bytes, job.total_bytes)
    note = progress.note if running else job.error
    speed = progress.speed if job.state == State.RUNNING else None
    return {
        "state": job.state,
        "state_text": job.get_state_display(),
        "done": done,
        "total": total,
        "text": progress_text(done, total, speed),
        "note": note,
        "actions": ACTIONS[job.state],
    }


def progress_text(done: int, total: int | None, speed: int | None) -> str:
    """Return such as "45 % of 4.0 GiB, 12.3 MiB/s, 3 min left"."""
    parts = [
        _("%(percent)d %% of %(total)s") % {"percent": done * 100 // total, "total": human_bytes(total)}
        if total
        else human_bytes(done)
    ]
    if speed:
        parts.append(_("%(size)s/s") % {"size": human_bytes(speed)})
        if total and done < total:
            parts.append(_("%(time)s left") % {"time": duration((total - done) / speed)})
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """Return a time for people: "40 s", "3 min", "2 h 5 min"."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return ngettext("%d s", "%d s", int(seconds)) % int(seconds)
    if minutes < 60:
        return ngettext("%d min", "%d min", minutes) % minutes
    return _("%(hours)d h %(minutes)d min") % {"hours": minutes // 60, "minutes": minutes % 60}


async def events(language: str) -> AsyncIterator[bytes]:
    """Yield the states of the newest downloads whenever one begins or ends, and every second while one runs."""
    while not pool.is_closing:
        jobs = await query(_newest)
        yield sse(_statuses(jobs, language))
        while runner.running and not await runner.change(TICK) and not pool.is_closing:
            yield sse(_statuses(jobs, language))
        if not runner.running and not await _idle():
            yield comment("keep-alive")


async def _idle() -> bool:
    """Wait for a change, or for the server to stop; False if neither happens for a while."""
    for _slice in range(SLICES):
        if await runner.change(SLICE) or pool.is_closing:
            return True
    return False


def _newest() -> list[Download]:
    return list(Download.objects.all()[:MOST_SHOWN])


def _statuses(jobs: list[Download], language: str) -> dict[str, Any]:
    with translation.override(language):
        return {str(job.pk): status_of(job) for job in jobs}
