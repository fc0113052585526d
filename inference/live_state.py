"""What the admin says of a model at this moment."""

import asyncio
from collections.abc import AsyncIterator, Iterable

from asgiref.sync import sync_to_async
from django.utils import translation
from django.utils.translation import gettext as _

from inference.pool import EngineStatus, pool
from inference.streaming import comment, sse
from registry.formatting import human_bytes
from registry.models import RegisteredModel

MOST_OFTEN = 0.3  # seconds between two events
BEAT = 15.0  # seconds without a change until a comment says that the server is still there


def state_of(key: int) -> str:
    """Say in a few words whether a model is in memory and what it does."""
    status = pool.status().get(key)
    if status is None:
        error = pool.last_error(key)
        return _("failed: %(error)s") % {"error": error} if error else _("not loaded")
    return _described(status)


async def states() -> AsyncIterator[bytes]:
    """Yield events with the states of all models by their keys, now and whenever one changes, in today's language."""
    language = translation.get_language()
    while not pool.is_closing:
        seen = pool.changes.count
        keys = await sync_to_async(_keys)()
        with translation.override(language):
            yield sse({str(key): str(state_of(key)) for key in keys})
        await asyncio.sleep(MOST_OFTEN)
        while pool.changes.count == seen:
            await pool.changes.after(seen, BEAT)
            if pool.changes.count == seen:
                yield comment("keep-alive")


def _described(status: EngineStatus) -> str:
    if status.state == "waiting":
        return _("waits for memory")
    if status.state == "loading":
        return _("loading, %(percent)d %%") % {"percent": status.progress * 100}
    counts = {"running": status.stats.running, "waiting": status.stats.waiting, "size": human_bytes(status.memory.host)}
    return _("loaded (%(size)s), %(running)d running, %(waiting)d waiting") % counts


def _keys() -> Iterable[int]:
    return list(RegisteredModel.objects.values_list("pk", flat=True))
