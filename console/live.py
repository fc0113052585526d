"""What the dashboard says of the pool, again and again."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from django.urls import reverse
from django.utils import translation
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from console.speed import SpeedMeter
from inference.memory import Memory
from inference.pool import EnginePool, EngineStatus
from inference.pool_events import on_every_change
from registry.formatting import human_bytes

PAUSE = 1.0  # seconds between two events
SETTLING = 3.0  # seconds after the last change in which sums are still being written and speeds go down to nothing

Version = Callable[[], Awaitable[str]]
Statuses = list[tuple[int, EngineStatus]]


async def no_version() -> str:
    """Say that the sums never change, to somebody who may not see them."""
    return ""


class LiveDashboard:
    """One open dashboard, in one language.

    version: returns a text that changes whenever the sums of the requests do.
    """

    def __init__(
        self,
        pool: EnginePool,
        language: str,
        version: Version = no_version,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._language = language
        self._version = version
        self._clock = clock
        self._speed = SpeedMeter(clock)
        self._num_changes = -1
        self._settled_at = 0.0

    def events(self) -> AsyncIterator[bytes]:
        """Yield server-sent events: one a second while anything happens, none while nothing does."""
        return on_every_change(self.body, PAUSE, lambda: self._clock() < self._settled_at)

    async def body(self) -> dict[str, Any]:
        """Return all texts and numbers of the live part of the page."""
        statuses = statuses_of(self._pool)
        self._note_changes(statuses)
        loaded = [status for _key, status in statuses if status.pid]
        speeds = self._speed.read({status.pid: status.token_counts.generated for status in loaded})
        version = await self._version()
        with translation.override(self._language):
            return {**snapshot(self._pool, speeds), "version": version}

    def _note_changes(self, statuses: Statuses) -> None:
        is_busy = any(_num_active(status) for _key, status in statuses)
        if is_busy or self._pool.changes.count != self._num_changes:
            self._settled_at = self._clock() + SETTLING
        self._num_changes = self._pool.changes.count


def statuses_of(pool: EnginePool) -> Statuses:
    """Return the state of every model that takes memory or waits for it, with its key; those that leave, too."""
    return [(resident.spec.key, resident.snapshot()) for resident in pool.residents]


def snapshot(pool: EnginePool, speeds: dict[int, float] | None = None) -> dict[str, Any]:
    """Return the live part of the page in the current language. speeds: tokens a second of each process."""
    speeds, statuses = speeds or {}, statuses_of(pool)
    return {
        "tiles": _tiles([status for _key, status in statuses], sum(speeds.values())),
        "memory": memory_bars(pool),
        "models": [_row(key, status, speeds.get(status.pid, 0.0)) for key, status in statuses],
    }


def memory_bars(pool: EnginePool) -> list[dict[str, Any]]:
    """Return a bar for the main memory and one for each GPU. share: 0 to 1, None without a limit."""
    used, limit = pool.residents.used, pool.room.limit
    bars = [_bar(_("Main memory"), used.host, limit.host)]
    for number, most in enumerate(limit.devices):
        bars.append(_bar(_("GPU %(number)d") % {"number": number}, _on(used, number), most))
    return bars


def _on(memory: Memory, device: int) -> int:
    return memory.devices[device] if device < len(memory.devices) else 0


def _bar(label: str, used: int, limit: int | None) -> dict[str, Any]:
    sizes = {"used": human_bytes(used), "limit": human_bytes(limit)}
    text = sizes["used"] if limit is None else _("%(used)s of %(limit)s") % sizes
    return {"label": label, "text": text, "share": min(1.0, used / limit) if limit else None}


def _num_active(status: EngineStatus) -> int:
    return status.stats.running + status.stats.waiting + status.num_queued


def _tiles(statuses: list[EngineStatus], speed: float) -> dict[str, str]:
    running = sum(status.stats.running for status in statuses)
    counts = [status.token_counts for status in statuses]
    prompt, cached = sum(each.prompt for each in counts), sum(each.cached for each in counts)
    return {
        "loaded": str(sum(status.info is not None for status in statuses)),
        "running": str(running),
        "queued": str(sum(map(_num_active, statuses)) - running),
        "speed": _number(speed),
        "cached": percent(cached, prompt),
    }


def _row(key: int, status: EngineStatus, speed: float) -> dict[str, Any]:
    counts = status.token_counts
    return {
        "key": str(key),
        "name": status.name,
        "url": reverse("admin:registry_registeredmodel_change", args=[key]),
        "state": _state(status),
        "memory": human_bytes(status.memory.host + sum(status.memory.devices)),
        "running": str(status.stats.running),
        "queued": str(status.stats.waiting + status.num_queued),
        "speed": _number(speed),
        "cached": percent(counts.cached, counts.prompt),
    }


def _state(status: EngineStatus) -> str:
    texts = {"waiting": _("waits for memory"), "ready": _("loaded"), "leaving": _("finishes its answers")}
    return texts.get(status.state) or _("loading, %(percent)d %%") % {"percent": status.progress * 100}


def _number(speed: float) -> str:
    decimals = 1 if speed < 10 else 0
    return number_format(round(speed, decimals), decimal_pos=decimals, force_grouping=True) if speed else "0"


def percent(part: float, whole: float) -> str:
    """Return a share as "62 %", "–" of nothing."""
    return _("%(percent)d %%") % {"percent": round(100 * part / whole)} if whole else "–"
