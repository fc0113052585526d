"""What a model would take of the memory with the settings of a form, as somebody types them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from django.utils.translation import gettext as _

from inference.client import EngineLoadError
from inference.engine.config import EngineConfig
from inference.engine.footprint import Footprint
from inference.fitting import find_misfit
from inference.footprints import estimate
from inference.memory import Limit, shown
from inference.pool import pool
from registry.formatting import human_bytes


class Superseded(Exception):
    """Somebody has asked anew before the answer was there."""


class LatestOnly:
    """Answers each asker's latest question only: a new one ends the one before, with its process."""

    def __init__(self) -> None:
        self._tasks: dict[Any, asyncio.Task] = {}

    async def answer(self, asker: Any, question: Callable[[], Awaitable[Any]]) -> Any:
        """Return the answer. Raises Superseded if the asker has asked again meanwhile."""
        if asker in self._tasks:
            self._tasks[asker].cancel()
        task = self._tasks[asker] = asyncio.ensure_future(question())
        try:
            return await task
        except asyncio.CancelledError:
            if self._tasks.get(asker) is task:
                raise
            raise Superseded from None
        finally:
            if self._tasks.get(asker) is task:
                del self._tasks[asker]


async def describe(config: EngineConfig, limit: Limit | None = None) -> dict[str, str]:
    """Return {"level": ok, warning or error, "text"}: what a configuration takes, and whether it fits."""
    limit = limit or pool.room.limit
    try:
        footprint = await estimate(config)
    except EngineLoadError as error:
        return {"level": "error", "text": _("It cannot be loaded: %(reason)s.") % {"reason": str(error).rstrip(".")}}
    sizes = {"needed": shown(footprint.memory), "parts": _parts(footprint), "limit": shown(limit)}
    if limit.allows(footprint.memory):
        return {
            "level": "ok",
            "text": _("It takes about %(needed)s (%(parts)s). All models may take %(limit)s.") % sizes,
        }
    text = _("It takes about %(needed)s (%(parts)s), but all models may take %(limit)s.") % sizes
    advice = await _advice(config, limit)
    return {"level": "warning", "text": f"{text} {advice}".strip()}


async def _advice(config: EngineConfig, limit: Limit) -> str:
    """Say with which settings it would fit into the main memory, "" if that is not what is short."""
    if limit.host is None:
        return ""
    misfit = await find_misfit(config, limit.host, size=lambda footprint: footprint.host_bytes)
    return f"{misfit.advice[0].upper()}{misfit.advice[1:]}." if misfit else ""


def _parts(footprint: Footprint) -> str:
    parts = (
        (_("weights"), footprint.weights),
        (_("KV cache"), footprint.kv_cache),
        (_("computing"), footprint.compute),
        (_("adapters"), footprint.adapters),
        (_("draft model"), footprint.draft),
    )
    sizes = [(label, memory.host + sum(memory.devices)) for label, memory in parts]
    sizes.append((_("process"), footprint.process))
    return ", ".join(f"{label} {human_bytes(size)}" for label, size in sizes if size)
