"""What the admin says of a model at this moment."""

from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from inference.pool import EngineStatus, pool
from registry.formatting import human_bytes


def state_of(key: int) -> str:
    """Say in a few words whether a model is in memory and what it does."""
    status = pool.status().get(key)
    if status is None:
        error = pool.last_error(key)
        return _("failed: %(error)s") % {"error": error} if error else _("not loaded")
    return _described(status)


def states(language: str) -> dict[str, Any]:
    """Return the states of those that are loaded or have failed by their keys, in a language; `others`: all others'.

    loaded: the keys of those that are in memory, or on their way.
    So nobody has to ask the database, and an event is as short with a thousand registrations as with one.
    """
    with translation.override(language):
        loaded = sorted(pool.status())
        known = {*loaded, *pool.failed_keys()}
        return {"states": {str(key): state_of(key) for key in known}, "loaded": loaded, "others": _("not loaded")}


def _described(status: EngineStatus) -> str:
    if status.state == "waiting":
        return _("waits for memory")
    if status.state == "loading":
        return _("loading, %(percent)d %%") % {"percent": status.progress * 100}
    counts = {"running": status.stats.running, "waiting": status.stats.waiting, "size": human_bytes(status.memory.host)}
    return _("loaded (%(size)s), %(running)d running, %(waiting)d waiting") % counts
